"""The gradient of a score by the penalties of a linear model.

A linear model minimizes, over coefficients W and intercepts b,

    sum_i a_i loss(y_i, x_i W + b) + l1 |W|_1 + l2/2 |W|_2^2.

At the minimum, on the support of W, the derivative G of this by (W, b) is zero, for
all l1 and l2. So its total derivative by them is zero too: H dW/dl = -dG/dl, where H is
the Hessian. The score S depends on l through W alone, hence

    dS/dl = -u' dG/dl    with    H u = dS/d(W, b).

Multiplying column j by exp(s) is the same as dividing its coefficients by exp(s) in the
penalty, so that dG/ds = -(P' + P'' W) at s = 0, with the derivatives of the penalty P.

Notations: ``Z`` is X with a column of ones for the intercept; ``V`` of shape (p, K)
has the intercepts in its last row; `support` says which entries of V may move.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse

from skhpo.evaluation.gradients._fold import NotAtMinimumError
from skhpo.evaluation.gradients._losses import Array, Loss

__all__ = ["LinearFit", "at_minimum", "penalty_slopes"]

# Unknowns up to which the Hessian is written out: conjugate gradients lose digits where
# columns are nearly collinear.
MAX_DENSE = 1000
MAX_STEPS = 50  # of Newton, from where the model's own solver has ended
TOLERANCE = 1e-9  # of the derivative, relative to the terms that it is the sum of
SLACK = 1e-6  # by which the derivative at 0 may be above the l1 penalty, relative to it
FAR = 0.05  # by which a fit may be off, relative to what makes a difference


@dataclass(frozen=True, eq=False)
class LinearFit:
    """A fitted linear model.

    Parameters
    ----------
    Z : array or sparse matrix of shape (n, p)
        What it was fitted on.
    y : array of shape (n, K)
        The target, as the loss takes it.
    weights : array of shape (n,)
        Of the rows in the sum of losses.
    loss : Loss
        The loss.
    V : array of shape (p, K)
        Its coefficients, intercepts among them.
    has_intercept : bool
        Whether the last row of V are intercepts, which are not penalized.
    l1, l2 : float
        The penalties.
    signs : array of shape (p, K)
        With an l1 penalty, those of the coefficients; 0 for one that stays 0.
    """

    Z: Any
    y: Array
    weights: Array
    loss: Loss
    V: Array
    has_intercept: bool
    l1: float
    l2: float
    signs: Array

    @cached_property
    def penalized(self) -> Array:
        """1 for rows of V that are penalized, 0 for intercepts; of shape (p, 1)."""
        rows = np.ones((len(self.V), 1))
        if self.has_intercept:
            rows[-1] = 0.0
        return rows

    @cached_property
    def support(self) -> Array:
        """Which entries of V may move: without an l1 penalty, all of them."""
        if self.l1 == 0:
            return np.ones(self.V.shape, dtype=bool)
        return (self.signs != 0) | (self.penalized == 0)

    @cached_property
    def form(self) -> Array:
        """The linear form on the training rows."""
        return np.asarray(self.Z @ self.V)

    @cached_property
    def of_penalty(self) -> Array:
        """The derivative of the penalty by V."""
        return self.penalized * (self.l1 * self.signs + self.l2 * self.V)

    def derivative(self) -> tuple[Array, float]:
        """Return the derivative by V, and the size of the terms it is the sum of."""
        terms = self.weights[:, None] * self.loss.first(self.form, self.y)
        size = abs(self.Z).T @ abs(terms) + abs(self.of_penalty)
        return self.Z.T @ terms + self.of_penalty, float(np.max(size))

    def solve(self, right: Array) -> Array:
        """Return the solution of H u = right on the support, and 0 elsewhere."""
        support = self.support.T  # unknowns in the order of the outputs
        solution = np.zeros_like(self.V)
        if not support.any():
            return solution
        solver = self._dense if support.sum() <= MAX_DENSE else self._by_gradients
        solution.T[support] = solver(right.T[support])
        return solution

    def _dense(self, right: Array) -> Array:
        hessian = self._hessian()
        try:
            factor = scipy.linalg.cho_factor(hessian)
            solution = scipy.linalg.cho_solve(factor, right)
        except scipy.linalg.LinAlgError:
            solution = scipy.linalg.lstsq(hessian, right)[0]
        return np.asarray(solution)

    def _hessian(self) -> Array:
        """Return the Hessian on the support."""
        columns = [np.flatnonzero(mask) for mask in self.support.T]
        ends = np.cumsum([0, *map(len, columns)])
        places = [slice(*pair) for pair in itertools.pairwise(ends)]
        hessian = np.zeros((ends[-1], ends[-1]))
        for k, own in enumerate(columns):
            left = self.Z[:, own].T
            for m in range(k, len(columns)):
                block = self.loss.block(self.form, self.y, k, m)
                if block is None:
                    continue
                product = left @ _rows_times(
                    self.weights * block, self.Z[:, columns[m]]
                )
                if _is_sparse(product):
                    product = product.toarray()
                hessian[places[k], places[m]] = product
                hessian[places[m], places[k]] = product.T
        hessian += np.diag(self._ridge)
        return hessian

    @cached_property
    def _ridge(self) -> Array:
        """The second derivative of the penalty on the support.

        A common constant added to all intercepts changes no softmax. The Hessian is 0
        in that direction, and the right-hand sides are too: any number there will do.
        """
        all_ones = np.ones_like(self.V)
        ridge = self.l2 * (self.penalized * all_ones)
        if self.has_intercept and self.V.shape[1] > 1:
            ridge[-1] = 1e-10 * self.weights.sum()
        diagonal: Array = ridge.T[self.support.T]
        return diagonal

    def _by_gradients(self, right: Array) -> Array:
        """Solve by conjugate gradients, scaled by the diagonal."""
        support = self.support.T

        def times(v: Array) -> Array:
            full = np.zeros_like(self.V)
            full.T[support] = v
            bent = self.loss.times(self.form, self.y, np.asarray(self.Z @ full))
            product = self.Z.T @ (self.weights[:, None] * bent)
            return np.asarray(product.T[support] + self._ridge * v)

        squares = self.Z.multiply(self.Z) if _is_sparse(self.Z) else self.Z**2
        blocks: list[Any] = [
            self.loss.block(self.form, self.y, k, k) for k in range(self.V.shape[1])
        ]
        curvature = self.weights[:, None] * np.stack(blocks, axis=1)
        diagonal = np.asarray(squares.T @ curvature).T[support] + self._ridge
        diagonal[diagonal <= 0] = 1.0
        return _conjugate_gradients(times, right, diagonal)


def _conjugate_gradients(
    times: Callable[[Array], Array], right: Array, diagonal: Array
) -> Array:
    """Solve a positive definite system, scaled by its diagonal.

    SciPy's own has other keywords in each of the versions that are supported.
    """
    solution, residual = np.zeros_like(right), right.copy()
    scaled = residual / diagonal
    direction, energy = scaled, float(residual @ scaled)
    end = 1e-10 * float(np.linalg.norm(right))
    for _ in range(10 * len(right)):
        if np.linalg.norm(residual) <= end:
            return solution
        product = times(direction)
        length = energy / float(direction @ product)
        solution = solution + length * direction
        residual = residual - length * product
        scaled = residual / diagonal
        before, energy = energy, float(residual @ scaled)
        direction = scaled + energy / before * direction
    raise NotAtMinimumError(
        "Conjugate gradients did not converge: the penalty is too weak for columns "
        "that are nearly collinear. Raise its lower bound."
    )


def at_minimum(fit: LinearFit) -> LinearFit:
    """Return the fit with exact coefficients: Newton's steps from where it has ended.

    Parameters
    ----------
    fit : LinearFit
        As its own solver left it, to its own tolerance.

    Returns
    -------
    LinearFit
        At the minimum.

    Raises
    ------
    NotAtMinimumError
        If the steps do not lead there, or to predictions that are others.
    """
    now = fit
    for _ in range(MAX_STEPS):
        derivative, size = now.derivative()
        left = np.abs(derivative[now.support]).max(initial=0.0)
        if left > TOLERANCE * size:
            now = _step(now, derivative)
        elif now.l1 and (np.abs(derivative) > now.l1 * (1 + SLACK))[~now.support].any():
            now = _widened(now, derivative)
        else:
            _check_near(fit, now)
            return now
    raise NotAtMinimumError(_not_converged("is not near its minimum"))


def _step(fit: LinearFit, derivative: Array) -> LinearFit:
    """Return the fit after Newton's step; what would change its sign becomes 0."""
    V = fit.V - fit.solve(derivative)
    if not np.isfinite(V).all():
        raise NotAtMinimumError(_not_converged("has no finite minimum nearby"))
    if not fit.l1:
        return replace(fit, V=V)
    leaves = (np.sign(V) != fit.signs) & (fit.penalized == 1)
    return replace(
        fit, V=np.where(leaves, 0.0, V), signs=np.where(leaves, 0.0, fit.signs)
    )


