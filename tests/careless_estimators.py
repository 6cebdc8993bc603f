"""Estimators that do what none should; for worker processes to import."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import accuracy_score


def spoil(*parts):
    """Write into data, if they can be written."""
    for part in parts:
        if part is not None:
            data = part.data if hasattr(part, "indptr") else part
            data[:] = 0 if hasattr(data, "dtypes") else data * 0


class WritingSGD(SGDClassifier):
    """Writes into all that ``partial_fit`` and ``predict`` are given."""

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        super().partial_fit(X, y, classes=classes, sample_weight=sample_weight)
        spoil(X, y, sample_weight)
        return self

    def predict(self, X):
        labels = super().predict(X)
        spoil(X)
        return labels


class WritingForest(RandomForestClassifier):
    """Writes into all that ``fit`` is given."""

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        spoil(X, y, sample_weight)
        return self


class Shift(TransformerMixin, BaseEstimator):
    """Centers, and adds to the first column.

    Parameters
    ----------
    shift : float
        What is added.
    """

    def __init__(self, shift=0.0):
        self.shift = shift

    def fit(self, X, y=None):
        self.mean_ = np.asarray(X).mean()
        return self

    def transform(self, X):
        shifted = np.array(X) - self.mean_
        shifted[:, 0] += self.shift
        return shifted


class WritingShift(Shift):
    """The same; writes into all that it is given."""

    def fit(self, X, y=None):
        super().fit(X, y)
        spoil(y)
        return self

    def transform(self, X):
        shifted = super().transform(X)
        spoil(X)
        return shifted


class Stranger(TransformerMixin, BaseEstimator):
    """Transforms as many rows as it has seen, and fails on others.

    Parameters
    ----------
    refuse : bool
        Whether to fail.
    """

    def __init__(self, refuse=True):
        self.refuse = refuse

    def fit(self, X, y=None):
        self.n_rows_ = len(X)
        return self

    def transform(self, X):
        if self.refuse and len(X) != self.n_rows_:
            raise ValueError("these rows are unknown")
        return X


class Unreadable(SGDClassifier):
    """Can be pickled, and not be unpickled after `n_steps` trainings.

    Parameters
    ----------
    alpha : float
        As in the base class.
    kind : {"good", "state", "pickle"}
        "state" cannot be unpickled, "pickle" not even pickled.
    random_state : int or None
        As in the base class.
    """

    def __init__(self, alpha=1e-4, kind="good", random_state=None):
        super().__init__(alpha=alpha, random_state=random_state)
        self.kind = kind

    def __getstate__(self):
        if self.kind == "pickle" and hasattr(self, "coef_"):
            raise TypeError("not to be pickled")
        return super().__getstate__()

    def __setstate__(self, state):
        if state.get("kind") == "state" and "coef_" in state:
            raise ValueError("not to be unpickled")
        super().__setstate__(state)


def writing_metric(y_true, y_pred, sample_weight=None):
    """The accuracy; writes into the target and the weights."""
    score = accuracy_score(y_true, y_pred, sample_weight=sample_weight)
    spoil(y_true, sample_weight)
    return score


def writing_scorer(estimator, X, y):
    """The accuracy; writes into the rows and the target."""
    score = accuracy_score(y, estimator.predict(np.array(X)))
    spoil(X, y)
    return score


class Labelless(ClassifierMixin, BaseEstimator):
    """Learns without a target, whatever its tags say.

    Parameters
    ----------
    rate : float
        Its score.
    """

    def __init__(self, rate=0.5):
        self.rate = rate

    def partial_fit(self, X, y=None):
        self.rate_ = self.rate
        return self

    def fit(self, X, y=None):
        return self.partial_fit(X)

    def score(self, X, y=None):
        return self.rate_


class Mortal(SGDClassifier):
    """Kills its process as long as a file exists, if its penalty is high.

    Parameters
    ----------
    alpha : float
        As in the base class.
    flag : str
        The file.
    random_state : int or None
        As in the base class.
    """

    def __init__(self, alpha=1e-4, flag="", random_state=None):
        super().__init__(alpha=alpha, random_state=random_state)
        self.flag = flag

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        if self.alpha == 0.5 and Path(self.flag).exists():
            os.kill(os.getpid(), signal.SIGKILL)
        return super().partial_fit(X, y, classes, sample_weight)
