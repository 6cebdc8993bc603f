"""A suggested space: an ordinary space that says where it is from."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skhpo._keys import is_estimator
from skhpo._printable import literal
from skhpo.exceptions import InvalidSpaceError
from skhpo.space._categorical import Categorical, Choice
from skhpo.space._columns import Column
from skhpo.space._convert import as_dimension
from skhpo.space._cube import Cube
from skhpo.space._curve import Curve
from skhpo.space._dimensions import is_number
from skhpo.space._discretize import numbers_of_levels, ranges_of
from skhpo.space._space import SearchSpace
from skhpo.space.suggested._choose import same
from skhpo.space.suggested._python import Writer, one_line
from skhpo.space.suggested._rows import Suggested

__all__ = ["SuggestedSpace"]

_LEFT = 'style="text-align:left"'
_NEAR = "near the best of a search"  # why a range is what zooming made of it


class SuggestedSpace(SearchSpace):
    """A space with the reason of each range; `suggest_space` makes it.

    ``print`` shows a line per parameter, ``dict(space)`` is the dict to edit.

    Parameters
    ----------
    space : dict
        Parameter names and their values.
    suggestions : sequence of Suggested, default=()
        Of all parameters, with reason and source.
    notes : sequence of str, default=()
        What was left out, and why.
    own : dict, default={}
        The values that the estimator has: the first candidate.
    tuned : sequence of dict, default=()
        Published values to try next.

    Attributes
    ----------
    initial_params : list of dict
        What a search tries first: the estimator's own values, then published ones.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skhpo.space import suggest_space
    >>> space = suggest_space(GaussianNB(), *load_iris(return_X_y=True))
    >>> dict(space)
    {'var_smoothing': Real(low=1e-12, high=1.0, log=True)}
    >>> space.initial_params
    [{'var_smoothing': 1e-09}]
    """

    def __init__(
        self,
        space: Mapping[str, Any],
        suggestions: Sequence[Suggested] = (),
        notes: Sequence[str] = (),
        own: Mapping[str, Any] | None = None,
        tuned: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(space)
        self._space = dict(space)
        self.suggestions = tuple(_alone(row, suggestions) for row in suggestions)
        self.notes = tuple(notes)
        own = dict(own or {})
        first = self._candidate(own)
        later = [self._candidate({**own, **params}) for params in tuned]
        self.initial_params = [first]
        self.initial_params += [params for params in later if params != first]

    def _candidate(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the candidate that is nearest to some values."""
        # Of two models, parameters of the same name may have different values.
        is_active = self.active(self.complete(params)[np.newaxis])[0]
        dimensions = {
            str(column.name): column.dimension
            for column, is_there in zip(self.columns, is_active, strict=True)
            if is_there
        }
        near = {
            name: _nearest(dimensions[name], value)
            for name, value in params.items()
            if name in dimensions
        }
        found = self.decode(self.complete(near))
        for name in found:
            is_listed = name in near and not isinstance(dimensions[name], Curve)
            if is_listed and _is_inside(dimensions[name], near[name]):
                found[name] = near[name]
        return found

    # -- as a dict -------------------------------------------------------------

    def keys(self) -> list[str]:
        """Return the names of the parameters; conditional ones are below others.

        Returns
        -------
        list of str
            Those of the dict.
        """
        return list(self._space)

    def __getitem__(self, name: str) -> Any:
        return self._space[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._space)

    def __len__(self) -> int:
        return len(self._space)

    # -- as text ---------------------------------------------------------------

    def __repr__(self) -> str:
        """Return the space in one line."""
        return f"SuggestedSpace({self._space!r})"

    def __str__(self) -> str:
        """Return a line per parameter: name, values, reason, source; then notes."""
        cells = self._cells()
        widths = [max((len(cell[i]) for cell in cells), default=0) for i in (0, 1)]
        lines = [
            f"{name:{widths[0]}}  {values:{widths[1]}}  {why} [{source}]"
            for name, values, why, source in cells
        ]
        notes = (
            textwrap.fill(f"note: {n}", 88, subsequent_indent="  ") for n in self.notes
        )
        return "\n".join([*lines, *notes])

    def _repr_html_(self) -> str:
        """Return the same as a table and a list, for notebooks."""
        head = "".join(
            f"<th>{t}</th>" for t in ("parameter", "values", "why", "source")
        )
        rows = "".join(
            f"<tr>{''.join(f'<td {_LEFT}>{literal(cell)}</td>' for cell in cells)}</tr>"
            for cells in self._cells()
        )
        notes = "".join(f"<li>{literal(note)}</li>" for note in self.notes)
        return (
            '<div class="tex2jax_ignore mathjax_ignore"><table><thead>'
            f"<tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
            f"{f'<ul>{notes}</ul>' if notes else ''}</div>"
        )

    def _cells(self) -> list[tuple[str, str, str, str]]:
        """Return name, values, reason and source of each parameter."""
        return [
            (row.name, values, one_line(row.why), one_line(row.source))
            for row in self.suggestions
            for values in [one_line(_shown(row.dimension) + _condition(row))]
        ]

    def to_code(self) -> str:
        """Return Python that makes the same space, under the name ``space``.

        Returns
        -------
        str
            Imports and two assignments, to be copied and edited: the space, and
            ``initial_params``, what is tried first of it, which the searches' parameter
            of that name takes.

        Raises
        ------
        InvalidSpaceError
            If a value of the user's own cannot be written.
        """
        writer = Writer()
        writer.imports["skhpo.space"] = {"SearchSpace"}
        reasons = {
            row.name: f"{row.why} [{row.source}]" if row.source else row.why
            for row in self.suggestions
        }
        body = writer.mapping(self._space, 1, reasons)
        first = [f"    {writer.value(params)}," for params in self.initial_params]
        lines = [*writer.import_lines(), "", "space = SearchSpace(", f"    {body}", ")"]
        return "\n".join([*lines, "initial_params = [", *first, "]"])

    # -- as a grid -------------------------------------------------------------

    def grid(self, n_levels: int) -> SuggestedSpace:
        """Return a grid: so many values of each parameter, the own one among them.

        Parameters
        ----------
        n_levels : int
            How many at the most. Lists without an order keep all of their values.

        Returns
        -------
        SuggestedSpace
            A finite space, as `GridSearch` takes it.
        """
        numbers_of_levels(n_levels, ranges_of(self))
        changed: list[Thinned] = []
        space = _on_grid(self._space, n_levels, self.initial_params, changed)
        rows = [_row_on_grid(row, changed) for row in self.suggestions]
        first, *later = self.initial_params
        return SuggestedSpace(space, rows, self.notes, first, later)

    # -- around the best -------------------------------------------------------

    def _part(self, columns: Mapping[int, Column]) -> SuggestedSpace:
        """Return what is left of the space, with the reasons of what is left.

        Published values were tried before, and are no first candidates of it.
        """
        cube = Cube([*columns.values()])
        values = {j: _values(cube, place) for place, j in enumerate(columns)}
        rows = []
        for row in self.suggestions:
            dimension = as_dimension(row.name, row.dimension)
            of_name = [j for j, c in enumerate(self.columns) if c.name == row.name]
            # Two models may have parameters of the same name.
            own = [j for j in of_name if self.columns[j].dimension == dimension]
            left = [values[j] for j in own or of_name if j in values]
            if left:
                why = row.why.removesuffix(_NEAR).removesuffix("; ")
                why = "; ".join(filter(None, [why, _NEAR]))
                rows.append(replace(row, dimension=left[0], why=why))
        return SuggestedSpace(
            _tree(cube, None, 0), rows, self.notes, self.initial_params[0]
        )


