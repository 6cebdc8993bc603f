"""Which suggestions enter a space: by what the user said, and by the budget."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from skhpo._keys import structural_key
from skhpo.exceptions import InvalidSpaceError
from skhpo.space._categorical import Categorical, Choice
from skhpo.space._convert import as_dimension
from skhpo.space._curve import Curve
from skhpo.space._dimensions import is_number
from skhpo.space.suggested._rows import Suggested

__all__ = ["Budget", "choose", "nested", "same"]

# From how many candidates on the second and the third tier enter, and how many
# candidates there should be for each dimension: LightAutoML's rule.
TIER_2, TIER_3 = 30, 100
PER_DIMENSION = 8


@dataclass(frozen=True)
class Budget:
    """How much may enter.

    Parameters
    ----------
    tier : int
        The highest.
    n_dimensions : int
        How many parameters at the most.
    """

    tier: int
    n_dimensions: int

    @classmethod
    def of(cls, n_iter: int, effort: int | str) -> Budget:
        """Return the budget of so many candidates.

        Examples
        --------
        >>> Budget.of(50, "auto")
        Budget(tier=2, n_dimensions=6)
        """
        by_number = 1 if n_iter < TIER_2 else 2 if n_iter < TIER_3 else 3
        tier = by_number if effort == "auto" else int(effort)
        return cls(tier, max(2, n_iter // PER_DIMENSION))


def same(one: object, other: object) -> bool:
    """Whether two values mean the same: 1 and 1.0 do."""
    if is_number(one) and is_number(other):
        return bool(one == other)
    return structural_key(one) == structural_key(other)


def choose(
    rows: Sequence[Suggested],
    own: Mapping[str, Any],
    budget: Budget,
    asked: Mapping[str, Any],
) -> tuple[list[Suggested], list[Suggested]]:
    """Return the suggestions that enter, and those that found no room.

    Parameters
    ----------
    rows : sequence of Suggested
        With full names, those of the last step first.
    own : mapping of str to object
        The parameters that the estimator has.
    budget : Budget
        How much may enter.
    asked : mapping of str to object
        Names that enter whatever the budget is, with all that they depend on.
    """
    by_name = {row.name: row for row in rows}
    asked = _with_parents(by_name, own, asked)
    ranked = sorted(rows, key=lambda row: _rank(row, by_name, own, asked))
    chosen: dict[str, Suggested] = {}
    reserved: set[str] = set()
    dropped, n_dimensions = [], 0
    for row in ranked:
        tier = _tier(row, by_name, own, asked)
        inside = {
            other.name
            for other in _inseparable(row, rows)
            if _tier(other, by_name, own, asked) <= budget.tier
        }
        is_free = isinstance(row.dimension, Curve) or row.name in reserved
        counts = 0 if is_free else 1 + len(inside)
        fits = n_dimensions + counts <= budget.n_dimensions
        if not _exists(row, chosen, own):
            continue
        if _is_constant(row) and row.name not in asked:
            continue
        if row.name in asked or (tier <= budget.tier and fits):
            chosen[row.name] = row
            reserved |= inside
            n_dimensions += counts
        elif tier < 4:
            dropped.append(row)
    order = list(by_name)
    return sorted(chosen.values(), key=lambda row: order.index(row.name)), dropped


def _with_parents(
    by_name: Mapping[str, Suggested], own: Mapping[str, Any], asked: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what is asked for, and the parameters without which it does not exist.

    Raises
    ------
    InvalidSpaceError
        If no value that is searched brings one of them.
    """
    found, left = dict(asked), list(asked)
    while left:
        row = by_name.get(left.pop())
        if row is None or row.when is None:
            continue
        name, values = row.when
        parent = by_name.get(name)
        searched = [own.get(name)] if parent is None else _listed(parent)
        if not any(_is_among(value, values) for value in searched):
            raise InvalidSpaceError(_no_parent(row, name, values, own.get(name)))
        is_there = _is_among(own.get(name), values)
        if parent is not None and name not in found and not is_there:
            found[name] = None
            left.append(name)
    return found


