"""Ranges of numbers: the dimensions that are given by two bounds."""

from __future__ import annotations

import math
import reprlib
from dataclasses import dataclass, field
from numbers import Integral
from numbers import Real as RealNumber
from typing import Any

import numpy as np

from skhpo.exceptions import InvalidSpaceError
from skhpo.space._dimensions import RESOLUTION, Array, Dimension, is_number
from skhpo.space._hints import with_hints

__all__ = ["Integer", "Real", "nearest"]

# Exponentials of more may overflow.
LARGE_EXPONENT = 700.0


def _remedy(low: Any, high: Any, kind: type) -> str:
    """Return what to write for bounds of the wrong kind, "" if nothing is known."""
    try:
        bounds = float(low), float(high)
    except (TypeError, ValueError, OverflowError):
        return ""
    if isinstance(low, bool) or isinstance(high, bool) or not bounds[0] < bounds[1]:
        return ""
    if kind is not Integral:
        return f"; write {bounds[0]:g} and {bounds[1]:g}"
    if all(bound.is_integer() for bound in bounds):
        return f"; write {int(bounds[0])} and {int(bounds[1])}"
    return f"; a range of floats is Real({bounds[0]:g}, {bounds[1]:g})"


def _check_bounds(dimension: Real | Integer, kind: type) -> None:
    """Raise if the bounds of `dimension` are no range."""
    low, high, name = dimension.low, dimension.high, type(dimension).__name__
    for bound, value in (("low", low), ("high", high)):
        if isinstance(value, bool) or not isinstance(value, kind):
            what = "an integer" if kind is Integral else "a number"
            raise InvalidSpaceError(
                f"The {bound!r} bound of {name} must be {what}. Got {value!r} instead"
                f"{_remedy(low, high, kind)}."
            )
        if not _is_finite(value):
            raise InvalidSpaceError(
                f"The {bound!r} bound of {name} must be finite, and at most 1.8e308. "
                f"Got {reprlib.repr(value)} instead."
            )
    if low == high:
        raise InvalidSpaceError(
            f"The bounds of {name} must differ. Got {low!r} twice; to fix the "
            f"parameter, write the list [{low!r}] instead."
        )
    if low > high:
        raise InvalidSpaceError(
            f"The bounds of {name} must be in ascending order. Got low={low!r} and "
            f"high={high!r}; swap them."
        )
    if dimension.log and low <= 0:
        raise InvalidSpaceError(
            f"The 'low' bound of {name} must be positive for log=True, since "
            f"log(0) is infinite. Got {low!r} instead; use a small positive number, "
            "or log=False."
        )


