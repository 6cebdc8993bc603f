"""What code looks up when it runs: the names in a function, and where they lead.

Code of an installed package is known by the package's name and version. Code of one's
own is known by its instructions and by what these look up: global names and their
attributes, where the global is a module of one's own, and imports. Constants,
docstrings and lines that no instruction reads do not count.
"""

from __future__ import annotations

import dis
import functools
import importlib
import importlib.metadata
import importlib.util
import os
import sys
import sysconfig
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["MISSING", "instructions_of", "is_packaged", "names_used", "package_of"]

MISSING = "a name that leads nowhere"
_PYTHON = f"python {sys.version_info.major}.{sys.version_info.minor}"
_STDLIB = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
_INSTALLED = {"site-packages", "dist-packages"}
_WRITTEN_IN_C = (
    types.WrapperDescriptorType,
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
)
_LOADS_GLOBAL = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}
_LOADS_VARIABLE = {
    *_LOADS_GLOBAL,
    *("LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF"),
}
_LOADS_ATTRIBUTE = {"LOAD_ATTR", "LOAD_METHOD"}
# Class bodies store these; they say where code stands, or what it says to people.
_NOTES = {"__doc__", "__firstlineno__", "__static_attributes__"}


# -- packages --------------------------------------------------------------------------


def package_of(module: str | None) -> str | None:
    """Return name and version of an installed package, None for code of one's own.

    Parameters
    ----------
    module : str or None
        The full name of a module.

    Returns
    -------
    str or None
        What has no version counts as one's own, and so does what is installed in
        place ("editable"), since it changes without another version.

    Examples
    --------
    >>> package_of("__main__") is None
    True
    """
    name = module if isinstance(module, str) else ""  # in C, it may be a descriptor
    top = name.partition(".")[0]
    if top == "__main__":
        return None
    return _package_at(top, _file_of(name) or _file_of(top) or "")


@functools.cache
def _package_at(top: str, file: str) -> str | None:
    if top == "skhpo" or _is_installed_at(top, file):
        version = _version(top)
        return version and f"{top} {version}"
    if top in sys.stdlib_module_names and (not file or _is_of_python(file)):
        return _PYTHON
    return None


def _is_installed_at(top: str, file: str) -> bool:
    """Whether pip has put a file of a package where it is.

    Outside of Python's folders (``pip install --target``), the package and a record of
    its files lie side by side; what is installed in place has no such record there.
    """
    path = Path(file)
    if not _INSTALLED.isdisjoint(path.parts):
        return True
    above = (folder.parent for folder in path.parents if folder.name == top)
    return any(path in _recorded(folder) for folder in (path.parent, *above))


@functools.cache
def _recorded(folder: Path) -> frozenset[Path]:
    """Return the files that the records in a folder list."""
    found = importlib.metadata.distributions(path=[str(folder)])
    # Without a record, the list is of the sources: setuptools leaves it beside them.
    installed = (one for one in found if one.read_text("RECORD"))
    return frozenset(folder / file for one in installed for file in one.files or ())


def _file_of(module: str) -> str | None:
    found = sys.modules.get(module)
    file = getattr(found, "__file__", None)
    if file is None:  # a namespace, or built in
        file = next(iter(getattr(found, "__path__", ())), None)
    return file


def _is_of_python(file: str) -> bool:
    folder = os.path.dirname(file)
    return any(folder.startswith(place) for place in _STDLIB) or ".zip" in folder


@functools.cache
def _version(package: str) -> str | None:
    version = getattr(sys.modules.get(package), "__version__", None)
    return version if isinstance(version, str) else _version_on_disk(package)


@functools.cache
def _version_on_disk(package: str) -> str | None:
    """Return the version in the metadata, whatever the distribution is called."""
    names = importlib.metadata.packages_distributions().get(package, ())
    versions = {f"{name} {importlib.metadata.version(name)}" for name in names}
    return ", ".join(sorted(versions)) or None


def is_packaged(thing: Any) -> bool:
    """Whether its name, and the version of a package, say all about a thing.

    Parameters
    ----------
    thing : class or function
        What a package makes of code of one's own, such as a decorated function, may
        bear the package's name, and is not meant.
    """
    if package_of(thing.__module__) is None:
        return False
    if isinstance(thing, type):
        return _is_public(thing) or _is_compiled(thing)
    written = thing.__qualname__
    if isinstance(thing, types.FunctionType):
        written = thing.__code__.co_qualname
        if package_of(thing.__globals__.get("__name__")) is None:
            return False
    return "<locals>" not in written or _is_public(thing)


def _is_compiled(cls: type) -> bool:
    """Whether a class is written in C, with methods that no class statement makes.

    A class that a call makes, as in ``type("C", (Base,), members)``, may bear the name
    of the module that calls, and is then found nowhere. In C it has a module by right.
    """
    return any(
        (isinstance(value, _WRITTEN_IN_C) and value.__objclass__ is cls)
        or (isinstance(value, types.BuiltinFunctionType) and value.__self__ is cls)
        for value in vars(cls).values()
    )


def _is_public(thing: Any) -> bool:
    found: Any = sys.modules.get(thing.__module__)
    for part in thing.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is thing


# -- instructions ----------------------------------------------------------------------


