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
from reprlib import Repr
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhpo._trial import Params
from skhpo._words import none_of
from skhpo.exceptions import InvalidSpaceError
from skhpo.space._categorical import Categorical
from skhpo.space._columns import Column, compile_columns
from skhpo.space._constraints import Constraint, Constraints
from skhpo.space._cube import Cube
from skhpo.space._dimensions import Array, Dimension, is_number
from skhpo.space._zoom import around, near_best, scores_of_search

__all__ = ["SearchSpace", "zoomed"]

# How many points are drawn for one that meets the constraints before giving up.
MAX_DRAWS = 10_000
SHORT = Repr()
SHORT.maxother = 76  # characters of a dimension


class SearchSpace(Cube):
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
        self.constraints = Constraints(constraints)
        if isinstance(space, SearchSpace):
            super().__init__(space.columns)
            self.constraints = Constraints([*space.constraints, *self.constraints])
        else:
            super().__init__(compile_columns(space))

    def __repr__(self) -> str:
        """Return a line per parameter, indented below that on which it depends."""
        lines = [f"{type(self).__name__}:", *map(self._line, range(self.n_columns))]
        n = len([*self.constraints])
        return "\n".join([*lines, f"  with {n} constraints"] if n else lines)

    def _line(self, j: int) -> str:
        column, depth, condition = self.columns[j], 1, ""
        if column.parent is not None:
            dimension = self.columns[column.parent].dimension
            assert isinstance(dimension, Categorical), "others have no branches"
            values = [dimension.values[i] for i in sorted(column.branches)]
            condition = f"  if {' or '.join(map(repr, values))}"
        parent = column.parent
        while parent is not None:
            depth, parent = depth + 1, self.columns[parent].parent
        name = "which dict" if column.name is None else column.name
        text = SHORT.repr(column.dimension)
        return f"{'  ' * depth}{name}: {text}{condition}"

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

    def encode(self, params: Params) -> Array:
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
        if not isinstance(params, Mapping):
            raise InvalidSpaceError(
                "The params of a candidate must be a dict of names and values. Got "
                f"{params!r} instead."
            )
        x, problems = self._nearest_place(params)
        if problems:
            raise InvalidSpaceError(
                f"{dict(params)!r} is not in the search space: {problems[0]}"
            )
        return x

    def complete(self, params: Params) -> Array:
        """Return the encoded point that keeps as much of some params as possible.

        Numbers outside are moved to the nearest bound (counts above a range of
        fractions to its lower one), other values outside and missing parameters to
        the center; unknown names are ignored. So an estimator's own parameters become
        a first candidate.

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

    def _nearest_place(self, params: Params) -> tuple[Array, list[str]]:
        """Return the point in the dicts where the least is wrong, and what is."""
        return min(self._places(params), key=lambda place: len(place[1]))

    def _places(self, params: Params) -> Iterator[tuple[Array, list[str]]]:
        """Yield, per combination of dicts of a list, the point and what is wrong."""
        unnamed = [j for j, column in enumerate(self.columns) if column.name is None]
        sizes = [range(int(self.n_values[j])) for j in unnamed]
        for combination in itertools.product(*sizes):
            yield self._place(params, dict(zip(unnamed, combination, strict=True)))

    def _place(
        self, params: Params, dicts: Mapping[int, int]
    ) -> tuple[Array, list[str]]:
        x = np.full((1, self.n_columns), 0.5)
        active = np.ones(x.shape, dtype=bool)
        left, problems = set(params), []
        for j, column in enumerate(self.columns):
            dimension = column.dimension
            active[:, j] = self._exists(column, x, active)  # parents have their places
            if not active[0, j]:
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

    # -- zooming ---------------------------------------------------------------

    def zoom(self, search: Any, *, factor: float = 2.0) -> SearchSpace:
        """Return a smaller space around the best candidates of a search.

        Of the candidates in this space, it holds all within one standard error of the
        best one: that of their differences on the splits, by Nadeau and Bengio. Ranges
        are centered on the best one as far as that goes; where the candidates lie at an
        end, they go beyond it. They neither change their sign so, nor leave [0, 1] if
        they are within it. Of values without an order, those of the candidates are
        left; of distributions that are no ranges, the part that is. Of halving, only
        the candidates that got all the resources count.

        Parameters
        ----------
        search : estimator
            A fitted search, of this package or of scikit-learn.
        factor : float, default=2.0
            How many times smaller ranges become, unless the candidates are farther
            from each other. More than 1.

        Returns
        -------
        SearchSpace
            With the same constraints.

        Raises
        ------
        ValueError
            If the search is not fitted, has several scores of which none decides, or
            no candidate with a score on all splits; or if factor is not above 1.
        InvalidSpaceError
            If none of the candidates is in this space.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.svm import SVC
        >>> from skhpo import GridSearch
        >>> from skhpo.space import Real, SearchSpace
        >>> X, y = load_iris(return_X_y=True)
        >>> space = SearchSpace({"gamma": Real(1e-6, 1e6, log=True)})
        >>> search = GridSearch(SVC(), space, n_levels=7).fit(X, y)
        >>> gamma = space.zoom(search, factor=4).columns[0].dimension
        >>> print(f"{gamma.low:.3g} to {gamma.high:.3g}")
        0.0316 to 31.6
        """
        if not is_number(factor) or not factor > 1:
            raise ValueError(
                f"'factor' must be a number above 1. Got {factor!r} instead."
            )
        return zoomed(self, *scores_of_search(search), factor)

    def _part(self, columns: Mapping[int, Column]) -> SearchSpace:
        """Return what is left of the space: columns by their places in it."""
        smaller = SearchSpace(self)
        Cube.__init__(smaller, [*columns.values()])
        return smaller

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

    def allows(self, params: Params) -> bool:
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
            If a predicate raises, or returns None; names it, and the params.
        """
        return self.constraints.allow(params)

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
            # No more than are missing: of a sequence, all points are to be used.
            X = self.snap(draw(n - n_found))
            good = X[self.is_feasible(X)]
            found.append(good)
            n_found += len(good)
            n_missed = 0 if len(good) else n_missed + len(X)
            if n_missed >= MAX_DRAWS:
                raise InvalidSpaceError(
                    f"No candidate met the constraints in {n_missed} draws. Relax "
                    "them, or shape the space so that more of it is allowed."
                )
        return np.concatenate(found) if found else np.empty((0, self.n_columns))

    def combinations(self) -> Array:
        """Return all points of a finite space, also those that constraints forbid.

        Returns
        -------
        ndarray of shape (n, d)
            The encoded points; the last parameter changes fastest.
        """
        assert math.isfinite(self.size)
        dimensions = [column.dimension for column in self.columns]
        return self._product([dim.levels(dim.n_values or 1) for dim in dimensions])

    def points(self) -> Array:
        """Return all feasible points of a finite space.

        Returns
        -------
        ndarray of shape (n, d)
            The encoded points; the last parameter changes fastest.
        """
        X = self.combinations()
        return X[self.is_feasible(X)]


