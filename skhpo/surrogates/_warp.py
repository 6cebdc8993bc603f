"""Output warping: a monotone transform of the scores, chosen by likelihood.

Scores of real models are skewed: one exploded loss stretches the scale until all good
candidates look equal. The family here is the two-parameter Box-Cox transform (Box &
Cox 1964, eq. 2) of the *gap* to the best score,

    g = max(y) - y + delta,   t(y) = -(g^lambda - 1) / lambda   (-log g for lambda = 0)

which contains the identity (lambda = 1) and the logarithm of the loss; negative lambda
compress bad scores down to a bound. Its parameters are those of highest likelihood
under the surrogate's own covariance (warped Gaussian processes, Snelson, Rasmussen &
Ghahramani 2004), which, unlike the usual one of independent observations, does not
mind that most candidates lie near the optimum.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from skhpo._arithmetic import Array

__all__ = ["independent_log_likelihood", "warp"]

LAMBDAS = (1.0, 0.5, 0.25, 0.0, -0.25, -0.5)
# delta in units of the median gap.
DELTAS = (0.01, 0.03, 0.1, 0.3, 1.0)
# The largest gap, in units of the median gap, that can be squared.
MAX_GAP = 2.0**400


def independent_log_likelihood(Y: Array) -> Array:
    """Return the log likelihood of each column of `Y` as one Gaussian's sample."""
    return -0.5 * len(Y) * np.log(Y.var(axis=0) + 1e-300)


def box_cox(gap: Array, power: float) -> tuple[Array, float]:
    """Return -(gap^power - 1) / power, and the log determinant of its Jacobian."""
    logs = np.log(gap)
    values = -logs if power == 0 else -np.expm1(power * logs) / power
    return values, (power - 1.0) * float(logs.sum())


def warp(y: Array, log_likelihood: Callable[[Array], Array]) -> tuple[Array, Array]:
    """Return the warped scores, standardized, and the local stretch at each of them.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Finite scores, the higher the better.
    log_likelihood : callable
        Of the columns of an array (n, c), invariant to their location and scale.

    Returns
    -------
    t : ndarray of shape (n,)
        Warped scores in the same order, with mean 0 and standard deviation 1.
    slope : ndarray of shape (n,)
        dt/dy; the standard deviation of small noise is multiplied by it.
    """
    gap = y.max() - y
    positive = gap[gap > 0]
    if positive.size == 0:
        return np.zeros_like(y), np.ones_like(y)
    scale = max(float(np.median(positive)), float(gap.max()) / MAX_GAP)
    shapes = [(1.0, 1.0)]
    shapes += [(power, delta) for power in LAMBDAS[1:] for delta in DELTAS]
    gaps = [gap / scale + delta for _, delta in shapes]
    columns = [box_cox(g, power) for g, (power, _) in zip(gaps, shapes, strict=True)]
    Y = np.stack([values for values, _ in columns], axis=1)
    Y = (Y - Y.mean(axis=0)) / Y.std(axis=0)
    # Standardizing divides the Jacobian by the spread, n times.
    spread = np.array([values.std() for values, _ in columns])
    jacobian = np.array([jacobian for _, jacobian in columns]) - len(y) * np.log(spread)
    best = int(np.argmax(log_likelihood(Y) + jacobian))
    power, _ = shapes[best]
    slope = gaps[best] ** (power - 1.0) / (scale * spread[best])
    return Y[:, best], slope
