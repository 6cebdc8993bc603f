"""The maximum of an acquisition over a mixed, conditional, constrained space.

1. A pool: Sobol points of the whole space, and perturbations of the best observations
   (a few columns each), which is what trust regions buy.
2. From the most promising ones, L-BFGS along all continuous columns, for all starts
   as one problem; their sum has the same stationary points as each.
3. From the results, all changes of one discrete column, as long as they improve.
4. The best of all of these that was never proposed and meets the constraints.

Notations: ``d`` columns; ``X`` of shape (n, d) encoded points, NaN where inactive.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from skhpo._arithmetic import Array
from skhpo.space import SearchSpace
from skhpo.space._sampling import SobolSequence

__all__ = ["Objective", "best_unseen", "maximize", "perturb", "point_key"]

N_POOL = 1024
N_STARTS = 8
# Columns with more cells than this are climbed as if continuous, then snapped.
MANY_VALUES = 32
# Of categories with more values than this, a flip looks at so many.
MAX_FLIPS = 128
N_FLIP_ROUNDS = 2


class Objective(NamedTuple):
    """What is maximized.

    Parameters
    ----------
    value : callable
        Encoded points (n, d) to values (n,).
    gradient : callable or None
        Encoded points to values and their derivatives (n, d); None if unknown.
    """

    value: Callable[[Array], Array]
    gradient: Callable[[Array], tuple[Array, Array]] | None = None


def point_key(x: Array) -> bytes:
    """Return the key of an encoded point: equal for equal params."""
    return np.where(np.isnan(x), -1.0, np.round(x, 12)).tobytes()


def perturb(X: Array, n: int, space: SearchSpace, rng: np.random.Generator) -> Array:
    """Return `n` encoded points, each a row of `X` with one to three columns changed.

    Numbers move by a Gaussian step whose scale is itself drawn, from 0.01 to 0.3 of
    the range but at least one cell; categorical columns are drawn anew, and so are
    those that become active by it.
    """
    d = space.n_columns
    Z = X[rng.integers(len(X), size=n)]
    n_changes = rng.integers(1, min(d, 3) + 1, size=n)
    rank = (
        np.where(np.isnan(Z), 2.0, rng.random((n, d))).argsort(axis=1).argsort(axis=1)
    )
    changed = rank < n_changes[:, np.newaxis]
    scale = np.exp(rng.uniform(np.log(0.01), np.log(0.3), size=(n, 1)))
    step = np.maximum(scale, 1.0 / space.n_values) * rng.standard_normal((n, d))
    fresh = np.isnan(Z) | (changed & space.is_categorical)
    moved = np.where(changed, np.nan_to_num(Z, nan=0.5) + step, Z)
    return space.snap(np.where(fresh, rng.random((n, d)), moved))


def maximize(
    objective: Objective,
    space: SearchSpace,
    best: Array,
    seen: Set[bytes],
    rng: np.random.Generator,
) -> Array | None:
    """Return the encoded point of highest value, or None if all were seen.

    Parameters
    ----------
    objective : Objective
        What is maximized.
    space : SearchSpace
        Where.
    best : ndarray of shape (k, d)
        The best observations, around which the search is denser.
    seen : set of bytes
        Keys of the points that may not be returned.
    rng : numpy.random.Generator
        For the pool.

    Returns
    -------
    ndarray of shape (d,) or None
        The point; None if nothing new was among what was looked at.
    """
    wide = space.snap(SobolSequence(space.n_columns, rng)(N_POOL))
    near = perturb(best, N_POOL, space, rng) if len(best) else wide[:0]
    pool = np.concatenate([wide, near])
    values = objective.value(pool)
    half = N_STARTS // 2
    starts = np.concatenate(
        [
            np.argsort(-values[:N_POOL], kind="stable")[:half],
            N_POOL + np.argsort(-values[N_POOL:], kind="stable")[:half],
        ]
    )
    X = climb(objective, pool[starts], space)
    X, refined = flip(objective, X, space)
    return best_unseen(
        np.concatenate([X, pool]), np.concatenate([refined, values]), space, seen
    )


def climb(objective: Objective, X: Array, space: SearchSpace) -> Array:
    """Return the encoded points that L-BFGS reaches from the rows of `X`."""
    smooth = ~space.is_categorical & (space.n_values > MANY_VALUES)
    free = smooth & ~np.isnan(X)
    if objective.gradient is None or not free.any():
        return X
    gradient_of = objective.gradient

    def loss(flat: Array) -> tuple[float, Array]:
        Z = X.copy()
        Z[free] = flat
        value, gradient = gradient_of(Z)
        return -float(value.sum()), -gradient[free]

    bounds = [(0.0, 1.0)] * int(free.sum())
    result = minimize(
        loss,
        X[free],
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 25, "ftol": 1e-7, "gtol": 1e-5},
    )
    Z = X.copy()
    Z[free] = result.x
    return space.snap(Z)


def flip(objective: Objective, X: Array, space: SearchSpace) -> tuple[Array, Array]:
    """Return points no worse than the rows of `X`, no single flip of which is better.

    A flip sets one discrete column to another value: any one of up to 32, or the next
    ones of a longer range. Of a long category it is one of the values that the rows of
    `X` have, or of `MAX_FLIPS` others. At most `N_FLIP_ROUNDS` flips are made.
    """
    values = objective.value(X)
    discrete = np.flatnonzero((space.n_values > 1) & np.isfinite(space.n_values))
    if not discrete.size:
        return X, values
    for _ in range(N_FLIP_ROUNDS):
        parts = [_neighbors(x, X, discrete, space) for x in X]
        owner = np.repeat(np.arange(len(X)), [len(part) for part in parts])
        neighbors = space.snap(np.concatenate(parts))
        scores = objective.value(neighbors)
        improved = False
        for i in range(len(X)):
            mine = np.flatnonzero(owner == i)
            if mine.size and scores[mine].max() > values[i]:
                top = mine[np.argmax(scores[mine])]
                X[i], values[i], improved = neighbors[top], scores[top], True
        if not improved:
            break
    return X, values


def _neighbors(
    x: Array, X: Array, discrete: NDArray[np.intp], space: SearchSpace
) -> Array:
    """Return copies of `x` with one active discrete column changed each."""
    rows = [np.empty((0, len(x)))]
    for j in discrete:
        if np.isnan(x[j]):
            continue
        levels = _other_levels(j, x[j], X[:, j], space)
        changed = np.tile(x, (len(levels), 1))
        changed[:, j] = levels
        rows.append(changed)
    return np.concatenate(rows)


def _other_levels(j: np.intp, own: float, column: Array, space: SearchSpace) -> Array:
    """Return where a flip of discrete column `j` may lead to."""
    dimension = space.columns[j].dimension
    if not space.is_categorical[j] and space.n_values[j] > MANY_VALUES:
        return dimension.neighbors(own)
    if space.n_values[j] <= MAX_FLIPS:
        return dimension.levels(MANY_VALUES)
    # To a model, most values of a long category are alike: those that were never tried.
    spread = dimension.snap((np.arange(MAX_FLIPS) + 0.5) / MAX_FLIPS)
    return np.unique(np.concatenate([spread, column[~np.isnan(column)]]))


def best_unseen(
    X: Array, values: Array, space: SearchSpace, seen: Set[bytes]
) -> Array | None:
    """Return the row of highest value that is neither seen nor forbidden."""
    for i in np.argsort(-values, kind="stable"):
        if point_key(X[i]) not in seen and space.is_feasible(X[i : i + 1])[0]:
            return X[i].copy()  # a view would keep all of X alive
    return None
