"""Long lists of numbers: kept as they were written, and known by place.

A range, a stepped distribution or an array may hold more numbers than can be listed.
Nothing here costs more than one vectorized pass over an array, or any time at all for
the others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, overload

import numpy as np

from skhpo.exceptions import InvalidSpaceError
from skhpo.space._dimensions import is_number

__all__ = [
    "LONG",
    "Steps",
    "count",
    "find",
    "is_numeric",
    "long_numbers",
    "nearest_place",
]

# Up to so many values, a list is a list: each value has a key, and is checked.
LONG = 1000
# Numbers beyond cannot be the coordinates that models see.
MAX_NUMBER = float(np.finfo(float).max)


class Steps(Sequence[float]):
    """The numbers ``low``, ``low + step``, ... up to `high`.

    Parameters
    ----------
    low, high : float
        The first number, and what no number exceeds.
    step : float
        The positive distance between two of them.

    Examples
    --------
    >>> list(Steps(0.0, 0.3, 0.1)), Steps(0.0, 1e6, 1e-3).n
    ([0.0, 0.1, 0.2, 0.3], 1000000001)
    """

    def __init__(self, low: float, high: float, step: float) -> None:
        # Halves, since the difference of the bounds may overflow.
        ratio = (high / 2 - low / 2) / step * 2
        if not math.isfinite(ratio):
            raise InvalidSpaceError(
                f"The step {step!r} is too small for a range from {low!r} to {high!r}: "
                "the number of values exceeds all numbers. Leave it out."
            )
        self.low, self.high, self.step = low, high, step
        self.n = int(ratio + 1e-9) + 1

    def __len__(self) -> int:
        return self.n

    @overload
    def __getitem__(self, place: int) -> float: ...
    @overload
    def __getitem__(self, place: slice) -> list[float]: ...
    def __getitem__(self, place: int | slice) -> float | list[float]:
        if isinstance(place, slice):
            return [self[i] for i in range(self.n)[place]]
        return min(self.low + range(self.n)[place] * self.step, self.high)

    def __repr__(self) -> str:
        return f"Steps({self.low!r}, {self.high!r}, {self.step!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Steps) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))


def count(values: Any) -> int:
    """Return the length of a list of values, also where ``len`` overflows.

    Examples
    --------
    >>> count(range(10**20)), count([1, 2])
    (100000000000000000000, 2)
    """
    if isinstance(values, range):
        return max(0, -((values.start - values.stop) // values.step))
    return values.n if isinstance(values, Steps) else len(values)


def is_numeric(values: object) -> bool:
    """Whether a list can hold numbers only, as its type says."""
    is_array = isinstance(values, np.ndarray) and values.dtype.kind in "biuf"
    return is_array or isinstance(values, range | Steps)


def long_numbers(values: Any, *, ascending: bool) -> range | Steps | np.ndarray | None:
    """Return many distinct numbers as they are kept; None for an ordinary list.

    Parameters
    ----------
    values : object
        Values as users give them.
    ascending : bool
        Whether to put them in order.

    Returns
    -------
    range, Steps, ndarray or None
        The same numbers; an array is a copy, so that it is nobody else's.

    Raises
    ------
    InvalidSpaceError
        If a number is there twice.
    """
    if not is_numeric(values) or count(values) <= LONG:
        return None
    if isinstance(values, range):
        return values[::-1] if ascending and values.step < 0 else values
    if isinstance(values, Steps):
        return values
    if np.all(values[1:] > values[:-1]):
        return _own(values)
    in_order = np.sort(values)
    if np.isnan(in_order[-1]):  # equal to itself as a value of a list, not as a number
        return None
    repeated = in_order[1:][in_order[1:] == in_order[:-1]]
    if repeated.size:
        raise InvalidSpaceError(repetition(repeated[0].item()))
    return _own(in_order if ascending else values)


def _own(values: np.ndarray) -> np.ndarray:
    """Return a copy that nobody writes into."""
    copy = np.array(values)
    copy.flags.writeable = False
    return copy


def repetition(value: object) -> str:
    """Return what to say of a value that a list holds twice."""
    return (
        f"The values of a list must be distinct. Got {value!r} more than once; to draw "
        "a value more often, use Categorical(values, weights=...)."
    )


def find(values: Sequence[Any] | np.ndarray, number: Any) -> int | None:
    """Return the place of a number among distinct values; None if it is none of them.

    Examples
    --------
    >>> find(range(10**20), 10**19), find(Steps(0.0, 1.0, 1e-6), 0.5), find(range(9), 9)
    (10000000000000000000, 500000, None)
    """
    if isinstance(values, np.ndarray):
        places = np.flatnonzero(values == number)
        return int(places[0]) if places.size else None
    if isinstance(values, range):  # asked for a fraction, it would walk
        if not abs(number) < math.inf or number != int(number):
            return None
        return values.index(int(number)) if int(number) in values else None
    if isinstance(values, Steps):
        place = nearest_place(values, number)
        return place if values[place] == number else None
    # A number alone is compared: an array as a value would compare its elements.
    same = (i for i, v in enumerate(values) if is_number(v) and v == number)
    return next(same, None)


def nearest_place(ladder: Any, number: Any) -> int:
    """Return the place of the nearest one of ascending numbers; of two, the lower one.

    Examples
    --------
    >>> nearest_place([1, 2, 4], 3), nearest_place(range(0, 10**20, 7), 10**19)
    (1, 1428571428571428571)
    """
    low, high = 0, count(ladder) - 1
    while low < high:  # the first one that is not less
        middle = (low + high) // 2
        low, high = (middle + 1, high) if ladder[middle] < number else (low, middle)
    if low and number - ladder[low - 1] <= abs(ladder[low] - number):
        return low - 1
    return low
