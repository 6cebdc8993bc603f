"""From what users write to the columns of the unit cube.

A space is compiled to columns of the unit cube. A column whose parameter exists only
with certain values of another one knows that parent and those values; the
coordinates of inactive columns are NaN::

    {"kernel": Choice({"linear": None, "rbf": {"gamma": Real(0.1, 10)}}), "C": ...}

    column   parent    branches
    kernel     -          -            linear:  [0.25,  nan, 0.3]
    gamma    kernel      {1}           rbf:     [0.75, 0.20, 0.3]
    C          -          -

A list of several dicts becomes an unnamed column that says which dict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from skhpo.exceptions import InvalidSpaceError
from skhpo.space._categorical import Categorical, Choice
from skhpo.space._convert import as_dimension
from skhpo.space._dimensions import Dimension, is_number
from skhpo.space._name import check_name

__all__ = ["Column", "compile_columns", "split_weight"]


@dataclass
class Column:
    """One axis of the unit cube.

    Parameters
    ----------
    name : str or None
        The parameter; None for the column that says which dict of a list it is.
    dimension : Dimension
        Its values.
    parent : int or None
        Position of the column that decides whether this one is active; None if it
        always is.
    branches : set of int
        The values of the parent, by position, with which it is active.
    """

    name: str | None
    dimension: Dimension
    parent: int | None = None
    branches: set[int] = field(default_factory=set)


def compile_columns(space: Any) -> list[Column]:
    """Return the columns of a space, parents before their children.

    Parameters
    ----------
    space : mapping or sequence
        As :class:`skhpo.space.SearchSpace` takes it.

    Returns
    -------
    list of Column
        The axes of the unit cube.
    """
    columns: list[Column] = []
    _add(columns, space, None, 0)
    return columns


def _add(columns: list[Column], space: Any, parent: int | None, branch: int) -> None:
    """Add the columns of `space`, active with value `branch` of `parent`."""
    if space is None:
        return
    if isinstance(space, Mapping):
        _check_names(space)
        for name, value in space.items():
            _add_parameter(columns, name, value, parent, branch)
        return
    spaces, weights = _check_list(space)
    if len(spaces) == 1:
        _add(columns, spaces[0], parent, branch)
        return
    which = Categorical(range(len(spaces)), ordered=False, weights=weights)
    position = _add_column(columns, Column(None, which, parent), branch)
    for i, sub_space in enumerate(spaces):
        _add(columns, sub_space, position, i)


def _add_parameter(
    columns: list[Column], name: str, value: object, parent: int | None, branch: int
) -> None:
    """Add the column of one parameter, and those of the branches of a Choice."""
    dimension = as_dimension(name, value)
    if not isinstance(dimension, Choice):
        for column in columns:
            same = (column.parent, column.name) == (parent, name)
            if parent is not None and same and column.dimension == dimension:
                column.branches.add(branch)  # a sibling dict has it already
                return
        _add_column(columns, Column(name, dimension, parent), branch)
        return
    options = [split_weight(sub_space) for _, sub_space in dimension.branches]
    values = [option for option, _ in dimension.branches]
    weights = _weights([weight for _, weight in options])
    which = Categorical(values, ordered=False, weights=weights)
    position = _add_column(columns, Column(name, which, parent), branch)
    for i, (sub_space, _) in enumerate(options):
        _add(columns, sub_space, position, i)


def _add_column(columns: list[Column], column: Column, branch: int) -> int:
    """Add a column, and return its position."""
    if column.parent is not None:
        column.branches.add(branch)
    columns.append(column)
    return len(columns) - 1


def _names(space: Any) -> set[str]:
    """Return the names of all parameters of `space`, at any depth."""
    space, _ = split_weight(space)
    if space is None:
        return set()
    if not isinstance(space, Mapping):
        return set().union(*(_names(item) for item in _check_list(space)[0]))
    inner = [_choice_names(value) for value in space.values()]
    return set(space).union(*inner)


def _choice_names(value: object) -> set[str]:
    """Return the names of the parameters in the branches of a Choice."""
    if not isinstance(value, Choice):
        return set()
    return set().union(*(_names(sub_space) for _, sub_space in value.branches))


def _check_names(space: Mapping[str, Any]) -> None:
    """Raise if a parameter could have two values at once, or has no proper name."""
    taken = set(space)
    for name, value in space.items():
        check_name(name)
        inner = _choice_names(value)
        if inner & taken:
            raise InvalidSpaceError(
                f"Parameter {min(inner & taken)!r} is named twice: in a sub-space of "
                f"the Choice {name!r}, and beside it. Keep one of them."
            )
        taken |= inner


def _weights(weights: list[float]) -> list[float] | None:
    """Return the weights, None if all are equal."""
    return None if len(set(weights)) == 1 else weights


def split_weight(space: Any) -> tuple[Any, float]:
    """Return a sub-space and its weight, 1 if it was given without."""
    if isinstance(space, tuple) and len(space) == 2 and is_number(space[1]):
        return space[0], float(space[1])
    return space, 1.0


def _check_list(space: Any) -> tuple[list[Any], list[float] | None]:
    """Return the dicts of a list and their weights (None if all are equal)."""
    if isinstance(space, str | bytes) or not isinstance(space, Sequence):
        raise InvalidSpaceError(
            "A search space must be a dict of parameter names and values, or a list of "
            f"such dicts. Got {space!r} instead."
        )
    if not space:
        raise InvalidSpaceError(
            "A list of search spaces must not be empty. What has no parameters is {}."
        )
    pairs = [split_weight(item) for item in space]
    for item, _ in pairs:
        if not isinstance(item, Mapping):
            raise InvalidSpaceError(
                "The items of a list of search spaces must be dicts or pairs (dict, "
                f"weight). Got {item!r} instead."
            )
    return [item for item, _ in pairs], _weights([weight for _, weight in pairs])
