"""When to stop before all candidates were tried: rules as small objects.

A rule is called after each trial, in the order of the candidates, with the `Progress`
so far, and returns a text that says why the search should stop, or None. Any function
that does so is a rule. Rules hold no state, so a search can be cloned and fitted again.

A rule that cannot work in every search may have a method ``check(optimizer,
n_splits)``, which is called before the first fit and raises if it cannot work there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np

from skhpo._arithmetic import own_arithmetic, unit_of
from skhpo._trial import Trial

__all__ = [
    "NoImprovement",
    "Progress",
    "RegretBound",
    "StopRule",
    "TargetScore",
    "standard_error",
]


@dataclass(frozen=True)
class Progress:
    """How far a search has come, as stop rules see it.

    Parameters
    ----------
    trials : sequence of Trial
        The candidates that were told of, in order: ``trial.score`` is the mean score,
        ``trial.split_scores`` its parts, ``trial.candidate.params`` the parameters.
        Of those that a race dropped, ``trial.dropped`` is true, and the score is
        what was expected. Not to be changed.
    best : Trial or None
        The first one of the highest score, never a dropped one; None as long as all
        have failed.
    best_scores : sequence of float
        The highest score after each trial; minus infinity as long as all have failed.
    seconds : float
        Since the search began. Rules that look at it are not reproducible.
    optimizer : object
        What proposes the candidates.
    """

    trials: Sequence[Trial]
    best: Trial | None
    best_scores: Sequence[float]
    seconds: float
    optimizer: Any


StopRule = Callable[[Progress], str | None]


@dataclass(frozen=True)
class TargetScore:
    """Stop when a candidate is good enough.

    Parameters
    ----------
    score : float
        The mean test score to reach; finite.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skhpo import GridSearch
    >>> from skhpo.stopping import TargetScore
    >>> X, y = load_iris(return_X_y=True)
    >>> grid = {"n_neighbors": range(1, 40)}
    >>> search = GridSearch(KNeighborsClassifier(), grid, stop=TargetScore(0.97))
    >>> search.fit(X, y).stop_reason_
    'TargetScore: 0.9733 reaches 0.97'
    """

    score: float

    def __post_init__(self) -> None:
        _check_number("TargetScore", "score", self.score)

    def __call__(self, progress: Progress) -> str | None:
        """Return why to stop, or None."""
        best = progress.best_scores[-1]
        if best < self.score:
            return None
        return f"TargetScore: {best:.4g} reaches {self.score:g}"


@dataclass(frozen=True)
class NoImprovement:
    """Stop when many candidates in a row were no better.

    Parameters
    ----------
    n_candidates : int
        How many candidates must have come after the best one; at least 1.
    tol : float, default=0.0
        By how much a candidate must be better to count; not negative.

    Examples
    --------
    >>> from skhpo.stopping import NoImprovement
    >>> NoImprovement(20, tol=1e-3)
    NoImprovement(n_candidates=20, tol=0.001)
    """

    n_candidates: int
    tol: float = 0.0

    def __post_init__(self) -> None:
        _check_count("NoImprovement", "n_candidates", self.n_candidates)
        _check_number("NoImprovement", "tol", self.tol)
        if self.tol < 0:
            raise ValueError(
                f"NoImprovement: tol must not be negative. Got {self.tol!r} instead."
            )

    def __call__(self, progress: Progress) -> str | None:
        """Return why to stop, or None."""
        if len(progress.best_scores) <= self.n_candidates:
            return None
        before = progress.best_scores[-1 - self.n_candidates]
        if before == -math.inf or progress.best_scores[-1] > before + self.tol:
            return None
        n = self.n_candidates
        none = f"none of the last {n} candidates" if n > 1 else "no further candidate"
        return f"NoImprovement: {none} was better"


@dataclass(frozen=True)
class RegretBound:
    """Stop when what is left to gain is lost in the noise of cross-validation.

    For `BayesSearch` with its Gaussian process. The search stops once an upper bound of
    the regret (the highest upper confidence bound over all points, minus the highest
    lower one over the points tried) is below the standard error of the best score,
    sqrt((1/k + 1/(k - 1)) s^2), for k splits whose scores have variance s^2 [1]_. One
    split shows no variance, so there must be two or more.

    Parameters
    ----------
    min_candidates : int, default=20
        How many candidates to try first: before, the model knows too little.

    References
    ----------
    .. [1] A. Makarova et al., "Automatic termination for hyperparameter optimization",
       AutoML 2022, equations 3 to 5.

    Examples
    --------
    >>> from skhpo.stopping import RegretBound
    >>> RegretBound()
    RegretBound(min_candidates=20)
    """

    min_candidates: int = 20

    def __post_init__(self) -> None:
        _check_count("RegretBound", "min_candidates", self.min_candidates)

    def check(self, optimizer: Any, n_splits: int) -> None:
        """Raise if the rule cannot work in a search.

        Parameters
        ----------
        optimizer : object
            What proposes the candidates.
        n_splits : int
            On how many splits each of them is scored.

        Raises
        ------
        TypeError
            If the search has no model that knows a bound.
        ValueError
            If one split leaves the noise unknown.
        """
        try:
            optimizer.regret_bound()
        except (AttributeError, TypeError) as cause:
            raise TypeError(
                "RegretBound needs a search with a Gaussian process: BayesSearch with "
                "surrogate='gp'. Take NoImprovement or TargetScore here."
            ) from cause
        if n_splits < 2:
            raise ValueError(
                "RegretBound compares what is left to gain with the noise between "
                f"splits, and cv has {n_splits} split. Take two or more, or "
                "NoImprovement or TargetScore."
            )

    def __call__(self, progress: Progress) -> str | None:
        """Return why to stop, or None."""
        best = progress.best
        if best is None or len(progress.trials) < self.min_candidates:
            return None
        bound = progress.optimizer.regret_bound()
        error = standard_error(best.split_scores)
        if not bound < error:
            return None
        return (
            f"RegretBound: at most {bound:.2g} is left to gain, and the best score is "
            f"uncertain by {error:.2g}"
        )


def standard_error(split_scores: Sequence[float]) -> float:
    """Return the standard error of a cross-validated score; infinite for one split.

    The splits share training data, so the variance of their mean is not s^2 / k but
    about (1/k + n_test/n_train) s^2 = (1/k + 1/(k - 1)) s^2 [1]_.

    Parameters
    ----------
    split_scores : sequence of float
        The score on each split.

    Returns
    -------
    float
        In units of the score.

    References
    ----------
    .. [1] C. Nadeau and Y. Bengio, "Inference for the generalization error", Machine
       Learning 52, 239-281, 2003.

    Examples
    --------
    >>> from skhpo.stopping import standard_error
    >>> round(standard_error([0.8, 0.9]), 4)
    0.0866
    """
    k = len(split_scores)
    if k < 2:
        return math.inf
    scores = np.array(split_scores, dtype=float)
    with own_arithmetic():
        unit = unit_of(np.abs(scores).max(keepdims=True))  # that can be squared
        variance = float(np.var(scores / unit, ddof=1))
    return unit * math.sqrt((1 / k + 1 / (k - 1)) * variance)


def _check_number(rule: str, name: str, value: object) -> None:
    """Raise if a parameter of a rule is no finite number."""
    if not isinstance(value, Real):
        raise TypeError(f"{rule}: {name} must be a number. Got {value!r} instead.")
    if not math.isfinite(value):
        raise ValueError(f"{rule}: {name} must be finite. Got {value!r} instead.")


def _check_count(rule: str, name: str, value: object) -> None:
    """Raise if a parameter of a rule is no number of candidates."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{rule}: {name} must be an integer. Got {value!r} instead.")
    if value < 1:
        raise ValueError(f"{rule}: {name} must be at least 1. Got {value!r} instead.")
