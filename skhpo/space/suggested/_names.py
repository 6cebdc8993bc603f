"""What `include` and `exclude` of a suggested space name: parameters, and components.

A component is a parameter that holds an estimator, such as a step of a pipeline. Where
several are to take its place, parameters inside of it belong to some of them only.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any

from skhpo._keys import is_estimator
from skhpo.space._categorical import Categorical, Choice
from skhpo.space._convert import as_dimension
from skhpo.space.suggested._registry import class_defaults

__all__ = ["check_names", "components", "included_in", "inside"]


def components(
    estimator: Any, include: Mapping[str, Any]
) -> dict[str, Categorical | Choice]:
    """Return what is to take the place of estimators, by the name of their parameter.

    Of parameters inside of others, only the outer ones count.

    Parameters
    ----------
    estimator : estimator
        What is searched over.
    include : mapping of str to object
        Values by name, or None.

    Examples
    --------
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.pipeline import make_pipeline
    >>> model = make_pipeline(PCA())
    >>> given = {"pca": [PCA(), "passthrough"], "pca__whiten": [True, False]}
    >>> list(components(model, given))
    ['pca']
    """
    own = estimator.get_params(deep=True)
    found = {}
    for name, given in include.items():
        dimension = None if given is None else as_dimension(name, _as_list(given))
        values = _values(dimension)
        if values and any(map(is_estimator, [*values, own.get(name)])):
            found[name] = dimension
    return {
        name: dimension
        for name, dimension in found.items()
        if isinstance(dimension, Categorical | Choice) and not inside(name, found)
    }


def inside(name: str, outer: Collection[str]) -> bool:
    """Whether a parameter, or the prefix of some, is inside of one of others."""
    return name.startswith(tuple(f"{one}__" for one in outer))


def _as_list(given: Any) -> Any:
    """Return a tuple of estimators, which is no range, as a list."""
    is_tuple = isinstance(given, tuple) and any(map(is_estimator, given))
    return list(given) if is_tuple else given


def _values(dimension: Any) -> list[Any]:
    """Return the values of a list or a choice, [] of ranges and of very many."""
    if isinstance(dimension, Choice):
        return [value for value, _ in dimension.branches]
    if isinstance(dimension, Categorical) and isinstance(dimension.values, tuple):
        return list(dimension.values)
    return []


def _names_of(estimator: Any) -> set[str]:
    """Return the names of all parameters; some classes list only what was set."""
    own = estimator.get_params(deep=True)
    found = {*own, *class_defaults(type(estimator))}
    for name, value in own.items():
        if is_estimator(value):
            found |= {f"{name}__{other}" for other in class_defaults(type(value))}
    return found


def _known(estimator: Any, include: Mapping[str, Any]) -> set[str]:
    """Return the names of an estimator, and of what may take a place in it."""
    found = _names_of(estimator)
    for name, given in include.items():
        dimension = None if given is None else as_dimension(name, _as_list(given))
        for value in filter(is_estimator, _values(dimension)):
            found |= {f"{name}__{other}" for other in _names_of(value)}
    return found


def included_in(estimator: Any, include: Mapping[str, Any]) -> dict[str, Any]:
    """Return of what is included that which an estimator has.

    Parameters
    ----------
    estimator : estimator
        With one of several models in its place.
    include : mapping of str to object
        Of which some may be parameters of other models.
    """
    found: dict[str, Any] = {}
    for name in sorted(include):  # what is inside comes after the name of its owner
        if name in _known(estimator, found):
            found[name] = include[name]
    return found


def _close(name: str, known: Collection[str]) -> str | None:
    """Return the name that is meant: with a prefix, or as it is spelt."""
    of_lower = {one.lower(): one for one in sorted(known)}
    end = f"__{name.lower()}"
    inner = [one for lower, one in of_lower.items() if lower.endswith(end)]
    alike = difflib.get_close_matches(name.lower(), of_lower, n=1)
    return next(iter([*inner, *(of_lower[one] for one in alike)]), None)


def check_names(
    estimator: Any, include: Mapping[str, Any], exclude: Collection[str]
) -> None:
    """Raise if a name is none of the estimator's, or is both included and excluded.

    Parameters
    ----------
    estimator : estimator
        What is searched over.
    include : mapping of str to object
        Values by name, or None.
    exclude : collection of str
        Names; those of components stand for all that is inside of them.
    """
    known = _known(estimator, include)
    others = list(components(estimator, include))
    for option, names in (("include", include), ("exclude", exclude)):
        for one in names:
            if one not in known:
                close = _close(str(one), known)
                hint = f" Did you mean {close!r}?" if close else ""
                nor = f", nor of what takes the place of {others}" if others else ""
                raise ValueError(
                    f"{option} names {one!r}, which is no parameter of "
                    f"{type(estimator).__name__}{nor}.{hint}"
                )
    for one in include:
        for other in exclude:
            if one == other or inside(one, [other]):
                raise ValueError(
                    f"include names {one!r}, and exclude {other!r}: a parameter is "
                    "searched or it is not. Leave it out of one of them."
                )
