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

Notations: ``d`` columns, ``p`` embedded coordinates, ``X`` encoded points (n, d) with
NaN where inactive, ``F`` embedded points (n, p).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhpo.space import SearchSpace

__all__ = ["Embedding"]

Array = NDArray[np.float64]


class Embedding:
    """The map from encoded points of a space to R^p.

    Parameters
    ----------
    space : SearchSpace
        The space; columns with a single value are left out.

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

    def __init__(self, space: SearchSpace) -> None:
        self.columns = np.flatnonzero(space.n_values > 1)
        self._values: list[Any] = []
        self._conditional = [column.parent is not None for column in space.columns]
        group: list[int] = []
        coordinate: list[int] = []
        for position, j in enumerate(self.columns):
            values = None
            if space.is_categorical[j]:
                values = space.columns[j].dimension.levels(0)
                width = len(values)
            else:
                width = 1 + self._conditional[j]
            coordinate.append(len(group) if values is None else -1)
            group += [position] * width
            self._values.append(values)
        self.group = np.array(group, dtype=int)
        self.coordinate = np.array(coordinate, dtype=int)

    @property
    def n_groups(self) -> int:
        """Number of columns that vary, d'."""
        return len(self.columns)

    def __call__(self, X: Array) -> Array:
        """Return the embedded points, shape (n, p)."""
        parts: list[Array] = [np.empty((len(X), 0))]
        for j, values in zip(self.columns, self._values, strict=True):
            x = X[:, j, np.newaxis]
            if values is not None:
                parts.append((x == values) * np.sqrt(0.5))
                continue
            parts.append(np.where(np.isnan(x), 0.5, x))
            if self._conditional[j]:
                parts.append(np.isnan(x) * np.sqrt(1 / 12))
        return np.hstack(parts)
