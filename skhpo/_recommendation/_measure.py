"""The facts about an estimator, its space and some data: two fits, and counting."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv

from skhpo import _clock
from skhpo._recommendation._rules import MANY_ROWS, N_FOLDS, Facts
from skhpo._sklearn_compat import num_samples, safe_split
from skhpo.evaluation.fitting._rows import row_numbers
from skhpo.evaluation.fitting._stages import final_step
from skhpo.evaluation.gradients._hypergradient import (
    differentiable,
    last_step,
    why_no_gradient,
)
from skhpo.evaluation.gradients._scores import find_smooth_score
from skhpo.evaluation.paths._stage_registry import find_stages
from skhpo.evaluation.training._registry import find_incremental
from skhpo.space import Real, SearchSpace

__all__ = ["facts_of", "with_space"]

# A first fit that takes more of the budget than this is not repeated.
DEAR = 0.1
STEP_SIZES = {"eta0", "learning_rate_init", "lr"}


def facts_of(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    budget: float,
    n_jobs: int | None,
    scoring: Any,
    cv: Any,
    groups: Any,
) -> Facts:
    """Return the facts but for those of a space; fits the estimator as given twice."""
    folds = N_FOLDS if cv is None else cv
    splitter = check_cv(folds, y, classifier=is_classifier(estimator))
    train, test = next(iter(splitter.split(X, y, groups)))
    scorer = check_scoring(estimator, scoring=scoring)
    n_rows = num_samples(X)
    seconds = _seconds(estimator, X, y, train, test, scorer, DEAR * budget)
    growth = None
    if n_rows > MANY_ROWS and seconds < DEAR * budget:
        rows = np.random.default_rng(0).permutation(row_numbers(train))
        half = rows[: len(train) // 2]
        halved = _seconds(estimator, X, y, half, test, scorer, -math.inf)
        growth = seconds / halved if halved > 0 else None
    n_splits = None if cv is None else splitter.get_n_splits(X, y, groups)
    return Facts(
        budget,
        seconds,
        n_rows,
        n_workers=int(effective_n_jobs(n_jobs)),
        n_splits=n_splits,
        growth=growth,
    )


def with_space(
    facts: Facts, estimator: Any, space: SearchSpace, scoring: Any = None
) -> Facts:
    """Return the facts with those of a space over the estimator, by its score."""
    names = _varying(space)
    prefix, final = final_step(estimator)
    return replace(
        facts,
        dimensions=names,
        size=space.size,
        step_sizes=_step_sizes(final, names),
        counts=_counts(final, prefix, names),
        slopes=_slopes(estimator, space, names, scoring),
    )


def _seconds(
    estimator: Any, X: Any, y: Any, train: Any, test: Any, scorer: Any, enough: float
) -> float:
    """Return the time of a fit and a score on one split: of the second, if any.

    The first one imports and compiles. If it takes more than `enough`, it is the only.
    """
    X_train, y_train = safe_split(estimator, X, y, train)
    X_test, y_test = safe_split(estimator, X, y, test, train)
    seconds = math.inf
    for _ in range(2):
        own = clone(estimator)
        start = _clock.now()
        own.fit(*((X_train,) if y is None else (X_train, y_train)))
        scorer(own, *((X_test,) if y is None else (X_test, y_test)))
        seconds = _clock.now() - start
        if seconds > enough:
            break
    return seconds


def _varying(space: SearchSpace) -> tuple[str, ...]:
    names = [
        column.name
        for column, n in zip(space.columns, space.n_values, strict=True)
        if column.name is not None and n > 1
    ]
    return tuple(dict.fromkeys(names))


def _step_sizes(final: Any, names: tuple[str, ...]) -> tuple[str, ...]:
    if find_incremental(final) is None:
        return ()
    return tuple(name for name in names if name.rpartition("__")[2] in STEP_SIZES)


def _counts(final: Any, prefix: str, names: tuple[str, ...]) -> tuple[str, ...]:
    stages = find_stages(final)
    own = [] if stages is None else [prefix + name for name in stages.parameters]
    return tuple(name for name in names if name in own)


def _slopes(
    estimator: Any, space: SearchSpace, names: tuple[str, ...], scoring: Any
) -> tuple[str, ...]:
    """Return the ranges by which the score has a derivative that is known."""
    if why_no_gradient(estimator) is not None:
        return ()
    if (
        find_smooth_score(check_scoring(estimator, scoring), last_step(estimator))
        is None
    ):
        return ()
    known = differentiable(estimator)
    ranges = {c.name for c in space.columns if isinstance(c.dimension, Real)}
    return tuple(name for name in names if name in known and name in ranges)
