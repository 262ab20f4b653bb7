"""What the workflow adds to the numerics: configuration, grid, tables, logs, and the code's hash."""
