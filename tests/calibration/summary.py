"""One table of everything that was calibrated, at the end of the test run."""

from __future__ import annotations

COLUMNS = ("check", "model", "method", "simulations", "quantities", "failed fits", "smallest p")


def pytest_terminal_summary(terminalreporter):
    """Print the rows that passed and failed tests have recorded."""
    rows = [
        {**value, "outcome": outcome}
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        for name, value in getattr(report, "user_properties", ())
        if name == "calibration"
    ]
    if not rows:
        return
    columns = (*COLUMNS, "quantity", "seconds", "outcome")
    text = [columns, *([str(row.get(c, "")) for c in columns] for row in rows)]
    widths = [max(len(line[i]) for line in text) for i in range(len(columns))]
    terminalreporter.section("calibration")
    for line in text:
        terminalreporter.write_line(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        )
    seconds = sum(float(row["seconds"]) for row in rows if row.get("seconds"))
    terminalreporter.write_line(f"{len(rows)} rows, {seconds:.0f} s of fits")
