"""Parts of the digits analysis."""
