"""Parts of the mixture analysis."""
