"""The rows of the tables: a parameter, its range, why, and where the range is from.

A range is made for an estimator and its data. What the estimator has itself always
lies inside: a range of numbers is stretched to it, a list has it in its place. Where no
range can hold it (None, 0 among orders of magnitude, a count among shares), the range
becomes a list.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any, Protocol

import numpy as np

from skhpo._keys import structural_key
from skhpo.space._categorical import Categorical
from skhpo.space._curve import Curve
from skhpo.space._dimensions import is_number
from skhpo.space._ranges import Integer, Real
from skhpo.space.suggested._bounds import Bound, Facts, as_bound

__all__ = [
    "Case",
    "Ladder",
    "Listed",
    "Rounds",
    "Row",
    "Span",
    "Suggested",
    "suggestions",
]

# Values of a ladder for each power of ten, and of one that is not logarithmic.
PER_DECADE = 4
N_EVEN = 8


@dataclass(frozen=True)
class Suggested:
    """One parameter of a suggested space.

    Parameters
    ----------
    name : str
        The parameter.
    dimension : object
        Its values, as any space takes them.
    tier : int, default=1
        When it enters: 1 always, 2 from 30 candidates, 3 from 100; 4 only if it is
        asked for by `include`.
    why : str, default=""
        The reason, in a few words.
    source : str, default=""
        Where the range is from.
    when : tuple of (str, tuple) or None, default=None
        Another parameter and the values of it with which this one exists.
    default : object, default=None
        What None stands for, if the estimator has None for a number.

    Examples
    --------
    >>> from skhpo.space import Integer, Suggested
    >>> Suggested("degree", Integer(2, 4), 2, when=("kernel", ("poly",))).tier
    2
    """

    name: str
    dimension: Any
    tier: int = 1
    why: str = ""
    source: str = ""
    when: tuple[str, tuple[Any, ...]] | None = None
    default: Any = None


class Values(Protocol):
    """What makes the dimension of a row."""

    @property
    def text(self) -> str:
        """The values as documentation shows them."""

    @property
    def formula(self) -> str:
        """The same if it depends on the data, else nothing."""

    def make(self, facts: Facts, own: Any) -> Any:
        """Return the dimension with the estimator's own value inside."""


@dataclass(frozen=True)
class Span:
    """All numbers between two bounds.

    Parameters
    ----------
    low, high : float or Bound
        The bounds.
    log : bool, default=False
        Whether the order of magnitude counts.
    integer : bool, default=False
        Whether they are integers.
    share : bool, default=False
        Whether they are shares of rows or columns, where an integer is a count.
    never : tuple of float, default=()
        Values that are never searched, also if the estimator has them.
    """

    low: float | Bound
    high: float | Bound
    log: bool = False
    integer: bool = False
    share: bool = False
    never: tuple[float, ...] = ()

    @property
    def text(self) -> str:
        """The range as documentation shows it."""
        ends = f"{as_bound(self.low).text} ... {as_bound(self.high).text}"
        return ends + (", log" if self.log else "")

    @property
    def formula(self) -> str:
        """The same if a bound depends on the data."""
        return self.text if _depends(self.low, self.high) else ""

    def make(self, facts: Facts, own: Any) -> Any:
        """Return the range, stretched to the own value, or else a list with it."""
        low, high = self._bounds(facts)
        if own not in self.never:
            if not self._can_hold(own):
                return self._as_list(low, high).make(facts, own)
            low, high = min(low, own), max(high, own)
        kind: Any = Integer if self.integer else Real
        return kind(low, high, log=self.log)

    def _bounds(self, facts: Facts) -> tuple[float, float]:
        """Return the bounds in order; what lies above the upper one may not work."""
        low, high = as_bound(self.low).at(facts), as_bound(self.high).at(facts)
        if self.integer:
            low, high = math.ceil(low), math.floor(high)
            return low, max(high, low + 1)
        low, high = _legible(low), _legible(high)
        return min(low, high / 1.001), high

    def _can_hold(self, own: Any) -> bool:
        """Whether a range of this kind can be stretched to a value."""
        return (
            is_number(own)
            and math.isfinite(own)
            and not (self.log and own <= 0)
            and not _is_of_other_kind(own, integer=self.integer, share=self.share)
        )

    def _as_list(self, low: float, high: float) -> Ladder:
        return Ladder(low, high, log=self.log, integer=self.integer, share=self.share)


