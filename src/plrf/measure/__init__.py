"""Exponents measured on losses: curves, fronts, power laws, errors, and agreement of results."""
