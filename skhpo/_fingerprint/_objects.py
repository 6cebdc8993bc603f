"""Feed objects: estimators by their parameters, all others as pickle does."""

from __future__ import annotations

import copyreg
from typing import Any

import numpy as np

from skhpo._code import package_of
from skhpo._fingerprint._code import add_class, add_compiled
from skhpo._fingerprint._digest import (
    Digest,
    UnreadableError,
    add_attributes,
    add_put_on,
)
from skhpo._keys import CLONED_ATTRIBUTES

# What decorators note about what they decorate.
_NOTED_BY_DECORATORS = {"__name__", "__wrapped__", "cache_parameters"}


def add_estimator(digest: Digest, estimator: Any) -> None:
    add_class(digest, type(estimator))
    params = estimator.get_params(deep=False)
    digest.put("estimator", str(len(params)))
    for name in sorted(params):
        digest.put("parameter", name)
        digest.add_named(f"parameter {name!r}", params[name], cloned=True)
    for name in CLONED_ATTRIBUTES:
        carried = getattr(estimator, name, None)
        if carried:  # callbacks hear of fits, and change none
            digest.put("carried", name)
            digest.add(carried)


def add_property(digest: Digest, value: property) -> None:
    """Feed a property of a class of its own, with what it has beside the functions."""
    if not digest.is_again(value):
        add_class(digest, type(value))
        digest.add_all("property", (value.fget, value.fset, value.fdel))
        _add_instance_state(digest, object.__getstate__(value))


def add_vectorized(digest: Digest, value: object) -> None:
    """Feed `numpy.vectorize`, and not what it has compiled at its first call."""
    add_class(digest, type(value))
    add_put_on(digest, value, {"_ufunc", *_NOTED_BY_DECORATORS})


def add_decorated(digest: Digest, tag: str, value: object, *parts: Any) -> None:
    digest.add_all(tag, parts)
    add_put_on(digest, value, _NOTED_BY_DECORATORS)


def add_object(digest: Digest, value: object) -> None:
    """Feed what the object would be rebuilt from, as pickle does."""
    if digest.is_again(value):
        return
    try:
        reduce = copyreg.dispatch_table.get(type(value))
        reduced: Any = reduce(value) if reduce else value.__reduce_ex__(4)
    except Exception as error:
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        raise UnreadableError(f"an object of {kind} cannot be read: {error}") from error
    if isinstance(reduced, str):
        _add_global(digest, value, reduced)
        return
    digest.add(type(value))
    function, args, *more = reduced
    state, items, pairs = (*more, None, None, None)[:3]
    digest.add(function)
    digest.add(args)
    _add_instance_state(digest, state)
    digest.add_all("items", items or ())
    digest.add_all("pairs", pairs or ())
    if _is_array_with_attributes(value):
        add_attributes(digest, vars(value))


def _is_array_with_attributes(value: object) -> bool:
    """Whether a subclass of arrays has attributes, and is pickled without them."""
    return (
        isinstance(value, np.ndarray)
        and type(value).__reduce__ is np.ndarray.__reduce__
        and not isinstance(value, np.memmap)  # has the file as attributes
        and bool(getattr(value, "__dict__", None))
    )


def _add_instance_state(digest: Digest, state: Any) -> None:
    """Feed the state that pickle keeps: a dict, with slots beside it, or anything."""
    parts = state if type(state) is tuple and len(state) == 2 else (state,)
    digest.put("state", str(len(parts)))
    for part in parts:
        if type(part) is dict and all(type(name) is str for name in part):
            add_attributes(digest, part)
        else:
            digest.add(part)


def _add_global(digest: Digest, value: object, name: str) -> None:
    """Feed what pickle knows by its name alone."""
    module = getattr(value, "__module__", None)
    digest.put("global", f"{module}.{name}")
    package = package_of(module)
    if package is not None:
        digest.put("package", package)
    elif not add_compiled(digest, module):
        digest.add(type(value))
        add_attributes(digest, getattr(value, "__dict__", {}))
