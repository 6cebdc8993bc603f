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

import copyreg
import dataclasses
import functools
import hashlib
import os
import pathlib
import sys
import threading
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.machinery import EXTENSION_SUFFIXES
from typing import Any

import numpy as np
import scipy.special
from scipy import sparse

from skhpo._code import instructions_of, is_packaged, names_used, package_of
from skhpo._keys import CLONED_ATTRIBUTES, has_own_clone, is_estimator
from skhpo._public import defined_in

__all__ = ["UnreadableError", "fingerprint", "steady_fingerprint"]

_SCALARS = (bool, int, str, bytes, complex, type(None), type(Ellipsis))
# What classes and objects carry for people, or as notes of the interpreter.
_NOTES = {
    *("__dict__", "__weakref__", "__doc__", "__module__", "__qualname__"),
    *("__annotations__", "__annotate__", "__annotate_func__", "__annotations_cache__"),
    *("__firstlineno__", "__static_attributes__", "__slotnames__", "_abc_impl"),
    *("__abstractmethods__", "__orig_bases__", "__parameters__", "__type_params__"),
    *("__dataclass_fields__", "__dataclass_params__"),
}
# What decorators note about what they decorate, and sparse matrices about themselves.
_NOTED_BY_DECORATORS = {"__name__", "__wrapped__", "cache_parameters"}
_SPARSE_PARTS = ("data", "indices", "indptr", "row", "col", "offsets", "rows")
_NOTED_BY_SPARSE = {
    *(*_SPARSE_PARTS, "coords", "dtype", "maxprint", "_shape", "_dict"),
    *("has_canonical_format", "_has_canonical_format"),
    *("has_sorted_indices", "_has_sorted_indices"),
}


class UnreadableError(TypeError):
    """Something has no content that another process could recognize.

    Parameters
    ----------
    what : str
        What it is, and why.

    Attributes
    ----------
    where : list of str
        The way to it, from the outside.
    """

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.where: list[str] = []

    def __str__(self) -> str:
        """Return the way to it, and what it is."""
        return ": ".join([*filter(None, [", ".join(self.where)]), *self.args])


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


def _read(values: tuple[Any, ...], cloned: bool, marked: bool = False) -> _Digest:
    digest = _Digest(marked)
    try:
        digest.add_all("values", values, cloned)
    except RecursionError:
        raise UnreadableError("it contains itself, or is nested too deeply") from None
    return digest


class _Digest:
    """Feeds values to a hash, each with its type and length, so that none run on."""

    def __init__(self, is_marked: bool) -> None:
        self._hash = hashlib.blake2b(digest_size=16)
        self._seen: dict[int, tuple[int, Any]] = {}
        self._is_marked = is_marked
        self.marks: list[tuple[str, bytes]] = []  # after each named part

    def hexdigest(self) -> str:
        return self._hash.hexdigest()

    def put(self, tag: str, content: Any = b"") -> None:
        """Feed bytes, or a text, under a name."""
        if isinstance(content, str):
            content = content.encode("utf-8", "surrogatepass")
        size = memoryview(content).nbytes
        self._hash.update(f"{tag}:{size};".encode())
        self._hash.update(content)

    def is_again(self, value: object) -> bool:
        """Whether an object was read before: feed its number, since it may recur."""
        if id(value) in self._seen:
            self.put("again", str(self._seen[id(value)][0]))
            return True
        self._seen[id(value)] = len(self._seen), value  # so that its id stays its own
        return False

    def of_item(self, item: object, cloned: bool) -> str:
        """Return the digest of an item, whichever items were read before it."""
        one = _Digest(is_marked=False)
        one._seen = self._seen
        n_before = len(self._seen)
        one.add_all("values", (item,), cloned)
        while len(self._seen) > n_before:
            self._seen.popitem()
        return one.hexdigest()

    def forget(self, value: object) -> None:
        """Let a value be read in full where it comes again."""
        del self._seen[id(value)]

    def add_all(self, tag: str, values: Iterable[Any], cloned: bool = False) -> None:
        values = list(values)
        self.put(tag, str(len(values)))
        for value in values:
            self.add(value, cloned)

    def add_named(self, name: str, value: object, cloned: bool = False) -> None:
        """Feed a part, and say which one it is if it cannot be read."""
        try:
            self.add(value, cloned)
        except UnreadableError as error:
            error.where.insert(0, name)
            raise
        if self._is_marked:
            self.marks.append((name, self._hash.digest()))

    def add(self, value: Any, cloned: bool = False) -> None:
        """Feed a value of any kind: whole, or as far as a clone has it."""
        kind = type(value)
        if kind in _SCALARS:
            self.put(kind.__name__, repr(value))
        elif kind is float:
            self.put("float", value.hex())
        elif cloned and kind in _CLONED_ITEM_BY_ITEM:
            _CLONED_ITEM_BY_ITEM[kind](self, value, True)
        elif cloned and is_estimator(value) and not has_own_clone(value):
            _add_estimator(self, value)
        elif kind in _READERS:
            _READERS[kind](self, value)
        elif isinstance(value, np.generic) and kind is value.dtype.type:
            _add_scalar(self, value)
        elif isinstance(value, np.dtype):
            self.put("dtype", repr(value))
        elif isinstance(value, type):
            _add_class(self, value)
        elif sparse.issparse(value) and is_packaged(kind):
            _add_sparse(self, value)
        elif isinstance(value, property):
            _add_property(self, value)
        elif isinstance(value, np.vectorize):
            _add_vectorized(self, value)
        elif _is_frame(value):
            _add_frame(self, value)
        else:
            _add_object(self, value)


