"""Forms of the parametric law L = E + A d^-a + B n^-b: which of its parameters are free.

A form is an affine map from its free parameters to (log E, log A, a, log B, b), so that one
minimiser fits all of them. A new one is a matrix and an offset.

Source: model section 8 (docs/model.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plrf.arguments import number

FloatArray = NDArray[np.float64]

PARAMETERS = ("log_e", "log_a", "a", "log_b", "b")
"""The law's parameters in their order; logarithms are natural."""


@dataclass(frozen=True, eq=False)
class LawForm:
    """A law with k free parameters q: ``matrix @ q + offset`` are (log E, log A, a, log B, b).

    Attributes
    ----------
    name : str
    matrix : ndarray, shape (5, k)
        Of zeros and ones; log A and log B are free, since fits shift the origins of d and n.
    offset : ndarray, shape (5,)
    """

    name: str
    matrix: FloatArray
    offset: FloatArray

    @property
    def size(self) -> int:
        """Number of free parameters."""
        return int(self.matrix.shape[1])

    def all_parameters(self, free: FloatArray) -> FloatArray:
        """The five parameters (..., 5) that belong to the free ones (..., k)."""
        five: FloatArray = free @ self.matrix.T + self.offset
        return five

    def free_parameters(self, five: FloatArray) -> FloatArray:
        """The free parameters (..., k) of five (..., 5); the first where several are one."""
        return five[..., self.matrix.argmax(axis=0)]

    def fixing(self, parameter: str, value: float) -> LawForm:
        """The form with one more parameter fixed: log_e, a or b, or what is equal to it."""
        row = self.matrix[PARAMETERS.index(parameter)]
        return LawForm(
            f"{self.name}, {parameter} = {value:g}",
            self.matrix[:, row == 0],
            self.offset + self.matrix @ row * value,
        )


def fixed_offset(e: float) -> LawForm:
    """Form with E fixed at a value, in units of the loss; without E if it is 0.

    Parameters
    ----------
    e : float
        At least 0.

    Raises
    ------
    ValueError
        If E is negative or not finite.
    TypeError
        If E is not a number.
    """
    e = number("e", e, least=0)
    with np.errstate(divide="ignore"):
        offset = np.array([np.log(e), 0.0, 0.0, 0.0, 0.0])
    return LawForm(f"E = {e:g}", np.eye(5)[:, 1:], offset)


FREE = LawForm("free", np.eye(5), np.zeros(5))
EQUAL_EXPONENTS = LawForm("a = b", np.eye(4)[[0, 1, 2, 3, 2]], np.zeros(5))

FORMS = {form.name: form for form in (FREE, EQUAL_EXPONENTS, fixed_offset(0.0))}
"""Forms by name: free, a = b, and E = 0; see `fixed_offset` for other values of E."""
