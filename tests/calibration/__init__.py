"""Simulation-based calibration and prior recovery of every model and method."""
