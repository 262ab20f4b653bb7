"""The check of arguments that public functions share: errors name argument, value and range.

A number has any real type: Python's own, NumPy's scalars and 0-d arrays, fractions. Text, None,
complex numbers and truth values are none.
"""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray


def numbers(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    least: float | None = None,
    infinite: bool = False,
    whole: bool = False,
) -> NDArray[np.float64]:
    """Check an array of numbers.

    Parameters
    ----------
    name : str
        The argument's name, for the error.
    value : array_like
        Any shape.
    above, least : float, optional
        Bounds: ``x > above``, ``x >= least``.
    infinite : bool
        Whether positive infinity is allowed.
    whole : bool
        Whether numbers must be whole; their type may be a float all the same.

    Returns
    -------
    array of float64, in the shape of ``value``

    Raises
    ------
    TypeError
        If something is not a number.
    ValueError
        If a number is out of range; the message names the first.
    """
    rule = "a whole number" if whole else "a number" if infinite else "a finite number"
    rule += "" if above is None else f" above {above:g}"
    rule += "" if least is None else f", at least {least:g}"
    try:
        array = np.asarray(value)
        if not _is_real(array):
            raise TypeError(f"{name} = {value!r}: must be {rule}")
        array = array.astype(float)
    except OverflowError:
        raise ValueError(f"{name}: must be {rule}, within the range of floats") from None
    except ValueError:  # lists of different lengths are no array
        raise TypeError(f"{name} = {value!r}: must be {rule}") from None
    right = ~np.isnan(array) & ((array < np.inf) | infinite) & (array > -np.inf)
    if above is not None:
        right &= array > above
    if least is not None:
        right &= array >= least
    if whole:
        right &= array == np.floor(array)
    if not right.all():
        raise ValueError(f"{name} = {array[~right].flat[0]:.12g}: must be {rule}")
    return array


def number(name: str, value: Any, **allowed: Any) -> float:
    """Check a single number; see `numbers`."""
    array = numbers(name, value, **allowed)
    if array.ndim:
        raise TypeError(f"{name} = {value!r}: must be a single number")
    return float(array)


def whole_number(name: str, value: Any, **allowed: Any) -> int:
    """Check a single whole number; see `numbers`."""
    return int(number(name, value, whole=True, **allowed))


def _is_real(array: NDArray[Any]) -> bool:
    """Whether all elements are real numbers; integers beyond 64 bits are objects to NumPy."""
    if array.dtype.kind == "O":
        return all(isinstance(x, Real) and not isinstance(x, bool) for x in array.flat)
    return array.dtype.kind in "iuf"
