"""The module in which something public is found, and the one that defines it.

Pickles, files of skops, and messages name a class by its ``__module__``. Of what is
public, this is the module that users import it from, as with NumPy and pandas: so files
and logs do not change when a class moves to another room. A journal goes by where a
thing is defined. (The price, as there: `inspect.getsource` of such a class finds
nothing; that of its methods does.)
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from typing import Any

__all__ = ["defined_in", "publish"]

_DEFINED_IN: dict[Any, str] = {}


def publish(module: str) -> None:
    """Let the classes and functions that a module exports be known as its own.

    A package comes after the modules inside it, so that the shortest name holds.

    Parameters
    ----------
    module : str
        The full name of a module of skhpo with ``__all__``.
    """
    names = vars(sys.modules[module])
    for name in names["__all__"]:
        thing = names[name]
        if isinstance(thing, type | types.FunctionType):
            for part in [*_methods(thing), thing]:
                _DEFINED_IN.setdefault(part, part.__module__)
                part.__module__ = module


def _methods(thing: Any) -> Iterator[types.FunctionType]:
    """Yield what a class defines: `doctest` looks for it where the class says it is."""
    for value in vars(thing).values():
        function = getattr(value, "__func__", getattr(value, "fget", value))
        if (
            isinstance(function, types.FunctionType)
            and function.__module__ == thing.__module__
        ):
            yield function


def defined_in(thing: Any) -> str:
    """Return the full name of the module that defines a class or a function.

    Examples
    --------
    >>> from skhpo.space import Real
    >>> Real.__module__, defined_in(Real)
    ('skhpo.space', 'skhpo.space._ranges')
    """
    module = thing.__module__
    if isinstance(module, str) and module.partition(".")[0] == "skhpo":
        return _DEFINED_IN.get(thing, module)
    return module
