"""Python that makes a space: what a user copies into a script, and edits there."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from skhpo._keys import is_estimator, structural_key
from skhpo.exceptions import InvalidSpaceError
from skhpo.space._categorical import Categorical, Choice
from skhpo.space._convert import Distribution, as_dimension
from skhpo.space._curve import Curve
from skhpo.space._dimensions import Integer, Real

__all__ = ["Writer"]

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
        if value is None or isinstance(value, bool | int | str | bytes):
            return repr(value)
        if isinstance(value, float):
            return repr(value) if value - value == 0 else f'float("{value}")'
        if isinstance(value, tuple | list):
            inside = ", ".join(map(self.value, value))
            if isinstance(value, list):
                return f"[{inside}]"
            return f"({inside},)" if len(value) == 1 else f"({inside})"
        if is_estimator(value):
            return self._estimator(value)
        if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
            return self.value(value.item())
        if hasattr(value, "__qualname__") and "<" not in value.__qualname__:
            return self._import(_public(value), value.__qualname__)
        raise InvalidSpaceError(f"There is no Python that makes the value {value!r}.")

    def _estimator(self, estimator: Any) -> str:
        cls = type(estimator)
        name = self._import(_public(cls), cls.__qualname__)
        before = _class_params(cls)
        given = [
            f"{key}={self.value(value)}"
            for key, value in estimator.get_params(deep=False).items()
            if key not in before or structural_key(before[key]) != structural_key(value)
        ]
        return f"{name}({', '.join(given)})"

    def dimension(self, name: str, given: Any, depth: int = 1) -> str:
        """Return the expression of the values of one parameter."""
        dimension = as_dimension(name, given)
        kind = type(dimension).__name__
        if isinstance(dimension, Choice):
            return self._choice(dimension, depth)
        if isinstance(dimension, Distribution):
            return self._frozen(dimension.frozen)
        self._import("skhpo.space", kind)
        if isinstance(dimension, Real | Integer):
            ends = f"{self.value(dimension.low)}, {self.value(dimension.high)}"
            return f"{kind}({ends}{', log=True' if dimension.log else ''})"
        if isinstance(dimension, Curve):
            return repr(dimension)
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
        name = self._import("scipy.stats", frozen.dist.name)
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
                lines.append(f"{outer}# {reasons[name]}")
            lines.append(f"{outer}{name!r}: {self.dimension(name, given, depth + 1)},")
        return "\n".join(["{", *lines, f"{inner}}}"])


def _public(thing: Any) -> str:
    """Return the shortest module that has a class or a function by its name."""
    parts = thing.__module__.split(".")
    for n in range(1, len(parts) + 1):
        module = ".".join(parts[:n])
        found = getattr(sys.modules.get(module), thing.__qualname__, None)
        if found is thing:
            return module
    return str(thing.__module__)


def _class_params(cls: type) -> dict[str, Any]:
    """Return the parameters of an instance without arguments, {} if there is none."""
    try:
        return dict(cls().get_params(deep=False))
    except TypeError:
        return {}