def _widened(fit: LinearFit, derivative: Array) -> LinearFit:
    """Return the fit with the most wrongful zero in its support."""
    excess = np.where(fit.support, 0.0, np.abs(derivative))
    place = np.unravel_index(np.argmax(excess), excess.shape)
    signs = fit.signs.copy()
    signs[place] = -np.sign(derivative[place])
    return replace(fit, signs=signs)


def _check_near(fit: LinearFit, exact: LinearFit) -> None:
    """Raise if what a fit predicts is not what it would at its minimum."""
    distance = np.sqrt(np.mean((exact.form - fit.form) ** 2))
    if distance > FAR * (fit.loss.unit(fit.y) + float(np.std(exact.form))):
        raise NotAtMinimumError(_not_converged("is far from its minimum"))


def _not_converged(how: str) -> str:
    return (
        f"The fit {how}, so that the gradient there is not that of its score. Raise "
        "its max_iter, or lower its tol; a transformer whose fit_transform is not fit "
        "and transform, such as TargetEncoder, has the same effect."
    )


def penalty_slopes(
    fit: LinearFit, Z_test: Any, score_slopes: Callable[[Array], Array]
) -> tuple[float, float, Array]:
    """Return the derivatives of the score by l1, by l2 and by scales of columns.

    Parameters
    ----------
    fit : LinearFit
        At its minimum.
    Z_test : array or sparse matrix
        The rows that are scored.
    score_slopes : callable
        As of `Fold`.

    Returns
    -------
    by_l1, by_l2 : float
        The derivatives by the penalties.
    columns : array
        By the logarithm of the scale of each column.
    """
    form = np.asarray(Z_test @ fit.V)
    slopes = fit.loss.pull(form, score_slopes(fit.loss.response(form)))
    u = fit.solve(Z_test.T @ slopes) * fit.penalized
    by_l1 = -float(np.sum(u * fit.signs))
    by_l2 = -float(np.sum(u * fit.V))
    columns = (u * (fit.of_penalty + fit.l2 * fit.V)).sum(axis=1)
    return by_l1, by_l2, columns[:-1] if fit.has_intercept else columns


def _rows_times(factors: Array, Z: Any) -> Any:
    if _is_sparse(Z):
        return Z.multiply(factors[:, None]).tocsr()
    return factors[:, None] * Z


def _is_sparse(Z: Any) -> bool:
    return bool(scipy.sparse.issparse(Z))
