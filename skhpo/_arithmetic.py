"""Arithmetic on scores of any size, whatever NumPy was told to do about overflows.

Scores may be as large as floats get, infinite or NaN. What the package computes with
them must neither warn nor raise, also under ``np.errstate(all="raise")``; what users
have written (estimators, scorers, constraints, models) runs as they have set it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "largest", "own_arithmetic", "unit_of", "users_arithmetic"]

Array = NDArray[np.float64]

# What the user has set, while `own_arithmetic` holds.
_of_user: ContextVar[dict[str, Any] | None] = ContextVar("_of_user", default=None)


@contextmanager
def own_arithmetic() -> Iterator[None]:
    """Ignore floating-point errors within this context; also a decorator."""
    token = _of_user.set(_of_user.get() or dict(np.geterr()))
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        _of_user.reset(token)


@contextmanager
def users_arithmetic() -> Iterator[None]:
    """Treat them as the user has set it, within `own_arithmetic`; also a decorator."""
    settings = _of_user.get()
    if settings is None:
        yield
        return
    token = _of_user.set(None)
    try:
        with np.errstate(**settings):
            yield
    finally:
        _of_user.reset(token)


def largest(values: Array) -> int:
    """Return the index of the largest value that is not NaN, of equal ones the first.

    `numpy.nanargmax` takes NaN for minus infinity, which scores may be, and so a failed
    candidate for the best one.

    Raises
    ------
    ValueError
        If all are NaN, or there are none.

    Examples
    --------
    >>> largest(np.array([np.nan, -np.inf]))
    1
    """
    rows = np.flatnonzero(~np.isnan(values))
    return int(rows[np.argmax(values[rows])])


def unit_of(values: Array) -> float:
    """Return the power of two in which the values are of ordinary size.

    It is the greatest one that is not above the median size of the values that are
    neither 0, infinite nor NaN; 1 if there are none. To divide by a power of two
    changes no digit, so what is computed from the quotients is the same to the bit.

    Examples
    --------
    >>> unit_of(np.array([-1e300, 0.0, 6.0, 7.0, np.nan]))
    4.0
    """
    sizes = np.sort(np.abs(values[np.isfinite(values) & (values != 0)]))
    if not sizes.size:
        return 1.0
    _, exponent = math.frexp(float(sizes[len(sizes) // 2]))
    return math.ldexp(1.0, exponent - 1)
