"""What the scores of candidates on splits say: mathematics, and nothing else.

Notations: `scores` (m, k) has a row per candidate and a column per split, all finite;
`ratio` is the number of test rows over that of train rows of a split. Scores on several
splits are not independent, since the splits share train rows. Nadeau and Bengio [1]_
estimate the variance of a mean of k of them as ``s**2 * (1 / k + ratio)`` instead of
``s**2 / k``, where s is their standard deviation.

References
----------
.. [1] C. Nadeau and Y. Bengio, "Inference for the generalization error", Machine
   Learning 52, 239-281, 2003.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

__all__ = [
    "best_rows",
    "complete_rows",
    "correction",
    "gain_floor",
    "half_width",
    "leave_out_sets",
    "left_out_scores",
    "not_worse",
    "outlying_splits",
    "proportion_floor",
    "quantile_of",
    "scored_rows",
    "standard_error",
]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Sets = Sequence[tuple[Index, Index]]
Choice = Callable[[Index], Index]

# More pairs of splits than this say nothing more.
MAX_SETS = 500
# Means that differ by less are the same one, added up in another order.
TIE = 1e-12
# No proportion of more rows than this is told from any other number.
MAX_ROWS = 100_000
MAX_VALUES = 50
# From so many splits on, one of them can stand out.
MIN_SPLITS_TO_STAND_OUT = 4


def leave_out_sets(
    n_splits: int, *, n_repeats: int = 1, in_time: bool = False
) -> list[tuple[Index, Index]]:
    """Return the splits to leave out together, and those to choose on meanwhile.

    Parameters
    ----------
    n_splits : int
        Number of splits.
    n_repeats : int, default=1
        How often all rows were split: the folds of other repeats hold the rows that
        are left out, so one chooses on those of the same repeat.
    in_time : bool, default=False
        Whether a split comes after those before it: then the later half is left out,
        one at a time, and one chooses on what is earlier.

    Returns
    -------
    list of (ndarray, ndarray)
        Two folds are left out at a time if there are 4 or more, else one; each fold
        equally often. Empty if there is one split only.

    Examples
    --------
    >>> [(out.tolist(), kept.tolist()) for out, kept in leave_out_sets(3)]
    [([0], [1, 2]), ([1], [0, 2]), ([2], [0, 1])]
    >>> len(leave_out_sets(5))
    10
    """
    if n_splits < 2:
        return []
    if in_time:
        later = range(-(-n_splits // 2), n_splits)
        return [(np.array([split]), np.arange(split)) for split in later]
    n_folds = n_splits // n_repeats
    starts = range(0, n_splits, n_folds)
    return [
        (start + np.array(out), start + np.setdiff1d(np.arange(n_folds), out))
        for start in starts
        for out in _left_out(n_folds, MAX_SETS // n_repeats)
    ]


def _left_out(n_folds: int, n_most: int) -> list[tuple[int, ...]]:
    """Return all single folds or pairs; of many pairs, each fold in equally many."""
    if n_folds < 4:
        return [(fold,) for fold in range(n_folds)]
    if n_folds * (n_folds - 1) // 2 <= n_most:
        return list(itertools.combinations(range(n_folds), 2))
    distances = range(1, max(1, n_most // n_folds) + 1)
    return [
        (fold, (fold + distance) % n_folds)
        for distance in distances
        for fold in range(n_folds)
    ]


def best_rows(scores: Array) -> Choice:
    """Return what chooses the rows of the highest mean on some splits, with all ties.

    A search takes the first of several equals, which is one of them by chance.
    """

    def choose(kept: Index) -> Index:
        weights = np.zeros(scores.shape[1])
        weights[kept] = 1 / len(kept)
        means = scores @ weights  # without a copy of the scores
        # A tie is judged by the size of the best: others may have diverged.
        size = np.abs(scores[np.argmax(means), kept]).max()
        return np.flatnonzero(means >= means.max() - TIE * size)

    return choose


def left_out_scores(scores: Array, sets: Sets, choose: Choice) -> Array:
    """Return what the chosen candidates score on the splits they were not chosen on.

    Parameters
    ----------
    scores : ndarray of shape (m, k)
        The scores.
    sets : sequence of (ndarray, ndarray)
        As of `leave_out_sets`.
    choose : callable
        From the splits to choose on to the rows that are chosen, one or several equal
        ones.

    Returns
    -------
    ndarray of shape (k,)
        For each split the mean over all the sets that leave it out; NaN if none does.
    """
    total, count = np.zeros((2, scores.shape[1]))
    for out, kept in sets:
        total[out] += scores[np.ix_(choose(kept), out)].mean(axis=0)
        count[out] += 1
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def correction(own: Array, left_out: Array) -> tuple[Array, float]:
    """Return the corrected scores by split, and by how much the mean is too high.

    Parameters
    ----------
    own : ndarray of shape (k,)
        Scores of the winner.
    left_out : ndarray of shape (k,)
        As of `left_out_scores`.

    Returns
    -------
    corrected : ndarray of shape (k,)
        What was left out; of splits that never were, the winner's own score less the
        mean excess on the others.
    optimism : float
        The mean excess.
    """
    optimism = float(np.nanmean(own - left_out))
    return np.where(np.isnan(left_out), own - optimism, left_out), optimism


def standard_error(values: Array, ratio: float) -> Array:
    """Return the standard error of means over splits, by Nadeau and Bengio.

    Parameters
    ----------
    values : ndarray of shape (..., k)
        Scores, or differences of scores, on at least 2 splits.
    ratio : float
        Test rows over train rows.

    Returns
    -------
    ndarray of shape (...)
        The standard errors.
    """
    k = values.shape[-1]
    return np.std(values, axis=-1, ddof=1) * math.sqrt(1 / k + ratio)


def half_width(
    values: Array, ratio: float, level: float, floor: float = 0.0
) -> tuple[float, float]:
    """Return the standard error and half of the width of the interval of a mean.

    Student's t with k - 1 degrees of freedom; a normal one where the standard error
    is `floor`, which does not come from k values.
    """
    error, tail = float(standard_error(values, ratio)), (1 + level) / 2
    by_t = error * float(stats.t.ppf(tail, len(values) - 1))
    by_rows = floor * quantile_of(level)
    return max(error, floor), max(by_t, by_rows)


def quantile_of(level: float) -> float:
    """Return how many standard errors a two-sided normal interval reaches."""
    return float(stats.norm.ppf((1 + level) / 2))


def not_worse(
    scores: Array, row: int, ratio: float, level: float, n_rows: int | None = None
) -> NDArray[np.bool_]:
    """Return which candidates cannot be told from one of them.

    One-sided paired t tests at `level`, with the variance of Nadeau and Bengio. (Not
    corrected for their number: the set gets smaller, and is more than honest enough.)

    Returns
    -------
    ndarray of bool, shape (m,)
        True for the row itself, too.
    """
    differences = scores[row] - scores
    means = differences.mean(axis=1)
    errors = standard_error(differences, ratio)
    size = np.abs(scores[row]).max()
    bounds = errors * float(stats.t.ppf(level, scores.shape[1] - 1))
    if n_rows is not None:
        floors = np.array([gain_floor(mean, n_rows) for mean in means])
        bounds = np.maximum(bounds, floors * float(stats.norm.ppf(level)))
    return means <= bounds + TIE * size


def complete_rows(results: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Return which candidates have all the rows of the data, or all the iterations.

    Of halving, the others are no rivals: of few rows, scores vary more, and the highest
    of them may be above those of all the rows.

    Parameters
    ----------
    results : mapping
        The `cv_results_` of any search.

    Examples
    --------
    >>> complete_rows({"params": [{}, {}], "n_resources": [50, 100]})
    array([False,  True])
    """
    if "n_resources" not in results or "generation" in results:
        return np.ones(len(results["params"]), bool)
    resources = np.asarray(results["n_resources"])
    return np.asarray(resources == resources.max(), bool)


