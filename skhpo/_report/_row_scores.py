"""Scores of all candidates on rows that are drawn, from their responses.

A resample says how often each row counts, so a score of many resamples is needed for
many candidates. Most scores are functions of sums over rows, which are products of
matrices; scores by rank are cumulative sums; all others are computed one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from skhpo._arithmetic import Array
from skhpo._report._ranked import RANKS, Ranked
from skhpo._report._rows_tested import Counts, RowsTested, mean_of_known

__all__ = ["RowScores", "find_row_scores"]

# The numbers of sums over rows, calls of a function, and draws.
MOST_PRODUCTS, MOST_CALLS = 10**8, 4000
FEWEST_DRAWS, MOST_DRAWS = 50, 1000


class RowScores:
    """Returns the scores of all candidates for any counts of rows.

    Parameters
    ----------
    score : callable
        From counts, of shape (b, n), to scores, of shape (b, m).
    by_split : bool
        Whether each split has a score, of which the mean is taken.
    n_draws : int
        How many counts there may be.
    how : str, default=""
        What is to be said of the way.
    """

    def __init__(
        self,
        score: Callable[[Counts], Array],
        by_split: bool,
        n_draws: int,
        how: str = "",
    ) -> None:
        self.by_split = by_split
        self.n_draws = n_draws
        self.how = how
        self._score = score

    def __call__(self, counts: Counts) -> Array:
        """Return scores for counts of rows; NaN where they say nothing."""
        with np.errstate(all="ignore"):
            return self._score(counts)


def find_row_scores(
    function: Callable[..., float],
    kwargs: Mapping[str, Any],
    sign: int,
    tested: RowsTested,
    *,
    predicts: bool,
) -> list[RowScores]:
    """Return ways to compute a score, the fastest first; the last one always works.

    Parameters
    ----------
    function : callable
        ``function(y, response, **kwargs)``.
    kwargs : mapping of str to object
        What it is given beside the data.
    sign : int
        -1 if less is better.
    tested : RowsTested
        The rows.
    predicts : bool
        Whether responses are predictions; all others are scored split by split.
    """
    m, n = tested.responses.shape[:2]
    ways: list[RowScores] = []
    is_plain = tested.y.ndim == 1
    if is_plain and function in SUMS:
        sums = SUMS[function](tested, kwargs)
        if sums is not None:
            width = m * n * sums.own.shape[2]
            ways.append(RowScores(_signed(sums, sign), False, _n_draws(width)))
    if is_plain and function in RANKS and tested.responses.ndim == 2 and not kwargs:
        ranked = Ranked(tested, RANKS[function])
        # A cumulative sum takes ten times as long as a product.
        is_product = ranked.is_projected
        n_draws = _n_draws(m * n) if is_product else _n_draws(10 * m * n, fewest=100)
        ways.append(RowScores(_signed(ranked, sign), True, n_draws, ranked.how))
    n_splits = 1 if predicts else len(np.unique(tested.splits))
    n_draws = MOST_CALLS // (2 * m * n_splits)
    called = Called(function, kwargs, tested, by_split=not predicts)
    n_draws = int(np.clip(n_draws, FEWEST_DRAWS, MOST_DRAWS))
    ways.append(RowScores(_signed(called, sign), not predicts, n_draws))
    return ways


def _n_draws(n_products: int, fewest: int = 200) -> int:
    return int(np.clip(MOST_PRODUCTS // max(n_products, 1), fewest, MOST_DRAWS))


def _signed(score: Callable[[Counts], Array], sign: int) -> Callable[[Counts], Array]:
    return lambda counts: sign * score(counts)


# --- functions of sums ----------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Sums:
    """A score that is a function of sums over rows.

    Parameters
    ----------
    own : ndarray of shape (n, m, p)
        What each row adds to the sums of each candidate.
    shared : ndarray of shape (n, q)
        What it adds to those that all candidates share.
    value : callable
        From sums (b, m, p) and (b, 1, q) to scores (b, m).
    """

    own: Array
    shared: Array
    value: Callable[[Array, Array], Array]

    def __call__(self, counts: Counts) -> Array:
        counts = counts.astype(float)
        n, m, p = self.own.shape
        own = (counts @ self.own.reshape(n, m * p)).reshape(-1, m, p)
        return self.value(own, (counts @ self.shared)[:, None, :])


def _mean(tested: RowsTested, of_rows: Array) -> Sums:
    """Return the mean over rows of (m, n) numbers; all splits weigh the same."""
    weights = tested.plain_weights
    totals = np.bincount(tested.splits, weights)
    weights = weights / totals[tested.splits]
    own = (of_rows * weights).T[:, :, None]
    return Sums(own, weights[:, None], lambda own, shared: own[..., 0] / shared[..., 0])


def _accuracy(tested: RowsTested, kwargs: Mapping[str, Any]) -> Sums | None:
    if kwargs or tested.responses.ndim != 2:
        return None
    return _mean(tested, tested.responses == tested.y)


def _squared(tested: RowsTested, kwargs: Mapping[str, Any]) -> Sums | None:
    return _of_errors(tested, kwargs, np.square)


def _absolute(tested: RowsTested, kwargs: Mapping[str, Any]) -> Sums | None:
    return _of_errors(tested, kwargs, np.abs)


def _of_errors(
    tested: RowsTested, kwargs: Mapping[str, Any], loss: Callable[[Array], Array]
) -> Sums | None:
    if kwargs or tested.responses.ndim != 2:
        return None
    return _mean(tested, loss(tested.responses - tested.y.astype(float)))


def _root(tested: RowsTested, kwargs: Mapping[str, Any]) -> Sums | None:
    if kwargs or tested.responses.ndim != 2:
        return None
    weights = tested.plain_weights
    squares = np.square(tested.responses - tested.y.astype(float)) * weights

    def value(own: Array, shared: Array) -> Array:
        return np.sqrt(own[..., 0] / shared[..., 0])

    return Sums(squares.T[:, :, None], weights[:, None], value)


def _r2(tested: RowsTested, kwargs: Mapping[str, Any]) -> Sums | None:
    if kwargs or tested.responses.ndim != 2:
        return None
    weights, y = tested.plain_weights, tested.y.astype(float)
    squares = np.square(tested.responses - y) * weights
    moved = y - y.mean()
    shared = np.stack([weights, weights * moved, weights * moved**2], axis=1)

    def value(own: Array, shared: Array) -> Array:
        n, first, second = np.moveaxis(shared, -1, 0)
        return 1 - own[..., 0] / (second - first**2 / n)

    return Sums(squares.T[:, :, None], shared, value)


def _log_loss(tested: RowsTested, kwargs: Mapping[str, Any]) -> Sums | None:
    if kwargs:
        return None
    labels, codes = np.unique(tested.y, return_inverse=True)
    given = tested.responses.astype(float)
    if given.ndim == 2 and len(labels) == 2:
        given = np.stack([1 - given, given], axis=2)
    if given.ndim != 3 or given.shape[2] != len(labels):
        return None
    least = np.finfo(float).eps
    of_class = np.clip(given[:, np.arange(len(codes)), codes], least, 1 - least)
    return _mean(tested, -np.log(of_class))


def _brier(tested: RowsTested, kwargs: Mapping[str, Any]) -> Sums | None:
    labels, codes = np.unique(tested.y, return_inverse=True)
    if kwargs or tested.responses.ndim != 2 or len(labels) != 2:
        return None
    return _mean(tested, np.square(tested.responses - codes))


def _of_classes(
    value: Callable[[Array, Array, Array], Array],
) -> Callable[[RowsTested, Mapping[str, Any]], Sums | None]:
    """Return the sums of a score of hits, predictions and rows by class."""

    def sums(tested: RowsTested, kwargs: Mapping[str, Any]) -> Sums | None:
        average = kwargs.get("average", "binary")
        known = {"average", "pos_label"} >= kwargs.keys()
        if tested.responses.ndim != 2 or not known or average not in AVERAGES:
            return None
        labels = np.unique(np.concatenate([tested.y, *tested.responses]))
        if average == "binary":
            labels = np.array([kwargs.get("pos_label", 1)])
        weights = tested.plain_weights[:, None]
        true = (tested.y[:, None] == labels) * weights
        predicted = (tested.responses.T[:, :, None] == labels) * weights[:, None]
        hits = predicted * (tested.y[:, None] == labels)[:, None]
        own = np.concatenate([hits, predicted], axis=2)

        def score(own: Array, shared: Array) -> Array:
            k = len(labels)
            parts = own[..., :k], own[..., k:], shared
            if average == "micro":
                parts = tuple(part.sum(axis=-1, keepdims=True) for part in parts)
            by_class = np.nan_to_num(value(*parts), nan=0.0)
            there = (shared > 0) | (own[..., k:] > 0)
            if average == "macro":
                return by_class.sum(axis=-1) / there.sum(axis=-1)
            if average == "weighted":
                return (by_class * shared).sum(axis=-1) / shared.sum(axis=-1)
            return by_class.mean(axis=-1)

        return Sums(own, true, score)

    return sums


def _balanced(tested: RowsTested, kwargs: Mapping[str, Any]) -> Sums | None:
    if kwargs or tested.responses.ndim != 2:
        return None
    weights = tested.plain_weights[:, None]
    true = (tested.y[:, None] == np.unique(tested.y)) * weights
    hits = (tested.responses == tested.y).T[:, :, None] * true[:, None]
    return Sums(hits, true, _mean_recall)


def _mean_recall(hits: Array, true: Array) -> Array:
    return mean_of_known(np.moveaxis(hits / true, -1, 0))


AVERAGES = ("binary", "macro", "micro", "weighted")
SUMS: dict[Any, Callable[[RowsTested, Mapping[str, Any]], Sums | None]] = {
    metrics.accuracy_score: _accuracy,
    metrics.balanced_accuracy_score: _balanced,
    metrics.mean_squared_error: _squared,
    metrics.mean_absolute_error: _absolute,
    metrics.root_mean_squared_error: _root,
    metrics.r2_score: _r2,
    metrics.log_loss: _log_loss,
    metrics.brier_score_loss: _brier,
    metrics.f1_score: _of_classes(lambda hit, said, true: 2 * hit / (said + true)),
    metrics.precision_score: _of_classes(lambda hit, said, true: hit / said),
    metrics.recall_score: _of_classes(lambda hit, said, true: hit / true),
}


# --- any function ---------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Called:
    """A score by calling its function for each candidate and each count of rows.

    Parameters
    ----------
    function : callable
        ``function(y, response, **kwargs)``.
    kwargs : mapping of str to object
        What it is given beside the data.
    tested : RowsTested
        The rows.
    by_split : bool
        Whether each split has a score of its own.
    """

    function: Callable[..., float]
    kwargs: Mapping[str, Any]
    tested: RowsTested
    by_split: bool

    def __call__(self, counts: Counts) -> Array:
        tested = self.tested
        groups = tested.splits if self.by_split else np.zeros_like(tested.splits)
        n_groups, m = int(groups.max()) + 1, len(tested.responses)
        found = np.full((n_groups, len(counts), m), np.nan)
        for draw, count in enumerate(counts):
            for group in range(n_groups):
                members = np.flatnonzero(groups == group)
                rows = np.repeat(members, count[members])
                if rows.size:
                    found[group, draw] = [self._score(i, rows) for i in range(m)]
        return mean_of_known(found)

    def _score(self, candidate: int, rows: NDArray[np.intp]) -> float:
        tested = self.tested
        kwargs = dict(self.kwargs)
        if tested.weights is not None:
            kwargs["sample_weight"] = tested.weights[rows]
        try:
            response = tested.responses[candidate][rows]
            return float(self.function(tested.y[rows], response, **kwargs))
        except Exception:  # such as of rows of one class
            return np.nan
