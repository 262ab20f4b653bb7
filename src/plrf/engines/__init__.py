"""Losses of given random features W: their reduction, SGD, and the recursion of its mean."""
