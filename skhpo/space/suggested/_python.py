"""Python that makes a space: what a user copies into a script, and edits there."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.stats

from skhpo._keys import (
    CLONED_ATTRIBUTES,
    has_own_clone,
    is_estimator,
    structural_key,
)
from skhpo.exceptions import InvalidSpaceError
from skhpo.space._categorical import Categorical, Choice
from skhpo.space._convert import Distribution, as_dimension, describe
from skhpo.space._curve import Curve
from skhpo.space._ranges import Integer, Real

__all__ = ["Writer", "one_line"]

INDENT = "    "


class Writer:
    """Writes values as expressions, and remembers what these import.

    Attributes
    ----------
    imports : dict of str to set of str
        Names by module.

    Examples
    --------
    >>> writer = Writer()
    >>> writer.value((1, None)), writer.dimension("C", Real(0.1, 10, log=True))
    ('(1, None)', 'Real(0.1, 10, log=True)')
    >>> writer.imports
    {'skhpo.space': {'Real'}}
    """

    def __init__(self) -> None:
        self.imports: dict[str, set[str]] = {}

    def _import(self, module: str, name: str) -> str:
        for other, names in self.imports.items():
            if other != module and name in names:
                raise InvalidSpaceError(
                    f"There is no Python here that makes both {module}.{name} and "
                    f"{other}.{name}: imports would give them the same name."
                )
        self.imports.setdefault(module, set()).add(name)
        return name

    def import_lines(self) -> list[str]:
        """Return the statements that bring all names."""
        return [
            f"from {module} import {', '.join(sorted(names))}"
            for module, names in sorted(self.imports.items())
        ]

    def value(self, value: Any) -> str:
        """Return the expression of one value.

        Raises
        ------
        InvalidSpaceError
            If there is none.
        """
        if isinstance(value, np.generic) and not isinstance(value.item(), np.generic):
            value = value.item()
        kind = type(value)  # what is derived from these may be written otherwise
        if value is None or kind in (bool, int, str, bytes):
            return repr(value)
        if kind is float:
            return repr(value) if value - value == 0 else f'float("{value}")'
        if kind in (tuple, list):
            inside = ", ".join(map(self.value, value))
            if kind is list:
                return f"[{inside}]"
            return f"({inside},)" if len(value) == 1 else f"({inside})"
        if kind is dict:
            pairs = (f"{self.value(k)}: {self.value(v)}" for k, v in value.items())
            return f"{{{', '.join(pairs)}}}"
        if is_estimator(value):
            return self._estimator(value)
        if kind is Curve:  # of a candidate, too, it is all the numbers
            self._import("skhpo.space", "Curve")
            return repr(value)
        return self._named(value)

    def _named(self, thing: Any) -> str:
        """Return the name of a class or function, which is to be imported."""
        module = _public(thing)
        if module is None:
            raise InvalidSpaceError(
                f"There is no Python that makes the value {thing!r}: no module has it "
                "under its name."
            )
        return self._import(module, _name_of(thing))

    def _estimator(self, estimator: Any) -> str:
        if lost := _lost(estimator):
            raise InvalidSpaceError(
                f"There is no Python here that makes {estimator!r} again: {lost}."
            )
        cls = type(estimator)
        name = self._named(cls)
        before = _class_params(cls)
        given = [
            f"{key}={self.value(value)}"
            for key, value in estimator.get_params(deep=False).items()
            if key not in before or structural_key(before[key]) != structural_key(value)
        ]
        output = getattr(estimator, "_sklearn_output_config", None) or {}
        options = [f"{key}={self.value(value)}" for key, value in output.items()]
        after = f".set_output({', '.join(options)})" if options else ""
        return f"{name}({', '.join(given)}){after}"

    def dimension(self, name: str, given: Any, depth: int = 1) -> str:
        """Return the expression of the values of one parameter."""
        dimension = as_dimension(name, given)
        kind = type(dimension).__name__
        if isinstance(dimension, Choice):
            return self._choice(dimension, depth)
        if isinstance(dimension, Distribution):
            return self._frozen(dimension.frozen)
        if isinstance(dimension, Curve):
            return self.value(dimension)
        self._import("skhpo.space", kind)
        if isinstance(dimension, Real | Integer):
            ends = f"{self.value(dimension.low)}, {self.value(dimension.high)}"
            return f"{kind}({ends}{', log=True' if dimension.log else ''})"
        if isinstance(dimension, Categorical):
            return self._categorical(dimension)
        raise InvalidSpaceError(f"There is no Python that makes {given!r}.")

    def _categorical(self, dimension: Categorical) -> str:
        values = self.value(list(dimension.values))
        more = f", ordered={dimension.ordered}"
        if dimension.weights is not None:
            more += f", weights={self.value(list(dimension.weights))}"
        return f"Categorical({values}{more})"

    def _frozen(self, frozen: Any) -> str:
        dist = getattr(frozen, "dist", None)
        name = getattr(dist, "name", None)
        known = getattr(scipy.stats, name, None) if isinstance(name, str) else None
        if known is None or type(known) is not type(dist):
            raise InvalidSpaceError(
                f"There is no Python that makes {describe(frozen)}: it is none of the "
                "distributions of scipy.stats."
            )
        name = self._import("scipy.stats", str(name))
        args = [self.value(value) for value in frozen.args]
        args += [f"{key}={self.value(value)}" for key, value in frozen.kwds.items()]
        return f"{name}({', '.join(args)})"

    def _choice(self, choice: Choice, depth: int) -> str:
        self._import("skhpo.space", "Choice")
        outer, inner = INDENT * (depth + 1), INDENT * depth
        lines = [
            f"{outer}({self.value(value)}, {self._branch(space, depth + 1)}),"
            for value, space in choice.branches
        ]
        return "\n".join(["Choice([", *lines, f"{inner}])"])

    def _branch(self, space: Any, depth: int) -> str:
        if space is None:
            return "None"
        if isinstance(space, tuple):
            return f"({self._branch(space[0], depth)}, {self.value(space[1])})"
        return self.mapping(space, depth)

    def mapping(
        self, space: Mapping[str, Any], depth: int, reasons: Mapping[str, str] = {}
    ) -> str:
        """Return the dict of a space, with the reasons as comments."""
        outer, inner = INDENT * (depth + 1), INDENT * depth
        lines = []
        for name, given in space.items():
            if name in reasons:
                lines.append(f"{outer}# {one_line(reasons[name])}")
            lines.append(f"{outer}{name!r}: {self.dimension(name, given, depth + 1)},")
        return "\n".join(["{", *lines, f"{inner}}}"])


def one_line(text: str) -> str:
    """Return a text without breaks, and without what no source may hold.

    Examples
    --------
    >>> one_line("of the data\\n  and the model")
    'of the data and the model'
    """
    shown = (char if char.isprintable() else " " for char in text)
    return " ".join("".join(shown).split())


def _public(thing: Any) -> str | None:
    """Return the shortest module that has a class or a function by its name.

    None if there is no such module: what is inside of a class or of a function cannot
    be imported.
    """
    module_name, name = getattr(thing, "__module__", None), _name_of(thing)
    if module_name is None and isinstance(thing, np.ufunc):  # before NumPy 2.2
        module_name = "numpy"
    if not isinstance(module_name, str) or not isinstance(name, str):
        return None
    parts = module_name.split(".")
    for n in range(1, len(parts) + 1):
        module = ".".join(parts[:n])
        if getattr(sys.modules.get(module), name, None) is thing:
            return module
    return None


def _name_of(thing: Any) -> Any:
    name = thing.__name__ if isinstance(thing, np.ufunc) else None
    return getattr(thing, "__qualname__", name)


def _lost(estimator: Any) -> str:
    """Return what an estimator has beside its parameters and its kind of output."""
    if has_own_clone(estimator):
        return "it holds more than its parameters"
    names = [n for n in CLONED_ATTRIBUTES if n != "_sklearn_output_config"]
    if any(getattr(estimator, name, None) for name in names):
        return "beside its parameters, it has metadata requests or callbacks"
    return ""


def _class_params(cls: type) -> dict[str, Any]:
    """Return the parameters of an instance without arguments, {} if there is none."""
    try:
        return dict(cls().get_params(deep=False))
    except Exception:  # of a class of the user's, which may need arguments
        return {}
