"""Scores by the ranks of two classes, on rows that are drawn.

With weights ``w`` of the positive rows and ``v`` of the negative ones, the area under
the ROC curve is a sum over all pairs, which takes a cumulative sum for each draw. Where
rows are many, its projection (Hajek 1968) on single rows is as good, and a product of
matrices: ``sum(w * V) / sum(w) + sum(v * U) / sum(v) - A``, where ``V`` and ``U`` are
the placements of positive and of negative rows among the others [1]_, and ``A`` is
the area of all. What it leaves out has mean zero and a standard deviation of at most
``1 / (2 * sqrt(p * q))`` for ``p`` positive and ``q`` negative rows.

References
----------
.. [1] E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson, "Comparing the areas under
   two or more correlated receiver operating characteristic curves", Biometrics 44,
   837-845, 1988.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from skhpo._arithmetic import Array
from skhpo._report._rows_tested import Counts, RowsTested, mean_of_known
from skhpo._words import counted

__all__ = ["RANKS", "Ranked"]

Flags = NDArray[np.bool_]
# From responses and weights of positives, and of negatives, to a score for each draw.
Score = Callable[[Array, Array, Array, Array], Array]
# What the projection leaves out deviates by less than 0.001 from this number of pairs.
MANY_PAIRS = 250_000


def _weight_above(
    weights: Array, responses: Array, at: Array, side: Literal["left", "right"]
) -> Array:
    """Return the weight of rows with higher responses; with side="right", equal ones.

    Parameters
    ----------
    weights : ndarray of shape (n, b)
        Of the rows, in each draw.
    responses : ndarray of shape (n,)
        Of the rows.
    at : ndarray of shape (k,)
        Higher than what.
    side : {"left", "right"}
        Whether equal responses count.

    Returns
    -------
    ndarray of shape (k, b)
    """
    order = np.argsort(-responses)
    sums = np.zeros((len(weights) + 1, weights.shape[1]))
    np.cumsum(weights[order], axis=0, out=sums[1:])
    return sums[np.searchsorted(-responses[order], -at, side)]


def _area(of: Array, positive: Array, against: Array, negative: Array) -> Array:
    """Return areas under ROC curves: how often a positive row is above a negative one.

    Parameters
    ----------
    of, against : ndarray of shape (p,), (q,)
        Responses of rows of the positive and of the negative class.
    positive, negative : ndarray of shape (p, b), (q, b)
        Their weights in each draw.

    Returns
    -------
    ndarray of shape (b,)
    """
    won = _weight_above(positive, of, against, "left")
    if np.isin(of, against).any():
        won = (won + _weight_above(positive, of, against, "right")) / 2
    total = positive.sum(axis=0) * negative.sum(axis=0)
    return np.einsum("ij,ij->j", negative, won) / total


def _placements(responses: Array, is_positive: Flags, weights: Array) -> Array:
    """Return how much of the other class each row is above, or below if negative.

    Parameters
    ----------
    responses : ndarray of shape (m, n)
        Of all candidates.
    is_positive : ndarray of bool, shape (n,)
        The classes.
    weights : ndarray of shape (n,)
        Of the rows.

    Returns
    -------
    ndarray of shape (m, n)
        Shares of weight; half of that of equal responses counts.
    """
    order = np.argsort(responses, axis=1)
    ordered = np.take_along_axis(responses, order, axis=1)
    first, last = _ends_of_runs(ordered)
    placed = np.empty(responses.shape)
    for others, of_negative in ((~is_positive, False), (is_positive, True)):
        below = np.zeros((len(responses), responses.shape[1] + 1))
        np.cumsum(np.where(others, weights, 0.0)[order], axis=1, out=below[:, 1:])
        of_equal = [np.take_along_axis(below, at, axis=1) for at in (first, last)]
        share = np.empty(responses.shape)
        np.put_along_axis(share, order, sum(of_equal) / 2 / below[:, -1:], axis=1)
        own = ~others
        placed[:, own] = 1 - share[:, own] if of_negative else share[:, own]
    return placed


def _ends_of_runs(ordered: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the first place and the one after the last of each run of equal values."""
    m, n = ordered.shape
    places = np.arange(n)
    changes = np.ones((m, n + 1), bool)
    changes[:, 1:-1] = ordered[:, 1:] != ordered[:, :-1]
    first = np.maximum.accumulate(np.where(changes[:, :-1], places, 0), axis=1)
    ends = np.where(changes[:, 1:], places + 1, n)
    return first, np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]


