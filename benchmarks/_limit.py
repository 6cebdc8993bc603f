"""The limit of exact reuse: every distinct thing done once, and nothing around it.

A plain loop, written without the package that is measured. It fits each distinct step
once per split, transforms both parts once, and scores each candidate once; along a
path, it fits once and takes the smaller models from the largest. At the end, it fits
the best candidate on all the data. No search with the same scores can do with less.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from _measure import Scores, Workload
from sklearn.base import clone
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.feature_selection import SelectKBest
from sklearn.model_selection import ParameterGrid, ParameterSampler, check_cv
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing

__all__ = ["run_limit"]

Fits = Iterator[Any]


def _late(model: Any, name: str, values: Sequence[Any], X: Any, y: Any) -> Fits:
    model.set_params(**{name: values[-1]}).fit(X, y)
    for value in values:
        yield copy.copy(model).set_params(**{name: value})


def _prefix(model: Any, name: str, values: Sequence[Any], X: Any, y: Any) -> Fits:
    model.set_params(**{name: values[-1]}).fit(X, y)
    for value in values:
        smaller = copy.copy(model).set_params(**{name: value})
        smaller.estimators_ = model.estimators_[:value]
        yield smaller


def _warm(model: Any, name: str, values: Sequence[Any], X: Any, y: Any) -> Fits:
    model.set_params(warm_start=True)
    for value in values:
        yield model.set_params(**{name: value}).fit(X, y)


Path = Callable[[Any, str, Sequence[Any], Any, Any], Fits]
PATHS: dict[type, tuple[str, Path]] = {
    GradientBoostingRegressor: ("n_estimators", _prefix),
    HistGradientBoostingClassifier: ("max_iter", _warm),
    KNeighborsClassifier: ("n_neighbors", _late),
    RandomForestClassifier: ("n_estimators", _prefix),
    SelectKBest: ("k", _late),
}


def run_limit(workload: Workload) -> Scores:
    """Do the work; return the scores as the searches name them."""
    candidates = _candidates(workload)
    cv = check_cv(workload.cv, workload.y, classifier=True)
    if len(np.unique(workload.y)) > 100:  # a regression
        cv = check_cv(workload.cv)
    splits = list(cv.split(workload.X, workload.y))
    scores = np.empty((len(splits), len(candidates)))
    for row, (train, test) in zip(scores, splits, strict=True):
        parts = [_safe_indexing(workload.X, rows) for rows in (train, test)]
        targets = [workload.y[rows] for rows in (train, test)]
        steps = _steps(workload.estimator)
        _walk(steps, list(enumerate(candidates)), parts, targets, row)
    best = candidates[int(scores.mean(axis=0).argmax())]
    clone(workload.estimator).set_params(**best).fit(workload.X, workload.y)
    return {f"split{i}_test_score": row for i, row in enumerate(scores)}


def _candidates(workload: Workload) -> list[dict[str, Any]]:
    if workload.n_iter is None:
        return list(ParameterGrid(workload.space))
    return list(ParameterSampler(workload.space, workload.n_iter, random_state=0))


def _steps(estimator: Any) -> list[tuple[str, Any]]:
    if isinstance(estimator, Pipeline):
        return [(f"{name}__", step) for name, step in estimator.steps]
    return [("", estimator)]


Numbered = list[tuple[int, dict[str, Any]]]


def _walk(
    steps: list[tuple[str, Any]],
    candidates: Numbered,
    parts: Sequence[Any],
    targets: Sequence[Any],
    scores: np.ndarray,
) -> None:
    """Take candidates through the first of the steps, and those behind it."""
    (prefix, step), *others = steps
    for members, fitted, X_train in _fits(prefix, step, candidates, parts, targets):
        if others:
            behind = X_train, fitted.transform(parts[1])
            _walk(others, members, behind, targets, scores)
            continue
        for number, _ in members:
            scores[number] = fitted.score(parts[1], targets[1])


def _fits(
    prefix: str,
    step: Any,
    candidates: Numbered,
    parts: Sequence[Any],
    targets: Sequence[Any],
) -> Iterator[tuple[Numbered, Any, Any]]:
    """Yield each distinct fit of a step, who uses it, and what it makes of the data."""
    X, y = parts[0], targets[0]
    name, path = PATHS.get(type(step), ("", None))
    for params, group in _groups(prefix, candidates, without=prefix + name):
        model = clone(step).set_params(**params)
        variants = _groups(prefix, group)
        values = [variant.get(name) for variant, _ in variants]
        if path is not None and len(values) > 1:
            order = np.argsort(values)
            fits = path(model, name, [values[i] for i in order], X, y)
            for i, fitted in zip(order, fits, strict=True):
                yield variants[i][1], fitted, _transformed(fitted, X)
            continue
        for variant, members in variants:
            model = clone(step).set_params(**variant)
            after = None
            if hasattr(model, "fit_transform"):
                after = model.fit_transform(X, y)
            else:
                model.fit(X, y)
            yield members, model, after


def _transformed(fitted: Any, X: Any) -> Any:
    return fitted.transform(X) if hasattr(fitted, "transform") else None


def _groups(
    prefix: str, candidates: Numbered, without: str = ""
) -> list[tuple[dict[str, Any], Numbered]]:
    """Group candidates by the parameters of one step, but for one of them."""
    groups: dict[str, tuple[dict[str, Any], Numbered]] = {}
    for number, params in candidates:
        own = {
            name.removeprefix(prefix): value
            for name, value in params.items()
            if name.startswith(prefix) and name != without
        }
        groups.setdefault(repr(own), (own, []))[1].append((number, params))
    return list(groups.values())