# -- containers ------------------------------------------------------------------------


def _add_items(digest: _Digest, value: Sequence[Any], cloned: bool = False) -> None:
    digest.put(type(value).__name__, str(len(value)))
    for item in value:
        name = item[0] if type(item) is tuple and item else None
        if isinstance(name, str):  # a step, as scikit-learn writes them
            digest.add_named(f"step {name!r}", item, cloned)
        else:
            digest.add(item, cloned)


def _add_set(digest: _Digest, value: set, cloned: bool = False) -> None:
    """Feed the digests of the items, in an order that is that of no hash seed.

    A function in a set may look up the set itself, which is then something read before.
    """
    if digest.is_again(value):
        return
    digests = sorted(digest.of_item(item, cloned) for item in value)
    digest.forget(value)
    digest.put(type(value).__name__, str(len(value)))
    for one in digests:
        digest.add(one)


def _add_dict(digest: _Digest, value: Mapping, cloned: bool = False) -> None:
    digest.put("dict", str(len(value)))
    for key, item in value.items():
        digest.add(key)
        digest.add_named(repr(key) if type(key) is str else "", item, cloned)


def _add_scalar(digest: _Digest, value: np.generic) -> None:
    if value.dtype.kind in "OV":
        _add_array(digest, np.asarray(value))
    else:
        digest.put(f"scalar {value.dtype.str}", value.tobytes())


def _add_array(digest: _Digest, array: np.ndarray) -> None:
    # The memory order is part of it: BLAS sums in another order for another layout.
    flags = array.flags.c_contiguous, array.flags.f_contiguous
    order = flags if any(flags) else np.argsort(np.abs(array.strides)).tolist()
    digest.put("array", f"{array.dtype!r}{array.shape}{order}")
    if array.dtype.names is not None:  # between the fields may be anything
        for name in array.dtype.names:
            _add_array(digest, array[name])
    elif array.dtype.hasobject:
        digest.add_all("items", array.ravel().tolist())
    else:
        content = array.T if array.flags.f_contiguous else array
        digest.put("buffer", np.ascontiguousarray(content).view(np.uint8).data)


def _add_sparse(digest: _Digest, value: Any) -> None:
    """Feed a sparse matrix: its arrays, and not what it has noted about them."""
    _add_class(digest, type(value))
    digest.put("shape", str(value.shape))
    parts = value if value.format != "dok" else value.tocoo()
    for name in _SPARSE_PARTS:
        digest.add(getattr(parts, name, None))
    _add_put_on(digest, value, _NOTED_BY_SPARSE)


