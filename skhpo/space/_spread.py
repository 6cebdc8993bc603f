"""How numbers are spread: evenly, or by their orders of magnitude."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from skhpo.space._dimensions import is_number

__all__ = ["ends_and_median", "is_finite", "is_logarithmic"]

# Less than one decade reads as well on a linear axis.
MIN_LOG_RATIO = 10.0


def is_finite(value: Any) -> bool:
    """Whether a value is a number that a float can stand for."""
    try:
        return is_number(value) and math.isfinite(value)
    except OverflowError:  # an integer of more than 308 digits
        return False


def ends_and_median(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the lowest value, the median and the highest.

    Parameters
    ----------
    values : sequence of float
        One or more finite numbers.

    Returns
    -------
    low, middle, high : float
        As `is_logarithmic` takes them.
    """
    ordered, half = sorted(map(float, values)), len(values) // 2
    low, high = ordered[(len(ordered) - 1) // 2], ordered[half]
    return ordered[0], low + (high / 2 - low / 2), ordered[-1]


def is_logarithmic(low: float, middle: float, high: float) -> bool:
    """Whether values with these ends and this median are spread logarithmically.

    Parameters
    ----------
    low, middle, high : float
        The lowest value, the median, the highest.

    Returns
    -------
    bool
        Whether they span a decade or more, and the median is nearer to the middle on
        a logarithmic axis than on a linear one.
    """
    if not 0 < low <= high / MIN_LOG_RATIO:
        return False
    linear = (middle - low) / (high - low)
    start, end = math.log(low), math.log(high)
    logarithmic = (math.log(middle) - start) / (end - start)
    return bool(abs(logarithmic - 0.5) < abs(linear - 0.5))
