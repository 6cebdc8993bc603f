"""The parts of an estimator that have parameters of their own, with what they see.

A step of a pipeline sees what the earlier steps make of the data: these are fitted, as
they are given, on a few hundred rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import clone

from skhpo._keys import is_estimator
from skhpo.space.suggested._data import n_columns, some_rows
from skhpo.space.suggested._members import of_members
from skhpo.space.suggested._registry import is_known, names_of_ranges
from skhpo.space.suggested._sight import Sight

__all__ = ["Part", "parts"]

# Rows that the earlier steps of a pipeline are fitted on.
N_FITTED = 500
# The least share of p columns that is left by what is suggested for a parameter. Words
# that are in fewer than five texts are most of them.
LEAST_LEFT: dict[str, Callable[[int], float]] = {
    "k": lambda p: p ** (-2 / 3),
    "percentile": lambda p: p ** (-2 / 3),
    "n_components": lambda p: 1 / p,
    "min_df": lambda p: 0.1,
}
# What wraps another estimator, and the names of the parameters that hold it.
INNER = ("estimator", "regressor", "classifier", "base_estimator")
# What searches, of whatever package, call their space.
SPACES_OF_SEARCHES = ("param_grid", "param_distributions", "search_spaces", "space")
# Those that hold one which sees what no part of the data is like.
UNSEEN = ("final_estimator", "remainder")


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
    is_last : bool, default=True
        Whether it is the whole, or the last step of a pipeline; else it is inside of
        another one.
    """

    prefix: str
    estimator: Any
    sight: Sight
    is_final: bool
    is_last: bool = True


def parts(estimator: Any, sight: Sight, prefix: str = "") -> Iterator[Part]:
    """Yield an estimator and all that is inside of it; the last step goes first."""
    if not is_estimator(estimator):  # "passthrough", "drop", None
        return
    sight = sight.by(estimator)
    if _is_search(estimator) and not is_known(estimator):
        sight.notes.append(_searches_itself(estimator, prefix))
        yield Part(prefix, estimator, sight, is_final=True)
        return
    if is_known(estimator):  # whatever its parameters are called
        yield Part(prefix, estimator, sight, is_final=True)
        yield from _wrapped(estimator, sight, prefix)
    elif _has_named(estimator, "steps"):
        yield from _of_pipeline(estimator, sight, prefix)
    elif _has_named(estimator, "transformers"):
        yield from _of_columns(estimator, sight, prefix)
    elif _has_named(estimator, "transformer_list"):
        yield from _each(estimator.transformer_list, sight, prefix, is_final=False)
    elif _has_named(estimator, "estimators"):
        yield from _each(estimator.estimators, sight, prefix, is_final=True)
    else:
        yield Part(prefix, estimator, sight, is_final=True)
        yield from _wrapped(estimator, sight, prefix)
    _note_unseen(estimator, sight, prefix)


def _has_named(estimator: Any, attribute: str) -> bool:
    """Whether it has a list of pairs, or longer, of which names are the first."""
    values = getattr(estimator, attribute, None)
    return isinstance(values, list | tuple) and all(
        isinstance(one, tuple) and len(one) > 1 and isinstance(one[0], str)
        for one in values
    )


def _note_unseen(estimator: Any, sight: Sight, prefix: str) -> None:
    """Note what is not looked at."""
    own = estimator.get_params(deep=False)
    sight.notes.extend(
        f"{prefix}{name} is not looked at; name its parameters in include, with values."
        for name in UNSEEN
        if is_estimator(own.get(name))
    )


def _is_search(estimator: Any) -> bool:
    """Whether it wraps an estimator, and has a space for it."""
    own = estimator.get_params(deep=False)
    return "estimator" in own and any(name in own for name in SPACES_OF_SEARCHES)


def _searches_itself(search: Any, prefix: str) -> str:
    """Return why nothing is searched inside of a search, which would overwrite it."""
    return (
        f"{prefix.removesuffix('__') or 'the estimator'} is a "
        f"{type(search).__name__}, which searches what is inside of it; name other "
        "parameters in include, with values."
    )


def _wrapped(estimator: Any, sight: Sight, prefix: str) -> Iterator[Part]:
    """Yield what a meta-estimator wraps, if it lets that be set."""
    own, settable = estimator.get_params(deep=False), estimator.get_params(deep=True)
    for name in INNER:
        if any(key.startswith(f"{name}__") for key in settable):
            inside = of_members(estimator, sight)
            inside = _transformed_target(estimator, own, inside)
            for part in parts(own[name], inside, f"{prefix}{name}__"):
                yield replace(part, is_last=False)


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
            yield replace(part, is_final=part.is_final and is_final, is_last=False)


def _of_columns(estimator: Any, sight: Sight, prefix: str) -> Iterator[Part]:
    """Yield the transformers of a ColumnTransformer, each with its own columns."""
    for name, transformer, columns in estimator.transformers:
        try:
            chosen = columns(sight.X) if callable(columns) else columns
            seen = sight.of(_columns(sight.X, chosen))
        except Exception as error:
            sight.notes.append(_failure(f"{prefix}{name}", error))
            seen = sight
        if not n_columns(seen.X):  # it will be left out
            continue
        yield from _each([(name, transformer)], seen, prefix, is_final=False)


def _columns(X: Any, chosen: Any) -> Any:
    """Return columns by name, number, mask or slice."""
    if not hasattr(X, "loc"):
        return X[:, chosen]
    ends = [chosen.start, chosen.stop] if isinstance(chosen, slice) else chosen
    names = np.atleast_1d(np.asarray(ends, dtype=object))
    by_name = any(isinstance(name, str) for name in names)
    return X.loc[:, chosen] if by_name else X.iloc[:, chosen]


def _of_pipeline(estimator: Any, sight: Sight, prefix: str) -> Iterator[Part]:
    found: list[list[Part]] = []
    last = len(estimator.steps) - 1
    for place, (name, step) in enumerate(estimator.steps):
        inside = parts(step, sight, f"{prefix}{name}__")
        if place < last:
            inside = (replace(part, is_final=False, is_last=False) for part in inside)
        found.append(list(inside))
        if place < last:
            sight = _behind(step, sight, f"{prefix}{name}")
            share = sight.share_left * _share_left(
                found[-1], max(1, n_columns(sight.X))
            )
            sight = replace(sight, share_left=share)
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


def _share_left(steps: Sequence[Part], p: int) -> float:
    """Return how much of `p` columns steps leave at the least, if they are searched."""
    shares = [
        LEAST_LEFT[name](p)
        for step in steps
        for name in names_of_ranges(step.estimator)
        if name in LEAST_LEFT
    ]
    return min([1.0, *shares])


def _failure(name: str, error: Exception) -> str:
    return (
        f"{name} could not be fitted ({type(error).__name__}: {error}), so what comes "
        "after it is suggested for the data before it: units may be wrong."
    )
