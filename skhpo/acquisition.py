"""Acquisition functions: how promising a candidate is, from its mean and deviation.

All are pure functions of the posterior mean ``mu`` and standard deviation ``sigma`` of
the score (to be maximized) and of the best score so far, ``best``. They return their
value together with the derivatives by ``mu`` and ``sigma``, so that a surrogate which
knows the gradients of these two gives that of the acquisition by the chain rule.

With z = (mu - best) / sigma, and phi, Phi the density and the distribution function of
the standard normal:

=====  ==================================  =========================================
EI     sigma h(z), h = phi + z Phi         Jones, Schonlau & Welch 1998, eq. 15
LogEI  log sigma + log h(z)                Ament et al. 2023, eq. 8 and 9
PI     Phi(z)                              Kushner 1964
LogPI  log Phi(z)
UCB    mu + kappa sigma                    Srinivas et al. 2010, eq. 6
=====  ==================================  =========================================

Limits: for sigma -> 0, EI -> max(mu - best, 0) and PI -> 0 or 1, while LogEI falls
like -z^2 / 2 where mu < best: its gradient still points somewhere when EI has long
become 0. LogEI is finite for any finite arguments up to +-1e100.

References
----------
- D. R. Jones, M. Schonlau, W. J. Welch: Efficient Global Optimization of Expensive
  Black-Box Functions, Journal of Global Optimization 13, 1998.
- S. Ament et al.: Unexpected Improvements to Expected Improvement for Bayesian
  Optimization, NeurIPS 2023.
- Niranjan Srinivas et al.: Gaussian Process Optimization in the Bandit Setting,
  ICML 2010.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import erfcx, log_ndtr, ndtr

from skhpo._arithmetic import Array, users_arithmetic

__all__ = [
    "ACQUISITIONS",
    "Acquired",
    "Acquisition",
    "Cooling",
    "CostExponent",
    "NumericalAcquisition",
    "expected_improvement",
    "log_expected_improvement",
    "log_probability_of_improvement",
    "probability_of_improvement",
    "upper_confidence_bound",
]

_LOG_SQRT_2PI = 0.5 * math.log(2.0 * math.pi)
# Below, h(z) is a difference of nearly equal numbers.
_Z_DIRECT = -1.0
# Below, the first terms of the asymptotic series are exact to double precision.
_Z_ASYMPTOTIC = -1e4
# Deviations below are taken as this one; z^2 must not overflow.
_MIN_STD, _MAX_Z = 1e-50, 1e120


class Acquired(NamedTuple):
    """Values of an acquisition and their derivatives.

    Parameters
    ----------
    value : ndarray of shape (n,)
        What is to be maximized.
    d_mean, d_std : ndarray of shape (n,)
        Derivatives by mean and standard deviation.
    """

    value: Array
    d_mean: Array
    d_std: Array


Acquisition = Callable[[Array, Array, float], Acquired]


def _standardize(mean: Array, std: Array, best: float) -> tuple[Array, Array]:
    """Return z and sigma, kept within what can be squared and divided by."""
    std = np.maximum(std, _MIN_STD)
    return np.clip((mean - best) / std, -_MAX_Z, _MAX_Z), std


def _log_phi(z: Array) -> Array:
    return -0.5 * z * z - _LOG_SQRT_2PI


def _log_h(z: Array) -> Array:
    """Return log(phi(z) + z Phi(z)) without cancellation, for any z.

    - z > -1: as written.
    - below: phi(z) factored out, with Phi(z) / phi(z) = sqrt(pi/2) erfcx(-z/sqrt(2)),
      so log h = log phi + log(1 - |z| Phi/phi) (Ament et al. 2023, eq. 9).
    - z < -1e4: the bracket tends to 1 / z^2.
    """
    z = np.asarray(z, dtype=float)
    direct = np.maximum(z, _Z_DIRECT)
    middle = np.clip(z, _Z_ASYMPTOTIC, _Z_DIRECT)
    far = np.minimum(z, _Z_ASYMPTOTIC)
    mills = math.sqrt(math.pi / 2) * erfcx(-middle / math.sqrt(2.0))
    # The bracket loses digits as 1/z^2 gets small: from |z| = 30 on, its series.
    q = 1.0 / middle**2
    series = q - 3.0 * q**2 + 15.0 * q**3 - 105.0 * q**4
    bracket = np.where(middle < -30.0, series, np.maximum(1.0 + middle * mills, 1e-300))
    return np.where(
        z > _Z_DIRECT,
        np.log(np.exp(_log_phi(direct)) + direct * ndtr(direct)),
        np.where(
            z > _Z_ASYMPTOTIC,
            _log_phi(middle) + np.log(bracket),
            _log_phi(far) - 2.0 * np.log(-far),
        ),
    )


def expected_improvement(mean: Array, std: Array, best: float) -> Acquired:
    """Return EI, the expectation of max(f - best, 0), with its derivatives.

    Parameters
    ----------
    mean, std : ndarray of shape (n,)
        Posterior of the score.
    best : float
        The score to improve on.

    Returns
    -------
    Acquired
        Values and derivatives; dEI/dmu = Phi(z), dEI/dsigma = phi(z).

    Examples
    --------
    >>> import numpy as np
    >>> from skhpo.acquisition import expected_improvement
    >>> ei = expected_improvement(np.array([0.0]), np.array([1.0]), 0.0)
    >>> round(float(ei.value[0]), 4)
    0.3989
    """
    z, std = _standardize(mean, std, best)
    return Acquired(std * np.exp(_log_h(z)), ndtr(z), np.exp(_log_phi(z)))


def log_expected_improvement(mean: Array, std: Array, best: float) -> Acquired:
    """Return log EI with its derivatives, sound where EI itself underflows.

    Parameters
    ----------
    mean, std : ndarray of shape (n,)
        Posterior of the score.
    best : float
        The score to improve on.

    Returns
    -------
    Acquired
        Values and derivatives: Phi / (sigma h) by mu, phi / (sigma h) by sigma.

    Examples
    --------
    >>> import numpy as np
    >>> from skhpo.acquisition import log_expected_improvement
    >>> far = log_expected_improvement(np.array([-100.0]), np.array([1.0]), 0.0)
    >>> round(float(far.value[0]), 2)  # EI would be exp(-5010)
    -5010.13
    """
    z, std = _standardize(mean, std, best)
    logs = _log_h(z)
    near = np.maximum(z, -1e3)
    # Phi / h -> |z| + 2 / |z| and phi / h -> z^2 + 3 for z -> -infinity.
    far = np.minimum(z, -1e3)
    log_h = np.where(z > -1e3, logs, 0.0)  # elsewhere it is not used, but may overflow
    Phi_h = np.where(z > -1e3, np.exp(log_ndtr(near) - log_h), -far - 2.0 / far)
    phi_h = np.where(z > -1e3, np.exp(_log_phi(near) - log_h), far * far + 3.0)
    return Acquired(logs + np.log(std), Phi_h / std, phi_h / std)


def probability_of_improvement(mean: Array, std: Array, best: float) -> Acquired:
    """Return PI, the probability that f exceeds `best`, with its derivatives.

    Parameters
    ----------
    mean, std : ndarray of shape (n,)
        Posterior of the score.
    best : float
        The score to improve on.

    Returns
    -------
    Acquired
        Values and derivatives: phi / sigma by mu, -z phi / sigma by sigma.
    """
    z, std = _standardize(mean, std, best)
    density = np.exp(_log_phi(z)) / std
    return Acquired(ndtr(z), density, -z * density)


def log_probability_of_improvement(mean: Array, std: Array, best: float) -> Acquired:
    """Return log PI with its derivatives; the same maximum, an easier landscape.

    Parameters
    ----------
    mean, std : ndarray of shape (n,)
        Posterior of the score.
    best : float
        The score to improve on.

    Returns
    -------
    Acquired
        Values and derivatives: phi / (sigma Phi) by mu, -z phi / (sigma Phi) by sigma.
    """
    z, std = _standardize(mean, std, best)
    near, far = np.maximum(z, -1e3), np.minimum(z, -1e3)
    ratio = np.exp(_log_phi(near) - log_ndtr(near))  # phi / Phi
    ratio = np.where(z > -1e3, ratio, -far - 1.0 / far) / std
    return Acquired(log_ndtr(z), ratio, -z * ratio)


def upper_confidence_bound(
    mean: Array, std: Array, best: float = 0.0, *, kappa: float = 2.0
) -> Acquired:
    """Return UCB, mu + kappa sigma, with its derivatives.

    Parameters
    ----------
    mean, std : ndarray of shape (n,)
        Posterior of the score.
    best : float, default=0.0
        Not used; so that all acquisitions are called alike.
    kappa : float, default=2.0
        Weight of the deviation.

    Returns
    -------
    Acquired
        Values and derivatives: 1 by mu, kappa by sigma.
    """
    del best
    return Acquired(mean + kappa * std, np.ones_like(mean), np.full_like(std, kappa))


@dataclass(frozen=True)
class NumericalAcquisition:
    """The acquisition whose values a function gives, with numerical derivatives.

    Parameters
    ----------
    function : callable
        Takes mean and std of shape (n,) and the best score; returns values (n,).

    Examples
    --------
    >>> import numpy as np
    >>> from skhpo.acquisition import NumericalAcquisition
    >>> own = NumericalAcquisition(lambda mean, std, best: mean + 3 * std)
    >>> value, d_mean, d_std = own(np.array([1.0]), np.array([0.5]), 0.0)
    >>> value.tolist(), d_std.round(6).tolist()
    ([2.5], [3.0])
    """

    function: Callable[[Array, Array, float], Array]

    def __call__(self, mean: Array, std: Array, best: float) -> Acquired:
        """Return values and central differences."""
        f, step = self._values, 1e-4 * np.maximum(std, _MIN_STD)
        by_mean = f(mean + step, std, best) - f(mean - step, std, best)
        by_std = f(mean, std + step, best) - f(mean, std - step, best)
        return Acquired(f(mean, std, best), by_mean / (2 * step), by_std / (2 * step))

    def _values(self, mean: Array, std: Array, best: float) -> Array:
        """Return what the function says of arrays of its own, which it may change."""
        with users_arithmetic():
            given = self.function(mean.copy(), std.copy(), best)
        try:
            values = np.array(given, dtype=float)
        except (TypeError, ValueError):  # no numbers, or rows of several lengths
            values = np.empty((0, 0))
        if values.shape != mean.shape:
            raise TypeError(
                f"The acquisition {self.function!r} must return an array of one number "
                f"per candidate, here of shape {mean.shape}. Got {given!r} instead."
            )
        return values


# Takes the seconds of each trial, and how many of these were initial.
CostExponent = Callable[[Sequence[float], int], float]


@dataclass(frozen=True)
class Cooling:
    """How much time counts, the less the less of it is left.

    An acquisition a(x) is weighed against the expected time c(x) as a(x) / c(x)^alpha.
    Here alpha is the share that is left of the time after the initial trials: first it
    is improvement per second that counts, in the end improvement alone (CArBO [1]_).
    Where the number of candidates ends the search first, as at the pace so far all of
    them can be tried, time is no price, and alpha is 0.

    Parameters
    ----------
    seconds : float
        How much time there is for all trials, inf for no limit: then alpha is 1.
    n_candidates : int or None, default=None
        How many candidates there are at the most, None for no limit.

    References
    ----------
    .. [1] E. H. Lee, V. Perrone, C. Archambeau and M. Seeger, "Cost-aware Bayesian
       optimization", arXiv:2003.10870, 2020, section 3.

    Examples
    --------
    >>> from skhpo.acquisition import Cooling
    >>> alpha = Cooling(100.0)
    >>> alpha([10.0, 10.0], 2), alpha([10.0, 10.0, 20.0], 2), alpha([120.0], 2)
    (1.0, 0.75, 0.0)
    >>> Cooling(100.0, n_candidates=8)([10.0, 10.0, 10.0], 2)  # 50 s for five others
    0.0
    """

    seconds: float
    n_candidates: int | None = None

    def __call__(self, spent: Sequence[float], n_initial: int) -> float:
        """Return alpha, from 0 to 1.

        Parameters
        ----------
        spent : sequence of float
            The seconds that each trial took, the initial ones first.
        n_initial : int
            How many were initial.

        Returns
        -------
        float
            The exponent of the expected time.
        """
        if self.seconds == math.inf:
            return 1.0
        total, initially = math.fsum(spent), math.fsum(spent[:n_initial])
        left, at_first = self.seconds - total, self.seconds - initially
        if left <= 0:
            return 0.0
        if self.n_candidates is not None and spent:
            pace = total / len(spent)
            if pace * (self.n_candidates - len(spent)) <= left:
                return 0.0
        return left / at_first


# By the names that users give. EI and PI are maximized through their logarithms: these
# have the same maximum, gradients that do not vanish, and a probability of success is
# taken into account by adding its own logarithm (which would be wrong for others).
LOG_ACQUISITIONS = (log_expected_improvement, log_probability_of_improvement)
ACQUISITIONS: dict[str, Acquisition] = {
    "ei": log_expected_improvement,
    "log_ei": log_expected_improvement,
    "pi": log_probability_of_improvement,
    "ucb": upper_confidence_bound,
}
