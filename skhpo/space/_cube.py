"""The unit cube behind a space: its columns, and which of them exist where.

Notations: ``d`` columns, ``n`` points; ``X`` of shape (n, d) holds points of the cube,
one per row; coordinates of inactive columns are NaN.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhpo.space._categorical import Categorical
from skhpo.space._columns import Column
from skhpo.space._dimensions import Array, Dimension

__all__ = ["Cube"]


class Cube:
    """Columns of the unit cube, some of which exist only with some values of others.

    Parameters
    ----------
    columns : list of Column
        The axes, parents before their children.
    """

    def __init__(self, columns: list[Column]) -> None:
        self.columns = columns
        dimensions = [column.dimension for column in columns]
        self.is_categorical = np.array([dim.is_categorical for dim in dimensions], bool)
        self.n_values = np.array(
            [dim.n_values or math.inf for dim in dimensions], float
        )

    @property
    def n_columns(self) -> int:
        """Number of columns of the cube, d."""
        return len(self.columns)

    @property
    def size(self) -> int | float:
        """Number of distinct points (constraints aside), infinite if continuous."""
        return self._count(None, 0)

    @property
    def n_active(self) -> float:
        """Mean number of varying columns that a random point of the cube has."""
        share = np.ones(self.n_columns)
        for j, column in enumerate(self.columns):
            if (i := column.parent) is not None:
                parent = self.columns[i].dimension
                assert isinstance(parent, Categorical)
                share[j] = share[i] * parent.widths[list(column.branches)].sum()
        return float(share[self.n_values > 1].sum())

    def _count(self, parent: int | None, branch: int) -> int | float:
        counts: list[int | float] = []
        for i in self._children(parent, branch):
            n_values = self.columns[i].dimension.n_values or math.inf
            if any(column.parent == i for column in self.columns):
                counts.append(sum(self._count(i, b) for b in range(int(n_values))))
            else:
                counts.append(n_values)
        # Exact, since a product of floats may overflow.
        return math.inf if math.inf in counts else math.prod(counts)

    def _children(self, parent: int | None, branch: int) -> list[int]:
        """Return the columns right below a value of `parent`; on top, if it is None."""
        return [
            i
            for i, column in enumerate(self.columns)
            if column.parent == parent and (parent is None or branch in column.branches)
        ]

    # -- points ----------------------------------------------------------------

    def active(self, X: Array) -> NDArray[np.bool_]:
        """Return which coordinates belong to parameters that exist.

        Parameters
        ----------
        X : ndarray of shape (n, d)
            Points of the cube.

        Returns
        -------
        ndarray of bool, shape (n, d)
            False where inactive.
        """
        active = np.ones(X.shape, dtype=bool)
        for j, column in enumerate(self.columns):
            if column.parent is not None:
                active[:, j] = self._exists(column, X, active)
        return active

    def _exists(
        self, column: Column, X: Array, active: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Return at which points a column exists, shape (n,), after those before it."""
        if column.parent is None:
            return np.ones(len(X), dtype=bool)
        parent = self.columns[column.parent].dimension
        assert isinstance(parent, Categorical)
        index = parent.index(np.nan_to_num(X[:, column.parent]))
        return active[:, column.parent] & np.isin(index, list(column.branches))

    def snap(self, X: Array) -> Array:
        """Return the encoded points at `X`: centers of cells, NaN where inactive.

        Parameters
        ----------
        X : ndarray of shape (n, d)
            Any points of the cube.

        Returns
        -------
        ndarray of shape (n, d)
            Equal rows have equal parameters, and the other way round.
        """
        X = np.clip(np.nan_to_num(np.asarray(X, dtype=float), nan=0.5), 0.0, 1.0)
        for j, column in enumerate(self.columns):
            X[:, j] = column.dimension.snap(X[:, j])
        return np.where(self.active(X), X, np.nan)

    def center(self) -> Array:
        """Return the encoded point in the middle.

        Returns
        -------
        ndarray of shape (d,)
            All active coordinates are 1/2, or the center of the cell there.
        """
        return self.snap(np.full((1, self.n_columns), 0.5))[0]

    def _product(self, levels: Sequence[Array]) -> Array:
        """Return every combination of some coordinates of each column.

        Parameters
        ----------
        levels : sequence of ndarray
            The coordinates, one array per column.

        Returns
        -------
        ndarray of shape (n, d)
            NaN where inactive; the last column changes fastest.
        """
        X = np.empty((1, 0))
        for column, coordinates in zip(self.columns, levels, strict=True):
            exists = self._exists(column, X, ~np.isnan(X))
            counts = np.where(exists, len(coordinates), 1)
            ends = np.cumsum(counts)
            place = np.arange(ends[-1]) - np.repeat(ends - counts, counts)
            tails = np.where(np.repeat(exists, counts), coordinates[place], math.nan)
            X = np.column_stack([np.repeat(X, counts, axis=0), tails])
        return X

    # -- names -----------------------------------------------------------------

    def subspaces(self) -> list[dict[str, Any]]:
        """Return which parameters exist together, with the values they may have.

        Returns
        -------
        list of dict
            For each value that decides what else exists, the names around it: lists
            of values, and dimensions with ``rvs``.
        """
        nodes: dict[tuple[int | None, int], None] = {(None, 0): None}
        for column in self.columns:
            nodes.update(((column.parent, b), None) for b in sorted(column.branches))
        return [self._subspace(*node) for node in nodes]

    def _subspace(self, parent: int | None, branch: int) -> dict[str, Any]:
        """Return the parameters beside and above a branch of a column."""
        found: dict[str, Any] = {}
        for i in self._children(parent, branch):
            name, dimension = self.columns[i].name, self.columns[i].dimension
            if name is not None:
                found[name] = _as_listed(dimension)
        if parent is None:
            return found
        above = self.columns[parent]
        found |= self._subspace(above.parent, min(above.branches, default=0))
        if above.name is not None:
            assert isinstance(above.dimension, Categorical)
            found[above.name] = [above.dimension.values[branch]]
        return found


def _as_listed(dimension: Dimension) -> Any:
    """Return a list of values as a list, or as the range that it is."""
    if not isinstance(dimension, Categorical):
        return dimension
    values = dimension.values
    return list(values) if isinstance(values, tuple) else values
