"""Tests of the results themselves; the workflow stops if one fails."""
