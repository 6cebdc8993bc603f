"""Check names and values of a space against the estimator, before the first fit."""

from __future__ import annotations

import itertools
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from inspect import Parameter, signature
from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.base import clone
from sklearn.utils.discovery import all_estimators

from skhpo._keys import is_estimator
from skhpo._sklearn_compat import (
    InvalidParameterError,
    validate_parameter_constraints,
)
from skhpo.search._names import hint_of_option, near_names
from skhpo.space import Categorical, Curve, Integer, Real
from skhpo.space._convert import is_tuple_range
from skhpo.space._plain import is_distribution
from skhpo.space._skrub import from_skrub
from skhpo.space._values import count, is_numeric

__all__ = ["assemblies", "check_against_estimator", "check_fit_names", "samples"]

# What scikit-learn's message about a parameter shows of an estimator, and how much of
# it is left: a pipeline may have twenty lines.
_ESTIMATOR = re.compile(r"(?<= for estimator ).*?(?=\. Valid parameters are|$)", re.S)
MAX_ESTIMATOR = 60
# Combinations of searched components (steps of a pipeline, say) to check at most.
MAX_COMBINATIONS = 100
# Longer lists of values are checked at so many places only.
MAX_CHECKED = 10_000
N_SPREAD = 100
# What takes the values of parameters, and checks them, on the way to a fit.
READERS = (
    *("fit", "fit_transform", "partial_fit", "set_params", "_validate_params"),
    *("get_params", "__setattr__", "__getattribute__"),
)


def check_against_estimator(
    estimator: Any, subspaces: Sequence[Mapping], *, check_values: bool
) -> None:
    """Raise if the estimator does not have a parameter, or rejects a value for it.

    Where estimators themselves are searched (a step of a pipeline, say), the other
    names are checked with each of them in place.

    Parameters
    ----------
    estimator : estimator
        The one to be searched over.
    subspaces : sequence of mapping
        Lists of values or distributions by parameter name.
    check_values : bool
        Whether to check the values too.

    Raises
    ------
    ValueError
        In scikit-learn's sentence, with what would work.
    """
    for subspace in subspaces:
        for assembled in assemblies(estimator, subspace):
            for name, values in subspace.items():
                _check_name(assembled, name, values)
                if check_values and not isinstance(values, Curve):
                    _check_all(assembled, name, values)


def assemblies(estimator: Any, subspace: Mapping) -> Iterator[Any]:
    """Yield the estimator with each combination of the components searched over."""
    components = {
        name: values for name, values in subspace.items() if _has_estimators(values)
    }
    combinations = itertools.product(*components.values())
    for values in itertools.islice(combinations, MAX_COMBINATIONS):
        chosen = clone(dict(zip(components, values, strict=True)), safe=False)
        assembled = clone(estimator)
        for name in chosen:
            _check_name(assembled, name, [chosen[name]])
        yield assembled.set_params(**chosen) if chosen else assembled


def check_fit_names(
    estimator: Any, names: Iterable[str], options: Sequence[str]
) -> None:
    """Raise if the ``fit`` of an estimator has no parameter of one of some names.

    Parameters
    ----------
    estimator : estimator
        What is searched over.
    names : iterable of str
        Of what the user has given to the ``fit`` of the search.
    options : sequence of str
        The parameters of the search itself, one of which may be meant.

    Raises
    ------
    InvalidParameterError
        Every fit would fail, for every candidate.
    """
    taken = _taken_by_fit(estimator)
    if taken is None:
        return
    for name in names:
        if name not in taken:
            near = near_names(name, taken)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            if not near and (meant := hint_of_option(name, options)):
                hint = f"{meant} That is given to the search when it is made. "
            raise InvalidParameterError(
                f"{hint}The fit of {type(estimator).__name__} has no parameter "
                f"{name!r}, which was given to the fit of the search. It has {taken}."
            )


