"""Whether all code inside an object is known: how it treats its data and its dice.

The libraries named here copy before they write into what they are given, unless a
parameter such as ``copy_X=False`` tells them not to, or they raise where they cannot
write. They draw random numbers from a seed, or from NumPy's global generator. Of any
other code neither is known, and none of it can be seen from outside.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

__all__ = ["are_known", "is_known"]

KNOWN_PACKAGES = frozenset(
    {"builtins", "imblearn", "lightgbm", "numpy", "pandas", "scipy", "sklearn"}
    | {"xgboost"}
)
# Values of these types hold no code: most parameters are of them.
_PLAIN = (type(None), bool, int, float, complex, str, bytes, slice, range)


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
    return _is_known(value, set())


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
    named = dict(_named_parts(value))
    return (
        _package_of(value) in KNOWN_PACKAGES
        and not any(_asks_to_write(name, part) for name, part in named.items())
        and all(_is_known(part, seen) for part in named.values())
        and all(_is_known(part, seen) for part in _unnamed_parts(value))
    )


def _asks_to_write(name: str, value: Any) -> bool:
    """Whether this is ``copy_X=False``, ``copy=False`` or the like."""
    return value is False and name.rpartition("__")[2].startswith("copy")


def _package_of(value: Any) -> str | None:
    if isinstance(value, functools.partial):
        return "builtins"  # its parts tell
    module = getattr(value, "__module__", None) if _is_code(value) else None
    if module is None and isinstance(value, types.BuiltinFunctionType):
        value = value.__self__  # a method of an object, as `random.random` is
    return (module or type(value).__module__).partition(".")[0]


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
        yield value.__self__
