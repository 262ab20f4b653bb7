"""Power-law random features (PLRF): theory and simulation of compute-optimal scaling.

The numerical library behind the workflow that reproduces "4+3 Phases of Compute-Optimal
Neural Scaling Laws" (Paquette, Paquette, Xiao, Pennington, 2024, arXiv:2405.15074). The
mathematics and its notation are in ``docs/model.md``; docstrings cite its sections.

``plrf.expected_loss`` gives exact loss curves, ``plrf.compute_optimal`` the exact front,
``plrf.phase`` and ``plrf.theory_exponents`` what the theory says of it, ``plrf.advise`` what to run
to measure it, ``plrf.measure_task`` the task that samples of data are, and ``plrf.fit_losses`` the
scaling laws of other people's losses.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plrf.data.exponents import measure_exponents as measure_exponents
    from plrf.data.measured import measure_task as measure_task
    from plrf.exact.critical_batch import critical_batch as critical_batch
    from plrf.exact.front import compute_optimal as compute_optimal
    from plrf.exact.loss import expected_loss as expected_loss
    from plrf.exact.optimal_schedule import optimal_schedule as optimal_schedule
    from plrf.fitting.audit_losses import audit_losses as audit_losses
    from plrf.fitting.fit import fit_losses as fit_losses
    from plrf.measure.advice import advise as advise
    from plrf.theory import phases
    from plrf.theory.phases import phase as phase

    theory_exponents = phases.exponents

__version__ = "0.1.0"

# Imported on first use, so that a job loads only the modules that it needs.
_PUBLIC = {
    "advise": ("plrf.measure.advice", "advise"),
    "audit_losses": ("plrf.fitting.audit_losses", "audit_losses"),
    "critical_batch": ("plrf.exact.critical_batch", "critical_batch"),
    "compute_optimal": ("plrf.exact.front", "compute_optimal"),
    "expected_loss": ("plrf.exact.loss", "expected_loss"),
    "fit_losses": ("plrf.fitting.fit", "fit_losses"),
    "measure_exponents": ("plrf.data.exponents", "measure_exponents"),
    "measure_task": ("plrf.data.measured", "measure_task"),
    "optimal_schedule": ("plrf.exact.optimal_schedule", "optimal_schedule"),
    "phase": ("plrf.theory.phases", "phase"),
    "theory_exponents": ("plrf.theory.phases", "exponents"),
}
__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'plrf' has no attribute {name!r}")
    module, attribute = _PUBLIC[name]
    globals()[name] = value = getattr(import_module(module), attribute)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
