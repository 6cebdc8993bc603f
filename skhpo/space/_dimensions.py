"""Dimensions: the values that one parameter can take, and their place in [0, 1].

Every dimension maps values to coordinates of the unit interval and back. Random
search draws the coordinate uniformly, so the map carries the distribution; the
surrogates see coordinates only. Dimensions with finitely many values cut the
interval into cells, and a value is encoded as the center of its cell::

    Integer(1, 4):   |  1  |  2  |  3  |  4  |
                     0   .25    .5   .75     1      encode(2) = 0.375

Notations: ``u`` is a coordinate, ``(n,)`` an array of n of them.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from numbers import Real as RealNumber
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhpo._keys import structural_key
from skhpo._rng import RandomState, seed_sequence
from skhpo.exceptions import InvalidSpaceError

__all__ = ["Categorical", "Choice", "Dimension", "Integer", "Real"]

Array = NDArray[np.float64]


def is_number(value: Any) -> bool:
    """Whether `value` is a real number; booleans are not."""
    return isinstance(value, RealNumber) and not isinstance(value, bool | np.bool_)


class Dimension(ABC):
    """What all dimensions share; not to be instantiated."""

    @property
    def is_categorical(self) -> bool:
        """Whether the values have no order."""
        return False

    @property
    @abstractmethod
    def n_values(self) -> int | None:
        """Number of distinct values, None if there is no end to them."""

    @abstractmethod
    def from_unit(self, u: Array) -> list[Any]:
        """Return the native values at coordinates `u` of shape (n,)."""

    @abstractmethod
    def to_unit(self, value: Any) -> float:
        """Return the coordinate of `value`; raise InvalidSpaceError if outside."""

    def snap(self, u: Array) -> Array:
        """Return the coordinates of the values at `u`: the centers of the cells."""
        return u

    def clip(self, value: Any) -> Any:
        """Return the nearest value of the dimension if `value` is a number."""
        return value

    def levels(self, n: int) -> Array:
        """Return coordinates of up to `n` distinct values, evenly spread."""
        u = np.linspace(0.0, 1.0, n) if n > 1 else np.array([0.5])
        if self.n_values is not None and self.n_values <= n:
            u = (np.arange(self.n_values) + 0.5) / self.n_values
        return np.unique(self.snap(u))

    def rvs(self, size: int | None = None, random_state: RandomState = None) -> Any:
        """Draw values at random, as scipy's distributions do.

        With it, dimensions can stand in the ``param_distributions`` of
        :class:`sklearn.model_selection.RandomizedSearchCV`.

        Parameters
        ----------
        size : int or None, default=None
            How many; None for a single value that is not in a list.
        random_state : int, RandomState, Generator or None, default=None
            The source of randomness.

        Returns
        -------
        object or list
            One value, or a list of `size` values.
        """
        rng = np.random.default_rng(seed_sequence(random_state))
        values = self.from_unit(rng.random(1 if size is None else size))
        return values[0] if size is None else values


def _check_bounds(dimension: Real | Integer, kind: type) -> None:
    """Raise if the bounds of `dimension` are no range."""
    low, high, name = dimension.low, dimension.high, type(dimension).__name__
    for bound, value in (("low", low), ("high", high)):
        if isinstance(value, bool) or not isinstance(value, kind):
            what = "an integer" if kind is Integral else "a number"
            raise InvalidSpaceError(
                f"The {bound!r} bound of {name} must be {what}. Got {value!r} instead."
            )
        if not math.isfinite(value):
            raise InvalidSpaceError(
                f"The {bound!r} bound of {name} must be finite. Got {value!r} instead."
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


def _check_inside(dimension: Real | Integer, value: Any, kind: Any) -> None:
    """Raise if `value` is not a number within the bounds of `dimension`."""
    is_of_kind = is_number(value) and isinstance(value, kind)
    if not is_of_kind or not dimension.low <= value <= dimension.high:
        raise InvalidSpaceError(f"{value!r} is not a value of {dimension!r}.")


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
    >>> Real(0.01, 100, log=True).from_unit([0.0, 0.5, 1.0])
    [0.01, 1.0, 100.0]
    """

    low: float
    high: float
    log: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        """Check the bounds."""
        _check_bounds(self, RealNumber)

    @property
    def n_values(self) -> None:
        """There is no end to the values."""
        return

    def _warp(self, value: float) -> float:
        return math.log(value) if self.log else float(value)

    def from_unit(self, u: Array) -> list[float]:
        """Return the native values at coordinates `u` of shape (n,)."""
        low, high, u = float(self.low), float(self.high), np.asarray(u)
        # Both ends weighted: exact at the bounds, and no difference can overflow.
        if self.log:
            values = low ** (1.0 - u) * high**u
        else:
            values = (1.0 - u) * low + u * high
        return np.clip(values, low, high).tolist()

    def to_unit(self, value: Any) -> float:
        """Return the coordinate of `value`; raise InvalidSpaceError if outside."""
        _check_inside(self, value, RealNumber)
        low, high = self._warp(self.low), self._warp(self.high)
        # Halves, since the difference of the bounds may overflow.
        u = (self._warp(value) / 2 - low / 2) / (high / 2 - low / 2)
        return min(max(u, 0.0), 1.0)

    def clip(self, value: Any) -> Any:
        """Return the nearest value of the interval if `value` is a number."""
        return min(max(value, self.low), self.high) if is_number(value) else value


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

    @property
    def n_values(self) -> int:
        """Number of integers in the interval."""
        return int(self.high) - int(self.low) + 1

    @property
    def _edges(self) -> tuple[float, float]:
        """The ends of the outer cells, half a step beyond the bounds."""
        low, high = self.low - 0.5, self.high + 0.5
        return (math.log(low), math.log(high)) if self.log else (low, high)

    def _cells(self, u: Array) -> Array:
        start, stop = self._edges
        warped = (1.0 - np.asarray(u)) * start + np.asarray(u) * stop
        values = np.rint(np.exp(warped) if self.log else warped)
        return np.clip(values, self.low, self.high)

    def _centers(self, values: Array) -> Array:
        start, stop = self._edges
        return ((np.log(values) if self.log else values) - start) / (stop - start)

    def from_unit(self, u: Array) -> list[int]:
        """Return the native values at coordinates `u` of shape (n,)."""
        return [int(value) for value in self._cells(u).tolist()]

    def to_unit(self, value: Any) -> float:
        """Return the coordinate of `value`; raise InvalidSpaceError if outside."""
        _check_inside(self, value, Integral)
        return float(self._centers(np.array([value], dtype=float))[0])

    def snap(self, u: Array) -> Array:
        """Return the coordinates of the integers at `u`."""
        return self._centers(self._cells(u))

    def clip(self, value: Any) -> Any:
        """Return the nearest integer of the interval if `value` is a number."""
        if not is_number(value) or math.isnan(value):
            return value
        return round(min(max(value, self.low), self.high))

    def levels(self, n: int) -> Array:
        """Return coordinates of up to `n` distinct values, evenly spread."""
        if self.n_values <= n:
            return self._centers(np.arange(self.low, self.high + 1, dtype=float))
        return super().levels(n)