def _taken_by_fit(estimator: Any) -> list[str] | None:
    """Return the names that some verb of training takes; None for any name."""
    taken: dict[str, None] = {}
    for verb in ("fit", "partial_fit"):
        try:
            parameters = signature(getattr(estimator, verb)).parameters
        except AttributeError:
            continue
        except (TypeError, ValueError):  # it is written in C, and says nothing
            return None
        if any(one.kind is Parameter.VAR_KEYWORD for one in parameters.values()):
            return None
        taken |= dict.fromkeys(parameters)
    return list(taken)


def _check_name(estimator: Any, name: str, values: object) -> None:
    if name in estimator.get_params(deep=True):
        return
    try:  # some estimators take more names than they list (skorch's `module__...`)
        clone(estimator).set_params(**{name: next(samples(values))})
    except (ValueError, AttributeError) as error:
        _check_owner(estimator, name)
        message = _cut(str(error).rstrip("."))
        remedy = _remedy(estimator, name)
        raise ValueError(f"{remedy}{message}.") from None


def _check_owner(estimator: Any, name: str) -> None:
    """Raise if what should have the parameter is no estimator, such as a step left out.

    Beside it in a search, the parameter exists only with some of its values.
    """
    params, (prefix, _, _) = estimator.get_params(deep=True), name.rpartition("__")
    if prefix not in params or is_estimator(params[prefix]):
        return
    raise ValueError(
        f"{prefix!r} may be {params[prefix]!r}, which has no parameters, and so no "
        f"{name!r}. Give the latter to those values of {prefix!r} that have it: "
        f"{{{prefix!r}: Choice([({params[prefix]!r}, None), (..., {{{name!r}: "
        "...})])}."
    )


def _check_all(estimator: Any, name: str, values: object) -> None:
    """Check the values; of a tuple that is rejected, say what is meant."""
    try:
        _check_values(estimator, name, values)
    except InvalidParameterError as error:
        meant = _meant_by_tuple(estimator, name, values)
        raise InvalidParameterError(f"{meant}{error}") from None


def _meant_by_tuple(estimator: Any, name: str, values: Any) -> str:
    """Return what a tuple was to be: one value, or a range with a prior."""
    is_range = isinstance(values, Integer | Real)
    given = (values.low, values.high) if is_range else values
    if not isinstance(given, tuple):
        return ""
    if len(given) == 3 and is_tuple_range(given):
        low, high, _ = given
        return f"Did you mean {(low, high, 'log-uniform')!r}? "
    try:
        _check_values(estimator, name, [given])
    except InvalidParameterError:
        return ""
    return f"Did you mean [{given!r}], a list of one tuple? "


def _check_values(estimator: Any, name: str, values: object) -> None:
    """Raise what the owner of the parameter itself would raise in ``fit``."""
    if get_config()["skip_parameter_validation"]:
        return
    owner, parameter = _owner(estimator, name)
    constraints = _constraints(type(owner), parameter)
    if parameter not in constraints:
        return
    constraint = {parameter: constraints[parameter]}
    for value in samples(values):
        validate_parameter_constraints(
            constraint, {parameter: value}, caller_name=type(owner).__name__
        )


def _constraints(cls: type, parameter: str) -> Mapping[str, Any]:
    """Return the table of values that the fits of a class go by, {} if there is none.

    A class that overrides what reads the table, or has a property for the parameter,
    may give it a meaning that the table it inherits does not know. (Within scikit-learn
    the two go together, wherever they are defined.)
    """
    table = _definer(cls, "_parameter_constraints")
    if table is None or not isinstance(cls._parameter_constraints, dict):  # type: ignore[attr-defined]
        return {}
    for verb in (*READERS, parameter):
        reader = _definer(cls, verb)
        if reader is None or issubclass(table, reader):
            continue
        if not _is_of_scikit_learn(reader) or not _is_of_scikit_learn(table):
            return {}
    return cls._parameter_constraints  # type: ignore[attr-defined]


def _definer(cls: type, name: str) -> type | None:
    """Return the class in which the attribute of `cls` is defined."""
    return next((base for base in cls.__mro__ if name in vars(base)), None)


