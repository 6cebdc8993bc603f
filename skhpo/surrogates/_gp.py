"""Gaussian process regression with a Matern-5/2 kernel, in numpy and scipy alone.

Model:

    y_i = f(x_i) + e_i,   e_i ~ N(0, v_i * sigma2),   f ~ GP(m, k),   m ~ N(0, 1)
    k(a, b) = tau2 * (1 + r + r^2 / 3) * exp(-r),   r^2 = 5 sum_j w_j D_j(a, b)

with D_j the squared distance along column j (see `_embedding`). The mean m is
integrated out, which adds 1 to every element of the covariance matrix
(Rasmussen & Williams 2006, section 2.7).

Notations:

=============  ==============  =====================================================
``F``          (n, p)          embedded observations
``y``          (n,)            their values, standardized
``v``          (n,)            relative noise variances, around 1
``D``          (d, n(n-1)/2)   squared distances along each column, condensed (the
                               order of `scipy.spatial.distance.pdist`)
``theta``      (d + 2,)        log w_1 ... log w_d, log tau2, log sigma2
``K``          (n, n)          covariance of y
``L``          (n, n)          its lower Cholesky factor
``alpha``      (n,)            K^-1 y
=============  ==============  =====================================================

The parameters theta are the most probable ones (see `_hyperparameters`).

References
----------
- C. E. Rasmussen, C. K. I. Williams: Gaussian Processes for Machine Learning, 2006.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.spatial.distance import cdist

from skhpo._arithmetic import Array, unit_of
from skhpo.space import SearchSpace
from skhpo.surrogates._covariance import (
    Placed,
    covariance,
    half_solve,
    matern52,
    matern52_gradient,
    solve,
)
from skhpo.surrogates._embedding import Embedding
from skhpo.surrogates._hyperparameters import Prior, maximize_posterior

__all__ = ["GaussianProcess", "informative_subset"]

# With so few observations the posterior may have several modes, and a fit is cheap.
N_SECOND_START = 64
# Rows that are predicted at once: what they need stays in a processor's cache. In one
# piece, 2048 of them take 2.5 times as long after 100 observations (1.4 after 300).
BLOCK = 256


class GaussianProcess:
    """Gaussian process surrogate for a search space.

    Parameters
    ----------
    space : SearchSpace
        Where the points come from.

    Attributes
    ----------
    theta_ : ndarray of shape (d + 2,)
        Log parameters of highest posterior density.

    Examples
    --------
    >>> import numpy as np
    >>> from skhpo.space import Real, SearchSpace
    >>> from skhpo.surrogates import GaussianProcess
    >>> X = np.array([[0.0], [0.25], [0.5], [0.75], [1.0]])
    >>> gp = GaussianProcess(SearchSpace({"x": Real(0, 1)}))
    >>> mean, std = gp.fit(X, np.sin(3 * X[:, 0])).predict(np.array([[0.4]]))
    >>> bool(abs(mean[0] - np.sin(1.2)) < 0.02)
    True
    """

    ranks_directly = False

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        self.embedding = Embedding(space)
        self.prior = Prior.for_columns(self.embedding.n_groups, space.n_active)
        self.theta_: Array | None = None
        self._asked: Placed | None = None

    def fit(
        self, X: Array, y: Array, v: Array | None = None, *, keep_theta: bool = False
    ) -> GaussianProcess:
        """Learn from observations.

        Parameters
        ----------
        X : ndarray of shape (n, d)
            Encoded points, NaN where inactive.
        y : ndarray of shape (n,)
            Their values.
        v : ndarray of shape (n,), default=None
            Relative noise variances; all equal if None.
        keep_theta : bool, default=False
            Whether to keep the parameters of the last fit and only take in the
            observations.

        Returns
        -------
        GaussianProcess
            This object.
        """
        v = np.ones(len(y)) if v is None else v
        unit = unit_of(np.abs(y).max(keepdims=True))  # in which y can be squared
        mean, std = float(np.mean(y / unit)), float(np.std(y / unit)) or 1.0
        self._shift, self._scale = unit * mean, unit * std
        _, self.embedding, self._F, D = self._place(X)
        self._asked = None
        self._y, self._v = (y / unit - mean) / std, v
        if self.theta_ is None or not keep_theta:
            starts = [] if self.theta_ is None else [self.theta_]
            if self.theta_ is None or len(y) <= N_SECOND_START:
                starts.append(self.prior.mean)
            self.theta_ = maximize_posterior(starts, D, self._y, v, self.prior)
        self._factorize(D)
        return self

    def _place(self, X: Array) -> Placed:
        """Return points as they are seen; at once, if they are those last asked for.

        Alternative values are compared at the points that are then learned from.
        """
        asked = self._asked
        if asked is not None and np.array_equal(asked.X, X, equal_nan=True):
            return asked
        return Placed.of(self.space, X)

    @property
    def noise_share_(self) -> float:
        """Share of the noise in the variance of the observations, from 0 to 1."""
        assert self.theta_ is not None
        tau2, sigma2 = np.exp(self.theta_[-2:])
        return float(sigma2 / (tau2 + sigma2))

    def _factorize(self, D: Array) -> None:
        """Compute L and alpha; add to the diagonal until K is positive definite."""
        assert self.theta_ is not None
        K, _, _ = covariance(self.theta_, D, self._v)
        jitter = 0.0
        while True:
            K[np.diag_indices_from(K)] += jitter
            self._L, info = lapack.dpotrf(K, lower=1, clean=1)
            if info == 0:
                break
            jitter = max(1e-8, 10 * jitter)
        self._alpha = solve(self._L, self._y)
        self._weights = np.exp(self.theta_[:-2])[self.embedding.group]
        self._root = np.sqrt(self._weights)
        self._rooted = self._F * self._root

    def _squared_distances(self, F: Array) -> Array:
        """Return the weighted squared distances to the observations, (m, n)."""
        r2: Array = cdist(F * self._root, self._rooted, "sqeuclidean")
        return r2

    def predict(self, X: Array) -> tuple[Array, Array]:
        """Return posterior mean and standard deviation of f, without the noise.

        Rasmussen & Williams (2006), eqs. 2.25 and 2.26.

        Parameters
        ----------
        X : ndarray of shape (m, d)
            Encoded points, NaN where inactive.

        Returns
        -------
        mean, std : ndarray of shape (m,)
            On the scale of the observations.
        """
        blocks = [
            self._predict_block(self.embedding(X[i : i + BLOCK]))
            for i in range(0, len(X) or 1, BLOCK)
        ]
        mean, std = map(np.concatenate, zip(*blocks, strict=True))
        return mean, std

    def _predict_block(self, F: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation at some embedded points."""
        assert self.theta_ is not None
        tau2 = math.exp(self.theta_[-2])
        k = tau2 * matern52(self._squared_distances(F)) + 1.0
        V = half_solve(self._L, k.T)
        variance = np.maximum(tau2 + 1.0 - np.einsum("ij,ij->j", V, V), 1e-12)
        mean = k @ self._alpha
        return self._shift + self._scale * mean, self._scale * np.sqrt(variance)

    def predict_gradient(self, X: Array) -> tuple[Array, Array, Array, Array]:
        """Return the posterior and its derivatives by the points.

        Columns that are categorical, fixed or inactive have derivative 0.

        Parameters
        ----------
        X : ndarray of shape (m, d)
            Encoded points, NaN where inactive.

        Returns
        -------
        mean, std : ndarray of shape (m,)
            As from `predict`.
        d_mean, d_std : ndarray of shape (m, d)
            Their derivatives.
        """
        assert self.theta_ is not None
        F = self.embedding(X)
        tau2 = math.exp(self.theta_[-2])
        k, dk = matern52_gradient(self._squared_distances(F))
        k, dk = tau2 * k + 1.0, tau2 * dk
        B = solve(self._L, k.T).T  # (m, n), k K^-1
        variance = np.maximum(tau2 + 1.0 - np.einsum("ij,ij->i", B, k), 1e-12)
        std = np.sqrt(variance)
        d_mean = self._scale * self._pull(F, dk * self._alpha)
        d_std = -self._scale * self._pull(F, dk * B) / std[:, np.newaxis]
        mean = self._shift + self._scale * (k @ self._alpha)
        by_X = self.embedding.pull(d_mean, X), self.embedding.pull(d_std, X)
        return mean, self._scale * std, *by_X

    def _pull(self, F: Array, C: Array) -> Array:
        """Return sum_i C_i d(r^2)/dF with r^2 the distance to observation i, (m, p)."""
        return 2.0 * self._weights * (F * C.sum(axis=1)[:, np.newaxis] - C @ self._F)

    def profile_log_likelihood(self, X: Array, Y: Array) -> Array:
        """Return the log likelihoods of alternative values at the same points.

        Each column of `Y` is centered, and its scale is replaced by the one of
        highest likelihood: -n/2 log(y^T K^-1 y / n), up to a constant. The kernel is
        that of the last fit, or of the prior's mode before the first.

        Parameters
        ----------
        X : ndarray of shape (n, d)
            Encoded points, NaN where inactive.
        Y : ndarray of shape (n, c)
            Alternatives, one per column.

        Returns
        -------
        ndarray of shape (c,)
            One log likelihood for each.
        """
        theta = self.prior.mean if self.theta_ is None else self.theta_
        self._asked, n = Placed.of(self.space, X), len(X)
        K, _, _ = covariance(theta, self._asked.D, np.ones(n))
        K[np.diag_indices_from(K)] += 1e-8 * K[0, 0]
        L, info = lapack.dpotrf(K, lower=1, clean=1)
        L = L if info == 0 else np.eye(n)
        V = half_solve(L, Y - Y.mean(axis=0))
        return -0.5 * n * np.log(np.einsum("ij,ij->j", V, V) / n + 1e-300)


def informative_subset(y: Array, size: int) -> NDArray[np.intp]:
    """Return the positions of up to `size` observations that tell the most.

    The better half of them are the best ones, the others are evenly spread in the
    order of their values, so that all levels stay represented.
    """
    if len(y) <= size:
        return np.arange(len(y))
    order = np.argsort(-y, kind="stable")
    best, rest = order[: size // 2], order[size // 2 :]
    picks = np.linspace(0, len(rest) - 1, size - len(best)).round().astype(int)
    return np.sort(np.concatenate([best, rest[picks]]))
