"""The verb: a space for an estimator and its data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Integral
from typing import Any

from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from skhpo._keys import is_estimator
from skhpo._words import did_you_mean
from skhpo.exceptions import InvalidSpaceError
from skhpo.space._categorical import Categorical, Choice
from skhpo.space._curve import Curve
from skhpo.space._dimensions import is_number
from skhpo.space.suggested._boosters import set_by_alias
from skhpo.space.suggested._choose import Budget, choose, nested, same
from skhpo.space.suggested._data import as_plain, n_rows
from skhpo.space.suggested._names import (
    check_names,
    components,
    included_in,
    inside,
)
from skhpo.space.suggested._registry import SPACES, class_defaults, is_known, rows
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

TEMPLATE = """
    def suggest(estimator, data):
        return [Suggested({name!r}, Real(0.01, 100, log=True), why="...")]

    register_space({cls}, suggest)
"""


@dataclass(frozen=True)
class Request:
    """What the user wants of a space.

    Parameters
    ----------
    n_iter : int
        Number of candidates.
    effort : {"auto", 1, 2, 3}
        The highest tier.
    include : mapping of str to object
        Names that are searched in any case; None, or values for them.
    exclude : frozenset of str
        Names that are not, nor what is inside of them.
    curves : bool
        Whether numbers of rounds may be left to one fit.
    within : str
        The prefix of the only parameters that count: of one of several models, the
        others are suggested for already.
    """

    n_iter: int = 50
    effort: int | str = "auto"
    include: Mapping[str, Any] = field(default_factory=dict)
    exclude: frozenset[str] = frozenset()
    curves: bool = True
    within: str = ""


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
    request = _request(n_iter, effort, include, exclude)
    if isinstance(estimator, Choice):
        estimator, request = _of_choice(estimator, request, name)
    _check_arguments(estimator, X, y)
    n = n_rows(X)
    n_train = max(1, n - math.ceil(n / N_SPLITS))
    return suggest(estimator, X, y, request, n_train=n_train)


def _check_arguments(estimator: Any, X: Any, y: Any) -> None:
    """Raise if there is no estimator, or no data that belong together."""
    if not is_estimator(estimator):
        kind = estimator.__name__ if isinstance(estimator, type) else None
        hint = (
            f"Write {kind}()." if kind else "Of several, Choice({'svc': SVC(), ...})."
        )
        raise TypeError(f"{hint} estimator must be an estimator. Got {estimator!r}.")
    if X is None:
        raise ValueError("Pass X: the ranges follow from the data. Got X=None.")
    n, n_targets = n_rows(X), n_rows(X if y is None else y)
    if not n or n != n_targets:
        raise ValueError(
            "X and y must have the same number of rows, which is not 0. Got "
            f"{n} and {n_targets}."
        )


def _request(n_iter: Any, effort: Any, include: Any, exclude: Any) -> Request:
    """Check the arguments."""
    if isinstance(n_iter, bool) or not isinstance(n_iter, Integral) or n_iter < 1:
        raise ValueError(f"n_iter must be a positive integer. Got {n_iter!r}.")
    if effort not in ("auto", 1, 2, 3) or isinstance(effort, bool):
        hint = did_you_mean(effort, ["auto"])
        raise ValueError(f"{hint}effort must be 'auto', 1, 2 or 3. Got {effort!r}.")
    for option, value in (("include", include), ("exclude", exclude)):
        if isinstance(value, str) or not isinstance(value, Iterable | None):
            raise ValueError(f"{option} must be a list of names. Got {value!r}.")
    asked = include if isinstance(include, Mapping) else dict.fromkeys(include or ())
    return Request(int(n_iter), effort, dict(asked), frozenset(exclude or ()))


def _of_choice(choice: Choice, request: Request, name: str) -> tuple[Any, Request]:
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
    _check_target(estimator, y)
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
        _check_known(estimator, found, request)
    alternatives = {k: v for k, v in given.items() if isinstance(v, Categorical)}
    asked = {
        name: values
        for name, values in request.include.items()
        if name not in alternatives and not inside(name, given)
    }
    open_parts = [part for part in found if not inside(part.prefix, request.exclude)]
    everything, users, notes = _of_parts(open_parts, request)
    own = estimator.get_params(deep=True)
    budget = _budget(request, n_train)
    chosen, dropped = choose(_with_values(everything, asked, found), own, budget, asked)
    chosen = _beside_learning_rate(chosen, own)
    spec = nested(chosen)
    models = {
        key: _models(
            estimator, key, values, (X, y), request, n_train=n_train, scoring=scoring
        )
        for key, values in sorted(alternatives.items())
    }
    spec |= {key: one.choice for key, one in models.items()}
    if not spec and not request.within:
        raise ValueError(_nothing(estimator, users, request))
    notes = [*sight.notes, *notes, *_notes(users, dropped, request, n_train)]
    for one in models.values():
        more = [f"{who}: {note}" for who, note in one.notes if note not in notes]
        notes += dict.fromkeys(more)
    later = [params for one in models.values() for params in one.first]
    return SuggestedSpace(
        spec,
        [*chosen, *(row for one in models.values() for row in one.rows)],
        notes,
        _with_meanings(own, chosen),
        [*later, *_tuned(found)],
    )


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


def _check_target(estimator: Any, y: Any) -> None:
    if y is None and get_tags(estimator).target_tags.required:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is "
            "None. The ranges of its parameters follow from it, too."
        )


def _check_known(estimator: Any, found: Sequence[Part], request: Request) -> None:
    """Raise if nothing is known of what predicts."""
    final = [part for part in found if part.is_final]
    given = any(value is not None for value in request.include.values())
    if given or any(is_known(part.estimator) for part in final):
        return
    if not final and request.within:
        return
    if isinstance(estimator, Pipeline) and not is_estimator(estimator.steps[-1][1]):
        name, last = estimator.steps[-1]
        raise ValueError(
            f"The last step of {type(estimator).__name__}, {name!r}, is {last!r}, "
            "which is no estimator. Put one in its place, or several that are to be "
            f"searched: include={{{name!r}: [...]}}."
        )
    unknown = final[0].estimator if final else estimator
    own = sorted(unknown.get_params(deep=False))
    cls = type(unknown).__name__
    raise ValueError(
        f"Nothing is known of {cls}, which has the parameters {own}. Give a space of "
        "your own; or teach it once, with Suggested, register_space and Real of "
        "skhpo.space:\n"
        + TEMPLATE.format(name=_number_of(unknown), cls=cls)
        + f"\nThese are known: {', '.join(SPACES.class_names())}."
    )


def _number_of(estimator: Any) -> str:
    """Return a parameter that a range may be for: a float, if there is one."""
    own = estimator.get_params(deep=False)
    numbers = [name for name, value in own.items() if isinstance(value, float)]
    others = [name for name, value in own.items() if is_number(value)]
    return next(iter([*numbers, *others, *own]), "name")


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


@dataclass(frozen=True)
class Models:
    """The choice between estimators: its values, its rows, and what to try first.

    The notes are pairs: whose they are, and what they say.
    """

    choice: Choice
    rows: list[Suggested]
    first: list[dict[str, Any]]
    notes: list[tuple[str, str]]


def _models(
    estimator: Any,
    key: str,
    values: Categorical,
    data: tuple[Any, Any],
    request: Request,
    **known: Any,
) -> Models:
    """Return the choice between estimators, each with a space of its own."""
    branches, chosen, first, notes = [], [], [], []
    share = replace(request, n_iter=max(1, request.n_iter // values.n_values))
    for place, one in enumerate(values.values):
        space = _of_model(estimator, key, one, data, share, **known)
        weight = math.sqrt(max(1, len(space.suggestions)))
        if values.weights is not None:
            weight = values.weights[place]
        branches.append((one, (dict(space) or None, weight)))
        first.append({key: one, **space.initial_params[0]})
        chosen += [replace(r, when=r.when or (key, (one,))) for r in space.suggestions]
        notes += [(f"{key} {type(one).__name__}", note) for note in space.notes]
    choice = Choice(branches)
    which = Suggested(key, choice, why="which model", source="you")
    return Models(choice, [which, *chosen], first, notes)


def _of_model(
    estimator: Any,
    key: str,
    model: Any,
    data: tuple[Any, Any],
    request: Request,
    **known: Any,
) -> SuggestedSpace:
    """Return the space of one of several models; "passthrough" has no parameters."""
    if not is_estimator(model):
        return SuggestedSpace({})
    whole, prefix = clone(estimator).set_params(**{key: model}), f"{key}__"
    include = {n: v for n, v in request.include.items() if n.startswith(prefix)}
    below = replace(request, within=prefix, include=included_in(whole, include))
    return suggest(whole, *data, below, **known)


def _nothing(estimator: Any, users: Sequence[str], request: Request) -> str:
    name = type(estimator).__name__
    if users:
        return (
            f"Every parameter of {name} that has a range was set: {users}. What you "
            f"set stays as it is; to search some of them, include={users[:1]}."
        )
    if request.exclude:
        return (
            f"Nothing of {name} is left to search: exclude={sorted(request.exclude)}."
        )
    return f"{name} has no parameter that is worth a search."


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
