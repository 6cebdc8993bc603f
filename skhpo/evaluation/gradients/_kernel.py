"""The gradient of a score by the hyperparameters of kernel ridge regression.

The dual coefficients solve (K + alpha/w) a = y, and the predictions are K_test a. With
U, the derivative of the score by the predictions, and (K + alpha/w) u = K_test' U:

    dS/dalpha = -u' (a / w),    dS/dK = -u a',    dS/dK_test = U a',

and the rest is the derivative of the kernel by its parameters, and by the columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from sklearn.metrics.pairwise import pairwise_kernels
from sklearn.utils.extmath import safe_sparse_dot

from skhpo.evaluation.gradients._fold import Fold, Slopes
from skhpo.evaluation.gradients._losses import Array

__all__ = ["KERNELS", "kernel_ridge_slopes", "why_no_kernel_slopes"]

# Kernels with a derivative here, and their parameters.
KERNELS = {"linear": (), "rbf": ("gamma",), "polynomial": ("gamma", "coef0")}
KERNELS["poly"] = KERNELS["polynomial"]


def why_no_kernel_slopes(model: Any) -> str | None:
    """Return why this model has no gradient, None if it has."""
    if model.kernel not in KERNELS:
        return f"kernel={model.kernel!r} has no gradient; {list(KERNELS)} have one"
    return None


def kernel_ridge_slopes(model: Any, fold: Fold) -> Slopes:
    """Return the derivatives of the score by alpha and the parameters of the kernel."""
    X = model.X_fit_
    kernel = _Kernel(model, X.shape[1])
    K, K_test = kernel(X, X), kernel(fold.X_test, X)
    y = np.asarray(fold.y_train, dtype=float)
    y = y.reshape(len(y), -1)
    weights = np.ones(len(y))
    if fold.sample_weight is not None:
        weights = np.asarray(fold.sample_weight) * weights
    # Symmetric, and right for rows of weight 0 too.
    root = np.sqrt(weights)[:, None]
    factor = scipy.linalg.lu_factor(
        root * K * root.T + float(model.alpha) * np.eye(len(y))
    )
    a = root * scipy.linalg.lu_solve(factor, root * y)
    U = fold.score_slopes(K_test @ a)
    u = scipy.linalg.lu_solve(factor, root * (K_test.T @ U))
    scaled = scipy.linalg.lu_solve(factor, root * y)
    slopes = {"alpha": -float(np.sum(u * scaled))}
    columns = np.zeros(X.shape[1])
    for by_kernel, X_left in ((U @ a.T, fold.X_test), (-(root * u) @ a.T, X)):
        by_params, by_columns = kernel.slopes(by_kernel, X_left, X)
        columns = columns + by_columns
        for name, value in by_params.items():
            slopes[name] = slopes.get(name, 0.0) + value
    return Slopes(slopes, columns)


@dataclass(frozen=True, eq=False)
class _Kernel:
    model: Any
    n_columns: int

    @property
    def gamma(self) -> float:
        gamma = self.model.gamma
        return 1.0 / self.n_columns if gamma is None else float(gamma)

    def __call__(self, X: Any, Z: Any) -> Array:
        params = {
            "gamma": self.gamma,
            "coef0": self.model.coef0,
            "degree": self.model.degree,
        }
        kernel = pairwise_kernels(
            X, Z, metric=self.model.kernel, filter_params=True, **params
        )
        return np.asarray(kernel)

    def slopes(self, M: Array, X: Any, Z: Any) -> tuple[dict[str, float], Array]:
        """Return derivatives by parameters and by scales of columns.

        Parameters
        ----------
        M : array
            The derivative of the score by each entry of the kernel.
        X, Z : array or sparse matrix
            The kernel's arguments.
        """
        if self.model.kernel == "rbf":
            return self._rbf_slopes(M, X, Z)
        dot = safe_sparse_dot(X, Z.T, dense_output=True)
        if self.model.kernel == "linear":
            return {}, 2 * _by_products(M, X, Z)
        degree, gamma = self.model.degree, self.gamma
        M = M * degree * (gamma * dot + self.model.coef0) ** (degree - 1)
        slopes = {"gamma": float(np.sum(M * dot)), "coef0": float(np.sum(M))}
        return slopes, 2 * gamma * _by_products(M, X, Z)

    def _rbf_slopes(self, M: Array, X: Any, Z: Any) -> tuple[dict[str, float], Array]:
        M = M * self(X, Z)
        by_squares = M.sum(axis=1) @ _squared(X) + M.sum(axis=0) @ _squared(Z)
        distances = by_squares - 2 * _by_products(M, X, Z)  # sum M_ik (x_ij - z_kj)^2
        return {"gamma": -float(distances.sum())}, -2 * self.gamma * distances


def _by_products(M: Array, X: Any, Z: Any) -> Array:
    """Return the sum over i and k of M_ik x_ij z_kj, for each column j."""
    MZ = safe_sparse_dot(M, Z, dense_output=True)
    if hasattr(X, "multiply"):
        return np.asarray(X.multiply(MZ).sum(axis=0)).ravel()
    return np.asarray((X * MZ).sum(axis=0))


def _squared(X: Any) -> Any:
    return X.multiply(X) if hasattr(X, "multiply") else X**2
