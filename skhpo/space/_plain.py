"""Spaces as scikit-learn's own searches take them, and what they mean there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from skhpo.space._categorical import Choice
from skhpo.space._convert import PRIORS, is_skopt, is_tuple_range
from skhpo.space._curve import Curve

__all__ = ["is_distribution", "is_list", "is_plain", "with_listed_tuples"]


def is_plain(space: Any, *, distributions: bool) -> bool:
    """Whether scikit-learn takes a space, and means what its user means.

    Parameters
    ----------
    space : object
        A space as users write it.
    distributions : bool
        Whether objects with ``rvs`` are taken, or lists only.

    Returns
    -------
    bool
        True for a dict, or a list of such, of lists of values and the like. A curve is
        a list of itself, see `with_listed_curves`.

    Examples
    --------
    >>> from skhpo.space import Choice, Real
    >>> is_plain({"C": Real(0, 1), "kernel": ["rbf", "linear"]}, distributions=True)
    True
    >>> is_plain({"C": Choice({1: None})}, distributions=True)
    False
    """
    subspaces = [space] if isinstance(space, Mapping) else space
    if not isinstance(subspaces, list | tuple):
        return False
    return all(
        isinstance(subspace, Mapping)
        and all(
            is_list(values)
            or isinstance(values, Curve)
            or (distributions and is_distribution(values))
            for values in subspace.values()
        )
        for subspace in subspaces
    )


def is_list(values: Any) -> bool:
    """Whether `values` lists the values of a parameter, to scikit-learn.

    Three numbers are three values, two numbers and a prior a range: nobody means the
    string "log-uniform" as a value beside two numbers.
    """
    is_text = isinstance(values, str | bytes)
    is_range = is_tuple_range(values) and values[2:] and values[2] in PRIORS
    return isinstance(values, np.ndarray | Sequence) and not is_text and not is_range


def is_distribution(values: object) -> bool:
    """Whether values are drawn from `values` by ``rvs``, as scikit-learn does it."""
    return hasattr(values, "rvs") and not is_skopt(values)


def with_listed_tuples(space: Any) -> Any:
    """Return a space in which tuples of two numbers are lists of two values.

    That is what scikit-learn takes them for. They are ranges to scikit-optimize, and
    so to :class:`skhpo.space.SearchSpace`.

    Examples
    --------
    >>> with_listed_tuples({"C": (1, 10), "tol": (1e-5, 1e-3, "log-uniform")})
    {'C': [1, 10], 'tol': (1e-05, 0.001, 'log-uniform')}
    """
    if isinstance(space, Mapping):
        return {name: _listed(values) for name, values in space.items()}
    if isinstance(space, list | tuple):  # of dicts, or a dict with its weight
        return type(space)(map(with_listed_tuples, space))
    return space


def _listed(values: Any) -> Any:
    if isinstance(values, Choice):
        branches = values.branches
        return Choice([(value, with_listed_tuples(space)) for value, space in branches])
    return list(values) if is_tuple_range(values) and len(values) == 2 else values