def _values(cube: Cube, j: int) -> Any:
    """Return the values of a column, with the spaces that belong to them."""
    dimension = cube.columns[j].dimension
    if not any(column.parent == j for column in cube.columns):
        return dimension
    assert isinstance(dimension, Categorical), "others have no branches"
    return Choice(list(zip(dimension.values, _branches(cube, j), strict=True)))


def _branches(cube: Cube, j: int) -> list[Any]:
    """Return the spaces that belong to the values of a column, with their weights."""
    dimension = cube.columns[j].dimension
    assert isinstance(dimension, Categorical), "others have no branches"
    spaces = [_tree(cube, j, i) for i in range(dimension.n_values)]
    weights = dimension.weights
    return spaces if weights is None else list(zip(spaces, weights, strict=True))


def _tree(cube: Cube, parent: int | None, branch: int) -> Any:
    """Return the dict that belongs to a value of a column, or the list of dicts."""
    inside = cube._children(parent, branch)
    if len(inside) == 1 and cube.columns[inside[0]].name is None:
        return _branches(cube, inside[0])
    return {cube.columns[j].name: _values(cube, j) for j in inside}


@dataclass(frozen=True)
class Thinned:
    """A parameter of a grid: its values before, and those that are left."""

    name: str
    before: Any
    after: Any


