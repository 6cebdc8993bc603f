"""What rules read off ``cv_results_``, and the errors where it is not there."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhpo._arithmetic import Array
from skhpo._words import did_you_mean, none_of
from skhpo.space._dimensions import is_number

__all__ = [
    "check_name",
    "check_number",
    "column_of",
    "mean_scores",
    "metric_of",
    "n_splits_of",
    "objective_of",
    "parameter_of",
    "scored",
    "split_scores_of",
    "taken",
]

Results = Mapping[str, Any]

_MEAN = "mean_test_"
NONE_SCORED = "{} has a score: there is none to choose."


def metric_of(results: Results, metric: str | None) -> str:
    """Return the name of the score that decides, or raise ValueError."""
    known = [key.removeprefix(_MEAN) for key in results if key.startswith(_MEAN)]
    if metric is None and len(known) == 1:
        return known[0]
    if metric in known:
        return str(metric)
    what = "There are several scores" if metric is None else f"{metric!r} is no score"
    hint = did_you_mean(metric, known)
    raise ValueError(f"{hint}{what}: 'metric' of the rule must be one of {known}.")


def mean_scores(results: Results, metric: str | None) -> Array:
    """Return the mean test scores, NaN where there is none; one at least is finite."""
    name = metric_of(results, metric)
    scores = np.array(results[_MEAN + name], dtype=float)
    scores[~np.isfinite(scores)] = np.nan
    if np.isnan(scores).all():
        raise ValueError(NONE_SCORED.format(none_of(len(scores), "candidate")))
    return scores


def split_scores_of(results: Results, metric: str | None) -> Array:
    """Return the test scores (n, k) of the candidates on the splits."""
    name = re.escape(metric_of(results, metric))
    pattern = re.compile(rf"split\d+_test_{name}")
    columns = [results[key] for key in results if pattern.fullmatch(key)]
    return np.array(columns, dtype=float).T


def n_splits_of(results: Results, metric: str | None) -> int:
    """Return the number of splits; a rule that needs their spread needs 2."""
    n = split_scores_of(results, metric).shape[1]
    if n < 2:
        raise ValueError(
            "One split has no standard error. Use more splits, or a rule that needs "
            "none, such as WithinLoss."
        )
    return n


def scored(results: Results) -> NDArray[np.bool_]:
    """Return which candidates have all mean scores: one at least has."""
    columns = [results[key] for key in results if key.startswith(_MEAN)]
    known: NDArray[np.bool_] = np.all(np.isfinite(np.array(columns, float)), axis=0)
    if not known.any():
        raise ValueError(NONE_SCORED.format(none_of(len(known), "candidate")))
    return known


def column_of(results: Results, name: str) -> Array:
    """Return a column of numbers: a score by its name, or any column by its own."""
    for key in (_MEAN + name, name):
        if key in results:
            return np.array(results[key], dtype=float)
    known = [key for key in results if key.startswith(("mean_", "std_"))]
    raise ValueError(f"The results have no {name!r}. There are {known}.")


def taken(column: Any, rows: NDArray[np.intp]) -> Any:
    """Return some rows of a column of ``cv_results_``; the params stay a list."""
    if isinstance(column, list) and column and isinstance(column[0], Mapping):
        return [column[row] for row in rows]
    return np.asanyarray(column)[rows]


def objective_of(results: Results, name: str) -> Array:
    """Return a column of which more is better; a minus before it says less is."""
    if name.startswith("-"):
        return -column_of(results, name[1:])
    return column_of(results, name)


def parameter_of(results: Results, name: str) -> list[Any]:
    """Return the values of a parameter, None where a candidate does not have it.

    Raises ValueError if there is no such parameter, or a value is neither a number
    nor None.
    """
    params = list(results["params"])
    if not any(name in candidate for candidate in params):
        known = sorted({key for candidate in params for key in candidate})
        raise ValueError(f"The parameter {name!r} was not searched, but {known}.")
    values = [candidate.get(name) for candidate in params]
    for value in values:
        if value is not None and not is_number(value):
            raise ValueError(
                f"An order of complexity needs numbers, or None. {name!r} has the "
                f"value {value!r}."
            )
    return values


def check_number(owner: Any, name: str, low: float, high: float = math.inf) -> None:
    """Raise ValueError if an attribute of a rule is no number in a range."""
    value = getattr(owner, name)
    if not is_number(value) or not low <= value <= high or math.isinf(value):
        limits = (
            f" from {low:g} to {high:g}" if high < math.inf else f", {low:g} or more"
        )
        limits = " that is finite" if low == -math.inf else limits
        raise ValueError(
            f"The {name!r} of {type(owner).__name__} must be a number{limits}. Got "
            f"{value!r} instead."
        )


def check_name(owner: Any, name: str, known: tuple[Any, ...]) -> None:
    """Raise ValueError if an attribute of a rule is none of some values."""
    value = getattr(owner, name)
    if value not in known:
        raise ValueError(
            f"{did_you_mean(value, known)}The {name!r} of {type(owner).__name__} must "
            f"be one of {list(known)}. Got {value!r} instead."
        )
