"""Several estimators for one place: each is a value, with a space of its own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skhpo._keys import is_estimator
from skhpo.exceptions import InvalidSpaceError
from skhpo.space._categorical import Categorical, Choice
from skhpo.space.suggested._names import included_in
from skhpo.space.suggested._request import Request
from skhpo.space.suggested._rows import Suggested
from skhpo.space.suggested._space import SuggestedSpace

__all__ = ["Models", "as_step", "choose_between"]


def as_step(choice: Choice, request: Request, name: str) -> tuple[Pipeline, Request]:
    """Return a pipeline of one step, which one of several estimators is to take."""
    estimators = [_alternative(value, space) for value, space in choice.branches]
    include = {**request.include, name: estimators}
    return Pipeline([(name, estimators[0])]), replace(request, include=include)


def _alternative(value: Any, space: Any) -> Any:
    found = next((one for one in (space, value) if is_estimator(one)), None)
    if found is None:
        raise InvalidSpaceError(
            "A Choice of models holds estimators, as in Choice({'svc': SVC(), 'tree': "
            f"DecisionTreeClassifier()}}). Got {value!r}: {space!r}."
        )
    return found


@dataclass(frozen=True)
class Models:
    """The choice between estimators: its values, its rows, and what to try first.

    The notes are pairs: whose they are, and what they say.
    """

    key: str
    choice: Choice
    rows: list[Suggested]
    first: list[dict[str, Any]]
    notes: list[tuple[str, str]]


def choose_between(
    estimator: Any,
    key: str,
    values: Categorical,
    request: Request,
    suggest: Callable[..., SuggestedSpace],
) -> Models:
    """Return the choice between several values of a parameter.

    Parameters
    ----------
    estimator : estimator
        Of which they are to take a place.
    key : str
        The name of the place.
    values : Categorical
        Estimators, or "passthrough", which has no parameters.
    request : Request
        What the user wants; each gets its share of the candidates.
    suggest : callable
        ``suggest(estimator, request=...)`` returns a space.
    """
    branches, chosen, first, notes = [], [], [], []
    share = replace(request, n_iter=max(1, request.n_iter // values.n_values))
    for place, one in enumerate(values.values):
        space = SuggestedSpace({})
        if is_estimator(one):
            whole = clone(estimator).set_params(**{key: one})
            space = suggest(whole, request=_inside(f"{key}__", whole, share))
        weight = math.sqrt(max(1, len(space.suggestions)))
        if values.weights is not None:
            weight = values.weights[place]
        branches.append((one, (dict(space) or None, weight)))
        first.append({key: one, **space.initial_params[0]})
        chosen += [replace(r, when=r.when or (key, (one,))) for r in space.suggestions]
        notes += [(f"{key} {type(one).__name__}", note) for note in space.notes]
    choice = Choice(branches)
    which = Suggested(key, choice, why="which model", source="you")
    return Models(key, choice, [which, *chosen], first, notes)


def _inside(prefix: str, estimator: Any, request: Request) -> Request:
    """Return what is wanted of the parameters that have a prefix, and of no others."""
    include = {n: v for n, v in request.include.items() if n.startswith(prefix)}
    return replace(request, within=prefix, include=included_in(estimator, include))