def instructions_of(code: types.CodeType) -> list[tuple[str, Any]]:
    """Return what code does: the names of its instructions, with what they act on.

    Examples
    --------
    >>> def plain(x): return x + 1
    >>> def documented(x):
    ...     "Add one."
    ...     return x + 1
    >>> instructions_of(plain.__code__) == instructions_of(documented.__code__)
    True
    """
    steps = _steps(code)
    kept = [(step.opname, step.argval) for step in steps]
    for i in range(len(steps) - 1):
        if steps[i + 1].opname == "STORE_NAME" and steps[i + 1].argval in _NOTES:
            kept[i] = (steps[i].opname, None)
    return kept


def _steps(code: types.CodeType) -> list[dis.Instruction]:
    return [s for s in dis.get_instructions(code) if s.opname != "EXTENDED_ARG"]


def names_used(function: types.FunctionType) -> dict[str, Any]:
    """Return what a function looks up outside of itself, by how it is written.

    Parameters
    ----------
    function : function
        With the functions, comprehensions and classes inside of it.

    Returns
    -------
    dict of str to object
        Such as ``{"FACTOR": 3, "helpers.error": <function error>}``; `MISSING` for
        what cannot be found. Built-in names are left out.
    """
    used: dict[str, Any] = {}
    codes = [_steps(code) for code in _with_inner(function.__code__)]
    for steps in codes:
        used.update(_looked_up(steps, codes, function.__globals__))
    return used


def _with_inner(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _with_inner(constant)


def _looked_up(
    steps: list[dis.Instruction],
    codes: list[list[dis.Instruction]],
    names: Mapping[str, Any],
) -> Iterator[tuple[str, Any]]:
    for i, step in enumerate(steps):
        if step.opname in _LOADS_GLOBAL and step.argval in names:
            yield _followed(step.argval, names[step.argval], steps, i + 1)
        elif step.opname == "IMPORT_NAME":
            level, wanted = steps[i - 2].argval, steps[i - 1].argval
            path = "." * level + step.argval
            for name, value in _imported(path, wanted, names.get("__package__")):
                if isinstance(value, types.ModuleType) and not wanted:
                    yield from _used_of(name, value, steps[i + 1 :], codes)
                else:
                    yield name, value


def _followed(
    name: str, value: object, steps: list[dis.Instruction], i: int
) -> tuple[str, Any]:
    """Return what ``module.name.name`` leads to, if the module is one's own."""
    while (
        isinstance(value, types.ModuleType)
        and package_of(value.__name__) is None
        and i < len(steps)
        and steps[i].opname in _LOADS_ATTRIBUTE
    ):
        name = f"{name}.{steps[i].argval}"
        value = getattr(value, steps[i].argval, MISSING)
        i += 1
    return name, value


def _used_of(
    name: str,
    module: types.ModuleType,
    behind: list[dis.Instruction],
    codes: list[list[dis.Instruction]],
) -> Iterator[tuple[str, Any]]:
    """Return what is used of the module that an import without ``from`` gives.

    ``import a.b`` gives ``a``, and ``import a.b as c`` gives ``a.b``. A module that is
    handed on as a whole, or not used, counts as a whole.
    """
    stores = next(i for i, s in enumerate(behind) if s.opname.startswith("STORE_"))
    if all(step.opname != "IMPORT_FROM" for step in behind[:stores]):
        module = sys.modules[module.__name__.partition(".")[0]]
    uses = list(_uses(_variables(behind[stores])[0], codes))
    for steps, i in uses:
        yield _followed(f"{name} as {module.__name__}", module, steps, i)
    if not uses:
        yield name, module


def _uses(
    variable: str, codes: list[list[dis.Instruction]]
) -> Iterator[tuple[list[dis.Instruction], int]]:
    """Return where code goes on after each instruction that loads a variable."""
    for steps in codes:
        for i, step in enumerate(steps):
            if "LOAD_FAST" in step.opname or step.opname in _LOADS_VARIABLE:
                *others, last = _variables(step)
                if variable in others and not step.opname.startswith("STORE_"):
                    yield steps, len(steps)  # no attribute of it can come next
                if variable == last:
                    yield steps, i + 1


def _variables(step: dis.Instruction) -> tuple[str, ...]:
    """Return the variables of an instruction, which may be two in newer Pythons."""
    return step.argval if isinstance(step.argval, tuple) else (step.argval,)


def _imported(
    path: str, wanted: tuple[str, ...] | None, package: str | None
) -> Iterator[tuple[str, Any]]:
    """Return what an import inside of a function gives it."""
    label = f"import {path}"
    try:
        full = importlib.util.resolve_name(path, package)
        top = full.partition(".")[0]
        if top not in sys.modules and _is_installed(top):
            yield label, _version_on_disk(top)
            return
        module: Any = importlib.import_module(full)
    except Exception:  # as for the function, which may have another way then
        yield label, MISSING
        return
    if package_of(full) is not None or not wanted:
        yield label, module
        return
    for name in wanted:
        yield f"{label}.{name}", getattr(module, name, MISSING)


def _is_installed(package: str) -> bool:
    """Whether a package that is not imported yet is an installed one."""
    spec = importlib.util.find_spec(package)
    file = (spec and spec.origin) or ""
    return file == "built-in" or _is_installed_at(package, file)
