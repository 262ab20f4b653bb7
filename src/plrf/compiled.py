"""Loops over single steps, compiled: the work of a step costs less than a call of NumPy."""

from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def compiled(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Compile a function of arrays and numbers with Numba, at its first call.

    Numba is imported then, so that nothing else waits for it; what it makes is kept on disk. Sums
    may be in any order, so that last digits depend on the machine.
    """

    @cache
    def build() -> Callable[Parameters, Result]:
        from numba import njit

        made: Callable[Parameters, Result] = njit(
            cache=True, fastmath={"contract", "reassoc"}, error_model="numpy"
        )(function)
        return made

    @wraps(function)
    def call(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        return build()(*args, **kwargs)

    return call
