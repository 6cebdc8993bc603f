"""``param_distributions="auto"``: the space that is suggested for a search's data."""

from __future__ import annotations

import copy
from numbers import Integral
from typing import Any

import numpy as np

from skhpo._sklearn_compat import (
    asks_for_probabilities,
    is_multimetric,
    num_samples,
    sees_predictions_only,
)
from skhpo.search._curves import own_ways
from skhpo.search._run import Problem
from skhpo.space import SuggestedSpace
from skhpo.space.suggested._request import Request
from skhpo.space.suggested._suggest import suggest

__all__ = ["is_auto", "suggested_space"]


def is_auto(given: object) -> bool:
    """Whether a search is to find its space by itself."""
    return isinstance(given, str) and given == "auto"


def suggested_space(search: Any, problem: Problem) -> SuggestedSpace:
    """Return the space that is suggested for a search and its data.

    Parameters
    ----------
    search : BaseSearch
        With its number of candidates.
    problem : Problem
        What its ``fit`` was given; the splits say how many rows a fit has.

    Raises
    ------
    ValueError
        If there is none; says what would help.
    """
    # Of a population and of halving, the resource is no parameter to be searched.
    is_population = not hasattr(search, "n_iter")
    resource = getattr(search, "resource", None)
    is_rationed = is_population or resource not in (None, "n_samples")
    request = Request(
        n_iter=search.population_size if is_population else search.n_iter,
        exclude=frozenset([resource] if resource and is_rationed else []),
        curves=not is_rationed and _leaves_rounds_open(search, problem),
    )
    scoring = {
        "explicit_scoring": search.scoring not in (None, "accuracy"),
        "needs_probabilities": asks_for_probabilities(problem.scorers),
    }
    return suggest(
        problem.estimator,
        problem.X,
        problem.y,
        request,
        n_train=_least_rows(problem, _share(search, problem)),
        scoring=scoring,
    )


def _leaves_rounds_open(search: Any, problem: Problem) -> bool:
    """Whether nothing speaks against one fit that tells of all numbers of rounds.

    A scorer that may look at all of a model would be given many models.
    """
    scorers, fit_params = problem.scorers, problem.routed.estimator.fit
    is_decided = not is_multimetric(scorers) or isinstance(search.refit, str)
    is_left = is_decided and not own_ways(fit_params)
    return is_left and sees_predictions_only(scorers)


def _share(search: Any, problem: Problem) -> float:
    """Return the share of all rows that the first iteration of halving has."""
    least = getattr(search, "min_resources", None)
    if getattr(search, "resource", None) != "n_samples":
        return 1.0
    return least / num_samples(problem.X) if isinstance(least, Integral) else 1.0


def _least_rows(problem: Problem, share: float) -> int:
    """Return the size of the smallest train part; draws nothing from the splitter."""
    cv, params = copy.deepcopy(problem.cv), problem.routed.splitter.split
    sizes = []
    for train, _ in cv.split(problem.X, problem.y, **params):
        rows = np.asarray(train)
        sizes.append(int(rows.sum()) if rows.dtype == bool else len(rows))
    return max(1, int(min(sizes, default=1) * min(share, 1.0)))
