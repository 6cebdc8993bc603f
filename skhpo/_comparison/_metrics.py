"""From the runs of searches to the five metrics: mathematics on records."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from skhpo._arithmetic import Array
from skhpo._comparison._posterior import posterior
from skhpo._comparison._records import Pair, SearchRun
from skhpo._split_scores import half_width, proportion_floor, standard_error

__all__ = [
    "best_of_all",
    "by_split",
    "compare_pairs",
    "distance_of_places",
    "first_within",
    "median",
    "quality",
    "search_luck",
    "seeds_by_split",
    "tolerance",
]


def seeds_by_split(runs: Sequence[SearchRun], n_splits: int) -> list[Array]:
    """Return the outer scores of a search on each split, one for each seed."""
    return [
        np.array([run.score for run in runs if run.split == split])
        for split in range(n_splits)
    ]


def by_split(scores: Sequence[Array]) -> Array:
    """Return the mean over the seeds on each split; NaN if all runs failed there."""
    found = [row[np.isfinite(row)] for row in scores]
    return np.array([row.mean() if row.size else math.nan for row in found])


def search_luck(scores: Sequence[Array]) -> float:
    """Return the deviation over the seeds within a split, pooled over the splits.

    NaN if there is one seed only.

    Examples
    --------
    >>> search_luck([np.array([0.8, 0.9]), np.array([0.5, 0.6])])
    0.0707...
    """
    found = [row[np.isfinite(row)] for row in scores]
    deviations = [row - row.mean() for row in found if row.size]
    df = sum(len(row) - 1 for row in deviations)
    if df <= 0:
        return math.nan
    return math.sqrt(float(np.sum(np.concatenate(deviations) ** 2)) / df)


def quality(
    means: Array, ratio: float, level: float, n_rows: int | None
) -> tuple[float, tuple[float, float]]:
    """Return the mean outer score, and where the true one may be.

    Student's interval, with the variance of Nadeau and Bengio.
    """
    known = means[np.isfinite(means)]
    if not known.size:
        return math.nan, (math.nan, math.nan)
    mean = float(known.mean())
    if known.size < 2:
        return mean, (math.nan, math.nan)
    floor = proportion_floor(mean, n_rows)
    _, half = half_width(known, ratio, level, floor)
    return mean, (mean - half, mean + half)


def tolerance(means: Sequence[Array], ratio: float) -> float:
    """Return the standard error of the outer score of the search where it is highest.

    Parameters
    ----------
    means : sequence of ndarray of shape (n_splits,)
        Outer scores of each search.
    ratio : float
        Test rows over train rows.
    """
    known = [row[np.isfinite(row)] for row in means]
    known = [row for row in known if row.size > 1]
    if not known:
        return math.nan
    return float(standard_error(max(known, key=np.mean), ratio))


def first_within(scores: Array, bound: float) -> int | None:
    """Return the first candidate that scores `bound` or more, None if none does.

    Examples
    --------
    >>> first_within(np.array([0.5, np.nan, 0.9, 0.8]), 0.8)
    2
    """
    found = np.flatnonzero(scores >= bound)
    return int(found[0]) if found.size else None


def distance_of_places(places: Sequence[Array | None], unordered: Array) -> float:
    """Return the mean distance of two points of the unit cube.

    Parameters
    ----------
    places : sequence of ndarray of shape (d,) or None
        The points, NaN where inactive; None if one is not known.
    unordered : ndarray of bool, shape (d,)
        Columns of values without an order, two of which are 0 or 1 apart.

    Returns
    -------
    float
        The mean over pairs of the mean over columns; a column that only one of the two
        has counts 1. NaN without two known points, or without a column.
    """
    known = [place for place in places if place is not None]
    if len(known) < 2 or not unordered.size:
        return math.nan
    pairs = [_distance(a, b, unordered) for a, b in itertools.combinations(known, 2)]
    return float(np.mean(pairs))


def _distance(a: Array, b: Array, unordered: Array) -> float:
    apart = np.where(unordered, a != b, np.abs(a - b)).astype(float)
    missing = np.isnan(a), np.isnan(b)
    apart[missing[0] != missing[1]] = 1.0
    apart[missing[0] & missing[1]] = 0.0
    return float(apart.mean())


def median(values: Sequence[float]) -> float:
    """Return the median of what is known, NaN if nothing is."""
    known = [value for value in values if not math.isnan(value)]
    # The upper of two in the middle: of 5 and infinity, half is not most.
    return float(sorted(known)[len(known) // 2]) if known else math.nan


def compare_pairs(
    means: Mapping[str, Array],
    ratio: float,
    rope: float,
    level: float,
    n_rows: int | None,
) -> list[Pair]:
    """Return each search beside each other one, on the splits where both have scores.

    Parameters
    ----------
    means : mapping of str to ndarray of shape (n_splits,)
        Outer scores by name.
    ratio : float
        Test rows over train rows.
    rope, level : float
        As of `posterior`.
    n_rows : int or None
        Of how many rows the scores are proportions.
    """
    found = []
    for first, second in itertools.combinations(means, 2):
        differences = means[first] - means[second]
        differences = differences[np.isfinite(differences)]
        if len(differences) < 2:
            nan = math.nan
            found.append(Pair(first, second, nan, (nan, nan), nan, nan, nan))
            continue
        belief = posterior(differences, ratio, rope=rope, level=level, n_rows=n_rows)
        found.append(Pair(first, second, **vars(belief)))
    return found


def best_of_all(
    pairs: Sequence[Pair], excluded: Collection[str], level: float
) -> str | None:
    """Return the search that is better than each of the others, None if none is shown.

    Of two equal ones, one is named with the probability ``1 - level``: `level` is that
    of a two-sided test. Of more equal ones, one is named more rarely.

    Parameters
    ----------
    pairs : sequence of Pair
        Any two of them.
    excluded : collection of str
        Those that cannot be the best, since they failed.
    level : float
        How sure one wants to be.

    Returns
    -------
    str or None
        Its name. Searches that it has no two splits in common with do not count.
    """
    better: dict[str, list[float]] = {}
    for pair in pairs:
        if not math.isnan(pair.better):
            better.setdefault(pair.first, []).append(pair.better)
            better.setdefault(pair.second, []).append(pair.worse)
    enough = (1 + level) / 2
    for name, probabilities in better.items():
        if name not in excluded and min(probabilities) >= enough:
            return name
    return None