def _is_finite(value: Any) -> bool:
    """Whether a number is neither infinite nor too large for a float."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _check_inside(dimension: Real | Integer, value: Any, kind: Any) -> None:
    """Raise if `value` is not a number within the bounds of `dimension`."""
    is_of_kind = is_number(value) and isinstance(value, kind)
    if not is_of_kind or not dimension.low <= value <= dimension.high:
        raise InvalidSpaceError(f"{value!r} is not a value of {dimension!r}.")


def nearest(value: Any, low: Any, high: Any) -> Any:
    """Return the real number between `low` and `high` that is nearest to `value`.

    scikit-learn reads integers as counts where floats are fractions: of the rows of a
    leaf, 1 is one and 0.99 nearly all. An integer above a range of fractions is few of
    many, then: the lowest fraction is nearest, not the highest.
    """
    is_count = isinstance(value, Integral) and 0 <= low < high <= 1
    return low if is_count and value > high else min(max(value, low), high)


@with_hints
@dataclass(frozen=True)
class Real(Dimension):
    """Real numbers of a closed interval.

    Parameters
    ----------
    low, high : float
        The bounds, both included.
    log : bool, default=False
        Whether the order of magnitude counts rather than the difference:
        logarithms are spread evenly, as in :obj:`scipy.stats.loguniform`.

    Examples
    --------
    >>> from skhpo.space import Real
    >>> values = Real(0.01, 100, log=True).from_unit([0.0, 0.5, 1.0])
    >>> [round(value, 6) for value in values]
    [0.01, 1.0, 100.0]
    """

    low: float
    high: float
    log: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        """Check the bounds."""
        _check_bounds(self, RealNumber)
        low, high = self._bounds
        if not low < high:
            raise InvalidSpaceError(
                f"No two floats lie between the bounds of Real. Got low={self.low!r} "
                f"and high={self.high!r}; use Integer, or a list."
            )

    @property
    def n_values(self) -> None:
        """None: there is no end to the values."""
        return

    @property
    def _bounds(self) -> tuple[float, float]:
        """The outermost floats of the interval; bounds may be other numbers."""
        low, high = float(self.low), float(self.high)
        low = low if low >= self.low else math.nextafter(low, math.inf)
        high = high if high <= self.high else math.nextafter(high, -math.inf)
        return low, high

    def _from_unit(self, u: Array) -> list[float]:
        low, high = self._bounds
        # Both ends weighted: exact at the bounds, and no difference can overflow.
        if self.log:
            values = low ** (1.0 - u) * high**u
        else:
            values = (1.0 - u) * low + u * high
        return np.clip(values, low, high).tolist()

    def _to_unit(self, value: Any) -> float:
        _check_inside(self, value, RealNumber)
        low, high = self._bounds
        part, whole = self._distance(float(value), low), self._distance(high, low)
        return min(max(part / whole, 0.0), 1.0)

    def _distance(self, value: float, low: float) -> float:
        """Return how far `value` is from `low`, on the scale of the values."""
        if not self.log:  # halves, where the difference of the bounds overflows
            scale = 0.5 if math.isinf(float(self.high) - float(self.low)) else 1.0
            return scale * value - scale * low
        if value < 2 * low:  # neighbors may have equal logarithms
            return math.log1p((value - low) / low)
        return math.log(value) - math.log(low)

    def _clip(self, value: object) -> Any:
        return nearest(value, self.low, self.high) if is_number(value) else value


def _log1p_quotient(x: Array, y: float) -> Array:
    """Return log(1 + x / y), also where the quotient overflows."""
    quotient = x / y
    return np.where(np.isinf(quotient), np.log(x) - np.log(y), np.log1p(quotient))


def _expm1_times(factor: float, x: Array) -> Array:
    """Return factor * (exp(x) - 1), also where the exponential overflows."""
    is_large = x > LARGE_EXPONENT
    return np.where(is_large, np.exp(x + math.log(factor)), factor * np.expm1(x))


@with_hints
@dataclass(frozen=True)
class Integer(Dimension):
    """Integers of a closed interval.

    Parameters
    ----------
    low, high : int
        The bounds, **both included** (unlike :obj:`scipy.stats.randint`).
    log : bool, default=False
        Whether the order of magnitude counts rather than the difference.

    Examples
    --------
    >>> from skhpo.space import Integer
    >>> Integer(1, 4).from_unit([0.0, 0.3, 1.0])
    [1, 2, 4]
    """

    low: int
    high: int
    log: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        """Check the bounds."""
        _check_bounds(self, Integral)
        if not _is_finite(int(self.high) - int(self.low) + 1):
            raise InvalidSpaceError(
                "Integer holds at most 1.8e308 values. Got "
                f"{reprlib.repr(self.low)} to {reprlib.repr(self.high)} instead."
            )

    @property
    def n_values(self) -> int:
        """Number of integers in the interval."""
        return int(self.high) - int(self.low) + 1

    # Cells are counted from `low`, so that integers which no float tells apart keep
    # their distance; the outer ones end half a step beyond the bounds.

    @property
    def _start(self) -> float:
        """The end of the first cell, of which logarithms are taken."""
        return float(int(self.low)) - 0.5

    @property
    def _log_width(self) -> float:
        """The logarithm of the quotient of the outer ends of all cells."""
        n, start = float(self.n_values), self._start
        quotient = n / start
        is_float = math.isfinite(quotient)
        return math.log1p(quotient) if is_float else math.log(n) - math.log(start)

    @property
    def _last(self) -> float:
        """The position of `high`, which may be rounded."""
        return float(self.n_values - 1)

    def _cells(self, u: Array) -> Array:
        if self.log:
            cells = np.rint(_expm1_times(self._start, u * self._log_width) - 0.5)
        else:  # halves are rounded to even integers, not to even cells
            is_odd = int(self.low) % 2
            cells = np.rint(u * float(self.n_values) - 0.5 + is_odd) - is_odd
        # What is rounded on the way must not keep the last value from being reached.
        return np.where(u >= 1.0, self._last, np.clip(cells, 0.0, self._last))

    def _centers(self, cells: Array) -> Array:
        if self.log:
            return _log1p_quotient(cells + 0.5, self._start) / self._log_width
        return (cells + 0.5) / float(self.n_values)

    def _from_unit(self, u: Array) -> list[int]:
        low, high, last = int(self.low), int(self.high), self._last
        return [
            high if cell == last else min(low + int(cell), high)
            for cell in self._cells(u).tolist()
        ]

    def _to_unit(self, value: Any) -> float:
        _check_inside(self, value, Integral)
        cell = np.array([int(value) - int(self.low)], dtype=float)
        return float(self._centers(cell)[0])

    def _snap(self, u: Array) -> Array:
        cells, n = self._cells(u), float(self.n_values)
        width: Any = 1.0 / n
        if self.log:
            width = 1.0 / ((cells + float(self.low)) * self._log_width)
        return np.where(width > RESOLUTION, self._centers(cells), u)

    def _clip(self, value: Any) -> Any:
        if not is_number(value) or math.isnan(value):
            return value
        return round(min(max(value, self.low), self.high))

    def _levels(self, n: int) -> Array:
        if self.n_values <= n:
            return self._centers(np.arange(self.n_values, dtype=float))
        return super()._levels(n)
