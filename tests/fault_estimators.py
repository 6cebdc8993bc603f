"""Estimators that count their fits in a file, in whatever process these are done."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from skhpo import register_incremental
from skhpo.evaluation.incremental import PartialFit

TIMES = ("mean_fit_time", "std_fit_time", "mean_score_time", "std_score_time")


def count(log):
    """How many fits there were."""
    return len(Path(log).read_bytes())


def scores_of(search):
    """Everything in ``cv_results_`` but the times, comparable by ``==``."""
    return {
        name: repr(np.ma.getdata(values).tolist())
        for name, values in search.cv_results_.items()
        if name not in TIMES
    }


class Counted(ClassifierMixin, BaseEstimator):
    """Scores its level; writes a byte at each fit, also by ``partial_fit``.

    Parameters
    ----------
    level, offset : float
        Their sum is the score; in training, the sum over the steps.
    log : str or None
        The file in which fits are counted.
    extra : object
        Of no meaning.
    fail_above : float
        Fits of a higher level raise.
    seconds : float
        What a fit takes.
    """

    def __init__(
        self, level=0.5, log=None, offset=0.0, extra=None, fail_above=2.0, seconds=0.0
    ):
        self.level = level
        self.log = log
        self.offset = offset
        self.extra = extra
        self.fail_above = fail_above
        self.seconds = seconds

    def fit(self, X, y, sample_weight=None):
        self.total_ = 0.0
        return self.partial_fit(X, y, sample_weight)

    def partial_fit(self, X, y, sample_weight=None, classes=None):
        if self.log is not None:
            with open(self.log, "ab") as log:
                log.write(b".")
        time.sleep(self.seconds)
        if self.level > self.fail_above:
            raise ValueError(f"level {self.level} is too high")
        self.classes_ = np.array([0, 1])
        self.total_ = getattr(self, "total_", 0.0) + self.level + self.offset
        return self

    def predict(self, X):
        return np.zeros(len(X), dtype=int)

    def score(self, X, y=None):
        return self.total_


register_incremental(Counted, PartialFit(), effective=["level"])
