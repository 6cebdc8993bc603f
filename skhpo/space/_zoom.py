"""A smaller space around the best candidates: big steps first, then small ones.

Each column of the cube is cut by itself, to the coordinates of the candidates within
one standard error of the best one: the rule of Breiman and others [1]_, for differences
on the same splits. See `_columns` for the columns.

References
----------
.. [1] L. Breiman, J. Friedman, R. Olshen and C. Stone, "Classification and regression
   trees", 1984, section 3.4.3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhpo import _split_scores as split_scores
from skhpo.exceptions import InvalidSpaceError
from skhpo.space._categorical import Categorical
from skhpo.space._columns import Column
from skhpo.space._convert import as_range
from skhpo.space._curve import Curve
from skhpo.space._dimensions import Array, Dimension
from skhpo.space._ranges import Integer, Real
from skhpo.space._spread import ends_and_median, is_logarithmic

__all__ = ["around", "as_ranges", "near_best", "scores_of_search"]

# How near to an end of its range a value is at the edge.
NEAR = 0.05
# Of means, relative to the scores.
ROUNDING = 1e-12
DIGITS = 10  # of the ends of a part of a range


# -- which candidates ------------------------------------------------------------------


def near_best(scores: Array) -> NDArray[np.intp]:
    """Return the candidates within one standard error of the best one.

    Parameters
    ----------
    scores : ndarray of shape (m, k)
        Of m candidates on k splits, higher is better; rows with NaN do not count.

    Returns
    -------
    ndarray of int
        Those whose mean is lower by no more than the standard error of the paired
        differences, by Nadeau and Bengio; of one split, those with the highest score.

    Raises
    ------
    ValueError
        If no candidate has a score on all splits.
    """
    known = np.flatnonzero(np.isfinite(scores).all(axis=1))
    if not known.size:
        raise ValueError(
            "None of the candidates has a score on every split, so there is no best "
            "one to zoom in on."
        )
    scores, n_splits = scores[known], scores.shape[1]
    best = int(np.argmax(scores.mean(axis=1)))
    if n_splits < 2:
        good = scores[:, 0] == scores[best, 0]
    else:
        worse_by = scores[best] - scores
        errors = split_scores.standard_error(worse_by, 1 / (n_splits - 1))
        slack = ROUNDING * np.abs(scores[best]).max()
        good = worse_by.mean(axis=1) <= errors + slack
    return known[good]


def scores_of_search(search: Any) -> tuple[list[Mapping[str, Any]], Array]:
    """Return the params of a fitted search, and its scores, (m, k), by which it chose.

    They are NaN of candidates that halving left with fewer rows or iterations.

    Raises
    ------
    ValueError
        If it is not fitted, or has several scores of which none decides.
    """
    results = getattr(search, "cv_results_", None)
    if results is None:
        raise ValueError(
            f"{type(search).__name__} has no 'cv_results_' to zoom in on. Fit it first."
        )
    start = "mean_test_"
    metrics = [n.removeprefix(start) for n in results if n.startswith(start)]
    metric = metrics[0] if len(metrics) == 1 else getattr(search, "refit", None)
    if not isinstance(metric, str) or metric not in metrics:
        raise ValueError(
            f"{type(search).__name__} has the scores {metrics}, and refit={metric!r} "
            "does not say by which of them to zoom in. Set 'refit' to one of them."
        )
    n_splits = len([n for n in results if _is_of_split(n, metric)])
    names = [f"split{i}_test_{metric}" for i in range(n_splits)]
    scores = np.column_stack([results[name] for name in names])
    scores[~split_scores.complete_rows(results)] = np.nan
    return results["params"], scores


def _is_of_split(name: str, metric: str) -> bool:
    start, _, end = name.partition("_test_")
    return end == metric and start.startswith("split")


# -- what is left of the space ---------------------------------------------------------


def around(
    columns: list[Column],
    all_params: Sequence[Mapping[str, Any]],
    X: Array,
    best: int,
    factor: float,
) -> dict[int, Column]:
    """Return columns of a smaller space.

    Parameters
    ----------
    columns : list of Column
        Those of the space.
    all_params : sequence of mapping
        The m good candidates in it.
    X : ndarray of shape (m, d)
        The same, encoded.
    best : int
        The row of the best one.
    factor : float
        A range becomes as many times smaller, or as small as the candidates allow.

    Returns
    -------
    dict of int to Column
        By their places in the space, without those that belong to values which none of
        the candidates has.
    """
    found: dict[int, Column] = {}
    places: dict[int, int] = {}  # of columns that are left
    kept: dict[int, list[int]] = {}  # which values of these
    for j, column in enumerate(columns):
        branches = _branches(column, kept)
        if column.parent is not None and not branches:
            continue
        dimension, kept[j] = _part(column, all_params, X[:, j], best, factor)
        parent = None if column.parent is None else places[column.parent]
        places[j] = len(found)
        found[j] = Column(column.name, dimension, parent, branches)
    return found


def _branches(column: Column, kept: Mapping[int, Sequence[int]]) -> set[int]:
    """Return with which of the kept values of its parent a column is active."""
    if column.parent is None:
        return set()
    values = kept.get(column.parent, [])
    return {i for i, value in enumerate(values) if value in column.branches}


def _part(
    column: Column,
    all_params: Sequence[Mapping[str, Any]],
    coordinates: Array,
    best: int,
    factor: float,
) -> tuple[Dimension, list[int]]:
    """Return what is left of a column, and the positions of its values if listed."""
    dimension = column.dimension
    here = np.flatnonzero(~np.isnan(coordinates)).tolist()
    if not here:  # it exists with a value that is kept for its neighbors
        listed = dimension.n_values if isinstance(dimension, Categorical) else 0
        return dimension, list(range(listed))
    u = coordinates[here]
    middle = float(coordinates[best] if best in here else np.median(u))
    dimension, kept = _cut(dimension, u, middle, factor)
    if isinstance(dimension, Real):
        dimension = _with(dimension, [all_params[i][str(column.name)] for i in here])
    return dimension, kept


def _cut(
    dimension: Dimension, u: Array, middle: float, factor: float
) -> tuple[Dimension, list[int]]:
    """Return the part of a dimension, and the positions of its values if listed."""
    if isinstance(dimension, Categorical):
        kept = _kept_values(dimension, u, middle, factor)
        weights = dimension.weights
        part = Categorical(
            [dimension.at(i) for i in kept],
            ordered=dimension.ordered,
            weights=None if weights is None else [weights[i] for i in kept],
        )
        return part, kept
    dimension = as_range(dimension)
    if isinstance(dimension, Curve):
        return dimension, []
    part_of_unit = _interval(dimension, u, middle, factor)
    if isinstance(dimension, Real):
        return _part_of_real(dimension, *part_of_unit), []
    if isinstance(dimension, Integer):
        return _part_of_integer(dimension, *part_of_unit), []
    if dimension.n_values is None:
        return Truncated(dimension, *np.clip(part_of_unit, 0.0, 1.0).tolist()), []
    return dimension, []


def _kept_values(
    dimension: Categorical, u: Array, middle: float, factor: float
) -> list[int]:
    """Return which values are left: those of the candidates, and what is between."""
    places = np.unique(dimension.index(u)).tolist()
    if not dimension.ordered:
        return list(map(int, places))
    low, high, n = int(places[0]), int(places[-1]), dimension.n_values
    n_wanted = max(high - low + 1, math.ceil(n / factor))
    best = int(dimension.index(np.array([middle]))[0])
    start = min(max(best - (n_wanted - 1) // 2, high - n_wanted + 1, 0), low)
    start = min(start, n - n_wanted)
    return list(range(start, start + n_wanted))


def _interval(
    dimension: Dimension, u: Array, middle: float, factor: float
) -> tuple[float, float]:
    """Return the part of the unit interval that holds the candidates.

    It is centered on the best one as far as it goes. Where candidates lie at an end of
    the range, it may go beyond.
    """
    low, high = float(u.min()), float(u.max())
    half = max(high - low, 1 / factor) / 2
    middle = min(max(middle, high - half), low + half)
    start, end = middle - half, middle + half
    first, last = dimension.snap(np.array([0.0, 1.0])).tolist()
    if start < 0 and low > max(NEAR, first):
        start, end = 0.0, min(2 * half, 1.0)
    elif end > 1 and high < min(1 - NEAR, last):
        start, end = max(1 - 2 * half, 0.0), 1.0
    return start, end


def _part_of_real(dimension: Real, start: float, end: float) -> Real:
    """Return a part of a range, or more; its sign stays, and so does a proportion."""
    low, high = float(dimension.low), float(dimension.high)
    with np.errstate(all="ignore"):
        if dimension.log:
            ends = [low ** (1 - u) * high**u for u in (start, end)]
        else:
            ends = [(1 - u) * low + u * high for u in (start, end)]
    least, most = _limits(low, high)
    ends = [min(max(value, least), most) for value in ends]
    ends = [_rounded(end, ends, dimension) for end in ends]
    if not (math.isfinite(ends[0]) and math.isfinite(ends[1]) and ends[0] < ends[1]):
        return dimension  # at the ends of floats there is nothing to cut
    return Real(*ends, log=dimension.log)


def _rounded(end: float, ends: Sequence[float], dimension: Real) -> float:
    """Return an end of a part with ten digits, on the same side of the old ends.

    What is to be 1000 is 1000.0000000000001 by the arithmetic of logarithms.
    """
    scale = ends[1] - ends[0]
    if dimension.log:
        scale = min(scale, end)
    if not 0 < scale < math.inf:
        return end
    rounded = round(end, DIGITS - 1 - math.floor(math.log10(scale)))
    low, high = float(dimension.low), float(dimension.high)
    return min(max(rounded, min(low, end)), max(high, end))


def _with(dimension: Real, values: Sequence[float]) -> Real:
    """Return a range that values are in, which are outside by rounding at the most."""
    ends = min(dimension.low, *values), max(dimension.high, *values)
    return Real(*map(float, ends), log=dimension.log)


def _limits(low: float, high: float) -> tuple[float, float]:
    """Return how far a range may be widened: its sign says what it is."""
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    return (0.0 if low >= 0 else -math.inf), (0.0 if high <= 0 else math.inf)


def _part_of_integer(dimension: Integer, start: float, end: float) -> Dimension:
    """Return a part of a range of integers, or more; 0 and 1 stay what they are."""
    low, high = int(dimension.low), int(dimension.high)
    inner = dimension.from_unit(np.clip([start, end], 0.0, 1.0))
    first, last = inner[0], inner[1]
    if dimension.log:
        ratio = (high + 0.5) / (low - 0.5)
        if start < 0:
            first = max(1, math.floor(low * ratio**start))
        if end > 1:
            last = math.ceil(high * ratio ** (end - 1))
    else:
        if start < 0:
            first = low - math.ceil(-start * (high - low))
            first = max(first, min(low, 1)) if low >= 0 else first
        if end > 1:
            last = high + math.ceil((end - 1) * (high - low))
    if first == last:
        return Categorical([first])
    return Integer(first, last, log=dimension.log)


@dataclass(frozen=True)
class Truncated(Dimension):
    """A part of a continuous distribution.

    Parameters
    ----------
    whole : Dimension
        All of it.
    start, end : float
        The part, in coordinates of the whole.
    """

    whole: Dimension
    start: float
    end: float

    @property
    def n_values(self) -> None:
        """None: there is no end to the values."""
        return

    def _from_unit(self, u: Array) -> list[Any]:
        return self.whole.from_unit(self.start + u * (self.end - self.start))

    def _to_unit(self, value: object) -> float:
        u = (self.whole.to_unit(value) - self.start) / (self.end - self.start)
        if not -1e-9 <= u <= 1 + 1e-9:
            raise InvalidSpaceError(f"{value!r} is not a value of {self!r}.")
        return min(max(u, 0.0), 1.0)

    def _clip(self, value: object) -> Any:
        value = self.whole.clip(value)
        try:
            u = min(max(self.whole.to_unit(value), self.start), self.end)
        except InvalidSpaceError:
            return value
        return self.whole.from_unit(np.array([u]))[0]


# -- listed numbers --------------------------------------------------------------------


def as_ranges(columns: Sequence[Column]) -> tuple[list[Column], dict[str, int]]:
    """Return columns with ranges in the place of listed numbers.

    Parameters
    ----------
    columns : sequence of Column
        Those of a grid.

    Returns
    -------
    columns : list of Column
        Three or more numbers without weights are the range from the lowest to the
        highest; by orders of magnitude, if they are spread so.
    n_levels : dict of str to int
        How many numbers there were, by the name of the parameter.
    """
    found: list[Column] = []
    n_levels: dict[str, int] = {}
    for column in columns:
        values = None if column.name is None else _listed_numbers(column.dimension)
        if values is not None:
            column = replace(column, dimension=_range_of(values))
            n_levels[str(column.name)] = len(values)
        found.append(column)
    return found, n_levels


def _listed_numbers(dimension: Dimension) -> list[Any] | None:
    if not isinstance(dimension, Categorical) or not dimension.ordered:
        return None
    if dimension.weights is not None or dimension.n_values < 3:
        return None
    values = [dimension.at(i) for i in range(dimension.n_values)]
    numbers = all(type(value) in (int, float) for value in values)
    return values if numbers and all(map(math.isfinite, values)) else None


def _range_of(values: Sequence[Any]) -> Dimension:
    log = is_logarithmic(*ends_and_median(values))
    kind = Integer if all(isinstance(value, int) for value in values) else Real
    return kind(min(values), max(values), log=log)