@dataclass(frozen=True)
class Ladder:
    """A list of numbers in order, in which the own value takes the nearest place.

    For parameters whose default is no number of the range (None, "scale", 0), or has
    another unit than the data: the list has the same length whatever it is.

    Parameters
    ----------
    low, high : float or Bound
        The bounds.
    unit : Bound or None, default=None
        What both are multiples of.
    log : bool, default=True
        Whether the steps are equal factors, four for each power of ten.
    integer : bool, default=False
        Whether they are integers.
    share : bool, default=False
        Whether they are shares of rows or columns, where an integer is a count.
    means : dict of object to (float or Bound), default={}
        What values that are no numbers stand for, for their place.
    """

    low: float | Bound
    high: float | Bound
    unit: Bound | None = None
    log: bool = True
    integer: bool = False
    share: bool = False
    means: Mapping[Any, float | Bound] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The range as documentation shows it."""
        ends = f"{as_bound(self.low).text} ... {as_bound(self.high).text}"
        ends = f"({ends}) x {self.unit.text}" if self.unit else ends
        words = "".join(f", {value!r}" for value in self.means)
        return ends + words + (", log" if self.log else "")

    @property
    def formula(self) -> str:
        """The same if a bound depends on the data."""
        return self.text if _depends(self.low, self.high, self.unit) else ""

    def make(self, facts: Facts, own: Any) -> Any:
        """Return the list, with the own value in the place of what is nearest."""
        unit = self.unit.at(facts) if self.unit else 1.0
        low, high = (as_bound(b).at(facts) * unit for b in (self.low, self.high))
        numbers = self._numbers(low, max(high, low))
        place = self._place(facts, own)
        values: list[Any] = [int(v) if self.integer else float(v) for v in numbers]
        if place is None:
            return Categorical([own, *values], ordered=False)
        values[_nearest(numbers, place, log=self.log)] = own
        return Categorical(values, ordered=True)

    def _numbers(self, low: float, high: float) -> list[float]:
        if self.log:
            n = 1 + max(1, round(PER_DECADE * math.log10(high / low)))
            numbers = np.geomspace(low, high, n)
        else:
            numbers = np.linspace(low, high, N_EVEN)
        tidy = np.rint(numbers) if self.integer else [_legible(v) for v in numbers]
        return list(dict.fromkeys(float(v) for v in tidy))

    def _place(self, facts: Facts, own: Any) -> float | None:
        """Return the number that a value stands for, None if that is not known."""
        for value, meaning in self.means.items():
            if isinstance(own, type(value)) and value == own:
                return as_bound(meaning).at(facts)
        if not is_number(own):
            return None
        is_other = _is_of_other_kind(own, integer=self.integer, share=self.share)
        return None if is_other else float(own)


def _is_of_other_kind(own: Any, *, integer: bool, share: bool) -> bool:
    """Whether a number is a share among counts, or a count among shares."""
    is_integer = isinstance(own, Integral)
    return (integer and not is_integer and own <= 1) or (share and is_integer)


def _depends(*bounds: object) -> bool:
    return any(isinstance(bound, Bound) for bound in bounds)


def _legible(value: float) -> float:
    """Return a number with three digits."""
    return float(f"{value:.3g}")


def _nearest(numbers: Sequence[float], place: float, *, log: bool) -> int:
    """Return which of the numbers is nearest."""
    if place == math.inf or (log and place <= 0):
        return len(numbers) - 1 if place > 0 else 0
    scale = math.log if log else float
    return min(range(len(numbers)), key=lambda i: abs(scale(numbers[i]) - scale(place)))


@dataclass(frozen=True)
class Listed:
    """A few values, with the own one among them.

    Parameters
    ----------
    values : tuple
        The values.
    ordered : bool or None, default=None
        Whether neighbors are similar.
    """

    values: tuple[Any, ...]
    ordered: bool | None = None

    @property
    def text(self) -> str:
        """The list as documentation shows it."""
        return ", ".join(map(repr, self.values))

    @property
    def formula(self) -> str:
        """Nothing: the list does not depend on the data."""
        return ""

    def make(self, facts: Facts, own: Any) -> Any:
        """Return the list."""
        values = list(self.values)
        keys = [structural_key(value) for value in values]
        if structural_key(own) not in keys and not any(
            is_number(own) and is_number(v) and own == v for v in values
        ):
            values = [own, *values]
        return Categorical(values, ordered=self.ordered)


@dataclass(frozen=True)
class Rounds:
    """All numbers of rounds up to a bound, of which one fit tells."""

    high: Bound
    text: str = "Curve(2 x default)"
    formula: str = "up to twice the default"

    def make(self, facts: Facts, own: Any) -> Any:
        """Return the curve."""
        return Curve(max(2, int(self.high.at(facts))))


@dataclass(frozen=True)
class Case:
    """When a row is there at all: in words, and as a function of the facts."""

    text: str
    holds: Callable[[Facts], bool]


@dataclass(frozen=True)
class Row:
    """A row of a table; see `Suggested`.

    Parameters
    ----------
    name : str
        The parameter.
    tier : int
        When it enters.
    values : Values
        Makes the dimension.
    why : str
        The reason.
    source : str
        Which packages have such a range.
    when : tuple or None, default=None
        Another parameter and the values with which this one exists.
    case : Case or None, default=None
        When the row is there at all.
    default : float or None, default=None
        What None means to the estimator, where None is its default.
    """

    name: str
    tier: int
    values: Values
    why: str
    source: str
    when: tuple[str, tuple[Any, ...]] | None = None
    case: Case | None = None
    default: float | None = None

    def own(self, facts: Facts) -> Any:
        """Return the value that the estimator has."""
        value = facts.own.get(self.name)
        return self.default if value is None and self.default is not None else value

    def suggest(self, facts: Facts) -> Suggested:
        """Return the row for an estimator and its data."""
        dimension = self.values.make(facts, self.own(facts))
        formula = self.values.formula
        why = f"{self.why}; {formula}" if formula else self.why
        return Suggested(
            self.name, dimension, self.tier, why, self.source, self.when, self.default
        )


def suggestions(
    rows: Sequence[Row], facts: Facts, fixed: Collection[str] = ()
) -> tuple[list[Suggested], list[str]]:
    """Return what the rows of a table say of an estimator and its data.

    Rows of parameters that this version of the estimator does not have are left out.
    Of those that are fixed, only the names are returned, apart.
    """
    known = {**facts.defaults, **facts.own}
    there = [
        row
        for row in rows
        if row.name in known and (row.case is None or row.case.holds(facts))
    ]
    made = [row.suggest(facts) for row in there if row.name not in fixed]
    return made, [row.name for row in there if row.name in fixed]
