"""Lineage: the generation loop for a block of replicates under one scheme."""
