"""What a search tries first: the estimator as given, or params of the user's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from skhpo._trial import Params
from skhpo._warnings import warn_user
from skhpo.exceptions import InvalidSpaceError, SkhpoWarning
from skhpo.search._check import check_against_estimator
from skhpo.search._given import is_same_candidate
from skhpo.search._run import Space, subspaces_of
from skhpo.space import SearchSpace
from skhpo.space._constraints import Constraints
from skhpo.space._curve import Curve, curve_in
from skhpo.space._name import check_name

__all__ = [
    *("initial_candidates", "warn_of_no_model", "warn_of_untried", "without_known")
]


def initial_candidates(
    initial_params: Any, estimator: Any, space: Space, constraints: Any
) -> list[dict[str, Any]]:
    """Return the params to begin with.

    Parameters
    ----------
    initial_params : "defaults", sequence of mapping, or None
        As the user gave it.
    estimator : estimator
        What is searched over.
    space : SearchSpace or sequence of mapping
        What is searched.
    constraints : callable, sequence of callables or None
        Which params are tried.

    Returns
    -------
    list of dict
        With "defaults", the own values of all that is searched, in the space or not:
        that is the estimator as given. What the constraints forbid is left out, with a
        warning.

    Raises
    ------
    InvalidSpaceError
        If it is no list of dicts, or one of them has a curve that the space has not.
    ValueError
        If the estimator has no such parameters.
    """
    if initial_params is None:
        return []
    if isinstance(initial_params, str):
        own = estimator.get_params(deep=True)
        found = [{name: own[name] for name in _names(space) if name in own}]
    else:
        checked = [_checked(estimator, params) for params in initial_params]
        found = [_with_curve_of(space, params) for params in checked]
    predicates = [Constraints(constraints)]
    if isinstance(space, SearchSpace):
        predicates.append(space.constraints)
    allowed = [p for p in found if all(each.allow(p) for each in predicates)]
    for params in found:
        if params not in allowed:
            warn_user(
                f"The initial params {params!r} do not meet the constraints, and are "
                "not tried.",
                SkhpoWarning,
            )
    return allowed


def warn_of_untried(name: str, initial_params: Any, n_iter: int) -> None:
    """Warn of params to begin with that are more than there will be candidates.

    Parameters
    ----------
    name : str
        Of the search.
    initial_params : "defaults", sequence of mapping, or None
        As the user gave it.
    n_iter : int
        How many candidates are tried.
    """
    if isinstance(initial_params, Sequence) and not isinstance(initial_params, str):
        n_untried = len(initial_params) - n_iter
        if n_untried > 0:
            warn_user(
                f"n_iter={n_iter} is less than there are initial_params, "
                f"{len(initial_params)}: {name} does not try the last {n_untried}.",
                SkhpoWarning,
            )


def warn_of_no_model(name: str, n_initial: int | str, n_iter: int) -> None:
    """Warn of a search that is over before its model proposes anything.

    Parameters
    ----------
    name : str
        Of the search.
    n_initial : int or "auto"
        As the user gave it.
    n_iter : int
        How many candidates are tried.
    """
    if not isinstance(n_initial, str) and n_initial >= n_iter:
        warn_user(
            f"n_initial={n_initial} is not less than n_iter={n_iter}: no candidate of "
            f"{name} is proposed by its model, all are drawn.",
            SkhpoWarning,
        )


def without_known(
    initial: Sequence[Params], known: Sequence[Params], estimator: Any
) -> list[Params]:
    """Return those of some params that make another estimator than all others do."""
    own = estimator.get_params(deep=True)
    return [
        params
        for params in initial
        if not any(is_same_candidate(own, params, other) for other in known)
    ]


def _names(space: Space) -> Iterable[str]:
    if isinstance(space, SearchSpace):
        names = (column.name for column in space.columns)
        return dict.fromkeys(name for name in names if name is not None)
    return dict.fromkeys(name for subspace in space for name in subspace)


def _checked(estimator: Any, params: Any) -> dict[str, Any]:
    if not isinstance(params, Mapping):
        raise InvalidSpaceError(
            "initial_params must be 'defaults', None, or a list of dicts of names and "
            f"values. Got {params!r} in the list."
        )
    for name in params:
        check_name(name)
    listed = {
        name: value if isinstance(value, Curve) else [value]
        for name, value in params.items()
    }
    check_against_estimator(estimator, [listed], check_values=True)
    return dict(params)


def _with_curve_of(space: Space, params: dict[str, Any]) -> dict[str, Any]:
    """Return params with the space's curve in the place of an equal one.

    So they are one candidate with what the space has. A curve that is none of the
    space's is refused, since it would escape what those go through.
    """
    found = curve_in(params)
    if found is None:
        return params
    name, curve = found
    values = [one[name] for one in subspaces_of(space) if name in one]
    for one in values:
        if isinstance(one, Curve) and one == curve:
            return {**params, name: one}
    there = f"{values[0]!r} for it" if values else "no values for it"
    raise InvalidSpaceError(
        f"A Curve in initial_params must be that of the space. Got {curve!r} for "
        f"{name!r}, and the space has {there}: give a number of iterations, or the "
        "same curve in both."
    )
