"""Bounds that follow from the data, and are legible: ``min(256, n/4)``.

A table of ranges is data, so its bounds are expressions of a few quantities. Each one
has a text, which documentation and reasons show, and a value once the data are known.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from skhpo.space.suggested._data import DataInfo

__all__ = [
    "Bound",
    "Facts",
    "N",
    "P",
    "as_bound",
    "at_least",
    "at_most",
    "cube_root",
    "of_data",
    "own",
    "root",
    "rounds",
]


@dataclass(frozen=True)
class Facts:
    """What bounds depend on.

    Parameters
    ----------
    data : DataInfo
        The data, as the estimator sees them.
    own : mapping of str to object
        The parameters that the estimator has.
    defaults : mapping of str to object
        Those that its class has.
    predicts : bool, default=True
        Whether it predicts; False where it transforms, before the last step.
    """

    data: DataInfo
    own: Mapping[str, Any]
    defaults: Mapping[str, Any]
    predicts: bool = True


@dataclass(frozen=True)
class Bound:
    """An expression: its text, and its value given the facts.

    Examples
    --------
    >>> (at_most(256, N / 4)).text
    'min(256, n/4)'
    """

    text: str
    at: Callable[[Facts], float]

    def __truediv__(self, other: float | Bound) -> Bound:
        return _combined("{}/{}", lambda a, b: a / b, self, other)

    def __rtruediv__(self, other: float) -> Bound:
        return _combined("{}/{}", lambda a, b: a / b, other, self)

    def __mul__(self, other: float | Bound) -> Bound:
        return _combined("{} {}", lambda a, b: a * b, self, other)

    def __rmul__(self, other: float) -> Bound:
        return _combined("{} {}", lambda a, b: a * b, other, self)


def as_bound(value: float | Bound) -> Bound:
    """Return a number as a bound."""
    if isinstance(value, Bound):
        return value
    return Bound(f"{value:g}", lambda facts: value)


def _combined(text: str, value: Callable[..., float], *bounds: float | Bound) -> Bound:
    parts = [as_bound(bound) for bound in bounds]
    return Bound(
        text.format(*(part.text for part in parts)),
        lambda facts: value(*(part.at(facts) for part in parts)),
    )


def at_most(*bounds: float | Bound) -> Bound:
    """Return the least of several bounds."""
    commas = ", ".join("{}" for _ in bounds)
    return _combined(f"min({commas})", min, *bounds)


def at_least(*bounds: float | Bound) -> Bound:
    """Return the greatest of several bounds."""
    commas = ", ".join("{}" for _ in bounds)
    return _combined(f"max({commas})", max, *bounds)


def root(bound: Bound) -> Bound:
    """Return the square root."""
    return _combined("sqrt({})", math.sqrt, bound)


def cube_root(bound: Bound) -> Bound:
    """Return the cube root."""
    return _combined("{}^(1/3)", lambda a: a ** (1 / 3), bound)


def of_data(name: str, text: str) -> Bound:
    """Return a quantity of the data."""
    return Bound(text, lambda facts: float(getattr(facts.data, name)))


def own(name: str, default: float) -> Bound:
    """Return a number that the estimator has; the default where it has none."""

    def value(facts: Facts) -> float:
        number = facts.own.get(name)
        return default if number is None else float(number)

    return Bound(name, value)


def rounds(name: str, default: int) -> Bound:
    """Return up to how many rounds a fit goes: twice the default, or the user's."""

    def value(facts: Facts) -> float:
        number = facts.own.get(name)
        if number is None:
            return 2.0 * default
        is_users = number != facts.defaults.get(name, default)
        return float(number) if is_users else 2.0 * number

    return Bound("rounds", value)


N = of_data("n_train", "n")
# Of no columns at all, nothing is a share.
P = Bound("p", lambda facts: max(1.0, facts.data.n_features))
