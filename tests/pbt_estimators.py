"""Half-trained estimators that fail, diverge, interrupt or kill their worker.

In a module of their own, and not in a test file: worker processes import it by name.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.preprocessing import StandardScaler

from skhpo import register_incremental
from skhpo.evaluation.incremental import PartialFit


class Walker(RegressorMixin, BaseEstimator):
    """Its score is the sum of the rates it was trained with; does as it is told.

    Parameters
    ----------
    rate : float
        Added to the score at each step.
    act : {"go", "fail", "nan", "die", "stop", "sleep"}
        What to do at a step later than the first `after` ones.
    after : int
        See `act`.
    lock : str or None
        A file: `act` is done once only, by whoever creates it.
    """

    def __init__(self, rate=0.5, act="go", after=0, lock=None):
        self.rate = rate
        self.act = act
        self.after = after
        self.lock = lock

    def fit(self, X, y=None, sample_weight=None):
        return self.partial_fit(X, y, sample_weight)

    def partial_fit(self, X, y=None, sample_weight=None):
        self.n_steps_ = getattr(self, "n_steps_", 0) + 1
        self.total_ = getattr(self, "total_", 0.0) + self.rate
        self.weight_ = None if sample_weight is None else float(np.sum(sample_weight))
        if self.n_steps_ > self.after and self._first():
            self._act()
        return self

    def _first(self):
        if self.lock is None:
            return True
        try:
            Path(self.lock).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def _act(self):
        if self.act == "fail":
            raise ValueError("told to fail")
        if self.act == "nan":
            self.total_ = np.nan
        if self.act == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.act == "stop":
            raise KeyboardInterrupt
        if self.act == "sleep":
            time.sleep(0.6)

    def predict(self, X):
        return np.full(len(X), self.total_)

    def score(self, X, y=None):
        return self.total_


# Else it would be probed, by being told to fail or to die.
register_incremental(Walker, PartialFit(), effective=["rate"])


class CountingScaler(StandardScaler):
    """Counts its fits in a file."""

    def __init__(self, path=None, with_mean=True):
        super().__init__(with_mean=with_mean)
        self.path = path

    def fit(self, X, y=None, sample_weight=None):
        if self.path is not None:
            with open(self.path, "a", encoding="ascii") as file:
                file.write("fit\n")
        return super().fit(X, y, sample_weight)


class LastLabels(ClassifierMixin, BaseEstimator):
    """Remembers the labels it was told of and those it saw."""

    def __init__(self, rate=1.0):
        self.rate = rate

    def fit(self, X, y):
        return self.partial_fit(X, y, np.unique(y))

    def partial_fit(self, X, y, classes=None):
        if not hasattr(self, "classes_"):
            self.classes_ = np.asarray(classes)
        self.seen_ = np.unique(y)
        self.rates_ = [*getattr(self, "rates_", []), self.rate]
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


class Hoarder(Walker):
    """Grows by `n_bytes` at each step, as an ensemble does."""

    def __init__(self, rate=0.5, act="go", after=0, lock=None, n_bytes=0):
        super().__init__(rate, act, after, lock)
        self.n_bytes = n_bytes

    def partial_fit(self, X, y=None, sample_weight=None):
        super().partial_fit(X, y, sample_weight)
        self.hoard_ = [*getattr(self, "hoard_", []), np.ones(self.n_bytes, np.uint8)]
        return self