@dataclass(frozen=True)
class Categorical(Dimension):
    """Values from a list, which may be any objects.

    Parameters
    ----------
    values : sequence
        The values; they come back as given.
    ordered : bool or None, default=None
        Whether neighbors in the list are similar, as in ``["low", "mid", "high"]``.
        None: three or more distinct numbers are (and are sorted), others not.
    weights : sequence of float or None, default=None
        How often each value is drawn by random sampling, all equally if None.

    Examples
    --------
    >>> from skhpo.space import Categorical
    >>> Categorical(["rbf", "linear"]).from_unit([0.2, 0.7])
    ['rbf', 'linear']
    >>> Categorical([100, 1, 10]).values  # in order: a surrogate can interpolate
    (1, 10, 100)
    """

    values: Sequence[Any] = field(compare=False)
    ordered: bool | None = None
    weights: Sequence[float] | None = None
    _keys: tuple[Any, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Check the values and sort them if they are numbers."""
        values = self._check_values()
        if self.ordered is None:
            ordered = len(values) > 2 and all(is_number(value) for value in values)
            if ordered and self.weights is None:
                values = sorted(values)
            object.__setattr__(self, "ordered", ordered)
        object.__setattr__(self, "values", tuple(values))
        object.__setattr__(self, "_keys", tuple(map(structural_key, values)))
        if self.weights is not None:
            object.__setattr__(self, "weights", self._check_weights())
        self._check_duplicates()

    def _check_values(self) -> list[Any]:
        if isinstance(self.values, str | bytes) or not hasattr(self.values, "__iter__"):
            raise InvalidSpaceError(
                "The values of Categorical must be a list. Got "
                f"{self.values!r} instead; wrap a single value in a list."
            )
        given: Any = self.values
        values = given.tolist() if isinstance(given, np.ndarray) else list(given)
        if not values:
            raise InvalidSpaceError(
                "A list of values must not be empty: give at least one value, or "
                "leave the parameter out."
            )
        return values

    def _check_duplicates(self) -> None:
        seen: set[Any] = set()
        for key, value in zip(self._keys, self.values, strict=True):
            if key in seen:
                raise InvalidSpaceError(
                    f"The values of a list must be distinct. Got {value!r} more than "
                    "once; to draw a value more often, use Categorical(values, "
                    "weights=...)."
                )
            seen.add(key)

    def _check_weights(self) -> tuple[float, ...]:
        weights = tuple(float(weight) for weight in self.weights or ())
        if len(weights) != len(self.values) or not all(
            math.isfinite(weight) and weight > 0 for weight in weights
        ):
            raise InvalidSpaceError(
                f"The weights must be {len(self.values)} positive numbers, one per "
                f"value. Got {self.weights!r} instead."
            )
        return weights

    @property
    def is_categorical(self) -> bool:
        """Whether only "same or not" counts."""
        return not self.ordered

    @property
    def n_values(self) -> int:
        """Number of values."""
        return len(self.values)

    @property
    def _edges(self) -> Array:
        """The n_values + 1 ends of the cells."""
        if self.weights is None:
            return np.linspace(0.0, 1.0, self.n_values + 1)
        sums = np.concatenate([[0.0], np.cumsum(self.weights)])
        return sums / sums[-1]

    @property
    def centers(self) -> Array:
        """The coordinates of all values."""
        edges = self._edges
        return (edges[1:] + edges[:-1]) / 2

    def index(self, u: Array) -> NDArray[np.intp]:
        """Return the positions in `values` at coordinates `u`."""
        return np.searchsorted(self._edges[1:-1], u, side="right")

    def from_unit(self, u: Array) -> list[Any]:
        """Return the values at coordinates `u` of shape (n,), as they were given."""
        return [self.values[i] for i in self.index(np.asarray(u))]

    def to_unit(self, value: Any) -> float:
        """Return the coordinate of `value`; raise InvalidSpaceError if outside."""
        key = structural_key(value)
        if key not in self._keys and is_number(value):  # 1.0 and numpy's 1 for 1
            equal = [v for v in self.values if is_number(v) and v == value]
            key = structural_key(equal[0]) if equal else key
        if key not in self._keys:
            raise InvalidSpaceError(f"{value!r} is not among {list(self.values)!r}.")
        return float(self.centers[self._keys.index(key)])

    def snap(self, u: Array) -> Array:
        """Return the centers of the cells at `u`."""
        return self.centers[self.index(u)]

    def levels(self, n: int) -> Array:
        """Return the coordinates of all values, however few are asked for."""
        return self.centers


class Choice:
    """Values that bring parameters of their own: a branch of a conditional space.

    Parameters
    ----------
    branches : mapping or sequence of pairs
        For each value, the space of the parameters that exist only with it: a
        dict of (full) parameter names, a list of such dicts, or None if there are
        none. A pair ``(space, weight)`` has random sampling draw the value more or
        less often. Values that cannot be keys of a dict are given as pairs
        ``[(value, space), ...]``.

    Examples
    --------
    >>> from skhpo.space import Choice, Real, SearchSpace
    >>> kernel = Choice({"linear": None, "rbf": {"gamma": Real(0.1, 10, log=True)}})
    >>> space = SearchSpace({"kernel": kernel})
    >>> space.decode(space.center())
    {'kernel': 'rbf', 'gamma': 1.0}
    """

    def __init__(self, branches: Mapping[Any, Any] | Sequence[tuple[Any, Any]]) -> None:
        pairs = branches.items() if isinstance(branches, Mapping) else branches
        try:
            self.branches = tuple((value, space) for value, space in pairs)
        except (TypeError, ValueError):
            raise InvalidSpaceError(
                "Choice takes a dict {value: space} or a list of pairs (value, "
                f"space). Got {branches!r} instead."
            ) from None
        if not self.branches:
            raise InvalidSpaceError("Choice needs at least one value. Got none.")

    def __repr__(self) -> str:
        """Return the expression that makes the object."""
        return f"Choice({list(self.branches)!r})"
