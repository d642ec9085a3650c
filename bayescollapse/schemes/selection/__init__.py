"""Selections: which proposed rows a generation is trained on."""
