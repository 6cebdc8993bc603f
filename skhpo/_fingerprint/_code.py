"""Feed what runs: classes, functions, modules, by their code or their package."""

from __future__ import annotations

import dataclasses
import pathlib
import sys
import types
from collections.abc import Mapping
from importlib.machinery import EXTENSION_SUFFIXES
from typing import Any

import numpy as np
import scipy.special

from skhpo._code import instructions_of, is_packaged, names_used, package_of
from skhpo._fingerprint._digest import (
    NOTES,
    SCALARS,
    Digest,
    UnreadableError,
    add_attributes,
)
from skhpo._public import defined_in


def _full_name(thing: Any) -> str:
    """Return where a class or a function is defined: it may be public elsewhere."""
    return f"{defined_in(thing)}.{thing.__qualname__}"


def add_class(digest: Digest, cls: type) -> None:
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


def _add_members(digest: Digest, cls: type) -> None:
    digest.put("members of", _full_name(cls))
    add_compiled(digest, cls.__module__)
    for name, value in sorted(vars(cls).items()):
        if name not in NOTES:
            digest.put("member", name)
            digest.add_named(f"{cls.__qualname__}.{name}", value)
    if "__dataclass_fields__" in vars(cls):
        _add_fields(digest, cls)


def _add_fields(digest: Digest, cls: Any) -> None:
    """Feed what only the fields of a dataclass know: its methods say all the rest."""
    for field in dataclasses.fields(cls):
        digest.put("field", field.name)
        digest.add_named(f"{cls.__qualname__}.{field.name}", field.metadata)


def add_function(digest: Digest, function: types.FunctionType) -> None:
    digest.put("function", _full_name(function))
    if is_packaged(function):
        digest.put("package", str(package_of(function.__module__)))
    elif not digest.is_again(function):
        try:
            _add_own_function(digest, function)
        except UnreadableError as error:
            error.where.insert(0, f"the function {function.__qualname__!r}")
            raise


def _add_own_function(digest: Digest, function: types.FunctionType) -> None:
    package = package_of(function.__globals__.get("__name__"))
    if package is not None:  # made by a package of what stands in the closure
        digest.put("made by", f"{package} {function.__code__.co_qualname}")
        registry = getattr(function, "registry", None)
        if isinstance(registry, types.MappingProxyType):
            _add_registry(digest, registry)
            return
    else:
        add_code(digest, function.__code__)
        for name, value in names_used(function).items():
            digest.put("uses", name)
            digest.add_named(f"the name {name!r}", value)
    digest.add_named("its defaults", [function.__defaults__, function.__kwdefaults__])
    cells = function.__closure__ or ()
    for name, cell in zip(function.__code__.co_freevars, cells, strict=True):
        digest.add_named(f"the variable {name!r}", _content(cell))
    add_attributes(digest, vars(function))


def _add_registry(digest: Digest, registry: Mapping[type, Any]) -> None:
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


def add_code(digest: Digest, code: types.CodeType) -> None:
    counts = code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount
    digest.put("code", f"{counts} {code.co_flags}")
    digest.put("handlers", code.co_exceptiontable)
    digest.add_all("names", code.co_varnames[: sum(counts)])
    digest.add_all("instructions", instructions_of(code))


def add_module(digest: Digest, module: types.ModuleType) -> None:
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
    return isinstance(value, (*SCALARS, float, np.generic))


def _comes_from_elsewhere(value: object, module: types.ModuleType) -> bool:
    if isinstance(value, types.ModuleType):
        return package_of(value.__name__) is None
    is_code = isinstance(value, types.FunctionType | type)
    return is_code and value.__module__ != module.__name__


def add_builtin(digest: Digest, function: Any) -> None:
    digest.put("builtin", function.__qualname__)
    digest.add(function.__self__)


def add_slot(digest: Digest, descriptor: Any) -> None:
    cls = descriptor.__objclass__
    digest.put("slot", f"{defined_in(cls)}.{descriptor.__qualname__}")
    if is_packaged(cls):
        digest.put("package", str(package_of(cls.__module__)))


def add_ufunc(digest: Digest, ufunc: np.ufunc) -> None:
    for module in (np, scipy.special):
        if getattr(module, ufunc.__name__, None) is ufunc:
            digest.put("ufunc", f"{module.__name__}.{ufunc.__name__}")
            digest.put("package", str(package_of(module.__name__)))
            return
    raise UnreadableError(f"the code of {ufunc!r} cannot be seen")


def add_compiled(digest: Digest, module: str | None) -> bool:
    """Feed the file of a compiled module: nothing else says what its code does."""
    file = getattr(sys.modules.get(module or ""), "__file__", None) or ""
    is_compiled = file.endswith(tuple(EXTENSION_SUFFIXES))
    if is_compiled:
        digest.put("file", pathlib.Path(file).read_bytes())
    return is_compiled
