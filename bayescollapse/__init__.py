"""Recursive Bayesian training."""