def _on_grid(
    space: Any, n: int, first: Sequence[Mapping[str, Any]], changed: list[Thinned]
) -> Any:
    """Return a space with lists in the place of ranges, and note what is changed.

    Parameters
    ----------
    space : mapping, sequence, tuple or None
        The space, or that of a branch of a `Choice`.
    n : int
        Number of values of each parameter.
    first : sequence of mapping
        Candidates whose values are to be on the grid.
    changed : list of Thinned
        Gets an item for each parameter that is no `Choice`.
    """
    if isinstance(space, tuple):
        return (_on_grid(space[0], n, first, changed), *space[1:])
    if isinstance(space, list):
        return [_on_grid(item, n, first, changed) for item in space]
    found: dict[str, Any] = {}
    for name, given in (space or {}).items():
        dimension = as_dimension(name, given)
        if isinstance(dimension, Choice):
            found[name] = _choice_on_grid(name, dimension, n, first, changed)
            continue
        own = [params[name] for params in first if name in params]
        found[name] = _thinned(dimension, n, own)
        changed.append(Thinned(name, given, found[name]))
    return None if space is None else found


def _choice_on_grid(
    name: str,
    choice: Choice,
    n: int,
    first: Sequence[Mapping[str, Any]],
    changed: list[Thinned],
) -> Choice:
    """Return a choice whose branches have the own values of those who chose them."""
    branches = []
    for value, space in choice.branches:
        those = [p for p in first if name in p and same(p[name], value)]
        branches.append((value, _on_grid(space, n, those or first, changed)))
    return Choice(branches)


def _row_on_grid(row: Suggested, changed: Sequence[Thinned]) -> Suggested:
    """Return a row with the values that are left of it."""
    of_name = [one for one in changed if one.name == row.name]
    # Two models may have parameters of the same name.
    found = [one for one in of_name if one.before is row.dimension] or of_name
    return replace(row, dimension=found[0].after) if found else row


def _thinned(dimension: Any, n: int, own: Sequence[Any]) -> Any:
    """Return up to `n` values of a dimension, one of them the first own one inside."""
    if dimension.is_categorical or isinstance(dimension, Curve):
        return dimension
    u = dimension.levels(n)
    values = dimension.from_unit(u)
    # The ends stay, since a grid is to show them.
    places = range(1, len(u) - 1) if len(u) > 2 else range(len(u))
    inside = [value for value in own if _is_inside(dimension, value)]
    if inside and not any(same(value, inside[0]) for value in values):
        at = dimension.to_unit(inside[0])
        values[min(places, key=lambda i: abs(u[i] - at))] = inside[0]
    distinct = list(dict.fromkeys(values))  # rounding may have made two of them one
    return Categorical(distinct, ordered=True)


def _nearest(dimension: Any, value: Any) -> Any:
    """Return the number of an ordered list that is nearest to one that is not in it."""
    if not isinstance(dimension, Categorical) or not is_number(value):
        return value
    numbers = [v for v in dimension.values if is_number(v)]
    if any(v == value for v in numbers) or not dimension.ordered or not numbers:
        return value
    return min(numbers, key=lambda v: abs(v - value))


def _is_inside(dimension: Any, value: Any) -> bool:
    try:
        dimension.to_unit(value)
    except InvalidSpaceError:
        return False
    return True


def _alone(row: Suggested, rows: Sequence[Suggested]) -> Suggested:
    """Return a row without the condition, if what it depends on is not searched."""
    is_below = row.when is not None and row.when[0] in {other.name for other in rows}
    return row if is_below else replace(row, when=None)


def _condition(row: Suggested) -> str:
    """Return with which values of another parameter a row exists."""
    if row.when is None:
        return ""
    name, values = row.when
    words = [type(v).__name__ if is_estimator(v) else str(v) for v in values]
    return f" if {name} in {', '.join(words)}"


def _shown(given: Any) -> str:
    """Return the values of a parameter in a few words."""
    dimension = as_dimension("", given)
    if isinstance(dimension, Choice):
        return f"{len(dimension.branches)} choices"
    if not isinstance(dimension, Categorical):
        return _bounds(dimension)
    values = list(dimension.values)
    if len(values) > 6:
        words = [v for v in values[2:-1] if not is_number(v)]
        shown = [repr(v) for v in values[:2]]
        shown += ["...", *map(repr, words)] if len(words) == 1 else []
        return f"[{', '.join([*shown, '...', repr(values[-1])])}]"
    return repr(values)


def _bounds(dimension: Any) -> str:
    if not hasattr(dimension, "low") or isinstance(dimension, Curve):
        return repr(dimension)
    log = ", log" if dimension.log else ""
    return f"{dimension.low:g} ... {dimension.high:g}{log}"
