"""Fingerprints: the same value, recognized in another process and on another day.

`_keys.structural_key` tells equal values apart within a process, where an object that
cannot be looked into is the same only as itself. A journal needs more: the digest here
depends on content alone, never on identity, hash seed or memory address. Functions and
classes are known by their name and their code, or, where they belong to an installed
package, by its version. So an edited scorer, or a new scikit-learn, is something else.
"""

from __future__ import annotations

import functools
import hashlib
import sys
import types
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from scipy import sparse

__all__ = ["fingerprint"]

# What `sklearn.base.clone` carries over beside the constructor's parameters.
_CLONED_ATTRIBUTES = ("_sklearn_output_config", "_metadata_request")
_SCALARS = (bool, int, str, bytes, complex, type(None), type(Ellipsis))


def fingerprint(*values: Any) -> str:
    """Return a digest that equal content has in every process.

    Parameters
    ----------
    *values : object
        Anything that can be pickled: data, estimators, functions, parameter values.

    Returns
    -------
    str
        32 hexadecimal digits.

    Raises
    ------
    TypeError
        If a value has no content that another process could recognize.

    Examples
    --------
    >>> fingerprint({"a", "b"}) == fingerprint({"b", "a"})
    True
    >>> fingerprint(1) == fingerprint(1.0)
    False
    """
    digest = _Digest()
    try:
        digest.add_all("values", values)
    except RecursionError:
        raise TypeError(f"{values!r} contains itself.") from None
    return digest.hexdigest()


class _Digest:
    """Feeds values to a hash, each with its type and length, so that none run on."""

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=16)
        self._open: set[int] = set()  # code that is being read: functions may recur

    def hexdigest(self) -> str:
        return self._hash.hexdigest()

    def put(self, tag: str, content: Any = b"") -> None:
        """Feed bytes, or a text, under a name."""
        if isinstance(content, str):
            content = content.encode("utf-8", "surrogatepass")
        size = memoryview(content).nbytes
        self._hash.update(f"{tag}:{size};".encode())
        self._hash.update(content)

    def add_all(self, tag: str, values: Iterable[Any]) -> None:
        values = list(values)
        self.put(tag, str(len(values)))
        for value in values:
            self.add(value)

    def add(self, value: Any) -> None:
        """Feed a value of any kind."""
        kind = type(value)
        if kind in _SCALARS:
            self.put(kind.__name__, repr(value))
        elif kind is float:
            self.put("float", value.hex())
        elif kind in _READERS:
            _READERS[kind](self, value)
        elif isinstance(value, np.generic) and value.dtype.kind != "O":
            self.put(f"scalar {value.dtype.str}", value.tobytes())
        elif isinstance(value, np.ndarray):
            _add_array(self, value)
        elif isinstance(value, type):
            _add_class(self, value)
        elif sparse.issparse(value):
            _add_state(self, value)
        elif hasattr(value, "get_params"):
            _add_estimator(self, value)
        elif hasattr(value, "columns") and hasattr(value, "dtypes"):
            _add_frame(self, value)
        else:
            _add_reduced(self, value)


# -- containers ------------------------------------------------------------------------


def _add_dict(digest: _Digest, value: dict) -> None:
    digest.add_all("dict", [part for item in value.items() for part in item])


def _add_set(digest: _Digest, value: Iterable[Any]) -> None:
    digest.add_all(type(value).__name__, sorted(fingerprint(item) for item in value))


def _add_array(digest: _Digest, array: np.ndarray) -> None:
    # The memory order is part of it: BLAS sums in another order for another layout.
    order = f"{array.flags.c_contiguous}{array.flags.f_contiguous}"
    digest.put("array", f"{array.dtype.str}{array.shape}{order}")
    if array.dtype.hasobject:
        digest.add_all("items", array.ravel().tolist())
    else:
        content = array.T if array.flags.f_contiguous else array
        digest.put("buffer", np.ascontiguousarray(content).view(np.uint8).data)


def _add_frame(digest: _Digest, frame: Any) -> None:
    """Feed a data frame of pandas, polars or the like, column by column."""
    _add_class(digest, type(frame))
    digest.add_all("columns", [str(name) for name in frame.columns])
    digest.add_all("dtypes", [str(dtype) for dtype in frame.dtypes])
    digest.add(np.asarray(getattr(frame, "index", ())))
    for name in frame.columns:
        digest.add(np.asarray(frame[name]))