def _is_frame(value: object) -> bool:
    """Whether it is a data frame of pandas or polars, as far as these are imported."""
    frames = (_imported(package, "DataFrame") for package in ("pandas", "polars"))
    return any(frame is not None and isinstance(value, frame) for frame in frames)


def _imported(package: str, name: str) -> Any:
    return getattr(sys.modules.get(package), name, None)


def _add_frame(digest: _Digest, frame: Any) -> None:
    """Feed a data frame column by column: how pandas keeps them together may change."""
    _add_class(digest, type(frame))
    digest.add_all("columns", list(frame.columns))
    for dtype in frame.dtypes:
        _add_dtype(digest, dtype)
    if isinstance(frame, _imported("pandas", "DataFrame") or ()):
        _add_index(digest, frame.index)
        _add_index(digest, frame.columns)
        state = frame.__getstate__()  # with attrs, and what subclasses pickle
        _add_attributes(digest, {name: state[name] for name in {*state} - {"_mgr"}})
    for name in frame.columns:
        digest.add(np.asarray(frame[name]))


def _add_dtype(digest: _Digest, dtype: Any) -> None:
    digest.put("dtype", str(dtype))
    categories: Any = getattr(dtype, "categories", None)
    if hasattr(categories, "__len__"):
        digest.add_all("categories", list(categories))
        digest.put("ordered", str(getattr(dtype, "ordered", None)))


def _add_index(digest: _Digest, index: Any) -> None:
    """Feed the labels of a data frame of pandas, with their names and levels."""
    _add_dtype(digest, index.dtype)
    digest.add_all("names", index.names)
    digest.put("frequency", str(getattr(index, "freq", None)))
    digest.add(np.asarray(index))
    for level in getattr(index, "levels", ()):
        _add_index(digest, level)


# -- code ------------------------------------------------------------------------------


def _full_name(thing: Any) -> str:
    """Return where a class or a function is defined: it may be public elsewhere."""
    return f"{defined_in(thing)}.{thing.__qualname__}"


def _add_class(digest: _Digest, cls: type) -> None:
    digest.put("class", _full_name(cls))
    packages: set[str | None] = set()
    for base in cls.__mro__:
        if is_packaged(base):
            packages.add(package_of(base.__module__))
        elif not digest.is_again(base):
            _add_members(digest, base)
    digest.put("packages", str(sorted(map(str, packages))))
    if not is_packaged(type(cls)):
        digest.add_named(f"the class of {cls.__qualname__}", type(cls))


def _add_members(digest: _Digest, cls: type) -> None:
    digest.put("members of", _full_name(cls))
    _add_compiled(digest, cls.__module__)
    for name, value in sorted(vars(cls).items()):
        if name not in _NOTES:
            digest.put("member", name)
            digest.add_named(f"{cls.__qualname__}.{name}", value)
    if "__dataclass_fields__" in vars(cls):
        _add_fields(digest, cls)


def _add_fields(digest: _Digest, cls: Any) -> None:
    """Feed what only the fields of a dataclass know: its methods say all the rest."""
    for field in dataclasses.fields(cls):
        digest.put("field", field.name)
        digest.add_named(f"{cls.__qualname__}.{field.name}", field.metadata)


def _add_function(digest: _Digest, function: types.FunctionType) -> None:
    digest.put("function", _full_name(function))
    if is_packaged(function):
        digest.put("package", str(package_of(function.__module__)))
    elif not digest.is_again(function):
        try:
            _add_own_function(digest, function)
        except UnreadableError as error:
            error.where.insert(0, f"the function {function.__qualname__!r}")
            raise


def _add_own_function(digest: _Digest, function: types.FunctionType) -> None:
    package = package_of(function.__globals__.get("__name__"))
    if package is not None:  # made by a package of what stands in the closure
        digest.put("made by", f"{package} {function.__code__.co_qualname}")
        registry = getattr(function, "registry", None)
        if isinstance(registry, types.MappingProxyType):
            _add_registry(digest, registry)
            return
    else:
        _add_code(digest, function.__code__)
        for name, value in names_used(function).items():
            digest.put("uses", name)
            digest.add_named(f"the name {name!r}", value)
    digest.add_named("its defaults", [function.__defaults__, function.__kwdefaults__])
    cells = function.__closure__ or ()
    for name, cell in zip(function.__code__.co_freevars, cells, strict=True):
        digest.add_named(f"the variable {name!r}", _content(cell))
    _add_attributes(digest, vars(function))


