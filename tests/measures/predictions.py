"""What tests of predictive drift share: probabilities of categories, and a comparison of means."""

import numpy as np

# Comparisons with a mean allow 4 of its standard errors: a false alarm in 1 of 16,000.
Z = 4
P = np.array([0.5, 0.3, 0.16, 0.03, 0.01])


def mean_within(values, expected, bias=0.0):
    error = values.std(ddof=1) / np.sqrt(values.size)
    assert abs(values.mean() - expected) < Z * error + bias, (values.mean(), expected, error)
