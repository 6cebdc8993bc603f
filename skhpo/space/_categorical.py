"""Values from a list, and values that bring parameters of their own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhpo._keys import structural_key
from skhpo.exceptions import InvalidSpaceError
from skhpo.space._dimensions import Array, Dimension, is_number

__all__ = ["Categorical", "Choice"]


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
        return np.searchsorted(self._edges[1:-1], u, side="right")

    def _from_unit(self, u: Array) -> list[Any]:
        return [self.values[i] for i in self.index(np.asarray(u))]

    def _to_unit(self, value: Any) -> float:
        key = structural_key(value)
        if key not in self._keys and is_number(value):  # 1.0 and numpy's 1 for 1
            equal = [v for v in self.values if is_number(v) and v == value]
            key = structural_key(equal[0]) if equal else key
        if key not in self._keys:
            raise InvalidSpaceError(f"{value!r} is not among {list(self.values)!r}.")
        return float(self.centers[self._keys.index(key)])

    def _snap(self, u: Array) -> Array:
        return self.centers[self.index(u)]

    def _levels(self, n: int) -> Array:
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
