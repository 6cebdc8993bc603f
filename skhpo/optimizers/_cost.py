"""What a candidate is expected to take, learned from the times of others.

Times are products of what the parameters do (the number of trees, their depth, the
rows), so their logarithms are nearly sums, with some curvature: a ridge regression of
the logarithm on all products of two coordinates, in its dual form, predicts them as
well as a Gaussian process at a fraction of its cost (docs/decisions/bayes_tried.md).

Notations: ``n`` trials; ``X`` (n, d) encoded points; ``F`` (n, p) embedded ones, around
0; ``seconds`` (n,) of one split each, NaN where not known; ``c(x)`` the expected time.
"""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import numpy as np

from skhpo._arithmetic import Array
from skhpo._trial import Trial
from skhpo.space import SearchSpace
from skhpo.surrogates._embedding import Embedding

__all__ = ["Price", "TimeModel", "check_exponent", "seconds_of"]

# What a candidate takes besides its fits: a proposal, the way to a worker. A fit that
# takes less is not cheaper by much, and a failure at once is not free.
OVERHEAD = 0.02
# Times that differ by a smaller factor are the same.
SAME = 1.0 + 1e-6
# Logarithms of factors are kept within what can be exponentiated.
MAX_LOG = 600.0
# The model learns from so many trials at the most, evenly spread over the search.
MAX_OBSERVATIONS = 500
# Penalties of which the one of the smallest leave-one-out error is taken.
PENALTIES = np.logspace(-3.0, 2.0, 11)


def seconds_of(trial: Trial) -> tuple[float, float]:
    """Return the recorded seconds of a trial: of all its splits, and of one of them.

    Parameters
    ----------
    trial : Trial
        What is not known, of a fit whose worker died, does not count.

    Returns
    -------
    total, per_split : float
        The second is NaN if no time is known. A dropped candidate has fewer splits.
    """
    times = [e.fit_time + e.score_time for e in trial.done]
    known = [t for t in times if t > 0]  # neither NaN nor 0, which stands for unknown
    total = math.fsum(known)
    return total, total / len(known) if known else math.nan


def check_exponent(value: Any, what: str) -> float:
    """Return an exponent of the cost, if it is one."""
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or not 0 <= value < math.inf:
        raise ValueError(
            f"{what} must be a finite number that is not negative. Got {value!r} "
            "instead."
        )
    return float(value)


def ridge_weights(K: Array, y: Array) -> Array:
    """Return the weights of kernel ridge regression, its penalty by leave-one-out.

    With (K + l I)^-1 = G and w = G y, the error of each value by a model that has not
    seen it is w_i / G_ii (Rasmussen & Williams 2006, eq. 5.12), from one
    eigendecomposition for all l.

    Parameters
    ----------
    K : ndarray of shape (n, n)
        The kernel between the observations.
    y : ndarray of shape (n,)
        Their values, around 0.

    Returns
    -------
    ndarray of shape (n,)
        The prediction at a point is its kernel with the observations times these.
    """
    eigenvalues, Q = np.linalg.eigh(K)
    inverse = 1.0 / (np.maximum(eigenvalues, 0.0) + PENALTIES[:, np.newaxis])
    W = (inverse * (Q.T @ y)) @ Q.T  # a row for each penalty
    errors = W / (inverse @ (Q**2).T)
    best: Array = W[np.argmin((errors**2).sum(axis=1))]
    return best


class TimeModel:
    """Expects of points what they will take.

    Parameters
    ----------
    space : SearchSpace
        Where the points come from.
    """

    def __init__(self, space: SearchSpace) -> None:
        self.space = space

    def fit(self, X: Array, seconds: Array) -> bool:
        """Learn from trials; return whether their times differ.

        Parameters
        ----------
        X : ndarray of shape (n, d)
            Encoded points.
        seconds : ndarray of shape (n,)
            Their times, NaN where not known.

        Returns
        -------
        bool
            False if nothing can be learned.
        """
        known = np.flatnonzero(np.isfinite(seconds))
        n_kept = min(len(known), MAX_OBSERVATIONS)
        kept = known[np.linspace(0, len(known) - 1, n_kept).round().astype(int)]
        logs = np.log(seconds[kept] + OVERHEAD)
        if len(kept) < 2 or np.ptp(logs) <= math.log(SAME):
            return False
        self._embedding = Embedding(self.space, X[kept])
        self._F = self._embed(X[kept])
        K = (1.0 + self._F @ self._F.T) ** 2
        self._weights = ridge_weights(K, logs - logs.mean())
        # The unit: a typical trial.
        self._shift = float(logs.mean() - np.median(logs))
        return True

    def _embed(self, X: Array) -> Array:
        return self._embedding(X) - 0.5

    def log_relative(self, X: Array) -> Array:
        """Return log c(x), minus the median of the trials, at `X`."""
        K = (1.0 + self._embed(X) @ self._F.T) ** 2
        return self._shift + K @ self._weights

    def log_relative_gradient(self, X: Array) -> tuple[Array, Array]:
        """Return the same with its derivatives (n, d), 0 for what is no number."""
        root = 1.0 + self._embed(X) @ self._F.T
        by_F = 2.0 * (root * self._weights) @ self._F
        return self._shift + root**2 @ self._weights, self._embedding.pull(by_F, X)


class Price:
    """The factor c(x)^-alpha, for a time relative to that of a typical trial.

    Parameters
    ----------
    times : TimeModel
        Fitted.
    exponent : float
        alpha.
    """

    def __init__(self, times: TimeModel, exponent: float) -> None:
        self.times = times
        self.exponent = exponent

    def value(self, X: Array) -> Array:
        """Return the factors (n,) at `X`."""
        return self._factor(self.times.log_relative(X))

    def gradient(self, X: Array) -> tuple[Array, Array]:
        """Return them with their derivatives (n, d)."""
        logs, d_logs = self.times.log_relative_gradient(X)
        w = self._factor(logs)
        return w, -self.exponent * w[:, np.newaxis] * d_logs

    def _factor(self, logs: Array) -> Array:
        return np.exp(np.clip(-self.exponent * logs, -MAX_LOG, MAX_LOG))
