"""How many there are of something, and what is meant: for messages and reports."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["all_of", "counted", "did_you_mean", "nearest", "none_of"]


def counted(n: int, noun: str) -> str:
    """Return a number with its noun.

    Parameters
    ----------
    n : int
        How many.
    noun : str
        For one of them; with an "s", for more.

    Examples
    --------
    >>> counted(1, "candidate"), counted(0, "split"), counted(1200, "fit")
    ('1 candidate', '0 splits', '1,200 fits')
    """
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def all_of(n: int, noun: str) -> str:
    """Return what is said of all of them.

    Examples
    --------
    >>> all_of(1, "split"), all_of(5, "split")
    ('the only split', 'all 5 splits')
    """
    return f"the only {noun}" if n == 1 else f"all {counted(n, noun)}"


def none_of(n: int, noun: str) -> str:
    """Return the beginning of a sentence that says what none of them is or has.

    Examples
    --------
    >>> none_of(1, "candidate"), none_of(5, "candidate")
    ('Not even the only candidate', 'None of the 5 candidates')
    """
    return f"Not even the only {noun}" if n == 1 else f"None of the {counted(n, noun)}"


def nearest(value: object, known: Iterable[object], cutoff: float = 0.6) -> list[str]:
    """Return the string that is meant by another one: one at most.

    Examples
    --------
    >>> nearest("AUTOO", ["auto", "none", 3]), nearest("x", ["auto"]), nearest(3, [3])
    (['auto'], [], [])
    """
    lower = {one.lower(): one for one in known if isinstance(one, str)}
    given = value.lower() if isinstance(value, str) else ""
    close = difflib.get_close_matches(given, sorted(lower), 1, cutoff)
    return [lower[one] for one in close]


def did_you_mean(
    value: object, known: Iterable[object], option: str = "", cutoff: float = 0.6
) -> str:
    """Return a question that begins a message, "" if nothing is known.

    Examples
    --------
    >>> did_you_mean("linearr", ["linear", "cosine"])
    "Did you mean 'linear'? "
    >>> did_you_mean("Linear", ["linear", "cosine"], "form=")
    "Did you mean form='linear'? "
    >>> did_you_mean("x", ["linear", "cosine"])
    ''
    """
    near = nearest(value, known, cutoff)
    return "".join(f"Did you mean {option}{one!r}? " for one in near)
