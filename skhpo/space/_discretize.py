"""Lists in the place of ranges: what a grid is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from numbers import Integral
from typing import Any

from skhpo.exceptions import InvalidSpaceError
from skhpo.space._categorical import Categorical
from skhpo.space._columns import Column
from skhpo.space._cube import Cube
from skhpo.space._curve import Curve
from skhpo.space._space import SearchSpace

__all__ = ["discretize", "numbers_of_levels", "ranges_of"]


def discretize(space: SearchSpace, n_levels: int | Mapping[str, int]) -> SearchSpace:
    """Return the space with a list of values in the place of each range.

    The values are quantiles, evenly spread: of a range, and of a distribution that
    stops at its bounds, from one bound to the other; of a distribution that fades out,
    the medians of parts of equal probability.

    Parameters
    ----------
    space : SearchSpace
        Any space.
    n_levels : int or dict of str to int
        Number of values, for all ranges or by name. There are fewer where there are
        not so many integers.

    Returns
    -------
    SearchSpace
        A finite space; its points are a grid.

    Raises
    ------
    InvalidSpaceError
        If a number is missing, not positive, or given for what is no range.

    Examples
    --------
    >>> from skhpo.space import Integer, Real
    >>> space = SearchSpace({"share": Real(0, 1), "n": Integer(1, 2)})
    >>> discretize(space, 3).subspaces()
    [{'share': [0.0, 0.5, 1.0], 'n': [1, 2]}]
    """
    numbers = numbers_of_levels(n_levels, ranges_of(space))
    finite = SearchSpace(space)
    Cube.__init__(finite, [_discretized(column, numbers) for column in space.columns])
    return finite


def ranges_of(space: SearchSpace) -> set[str]:
    """Return the names of the parameters that have ranges, and no lists of values."""
    return {
        str(column.name)
        for column in space.columns
        if not isinstance(column.dimension, Categorical | Curve)
    }


def numbers_of_levels(n_levels: Any, ranges: set[str]) -> dict[str, int]:
    """Return the number of levels of each range by its name; raise if one is wrong."""
    if not isinstance(n_levels, Mapping):
        n_levels = dict.fromkeys(ranges, n_levels)
    for name in sorted(n_levels.keys() ^ ranges, key=str):
        problem = (
            f"has no number for the range {name!r}"
            if name in ranges
            else f"has a number for {name!r}, which is no range of the space"
        )
        raise InvalidSpaceError(
            f"'n_levels' {problem}. It must be a positive integer, or a dict of such "
            f"for {sorted(ranges)}. Got {dict(n_levels)!r} instead."
        )
    for number in n_levels.values():
        if isinstance(number, bool) or not isinstance(number, Integral) or number < 1:
            raise InvalidSpaceError(
                "'n_levels' must be a positive integer, or a dict of such by name. "
                f"Got {number!r} instead."
            )
    return dict(n_levels)


def _discretized(column: Column, numbers: Mapping[str, int]) -> Column:
    """Return a column whose values are a list."""
    dimension = column.dimension
    if isinstance(dimension, Categorical | Curve):
        return column
    values = dimension.from_unit(dimension.levels(numbers[str(column.name)]))
    distinct = list(dict.fromkeys(values))  # rounding may have made two of them one
    return replace(column, dimension=Categorical(distinct, ordered=True))