def _add_registry(digest: _Digest, registry: Mapping[type, Any]) -> None:
    """Feed the functions that `functools.singledispatch` chooses from."""
    ways = sorted((_full_name(cls), cls) for cls in registry)
    for name, cls in ways:
        digest.add(cls)
        digest.add_named(f"the way for {name}", registry[cls])


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not yet filled
        return None


def _add_code(digest: _Digest, code: types.CodeType) -> None:
    counts = code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount
    digest.put("code", f"{counts} {code.co_flags}")
    digest.put("handlers", code.co_exceptiontable)
    digest.add_all("names", code.co_varnames[: sum(counts)])
    digest.add_all("instructions", instructions_of(code))


def _add_module(digest: _Digest, module: types.ModuleType) -> None:
    """Feed a module that is handed on: nobody knows what will be taken from it."""
    digest.put("module", module.__name__)
    package = package_of(module.__name__)
    if package is not None:
        digest.put("package", package)
        return
    if digest.is_again(module):
        return
    file = getattr(module, "__file__", None)
    if file is not None:
        digest.put("file", pathlib.Path(file).read_bytes())
    for name, value in sorted(vars(module).items()):
        is_in_file = file is not None and not _comes_from_elsewhere(value, module)
        if not name.startswith("__") and (not is_in_file or _is_plain(value)):
            digest.add_named(f"{module.__name__}.{name}", value)


def _is_plain(value: object) -> bool:
    """Whether a value is numbers and texts, which code may set after the import."""
    if isinstance(value, dict):
        return all(map(_is_plain, [*value.keys(), *value.values()]))
    if isinstance(value, list | tuple | set | frozenset):
        return all(map(_is_plain, value))
    if isinstance(value, np.ndarray):
        return not value.dtype.hasobject
    return isinstance(value, (*_SCALARS, float, np.generic))


def _comes_from_elsewhere(value: object, module: types.ModuleType) -> bool:
    if isinstance(value, types.ModuleType):
        return package_of(value.__name__) is None
    is_code = isinstance(value, types.FunctionType | type)
    return is_code and value.__module__ != module.__name__


def _add_builtin(digest: _Digest, function: Any) -> None:
    digest.put("builtin", function.__qualname__)
    digest.add(function.__self__)


def _add_slot(digest: _Digest, descriptor: Any) -> None:
    cls = descriptor.__objclass__
    digest.put("slot", f"{defined_in(cls)}.{descriptor.__qualname__}")
    if is_packaged(cls):
        digest.put("package", str(package_of(cls.__module__)))


def _add_ufunc(digest: _Digest, ufunc: np.ufunc) -> None:
    for module in (np, scipy.special):
        if getattr(module, ufunc.__name__, None) is ufunc:
            digest.put("ufunc", f"{module.__name__}.{ufunc.__name__}")
            digest.put("package", str(package_of(module.__name__)))
            return
    raise UnreadableError(f"the code of {ufunc!r} cannot be seen")


# -- objects ---------------------------------------------------------------------------


def _add_estimator(digest: _Digest, estimator: Any) -> None:
    _add_class(digest, type(estimator))
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


def _add_attributes(digest: _Digest, state: Mapping[str, Any]) -> None:
    names = sorted(name for name in state if name not in _NOTES)
    digest.put("attributes", str(len(names)))
    for name in names:
        digest.put("attribute", name)
        digest.add_named(f"attribute {name!r}", state[name])


def _add_put_on(digest: _Digest, value: object, known: set[str]) -> None:
    """Feed the attributes that a user has put on something that has its own."""
    state = {name: vars(value)[name] for name in vars(value).keys() - known - _NOTES}
    if state and not digest.is_again(value):
        _add_attributes(digest, state)


