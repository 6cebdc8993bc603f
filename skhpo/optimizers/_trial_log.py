"""What an optimizer was told, in its order: points, scores, times."""

from __future__ import annotations

import math
from itertools import compress
from typing import Any

import numpy as np

from skhpo._arithmetic import Array
from skhpo._trial import Params, Trial
from skhpo.optimizers._belief import Observations, observe
from skhpo.optimizers._cost import seconds_of

__all__ = ["TrialLog"]


class TrialLog:
    """Trials with their points, in the order in which they were told.

    Attributes
    ----------
    X : list of ndarray of shape (d,)
        Encoded points.
    params : list of dict
        What they stand for.
    scores : list of float
        NaN where failed.
    seconds : list of float
        What one split took, NaN where not known.
    """

    def __init__(self) -> None:
        self.X: list[Array] = []
        self.params: list[Params] = []
        self.scores: list[float] = []
        self.seconds: list[float] = []
        self._totals: list[float] = []  # what all splits took
        self._asked: list[bool] = []
        self._split_scores: list[tuple[float, ...]] = []
        self._to_come: list[float] = []

    def add(self, x: Array, params: Params, trial: Trial, *, asked: bool) -> None:
        """Take note of a trial, and of whether its candidate was asked for."""
        score = math.nan if trial.failed else trial.score
        is_whole = math.isfinite(score) and not trial.dropped
        total, per_split = seconds_of(trial)
        self.X.append(x)
        self.params.append(params)
        self.scores.append(score)
        self.seconds.append(per_split)
        self._totals.append(total)
        self._asked.append(asked)
        self._split_scores.append(trial.split_scores if is_whole else ())
        self._to_come.append(_variance_to_come(trial))

    @property
    def best_params(self) -> dict[str, Any]:
        """The params of the best trial."""
        scores = [-math.inf if math.isnan(s) else s for s in self.scores]
        if max(scores, default=-math.inf) == -math.inf:
            raise ValueError("No trial with a finite score has been told yet.")
        return dict(self.params[scores.index(max(scores))])

    def spent(self, n_initial: int) -> tuple[tuple[float, ...], int]:
        """Return the seconds of all that was asked for, and how many were initial."""
        return tuple(compress(self._totals, self._asked)), sum(self._asked[:n_initial])

    def observations(self) -> Observations:
        """Return what is known about the points, as arrays."""
        k = max(map(len, self._split_scores))
        S = np.full((len(self.X), k), np.nan)
        for i, scores in enumerate(self._split_scores):
            if len(scores) == k:
                S[i] = scores
        X, to_come = np.array(self.X), np.array(self._to_come)
        return observe(X, np.array(self.scores), S, to_come)


def _variance_to_come(trial: Trial) -> float:
    """Return the variance of an estimate, inf if not known; NaN if it is none."""
    if trial.estimate is None:
        return math.nan
    variance = trial.estimate.variance
    return math.inf if math.isnan(variance) else variance
