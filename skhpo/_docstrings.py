"""Docstrings that leave to another one what they would say in the same words.

Signatures stay written out in full, as scikit-learn and its users want them. Of the
numpydoc sections "Parameters" and "Attributes", a class or function writes what is its
own; the rest is filled in when it is defined, so that `help`, editors and Sphinx show
all of it.
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
    of its signature, and only those in it; attributes of `source` come last.

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
    own, parameters, attributes = _take_out(cleandoc(own))
    _, more_parameters, more_attributes = _take_out(cleandoc(shared))
    parameters = more_parameters | parameters
    sections = {
        "Parameters": [parameters[name] for name in names if name in parameters],
        "Attributes": [*(attributes | more_attributes | attributes).values()],
    }
    written = [
        "\n".join([title, "-" * len(title), *entries])
        for title, entries in sections.items()
        if entries
    ]
    before, *after = re.split(rf"(?={HEADER})", own, maxsplit=1, flags=re.M)
    parts = [before, *written, *after]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _take_out(text: str) -> tuple[str, dict[str, str], dict[str, str]]:
    """Return a docstring without its two sections, and their entries by name."""
    found = []
    for title in ("Parameters", "Attributes"):
        pattern = rf"^{title}\n-+\n(.*?)(?={HEADER}|\Z)"
        section = re.search(pattern, text, re.M | re.S)
        entries = ENTRY.findall(section[1]) if section else []
        found.append({e.split(" : ")[0]: e.rstrip() for e in entries})
        text = text.replace(section[0], "") if section else text
    return text, found[0], found[1]
