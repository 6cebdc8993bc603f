"""Any text as printable characters: one line, a paragraph, or HTML."""

from __future__ import annotations

import math
import textwrap
from html import escape
from typing import Any

__all__ = [
    "html_box",
    "in_digits_of",
    "literal",
    "paragraph",
    "printable",
    "scoring_name",
]

WIDTH = 100  # of printed lines


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


def paragraph(text: str, start: str = "  ") -> str:
    """Return any text as lines to be printed, of which the others are indented."""
    return textwrap.fill(
        printable(text),
        WIDTH,
        initial_indent=start,
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def literal(text: str) -> str:
    """Return any text as HTML that shows it, on one line."""
    return escape(printable(text))


def html_box(content: str, style: str = "overflow-wrap:anywhere") -> str:
    """Return HTML in a ``div`` where dollars are no mathematics."""
    return f'<div class="tex2jax_ignore mathjax_ignore" style="{style}">{content}</div>'


def in_digits_of(size: float, value: float) -> str:
    """Return a number with three digits of numbers of a size."""
    if not 1e-4 <= size < 1e6:
        return f"{value:.4g}"
    n_digits = max(0, 2 - math.floor(math.log10(size)))
    return f"{value:z.{n_digits}f}"  # z: no -0.000


def scoring_name(search: Any, metric: str) -> str:
    """Return what the single score of a search is called, where its user named it.

    Parameters
    ----------
    search : estimator
        With ``scoring``.
    metric : str
        As in ``cv_results_``, where a single score has the name "score".

    Returns
    -------
    str
        Such as "roc_auc"; `metric`, if there are several or no name was given.
    """
    scoring = getattr(search, "scoring", None)
    return scoring if metric == "score" and isinstance(scoring, str) else metric
