"""How many there are of something, as people say it: for messages and reports."""

from __future__ import annotations

__all__ = ["all_of", "counted", "none_of"]


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