def _add_property(digest: _Digest, value: property) -> None:
    """Feed a property of a class of its own, with what it has beside the functions."""
    if not digest.is_again(value):
        _add_class(digest, type(value))
        digest.add_all("property", (value.fget, value.fset, value.fdel))
        _add_instance_state(digest, object.__getstate__(value))


def _add_vectorized(digest: _Digest, value: object) -> None:
    """Feed `numpy.vectorize`, and not what it has compiled at its first call."""
    _add_class(digest, type(value))
    _add_put_on(digest, value, {"_ufunc", *_NOTED_BY_DECORATORS})


def _add_decorated(digest: _Digest, tag: str, value: object, *parts: Any) -> None:
    digest.add_all(tag, parts)
    _add_put_on(digest, value, _NOTED_BY_DECORATORS)


def _add_object(digest: _Digest, value: object) -> None:
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
        _add_attributes(digest, vars(value))


def _is_array_with_attributes(value: object) -> bool:
    """Whether a subclass of arrays has attributes, and is pickled without them."""
    return (
        isinstance(value, np.ndarray)
        and type(value).__reduce__ is np.ndarray.__reduce__
        and not isinstance(value, np.memmap)  # has the file as attributes
        and bool(getattr(value, "__dict__", None))
    )


def _add_instance_state(digest: _Digest, state: Any) -> None:
    """Feed the state that pickle keeps: a dict, with slots beside it, or anything."""
    parts = state if type(state) is tuple and len(state) == 2 else (state,)
    digest.put("state", str(len(parts)))
    for part in parts:
        if type(part) is dict and all(type(name) is str for name in part):
            _add_attributes(digest, part)
        else:
            digest.add(part)


def _add_global(digest: _Digest, value: object, name: str) -> None:
    """Feed what pickle knows by its name alone."""
    module = getattr(value, "__module__", None)
    digest.put("global", f"{module}.{name}")
    package = package_of(module)
    if package is not None:
        digest.put("package", package)
    elif not _add_compiled(digest, module):
        digest.add(type(value))
        _add_attributes(digest, getattr(value, "__dict__", {}))


def _add_compiled(digest: _Digest, module: str | None) -> bool:
    """Feed the file of a compiled module: nothing else says what its code does."""
    file = getattr(sys.modules.get(module or ""), "__file__", None) or ""
    is_compiled = file.endswith(tuple(EXTENSION_SUFFIXES))
    if is_compiled:
        digest.put("file", pathlib.Path(file).read_bytes())
    return is_compiled


_CLONED_ITEM_BY_ITEM: dict[type, Callable[..., None]] = {
    list: _add_items,
    tuple: _add_items,
    set: _add_set,
    frozenset: _add_set,
    dict: _add_dict,
}
_READERS: dict[type, Callable[[_Digest, Any], None]] = {
    **_CLONED_ITEM_BY_ITEM,
    types.MappingProxyType: _add_dict,
    np.ndarray: _add_array,
    np.memmap: _add_array,
    types.CodeType: _add_code,
    types.FunctionType: _add_function,
    types.MethodType: lambda digest, value: digest.add_all(
        "method", (value.__func__, value.__self__)
    ),
    types.BuiltinFunctionType: _add_builtin,
    types.MemberDescriptorType: _add_slot,
    types.GetSetDescriptorType: _add_slot,
    types.MethodDescriptorType: _add_slot,
    types.ClassMethodDescriptorType: _add_slot,
    types.WrapperDescriptorType: _add_slot,
    types.ModuleType: _add_module,
    np.ufunc: _add_ufunc,
    property: lambda digest, value: digest.add_all(
        "property", (value.fget, value.fset, value.fdel)
    ),
    staticmethod: lambda digest, value: _add_decorated(
        digest, "static", value, value.__func__
    ),
    classmethod: lambda digest, value: _add_decorated(
        digest, "class", value, value.__func__
    ),
    functools.cached_property: lambda digest, value: digest.add_all(
        "cached", [value.func]
    ),
    functools.partial: lambda digest, value: _add_decorated(
        digest, "partial", value, value.func, value.args, value.keywords
    ),
    functools._lru_cache_wrapper: lambda digest, value: _add_decorated(
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
