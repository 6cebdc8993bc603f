"""The parts of an estimator that have parameters of their own, with what they see.

A step of a pipeline sees what the earlier steps make of the data: these are fitted, as
they are given, on a few hundred rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import clone

from skhpo._keys import is_estimator
from skhpo.space.suggested._data import DataInfo, measure, some_rows

__all__ = ["Part", "Sight", "parts"]

# Rows that the earlier steps of a pipeline are fitted on.
N_FITTED = 500
# What wraps another estimator, and the names of the parameters that hold it.
INNER = ("estimator", "regressor", "classifier", "base_estimator")


@dataclass(frozen=True)
class Sight:
    """Data as one part of an estimator sees them.

    Parameters
    ----------
    X, y : array-like
        Some of the rows, or all.
    task : str or None
        What `y` is.
    n_train, n_samples : int
        Rows of the smallest fit, and of all the data.
    scoring : dict of str to bool
        What is known of the score.
    notes : list of str
        What went wrong on the way; shared by all sights.
    """

    X: Any
    y: Any
    task: str | None
    n_train: int
    n_samples: int
    scoring: dict[str, bool]
    notes: list[str] = field(default_factory=list)

    def of(self, X: Any, y: Any = None) -> Sight:
        """Return the same with other data."""
        y = self.y if y is None else y
        return Sight(
            X, y, self.task, self.n_train, self.n_samples, self.scoring, self.notes
        )

    def measured(self) -> DataInfo:
        """Return sizes and units."""
        return measure(
            self.X, self.y, task=self.task, n_train=self.n_train,
            n_samples=self.n_samples, **self.scoring,
        )  # fmt: skip


@dataclass(frozen=True)
class Part:
    """An estimator inside of another one.

    Parameters
    ----------
    prefix : str
        Of the names of its parameters, such as ``"svc__"``.
    estimator : estimator
        The part.
    sight : Sight
        The data as it sees them.
    is_final : bool
        Whether it predicts; False for transformers.
    """

    prefix: str
    estimator: Any
    sight: Sight
    is_final: bool


def parts(estimator: Any, sight: Sight, prefix: str = "") -> Iterator[Part]:
    """Yield an estimator and all that is inside of it; the last step goes first."""
    if not is_estimator(estimator):  # "passthrough", "drop", None
        return
    if hasattr(estimator, "steps"):
        yield from _of_pipeline(estimator, sight, prefix)
    elif hasattr(estimator, "transformers"):
        yield from _of_columns(estimator, sight, prefix)
    elif isinstance(getattr(estimator, "transformer_list", None), list):
        yield from _each(estimator.transformer_list, sight, prefix, is_final=False)
    elif isinstance(getattr(estimator, "estimators", None), list):
        yield from _each(estimator.estimators, sight, prefix, is_final=True)
    else:
        yield Part(prefix, estimator, sight, is_final=True)
        yield from _wrapped(estimator, sight, prefix)


def _wrapped(estimator: Any, sight: Sight, prefix: str) -> Iterator[Part]:
    """Yield what a meta-estimator wraps."""
    own = estimator.get_params(deep=False)
    for name in INNER:
        if is_estimator(own.get(name)):
            inside = _transformed_target(estimator, own, sight)
            yield from parts(own[name], inside, f"{prefix}{name}__")


def _transformed_target(estimator: Any, own: Any, sight: Sight) -> Sight:
    """Return what the inside of a TransformedTargetRegressor sees."""
    if "regressor" not in own or "transformer" not in own or sight.y is None:
        return sight
    try:
        y = np.asarray(sight.y, dtype=float)
        if own["transformer"] is not None:
            columns = y.reshape(len(y), -1)
            y = clone(own["transformer"]).fit_transform(columns).reshape(y.shape)
        elif own.get("func") is not None:
            y = own["func"](y)
    except Exception as error:
        sight.notes.append(_failure(type(estimator).__name__, error))
        return sight
    return sight.of(sight.X, y)


def _each(
    named: Sequence[tuple[str, Any]], sight: Sight, prefix: str, *, is_final: bool
) -> Iterator[Part]:
    for name, estimator in named:
        for part in parts(estimator, sight, f"{prefix}{name}__"):
            yield _as(part, is_final=is_final)


def _as(part: Part, *, is_final: bool) -> Part:
    return Part(part.prefix, part.estimator, part.sight, part.is_final and is_final)


def _of_columns(estimator: Any, sight: Sight, prefix: str) -> Iterator[Part]:
    """Yield the transformers of a ColumnTransformer, each with its own columns."""
    for name, transformer, columns in estimator.transformers:
        try:
            chosen = columns(sight.X) if callable(columns) else columns
            seen = sight.of(_columns(sight.X, chosen))
        except Exception as error:
            sight.notes.append(_failure(f"{prefix}{name}", error))
            seen = sight
        yield from _each([(name, transformer)], seen, prefix, is_final=False)


def _columns(X: Any, chosen: Any) -> Any:
    """Return columns by name, number, mask or slice."""
    if not hasattr(X, "loc"):
        return X[:, chosen]
    ends = [chosen.start, chosen.stop] if isinstance(chosen, slice) else chosen
    names = [ends] if isinstance(ends, str) else list(ends)
    by_name = any(isinstance(name, str) for name in names)
    return X.loc[:, chosen] if by_name else X.iloc[:, chosen]


def _of_pipeline(estimator: Any, sight: Sight, prefix: str) -> Iterator[Part]:
    found: list[list[Part]] = []
    last = len(estimator.steps) - 1
    for place, (name, step) in enumerate(estimator.steps):
        inside = parts(step, sight, f"{prefix}{name}__")
        found.append([_as(part, is_final=place == last) for part in inside])
        if place < last:
            sight = _behind(step, sight, f"{prefix}{name}")
    for those in reversed(found):
        yield from those


def _behind(step: Any, sight: Sight, name: str) -> Sight:
    """Return what comes after a step, which is fitted on some rows."""
    if not is_estimator(step):
        return sight
    X, y = some_rows(sight.X, sight.y, N_FITTED)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Z = clone(step).fit(X, y).transform(X)
    except Exception as error:
        sight.notes.append(_failure(name, error))
        return sight
    return sight.of(Z, y)


def _failure(name: str, error: Exception) -> str:
    return (
        f"{name} could not be fitted ({type(error).__name__}: {error}), so what comes "
        "after it is suggested for the data before it: units may be wrong."
    )
