"""How probable it is that one search is better than another: mathematics only.

Both are scored on the same splits, and the splits share train rows. So the differences
d of their scores are taken for normal with equal correlations, that of Nadeau and
Bengio [1]_, and with the prior that says nothing the true mean difference has Student's
distribution with k - 1 degrees of freedom around the mean of d, and the scale
``s * sqrt(1 / k + n_test / n_train)``. This is the correlated Bayesian t test of Corani
and Benavoli [2]_, [3]_.

References
----------
.. [1] C. Nadeau and Y. Bengio, "Inference for the generalization error", Machine
   Learning 52, 239-281, 2003.
.. [2] G. Corani and A. Benavoli, "A Bayesian approach for comparing cross-validated
   algorithms on multiple data sets", Machine Learning 100, 285-304, 2015.
.. [3] A. Benavoli, G. Corani, J. Demsar and M. Zaffalon, "Time for a change: a tutorial
   for comparing multiple classifiers through Bayesian analysis", Journal of Machine
   Learning Research 18(77), 1-36, 2017.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from skhpo._arithmetic import Array
from skhpo._split_scores import gain_floor, standard_error

__all__ = ["Posterior", "posterior"]


@dataclass(frozen=True)
class Posterior:
    """What is believed about a mean difference of scores.

    Parameters
    ----------
    difference : float
        The mean of what was seen.
    interval : (float, float)
        Where the true one is, with the probability that was asked for.
    better, same, worse : float
        The probabilities that it is above `rope`, within it, and below. They add up
        to 1.
    """

    difference: float
    interval: tuple[float, float]
    better: float
    same: float
    worse: float


def posterior(
    differences: Array,
    ratio: float,
    *,
    rope: float = 0.0,
    level: float = 0.95,
    n_rows: int | None = None,
) -> Posterior:
    """Return what the differences of scores on k splits say about their true mean.

    Parameters
    ----------
    differences : ndarray of shape (k,)
        One score less the other, on 2 splits or more.
    ratio : float
        Test rows over train rows of a split.
    rope : float, default=0.0
        Differences up to it count as none.
    level : float, default=0.95
        Of the interval.
    n_rows : int or None, default=None
        Of how many rows the scores are proportions, if they are: then no scale is
        smaller than theirs.

    Returns
    -------
    Posterior
        If all differences are 0, the two are the same as far as can be known.

    Examples
    --------
    >>> found = posterior(np.array([0.02, 0.01, 0.03, 0.02, 0.02]), 0.25)
    >>> round(found.better, 3), found.same, round(found.worse, 3)
    (0.993, 0.0, 0.007)
    """
    mean = float(np.mean(differences))
    if not np.any(differences):
        return Posterior(0.0, (0.0, 0.0), 0.0, 1.0, 0.0)
    scale = max(float(standard_error(differences, ratio)), gain_floor(mean, n_rows))
    if scale == 0:
        inside = abs(mean) <= rope
        better, worse = float(mean > rope), float(mean < -rope)
        return Posterior(mean, (mean, mean), better, float(inside), worse)
    df = len(differences) - 1
    better = float(special.stdtr(df, (mean - rope) / scale))
    worse = float(special.stdtr(df, (-rope - mean) / scale))
    half = scale * float(special.stdtrit(df, (1 + level) / 2))
    same = max(0.0, 1.0 - better - worse) if rope else 0.0
    return Posterior(mean, (mean - half, mean + half), better, same, worse)
