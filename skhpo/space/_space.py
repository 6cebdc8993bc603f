"""The search space: named dimensions, conditions and constraints.

The space is compiled to columns of the unit cube (see `_columns`); the coordinates of
inactive columns are NaN.

Notations: ``d`` columns, ``n`` points; ``X`` of shape (n, d) holds points of the cube,
one per row, ``x`` of shape (d,) is one of them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhpo.exceptions import InvalidSpaceError
from skhpo.space._categorical import Categorical
from skhpo.space._columns import Column, compile_columns
from skhpo.space._dimensions import Array, Dimension

__all__ = ["SearchSpace"]

Constraint = Callable[[dict[str, Any]], bool]

# How many points are drawn for one that meets the constraints before giving up.
MAX_DRAWS = 10_000


class SearchSpace:
    """A compiled search space: parameters to points of the unit cube and back.

    Parameters
    ----------
    space : mapping, sequence of mappings, or SearchSpace
        Parameter names and their values: lists, dimensions such as
        :class:`~skhpo.space.Real`, distributions of scipy or Optuna, tuples; or a
        list of such dicts, each also as a pair ``(dict, weight)``.
    constraints : callable or sequence of callables, default=None
        Predicates that take the params of a candidate as a dict and say whether
        they may be tried.

    Attributes
    ----------
    columns : list of Column
        The axes of the cube, parents before their children.
    is_categorical : ndarray of bool, shape (d,)
        Which columns hold values without an order.
    n_values : ndarray of float, shape (d,)
        Number of distinct values per column, infinite for continuous ones.

    Examples
    --------
    >>> from skhpo.space import Integer, Real, SearchSpace
    >>> space = SearchSpace({"C": Real(0, 10), "degree": Integer(1, 4)})
    >>> space.decode([0.5, 0.9])
    {'C': 5.0, 'degree': 4}
    >>> space.encode({"C": 5.0, "degree": 4})
    array([0.5  , 0.875])
    """

    def __init__(
        self,
        space: Mapping[str, Any] | Sequence[Any] | SearchSpace,
        constraints: Constraint | Iterable[Constraint] | None = None,
    ) -> None:
        own = _check_constraints(constraints)
        known = space if isinstance(space, SearchSpace) else None
        self.columns: list[Column] = known.columns if known else compile_columns(space)
        self.constraints: tuple[Constraint, ...] = (
            known.constraints + own if known else own
        )
        dimensions = [column.dimension for column in self.columns]
        self.is_categorical = np.array([dim.is_categorical for dim in dimensions], bool)
        self.n_values = np.array([dim.n_values or math.inf for dim in dimensions])

    # -- geometry --------------------------------------------------------------

    @property
    def n_columns(self) -> int:
        """Number of columns of the cube, d."""
        return len(self.columns)

    @property
    def size(self) -> float:
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
                width = np.diff(parent._edges)
                share[j] = share[i] * width[list(column.branches)].sum()
        return float(share[self.n_values > 1].sum())

    def _children(self, parent: int | None, branch: int) -> list[int]:
        return [
            i
            for i, column in enumerate(self.columns)
            if column.parent == parent and (parent is None or branch in column.branches)
        ]

    def _count(self, parent: int | None, branch: int) -> float:
        total = 1.0
        for i in self._children(parent, branch):
            if any(column.parent == i for column in self.columns):
                total *= sum(self._count(i, b) for b in range(int(self.n_values[i])))
            else:
                total *= self.n_values[i]
        return total

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
                parent = self.columns[column.parent].dimension
                assert isinstance(parent, Categorical)
                index = parent.index(np.nan_to_num(X[:, column.parent]))
                active[:, j] = active[:, column.parent]
                active[:, j] &= np.isin(index, list(column.branches))
        return active

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

    # -- values ----------------------------------------------------------------

    def decode(self, x: Array) -> dict[str, Any]:
        """Return the params at a point of the cube.

        Parameters
        ----------
        x : array-like of shape (d,)
            The point.

        Returns
        -------
        dict
            Names and values of the parameters that exist there.
        """
        return self.decode_many(np.asarray(x, dtype=float)[np.newaxis])[0]

    def decode_many(self, X: Array) -> list[dict[str, Any]]:
        """Return the params at several points of the cube.

        Parameters
        ----------
        X : ndarray of shape (n, d)
            Points of the cube.

        Returns
        -------
        list of dict
            For each point, names and values of the parameters that exist there.
        """
        X = np.asarray(X, dtype=float)
        active = self.active(X)
        rows: list[dict[str, Any]] = [{} for _ in X]
        for j, column in enumerate(self.columns):
            if column.name is None:
                continue
            here = np.flatnonzero(active[:, j])
            if here.size:
                for i, value in zip(
                    here, column.dimension.from_unit(X[here, j]), strict=True
                ):
                    rows[i][column.name] = value
        return rows

    def encode(self, params: Mapping[str, Any]) -> Array:
        """Return the encoded point of params.

        Parameters
        ----------
        params : mapping of str to object
            Exactly the parameters that exist together, and their values.

        Returns
        -------
        ndarray of shape (d,)
            The point, NaN where inactive.

        Raises
        ------
        InvalidSpaceError
            If a parameter is missing, unknown, or has a value outside of the space.
        """
        x, problems = self._nearest_place(params)
        if problems:
            raise InvalidSpaceError(
                f"{dict(params)!r} is not in the search space: {problems[0]}"
            )
        return x

    def complete(self, params: Mapping[str, Any]) -> Array:
        """Return the encoded point that keeps as much of some params as possible.

        Numbers outside are moved to the nearest bound, other values outside and
        missing parameters to the center; unknown names are ignored. So an
        estimator's own parameters become a first candidate.

        Parameters
        ----------
        params : mapping of str to object
            Any parameters, such as those of an estimator.

        Returns
        -------
        ndarray of shape (d,)
            The point, NaN where inactive.
        """
        return self._nearest_place(params)[0]

    def _nearest_place(self, params: Mapping[str, Any]) -> tuple[Array, list[str]]:
        """Return the point in the dicts where the least is wrong, and what is."""
        return min(self._places(params), key=lambda place: len(place[1]))

    def _places(self, params: Mapping[str, Any]) -> Iterator[tuple[Array, list[str]]]:
        """Yield, per combination of dicts of a list, the point and what is wrong."""
        unnamed = [j for j, column in enumerate(self.columns) if column.name is None]
        sizes = [range(int(self.n_values[j])) for j in unnamed]
        for combination in itertools.product(*sizes):
            yield self._place(params, dict(zip(unnamed, combination, strict=True)))

    def _place(
        self, params: Mapping[str, Any], dicts: Mapping[int, int]
    ) -> tuple[Array, list[str]]:
        x = np.full((1, self.n_columns), 0.5)
        left, problems = set(params), []
        for j, column in enumerate(self.columns):
            dimension = column.dimension
            if not self.active(self.snap(x))[0, j]:
                continue
            if column.name is None:
                assert isinstance(dimension, Categorical)
                x[0, j] = dimension.centers[dicts[j]]
            elif column.name in params:
                left.discard(column.name)
                x[0, j], problem = _coordinate(dimension, params[column.name])
                problems += problem
            else:
                problems.append(f"parameter {column.name!r} is missing.")
        problems += [f"parameter {name!r} is unknown." for name in sorted(left)]
        return self.snap(x)[0], problems

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
                if isinstance(dimension, Categorical):
                    found[name] = list(dimension.values)
                else:
                    found[name] = dimension
        if parent is None:
            return found
        above = self.columns[parent]
        found |= self._subspace(above.parent, min(above.branches, default=0))
        if above.name is not None:
            assert isinstance(above.dimension, Categorical)
            found[above.name] = [above.dimension.values[branch]]
        return found

    # -- drawing ---------------------------------------------------------------

    def is_feasible(self, X: Array) -> NDArray[np.bool_]:
        """Return which points meet all the constraints.

        Parameters
        ----------
        X : ndarray of shape (n, d)
            Points of the cube.

        Returns
        -------
        ndarray of bool, shape (n,)
            True where all predicates hold.
        """
        if not self.constraints:
            return np.ones(len(X), dtype=bool)
        return np.array([self.allows(row) for row in self.decode_many(X)], dtype=bool)

    def allows(self, params: Mapping[str, Any]) -> bool:
        """Return whether params meet all the constraints.

        Parameters
        ----------
        params : mapping of str to object
            The params of a candidate.

        Returns
        -------
        bool
            Whether all predicates hold.

        Raises
        ------
        InvalidSpaceError
            If a predicate raises; names it, and the params.
        """
        for check in self.constraints:
            try:
                if not check(dict(params)):
                    return False
            except Exception as error:
                name = getattr(check, "__qualname__", repr(check))
                raise InvalidSpaceError(
                    f"The constraint {name} raised {type(error).__name__}: {error}, "
                    f"for the params {dict(params)!r}. It must return True or False "
                    "for all params of the space; those that do not exist together "
                    "with the others are not among them."
                ) from error
        return True

    def sample(self, n: int, draw: Callable[[int], Array]) -> Array:
        """Return `n` encoded points that meet the constraints.

        Parameters
        ----------
        n : int
            How many.
        draw : callable
            ``draw(m)`` returns m points of the cube, of shape (m, d), such as
            ``lambda m: rng.random((m, space.n_columns))`` or a Sobol sequence.

        Returns
        -------
        ndarray of shape (n, d)
            The first `n` points drawn that are feasible.

        Raises
        ------
        InvalidSpaceError
            If 10,000 draws in a row gave none.
        """
        found: list[Array] = []
        n_found, n_missed = 0, 0
        while n_found < n:
            X = self.snap(draw(max(n - n_found, 64 if self.constraints else 1)))
            good = X[self.is_feasible(X)][: n - n_found]
            found.append(good)
            n_found += len(good)
            n_missed = 0 if len(good) else n_missed + len(X)
            if n_missed >= MAX_DRAWS:
                raise InvalidSpaceError(
                    f"No candidate met the constraints in {n_missed} draws. Relax "
                    "them, or shape the space so that more of it is allowed."
                )
        return np.concatenate(found) if found else np.empty((0, self.n_columns))

    def grid(self, n_levels: int = 5) -> Array:
        """Return every combination, with evenly spread quantiles for ranges.

        Parameters
        ----------
        n_levels : int, default=5
            Number of levels of each dimension that is not a list.

        Returns
        -------
        ndarray of shape (n, d)
            Encoded feasible points; the last parameter changes fastest.
        """
        X = np.array(self._combine(0, [], n_levels), dtype=float)
        return X[self.is_feasible(X)]

    def points(self) -> Array:
        """Return all feasible points of a finite space.

        Returns
        -------
        ndarray of shape (n, d)
            The encoded points; the last parameter changes fastest.
        """
        assert math.isfinite(self.size)
        return self.grid(int(self.n_values.max(initial=1)))

    def _combine(self, j: int, head: list[float], n_levels: int) -> list[list[float]]:
        """Return all continuations of the coordinates `head` from column `j` on."""
        if j == self.n_columns:
            return [head]
        tail = [math.nan] * (self.n_columns - j)
        if not self.active(np.array([head + tail]))[0, j]:
            return self._combine(j + 1, [*head, math.nan], n_levels)
        levels = self.columns[j].dimension.levels(n_levels).tolist()
        return [
            row for u in levels for row in self._combine(j + 1, [*head, u], n_levels)
        ]


def _coordinate(dimension: Dimension, value: Any) -> tuple[float, list[str]]:
    """Return the coordinate of `value` or of what is nearest, and what is wrong."""
    try:
        return dimension.to_unit(value), []
    except InvalidSpaceError as error:
        problem = str(error)
    try:
        return dimension.to_unit(dimension.clip(value)), [problem]
    except InvalidSpaceError:
        return 0.5, [problem]


def _check_constraints(constraints: Any) -> tuple[Constraint, ...]:
    """Return the predicates as a tuple."""
    if constraints is None:
        return ()
    is_list = isinstance(constraints, Iterable) and not callable(constraints)
    checks = tuple(constraints) if is_list else (constraints,)
    for check in checks:
        if not callable(check):
            raise InvalidSpaceError(
                "A constraint must be a callable that takes the params as a dict and "
                f"returns True or False. Got {check!r} instead."
            )
    return checks
