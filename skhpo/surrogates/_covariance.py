"""How observed points vary together: their distances, the kernel, K and its factor.

Notations are those of `_gp`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.spatial.distance import pdist, squareform

from skhpo._arithmetic import Array
from skhpo.space import SearchSpace
from skhpo.surrogates._embedding import Embedding

__all__ = [
    "Placed",
    "column_distances",
    "covariance",
    "half_solve",
    "matern52",
    "matern52_gradient",
    "solve",
]


def column_distances(F: Array, group: NDArray[np.intp], d: int) -> Array:
    """Return D, the condensed squared distances along each column, (d, n(n-1)/2)."""
    n = len(F)
    D = np.zeros((d, n * (n - 1) // 2))
    for j in range(d):
        D[j] = pdist(F[:, group == j], "sqeuclidean")
    return D


class Placed(NamedTuple):
    """Observed points, with all that does not depend on their values.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Encoded points.
    embedding : Embedding
        Where they are seen.
    F : ndarray of shape (n, p)
        The embedded points.
    D : ndarray of shape (d, n(n-1)/2)
        Their squared distances.
    """

    X: Array
    embedding: Embedding
    F: Array
    D: Array

    @classmethod
    def of(cls, space: SearchSpace, X: Array) -> Placed:
        """Return the points `X` of a space."""
        embedding = Embedding(space, X)
        F = embedding(X)
        D = column_distances(F, embedding.group, embedding.n_groups)
        return cls(X.copy(), embedding, F, D)


def matern52(r2: Array) -> Array:
    """Return the kernel of squared distances `r2`.

    k(r2) = (1 + s + s^2 / 3) exp(-s) with s = sqrt(5 r2). Arrays are reused, because
    for a pool of points most of the time would go into allocating them.
    """
    s = np.sqrt(5.0 * r2)
    k = s * s
    k /= 3.0
    k += 1.0 + s
    np.negative(s, out=s)
    k *= np.exp(s, out=s)
    return k


def matern52_gradient(r2: Array) -> tuple[Array, Array]:
    """Return the kernel of squared distances `r2`, and its derivative by them.

    dk/dr2 = -5/6 (1 + s) exp(-s), which has no singularity at 0.
    """
    s = np.sqrt(5.0 * r2)
    decay = np.exp(-s)
    s1 = 1.0 + s
    return (s1 + s * s / 3.0) * decay, -5.0 / 6.0 * s1 * decay


def covariance(theta: Array, D: Array, v: Array) -> tuple[Array, Array, Array]:
    """Return K, and kernel and its derivative by r^2 for all pairs (condensed)."""
    tau2, sigma2 = np.exp(theta[-2:])
    k, dk = matern52_gradient(np.exp(theta[:-2]) @ D)
    k, dk = tau2 * k, tau2 * dk
    K = squareform(k, checks=False)
    K += 1.0
    K.flat[:: len(K) + 1] += tau2 + sigma2 * v + 1e-10 * tau2
    return K, k, dk


def solve(L: Array, B: Array) -> Array:
    """Return K^-1 B. LAPACK itself: scipy's checks cost more than it, n < 100."""
    solution: Array = lapack.dpotrs(L, B, lower=1)[0]
    return solution


def half_solve(L: Array, B: Array) -> Array:
    """Return L^-1 B."""
    solution: Array = lapack.dtrtrs(L, B, lower=1)[0]
    return solution
