"""What several classes have is written once, and shown with each of them."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from skhpo import BayesSearch, GridSearch, PBTSearch, RandomSearch, _docstrings
from skhpo._docstrings import inherit_docs
from skhpo.search._base import BaseSearch

SEARCHES = [GridSearch, RandomSearch, BayesSearch, PBTSearch]


class Shared:
    """All of them.

    Parameters
    ----------
    a : int
        The first.
    b : int, default=0
        The second:

        in two paragraphs.

    Attributes
    ----------
    x_ : int
        What is found.
    """


@inherit_docs(Shared)
class Own:
    """One of them.

    Parameters
    ----------
    c : int
        The third.
    a : str
        The first, but a word.

    Attributes
    ----------
    y_ : int
        More that is found.

    See Also
    --------
    Shared : The others.
    """

    def __init__(self, a: str, b: int = 0, *, c: int = 1) -> None:
        self.a, self.b, self.c = a, b, c


FILLED = """One of them.

Parameters
----------
a : str
    The first, but a word.
b : int, default=0
    The second:

    in two paragraphs.
c : int
    The third.

Attributes
----------
y_ : int
    More that is found.
x_ : int
    What is found.

See Also
--------
Shared : The others."""


def test_what_is_shared_is_filled_in() -> None:
    """By the signature; what both say is one's own, and all else stays."""
    assert inspect.getdoc(Own) == FILLED


@pytest.mark.parametrize("rest", ["", "\n\nReturns\n-------\nint\n    A number."])
def test_a_section_is_made_where_there_is_none(rest: str) -> None:
    """Before all others; parameters that are not in the signature are left out."""

    def draw(b: int) -> None: ...

    draw.__doc__ = f"Draw.{rest}"
    inherit_docs(Shared)(draw)
    before, _, after = (draw.__doc__ or "").partition("Parameters\n----------\nb : int")
    assert before == "Draw.\n\n"
    assert after.endswith(f"{rest}\n")
    assert "a : int" not in after


def test_a_class_is_itself() -> None:
    assert pickle.loads(pickle.dumps(Own)) is Own


@pytest.mark.parametrize("search", SEARCHES)
def test_every_search_describes_what_all_have(search: Any) -> None:
    own, shared = inspect.getdoc(search) or "", inspect.getdoc(BaseSearch) or ""
    names = inspect.signature(BaseSearch).parameters
    assert all(f"\n{name} : " in own for name in names)
    assert all(f"\n{name} : " in shared for name in names)


def test_without_docstrings_nothing_is_filled() -> None:
    """The module by itself: all others would have to be compiled without theirs."""
    decorated = """
class Base:
    'Has a docstring.'

@inherit_docs(Base)
class Search:
    'Has one, too.'

print(Search.__doc__)
"""
    code = Path(_docstrings.__file__).read_text(encoding="utf-8") + decorated
    run = [sys.executable, "-OO", "-c", code]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout == "None\n"


@pytest.mark.parametrize("search", SEARCHES)
def test_what_all_have_has_one_default(search: Any) -> None:
    """The constructors are written out, and say the same."""
    own = inspect.signature(search).parameters
    for name, parameter in inspect.signature(BaseSearch).parameters.items():
        assert repr(own[name].default) == repr(parameter.default)
        assert own[name].annotation == parameter.annotation
