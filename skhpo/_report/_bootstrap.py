"""Choose on some rows, score on the others: bootstrap bias corrected cross-validation.

Rows that were scored out of fold are drawn with replacement [1]_. Of each draw, the
candidate that is best on the rows drawn is scored on those that were not. Notations:
`inside` and `outside` (b, m) have a row per draw and a column per candidate, the scores
on the rows that were drawn and on the others.

References
----------
.. [1] I. Tsamardinos, E. Greasidou and G. Borboudakis, "Bootstrapping the out-of-sample
   predictions for efficient and accurate cross-validation", Machine Learning 107,
   1895-1922, 2018.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skhpo._arithmetic import Array

__all__ = ["centered_interval", "chosen_scores", "draw_counts", "optimism"]

Counts = NDArray[np.intp]

TIE = 1e-12


def draw_counts(
    strata: NDArray[np.intp], n_draws: int, rng: np.random.Generator
) -> Counts:
    """Return how often each unit was drawn, of as many draws as there are units.

    Parameters
    ----------
    strata : ndarray of int, shape (n,)
        Units are drawn within their stratum.
    n_draws : int
        How often all units are drawn.
    rng : numpy.random.Generator
        The source of randomness.

    Returns
    -------
    ndarray of int, shape (n_draws, n)
        The sums over each stratum are its size.
    """
    counts = np.empty((n_draws, len(strata)), np.intp)
    offsets = np.arange(n_draws)[:, None]
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        n = len(members)
        places = rng.integers(0, n, (n_draws, n)) + n * offsets
        drawn = np.bincount(places.ravel(), minlength=n_draws * n)
        counts[:, members] = drawn.reshape(n_draws, n)
    return counts


def chosen_scores(
    inside: Array, outside: Array, columns: Sequence[int] | Counts | None = None
) -> Array:
    """Return what the best on the rows drawn scores on the others, draw by draw.

    Of several equal ones it is their mean: which of them a search takes is a matter of
    their order.

    Parameters
    ----------
    inside, outside : ndarray of shape (b, m)
        The scores.
    columns : sequence of int or None, default=None
        The candidates to choose from; None for all.

    Returns
    -------
    ndarray of shape (b,)
        NaN where there is no score to choose by, or none to see.

    Examples
    --------
    >>> inside = np.array([[0.9, 0.8], [0.5, 0.5]])
    >>> chosen_scores(inside, np.array([[0.6, 0.7], [0.4, 0.8]])).tolist()
    [0.6, 0.6000000000000001]
    """
    if columns is not None:
        inside, outside = inside[:, columns], outside[:, columns]
    known = ~np.isnan(inside)
    filled = np.where(known, inside, -np.inf)
    best = filled.max(axis=1, keepdims=True)
    # A tie is judged by the size of the best: others may have diverged.
    size = np.where(np.isfinite(best), np.abs(best), 0.0)
    shares = (known & (filled >= best - TIE * size)).astype(float)
    n_best = shares.sum(axis=1)
    totals = np.where(shares > 0, outside, 0.0).sum(axis=1)
    return np.where(n_best > 0, totals / np.maximum(n_best, 1), np.nan)


def optimism(chosen: Array, outside: Array, winner: int) -> float:
    """Return by how much the score of the winner is too high for being chosen.

    That of the winner itself on the same rows is what the chosen ones are compared
    with, so that the luck of the draw cancels out.

    Parameters
    ----------
    chosen : ndarray of shape (b,)
        As of `chosen_scores`.
    outside : ndarray of shape (b, m)
        The scores on rows that were not drawn.
    winner : int
        The candidate that the search has chosen.

    Returns
    -------
    float
        NaN if no draw tells.
    """
    differences = outside[:, winner] - chosen
    known = differences[~np.isnan(differences)]
    return float(known.mean()) if known.size else float("nan")


def centered_interval(
    values: Array, center: float, level: float, least: float = 0.0
) -> tuple[float, float]:
    """Return the quantiles of values, moved so that their mean is the center.

    Parameters
    ----------
    values : ndarray of shape (b,)
        One for each draw; NaN where there is none.
    center : float
        Where the mean is to be.
    level : float
        How much of the values lies between.
    least : float, default=0.0
        How far both ends are from the center at the least.

    Returns
    -------
    (float, float)
        The ends.
    """
    known = values[~np.isnan(values)]
    tail = (1 - level) / 2
    low, high = np.quantile(known, [tail, 1 - tail]) - known.mean()
    return center + float(min(low, -least)), center + float(max(high, least))
