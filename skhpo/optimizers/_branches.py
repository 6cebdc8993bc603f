"""Spaces with conditions, written out as the plain spaces that they choose between.

A member of a population stays in one of them for good, since what decides (a whole
step of a pipeline, say) cannot change while a model is trained.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from skhpo.exceptions import InvalidSpaceError
from skhpo.space import Choice, Curve
from skhpo.space._columns import split_weight
from skhpo.space._convert import as_dimension
from skhpo.space._skrub import from_skrub

__all__ = ["plain_spaces"]


def plain_spaces(space: Any) -> list[Any]:
    """Return the dicts of a space, without `Choice` and foreign ways of writing.

    Parameters
    ----------
    space : dict or list of dict
        As users write it. What is no dict is returned as it is.

    Returns
    -------
    list of dict
        Lists of values, distributions and dimensions by parameter name.

    Raises
    ------
    InvalidSpaceError
        If a dict or a `Choice` has weights, or an entry is a `Curve`, or nothing to
        search.

    Examples
    --------
    >>> from skhpo.space import Choice
    >>> plain_spaces({"a": [1, 2], "kind": Choice({"x": None, "y": {"b": [3]}})})
    [{'a': [1, 2], 'kind': ['x']}, {'a': [1, 2], 'kind': ['y'], 'b': [3]}]
    """
    subspaces = space if isinstance(space, list | tuple) else [space]
    written_out = []
    for subspace in subspaces:
        if split_weight(subspace)[0] is not subspace:
            raise InvalidSpaceError(
                f"{subspace!r} has a weight, and a population draws all dicts equally. "
                "Leave it out."
            )
        if isinstance(subspace, Mapping):
            written_out += _write_out(subspace)
        else:
            written_out.append(subspace)
    return written_out


def _write_out(subspace: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one dict for each combination of choices."""
    parts = [_alternatives(name, spec) for name, spec in subspace.items()]
    combinations = itertools.product(*parts)
    return [
        {name: spec for part in combination for name, spec in part.items()}
        for combination in combinations
    ]


def _alternatives(name: str, spec: Any) -> list[dict[str, Any]]:
    """Return what one entry may be: itself, or a dict for each branch of a choice."""
    if not isinstance(spec, Choice):
        return [{name: _plain(name, spec)}]
    alternatives = []
    for value, branch in spec.branches:
        if isinstance(branch, tuple):
            raise InvalidSpaceError(
                f"The Choice of {name!r} has weights, and a population draws all "
                "branches equally. Leave them out."
            )
        for inner in [{}] if branch is None else plain_spaces(branch):
            alternatives.append({name: [value], **inner})
    return alternatives


def _plain(name: str, spec: Any) -> Any:
    """Translate what other libraries write; keep lists and what can be sampled."""
    if isinstance(spec, Curve):
        raise InvalidSpaceError(
            f"Parameter {name!r} cannot be a Curve in a population: its members are "
            "trained in steps, and their number of iterations is the resource. Leave "
            "it out, or take GridSearch, RandomSearch or BayesSearch."
        )
    if (dimension := from_skrub(spec)) is not None:
        return dimension
    is_list = isinstance(spec, Sequence | np.ndarray) and not isinstance(spec, tuple)
    if is_list or hasattr(spec, "rvs"):
        return spec
    return as_dimension(name, spec)
