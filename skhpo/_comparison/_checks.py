"""What is to be compared, checked before anything is fitted."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.metrics import get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.utils import get_tags

from skhpo._keys import structural_key
from skhpo._sklearn_compat import BaseSearchCV, score_function
from skhpo.evaluation.fitting._rows import row_numbers

__all__ = ["Splits", "check_numbers", "check_searches", "outer_splits", "shared_metric"]

# What an estimator is scored by where nothing else is said.
OWN_SCORES = {"classifier": "accuracy", "regressor": "r2"}
HOW = 'such as {"random": RandomSearch(...), "bayes": BayesSearch(...)}'


def check_searches(searches: Any) -> tuple[dict[str, Any], list[str]]:
    """Return the searches by name, unfitted, and what is to be said of them.

    Raises TypeError or ValueError if they cannot be compared.
    """
    if not isinstance(searches, Mapping):
        raise TypeError(
            f"'searches' must be a dict of names and searches, {HOW}: names are how "
            f"the result speaks of them. Got {type(searches).__name__}."
        )
    if len(searches) < 2:
        raise ValueError(
            f"'searches' must have two or more searches to compare, {HOW}. Got "
            f"{len(searches)}."
        )
    for name, search in searches.items():
        _check_name(name)
        _check_search(name, search)
    notes = [*_fitted_before(searches), *_equal(searches), *_with_journal(searches)]
    return {name: clone(search) for name, search in searches.items()}, notes


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"Names of searches must be strings. Got {name!r}.")


def _check_search(name: str, search: object) -> None:
    is_search = isinstance(search, BaseSearchCV) or hasattr(
        type(search), "best_params_"
    )
    if isinstance(search, type) or not is_search:
        shown = search if isinstance(search, type) else type(search).__name__
        raise TypeError(
            f"{name!r} is no search, such as GridSearch or RandomizedSearchCV, but "
            f"{shown}. A search stands outside, around the pipeline; make an object of "
            "a class. To compare estimators, take cross_validate of scikit-learn."
        )
    if getattr(search, "refit", True) is False:
        raise ValueError(
            f"{name!r} has refit=False: there is no model to score on the outer test "
            "rows. Set refit=True, or to the name of the score that decides."
        )


def _fitted_before(searches: Mapping[str, Any]) -> list[str]:
    fitted = [name for name, s in searches.items() if hasattr(s, "cv_results_")]
    if not fitted:
        return []
    return [
        f"{_listed(fitted)} had been fitted. That fit is not used, since it may have "
        "seen the test rows: each was fitted anew on the train rows of every split. "
        "skhpo.report tells of a fit that is done."
    ]


def _equal(searches: Mapping[str, Any]) -> list[str]:
    keys = {n: _key_of(search) for n, search in searches.items()}
    return [
        f"{a!r} and {b!r} are the same search, and get the same seeds: they find the "
        "same."
        for a, b in itertools.combinations(searches, 2)
        if keys[a] == keys[b]
    ]


def _key_of(search: Any) -> Any:
    params = search.get_params(deep=False)
    if "random_state" in params:
        params["random_state"] = None
    return type(search), structural_key(params)


def _with_journal(searches: Mapping[str, Any]) -> list[str]:
    names = [n for n, s in searches.items() if getattr(s, "journal", None) is not None]
    if not names:
        return []
    return [
        f"{_listed(names)} has a journal. What stands in it already is not fitted "
        "again, which makes its times too short."
    ]


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names))


def check_numbers(n_seeds: object, rope: object, level: object) -> None:
    """Raise if one of the numbers is not what it must be."""
    is_count = isinstance(n_seeds, Integral) and not isinstance(n_seeds, bool)
    if not is_count or n_seeds < 1:  # type: ignore[operator]
        raise ValueError(f"'n_seeds' must be an integer of 1 or more. Got {n_seeds!r}.")
    for name, value, low, high in (
        ("rope", rope, 0.0, math.inf),
        ("level", level, 0.5, 0.9999),
    ):
        is_number = isinstance(value, Real) and not isinstance(value, bool)
        if not is_number or not low <= float(value) <= high:  # type: ignore[arg-type]
            raise ValueError(
                f"{name!r} must be a number from {low:g} to {high:g}. Got {value!r}."
            )


@dataclass(frozen=True)
class Splits:
    """The outer splits.

    Parameters
    ----------
    pairs : list of (ndarray, ndarray)
        Train and test rows of each.
    ratio : float
        Test rows over train rows.
    n_tested : int
        Distinct rows in test parts.
    """

    pairs: list[tuple[Any, Any]]
    ratio: float
    n_tested: int


def outer_splits(cv: Any, X: Any, y: Any, groups: Any, search: Any) -> Splits:
    """Return the outer splits, made once for all searches."""
    splitter = check_cv(cv, y, classifier=is_classifier(search))
    pairs = list(splitter.split(X, y, groups))
    if len(pairs) < 2:
        raise ValueError(
            f"'cv' has {len(pairs)} split: what differs by chance between rows cannot "
            "be told from what differs between searches. Take two or more, such as "
            "cv=5 or ShuffleSplit(5, test_size=0.3)."
        )
    trained, tested = zip(*pairs, strict=True)
    n_tested = sum(map(_n_rows, tested))
    if not n_tested or not sum(map(_n_rows, trained)):
        raise ValueError("'cv' has splits without train or without test rows.")
    distinct = np.unique(np.concatenate([row_numbers(test) for test in tested]))
    ratio = n_tested / sum(map(_n_rows, trained))
    return Splits(pairs, ratio, len(distinct))


def _n_rows(part: Any) -> int:
    return len(row_numbers(part))


def shared_metric(searches: Mapping[str, Any], scoring: Any) -> tuple[str, bool]:
    """Return the name of the outer score, and whether all searches choose by it.

    Raises TypeError or ValueError if there is none that compares them.
    """
    _check_scoring(scoring)
    inner = {name: _deciding(search) for name, search in searches.items()}
    kinds = {_score_key(*value): value for value in inner.values()}
    if scoring is not None:
        wanted = [_score_key(kind, scoring) for kind, _ in inner.values()]
        return _shown(scoring), set(kinds) == set(wanted)
    if len(kinds) > 1:
        shown = {name: _shown(value) for name, (_, value) in inner.items()}
        raise ValueError(
            f"The searches do not have the same score, {shown}: say by which one to "
            "compare them, as in scoring='accuracy'."
        )
    ((_, value),) = kinds.values()
    return _shown(value), True


def _score_key(kind: str, scoring: Any) -> Any:
    """Return what is equal for equal scores; clones of a search have copies of one."""
    made = score_function(scoring, None)
    parts = scoring if made is None else (type(scoring), *vars(made).values())
    return structural_key((kind, parts))


def _check_scoring(scoring: Any) -> None:
    if scoring is None or callable(scoring):
        return
    if not isinstance(scoring, str):
        raise TypeError(
            "'scoring' must be one score: a name, such as 'accuracy', or a callable "
            f"(estimator, X, y) -> float. Got {scoring!r}."
        )
    if scoring not in get_scorer_names():
        raise ValueError(
            "'scoring' must be a name that sklearn.metrics.get_scorer_names() has, "
            f"such as 'accuracy'. Got {scoring!r}."
        )


def _deciding(search: Any) -> tuple[str, Any]:
    """Return the kind of the estimator, and the score by which its search chooses."""
    kind = str(get_tags(search).estimator_type)
    scoring, refit = getattr(search, "scoring", None), getattr(search, "refit", True)
    if isinstance(scoring, Mapping):
        scoring = scoring.get(refit, scoring) if isinstance(refit, str) else scoring
    elif isinstance(scoring, list | tuple | set) and isinstance(refit, str):
        scoring = refit
    return kind, OWN_SCORES.get(kind) if scoring is None else scoring


def _shown(scoring: Any) -> str:
    if scoring is None or isinstance(scoring, str):
        return scoring or "score"
    made = score_function(scoring, None)
    scoring = scoring if made is None else made.function
    return str(getattr(scoring, "__name__", type(scoring).__name__))
