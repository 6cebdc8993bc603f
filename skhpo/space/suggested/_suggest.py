"""The verb: a space for an estimator and its data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from skhpo.space._categorical import Categorical, Choice
from skhpo.space._curve import Curve
from skhpo.space.suggested._boosters import set_by_alias
from skhpo.space.suggested._choose import Budget, choose, nested, same
from skhpo.space.suggested._data import as_plain, n_rows
from skhpo.space.suggested._models import Models, as_step, choose_between
from skhpo.space.suggested._names import check_names, components, inside
from skhpo.space.suggested._registry import SPACES, class_defaults, is_known, rows
from skhpo.space.suggested._request import (
    Request,
    check_data,
    check_known,
    check_target,
    nothing_left,
)
from skhpo.space.suggested._rows import Suggested
from skhpo.space.suggested._sight import Sight, task_of
from skhpo.space.suggested._space import SuggestedSpace
from skhpo.space.suggested._tuned import tuned_params
from skhpo.space.suggested._walk import Part, parts

__all__ = ["suggest", "suggest_space"]

# With fewer training rows, cross-validation hardly tells candidates apart.
FEW_ROWS = 400
# Of five folds, which is what searches do by themselves.
N_SPLITS = 5


def suggest_space(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    n_iter: int = 50,
    effort: int | str = "auto",
    include: Sequence[str] | Mapping[str, Any] | None = None,
    exclude: Sequence[str] | None = None,
    name: str = "model",
) -> SuggestedSpace:
    """Suggest a space for an estimator, with ranges that suit the data.

    What you set yourself, that is, what differs from the default of the class, stays
    as it is. The values that the estimator has lie inside of every range, and searches
    try them first. The ranges are those of :doc:`/suggested_spaces`: judgement built on
    what other packages ship. Look at them (``print``) and edit them (``to_code()``).

    Parameters
    ----------
    estimator : estimator, or Choice of estimators
        Also a pipeline or a meta-estimator: all parts are looked at, each with the
        data as it sees them. Of several estimators, ``Choice({"a": SVC(), ...})``,
        each becomes a value of the parameter `name`, with a space of its own.
    X, y : array-like
        The training data; `y` may be None for what needs no target. Five folds are
        assumed, where a range depends on the number of rows.
    n_iter : int, default=50
        Number of candidates that the search will have. It decides how many parameters
        there are: those of tier 2 from 30 candidates, of tier 3 from 100, and never
        more than one for each 8 candidates, or 2.
    effort : {"auto", 1, 2, 3}, default="auto"
        The highest tier, whatever the number of candidates.
    include : list of str, dict or None, default=None
        Parameters that are searched in any case, also if you have set them; with them
        those that they depend on. A dict gives values of your own, or, for a step of a
        pipeline, a list of estimators: each brings its own space. ``"passthrough"``
        may be among them.
    exclude : list of str or None, default=None
        Parameters that are not searched. The name of a step stands for all of its
        parameters.
    name : str, default="model"
        The parameter, such as a step of a pipeline, that a `Choice` of estimators is
        for.

    Returns
    -------
    SuggestedSpace
        A `SearchSpace` that every search takes, with ``to_code()``, ``grid(n)`` and,
        when printed, a line per parameter.

    Raises
    ------
    ValueError
        If nothing is known of the class, or nothing is left to search; says what
        would help.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.svm import SVC
    >>> from skhpo.space import suggest_space
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> pipeline = make_pipeline(StandardScaler(), SVC())
    >>> space = suggest_space(pipeline, X, y)
    >>> list(space)
    ['svc__C', 'svc__gamma']
    >>> space.initial_params
    [{'svc__C': 1.0, 'svc__gamma': 'scale'}]
    """
    request = Request.of(n_iter, effort, include, exclude)
    if isinstance(estimator, Choice):
        estimator, request = as_step(estimator, request, name)
    check_data(estimator, X, y)
    n = n_rows(X)
    n_train = max(1, n - math.ceil(n / N_SPLITS))
    return suggest(estimator, X, y, request, n_train=n_train)


def suggest(
    estimator: Any,
    X: Any,
    y: Any,
    request: Request,
    *,
    n_train: int,
    scoring: Mapping[str, bool] | None = None,
) -> SuggestedSpace:
    """Return the space; a search knows its splits and its score.

    Parameters
    ----------
    estimator : estimator
        What is to be searched over.
    X, y : array-like
        The data.
    request : Request
        What the user wants.
    n_train : int
        Rows of the smallest split.
    scoring : mapping of str to bool or None, default=None
        See `DataInfo`.
    """
    X, y = as_plain("X", X), as_plain("y", y)
    check_target(estimator, y)
    if not request.within:
        check_names(estimator, request.include, request.exclude)
    sight = Sight(X, y, task_of(estimator), n_train, n_rows(X), dict(scoring or {}))
    given = components(estimator, request.include)
    found = [
        part
        for part in parts(estimator, sight)
        if part.prefix.startswith(request.within) and not inside(part.prefix, given)
    ]
    if not given:
        check_known(estimator, found, request)
    alternatives = {k: v for k, v in given.items() if isinstance(v, Categorical)}
    asked = {
        name: values
        for name, values in request.include.items()
        if name not in alternatives and not inside(name, given)
    }
    own = estimator.get_params(deep=True)
    chosen, users, notes = _chosen(own, found, asked, request, n_train)
    of_one = partial(suggest, X=X, y=y, n_train=n_train, scoring=scoring)
    models = [
        choose_between(estimator, key, values, request, of_one)
        for key, values in sorted(alternatives.items())
    ]
    spec = nested(chosen) | {one.key: one.choice for one in models}
    if not spec and not request.within:
        raise ValueError(nothing_left(estimator, users, request))
    return SuggestedSpace(
        spec,
        [*chosen, *(row for one in models for row in one.rows)],
        _with_notes_of(models, [*sight.notes, *notes]),
        _with_meanings(own, chosen),
        [*(params for one in models for params in one.first), *_tuned(found)],
    )


def _chosen(
    own: Mapping[str, Any],
    found: Sequence[Part],
    asked: Mapping[str, Any],
    request: Request,
    n_train: int,
) -> tuple[list[Suggested], list[str], list[str]]:
    """Return what is searched of the parts, what the user has set, and notes."""
    open_parts = [part for part in found if not inside(part.prefix, request.exclude)]
    everything, users, notes = _of_parts(open_parts, request)
    budget = _budget(request, n_train)
    chosen, dropped = choose(_with_values(everything, asked, found), own, budget, asked)
    notes += _notes(users, dropped, request, n_train)
    return _beside_learning_rate(chosen, own), users, notes


def _with_notes_of(models: Sequence[Models], notes: list[str]) -> list[str]:
    """Return the notes, and those of models which say something else."""
    for one in models:
        more = [f"{who}: {note}" for who, note in one.notes if note not in notes]
        notes += dict.fromkeys(more)
    return notes


def _with_meanings(
    own: Mapping[str, Any], chosen: Sequence[Suggested]
) -> dict[str, Any]:
    """Return the own values, with numbers for None where that stands for one."""
    meanings = {row.name: row.default for row in chosen if row.default is not None}
    return {**own, **{k: v for k, v in meanings.items() if own.get(k) is None}}


def _tuned(found: Sequence[Part]) -> list[dict[str, Any]]:
    """Return published values for what predicts."""
    return [
        {part.prefix + name: value for name, value in params.items()}
        for part in found
        if part.is_final
        for params in tuned_params(part.estimator)
    ]


def _budget(request: Request, n_train: int) -> Budget:
    budget = Budget.of(request.n_iter, request.effort)
    if request.effort == "auto" and n_train < FEW_ROWS:
        return replace(budget, tier=1)
    return budget


def _of_parts(
    found: Sequence[Part], request: Request
) -> tuple[list[Suggested], list[str], list[str]]:
    """Return the suggestions of all parts, what the user set, and notes."""
    everything, users, notes = [], [], []
    for part in found:
        if not is_known(part.estimator):
            if not _has_inner(part, found):
                notes.append(f"nothing is known of {type(part.estimator).__name__}.")
            continue
        excluded, fixed = _not_searched(part, request)
        suggested, left = rows(
            part.estimator,
            part.sight.measured(),
            excluded | fixed,
            predicts=part.is_final,
        )
        users += [part.prefix + name for name in left if name not in excluded]
        curves = request.curves and part.is_last
        for row in suggested:
            if isinstance(row.dimension, Curve) and not curves:
                continue
            when = row.when and (part.prefix + row.when[0], row.when[1])
            everything.append(replace(row, name=part.prefix + row.name, when=when))
    return everything, users, notes


def _not_searched(part: Part, request: Request) -> tuple[set[str], set[str]]:
    """Return the parameters of a part that are excluded, and those the user has set."""
    own = part.estimator.get_params(deep=False)
    defaults = class_defaults(type(part.estimator))
    by_alias = set_by_alias(part.estimator)
    n = len(part.prefix)
    excluded = {name[n:] for name in request.exclude if name.startswith(part.prefix)}
    fixed = {
        name
        for name, value in (dict.fromkeys(by_alias) | own).items()
        if part.prefix + name not in request.include
        and (name in by_alias or not same(value, defaults.get(name, value)))
    }
    return excluded, fixed


def _has_inner(part: Part, found: Sequence[Part]) -> bool:
    return any(
        other is not part and other.prefix.startswith(part.prefix) for other in found
    )


def _with_values(
    everything: Sequence[Suggested], asked: Mapping[str, Any], found: Sequence[Part]
) -> list[Suggested]:
    """Return the suggestions, with values of the user's own for some."""
    given = {name: values for name, values in asked.items() if values is not None}
    known = {row.name for row in everything}
    for name, values in asked.items():
        if values is None and name not in known:
            case = _case_of(name, found)
            raise ValueError(
                f"No range is known for {name!r}{case}. Give its values: "
                f"include={{{name!r}: [...]}}, or a dimension such as Real(low, high)."
            )
    kept = [
        replace(row, dimension=given[row.name], why="your own values", source="you")
        if row.name in given
        else row
        for row in everything
    ]
    return kept + [
        Suggested(name, values, why="your own values", source="you")
        for name, values in given.items()
        if name not in known
    ]