def _is_of_scikit_learn(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == "sklearn"


def samples(values: Any) -> Iterator[Any]:
    """Yield the values that can be known: all listed ones, both ends of a range.

    Of very many listed ones, these are some, with both ends and the extremes of an
    array among them. The bounds of our own ranges are attainable. Those of a
    distribution of scipy may have no probability, and be outside of what the estimator
    takes: its outermost hundredths are what is checked. Of any other distribution it
    is one draw.
    """
    if isinstance(values, Categorical):
        yield from _some(values.values)
    elif isinstance(values, Curve):
        yield from (values.low, values.high)
    elif isinstance(values, Real | Integer):
        yield from values.from_unit(np.array([0.0, 1.0]))
    elif (dimension := from_skrub(values)) is not None:
        yield from samples(dimension)
    elif is_distribution(values):
        ends = _outer_quantiles(getattr(values, "frozen", values))
        yield from ends or [values.rvs(random_state=np.random.RandomState(0))]
    else:
        yield from _some(values)


def _some(values: Any) -> Iterator[Any]:
    """Yield the listed values, of very many some that are evenly spread."""
    n = count(values)
    if n <= MAX_CHECKED:
        yield from values
        return
    if isinstance(values, np.ndarray) and is_numeric(values):
        yield from (values.min(), values.max())
    for i in range(N_SPREAD):
        yield values[(n - 1) * i // (N_SPREAD - 1)]


def _has_estimators(values: Any) -> bool:
    if is_distribution(values) or is_numeric(values):
        return False
    return any(map(is_estimator, values))


def _outer_quantiles(frozen: Any) -> list[Any]:
    """Return a low and a high quantile of finite support, [] if there is none."""
    if not hasattr(frozen, "ppf") or not hasattr(frozen, "support"):
        return []
    if not np.isfinite(frozen.support()).all():
        return []
    kind = int if hasattr(getattr(frozen, "dist", frozen), "pmf") else float
    return [kind(value) for value in frozen.ppf([0.01, 0.99])]


def _owner(estimator: Any, name: str) -> tuple[Any, str]:
    """Return the part of the estimator that has parameter `name`, and its name there.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.svm import SVC
    >>> _owner(make_pipeline(SVC()), "svc__C")
    (SVC(), 'C')
    """
    prefix, _, parameter = name.rpartition("__")
    if not prefix:
        return estimator, parameter
    return estimator.get_params(deep=True).get(prefix), parameter


def _cut(message: str) -> str:
    """Return scikit-learn's message with a long estimator cut, on one line."""
    match = _ESTIMATOR.search(message)
    if match is None:
        return message
    shown = " ".join(match[0].split())
    if len(shown) > MAX_ESTIMATOR:
        shown = shown[: MAX_ESTIMATOR - 3] + "..."
    return message[: match.start()] + shown + message[match.end() :]


def _remedy(estimator: Any, name: str) -> str:
    """Return what would work: similar names here, or the estimators that have it."""
    valid = list(estimator.get_params(deep=True))
    parameter = name.rpartition("__")[2]
    owner, _ = _owner(estimator, name)
    similar = [other for other in valid if other.rpartition("__")[2] == parameter]
    if owner is None or owner is estimator:
        similar += near_names(name, valid)
    else:
        prefix = name.removesuffix(parameter)
        near = near_names(parameter, list(owner.get_params(deep=False)))
        similar += [prefix + other for other in near]
    text = ""
    if similar:
        names = " or ".join(repr(other) for other in dict.fromkeys(similar[:3]))
        text += f"Did you mean {names}? "
    owners = _estimators_with(parameter, owner)
    if owners and not similar:
        text += f"{parameter!r} is a parameter of {', '.join(owners)}. "
    return text


def _estimators_with(parameter: str, owner: Any) -> list[str]:
    """Return scikit-learn's estimators of the same kind that have the parameter."""
    kinds = ("classifier", "regressor", "transformer", "cluster")
    mixins = {kind: f"{kind.capitalize()}Mixin" for kind in kinds}
    names = {base.__name__ for base in type(owner).__mro__}
    own_kinds = [kind for kind, mixin in mixins.items() if mixin in names]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of modules that are only imported to look
        known = all_estimators(type_filter=own_kinds or None)
    return [name for name, cls in known if parameter in signature(cls).parameters]
