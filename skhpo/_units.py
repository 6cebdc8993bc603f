"""Durations and sizes as people write them: 30, "30s", "10min"; 2e9, "2GB".

Units are what their symbols say: "GB" is a thousand million bytes, "GiB" is 2**30. A
bare number in a string is refused, since nobody can tell what it was meant to be.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from numbers import Real

__all__ = ["parse_bytes", "parse_seconds"]

_SECONDS = {
    "ms": 1e-3,
    "s": 1.0,
    "sec": 1.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86400.0,
}
# As people say them; messages name the units above.
_WORDS = {
    **dict.fromkeys(("secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("hr", "hrs", "hour", "hours"), 3600.0),
    **dict.fromkeys(("day", "days"), 86400.0),
}
_BYTES = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
_QUANTITY = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([A-Za-z]+)\s*")


def parse_seconds(value: float | str, name: str) -> float:
    """Return a duration in seconds.

    Parameters
    ----------
    value : float or str
        Seconds, or a number and its unit: ms, s, sec, min, h or d, or the words for
        these, such as "3 minutes".
    name : str
        What the user calls it, for the messages.

    Returns
    -------
    float
        Above 0 and finite.

    Raises
    ------
    TypeError
        If it is neither a number nor a string.
    ValueError
        If it cannot be read, or is not above 0 and finite.

    Examples
    --------
    >>> parse_seconds("1.5 min", "time_budget"), parse_seconds("3 minutes", "stop")
    (90.0, 180.0)
    """
    return _parse(value, name, _SECONDS, "a number of seconds", '"30s" or "10min"')


def parse_bytes(value: float | str, name: str) -> int:
    """Return a size in bytes.

    Parameters
    ----------
    value : int, float or str
        Bytes, or a number and its unit: B, kB, MB, GB, TB (powers of 1000), KiB, MiB,
        GiB or TiB (powers of 1024). Capitals do not matter.
    name : str
        What the user calls it, for the messages.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    TypeError
        If it is neither a number nor a string.
    ValueError
        If it cannot be read, or is not above 0 and finite.

    Examples
    --------
    >>> parse_bytes("2GB", "memory_limit"), parse_bytes("2 GiB", "memory_limit")
    (2000000000, 2147483648)
    """
    size = _parse(value, name, _BYTES, "a number of bytes", '"500MB" or "2GB"')
    return math.ceil(size)


def _parse(
    value: object, name: str, units: Mapping[str, float], plain: str, examples: str
) -> float:
    """Return the number that `value` stands for; `plain` and `examples` would do."""
    wanted = f"{name} must be {plain} above 0, or a string such as {examples}"
    if isinstance(value, bool) or not isinstance(value, Real | str):
        raise TypeError(f"{wanted}. Got {value!r} of type {type(value).__name__}.")
    known = {**units, **_WORDS} if units is _SECONDS else units
    number = _read(value, known) if isinstance(value, str) else float(value)
    if number is None:
        raise ValueError(f"{wanted}, with one of the units {[*units]}. Got {value!r}.")
    if not 0 < number < math.inf:
        raise ValueError(f"{wanted}. Got {value!r}.")
    return number


def _read(text: str, units: Mapping[str, float]) -> float | None:
    """Return the number in `text` times its unit; None if it is not written so."""
    match = _QUANTITY.fullmatch(text)
    factors = {unit.lower(): factor for unit, factor in units.items()}
    if match is None or match[2].lower() not in factors:
        return None
    return float(match[1]) * factors[match[2].lower()]
