"""Check a space as users write it, before anything is fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from skhpo.exceptions import InvalidSpaceError
from skhpo.space._categorical import Categorical, Choice
from skhpo.space._convert import PRIORS, is_tuple_range
from skhpo.space._dimensions import Dimension

__all__ = ["check_space", "is_distribution"]


def check_space(space: Any, *, name: str, distributions: bool) -> list[Mapping]:
    """Return the sub-spaces of a space; raise if it cannot be searched.

    Parameters
    ----------
    space : dict or list of dict
        The user's space.
    name : str
        What the search calls it, for the messages.
    distributions : bool
        Whether objects with ``rvs`` are allowed as well as lists of values.

    Returns
    -------
    list of mapping
        The dicts of the space.

    Raises
    ------
    TypeError
        If the space or an entry of it is of the wrong kind.
    InvalidSpaceError
        If nothing can be drawn from it.

    Examples
    --------
    >>> check_space({"C": [1, 10]}, name="param_grid", distributions=False)
    [{'C': [1, 10]}]
    >>> check_space({"C": 1}, name="param_grid", distributions=False)
    Traceback (most recent call last):
    TypeError: Parameter grid for parameter 'C' needs to be a list or a numpy array, \
but got 1 (of type int) instead. Single values need to be wrapped in a list with one \
element.
    """
    subspaces = [space] if isinstance(space, Mapping) else space
    if not isinstance(subspaces, list | tuple):
        raise TypeError(f"{name} must be a dict or a list of dicts. Got {space!r}.")
    if not subspaces:
        raise InvalidSpaceError(
            f"{name} must hold at least one dict. Got {space!r}: there is no candidate."
            " To evaluate the estimator as it is, pass {}."
        )
    for subspace in subspaces:
        if not isinstance(subspace, Mapping):
            raise TypeError(
                f"Parameter grid is not a dict ({subspace!r}): {name} must be a dict or"
                " a list of dicts."
            )
        for key, values in subspace.items():
            if distributions and is_distribution(values):
                _check_distribution(key, values)
            else:
                _check_values(key, values, distributions)
    return list(subspaces)


def is_distribution(values: Any) -> bool:
    """Whether values are drawn from `values` by ``rvs``, rather than listed in it."""
    return hasattr(values, "rvs")


def _check_values(key: str, values: Any, distributions: bool) -> None:
    is_text = isinstance(values, str | bytes)
    has_prior = is_tuple_range(values) and values[2:] and values[2] in PRIORS
    if is_text or has_prior or not isinstance(values, np.ndarray | Sequence):
        wanted = "a list or a numpy array"
        wanted += " or a distribution (an object with rvs)" if distributions else ""
        raise TypeError(
            f"Parameter grid for parameter {key!r} needs to be {wanted}, but got "
            f"{values!r} (of type {type(values).__name__}) instead. "
            f"{_remedy(values)}"
        )
    if isinstance(values, np.ndarray) and values.ndim != 1:
        raise InvalidSpaceError(
            f"Parameter array for {key!r} should be one-dimensional, got: {values!r} "
            f"with shape {values.shape}"
        )
    if len(values) == 0:
        raise InvalidSpaceError(
            f"Parameter grid for parameter {key!r} need to be a non-empty sequence, "
            f"got: {values!r}"
        )


def _remedy(values: Any) -> str:
    """Return what to do with what is neither a list nor a distribution."""
    if isinstance(values, Categorical):
        return "Write its values as a list, or take BayesSearch or RandomSearch."
    if isinstance(values, Choice):
        return "BayesSearch takes it; here, write a list of dicts, one per value."
    if isinstance(values, Dimension):
        return "BayesSearch and RandomSearch take it; here, list the values to try."
    if isinstance(values, tuple):
        return "BayesSearch takes it as a range; so do Real and Integer."
    return "Single values need to be wrapped in a list with one element."


def _check_distribution(key: str, distribution: Any) -> None:
    """Raise for a frozen scipy distribution whose arguments are out of its domain.

    scipy notices at the first draw only, and names neither argument nor remedy.
    """
    frozen = getattr(distribution, "dist", None)
    if frozen is None or not hasattr(distribution, "support"):
        return
    if not np.isnan(np.asarray(distribution.support(), dtype=float)).any():
        return
    arguments = [repr(value) for value in getattr(distribution, "args", ())]
    keywords = getattr(distribution, "kwds", {})
    arguments += [f"{name}={value!r}" for name, value in keywords.items()]
    remedy = ""
    if frozen.name in ("loguniform", "reciprocal"):
        remedy = (
            " It needs 0 < low < high, since no logarithm of 0 exists: "
            "for instance loguniform(1e-3, 1)."
        )
    raise InvalidSpaceError(
        f"The distribution for parameter {key!r}, scipy.stats.{frozen.name}("
        f"{', '.join(arguments)}), has no values: its arguments are outside of their "
        f"domain.{remedy}"
    )
