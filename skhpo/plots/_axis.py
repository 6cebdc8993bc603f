"""The axis of one parameter: where its values stand, and what is written there.

Numbers stand at themselves, on a linear or a logarithmic axis. As soon as one value is
no number (``None``, a string, an estimator), all values are categories, and stand at 0,
1, 2, ...; numbers come first, in their order. Where a parameter does not exist, as in
the other branch of a conditional space, its position is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhpo._keys import structural_key
from skhpo.space._dimensions import is_number

__all__ = ["ABSENT", "Axis", "is_logarithmic", "make_axis", "short"]

Array = NDArray[np.float64]

ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "absent"})()

# Less than one decade reads as well on a linear axis.
MIN_LOG_RATIO = 10.0
MAX_LABEL = 14


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
        low, high = self.limits
        if low == high:
            return np.where(np.isnan(positions), np.nan, 0.5)
        if self.is_log:
            return np.log(positions / low) / np.log(high / low)
        return (positions - low) / (high - low)

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
        low, high = self.limits
        return (
            low * (high / low) ** units if self.is_log else low + (high - low) * units
        )


def _is_finite(value: Any) -> bool:
    return is_number(value) and math.isfinite(value)


def is_logarithmic(low: float, middle: float, high: float) -> bool:
    """Whether values with these ends and this median are spread logarithmically.

    Parameters
    ----------
    low, middle, high : float
        The lowest value, the median, the highest.

    Returns
    -------
    bool
        Whether they span a decade or more, and the median is nearer to the middle on
        a logarithmic axis than on a linear one.
    """
    if not 0 < low * MIN_LOG_RATIO <= high:
        return False
    linear = (middle - low) / (high - low)
    logarithmic = np.log(middle / low) / np.log(high / low)
    return bool(abs(logarithmic - 0.5) < abs(linear - 0.5))


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
    if not all(map(_is_finite, present)):
        return _categorical(name, values, present)
    positions = np.array([np.nan if v is ABSENT else float(v) for v in values])
    distinct = np.unique(positions[~np.isnan(positions)])
    if is_log is None:
        is_log = is_logarithmic(distinct[0], float(np.median(distinct)), distinct[-1])
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
    number = _is_finite(value)
    return not number, float(value) if number else 0.0, str(value)


def _distinguished(labels: list[str]) -> list[str]:
    """Number the labels that stand for several values."""
    return [
        f"{label} ({labels[:i].count(label) + 1})" if labels.count(label) > 1 else label
        for i, label in enumerate(labels)
    ]


def short(value: Any) -> str:
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
    if is_number(value):
        return f"{value:.3g}" if isinstance(value, float | np.floating) else str(value)
    name = getattr(value, "__name__", None) or str(value)
    text = " ".join(name.split())
    return text if len(text) <= MAX_LABEL else text[: MAX_LABEL - 1] + "…"