def _average_precision(
    of: Array, positive: Array, against: Array, negative: Array
) -> Array:
    """Return the mean precision at the positive rows; parameters as of `_area`."""
    hits = _weight_above(positive, of, of, "right")
    misses = _weight_above(negative, against, of, "right")
    precision = np.where(positive > 0, hits / (hits + misses), 0.0)
    return np.einsum("ij,ij->j", positive, precision) / positive.sum(axis=0)


RANKS: dict[Any, Score] = {
    metrics.roc_auc_score: _area,
    metrics.average_precision_score: _average_precision,
}


@dataclass(frozen=True, eq=False)
class Ranked:
    """A score by the ranks of two classes, the mean of those of the splits.

    Parameters
    ----------
    tested : RowsTested
        With a target of two classes.
    score : callable
        From responses and weights of positives, and of negatives.
    """

    tested: RowsTested
    score: Score

    def __call__(self, counts: Counts) -> Array:
        m = len(self.tested.responses)
        found = np.full((len(self._splits), len(counts), m), np.nan)
        drawn = counts * self.tested.plain_weights
        for scores, (rows, score) in zip(found, self._splits, strict=True):
            scores[:] = score(drawn[:, rows])
        return mean_of_known(found)

    @property
    def is_projected(self) -> bool:
        """Whether a draw is a product of matrices in each split."""
        return all(isinstance(score, _Projected) for _, score in self._splits)

    @property
    def how(self) -> str:
        """What a report says of it; empty if every draw is computed as it is."""
        n = sum(isinstance(score, _Projected) for _, score in self._splits)
        if not n:
            return ""
        return (
            f" On {n} of {counted(len(self._splits), 'split')}, which have "
            f"{MANY_PAIRS:,} pairs of rows or more, areas were projected on single "
            "rows."
        )

    @cached_property
    def _splits(self) -> list[tuple[NDArray[np.intp], Callable[[Array], Array]]]:
        """The rows of each split, and what scores their weights."""
        tested = self.tested
        labels, codes = np.unique(tested.y, return_inverse=True)
        splits: list[tuple[NDArray[np.intp], Callable[[Array], Array]]] = []
        for split in np.unique(tested.splits) if len(labels) == 2 else []:
            rows = np.flatnonzero(tested.splits == split)
            of_split = tested.responses[:, rows], codes[rows] == 1
            n_pairs = of_split[1].sum() * (~of_split[1]).sum()
            if self.score is _area and n_pairs >= MANY_PAIRS:
                weights = tested.plain_weights[rows]
                splits.append((rows, _Projected(*of_split, weights)))
            else:
                splits.append((rows, _OneByOne(*of_split, self.score)))
        return splits


@dataclass(frozen=True, eq=False)
class _OneByOne:
    """The scores of the candidates on the rows of a split, one after the other."""

    responses: Array
    is_positive: Flags
    score: Score

    def __call__(self, drawn: Array) -> Array:
        own = self.is_positive
        weights = [np.ascontiguousarray(drawn[:, rows].T) for rows in (own, ~own)]
        of = [
            self.score(response[own], weights[0], response[~own], weights[1])
            for response in self.responses
        ]
        return np.column_stack(of)


class _Projected:
    """Areas under ROC curves on the rows of a split, projected on single rows."""

    def __init__(self, responses: Array, is_positive: Flags, weights: Array) -> None:
        self.classes = is_positive, ~is_positive
        self.placed = _placements(responses, is_positive, weights)
        share = weights[is_positive] / weights[is_positive].sum()
        self.whole = self.placed[:, is_positive] @ share

    def __call__(self, drawn: Array) -> Array:
        by_class = [
            drawn[:, rows]
            @ self.placed[:, rows].T
            / drawn[:, rows].sum(axis=1)[:, None]
            for rows in self.classes
        ]
        return sum(by_class) - self.whole
