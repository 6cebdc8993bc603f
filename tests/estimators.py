"""Estimators that count, fail, wait or die, for tests.

They live in an importable module and not beside the tests, so that worker processes
can unpickle them. All are quick, deterministic and know the answer.
"""

import os
import time
import zlib
from copy import copy
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import GridSearchCV


class Threshold(ClassifierMixin, BaseEstimator):
    """Compares the first column with its mean in training plus `level`."""

    def __init__(self, level=0.0):
        self.level = level

    def fit(self, X, y, sample_weight=None):
        X = np.asarray(X)
        self.classes_ = np.unique(y)
        self.n_features_in_ = X.shape[1]
        self.threshold_ = X[:, 0].mean() + self.level
        return self

    def predict(self, X):
        return self.classes_[(np.asarray(X)[:, 0] > self.threshold_).astype(int)]


class Counting(Threshold):
    """Counts the fits of all its instances, within one process."""

    n_fits: ClassVar[int] = 0

    def fit(self, X, y, sample_weight=None):
        type(self).n_fits += 1
        return super().fit(X, y, sample_weight)


class Recording(Threshold):
    """Keeps what came to `fit` and `score` of all its instances, in one process.

    It may be trained in steps, of which each forgets those before.
    """

    seen: ClassVar[list] = []

    def fit(self, X, y, sample_weight=None):
        self.seen.append(("fit", len(X), sample_weight))
        return super().fit(X, y, sample_weight)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        return self.fit(X, y, sample_weight)

    def score(self, X, y, sample_weight=None):
        self.seen.append(("score", len(X), sample_weight))
        return super().score(X, y, sample_weight)


class Failing(Threshold):
    """Fails to fit "never", "always", for negative levels ("level"), or where the row
    whose last column is 0 is not among the training rows ("split")."""

    def __init__(self, level=0.0, fails="never"):
        super().__init__(level)
        self.fails = fails

    def fit(self, X, y, sample_weight=None):
        if self.fails == "always":
            raise ValueError(f"It always fails, so it did at level {self.level}")
        if self.fails == "level" and self.level < 0:
            raise ValueError(f"No level below 0: {self.level}")
        if self.fails == "split" and not (np.asarray(X)[:, -1] == 0).any():
            raise RuntimeError("The first row is missing")
        return super().fit(X, y, sample_weight)


class Slow(Threshold):
    """Takes `seconds` to fit, asleep."""

    def __init__(self, level=0.0, seconds=0.1):
        super().__init__(level)
        self.seconds = seconds

    def fit(self, X, y, sample_weight=None):
        time.sleep(self.seconds)
        return super().fit(X, y, sample_weight)


class Uneven(Threshold):
    """Takes 0, 10 or 20 ms to fit, whatever comes first; best at level 0.3."""

    def fit(self, X, y, sample_weight=None):
        time.sleep(0.01 * (zlib.crc32(repr(self.level).encode()) % 3))
        return super().fit(X, y, sample_weight)

    def score(self, X, y, sample_weight=None):
        return super().score(X, y, sample_weight) / 9 - (self.level - 0.3) ** 2


class Dying(Threshold):
    """Takes its process down at one level, unless that is the process `spared`."""

    def __init__(self, level=0.0, deadly=None, spared=None, seconds=0.0):
        super().__init__(level)
        self.deadly = deadly
        self.spared = spared
        self.seconds = seconds

    def fit(self, X, y, sample_weight=None):
        if self.level == self.deadly and os.getpid() != self.spared:
            time.sleep(self.seconds)
            os._exit(1)
        return super().fit(X, y, sample_weight)


class Anything(ClassifierMixin, BaseEstimator):
    """Takes any values; its score tells values apart by type and text."""

    def __init__(self, a=None, b=None, c=None):
        self.a = a
        self.b = b
        self.c = c

    def fit(self, X, y=None):
        given = self.get_params(deep=False).values()
        values = [(type(value).__name__, repr(value)) for value in given]
        self.classes_ = np.array([0, 1])
        self.score_ = zlib.crc32(repr([values, len(X), float(X[0, 0])]).encode())
        return self

    def predict(self, X):
        return np.zeros(len(X), dtype=int)

    def score(self, X, y=None):
        return self.score_ / 2**32


class AlwaysTransforms(GridSearchCV):
    """A search with a mistake: it has `transform`, whatever it searches over."""

    def transform(self, X):
        return self.best_estimator_.transform(X)


class Touchy(SGDClassifier):
    """Learns, in one go or step by step, unless its alpha is `fails_at`."""

    def __init__(self, alpha=1e-4, fails_at=None, random_state=0):
        super().__init__(loss="log_loss", alpha=alpha, random_state=random_state)
        self.fails_at = fails_at

    def fit(self, X, y, sample_weight=None):
        self._check()
        return super().fit(X, y, sample_weight=sample_weight)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        self._check()
        return super().partial_fit(X, y, classes, sample_weight)

    def _check(self):
        if self.alpha == self.fails_at:
            raise ValueError(f"alpha is {self.alpha}")


class Overwriting(Touchy):
    """Learns, and then writes into all that it was given."""

    def fit(self, X, y, sample_weight=None):
        return self._overwrite(super().fit(X, y, sample_weight), X, y, sample_weight)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        super().partial_fit(X, y, classes, sample_weight)
        return self._overwrite(self, X, y, sample_weight)

    def _overwrite(self, fitted, X, y, sample_weight):
        X *= 2
        y[:] = y[::-1].copy()
        if sample_weight is not None:
            sample_weight[:] = [0.0] * len(sample_weight)
        return fitted


class Growing(Touchy):
    """Learns in `n_steps` steps, and remembers each, so that one fit tells of all."""

    def __init__(
        self, alpha=1e-4, fails_at=None, random_state=0, n_steps=2, warm_start=False
    ):
        super().__init__(alpha, fails_at, random_state)
        self.n_steps = n_steps
        self.warm_start = warm_start

    def fit(self, X, y, sample_weight=None):
        if not self.warm_start:
            self.steps_ = []
        for _ in range(self.n_steps - len(self.steps_)):
            self.partial_fit(X, y, np.unique(y), sample_weight)
            self.steps_.append((self.coef_.copy(), self.intercept_.copy()))
        return self


class OverwritingGrowing(Growing):
    """The same, and then writes into all that it was given."""

    def fit(self, X, y, sample_weight=None):
        fitted = super().fit(X, y, sample_weight)
        return Overwriting._overwrite(self, fitted, X, y, sample_weight)


def growth(fitted, X, method):
    """Yield what `Growing` gives after each of its steps."""
    stage = copy(fitted)
    for stage.coef_, stage.intercept_ in fitted.steps_:
        yield getattr(stage, method)(X)
