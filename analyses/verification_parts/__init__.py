"""Parts of the verification analysis."""
