"""Docstrings that leave to another one what they would say in the same words.

Signatures stay written out in full, as scikit-learn and its users want them. Of the
numpydoc sections "Parameters", "Attributes" and "Returns", a class or function writes
what is its own; the rest is filled in when it is defined, so that `help`, notebooks and
Sphinx show all of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from inspect import cleandoc, signature
from typing import TypeVar

__all__ = ["inherit_docs"]

Documented = TypeVar("Documented", bound=Callable[..., object])

HEADER = r"^\S[^\n]*\n---"
ENTRY = re.compile(r"^\S.*?(?=^\S|\Z)", re.M | re.S)


def inherit_docs(source: object) -> Callable[[Documented], Documented]:
    """Return a decorator that fills a docstring with entries of the one of `source`.

    An entry that both have is that of the decorated one. Parameters come in the order
    of its signature, and only those in it; attributes of `source` come last. What is
    returned is said by one of them.

    Parameters
    ----------
    source : class or function
        Whose docstring has what is shared.

    Returns
    -------
    callable
        The decorator; without docstrings (``python -OO``) it does nothing.
    """

    def fill(target: Documented) -> Documented:
        if target.__doc__ and source.__doc__:
            names = list(signature(target).parameters)
            target.__doc__ = _filled(target.__doc__, source.__doc__, names)
        return target

    return fill


def _filled(own: str, shared: str, names: list[str]) -> str:
    """Return a docstring with the entries of the shared one, for parameters `names`."""
    own, sections = _take_out(cleandoc(own))
    _, more = _take_out(cleandoc(shared))
    known = more["Parameters"] | sections["Parameters"]
    attributes = sections["Attributes"]
    sections["Parameters"] = {name: known[name] for name in names if name in known}
    sections["Attributes"] = attributes | more["Attributes"] | attributes
    sections["Returns"] = sections["Returns"] or more["Returns"]
    written = [
        "\n".join([title, "-" * len(title), *entries.values()])
        for title, entries in sections.items()
        if entries
    ]
    before, *after = re.split(rf"(?={HEADER})", own, maxsplit=1, flags=re.M)
    return "\n\n".join(part.strip() for part in (before, *written, *after)) + "\n"


def _take_out(text: str) -> tuple[str, dict[str, dict[str, str]]]:
    """Return a docstring without some sections, and the entries of these by name."""
    sections = {}
    for title in ("Parameters", "Attributes", "Returns"):
        pattern = rf"^{title}\n-+\n(.*?)(?={HEADER}|\Z)"
        section = re.search(pattern, text, re.M | re.S)
        entries = ENTRY.findall(section[1]) if section else []
        sections[title] = {e.split(" : ")[0]: e.rstrip() for e in entries}
        text = text.replace(section[0], "") if section else text
    return text, sections
