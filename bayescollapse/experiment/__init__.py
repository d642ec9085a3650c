"""Experiment: schemes by replicates by generations, with executor, store, resume and progress."""
