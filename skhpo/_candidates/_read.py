"""What pictures and reports know of a search: its candidates, off ``cv_results_``."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skhpo._arithmetic import Array
from skhpo._candidates._axis import ABSENT, Axis, make_axis
from skhpo._printable import scoring_name
from skhpo._words import did_you_mean, none_of
from skhpo.exceptions import InvalidSpaceError
from skhpo.space import SearchSpace
from skhpo.space._spread import ends_and_median, is_finite, is_logarithmic

__all__ = ["Candidates", "number_tried", "read", "read_search", "select"]


@dataclass(frozen=True)
class Candidates:
    """The candidates of a search.

    Parameters
    ----------
    metric : str
        Of which score, "score" if there is one only.
    scores : ndarray of shape (n,)
        Mean test scores, NaN where a fit failed. Of those that a race dropped, what was
        expected of them, if this is the score that decided; else NaN.
    dropped : ndarray of shape (n,)
        Which ones these are.
    split_scores : ndarray of shape (n, k)
        Test scores of each split.
    seconds : ndarray of shape (n,)
        Time of fitting and scoring on all splits.
    axes : list of Axis
        One per parameter, in the order in which they appear.
    """

    metric: str
    scores: Array
    dropped: NDArray[np.bool_]
    split_scores: Array
    seconds: Array
    axes: list[Axis]


def read_search(search: Any, metric: str | None) -> dict[str, Any]:
    """Return the arguments of `from_cv_results` for a fitted search.

    Parameters
    ----------
    search : estimator
        A fitted search of skhpo or of scikit-learn.
    metric : str or None
        Which score; None for the one that `refit` names, or the only one.

    Returns
    -------
    dict
        ``cv_results``, ``metric`` and ``log``.
    """
    check_is_fitted(
        search,
        "cv_results_",
        msg="%(name)s has no 'cv_results_': a display takes a search, such as "
        "GridSearch, after its 'fit'.",
    )
    if metric is None:
        refit = getattr(search, "refit", None)
        named = isinstance(refit, str) and search.multimetric_
        metric = str(refit) if named else "score"
    shown = scoring_name(search, metric)
    return {
        "cv_results": _renamed(search.cv_results_, metric, shown),
        "metric": shown,
        "log": _logarithmic_parameters(search),
    }


def _renamed(results: Mapping[str, Any], metric: str, shown: str) -> Mapping[str, Any]:
    """Return results in which the columns of a score have the name that is shown."""
    if shown == metric:
        return results
    end = f"_{metric}"
    return {
        key.removesuffix(end) + f"_{shown}" if _is_of(key, metric) else key: results[
            key
        ]
        for key in results
    }


def _is_of(key: str, metric: str) -> bool:
    """Whether a column holds scores by a metric."""
    return key.endswith((f"_test_{metric}", f"_train_{metric}"))


def read(
    cv_results: Mapping[str, Any], metric: str, log: Collection[str] | None
) -> Candidates:
    """Return the candidates of a search.

    Parameters
    ----------
    cv_results : mapping of str to array-like
        ``cv_results_`` of a search, also as a data frame.
    metric : str
        Which score.
    log : collection of str or None
        The parameters whose axis is logarithmic; None to judge by the values.

    Returns
    -------
    Candidates
        In the order of the rows.

    Raises
    ------
    ValueError
        If there is no such score, or no candidate has one.
    """
    scores = _column(cv_results, f"mean_test_{metric}", metric)
    params = list(cv_results["params"])
    if np.isnan(scores).all():
        raise ValueError(
            f"{none_of(len(params), 'candidate')} has a score: all failed."
        )
    dropped = np.asarray(cv_results.get("dropped", np.zeros(len(params))), dtype=bool)
    expected = f"estimated_test_{metric}"
    if expected in cv_results:
        scores = _column(cv_results, expected, metric)
    pattern = re.compile(rf"split\d+_test_{re.escape(metric)}")
    columns = [cv_results[key] for key in cv_results if pattern.fullmatch(key)]
    per_fit = np.asarray(cv_results["mean_fit_time"], float)
    per_fit = per_fit + np.asarray(cv_results["mean_score_time"], float)
    names = list(dict.fromkeys(name for row in params for name in row))
    axes = [
        make_axis(
            name,
            [row.get(name, ABSENT) for row in params],
            None if log is None else name in log,
        )
        for name in names
    ]
    split_scores = np.array(columns, float).reshape(len(columns), len(params)).T
    n_fits = np.asarray(cv_results.get("n_splits", len(columns)))
    seconds = per_fit * n_fits
    return Candidates(metric, scores, dropped, split_scores, seconds, axes)


def _column(results: Mapping[str, Any], name: str, metric: str) -> Array:
    if name not in results:
        start = "mean_test_"
        known = [key.removeprefix(start) for key in results if key.startswith(start)]
        raise ValueError(
            f"{did_you_mean(metric, known)}The results have no score {metric!r}: "
            f"'metric' must be one of {known}."
        )
    scores = np.asarray(results[name], dtype=float)
    return np.where(np.isfinite(scores), scores, np.nan)


def select(axes: Sequence[Axis], params: Sequence[str] | None) -> list[Axis]:
    """Return the axes of some parameters, in their order; of all if None.

    Raises ValueError if one of them was not searched, or if there is none.
    """
    names = [axis.name for axis in axes] if params is None else list(params)
    if not names:
        raise ValueError("There is no parameter to draw: none was searched, or named.")
    known = {axis.name: axis for axis in axes}
    for name in names:
        if name not in known:
            raise ValueError(
                f"The parameter {name!r} was not searched: 'params' may name "
                f"{sorted(known)}."
            )
    return [known[name] for name in names]


def _logarithmic_parameters(search: Any) -> list[str] | None:
    """Return the parameters whose values were drawn on a logarithmic scale.

    None if that is not known, since the search has distributions of its user's own.
    """
    given: Any = getattr(
        search, "param_distributions", getattr(search, "param_grid", None)
    )
    given = getattr(search, "space_", given)  # suggested
    try:
        columns = SearchSpace(given).columns
    except InvalidSpaceError:
        return None
    found = []
    for column in columns:
        if column.name is None or column.dimension.is_categorical:
            continue
        values = getattr(column.dimension, "values", None)
        if not isinstance(values, tuple):  # long lists are none, and are not walked
            values = column.dimension.from_unit(np.array([0.0, 0.5, 1.0]))
        if all(map(is_finite, values)) and is_logarithmic(*ends_and_median(values)):
            found.append(column.name)
    return found


def number_tried(results: Mapping[str, Any]) -> int:
    """Return how many candidates there were; halving has them again and again."""
    if "iter" not in results:
        return len(results["params"])
    iteration = np.asarray(results["iter"])
    return int((iteration == iteration.min()).sum())
