"""Where a Gaussian process sees the points of a space: an embedding in R^p.

A stationary kernel needs distances. Every column of the space gets coordinates of
its own, such that squared Euclidean distances between two points a, b are

==================================  =================================================
numeric column, active in both      ``(a - b)^2``
categorical column, active in both  1 if the values differ, else 0 (Hamming)
active in one point only            ``(a - 1/2)^2 + 1/12`` (numeric), 1/2 (categorical)
active in neither                   0
==================================  =================================================

so an inactive numeric coordinate is, on average, as far from an active one as two
random ones are from each other (1/6). As the distances are Euclidean, every kernel
that is valid in R^p stays valid, and a space with conditions needs one model only.

Every value of a category has a coordinate. Of a long one, only those that were observed
have one, and all others share another: they are equally far from every observation.

Notations: ``d`` columns, ``p`` embedded coordinates, ``X`` encoded points (n, d) with
NaN where inactive, ``F`` embedded points (n, p).
"""

from __future__ import annotations

import numpy as np

from skhpo._arithmetic import Array
from skhpo.space import SearchSpace

__all__ = ["Embedding"]

# Categories with more values are long.
MAX_COORDINATES = 128


class Embedding:
    """The map from encoded points of a space to R^p.

    Parameters
    ----------
    space : SearchSpace
        The space; columns with a single value are left out.
    X : ndarray of shape (n, d), default=None
        The observations, which tell the values that long categories have; any other
        point is embedded such that its distances from these are right.

    Attributes
    ----------
    columns : ndarray of int, shape (d',)
        The columns of the space that vary.
    group : ndarray of int, shape (p,)
        For each embedded coordinate, the position in `columns` it belongs to.
    coordinate : ndarray of int, shape (d',)
        For each varying numeric column the embedded coordinate that equals it, -1
        for categorical ones.
    """

    def __init__(self, space: SearchSpace, X: Array | None = None) -> None:
        X = np.empty((0, space.n_columns)) if X is None else X
        self.columns = np.flatnonzero(space.n_values > 1)
        is_conditional = np.array([c.parent is not None for c in space.columns])
        self._values: list[Array | None] = [
            _values(space, int(j), X[:, j]) if space.is_categorical[j] else None
            for j in self.columns
        ]
        widths = [
            1 + int(is_conditional[j]) if values is None else len(values)
            for j, values in zip(self.columns, self._values, strict=True)
        ]
        first = np.cumsum([0, *widths])[:-1]
        is_numeric = ~space.is_categorical[self.columns]
        self.group = np.repeat(np.arange(len(widths)), widths)
        self.coordinate = np.where(is_numeric, first, -1)
        self._first = first
        self._numeric = self.columns[is_numeric]
        self._at = self.coordinate[is_numeric]
        self._is_conditional = is_conditional[self._numeric]

    @property
    def n_groups(self) -> int:
        """Number of columns that vary, d'."""
        return len(self.columns)

    def __call__(self, X: Array) -> Array:
        """Return the embedded points, shape (n, p)."""
        F = np.empty((len(X), len(self.group)))
        x, conditional = X[:, self._numeric], self._is_conditional
        is_inactive = np.isnan(x)
        x[is_inactive] = 0.5
        if conditional.any():
            told = self._at[conditional] + 1
            F[:, told] = is_inactive[:, conditional] * np.sqrt(1 / 12)
        F[:, self._at] = x
        for j, i, values in zip(self.columns, self._first, self._values, strict=True):
            if values is not None:
                is_value = X[:, j, np.newaxis] == values
                # NaN, at the end, stands for what has no coordinate of its own.
                has_none = ~np.isnan(X[:, j]) & ~is_value.any(axis=1)
                is_value[:, -1] |= has_none & np.isnan(values[-1])
                F[:, i : i + len(values)] = is_value * np.sqrt(0.5)
        return F

    def pull(self, by_F: Array, X: Array) -> Array:
        """Return derivatives by embedded coordinates as derivatives by `X`, (n, d).

        Columns that are categorical, fixed or inactive have derivative 0.
        """
        by_X = np.zeros(X.shape)
        by_X[:, self._numeric] = by_F[:, self._at]
        return np.where(np.isnan(X), 0.0, by_X)


def _values(space: SearchSpace, j: int, x: Array) -> Array:
    """Return the coordinates of the values of category `j`, observed ones if long."""
    if space.n_values[j] <= MAX_COORDINATES:
        return space.columns[j].dimension.levels(0)
    return np.append(np.unique(x[~np.isnan(x)]), np.nan)