# -- code ------------------------------------------------------------------------------


def _add_class(digest: _Digest, cls: type) -> None:
    digest.put("class", f"{cls.__module__}.{cls.__qualname__}")
    for base in cls.__mro__:
        package = _installed(base.__module__)
        if package is not None:
            digest.put("package", package)
        else:
            members = [item for item in vars(base).items() if callable(item[1])]
            digest.add_all("members", [part for item in members for part in item])


def _add_function(digest: _Digest, function: types.FunctionType) -> None:
    digest.put("function", f"{function.__module__}.{function.__qualname__}")
    package = _installed(function.__module__)
    if package is not None:
        digest.put("package", package)
        return
    if id(function) in digest._open:
        return
    digest._open.add(id(function))
    _add_code(digest, function.__code__)
    cells = [_content(cell) for cell in function.__closure__ or ()]
    digest.add_all("closure", [function.__defaults__, function.__kwdefaults__, *cells])
    helpers = (function.__globals__.get(name) for name in function.__code__.co_names)
    digest.add_all("calls", [f for f in helpers if isinstance(f, types.FunctionType)])
    digest._open.discard(id(function))


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not yet filled
        return None


def _add_code(digest: _Digest, code: types.CodeType) -> None:
    digest.put("code", code.co_code)
    digest.add_all("names", (*code.co_names, *code.co_varnames, *code.co_freevars))
    digest.add_all("constants", code.co_consts)


def _installed(module: str | None) -> str | None:
    """Return name and version of an installed package, None for code of one's own."""
    name = (module or "").partition(".")[0]
    if name in sys.stdlib_module_names and name != "__main__":
        return f"python {sys.version_info.major}.{sys.version_info.minor}"
    package = sys.modules.get(name)
    path = getattr(package, "__file__", None) or ""
    if name == "skhpo" or "site-packages" in path or "dist-packages" in path:
        return f"{name} {getattr(package, '__version__', '')}"
    return None


# -- objects ---------------------------------------------------------------------------


def _add_estimator(digest: _Digest, estimator: Any) -> None:
    _add_class(digest, type(estimator))
    params = estimator.get_params(deep=False)
    state = vars(estimator) if hasattr(estimator, "__dict__") else {}
    carried = {name: state[name] for name in _CLONED_ATTRIBUTES if name in state}
    _add_dict(digest, {**{name: params[name] for name in sorted(params)}, **carried})


def _add_state(digest: _Digest, value: Any) -> None:
    _add_class(digest, type(value))
    _add_dict(digest, dict(sorted(vars(value).items())))


def _add_reduced(digest: _Digest, value: Any) -> None:
    """Feed what the object would be rebuilt from, as pickle does."""
    reduced = value.__reduce_ex__(4)
    if isinstance(reduced, str):
        digest.put("global", f"{getattr(value, '__module__', '')}.{reduced}")
        return
    function, args, *more = reduced
    digest.add(function)
    digest.add(args)
    state, items, pairs = (*more, None, None, None)[:3]
    digest.add(state)
    digest.add_all("items", items or ())
    digest.add_all("pairs", pairs or ())


_READERS: dict[type, Callable[[_Digest, Any], None]] = {
    list: lambda digest, value: digest.add_all("list", value),
    tuple: lambda digest, value: digest.add_all("tuple", value),
    dict: _add_dict,
    set: _add_set,
    frozenset: _add_set,
    types.CodeType: _add_code,
    types.FunctionType: _add_function,
    types.MethodType: lambda digest, value: digest.add_all(
        "method", (value.__func__, value.__self__)
    ),
    types.BuiltinFunctionType: lambda digest, value: digest.add_all(
        "builtin", (value.__qualname__, value.__self__)
    ),
    np.ufunc: lambda digest, value: digest.put("ufunc", value.__name__),
    types.ModuleType: lambda digest, value: digest.put("module", value.__name__),
    property: lambda digest, value: digest.add_all(
        "property", (value.fget, value.fset, value.fdel)
    ),
    staticmethod: lambda digest, value: digest.add(value.__func__),
    classmethod: lambda digest, value: digest.add(value.__func__),
    functools.partial: lambda digest, value: digest.add_all(
        "partial", (value.func, value.args, value.keywords)
    ),
    np.random.RandomState: lambda digest, value: digest.add(
        value.get_state(legacy=False)
    ),
    np.random.Generator: lambda digest, value: digest.add(value.bit_generator.state),
}
