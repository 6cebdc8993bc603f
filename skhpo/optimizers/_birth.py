"""What members are born with: the values that a user gives, inside of the space."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from skhpo._keys import structural_key
from skhpo._trial import Params
from skhpo.exceptions import InvalidSpaceError
from skhpo.space import Categorical
from skhpo.space._convert import convert
from skhpo.space._dimensions import Dimension
from skhpo.space._values import LONG, count, is_numeric

__all__ = ["check_given", "fitting_branches"]

Space = Mapping[str, Any]


def check_given(
    initial_params: Sequence[Any], spaces: Sequence[Space], population_size: int
) -> None:
    """Raise if what members are to be born with is not in the space.

    Parameters
    ----------
    initial_params : sequence of mapping
        For the first members, the values of some parameters.
    spaces : sequence of mapping
        The dicts of which each member gets one.
    population_size : int
        How many members there are.

    Raises
    ------
    InvalidSpaceError
        In the words that `SearchSpace.encode` has for the candidates of other searches.
    """
    if len(initial_params) > population_size:
        raise InvalidSpaceError(
            f"initial_params has {len(initial_params)} entries for a population_size "
            f"of {population_size}."
        )
    for given in initial_params:
        if not isinstance(given, Mapping):
            raise InvalidSpaceError(
                "initial_params must hold dicts of names and values. Got "
                f"{reprlib.repr(given)} instead."
            )
        if not fitting_branches(given, spaces):
            problem = min((_problems(given, s) for s in spaces), key=len)[0]
            names = ", ".join(map(repr, sorted(set().union(*spaces))))
            raise InvalidSpaceError(
                f"initial_params must be in the search space, over {names}: "
                f"{_shown(given)} is not, since {problem}"
            )


def fitting_branches(given: Params, spaces: Sequence[Space]) -> list[int]:
    """Return the numbers of the dicts that have all the given values.

    Examples
    --------
    >>> fitting_branches({"a": 2}, [{"a": [1, 2]}, {"a": [3]}, {"a": [2], "b": [0]}])
    [0, 2]
    """
    return [i for i, space in enumerate(spaces) if not _problems(given, space)]


def _problems(given: Mapping[str, Any], space: Space) -> list[str]:
    """Return what is wrong with given values, nothing if they are of this dict."""
    unknown = sorted(map(str, given.keys() - space.keys()))
    found = [f"parameter {name!r} is unknown." for name in unknown]
    for name in sorted(given.keys() & space.keys()):
        problem = _problem_of(name, space[name], given[name])
        found += [] if problem is None else [problem]
    return found


def _problem_of(name: str, spec: Any, value: object) -> str | None:
    """Return why a value is none of those to be drawn; None if it is, or may be."""
    dimension = _dimension(name, spec)
    if dimension is None:
        return None
    try:
        dimension.to_unit(value)
    except InvalidSpaceError:
        value = reprlib.repr(value)
        return f"the {name!r} {value} is not a value of {_listed(dimension)}."
    return None


def _dimension(name: str, spec: Any) -> Dimension | None:
    """Return what knows the values of an entry; None if it can only be drawn from."""
    if isinstance(spec, Sequence | np.ndarray):
        return Categorical(_distinct(spec))
    is_known = all(hasattr(spec, verb) for verb in ("ppf", "cdf", "support"))
    if not isinstance(spec, Dimension) and not is_known:
        return None
    dimension = convert(name, spec)
    assert isinstance(dimension, Dimension), "a Choice has been written out"
    return dimension


def _distinct(values: Sequence[Any] | np.ndarray) -> Any:
    """Return each value once: a list may repeat one, to have it drawn more often."""
    if is_numeric(values) and count(values) > LONG:
        return np.unique(values) if isinstance(values, np.ndarray) else values
    listed = values.tolist() if isinstance(values, np.ndarray) else values
    return list({structural_key(value): value for value in listed}.values())


def _listed(dimension: Dimension) -> str:
    """Return what a dimension holds, the beginning of a long list."""
    if not isinstance(dimension, Categorical):
        return repr(dimension)
    values = dimension.values
    return reprlib.repr(list(values) if isinstance(values, tuple) else values)


def _shown(params: Params) -> str:
    items = (f"{name!r}: {reprlib.repr(value)}" for name, value in params.items())
    return "{" + ", ".join(items) + "}"
