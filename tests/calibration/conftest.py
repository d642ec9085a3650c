"""What calibration tests share."""

from __future__ import annotations

import pytest


@pytest.fixture
def tabulate(record_property):
    """Add a row to the table: values by column, and seconds."""

    def add(**row):
        record_property("calibration", row)

    return add
