"""Splits of the same kind as those of a search, drawn anew."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from numbers import Integral
from typing import Any

import numpy as np

__all__ = ["CannotReseedError", "check_fresh", "reseeded"]

Splits = Iterable[tuple[Any, Any]]


class CannotReseedError(ValueError):
    """A splitter has one way only to split the data."""


def reseeded(cv: Any, given: Any, seed: int) -> Any:
    """Return a splitter that differs from another one in its seed only.

    Parameters
    ----------
    cv : splitter
        The one that a search uses. It is left as it is.
    given : int, splitter, iterable or None
        What the user gave as `cv`. A number of folds says nothing of their order, so
        that these are shuffled; a splitter that does not shuffle says it.
    seed : int
        The seed.

    Returns
    -------
    splitter
        A copy.

    Raises
    ------
    CannotReseedError
        If it does not draw its splits.

    Examples
    --------
    >>> from sklearn.model_selection import KFold
    >>> reseeded(KFold(3), 3, seed=7)
    KFold(n_splits=3, random_state=7, shuffle=True)
    >>> reseeded(KFold(3), KFold(3), seed=7)
    Traceback (most recent call last):
        ...
    skhpo.search._fresh.CannotReseedError: it does not shuffle
    """
    fresh = copy.copy(cv)
    if given is None or isinstance(given, Integral):
        fresh.shuffle = True
    if not hasattr(fresh, "random_state"):
        raise CannotReseedError("it has no random_state")
    if not getattr(fresh, "shuffle", True):
        raise CannotReseedError("it does not shuffle")
    try:
        fresh.random_state = seed
    except AttributeError:
        raise CannotReseedError("its random_state cannot be set") from None
    return fresh


def check_fresh(splits: Splits, fresh: Sequence[Splits]) -> None:
    """Raise CannotReseedError if no new seed has given other splits than before.

    Parameters
    ----------
    splits : iterable of (train, test)
        Those of the search.
    fresh : sequence of such
        Those of each new seed.
    """
    before = set(_tested(splits))
    if all(set(_tested(one)) == before for one in fresh):
        raise CannotReseedError("it gives the same splits with any random_state")


def _tested(splits: Splits) -> Iterator[bytes]:
    """Yield the test rows of each split, whatever their order."""
    for _, test in splits:
        rows = np.asarray(test)
        rows = np.flatnonzero(rows) if rows.dtype == bool else np.sort(rows)
        yield rows.astype(np.int64).tobytes()
