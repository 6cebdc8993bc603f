"""Any text as one line of printable characters, for pictures and HTML."""

from __future__ import annotations

from html import escape
from typing import Any

__all__ = ["literal", "printable", "scoring_name"]


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


def literal(text: str) -> str:
    """Return any text as HTML that shows it, on one line."""
    return escape(printable(text))


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
