"""A value that a parameter of a search cannot have: what is meant instead."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from numbers import Integral
from typing import Any

from skhpo._sklearn_compat import (
    InvalidParameterError,
    StrOptions,
    validate_parameter_constraints,
)
from skhpo._words import nearest
from skhpo.stopping import NoImprovement

__all__ = ["meant_by"]

_NAME = re.compile(r"The '(\w+)' parameter of ")


def meant_by(
    error: Exception, params: Mapping[str, Any], allowed: Mapping[str, Sequence[Any]]
) -> str:
    """Return a question that begins the message, "" if nothing is known.

    Parameters
    ----------
    error : Exception
        What scikit-learn's check has raised.
    params : mapping of str to object
        The parameters of the search.
    allowed : mapping of str to sequence
        Their constraints, as scikit-learn writes them.

    Returns
    -------
    str
        It names a value that would have passed the check.
    """
    named = _NAME.match(str(error))
    if named is None or named[1] not in params:
        return ""
    name = named[1]
    for guess in _guesses(name, params[name], allowed[name]):
        if _passes(name, guess, allowed[name]):
            return f"Did you mean {name}={guess!r}? "
    return ""


def _guesses(name: str, value: Any, allowed: Sequence[Any]) -> Iterator[Any]:
    """Yield what may be meant by a value."""
    if isinstance(value, Mapping):
        yield [dict(value)]
    if isinstance(value, str | float) and (number := _whole(value)) is not None:
        yield number
    if name == "stop" and isinstance(value, Integral):
        yield NoImprovement(int(value))
    if name == "n_jobs" and value == "all":
        yield -1
    if isinstance(value, str):
        listed = [one for one in allowed if isinstance(one, StrOptions)]
        yield from nearest(value, [option for one in listed for option in one.options])


def _whole(value: str | float) -> int | None:
    """Return the integer that is written as a text or a float."""
    try:
        number = float(value)
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def _passes(name: str, value: Any, allowed: Sequence[Any]) -> bool:
    try:
        validate_parameter_constraints({name: allowed}, {name: value}, caller_name="")
    except InvalidParameterError:
        return False
    return True
