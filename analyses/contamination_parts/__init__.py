"""Parts of the analysis of contaminated sources."""
