"""Parts of the atlas."""
