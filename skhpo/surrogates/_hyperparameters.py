"""The parameters of a Gaussian process: their prior, and which are the most probable.

Priors, all Gaussian on the logarithms: length-scales w^-1/2 grow with the square root
of the number of columns (Hvarfner, Hellsten & Nardi 2024), as distances do; with
conditions, of those that a point has on average, since others add no distance within
a branch. tau2 is about 1; sigma2 is small. Notations are those of `_gp`.

References
----------
- C. E. Rasmussen, C. K. I. Williams: Gaussian Processes for Machine Learning, 2006.
- C. Hvarfner, E. O. Hellsten, L. Nardi: Vanilla Bayesian Optimization Performs Great
  in High Dimensions, ICML 2024.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack
from scipy.optimize import minimize
from scipy.spatial.distance import squareform

from skhpo._arithmetic import Array
from skhpo.surrogates._covariance import covariance, solve

__all__ = ["Prior", "maximize_posterior", "negative_log_posterior"]

# Prior of log length-scale: mode 0.2 sqrt(d) as in Hvarfner et al. (2024).
LENGTH_SCALE_MODE, LENGTH_SCALE_SD = 0.2, math.sqrt(3.0)
SIGNAL_SD = 1.0
NOISE_MODE, NOISE_SD = 1e-4, 2.0
NOISE_BOUNDS = (1e-6, 1.0)
# An inverse squared length-scale beyond these bounds changes nothing any more.
WEIGHT_BOUNDS = (1e-4, 1e4)
SIGNAL_BOUNDS = (1e-2, 1e2)


@dataclass(frozen=True, eq=False)
class Prior:
    """Independent Gaussians on theta, with bounds.

    Parameters
    ----------
    mean, sd : ndarray of shape (d + 2,)
        Of each log parameter.
    bounds : ndarray of shape (d + 2, 2)
        Of each log parameter.
    """

    mean: Array
    sd: Array
    bounds: Array

    @classmethod
    def for_columns(cls, d: int, n_active: float) -> Prior:
        """Return the prior for `d` columns, of which a point has `n_active`."""
        log_weight = -2.0 * math.log(LENGTH_SCALE_MODE * math.sqrt(max(n_active, 1.0)))
        mean = np.array([log_weight] * d + [0.0, math.log(NOISE_MODE)])
        sd = np.array([2.0 * LENGTH_SCALE_SD] * d + [SIGNAL_SD, NOISE_SD])
        bounds = [WEIGHT_BOUNDS] * d + [SIGNAL_BOUNDS, NOISE_BOUNDS]
        return cls(mean, sd, np.log(np.array(bounds)))

    def penalty(self, theta: Array) -> tuple[float, Array]:
        """Return the negative log density, up to a constant, and its gradient."""
        z = (theta - self.mean) / self.sd
        return 0.5 * float(z @ z), z / self.sd


def negative_log_posterior(
    theta: Array, D: Array, y: Array, v: Array, prior: Prior
) -> tuple[float, Array]:
    """Return -log p(y | theta) p(theta), up to a constant, and its gradient.

    With G = K^-1 - alpha alpha^T, the derivative by a parameter t is
    1/2 tr(G dK/dt) (Rasmussen & Williams 2006, eq. 5.9); pairs count twice in the
    trace, so condensed sums need no factor 1/2. One evaluation costs O(n^3 + d n^2).
    """
    tau2, sigma2 = np.exp(theta[-2:])
    K, k, dk = covariance(theta, D, v)
    # K is symmetric, and its transpose in the order of Fortran: nothing is copied.
    L, info = lapack.dpotrf(K.T, lower=1, overwrite_a=1, clean=0)
    if info != 0:
        return 1e25, np.zeros_like(theta)
    alpha = solve(L, y)
    # A copy, since NumPy 1.24 computes logarithms of numbers that lie apart in another
    # loop, with other last digits, if the result happens to lie just behind them.
    value = 0.5 * float(y @ alpha) + float(np.log(np.diag(L).copy()).sum())
    inverse, _ = lapack.dpotri(L, lower=1, overwrite_c=1)
    G_diagonal = np.diag(inverse) - alpha**2
    # `squareform` reads the upper triangle, where the transposed inverse is.
    G = squareform(inverse.T - np.outer(alpha, alpha), checks=False)
    gradient = np.empty_like(theta)
    gradient[:-2] = np.exp(theta[:-2]) * (D @ (G * dk))
    gradient[-2] = float(G @ k) + 0.5 * tau2 * float(G_diagonal.sum())
    gradient[-1] = 0.5 * sigma2 * float(G_diagonal @ v)
    penalty, penalty_gradient = prior.penalty(theta)
    return value + penalty, gradient + penalty_gradient


def maximize_posterior(
    starts: list[Array], D: Array, y: Array, v: Array, prior: Prior
) -> Array:
    """Return the theta of highest posterior density found from `starts`."""
    best, best_value = starts[0], math.inf
    for start in starts:
        result = minimize(
            negative_log_posterior,
            np.clip(start, prior.bounds[:, 0], prior.bounds[:, 1]),
            args=(D, y, v, prior),
            jac=True,
            method="L-BFGS-B",
            bounds=prior.bounds.tolist(),
            options={"maxiter": 50, "ftol": 1e-6, "gtol": 1e-3},
        )
        if result.fun < best_value:
            best, best_value = result.x, float(result.fun)
    return best
