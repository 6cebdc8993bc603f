"""Check a space as users write it, before anything is fitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from skhpo.exceptions import InvalidSpaceError
from skhpo.space._categorical import Choice
from skhpo.space._columns import split_weight
from skhpo.space._convert import convert, describe
from skhpo.space._curve import Curve
from skhpo.space._dimensions import Dimension
from skhpo.space._name import check_name
from skhpo.space._plain import is_distribution, is_list
from skhpo.space._space import SearchSpace
from skhpo.space._values import count

__all__ = ["check_space"]


def check_space(space: Any, *, name: str, distributions: bool) -> list[Mapping]:
    """Return the sub-spaces of a space; raise if it cannot be searched.

    The errors are of scikit-learn's types and in its words. What only skhpo takes is
    looked at no further: to compile it finds its mistakes.

    Parameters
    ----------
    space : dict, list of dict, or SearchSpace
        The user's space; items of a list may have a weight.
    name : str
        What the search calls it, for the messages.
    distributions : bool
        Whether to speak of objects with ``rvs`` as well as of lists of values.

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
    if isinstance(space, SearchSpace):
        return list(space.subspaces())
    subspaces = [space] if isinstance(space, Mapping) else space
    if not isinstance(subspaces, list | tuple):
        raise TypeError(f"{name} must be a dict or a list of dicts. Got {space!r}.")
    if not subspaces:
        raise InvalidSpaceError(
            f"{name} must hold at least one dict. Got {space!r}: there is no candidate."
            " To evaluate the estimator as it is, pass {}."
        )
    subspaces = [split_weight(item)[0] for item in subspaces]
    for subspace in subspaces:
        if not isinstance(subspace, Mapping):
            raise TypeError(
                f"Parameter grid is not a dict ({subspace!r}): {name} must be a dict or"
                " a list of dicts."
            )
        for key, values in subspace.items():
            check_name(key)
            _check_made(key, values)
            if is_list(values):
                _check_list(key, values)
            elif is_distribution(values):
                _check_distribution(key, values)
            elif convert(key, values) is None:
                raise TypeError(_no_values(key, values, distributions))
    return subspaces


def _check_made(key: str, values: Any) -> None:
    """Raise for a class, or a family of scipy, where what it makes is wanted.

    A family without parameters of its own, such as ``uniform``, can be drawn from.
    """
    if isinstance(values, type) and issubclass(values, Dimension | Choice | Curve):
        made = f"{values.__name__}(...)"
        raise InvalidSpaceError(
            f"Did you mean {made}? Parameter {key!r} has the class itself."
        )
    if getattr(values, "numargs", 0) and not hasattr(values, "args"):
        convert(key, values)  # says how it is written


def _no_values(key: str, values: object, distributions: bool) -> str:
    """Return what to say of values that are none."""
    wanted = "a list or a numpy array"
    wanted += " or a distribution (an object with rvs)" if distributions else ""
    meant = ""
    if isinstance(values, set | frozenset):  # its order is not that of each process
        meant = f"Did you mean a list, {sorted(values, key=repr)!r}? "
    return (
        f"{meant}Parameter grid for parameter {key!r} needs to be {wanted}, but got "
        f"{values!r} (of type {type(values).__name__}) instead. Single values need to "
        "be wrapped in a list with one element."
    )


def _check_list(key: str, values: object) -> None:
    if isinstance(values, np.ndarray) and values.ndim != 1:
        raise InvalidSpaceError(
            f"Parameter array for {key!r} should be one-dimensional, got: {values!r} "
            f"with shape {values.shape}"
        )
    if count(values) == 0:
        raise InvalidSpaceError(
            f"Parameter grid for parameter {key!r} need to be a non-empty sequence, "
            f"got: {values!r}"
        )


def _check_distribution(key: str, distribution: Any) -> None:
    """Raise for a frozen scipy distribution whose arguments are out of its domain.

    scipy notices at the first draw only, and names neither argument nor remedy.
    """
    frozen = getattr(distribution, "dist", None)
    if frozen is None or not hasattr(distribution, "support"):
        return
    try:
        support = np.asarray(distribution.support(), dtype=float)
    except (TypeError, OverflowError) as error:
        raise InvalidSpaceError(
            f"Parameter {key!r}: scipy.stats.{frozen.name} has no support for these "
            f"arguments ({type(error).__name__}: {error}). Use Real or Integer."
        ) from None
    if not np.isnan(support).any():
        return
    remedy = ""
    if frozen.name in ("loguniform", "reciprocal"):
        remedy = (
            " It needs 0 < low < high, since no logarithm of 0 exists: "
            "for instance loguniform(1e-3, 1)."
        )
    raise InvalidSpaceError(
        f"The distribution for parameter {key!r}, scipy.stats.{describe(distribution)}"
        f", has no values: its arguments are outside of their domain.{remedy}"
    )