def _case_of(name: str, found: Sequence[Part]) -> str:
    """Return when a parameter has a range at all, if that is not so here."""
    for part in found:
        table = SPACES.find(type(part.estimator))
        for row in table if isinstance(table, Sequence) else ():
            if part.prefix + row.name == name and row.case is not None:
                return f" here; there is one for: {row.case.text}"
    return ""


def _beside_learning_rate(
    chosen: Sequence[Suggested], own: Mapping[str, Any]
) -> list[Suggested]:
    """Return the same, without rounds whose learning rate would depend on them.

    That is CatBoost's way if it has none.
    """
    names = {row.name for row in chosen}

    def is_alone(row: Suggested) -> bool:
        prefix, found, after = row.name.rpartition("iterations")
        rate = f"{prefix}learning_rate"
        has_none = rate not in names and own.get(rate) is None
        is_its = isinstance(row.dimension, Curve) and found != "" and after == ""
        return is_its and has_none

    return [row for row in chosen if not is_alone(row)]


def _notes(
    users: Sequence[str],
    dropped: Sequence[Suggested],
    request: Request,
    n_train: int,
) -> list[str]:
    """Return what the user should know of what is not there."""
    notes = []
    if users:
        notes.append(f"as you set them: {', '.join(users)}.")
    if n_train < FEW_ROWS:
        tier = "" if request.effort != "auto" else ", so only tier 1 is searched"
        notes.append(
            f"with {n_train} training rows, cross-validation hardly tells candidates "
            f"apart{tier}."
        )
    if dropped:
        notes.append(
            f"left out with n_iter={request.n_iter}, effort={request.effort!r}: "
            f"{', '.join(row.name for row in dropped)}."
        )
    return notes