def scored_rows(scores: Array) -> int | None:
    """Return of how many rows the scores are proportions, None if they are not.

    Accuracies on 30 rows are multiples of 1/30. The number of rows is known from that,
    or a divisor of it, if all scores have one in common.

    Examples
    --------
    >>> scored_rows(np.array([[0.8, 0.7], [0.9, 0.75]]))
    30
    >>> scored_rows(np.array([[0.8, 0.7], [0.9, 2**-0.5]]))
    """
    if scores.min() < 0 or scores.max() > 1:
        return None
    total = 0
    for column in scores.T:
        common = 1
        for value in np.unique(column)[:MAX_VALUES]:
            fraction = Fraction(float(value)).limit_denominator(MAX_ROWS)
            common = math.lcm(common, fraction.denominator)
            near = abs(float(fraction) - value) <= TIE and (fraction or not value)
            if not near or common > MAX_ROWS:
                return None
        total += common
    return total


def proportion_floor(mean: float, n_rows: int | None) -> float:
    """Return the least standard error of a mean score, 0 if nothing is known.

    That of a proportion of so many rows, by Agresti and Coull: with 5 equal scores, the
    splits alone would say that there is no doubt at all.
    """
    if n_rows is None:
        return 0.0
    p = (mean * n_rows + 2) / (n_rows + 4)
    return math.sqrt(max(p * (1 - p), 0.0) / (n_rows + 4))


def gain_floor(gain: float, n_rows: int | None) -> float:
    """Return the least standard error of a difference of two proportions.

    On so many rows at least one of the two was right and the other wrong, or on one.
    """
    if n_rows is None:
        return 0.0
    return math.sqrt(max(abs(gain), 1 / n_rows) / n_rows)


def outlying_splits(scores: Array) -> list[int]:
    """Return the splits that are much worse than the others, for most candidates.

    Of each candidate, a score is compared with the mean and the deviation of the
    others: normal scores have one so low in 5 % of all rows.

    Examples
    --------
    >>> row = np.array([0.80, 0.82, 0.50, 0.81, 0.79])
    >>> outlying_splits(np.stack([row, row + 0.01]))
    [2]
    """
    k = scores.shape[1]
    if k < MIN_SPLITS_TO_STAND_OUT:
        return []
    bound = float(stats.t.ppf(1 - 0.05 / k, k - 2)) * math.sqrt(k / (k - 1))
    found = []
    for split in range(k):
        others = np.delete(scores, split, axis=1)
        below = others.mean(axis=1) - scores[:, split]
        size = TIE * np.abs(others).max(axis=1)
        limits = bound * np.std(others, axis=1, ddof=1) + size
        if np.mean(below > limits) > 0.5:
            found.append(split)
    return found
