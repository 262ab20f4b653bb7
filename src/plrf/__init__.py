"""Power-law random features (PLRF): theory and simulation of compute-optimal scaling.

The numerical library behind the workflow that reproduces "4+3 Phases of Compute-Optimal
Neural Scaling Laws" (Paquette, Paquette, Xiao, Pennington, 2024, arXiv:2405.15074). The
mathematics and its notation are in ``docs/model.md``; docstrings cite its sections.
"""

__version__ = "0.1.0"