def _coordinate(dimension: Dimension, value: object) -> tuple[float, list[str]]:
    """Return the coordinate of `value` or of what is nearest, and what is wrong."""
    try:
        return dimension.to_unit(value), []
    except InvalidSpaceError as error:
        problem = str(error)
    try:
        return dimension.to_unit(dimension.clip(value)), [problem]
    except InvalidSpaceError:
        return 0.5, [problem]


def zoomed(
    space: SearchSpace, all_params: Sequence[Params], scores: Array, factor: float
) -> SearchSpace:
    """Return the space around the best of some candidates.

    Parameters
    ----------
    space : SearchSpace
        The one to cut.
    all_params : sequence of mapping
        m candidates; those outside of the space do not count.
    scores : ndarray of shape (m, k)
        Their scores on k splits.
    factor : float
        How many times smaller ranges become, at the most.

    Returns
    -------
    SearchSpace
        As :meth:`SearchSpace.zoom` says.
    """
    places = [space._nearest_place(params) for params in all_params]
    inside = [i for i, (_, problems) in enumerate(places) if not problems]
    if not inside:
        raise InvalidSpaceError(
            f"{none_of(len(all_params), 'candidate')} is in the space, so there is "
            "nothing to zoom in on. Zoom the space that was searched."
        )
    rows = [inside[i] for i in near_best(scores[inside])]
    points = np.array([places[i][0] for i in rows])
    best = int(np.argmax(scores[rows].mean(axis=1)))
    good = [all_params[i] for i in rows]
    return space._part(around(space.columns, good, points, best, factor))
