"""From an estimator, a space and some data to the search to take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sklearn.base import clone, is_classifier
from sklearn.model_selection import (
    RepeatedKFold,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedShuffleSplit,
)
from sklearn.utils import get_tags, indexable
from sklearn.utils.multiclass import type_of_target

from skhpo._recommendation._measure import facts_of, with_space
from skhpo._recommendation._recommendation import Cost, Recommendation
from skhpo._recommendation._rules import (
    N_FOLDS,
    N_REPEATS,
    Decision,
    Facts,
    decide,
    pending,
)
from skhpo._units import parse_seconds
from skhpo.exceptions import InvalidSpaceError
from skhpo.search import BayesSearch, GridSearch, RandomSearch
from skhpo.search._check import check_against_estimator
from skhpo.space import SearchSpace, suggest_space
from skhpo.space._convert import is_tuple_range

__all__ = ["recommend_search"]

TEST_SIZE = 0.2  # of a single split


def recommend_search(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    space: Any = "auto",
    budget: float | str = "10min",
    n_jobs: int | None = None,
    scoring: Any = None,
    cv: Any = None,
    groups: Any = None,
    random_state: Any = None,
) -> Recommendation:
    """Recommend a search for an estimator and some data, and say why.

    The estimator as given is fitted on one split, twice, and the second fit is timed.
    From that, the number of candidates that `budget` pays for, the space, the rows and
    the workers, nine rules tell which search to take; :doc:`/which_search` has them.

    Parameters
    ----------
    estimator : estimator object
        What is to be tuned.
    X : array-like of shape (n_samples, n_features)
        The data.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        The target; None for unsupervised learning.
    space : dict, list of dict, SearchSpace or "auto", default="auto"
        What :class:`BayesSearch` takes; a tuple of two numbers is a range. "auto" is
        what :func:`skhpo.space.suggest_space` suggests for as many candidates as are
        affordable.
    budget : float or str, default="10min"
        Time for the search, in seconds or as "2h".
    n_jobs : int or None, default=None
        Number of jobs in parallel, as for the searches.
    scoring : str, callable or None, default=None
        The score; None is that of the estimator.
    cv : int, splitter, iterable or None, default=None
        How to split; None lets the rules say.
    groups : array-like of shape (n_samples,), default=None
        For the splitter, if `cv` is one that asks for groups.
    random_state : int, RandomState, Generator or None, default=None
        For the search, and for splits that are drawn.

    Returns
    -------
    Recommendation
        ``search`` is to be fitted; ``print`` it for the reasons.

    Raises
    ------
    TypeError
        If the space or the score is of the wrong kind.
    ValueError
        If the space does not suit the estimator, or the budget cannot be read.

    See Also
    --------
    compare_searches : Whether one search is better than another, by trying both.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skhpo import recommend_search
    >>> X, y = load_iris(return_X_y=True)
    >>> space = {"C": loguniform(1e-2, 1e2), "gamma": loguniform(1e-3, 1e1)}
    >>> found = recommend_search(SVC(), X, y, space=space, budget="1 min")
    >>> search = found.search.set_params(n_iter=8).fit(X, y)
    >>> bool(search.best_score_ > 0.9)
    True
    """
    seconds = parse_seconds(budget, "budget")
    _check(estimator, y, scoring)
    X, y, groups = indexable(X, y, groups)
    compiled = _compiled(space, estimator, X, y)
    check_against_estimator(estimator, compiled.subspaces(), check_values=True)
    if isinstance(cv, Iterable) and not hasattr(cv, "split"):
        cv = list(cv)  # a generator could be asked only once
    facts = facts_of(
        estimator,
        X,
        y,
        budget=seconds,
        n_jobs=n_jobs,
        scoring=scoring,
        cv=cv,
        groups=groups,
    )
    if isinstance(space, str):
        m = facts.affordable(facts.n_splits or N_FOLDS)
        space = compiled = suggest_space(estimator, X, y, n_iter=max(m, 1))
    facts = with_space(facts, estimator, compiled, scoring)
    decision = decide(facts)
    options = {"n_jobs": n_jobs, "scoring": scoring, "time_budget": seconds}
    options["cv"] = _splitter(decision, estimator, y, cv, random_state)
    search = _search(decision, facts, estimator, space, options, random_state)
    fits = decision.n_candidates * decision.n_splits
    cost = Cost(
        facts.seconds,
        decision.n_splits,
        decision.n_affordable,
        decision.n_candidates,
        fits * facts.seconds / facts.n_workers,
    )
    reasons, others = list(decision.reasons), list(decision.alternatives)
    return Recommendation(search, reasons, cost, others, facts)


def _compiled(space: Any, estimator: Any, X: Any, y: Any) -> SearchSpace:
    """Return the space; raise if it is none, or none is known."""
    if isinstance(space, str) and space == "auto":
        return suggest_space(estimator, X, y)
    if isinstance(space, str):
        raise ValueError(
            "'space' must be a dict of parameters and their values or ranges, such as "
            f"{{'max_depth': [2, 4, 8]}}, or \"auto\". Got {space!r}."
        )
    compiled = SearchSpace(space)
    if not compiled.columns:
        raise InvalidSpaceError(
            f"'space' is empty, so there is nothing to search. Got {space!r}."
        )
    return compiled


def _check(estimator: Any, y: Any, scoring: Any) -> None:
    if isinstance(estimator, type) or not hasattr(estimator, "fit"):
        raise TypeError(
            f"'estimator' must be an object with a fit method. Got {estimator!r}."
        )
    if scoring is not None and not isinstance(scoring, str) and not callable(scoring):
        raise TypeError(
            f"'scoring' must be one score, by name or as a callable. Got {scoring!r}."
        )
    if y is None and get_tags(estimator).target_tags.required:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is "
            "None."
        )


def _splitter(
    decision: Decision, estimator: Any, y: Any, cv: Any, random_state: Any
) -> Any:
    """Return what to give the search as `cv`."""
    if decision.splitting == "given":
        return cv
    if decision.splitting == "folds":
        return N_FOLDS
    classes = is_classifier(estimator) and y is not None
    stratified = classes and type_of_target(y) in ("binary", "multiclass")
    if decision.splitting == "one":
        split = StratifiedShuffleSplit if stratified else ShuffleSplit
        return split(1, test_size=TEST_SIZE, random_state=random_state)
    repeated = RepeatedStratifiedKFold if stratified else RepeatedKFold
    return repeated(n_splits=N_FOLDS, n_repeats=N_REPEATS, random_state=random_state)


def _search(
    decision: Decision,
    facts: Facts,
    estimator: Any,
    space: Any,
    options: dict[str, Any],
    random_state: Any,
) -> Any:
    """Return the search, unfitted."""
    estimator = clone(estimator)
    options = options | {"race": decision.race}
    if decision.kind == "none":
        return None
    if decision.kind == "grid":
        # All values of a range of integers, not some of its quantiles.
        n_levels = int(SearchSpace(space).n_values.max())
        return GridSearch(estimator, _with_ranges(space), n_levels=n_levels, **options)
    options |= {"n_iter": decision.n_candidates, "random_state": random_state}
    if decision.kind == "bayes":
        n_pending = pending(facts, decision.n_splits)
        return BayesSearch(estimator, space, n_pending=n_pending, **options)
    sampling = "sobol" if decision.kind == "sobol" else "random"
    return RandomSearch(estimator, _with_ranges(space), sampling=sampling, **options)


def _with_ranges(space: Any) -> Any:
    """Return a space that means the same to all searches.

    A pair of numbers is a range to `BayesSearch`, and two values to the others.
    """
    dicts = [space] if isinstance(space, Mapping) else space
    if isinstance(dicts, SearchSpace):
        return space
    values = [v for d in dicts if isinstance(d, Mapping) for v in d.values()]
    plain = all(isinstance(d, Mapping) for d in dicts)
    if plain and not any(map(is_tuple_range, values)):
        return space
    return SearchSpace(space)
