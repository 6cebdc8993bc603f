"""Values from a list, and values that bring parameters of their own."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhpo._keys import structural_key
from skhpo.exceptions import InvalidSpaceError
from skhpo.space._dimensions import RESOLUTION, Array, Dimension, is_number
from skhpo.space._values import (
    MAX_NUMBER,
    Steps,
    count,
    find,
    long_numbers,
    repetition,
)

__all__ = ["Categorical", "Choice"]

# How many values a message shows.
MAX_SHOWN = 20
# The least share of random draws: a cell that is not lost in rounding.
MIN_SHARE = 1e-9


@dataclass(frozen=True)
class Categorical(Dimension):
    """Values from a list, which may be any objects.

    Parameters
    ----------
    values : sequence
        The values; they come back as given. More than a thousand numbers of a range or
        an array are kept as such, and neither listed nor walked.
    ordered : bool or None, default=None
        Whether neighbors in the list are similar, as in ``["low", "mid", "high"]``.
        None: three or more distinct numbers are (and are sorted), others not.
    weights : sequence of float or None, default=None
        How often each value is drawn by random sampling, all equally if None. A share
        below 1e-9 counts as 1e-9.

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
    _keys: Hashable = field(init=False, repr=False)
    _places: dict[Any, int] | None = field(init=False, repr=False, compare=False)
    _edges: Array | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the values and sort them if they are numbers."""
        numbers = None
        if self.weights is None:
            numbers = long_numbers(self.values, ascending=self.ordered is None)
        if numbers is None:
            self._keep_list(self._listed())
        else:
            self._keep_numbers(numbers)
        weights = None if self.weights is None else self._check_weights()
        self._set(weights=weights, _edges=None if weights is None else _edges(weights))

    def __getstate__(self) -> dict[str, Any]:
        """Return what was given; the rest follows, and has keys that no file knows."""
        names = ("values", "ordered", "weights")
        return {name: getattr(self, name) for name in names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what was given, and find the rest again."""
        self._set(**state)
        self.__post_init__()

    def _set(self, **attributes: Any) -> None:
        for name, value in attributes.items():
            object.__setattr__(self, name, value)

    def _keep_list(self, values: list[Any]) -> None:
        """Keep values of which each has a key."""
        ordered = self.ordered
        if ordered is None:
            ordered = len(values) > 2 and all(is_number(value) for value in values)
            if ordered and self.weights is None:
                values = sorted(values)
        places: dict[Any, int] = {}
        for place, value in enumerate(values):
            if places.setdefault(structural_key(value), place) != place:
                raise InvalidSpaceError(repetition(value))
        self._set(ordered=ordered, values=tuple(values))
        self._set(_keys=tuple(places), _places=places)

    def _keep_numbers(self, numbers: range | Steps | np.ndarray) -> None:
        """Keep more numbers than are listed; one key says which."""
        keys: Any = numbers
        if isinstance(numbers, np.ndarray):
            keys = structural_key(numbers)
        self._set(ordered=self.ordered is not False, values=numbers)
        self._set(_keys=keys, _places=None)
        if self.n_values > MAX_NUMBER:
            raise InvalidSpaceError(f"No number says how many values {numbers!r} has.")

    def _listed(self) -> list[Any]:
        """Return the values as a list, once it is clear that they are one."""
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

    def _check_weights(self) -> tuple[float, ...]:
        try:
            weights = tuple(float(weight) for weight in self.weights)  # type: ignore[union-attr]
        except (TypeError, ValueError, OverflowError):
            weights = ()
        if len(weights) != self.n_values or not all(
            math.isfinite(weight) and weight > 0 for weight in weights
        ):
            raise InvalidSpaceError(
                f"The weights must be {self.n_values} positive numbers, one per "
                f"value. Got {reprlib.repr(self.weights)} instead."
            )
        return weights

    @property
    def is_categorical(self) -> bool:
        """Whether only "same or not" counts; by the thousand, numbers are numbers."""
        return not self.ordered and self._places is not None

    @property
    def n_values(self) -> int:
        """Number of values."""
        return count(self.values)

    @property
    def widths(self) -> Array:
        """The lengths of the cells, which are the probabilities of all values."""
        if self._edges is None:
            return np.full(self.n_values, 1.0 / self.n_values)
        return np.diff(self._edges)

    @property
    def centers(self) -> Array:
        """The coordinates of all values."""
        return self._centers(np.arange(self.n_values, dtype=float))

    def index(self, u: Array) -> NDArray[np.intp]:
        """Return the positions in `values` at some coordinates.

        Parameters
        ----------
        u : ndarray of shape (n,)
            Coordinates in [0, 1].

        Returns
        -------
        ndarray of int, shape (n,)
            Positions of the values.
        """
        return self._cells(np.asarray(u, dtype=float)).astype(np.intp)

    def _cells(self, u: Array) -> Array:
        if self._edges is None:
            n = float(self.n_values)
            return np.clip(np.floor(u * n), 0.0, float(self.n_values - 1))
        return np.searchsorted(self._edges[1:-1], u, side="right").astype(float)

    def _centers(self, cells: Array) -> Array:
        if self._edges is None:
            return (np.asarray(cells, dtype=float) + 0.5) / self.n_values
        places = np.asarray(cells).astype(np.intp)
        return (self._edges[places + 1] + self._edges[places]) / 2

    def _from_unit(self, u: Array) -> list[Any]:
        last = self.n_values - 1  # which is rounded, up or down, as a float
        return [
            self.at(last if cell == float(last) else int(cell))
            for cell in self._cells(u).tolist()
        ]

    def _to_unit(self, value: object) -> float:
        return float(self._centers(np.array([self.place(value)], dtype=float))[0])

    def at(self, place: int) -> Any:
        """Return the value at a position, as given.

        Parameters
        ----------
        place : int
            From 0.

        Returns
        -------
        object
            The value; of an array, as a native number.
        """
        value = self.values[place]
        return value.item() if isinstance(self.values, np.ndarray) else value

    def place(self, value: object) -> int:
        """Return the position of a value.

        Parameters
        ----------
        value : object
            One of the values, the same as a scalar of NumPy, or a number that equals
            one of them.

        Returns
        -------
        int
            From 0.

        Raises
        ------
        InvalidSpaceError
            If it is none of the values.
        """
        place = None
        if self._places is not None:
            place = self._places.get(structural_key(value))
            if place is None and isinstance(value, np.generic):  # numpy's True
                place = self._places.get(structural_key(value.item()))
        if place is None and is_number(value):  # 1.0 and numpy's 1 for 1
            place = find(self.values, value)
        if place is None:
            raise InvalidSpaceError(f"{value!r} is not among {self._shown()}.")
        return place

    def _shown(self) -> str:
        """Return the values as messages show them: the first ones of many."""
        if isinstance(self.values, tuple) and self.n_values <= MAX_SHOWN:
            return repr(list(self.values))
        return reprlib.repr(self.values)

    def _snap(self, u: Array) -> Array:
        is_coarse = self._edges is not None or 1 / self.n_values > RESOLUTION
        return self._centers(self._cells(u)) if is_coarse else u

    def _levels(self, n: int) -> Array:
        if self.is_categorical or self.n_values <= n:
            return self.centers
        return super()._levels(n)


def _edges(weights: Sequence[float]) -> Array:
    """Return the n + 1 ends of the cells of weighted values.

    Every value has a cell that floating point numbers can tell from its neighbors.
    """
    with np.errstate(all="ignore"):
        w = np.array(weights) / max(weights)
        w = np.maximum(w, MIN_SHARE * w.sum())
    sums = np.concatenate([[0.0], np.cumsum(w)])
    return sums / sums[-1]


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
                f"space). Got {branches!r} instead; values without spaces of their "
                "own are a list."
            ) from None
        if not self.branches:
            raise InvalidSpaceError("Choice needs at least one value. Got none.")

    def __repr__(self) -> str:
        """Return the expression that makes the object."""
        return f"Choice({list(self.branches)!r})"
