"""Parts of the golden-ratio analysis."""
