"""Any text as one line of printable characters, for pictures and HTML."""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str) -> str:
    r"""Return the text with what has no glyph written as Python writes it in strings.

    Pictures cannot have control characters or lone surrogates, and a line has no line
    breaks.

    Examples
    --------
    >>> print(printable("a\tb\n"), printable("$x_1^2$ 100 %"))
    a\tb\n $x_1^2$ 100 %
    """
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in text
    )
