"""What a search tells: of its way, of its space, and of what it took to write."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from skhpo._arithmetic import Array
from skhpo._candidates._read import number_tried
from skhpo._comparison._records import Told
from skhpo._keys import structural_key
from skhpo._split_scores import complete_rows
from skhpo.exceptions import InvalidSpaceError
from skhpo.search._base import BaseSearch
from skhpo.space import SearchSpace
from skhpo.space._plain import with_listed_tuples

__all__ = ["options_set", "other_packages", "space_of", "told_by"]

CORE = {"skhpo", "sklearn", "__main__"}
SPACES = ("param_distributions", "param_grid", "search_spaces")
# Set by everybody, or by the comparison.
NO_OPTIONS = {"estimator", "random_state", "n_jobs", "verbose", *SPACES}


def told_by(search: Any, space: SearchSpace | None) -> Told:
    """Return what a fitted search tells of its way."""
    best_score = float(getattr(search, "best_score_", math.nan))
    place = _place(search, space)
    results = getattr(search, "cv_results_", None)
    if not isinstance(results, Mapping):
        return Told(best_score=best_score, place=place)
    n_splits = np.asarray(results.get("n_splits", search.n_splits_), float)
    n_candidates = len(results["params"])
    per_fit = np.asarray(results["mean_fit_time"], float)
    per_fit = per_fit + np.asarray(results["mean_score_time"], float)
    seconds = np.nan_to_num(per_fit) * n_splits
    reached = np.cumsum(seconds)
    total = float(reached[-1])
    return Told(
        best_score=best_score,
        n_candidates=number_tried(results),
        n_fits=float(np.broadcast_to(n_splits, n_candidates).sum()),
        saved=_saved(search),
        fit_seconds=total,
        scores=_scores(search, results),
        elapsed=reached / total if total > 0 else np.ones(n_candidates),
        place=place,
    )


def _scores(search: Any, results: Mapping[str, Any]) -> Array:
    """Return the mean scores of the candidates, NaN where one could not have won."""
    refit = getattr(search, "refit", None)
    named = isinstance(refit, str) and getattr(search, "multimetric_", False)
    name = f"mean_test_{refit if named else 'score'}"
    n_candidates = len(results["params"])
    scores = np.asarray(results.get(name, np.full(n_candidates, math.nan)), float)
    return np.where(complete_rows(results), scores, math.nan)


def _saved(search: Any) -> float:
    reuse = getattr(search, "reuse_", None)
    if reuse is None:
        return 0.0
    return float(reuse.n_saved / max(reuse.n_fits + reuse.n_saved, 1))


def space_of(search: Any) -> SearchSpace | None:
    """Return the space of a search, None if it is of no kind that is known."""
    name = next((name for name in SPACES if hasattr(search, name)), None)
    if name is None:
        return None
    with suppress(InvalidSpaceError, TypeError):
        if isinstance(search, BaseSearch):
            space = search._compile()
            return SearchSpace(space)
        return SearchSpace(with_listed_tuples(getattr(search, name)))
    return None


def _place(search: Any, space: SearchSpace | None) -> Array | None:
    params = getattr(search, "best_params_", None)
    if space is None or params is None:
        return None
    with suppress(InvalidSpaceError):
        return space.encode(dict(params))
    return None


def options_set(search: Any) -> list[str]:
    """Return the parameters that have other values than their defaults."""
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(type(search)).parameters.items()
    }
    return [
        name
        for name, value in search.get_params(deep=False).items()
        if name not in NO_OPTIONS
        and structural_key(value) != structural_key(defaults.get(name))
    ]


def other_packages(search: Any) -> list[str]:
    """Return the package of a search, if it is neither scikit-learn nor skhpo."""
    package = type(search).__module__.partition(".")[0]
    return [] if package in CORE else [package]
