"""Tree-structured Parzen estimator: densities of good and of bad candidates.

The observations are cut at a quantile of the score into good ones, with density l(x),
and bad ones, g(x). Expected improvement grows with l(x) / g(x) (Bergstra, Bardenet,
Bengio & Kegl 2011, section 4.1), so candidates are drawn from l and ranked by it.

Both densities are mixtures with one product kernel per observation and a flat one for
the prior (multivariate: Falkner, Klein & Hutter 2018), so interactions of parameters
are kept. Numeric columns have Gaussians truncated to [0, 1], whose bandwidth is
n^(-1/(a + 4)) (Scott's rule, as in Falkner et al.) times a fifth of the range, with a
the mean number of active columns, but at least a cell; categorical columns put a share
on their own value and spread the rest. A column that is inactive in an observation is
flat in its kernel.

Notations: ``n`` kernels, ``d`` columns, ``m`` points; ``X`` encoded points, NaN where
inactive.
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp, ndtr, ndtri

from skhpo._arithmetic import Array
from skhpo.space import SearchSpace

__all__ = ["ParzenEstimator"]


def n_good(n: int) -> int:
    """Return how many of `n` observations count as good: a tenth, up to 25."""
    return max(1, min(int(np.ceil(0.1 * n)), 25))


class Mixture:
    """One kernel per observation and a flat one.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        The observations.
    space : SearchSpace
        Where they come from.
    """

    def __init__(self, X: Array, space: SearchSpace) -> None:
        self.X, self.space = X, space
        n, d = X.shape
        spread = 0.2 * max(n, 1) ** (-1.0 / (space.n_active + 4)) * np.ones(d)
        self.bandwidth = np.maximum(spread, 0.5 / space.n_values)
        self.own_share = n / (n + space.n_values)

    def log_density(self, Z: Array) -> Array:
        """Return the log density at `Z`, shape (m,); that of the flat kernel is 0."""
        logs = np.zeros((len(Z), len(self.X) + 1))
        for j in range(Z.shape[1]):
            if self.space.n_values[j] > 1:
                logs[:, :-1] += self._log_kernel(Z[:, j, np.newaxis], j)
        return logsumexp(logs, axis=1) - np.log(logs.shape[1])

    def _log_kernel(self, z: Array, j: int) -> Array:
        """Return the log kernels along column `j`, (m, n), relative to a flat one."""
        x = self.X[np.newaxis, :, j]
        if self.space.is_categorical[j]:
            k, own = self.space.n_values[j], self.own_share[j]
            logs = np.log(np.where(z == x, 1 + own * (k - 1), 1 - own))
        else:
            h = self.bandwidth[j]
            mass = ndtr((1 - x) / h) - ndtr(-x / h)
            logs = -0.5 * ((z - x) / h) ** 2 - np.log(np.sqrt(2 * np.pi) * h * mass)
        return np.where(np.isnan(z) | np.isnan(x), 0.0, logs)

    def sample(self, m: int, rng: np.random.Generator) -> Array:
        """Return `m` encoded points drawn from the mixture."""
        n, d = self.X.shape
        kernel = rng.integers(n + 1, size=m)
        Z = rng.random((m, d))
        x = np.vstack([self.X, np.full((1, d), np.nan)])[kernel]
        low = ndtr(-x / self.bandwidth)
        high = ndtr((1 - x) / self.bandwidth)
        near = x + self.bandwidth * ndtri(low + Z * (high - low))
        own = np.where(rng.random((m, d)) < self.own_share, x, Z)
        moved = np.where(self.space.is_categorical, own, near)
        return self.space.snap(np.where(np.isnan(x), Z, moved))


class ParzenEstimator:
    """Tree-structured Parzen estimator for a search space.

    Parameters
    ----------
    space : SearchSpace
        Where the points come from.

    Examples
    --------
    >>> import numpy as np
    >>> from skhpo.space import Real, SearchSpace
    >>> from skhpo.surrogates import ParzenEstimator
    >>> X = np.linspace(0, 1, 30)[:, np.newaxis]
    >>> tpe = ParzenEstimator(SearchSpace({"x": Real(0, 1)})).fit(X, -X[:, 0])
    >>> mean, _ = tpe.predict(np.array([[0.1], [0.9]]))
    >>> bool(mean[0] > mean[1])
    True
    """

    ranks_directly = True

    def __init__(self, space: SearchSpace) -> None:
        self.space = space

    def fit(self, X: Array, y: Array) -> ParzenEstimator:
        """Learn from observations.

        Parameters
        ----------
        X : ndarray of shape (n, d)
            Encoded points, NaN where inactive.
        y : ndarray of shape (n,)
            Their values.

        Returns
        -------
        ParzenEstimator
            This object.
        """
        order = np.argsort(-y, kind="stable")
        # What is as bad as the worst, such as a failure, is not good among the few.
        k = max(1, min(n_good(len(y)), int((y > y.min()).sum())))
        self._good = Mixture(X[order[:k]], self.space)
        self._bad = Mixture(X[order[k:]], self.space)
        return self

    def predict(self, X: Array) -> tuple[Array, Array]:
        """Return the log ratio of the densities, and no deviation.

        Parameters
        ----------
        X : ndarray of shape (m, d)
            Encoded points, NaN where inactive.

        Returns
        -------
        mean, std : ndarray of shape (m,)
            The log ratio log l(x) - log g(x), and zeros.
        """
        ratio = self._good.log_density(X) - self._bad.log_density(X)
        return ratio, np.zeros(len(X))

    def sample(self, m: int, rng: np.random.Generator) -> Array:
        """Draw points from the density of good ones.

        Parameters
        ----------
        m : int
            How many.
        rng : numpy.random.Generator
            The source of randomness.

        Returns
        -------
        ndarray of shape (m, d)
            Encoded points.
        """
        return self._good.sample(m, rng)
