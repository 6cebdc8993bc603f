"""From told scores to what is promising: the model's side of Bayesian optimization.

The chain, each link a function: the scores are put into a unit in which they can be
squared; failures are set aside; the scores are warped; failures come back slightly
worse than the worst; the surrogate is fitted; pending candidates are believed to score
what the surrogate expects; the acquisition is weighted by the probability that a
candidate does not fail.

Notations: ``n`` observations, ``k`` splits; ``X`` (n, d) encoded points; ``S`` (n, k)
split scores; ``ok`` (n,) which did not fail; ``y`` (n,) what the surrogate learns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from skhpo._arithmetic import Array, unit_of
from skhpo.acquisition import LOG_ACQUISITIONS, Acquisition
from skhpo.optimizers._maximize import Objective
from skhpo.surrogates import Surrogate
from skhpo.surrogates._base import DifferentiableSurrogate
from skhpo.surrogates._gp import informative_subset
from skhpo.surrogates._warp import warp

__all__ = ["Observations", "Weight", "objective", "observe", "off_model_factor"]

# Surrogates see at most so many observations: a Gaussian process costs O(n^3).
MAX_OBSERVATIONS = 500
# Scores below minus so many units are taken for failures, and scores above so many for
# this one: squares and quotients of those in between are floats.
MAX_SCORE = 2.0**400
# How much worse than the worst score a failure counts, in standard deviations.
FAILURE_GAP = 0.1
# The probability of success is never believed to be smaller.
MIN_SUCCESS = 0.02
# Spreads over the splits are shrunk to their median with so many degrees of freedom.
NOISE_PRIOR_DOF = 4.0
# The share of repeated scores from which on a search is on plateaus, and the part of
# the random and Parzen steps that is left where no score is repeated.
MANY_REPEATED, MIN_FACTOR = 0.1, 0.2
# Relative variance of an estimate where none is known: that of one split of five.
UNKNOWN = 5.0


@dataclass(eq=False)
class Observations:
    """What is known about the points that were tried.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Encoded points.
    scores : ndarray of shape (n,)
        Mean scores in units of `unit`, NaN where failed.
    noise : ndarray of shape (n,)
        Relative variances of the scores, around 1.
    unit : float, default=1.0
        A power of two: scores times it are those of the user.
    dropped : ndarray of shape (n,) or None, default=None
        Whose scores are estimates, which are never the best; None if there are none.
    """

    X: Array
    scores: Array
    noise: Array
    unit: float = 1.0
    dropped: NDArray[np.bool_] | None = None

    @property
    def ok(self) -> NDArray[np.bool_]:
        """Which did not fail."""
        return np.isfinite(self.scores)

    @property
    def whole(self) -> NDArray[np.bool_]:
        """Which have a score on all splits."""
        return self.ok if self.dropped is None else self.ok & ~self.dropped

    def subset(self, size: int) -> Observations:
        """Return the `size` observations that tell the most."""
        kept = informative_subset(np.where(self.ok, self.scores, -np.inf), size)
        return replace(
            self,
            X=self.X[kept],
            scores=self.scores[kept],
            noise=self.noise[kept],
            dropped=None if self.dropped is None else self.dropped[kept],
        )


def observe(
    X: Array, scores: Array, S: Array, to_come: Array | None = None
) -> Observations:
    """Return what is known about points, from scores of any size.

    The unit is that of the better half of the scores. What is infinite, or worse than
    any number in these units can say, tells no more than a failure does.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Encoded points.
    scores : ndarray of shape (n,)
        Mean scores, NaN where failed.
    S : ndarray of shape (n, k)
        Scores on the splits, a row of NaN where they are not known.
    to_come : ndarray of shape (n,) or None, default=None
        Of estimated scores, the variance of what is missing, infinite where that is not
        known; NaN of those that are whole. None if all are.
    """
    finite = np.sort(scores[np.isfinite(scores)])
    better = finite[len(finite) // 2 :]
    unit = unit_of(better if better.any() else finite)
    known = np.isfinite(scores) & (scores / unit >= -MAX_SCORE)
    limited = np.clip(scores / unit, -MAX_SCORE, MAX_SCORE)
    S = np.clip(S / unit, -MAX_SCORE, MAX_SCORE)
    S = np.where(known[:, np.newaxis], S, np.nan)
    missing = None if to_come is None else to_come / unit / unit
    noise = relative_noise(S, missing)
    dropped = None if missing is None else ~np.isnan(missing)
    return Observations(X, np.where(known, limited, np.nan), noise, unit, dropped)


def relative_noise(S: Array, to_come: Array | None = None) -> Array:
    """Return the relative noise variances of the means over splits, shape (n,).

    All candidates see the same splits, so what one split adds to all of them is no
    noise; the rest is, as in an analysis of variance: r_ij = s_ij - mean_j(s_ij), minus
    its median over i. With few splits its square is a poor estimate, so the variances
    are shrunk to their median. Of estimates, what is missing comes on top.
    """
    n, k = S.shape
    ok = np.isfinite(S).all(axis=1)
    to_come = np.full(n, np.nan) if to_come is None else to_come
    estimated = ~np.isnan(to_come)
    if k < 2 or ok.sum() < 3:
        return np.where(estimated, UNKNOWN, 1.0)
    R = S[ok] - S[ok].mean(axis=1, keepdims=True)
    R -= np.median(R, axis=0)
    variance = (R**2).sum(axis=1) / (k - 1)
    typical = float(np.median(variance))
    noise = np.where(estimated, UNKNOWN, 1.0)
    if typical > 0:
        weight = k - 1 + NOISE_PRIOR_DOF
        ratio = np.minimum(variance / typical, 1e6)
        noise[ok] = ((k - 1) * ratio + NOISE_PRIOR_DOF) / weight
        said = np.isfinite(to_come)  # a mean over k splits has typical / k
        noise[said] = 1.0 + np.minimum(to_come[said] * k / typical, 1e6)
    return noise


def targets(seen: Observations, surrogate: Surrogate) -> tuple[Array, Array]:
    """Return what the surrogate learns, and its relative noise variances, both (n,)."""
    ok, y = seen.ok, np.zeros(len(seen.X))
    v = seen.noise.copy()
    if not ok.any():
        return y, np.ones_like(v)
    X = seen.X[ok]
    y[ok], slope = warp(
        seen.scores[ok], lambda Y: surrogate.profile_log_likelihood(X, Y)
    )
    y[~ok] = y[ok].min() - FAILURE_GAP
    if np.ptp(v[ok]) > 0:  # the spread over splits is known, on the scale of scores
        v[ok] *= (slope / unit_of(slope)) ** 2
        v[ok] /= np.median(v[seen.whole if seen.whole.any() else ok])
    v[~ok] = 1.0
    return y, np.clip(v, 0.1, 100.0)


def objective(
    surrogate: Surrogate,
    draw_acquisition: Callable[[float], Acquisition],
    seen: Observations,
    pending: Array,
    *,
    keep_theta: bool = False,
    price: Weight | None = None,
) -> tuple[Objective, Array]:
    """Fit the surrogate; return what to maximize, and the observations by rank.

    Parameters
    ----------
    surrogate : Surrogate
        Is fitted to the observations and the pending points.
    draw_acquisition : callable
        Takes the share of noise in the variance of the scores, as the surrogate sees
        it, and returns an acquisition.
    seen : Observations
        At least one.
    pending : ndarray of shape (p, d)
        Points that were asked for and not told.
    keep_theta : bool, default=False
        Whether the surrogate keeps the parameters of its last fit.
    price : Weight or None, default=None
        The lower, the dearer a point; None if that does not count.

    Returns
    -------
    objective : Objective
        Acquisition, weighed by the price, and by the probability of success once there
        were failures.
    ranked : ndarray of shape (n, d)
        The observed points, best first.
    """
    seen = seen.subset(MAX_OBSERVATIONS)
    X, ok = seen.X, seen.ok
    y, v = targets(seen, surrogate)
    surrogate.fit(X, y, v, keep_theta=keep_theta)
    mean, _ = surrogate.predict(X)
    # What counts is the best *expected* score: the best observed one may be luck.
    best = float(mean[seen.whole].max() if seen.whole.any() else mean.max())
    best += repeated_share(seen.scores[ok])
    ranked = X[np.argsort(-np.where(ok, y, -np.inf), kind="stable")]
    # A ratio of densities is neither an expected score nor a probability: failures and
    # pending candidates are bad ones to it (Optuna's "constant liar"), as they
    # are where a surrogate of the user's says NaN.
    is_ratio = surrogate.ranks_directly
    weights = [] if price is None else [price]
    if not (ok.all() or is_ratio):
        weights.append(_success(surrogate, X, ok))
    if len(pending):
        fantasy, _ = surrogate.predict(pending)
        fantasy = np.where(is_ratio | np.isnan(fantasy), y.min(), fantasy)
        X, y = np.concatenate([X, pending]), np.concatenate([y, fantasy])
        v = np.concatenate([v, np.ones(len(pending))])
        surrogate.fit(X, y, v, keep_theta=True)
    acquisition = draw_acquisition(getattr(surrogate, "noise_share_", 0.0))
    weigh = None
    if weights:
        values = acquisition(*surrogate.predict(seen.X), best).value
        weigh = Weighing(weights, values, is_log=acquisition in LOG_ACQUISITIONS)
    return _compose(surrogate, acquisition, best, weigh), ranked


def repeated_share(scores: Array) -> float:
    """Return the share of the scores that had come before, the same to the bit.

    It is the margin, in standard deviations of the warped scores, by which EI and PI
    ask for an improvement. Next to the best candidate of a plateau (of a decision tree,
    or of a setting that changes nothing there) a surrogate is always half sure of being
    slightly better, and PI would spend step after step on scores that are known. Where
    scores are never the same, nothing is changed (docs/decisions/bayes_tried.md).
    """
    return (len(scores) - len(np.unique(scores))) / max(len(scores), 1)


def off_model_factor(scores: Array) -> float:
    """Return the factor of the shares of steps that do not follow the model, 0.2 to 1.

    Random and Parzen steps are an insurance against a model that is wrong. On smooth
    losses a Gaussian process is right, and what improves late comes from EI and PI; on
    plateaus it is not. The two differ in the share of repeated values among the better
    half of the scores: next to none on the former, 0.14 to 0.6 with trees.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Of the trials; those that are not finite are failures, and do not count.

    Returns
    -------
    float
        A tenth of the better half repeated, or more, gives 1; less in proportion.

    Examples
    --------
    >>> import numpy as np
    >>> off_model_factor(np.arange(20.0))
    0.2
    >>> off_model_factor(np.repeat([1.0, 2.0], 10))
    1.0
    """
    finite = np.sort(scores[np.isfinite(scores)])
    share = repeated_share(finite[len(finite) // 2 :])
    return float(np.clip(share / MANY_REPEATED, MIN_FACTOR, 1.0))


def _success(surrogate: Surrogate, X: Array, ok: NDArray[np.bool_]) -> Success:
    """Return what a copy of the surrogate has learned of which points succeed."""
    model = deepcopy(surrogate)
    model.fit(X, ok.astype(float), keep_theta=True)
    return Success(model)


class Weight(Protocol):
    """A positive factor of what points are worth."""

    def value(self, X: Array) -> Array:
        """Return the factors (n,) at `X`."""
        ...

    def gradient(self, X: Array) -> tuple[Array, Array]:
        """Return them with their derivatives (n, d)."""
        ...


class Success:
    """The probability that a point does not fail.

    Parameters
    ----------
    model : Surrogate
        Its mean is the probability, which is kept between `MIN_SUCCESS` and 1.
    """

    def __init__(self, model: Surrogate) -> None:
        self.model = model

    def value(self, X: Array) -> Array:
        """Return the probabilities (n,) at `X`."""
        return np.clip(self.model.predict(X)[0], MIN_SUCCESS, 1.0)

    def gradient(self, X: Array) -> tuple[Array, Array]:
        """Return them with their derivatives (n, d)."""
        assert isinstance(self.model, DifferentiableSurrogate)
        p, _, d_p, _ = self.model.predict_gradient(X)
        inside = ((p > MIN_SUCCESS) & (p < 1.0))[:, np.newaxis]
        return np.clip(p, MIN_SUCCESS, 1.0), np.where(inside, d_p, 0.0)


class Weighing:
    """Weighs an acquisition by factors: the probability of success, a price of time.

    The expectation of what a candidate is worth, if a failure is worth w, is p a +
    (1 - p) w. EI and PI are 0 for a failure, so their logarithms become log a + log p.
    The scale of others is not known: w is their median among the observations, and
    what is below w stays as it is, since a risk makes nothing better. (With the lowest
    one for w, the search keeps too far from optima at the edge of failures.) Any other
    factor is treated as p is.

    Parameters
    ----------
    weights : sequence of Weight
        The factors.
    values : ndarray of shape (n,)
        The acquisition at the observed points.
    is_log : bool, default=False
        Whether it is a logarithm of what is weighed.
    """

    def __init__(
        self, weights: Sequence[Weight], values: Array, *, is_log: bool = False
    ) -> None:
        self.weights = weights
        self.typical = float(np.median(values))
        self.is_log = is_log

    def _weigh(self, values: Array, w: Array) -> Array:
        if self.is_log:
            return values + np.log(w)
        gain = values - self.typical
        return self.typical + np.where(gain > 0, w * gain, gain)

    def value(self, values: Array, X: Array) -> Array:
        """Return the weighed values (n,) at `X`."""
        w = np.prod([weight.value(X) for weight in self.weights], axis=0)
        return self._weigh(values, w)

    def gradient(self, values: Array, by_x: Array, X: Array) -> tuple[Array, Array]:
        """Return them with their derivatives (n, d), given those of the values."""
        (w, d_w), *others = [weight.gradient(X) for weight in self.weights]
        for v, d_v in others:
            w, d_w = w * v, v[:, np.newaxis] * d_w + w[:, np.newaxis] * d_v
        if self.is_log:
            by_x = by_x + d_w / w[:, np.newaxis]
        else:
            gain = (values - self.typical)[:, np.newaxis]
            by_x = np.where(gain > 0, w[:, np.newaxis] * by_x + gain * d_w, by_x)
        return self._weigh(values, w), by_x


def _compose(
    surrogate: Surrogate,
    acquisition: Acquisition,
    best: float,
    weigh: Weighing | None,
) -> Objective:
    """Return the acquisition as a function of points, by the chain rule."""

    def value(X: Array) -> Array:
        values = acquisition(*surrogate.predict(X), best).value
        return values if weigh is None else weigh.value(values, X)

    if not isinstance(surrogate, DifferentiableSurrogate):
        return Objective(value)
    predict_gradient = surrogate.predict_gradient

    def gradient(X: Array) -> tuple[Array, Array]:
        mean, std, d_mean, d_std = predict_gradient(X)
        a = acquisition(mean, std, best)
        by_x = a.d_mean[:, np.newaxis] * d_mean + a.d_std[:, np.newaxis] * d_std
        if weigh is None:
            return a.value, by_x
        return weigh.gradient(a.value, by_x, X)

    return Objective(value, gradient)
