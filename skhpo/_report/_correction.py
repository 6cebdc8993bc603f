"""What is left of a score without its luck, however it was computed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from skhpo._report._reading import Reading

__all__ = ["Correction", "History", "history_of"]

Index = NDArray[np.intp]
Interval = tuple[float, float]

SHARES = (0.25, 0.5, 1.0)
N_ORDERS = 20
# A rise of less than this many standard errors of the score itself is none.
LEAST_RISE = 0.1


@dataclass(frozen=True)
class Correction:
    """The corrected score, and what goes with it; see `Report`.

    Parameters
    ----------
    score : float
        What the winner of such a search scores on what it was not chosen by.
    interval : (float, float)
        Where the true one may be.
    error : float
        Its standard error.
    history : list of (int, float)
        Numbers of candidates, and what the corrected score was with so many.
    rising : bool or None
        Whether it still rises.
    method : str
        How all this was computed.
    default_interval, gain_interval : (float, float) or None
        Of the estimator as given, if it is among the candidates.
    gain : float or None
        The corrected score less that of the estimator as given.
    notes : list of str
        What is to be said of it.
    """

    score: float
    interval: Interval
    error: float
    history: list[tuple[int, float]]
    rising: bool | None
    method: str
    default_interval: Interval | None = None
    gain: float | None = None
    gain_interval: Interval | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class History:
    """Which candidates there were before the others.

    Parameters
    ----------
    numbers : list of int
        How many; empty if that means nothing.
    orders : list of ndarray
        In which order they came: positions among those that are compared.
    """

    numbers: list[int]
    orders: list[Index]

    def first(self, n: int, most: int) -> Iterator[Index]:
        """Yield the first `n` candidates, of so many orders at the most."""
        for order in self.orders[: max(1, most)]:
            yield order[:n]


def history_of(reading: Reading, *, is_grid: bool, rng: np.random.Generator) -> History:
    """Return the order of candidates; a grid has none, and is taken in random ones."""
    m = len(reading.rows)
    numbers = sorted({int(np.ceil(share * m)) for share in SHARES})
    if len(numbers) < len(SHARES) or reading.selected or reading.rule is not None:
        return History([], [])
    if not is_grid:
        return History(numbers, [np.arange(m)])
    return History(numbers, [rng.permutation(m) for _ in range(N_ORDERS)])
