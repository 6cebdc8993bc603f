"""Fingerprints: the same value, recognized in another process and on another day.

`_keys.structural_key` tells equal values apart within a process, where an object that
cannot be looked into is the same only as itself. A journal needs more: the digest here
depends on content alone, never on identity, hash seed or memory address. Functions and
classes are known by their name and their code, or, where they belong to an installed
package, by its version. So an edited scorer, or a new scikit-learn, is something else.

What `sklearn.base.clone` makes new is read as it does: of an estimator, its class and
its parameters. Everything else is read whole, as pickle would, and a model that was
trained before and is held by something is read with all that it has learned.
"""

from __future__ import annotations

import functools
import os
import threading
import types
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from skhpo._code import is_packaged
from skhpo._fingerprint._code import (
    add_builtin,
    add_class,
    add_code,
    add_function,
    add_module,
    add_slot,
    add_ufunc,
)
from skhpo._fingerprint._data import (
    add_array,
    add_dict,
    add_frame,
    add_items,
    add_scalar,
    add_set,
    add_sparse,
    is_frame,
)
from skhpo._fingerprint._digest import SCALARS, Digest, UnreadableError
from skhpo._fingerprint._objects import (
    add_decorated,
    add_estimator,
    add_object,
    add_property,
    add_vectorized,
)
from skhpo._keys import has_own_clone, is_estimator

__all__ = ["fingerprint", "steady_fingerprint"]


def fingerprint(*values: Any, cloned: bool = False) -> str:
    """Return a digest that equal content has in every process.

    Parameters
    ----------
    *values : object
        Anything that can be pickled: data, estimators, functions, parameter values.
    cloned : bool, default=False
        Whether the values are cloned before they are used, so that the parameters of
        an estimator say all about it.

    Returns
    -------
    str
        32 hexadecimal digits.

    Raises
    ------
    UnreadableError
        If a value has no content that another process could recognize.

    Examples
    --------
    >>> fingerprint({"a", "b"}) == fingerprint({"b", "a"})
    True
    >>> fingerprint(1) == fingerprint(1.0)
    False
    """
    return _read(values, cloned).hexdigest()


def steady_fingerprint(value: object, *, cloned: bool = False) -> str:
    """Return the digest of a value, looked at twice.

    Parameters
    ----------
    value : object
        As for `fingerprint`.
    cloned : bool, default=False
        As for `fingerprint`.

    Returns
    -------
    str
        32 hexadecimal digits.

    Raises
    ------
    UnreadableError
        If it has no content, or another one at each look.
    """
    one, other = (_read((value,), cloned, marked=True) for _ in range(2))
    for (where, before), (_, after) in zip(one.marks, other.marks, strict=False):
        if before != after:
            raise UnreadableError(f"{where} is pickled in another way each time")
    if one.hexdigest() != other.hexdigest():
        raise UnreadableError("it is pickled in another way each time")
    return one.hexdigest()


def _read(values: tuple[Any, ...], cloned: bool, marked: bool = False) -> _Reader:
    digest = _Reader(marked)
    try:
        digest.add_all("values", values, cloned)
    except RecursionError:
        raise UnreadableError("it contains itself, or is nested too deeply") from None
    return digest


class _Reader(Digest):
    """Feeds values of all kinds."""

    def add(self, value: Any, cloned: bool = False) -> None:
        """Feed a value of any kind: whole, or as far as a clone has it."""
        kind = type(value)
        if kind in SCALARS:
            self.put(kind.__name__, repr(value))
        elif kind is float:
            self.put("float", value.hex())
        elif cloned and kind in _CLONED_ITEM_BY_ITEM:
            _CLONED_ITEM_BY_ITEM[kind](self, value, True)
        elif cloned and is_estimator(value) and not has_own_clone(value):
            add_estimator(self, value)
        elif kind in _READERS:
            _READERS[kind](self, value)
        elif isinstance(value, np.generic) and kind is value.dtype.type:
            add_scalar(self, value)
        elif isinstance(value, np.dtype):
            self.put("dtype", repr(value))
        elif isinstance(value, type):
            add_class(self, value)
        elif sparse.issparse(value) and is_packaged(kind):
            add_sparse(self, value)
        elif isinstance(value, property):
            add_property(self, value)
        elif isinstance(value, np.vectorize):
            add_vectorized(self, value)
        elif is_frame(value):
            add_frame(self, value)
        else:
            add_object(self, value)


_CLONED_ITEM_BY_ITEM: dict[type, Callable[..., None]] = {
    list: add_items,
    tuple: add_items,
    set: add_set,
    frozenset: add_set,
    dict: add_dict,
}
_READERS: dict[type, Callable[[Digest, Any], None]] = {
    **_CLONED_ITEM_BY_ITEM,
    types.MappingProxyType: add_dict,
    np.ndarray: add_array,
    np.memmap: add_array,
    types.CodeType: add_code,
    types.FunctionType: add_function,
    types.MethodType: lambda digest, value: digest.add_all(
        "method", (value.__func__, value.__self__)
    ),
    types.BuiltinFunctionType: add_builtin,
    types.MemberDescriptorType: add_slot,
    types.GetSetDescriptorType: add_slot,
    types.MethodDescriptorType: add_slot,
    types.ClassMethodDescriptorType: add_slot,
    types.WrapperDescriptorType: add_slot,
    types.ModuleType: add_module,
    np.ufunc: add_ufunc,
    property: lambda digest, value: digest.add_all(
        "property", (value.fget, value.fset, value.fdel)
    ),
    staticmethod: lambda digest, value: add_decorated(
        digest, "static", value, value.__func__
    ),
    classmethod: lambda digest, value: add_decorated(
        digest, "class", value, value.__func__
    ),
    functools.cached_property: lambda digest, value: digest.add_all(
        "cached", [value.func]
    ),
    functools.partial: lambda digest, value: add_decorated(
        digest, "partial", value, value.func, value.args, value.keywords
    ),
    functools._lru_cache_wrapper: lambda digest, value: add_decorated(
        digest, "cache", value, value.__wrapped__
    ),
    np.random.RandomState: lambda digest, value: digest.add(
        value.get_state(legacy=False)
    ),
    # Variables of the environment are not seen, whichever way code reads them.
    type(os.environ): lambda digest, value: digest.put("environment"),
    # A lock guards something else, and has no say in it.
    type(threading.Lock()): lambda digest, value: digest.put("lock"),
    type(threading.RLock()): lambda digest, value: digest.put("lock"),
}
