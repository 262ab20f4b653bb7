"""Exact computation at any scale: sums, effective ridge, contour inversion, loss and front."""
