"""Rules that look at scores, times and other columns of ``cv_results_``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhpo._arithmetic import Array, largest, own_arithmetic
from skhpo._split_scores import not_worse, scored_rows
from skhpo.selection._results import (
    check_name,
    check_number,
    column_of,
    mean_scores,
    metric_of,
    n_splits_of,
    objective_of,
    scored,
    split_scores_of,
    taken,
)
from skhpo.space._dimensions import is_number

__all__ = ["Constrained", "Fastest", "Knee", "Lexicographic", "LowerBound"]

Rule = Callable[[Mapping[str, Any]], int]

TIMES = {
    "fit": ("mean_fit_time",),
    "score": ("mean_score_time",),
    "total": ("mean_fit_time", "mean_score_time"),
}
COMPARISONS = {
    "<=": np.less_equal,
    "<": np.less,
    ">=": np.greater_equal,
    ">": np.greater,
}


@dataclass(frozen=True)
class Fastest:
    """Choose the fastest candidate that is as good as the best.

    Times differ from run to run, and so may the choice.

    Parameters
    ----------
    within : "indistinguishable" or float, default="indistinguishable"
        What is as good: what the splits cannot tell from the best, as in
        :func:`skhpo.report`, but taking them for folds of equal size, since a rule does
        not see `cv`; or how much lower the mean score may be.
    time : {"total", "fit", "score"}, default="total"
        Of fitting, of scoring (which is mostly that of predicting), or both.
    level : float, default=0.95
        Of the test whether a candidate is worse than the best, from 0.5 to 0.9999.
    metric : str or None, default=None
        Which of several scores.

    Examples
    --------
    >>> from skhpo.selection import Fastest
    >>> results = {
    ...     "mean_test_score": [0.95, 0.945, 0.90],
    ...     "mean_fit_time": [9.0, 2.0, 1.0],
    ...     "mean_score_time": [0.1, 0.1, 0.1],
    ... }
    >>> Fastest(within=0.01)(results)
    1
    """

    within: str | float = "indistinguishable"
    time: str = "total"
    level: float = 0.95
    metric: str | None = None

    def __post_init__(self) -> None:
        """Check the parameters."""
        if self.within != "indistinguishable":
            check_number(self, "within", 0)
        check_name(self, "time", (*TIMES,))
        check_number(self, "level", 0.5, 0.9999)

    @own_arithmetic()
    def __call__(self, cv_results: Mapping[str, Any]) -> int:
        """Return the row that is chosen."""
        means = mean_scores(cv_results, self.metric)
        if self.within == "indistinguishable":
            good = self._as_good(cv_results, means)
        else:
            good = np.flatnonzero(np.nanmax(means) - means <= float(self.within))
        seconds = sum(column_of(cv_results, name) for name in TIMES[self.time])
        times = np.nan_to_num(np.asarray(seconds)[good], nan=np.inf)
        return int(good[np.argmin(times)])

    def _as_good(self, results: Mapping[str, Any], means: Array) -> NDArray[np.intp]:
        k = n_splits_of(results, self.metric)
        scores = split_scores_of(results, self.metric)
        complete = np.flatnonzero(np.all(np.isfinite(scores), axis=1))
        complete = complete[np.isfinite(means[complete])]
        if not complete.size:
            raise ValueError(
                "No candidate has a score on every split, so none can be compared "
                "with the best: give a number as 'within'."
            )
        best = int(np.argmax(means[complete]))
        scores = scores[complete]
        equal = not_worse(scores, best, 1 / (k - 1), self.level, scored_rows(scores))
        return complete[equal]


@dataclass(frozen=True)
class LowerBound:
    """Choose the candidate of the highest lower bound: mean less z standard errors.

    Parameters
    ----------
    z : float, default=1.0
        How many; the more, the more an even score on all splits counts.
    metric : str or None, default=None
        Which of several scores.

    Examples
    --------
    >>> from skhpo.selection import LowerBound
    >>> results = {
    ...     "mean_test_score": [0.80, 0.79],
    ...     "split0_test_score": [0.60, 0.78],
    ...     "split1_test_score": [1.00, 0.80],
    ... }
    >>> LowerBound()(results)
    1
    """

    z: float = 1.0
    metric: str | None = None

    def __post_init__(self) -> None:
        """Check the parameters."""
        check_number(self, "z", 0)

    @own_arithmetic()
    def __call__(self, cv_results: Mapping[str, Any]) -> int:
        """Return the row that is chosen."""
        means = mean_scores(cv_results, self.metric)
        k = n_splits_of(cv_results, self.metric)
        scores = split_scores_of(cv_results, self.metric)
        bounds = means - self.z * np.std(scores, axis=1, ddof=1) / math.sqrt(k)
        if np.isnan(bounds).all():
            raise ValueError("No candidate has a score on every split.")
        return largest(bounds)


@dataclass(frozen=True)
class Constrained:
    """Choose the best of the candidates that meet a constraint.

    Parameters
    ----------
    column : str
        A score, or a column of ``cv_results_`` such as "mean_score_time".
    comparison : {"<=", "<", ">=", ">"}
        How it must compare.
    bound : float
        With what.
    then : callable or None, default=None
        The rule that chooses among those that meet it: another `Constrained`, say;
        None for the highest mean score.
    metric : str or None, default=None
        Which of several scores is to be high; `then` has its own.

    Examples
    --------
    >>> from skhpo.selection import Constrained
    >>> results = {
    ...     "mean_test_score": [0.95, 0.94, 0.90],
    ...     "mean_score_time": [0.5, 0.01, 0.001],
    ... }
    >>> Constrained("mean_score_time", "<=", 0.1)(results)
    1
    """

    column: str
    comparison: str
    bound: float
    then: Rule | None = None
    metric: str | None = None

    def __post_init__(self) -> None:
        """Check the parameters."""
        check_name(self, "comparison", (*COMPARISONS,))
        check_number(self, "bound", -math.inf)
        if self.then is not None and not callable(self.then):
            raise ValueError(
                "The 'then' of Constrained must be a callable that takes cv_results_. "
                f"Got {self.then!r} instead."
            )

    @own_arithmetic()
    def __call__(self, cv_results: Mapping[str, Any]) -> int:
        """Return the row that is chosen."""
        values = column_of(cv_results, self.column)
        good = COMPARISONS[self.comparison](values, self.bound) & scored(cv_results)
        if not good.any():
            raise ValueError(
                f"No candidate has {self.column} {self.comparison} {self.bound:g}: it "
                f"is from {np.nanmin(values):.4g} to {np.nanmax(values):.4g}."
            )
        if self.then is None:
            means = mean_scores(cv_results, self.metric)
            return int(np.argmax(np.where(good, means, -np.inf)))
        rows = np.flatnonzero(good)
        only = {key: taken(column, rows) for key, column in cv_results.items()}
        return int(rows[self.then(only)])


@dataclass(frozen=True, init=False)
class Lexicographic:
    """Choose by one objective, of about equal ones by the next, and so on.

    Parameters
    ----------
    *objectives : str or tuple of (str, float)
        Scores or columns of ``cv_results_``, the most important first; a minus before
        a name says that less is better. With a tolerance, whatever is not worse than
        the best by more goes on to the next objective; without one, ties only.

    Attributes
    ----------
    objectives : tuple of (str, float)
        The names and their tolerances.

    Examples
    --------
    >>> from skhpo.selection import Lexicographic
    >>> results = {
    ...     "mean_test_roc_auc": [0.95, 0.948, 0.90],
    ...     "mean_score_time": [0.5, 0.01, 0.001],
    ... }
    >>> Lexicographic(("roc_auc", 0.01), "-mean_score_time")(results)
    1
    """

    objectives: tuple[tuple[str, float], ...]

    def __init__(self, *objectives: str | tuple[str, float]) -> None:
        pairs = [(o, 0.0) if isinstance(o, str) else o for o in objectives]
        if not pairs or not all(map(_is_objective, pairs)):
            raise ValueError(
                "Lexicographic needs names, or pairs of a name and a tolerance that is "
                f"not negative, such as ('roc_auc', 0.01). Got {objectives!r}."
            )
        object.__setattr__(self, "objectives", tuple(map(tuple, pairs)))

    @own_arithmetic()
    def __call__(self, cv_results: Mapping[str, Any]) -> int:
        """Return the row that is chosen."""
        objectives = [objective_of(cv_results, name) for name, _ in self.objectives]
        rows = _with_all(cv_results, objectives)
        for name, tolerance in self.objectives:
            values = objective_of(cv_results, name)[rows]
            rows = rows[values >= values.max() - tolerance]
        last = objective_of(cv_results, self.objectives[-1][0])[rows]
        return int(rows[np.argmax(last)])


def _is_objective(pair: Any) -> bool:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        return False
    name, tolerance = pair
    return isinstance(name, str) and is_number(tolerance) and 0 <= tolerance < math.inf


def _with_all(results: Mapping[str, Any], objectives: list[Array]) -> NDArray[np.intp]:
    """Return the rows with scores and all objectives, or raise ValueError."""
    known = np.all(np.isfinite(objectives), axis=0)
    rows = np.flatnonzero(known & scored(results))
    if not rows.size:
        raise ValueError("No candidate has a number for every objective.")
    return rows


@dataclass(frozen=True)
class Knee:
    """Choose where more of one objective begins to cost much of the other.

    Of the candidates that no other beats in both, the one farthest from the line
    between the two ends, each objective scaled by its range there.

    Parameters
    ----------
    first : str or None, default=None
        A score, or a column of ``cv_results_``; None for the only score.
    second : str, default="-mean_score_time"
        The other one; a minus before a name says that less is better.

    Examples
    --------
    >>> from skhpo.selection import Knee
    >>> results = {
    ...     "mean_test_score": [0.70, 0.94, 0.95],
    ...     "mean_score_time": [0.1, 0.2, 2.0],
    ... }
    >>> Knee()(results)
    1
    """

    first: str | None = None
    second: str = "-mean_score_time"

    @own_arithmetic()
    def __call__(self, cv_results: Mapping[str, Any]) -> int:
        """Return the row that is chosen."""
        first = self.first if self.first else metric_of(cv_results, None)
        a, b = (objective_of(cv_results, name) for name in (first, self.second))
        rows = _with_all(cv_results, [a, b])
        rows = rows[_front(a[rows], b[rows])]
        a, b = (_scaled(values[rows]) for values in (a, b))
        return int(rows[np.argmax(a + b)])


def _front(a: Array, b: Array) -> NDArray[np.intp]:
    """Return the positions of what nothing else equals in both and beats in one."""
    order = np.lexsort((-b, -a))
    highest = np.maximum.accumulate(np.concatenate([[-np.inf], b[order][:-1]]))
    return np.sort(order[b[order] > highest])


def _scaled(values: Array) -> Array:
    """Return values from 0 to 1; all 1 if they are equal."""
    spread = np.ptp(values)
    return (values - values.min()) / spread if spread > 0 else np.ones_like(values)
