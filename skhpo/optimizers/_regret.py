"""How much better than the best trial could any other point be?"""

from __future__ import annotations

import math

import numpy as np

from skhpo._arithmetic import Array
from skhpo.optimizers._belief import Observations, targets
from skhpo.optimizers._maximize import perturb
from skhpo.space import SearchSpace
from skhpo.surrogates import Surrogate
from skhpo.surrogates._warp import warp

__all__ = ["draw_points", "regret_bound"]

# The bounds hold with probability 1 - DELTA in theory; the theory's beta is too
# pessimistic by far, and is divided by five, as in the experiments of the same papers.
DELTA, SHRINK = 0.1, 5.0
# Points, drawn anywhere and as many near the best ones, at which a regret is bounded.
N_POINTS = 1000


def draw_points(
    seen: Observations, space: SearchSpace, rng: np.random.Generator
) -> Array:
    """Return points near the best observed ones, and anywhere in the space, (m, d)."""
    best = seen.X[np.argsort(-np.where(seen.ok, seen.scores, -np.inf))[:5]]
    near = perturb(best, N_POINTS, space, rng)
    far = rng.random((N_POINTS, space.n_columns))
    return np.concatenate([near, space.snap(far)])


def regret_bound(surrogate: Surrogate, seen: Observations, points: Array) -> float:
    """Return an upper bound of the simple regret, in units of the score.

    It is the highest upper confidence bound over all points, minus the highest lower
    one over the observed points [1]_, with beta_n = 2 log(d n^2 pi^2 / (6 delta)) / 5
    [2]_. The surrogate sees warped scores t(y); the bound is brought back by dt/dy at
    the best score.

    Parameters
    ----------
    surrogate : Surrogate
        Is fitted to the observations; parameters that it has learned are kept.
    seen : Observations
        At least one that did not fail.
    points : ndarray of shape (m, d)
        Where the optimum may be.

    Returns
    -------
    float
        Not negative.

    References
    ----------
    .. [1] A. Makarova et al., "Automatic termination for hyperparameter optimization",
       AutoML 2022.
    .. [2] N. Srinivas et al., "Gaussian process optimization in the bandit setting",
       ICML 2010, theorem 1 and section 6.
    """
    y, v = targets(seen, surrogate)
    surrogate.fit(seen.X, y, v, keep_theta=True)
    scores = seen.scores[seen.ok]
    _, slope = warp(
        scores, lambda Y: surrogate.profile_log_likelihood(seen.X[seen.ok], Y)
    )
    n, d = seen.X.shape
    width = math.sqrt(2 * math.log(d * n**2 * math.pi**2 / (6 * DELTA)) / SHRINK)
    mean, std = surrogate.predict(np.concatenate([points, seen.X]))
    highest = (mean + width * std).max()
    lowest = (mean - width * std)[len(points) :][seen.ok].max()
    return float((highest - lowest) / slope[np.argmax(scores)]) * seen.unit
