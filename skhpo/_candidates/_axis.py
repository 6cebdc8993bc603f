"""The axis of one parameter: where its values stand, and what is written there.

Numbers stand at themselves, on a linear or a logarithmic axis. As soon as one value is
no number (``None``, a string, an estimator), all values are categories, and stand at 0,
1, 2, ...; numbers come first, in their order. Where a parameter does not exist, as in
the other branch of a conditional space, its position is NaN.

matplotlib fails near the ends of floats. There a linear axis is drawn in a power of
ten, and a logarithmic one as the logarithm, on a linear axis; its name says so.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skhpo._arithmetic import Array
from skhpo._fence import MODERATE, drawing_unit, in_unit, out_of_unit
from skhpo._keys import structural_key
from skhpo._printable import printable
from skhpo.space._spread import ends_and_median, is_finite, is_logarithmic

__all__ = [
    "ABSENT",
    "Axis",
    "clipped",
    "make_axis",
    "short",
    "short_names",
]

ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "absent"})()

MAX_LABEL = 14
MAX_NAME, MIN_START = 22, 4
# Python writes no integer of more than 4300 digits.
MAX_BITS = 1024
# Where an object lies in memory: another place in each process, and in each picture.
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


@dataclass(frozen=True)
class Axis:
    """One parameter of all candidates.

    Parameters
    ----------
    name : str
        The parameter.
    positions : ndarray of shape (n,)
        Where the value of each candidate stands, NaN where there is none.
    categories : tuple of str or None
        What is written at 0, 1, 2, ...; None for numbers.
    is_log : bool
        Whether the axis is logarithmic.
    """

    name: str
    positions: Array
    categories: tuple[str, ...] | None
    is_log: bool

    @property
    def n_values(self) -> int:
        """Number of distinct values that were tried."""
        return len(np.unique(self.positions[~np.isnan(self.positions)]))

    @property
    def limits(self) -> tuple[float, float]:
        """The lowest and the highest number tried; the edges of the categories."""
        if self.categories is not None:
            return -0.5, len(self.categories) - 0.5
        return float(np.nanmin(self.positions)), float(np.nanmax(self.positions))

    def to_unit(self, positions: Array) -> Array:
        """Return where positions stand between the limits, in [0, 1].

        Parameters
        ----------
        positions : ndarray
            As in the attribute of this name.

        Returns
        -------
        ndarray
            Of the same shape; NaN stays NaN.
        """
        low, high = self._linear(np.array(self.limits))
        if low == high:
            return np.where(np.isnan(positions), np.nan, 0.5)
        return (self._linear(positions) - low) / (high - low)

    def from_unit(self, units: Array) -> Array:
        """Return the positions that stand at `units`.

        Parameters
        ----------
        units : ndarray
            In [0, 1].

        Returns
        -------
        ndarray
            Of the same shape.
        """
        low, high = self._linear(np.array(self.limits))
        linear = low + (high - low) * units
        with np.errstate(over="ignore", under="ignore"):  # at the ends, by rounding
            power = 10.0**linear if self.is_log else linear
        return np.clip(out_of_unit(power, self._unit), *self.limits)

    def drawn(self, positions: Array) -> Array:
        """Return where positions stand on `drawable`.

        Parameters
        ----------
        positions : ndarray
            As in the attribute of this name.

        Returns
        -------
        ndarray
            Of the same shape; NaN stays NaN.
        """
        return positions if self._is_moderate else self._linear(positions)

    @property
    def drawable(self) -> Axis:
        """This axis, or one that stands for it and keeps away from the ends of floats.

        Its name is printable, and as long as it is.
        """
        unit = " (log10)" if self.is_log else f" / {self._unit:g}"
        return replace(
            self,
            name=printable(self.name) + ("" if self._is_moderate else unit),
            positions=self.drawn(self.positions),
            is_log=self.is_log and self._is_moderate,
        )

    @property
    def _unit(self) -> float:
        is_linear = self.categories is None and not self.is_log
        return drawing_unit(self.positions) if is_linear else 1.0

    @property
    def _is_moderate(self) -> bool:
        """Whether matplotlib can draw these numbers as they are."""
        if not self.is_log:
            return self._unit == 1
        low, high = self.limits
        return MODERATE[0] <= low and high <= MODERATE[1]

    def _linear(self, positions: Array) -> Array:
        """Return positions on a scale that is linear in the picture."""
        if self.is_log:
            return np.log10(positions)
        return in_unit(positions, self._unit)


def make_axis(name: str, values: Sequence[Any], is_log: bool | None = None) -> Axis:
    """Return the axis of a parameter.

    Parameters
    ----------
    name : str
        The parameter.
    values : sequence of object
        The value of each candidate, `ABSENT` where there is none.
    is_log : bool or None, default=None
        Whether the axis is logarithmic; None to judge by the distinct values.

    Returns
    -------
    Axis
        With the positions of the values.
    """
    present = [value for value in values if value is not ABSENT]
    if not all(map(is_finite, present)):
        return _categorical(name, values, present)
    positions = np.array([np.nan if v is ABSENT else float(v) for v in values])
    distinct = np.unique(positions[~np.isnan(positions)])
    if is_log is None:
        is_log = is_logarithmic(*ends_and_median(distinct.tolist()))
    return Axis(name, positions, None, bool(is_log and distinct[0] > 0))


def _categorical(name: str, values: Sequence[Any], present: list[Any]) -> Axis:
    """Return an axis of categories: numbers in their order, then by their names."""
    distinct = {structural_key(value): value for value in present}
    order = sorted(distinct, key=lambda key: _sort_key(distinct[key]))
    place = {key: float(i) for i, key in enumerate(order)}
    positions = [np.nan if v is ABSENT else place[structural_key(v)] for v in values]
    labels = [short(distinct[key]) for key in order]
    return Axis(name, np.array(positions), tuple(_distinguished(labels)), False)


def _sort_key(value: Any) -> tuple[bool, float, str]:
    number = is_finite(value)
    return not number, float(value) if number else 0.0, _written(value)


def _distinguished(labels: list[str]) -> list[str]:
    """Number the labels that stand for several values, so that all are different."""
    taken = {label for label in labels if labels.count(label) == 1}
    found: list[str] = []
    for i, label in enumerate(labels):
        number = labels[:i].count(label) + 1
        shown = label if label in taken else f"{label} ({number})"
        while label not in taken and shown in taken.union(found):
            number += 1
            shown = f"{label} ({number})"
        found.append(shown)
    return found


def short(value: object) -> str:
    """Return what is written for a value: one line of a few characters.

    Parameters
    ----------
    value : object
        The value of a parameter.

    Returns
    -------
    str
        Numbers with three digits, and the beginning of what is longer.
    """
    if isinstance(value, float | np.floating):
        return f"{value:.3g}"
    return clipped(_written(value), MAX_LABEL)


def clipped(text: str, length: int) -> str:
    """Return the beginning of a text, of at most so many characters."""
    text = printable(text)
    return text if len(text) <= length else text[: length - 1] + "…"


def short_names(names: Sequence[str], length: int = MAX_NAME) -> list[str]:
    """Return what is written for the names of parameters.

    Parameters
    ----------
    names : sequence of str
        All that are written in a picture.
    length : int, default=22
        For how many characters there is room. The middle of what is longer is left
        out: the end tells more than the beginning. Names that would look the same are
        as long as it takes to tell them apart.

    Returns
    -------
    list of str
        One for each name.

    Examples
    --------
    >>> short_names(["svc__C", "histgradientboostingclassifier__learning_rate"])
    ['svc__C', 'histgrad…learning_rate']
    >>> short_names(["features__numbers__min_samples", "features__counts__min_samples"])
    ['…numbers__min_samples', '…counts__min_samples']
    """
    names = [printable(name) for name in names]
    shown = [_without_middle(name, length) for name in names]
    return [
        label if shown.count(label) == 1 else _own_end(name, set(names) - {name})
        for name, label in zip(names, shown, strict=True)
    ]


def _without_middle(name: str, length: int) -> str:
    """Return a name with as many whole parts at its end as there is room for."""
    if len(name) <= length:
        return name
    starts = [match.end() for match in re.finditer("__", name.rstrip("_"))]
    fitting = [i for i in starts if len(name) - i < length - MIN_START]
    start = min(fitting, default=len(name) - 2 * length // 3)
    return name[: length - 1 - (len(name) - start)] + "…" + name[start:]


def _own_end(name: str, others: Collection[str]) -> str:
    """Return the end of a name, from a part on, with which no other one ends."""
    starts = [match.end() for match in re.finditer("__", name)]
    ends = [name[start:] for start in reversed(starts)]
    own = (end for end in ends if not any(o.endswith(f"__{end}") for o in others))
    return next((f"…{end}" for end in own), name)


def _written(value: object) -> str:
    """Return a value as text: strings as they are, all else on one line."""
    if isinstance(value, str):
        return value if value.strip() else repr(value)  # or nothing would be seen
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        return f"{'-' * (value < 0)}2**{value.bit_length() - 1}…"
    name = getattr(value, "__name__", None)
    text = " ".join((name if isinstance(name, str) else str(value)).split())
    return _ADDRESS.sub("", text)
