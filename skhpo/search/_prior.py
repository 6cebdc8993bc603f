"""What an earlier search found, as trials to learn from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from skhpo._trial import Candidate, Estimate, Trial
from skhpo._warnings import warn_user
from skhpo.exceptions import InvalidSpaceError, SkhpoWarning
from skhpo.space import SearchSpace

__all__ = ["prior_trials", "warn_of_other_score"]

TIMES = ("mean_fit_time", "mean_score_time")


def prior_trials(prior_results: Any, metric: str, space: SearchSpace) -> list[Trial]:
    """Return the trials of an earlier search, with ids that no other trial has.

    Parameters
    ----------
    prior_results : fitted search, dict or data frame
        The search, or its ``cv_results_``; at least ``params`` and mean test scores.
    metric : str
        The score that is maximized, as the names of the columns end.
    space : SearchSpace
        What is searched now.

    Returns
    -------
    list of Trial
        With the scores of the splits; with the mean alone where there are none, and
        with what was expected of those that a race dropped. Their times are the mean
        ones, if there are any.

    Raises
    ------
    ValueError
        If these are no such results, or a number of a row is missing.
    InvalidSpaceError
        If params are not in the space.

    Examples
    --------
    >>> results = {"params": [{"C": 1}, {"C": 2}], "mean_test_score": [0.5, 0.7]}
    >>> trials = prior_trials(results, "score", SearchSpace({"C": [1, 2]}))
    >>> [trial.score for trial in trials]
    [0.5, 0.7]
    """
    results = _results_of(prior_results)
    mean = f"mean_test_{metric}"
    if not isinstance(results, Mapping) or not {"params", mean} <= results.keys():
        raise ValueError(
            "The 'prior_results' parameter of BayesSearch must be a fitted search or "
            f"its cv_results_, with 'params' and {mean!r}. {_what(prior_results)}"
        )
    of_a_split = re.compile(rf"split\d+_test_{re.escape(metric)}")
    names = [name for name in results if of_a_split.fullmatch(name)] or [mean]
    times = [name for name in TIMES if name in results]
    failed = _failed_rows(prior_results)
    trials = []
    for row, params in enumerate(results["params"]):
        try:
            space.encode(params)
        except InvalidSpaceError as error:
            raise InvalidSpaceError(
                f"'prior_results' come from another search space: {error}"
            ) from None
        per_split = sum(_number(results, name, row) for name in times)
        scores = [_number(results, name, row) for name in names]
        candidate = Candidate(-1 - row, params)
        seconds = per_split * len(scores)
        trial = Trial.from_scores(candidate, scores, row in failed, seconds)
        if "dropped" in results and results["dropped"][row]:
            estimate = Estimate(_number(results, f"estimated_test_{metric}", row))
            trial = replace(trial, estimate=estimate)
        trials.append(trial)
    return trials


def _results_of(given: Any) -> Any:
    """Return the results of a search, those in a data frame as a dict."""
    results = getattr(given, "cv_results_", given)
    if hasattr(results, "columns") and hasattr(results, "to_dict"):
        return {name: list(results[name]) for name in results.columns}
    return results


def _failed_rows(given: Any) -> set[int]:
    """Return the rows of the candidates of which a fit failed, as far as it is known.

    A search of this package knows them. Results alone do not say whether a score is
    one, or the ``error_score`` of the search.
    """
    return {row for group in getattr(given, "failures_", ()) for row in group.rows}


def _number(results: Mapping[str, Any], name: str, row: int) -> float:
    """Return a number of a row, NaN included; raise if there is none."""
    column = results.get(name, ())
    if len(column) != len(results["params"]):
        raise ValueError(
            f"'prior_results' must have a number in {name!r} for each of their "
            f"{len(results['params'])} params. Got {len(column)} instead."
        )
    try:
        return float(column[row])
    except (TypeError, ValueError):
        raise ValueError(
            f"{name!r} of 'prior_results' must hold numbers, NaN for what is not "
            f"known. Got {column[row]!r} in row {row} instead."
        ) from None


def warn_of_other_score(prior_results: Any, scoring: Any) -> None:
    """Warn of an earlier search that has maximized another score.

    Parameters
    ----------
    prior_results : fitted search or dict
        Of results, nothing is known but their names.
    scoring : str, callable, list, dict or None
        What is maximized now.
    """
    before = getattr(prior_results, "scoring", scoring)
    are_names = all(isinstance(value, str | None) for value in (before, scoring))
    if are_names and before != scoring:
        warn_user(
            f"'prior_results' are of a search with scoring={before!r}; this one has "
            f"scoring={scoring!r}: it learns from them as if they were its own scores.",
            SkhpoWarning,
        )


def _what(given: object) -> str:
    """Return what was given in place of results, and the remedy if there is one."""
    results = _results_of(given)
    if isinstance(results, Mapping):
        names = [name for name in results if re.match("params$|mean_test_", str(name))]
        return f"Got results that have {names} only."
    if hasattr(given, "fit"):
        return (
            f"Got a {type(given).__name__} that is not fitted. (Clones forget their "
            "fit, as in nested cross-validation: pass the cv_results_ there.)"
        )
    return f"Got {given!r} instead."
