"""What to write for a dimension that other libraries write otherwise."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, TypeVar

__all__ = ["with_hints"]

Class = TypeVar("Class", bound=type)

LOG = "log=True spreads values by orders of magnitude, and is given by its name."
# Of arguments that scikit-optimize, Optuna, Ray and ConfigSpace have.
ELSEWHERE = {
    "prior": LOG,
    "base": LOG,
    "step": "For steps, write a list: list(range(low, high + 1, step)).",
    "q": "For steps, write a list: list(range(low, high + 1, step)).",
    "name": "The name is the key in the dict of the space.",
    "dtype": "Integer is of integers, Real of floats.",
    "transform": "There is nothing to transform: models of the score see to that.",
    "distribution": LOG,
}


def with_hints(cls: Class) -> Class:
    """Let a class say what is meant by arguments that it does not take."""
    init = cls.__init__  # type: ignore[misc]

    @functools.wraps(init)
    def __init__(self: Any, *args: Any, **options: Any) -> None:
        try:
            init(self, *args, **options)
        except TypeError as error:
            hint = _hint(cls.__name__, args, options)
            if hint is None:
                raise
            raise TypeError(f"{hint} {error}.") from None

    cls.__init__ = __init__  # type: ignore[misc]
    return cls


def _hint(kind: str, args: tuple[Any, ...], options: Mapping[str, Any]) -> str | None:
    for name in options:
        if name in ELSEWHERE:
            return ELSEWHERE[name]
    if kind == "Curve":
        return "Write Curve(high, low=...)." if len(args) > 1 else None
    if len(args) > 2:
        return LOG
    if len(args) == 1 and "high" not in options:
        return f"{kind} needs both bounds; values that are listed need no {kind}."
    return None
