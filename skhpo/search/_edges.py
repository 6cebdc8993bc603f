"""Values of the winner at the edge of their range, and how far to go beyond."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skhpo._arithmetic import Array
from skhpo._trial import Trial
from skhpo.exceptions import InvalidSpaceError
from skhpo.search._check import check_against_estimator
from skhpo.space import Categorical, Integer, Real, SearchSpace
from skhpo.space._convert import as_range
from skhpo.space._dimensions import Dimension
from skhpo.space._spread import ends_and_median, is_finite, is_logarithmic

__all__ = ["Edge", "EdgeWatch", "edges_of", "told_of"]


# Of fewer candidates, the best is at an end by chance.
LEAST_CANDIDATES = 10
# How near to an end is at the edge, and how far the best ones lean to it.
NEAR, LEANING = 0.05, 1 / 3
BEST_SHARE, LEAST_BEST = 0.1, 2
# Fewer listed values than this have no middle.
MIN_VALUES = 3
MOST_TIMES = 10.0


@dataclass(frozen=True)
class Edge:
    """A parameter whose best values are at an end of what was searched.

    Parameters
    ----------
    name : str
        The parameter.
    value : float
        That of the winner.
    end : {"lower", "upper"}
        Which end.
    bound : float
        Where the range ends.
    suggested : float
        How far it could go.
    """

    name: str
    value: float
    end: str
    bound: float
    suggested: float


class EdgeWatch:
    """Looks while a search runs whether its best candidate is at an end of a range.

    Parameters
    ----------
    search : estimator
        With ``param_distributions`` or ``param_grid``.
    """

    def __init__(self, search: Any) -> None:
        self._search = search
        self._seen: list[tuple[Mapping[str, Any], float]] = []

    def note(self, trial: Trial) -> None:
        """Take note of a complete candidate."""
        if not (trial.failed or trial.dropped) and math.isfinite(trial.score):
            self._seen.append((trial.candidate.params, trial.score))

    def told(self) -> str:
        """Return at which ends the best one is, "" for none; also to other threads."""
        if not self._seen:
            return ""
        params, scores = zip(*list(self._seen), strict=True)
        means = np.array(scores)
        return told_of(self._search, params, means, int(np.argmax(means)))


def told_of(
    search: Any, params: Sequence[Mapping[str, Any]], scores: Array, winner: int
) -> str:
    """Return in one line at which ends the best candidate is, "" for none.

    Parameters
    ----------
    search : estimator
        With ``param_distributions`` or ``param_grid``.
    params : sequence of mapping
        The candidates.
    scores : ndarray of shape (m,)
        Their mean scores; NaN of those that do not count.
    winner : int
        The position of the winner.
    """
    known = np.flatnonzero(np.isfinite(scores))
    if len(known) < LEAST_CANDIDATES or winner not in known:
        return ""
    position = int(np.flatnonzero(known == winner)[0])
    edges = edges_of(search, [params[int(i)] for i in known], scores[known], position)
    ends = [f"the {e.end} end of the range of {e.name} ({e.bound:.4g})" for e in edges]
    return f"best so far at {' and '.join(ends)}" if ends else ""


def edges_of(
    search: Any, params: Sequence[Mapping[str, Any]], scores: Array, winner: int
) -> list[Edge]:
    """Return the parameters in which the winner is at an end that has room beyond.

    Parameters
    ----------
    search : estimator
        With ``param_distributions`` or ``param_grid``.
    params : sequence of mapping
        The candidates that are compared.
    scores : ndarray of shape (m,)
        Their mean scores.
    winner : int
        The position of the winner.

    Returns
    -------
    list of Edge
        Empty where the ranges are not known. A value counts if it is within 5 % of an
        end, or is the last of a list, and if those of the best tenth lean there, too.
    """
    given: Any = getattr(
        search, "param_distributions", getattr(search, "param_grid", None)
    )
    given = getattr(search, "space_", given)  # suggested
    try:
        columns = SearchSpace(given).columns
    except (InvalidSpaceError, TypeError):
        return []
    best = np.argsort(-scores, kind="stable")
    best = best[: max(LEAST_BEST, math.ceil(BEST_SHARE * len(best)))]
    found: dict[str, Edge] = {}
    for column in columns:
        name, dimension = column.name, column.dimension
        if name is None or name in found or name not in params[winner]:
            continue
        values = [params[row][name] for row in best if name in params[row]]
        edge = _edge(name, dimension, params[winner][name], values)
        if edge is not None and _accepts(search.estimator, name, edge.suggested):
            found[name] = edge
    return list(found.values())


def _edge(
    name: str, dimension: Dimension, value: Any, best: Sequence[Any]
) -> Edge | None:
    """Return the edge that a value is at, if the best ones lean there."""
    ends = _ends(dimension)
    if ends is None or not is_finite(value):
        return None
    low, high, log = ends
    numbers = [other for other in best if is_finite(other)]
    if not numbers:
        return None
    places = _places([value, *numbers], low, high, log)
    listed = dimension.values if isinstance(dimension, Categorical) else None
    near = NEAR if listed is None else 0.0
    # None stands for no limit, which is beyond the highest number of a list.
    open_end = listed is not None and any(other is None for other in listed)
    if places[0] <= near and np.median(places[1:]) <= LEANING:
        return _beyond(name, value, "lower", low, high, log)
    if not open_end and places[0] >= 1 - near and np.median(places[1:]) >= 1 - LEANING:
        return _beyond(name, value, "upper", low, high, log)
    return None


def _ends(dimension: Dimension) -> tuple[Any, Any, bool] | None:
    """Return both ends of a range or of listed numbers, and whether it is by orders.

    None for what has no ends: values without an order, and most distributions, of
    which nobody knows whether they were meant to end.
    """
    dimension = as_range(dimension)
    if isinstance(dimension, Real | Integer):
        return dimension.low, dimension.high, dimension.log
    if not isinstance(dimension, Categorical):
        return None
    values = [value for value in dimension.values if is_finite(value)]
    if len(values) < MIN_VALUES:
        return None
    low, middle, high = ends_and_median(values)
    return min(values), max(values), is_logarithmic(low, middle, high)


def _places(values: Sequence[Any], low: Any, high: Any, log: bool) -> Array:
    numbers = np.array([low, high, *values], dtype=float)
    numbers = np.log(numbers) if log else numbers
    return (numbers[2:] - numbers[0]) / (numbers[1] - numbers[0])


def _beyond(
    name: str, value: Any, end: str, low: Any, high: Any, log: bool
) -> Edge | None:
    """Return the edge with a bound beyond, None if there is none by nature.

    Logarithmic ranges go on for half of their length, ten times at the most, others
    for all of it. Nothing goes below 0 that did not before.
    """
    whole = all(isinstance(bound, int | np.integer) for bound in (low, high))
    bound = low if end == "lower" else high
    if log:
        times = min(MOST_TIMES, math.sqrt(high / low))
        suggested = bound / times if end == "lower" else bound * times
    else:
        suggested = bound + (low - high if end == "lower" else high - low)
    if suggested < 0 <= low:
        suggested = 0
    if not math.isfinite(suggested):
        return None
    suggested = _rounded(suggested)
    if whole:
        suggested = max(round(suggested), min(low, 1))
    return None if suggested == bound else Edge(name, value, end, bound, suggested)


def _rounded(value: float) -> float:
    """Return a number of two digits."""
    return float(f"{value:.1e}")


def _accepts(estimator: Any, name: str, value: Any) -> bool:
    """Whether the estimator is not known to reject a value."""
    try:
        check_against_estimator(estimator, [{name: [value]}], check_values=True)
    except ValueError:
        return False
    return True