def _no_parent(row: Suggested, name: str, values: Sequence[Any], own: Any) -> str:
    shown = " or ".join(map(repr, values))
    more = f"{{{row.name!r}: [...], {name!r}: {[own, values[0]]!r}}}"
    return (
        f"include names {row.name!r}, which plays a part only where {name!r} is "
        f"{shown}. The estimator has {own!r}, and none of those is searched. Add one "
        f"of them, as in include={more}."
    )


def _inseparable(row: Suggested, rows: Sequence[Suggested]) -> list[Suggested]:
    """Return what some values of a parameter need: conditional rows of its own tier.

    They find room together, or not at all: before scikit-learn 1.8, SGD's other
    learning rates refuse the first step that comes with "optimal".
    """
    return [
        other
        for other in rows
        if other.when is not None
        and other.when[0] == row.name
        and other.tier == row.tier
    ]


def _tier(
    row: Suggested,
    by_name: Mapping[str, Suggested],
    own: Mapping[str, Any],
    asked: Mapping[str, Any],
) -> int:
    """Return when a row enters: not before the values that it exists with."""
    if row.name in asked:
        return 0
    if row.when is None or _is_among(own.get(row.when[0]), row.when[1]):
        return row.tier
    parent = by_name.get(row.when[0])
    return (
        row.tier
        if parent is None
        else max(row.tier, _tier(parent, by_name, own, asked))
    )


def _rank(
    row: Suggested,
    by_name: Mapping[str, Suggested],
    own: Mapping[str, Any],
    asked: Mapping[str, Any],
) -> tuple[int, int, int]:
    """Return the order of entry: by tier, parents before their children, in turn."""
    is_child = row.when is not None and row.when[0] in by_name
    return _tier(row, by_name, own, asked), int(is_child), _place(row, by_name)


def _place(row: Suggested, by_name: Mapping[str, Suggested]) -> int:
    """Return how many rows of the same step and tier come before a row.

    Every step gets its first parameter before another one gets its second: ten columns
    of 64, the default of SelectKBest, cost neighbors 0.09 of accuracy on digits.
    """
    step = _step_of(row)
    before = itertools.takewhile(lambda other: other is not row, by_name.values())
    return sum(
        _step_of(other) == step
        and other.tier == row.tier
        and not isinstance(other.dimension, Curve)
        for other in before
    )


def _step_of(row: Suggested) -> str:
    return row.name.rpartition("__")[0]


def _exists(
    row: Suggested, chosen: Mapping[str, Suggested], own: Mapping[str, Any]
) -> bool:
    """Whether the parameter plays a part, with the values searched or given."""
    if row.when is None:
        return True
    name, values = row.when
    if name in chosen:
        return any(_is_among(value, values) for value in _listed(chosen[name]))
    return _is_among(own.get(name), values)


def _is_among(value: Any, values: Sequence[Any]) -> bool:
    return any(same(value, other) for other in values)


def _listed(row: Suggested) -> Sequence[Any]:
    dimension = as_dimension(row.name, row.dimension)
    return dimension.values if isinstance(dimension, Categorical) else ()


def _is_constant(row: Suggested) -> bool:
    dimension = as_dimension(row.name, row.dimension)
    if isinstance(dimension, Choice | Curve):
        return False
    return dimension.n_values == 1


def nested(chosen: Sequence[Suggested]) -> dict[str, Any]:
    """Return a space of chosen suggestions; conditional ones below a `Choice`.

    Examples
    --------
    >>> rows = [Suggested("a", [1, 2]), Suggested("b", [3, 4], when=("a", (2,)))]
    >>> nested(rows)
    {'a': Choice([(1, None), (2, {'b': [3, 4]})])}
    """
    names = {row.name for row in chosen}
    free = [
        replace(r, when=None) if r.when and r.when[0] not in names else r
        for r in chosen
    ]
    return {row.name: _with_children(row, free) for row in free if row.when is None}


def _with_children(row: Suggested, rows: Sequence[Suggested]) -> Any:
    children = [r for r in rows if r.when is not None and r.when[0] == row.name]
    if not children:
        return row.dimension
    branches = []
    for value in _listed(row):
        below = [r for r in children if r.when and _is_among(value, r.when[1])]
        inside = {r.name: _with_children(r, rows) for r in below}
        branches.append((value, inside or None))
    return Choice(branches)
