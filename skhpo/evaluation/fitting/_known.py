"""Whether all code inside an object is known: how it treats its data and its dice.

The libraries named here copy before they write into what they are given, unless a
parameter such as ``copy_X=False`` tells them not to, or they raise where they cannot
write. They draw random numbers from a seed, or from NumPy's global generator. Of any
other code neither is known, and none of it can be seen from outside.
"""

from __future__ import annotations

import functools
import inspect
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import scipy.special

from skhpo.evaluation.fitting._chunk import Chunk
from skhpo.space._curve import Curve

__all__ = ["are_known", "is_known"]

KNOWN_PACKAGES = frozenset(
    {"builtins", "imblearn", "lightgbm", "numpy", "pandas", "scipy", "sklearn"}
    | {"xgboost"}
)
_GENERATORS = (np.random.Generator, np.random.RandomState)
# Values of these types hold no code. Most parameters are of them, and each fit asks.
_PLAIN = frozenset(
    {type(None), bool, int, float, complex, str, bytes, slice, range, Curve, Chunk}
    | ({*np.sctypeDict.values()} - {np.object_, np.void})
)


def is_known(value: Any) -> bool:
    """Whether `value`, and all that it holds, is code of a known library, or none.

    Parameters
    ----------
    value : object
        An estimator, a scorer, a parameter.

    Returns
    -------
    bool
        False also for a known class that has been told to write into its data.

    Examples
    --------
    >>> from sklearn.ensemble import BaggingRegressor
    >>> from sklearn.linear_model import Ridge
    >>> class OwnRidge(Ridge):
    ...     pass
    >>> is_known(BaggingRegressor(Ridge())), is_known(BaggingRegressor(OwnRidge()))
    (True, False)
    >>> is_known(Ridge(copy_X=False))
    False
    """
    return type(value) in _PLAIN or _is_known(value, set())


def are_known(params: Mapping[str, Any]) -> bool:
    """Whether this holds for all values of parameters, which are given by name."""
    return all(
        is_known(value) and not _asks_to_write(name, value)
        for name, value in params.items()
    )


def _is_known(value: Any, seen: set[int]) -> bool:
    if type(value) in _PLAIN or id(value) in seen:
        return True
    seen.add(id(value))
    if isinstance(value, np.ndarray):
        return type(value) is np.ndarray and not value.dtype.hasobject
    if not _is_of_known_package(value):
        return False
    named = dict(_named_parts(value))
    return (
        not any(_asks_to_write(name, part) for name, part in named.items())
        and all(_is_known(part, seen) for part in named.values())
        and all(_is_known(part, seen) for part in _unnamed_parts(value))
    )


def _asks_to_write(name: str, value: Any) -> bool:
    """Whether this is ``copy_X=False``, ``copy=False`` or the like."""
    return value is False and name.rpartition("__")[2].startswith("copy")


def _is_of_known_package(value: Any) -> bool:
    """Whether what runs is written in a known package, whatever it is called."""
    if isinstance(value, functools.partial | types.ModuleType):
        return True  # its parts tell, or nothing of it runs
    if isinstance(value, types.MethodType):  # of a generator, it draws other numbers
        return not isinstance(value.__self__, _GENERATORS)
    if isinstance(value, np.ufunc):  # `np.frompyfunc` makes others of any function
        places = (np, scipy.special)
        return any(getattr(place, value.__name__, None) is value for place in places)
    if isinstance(value, types.FunctionType):  # `functools.wraps` copies `__module__`
        return _is_known_name(value.__globals__.get("__name__"))
    if isinstance(value, types.BuiltinFunctionType):
        owner = value.__self__  # a module, or an object such as a generator of numbers
        if not isinstance(owner, types.ModuleType | type(None)):
            return type(owner) in _PLAIN
        return _is_known_name(value.__module__)
    if hasattr(value, "__objclass__"):  # a method that a class in C has
        value = value.__objclass__
    if _is_code(value) and not isinstance(value, type):
        return _is_known_name(getattr(value, "__module__", None))
    return _is_known_class(value if isinstance(value, type) else type(value))


def _is_known_name(module: Any) -> bool:
    return isinstance(module, str) and module.partition(".")[0] in KNOWN_PACKAGES


def _is_known_class(cls: type) -> bool:
    """Whether a known package has this very class, and not just its name."""
    if not _is_known_name(cls.__module__):
        return False
    found: Any = sys.modules.get(cls.__module__)
    for name in cls.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is cls


def _is_code(value: Any) -> bool:
    """Whether `value` is a function, a method or a class, which have no parameters."""
    return isinstance(value, type) or inspect.isroutine(value)


def _named_parts(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the attributes of an object, and their names."""
    if not _is_code(value) and not isinstance(value, types.ModuleType):
        for name, part in getattr(value, "__dict__", {}).items():
            yield str(name), part


def _unnamed_parts(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        yield from value.keys()
        yield from value.values()
    elif isinstance(value, list | tuple | set | frozenset):
        yield from value
    elif isinstance(value, functools.partial):
        yield from (value.func, value.args, value.keywords)
    elif isinstance(value, types.MethodType):
        yield from (value.__func__, value.__self__)
    elif hasattr(value, "__wrapped__"):
        yield value.__wrapped__
