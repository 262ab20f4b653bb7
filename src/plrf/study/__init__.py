"""The study around the numerics: configuration, grid, figures, and the hash of the code."""
