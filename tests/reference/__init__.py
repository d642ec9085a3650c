"""Reference posteriors, made by long runs of PyMC's own NUTS, and the tests that use them."""
