"""The rows that candidates were tested on, and their responses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhpo._arithmetic import Array

__all__ = ["Counts", "RowsTested", "mean_of_known"]

Counts = NDArray[Any]


@dataclass(frozen=True, eq=False)
class RowsTested:
    """What is known of rows that were tested, of each of them once in each split.

    Parameters
    ----------
    y : ndarray of shape (n, ...)
        The target.
    responses : ndarray of shape (m, n, ...)
        Of all candidates.
    splits : ndarray of int, shape (n,)
        In which each of them was tested.
    weights : ndarray of shape (n,) or None
        What the scorer is given.
    """

    y: NDArray[Any]
    responses: NDArray[Any]
    splits: NDArray[np.intp]
    weights: Array | None

    @property
    def plain_weights(self) -> Array:
        """The weights, 1 where there are none."""
        return np.ones(len(self.y)) if self.weights is None else self.weights


def mean_of_known(by_split: Array) -> Array:
    """Return the mean over the splits that have a number, NaN if none has."""
    known = np.isfinite(by_split)
    totals = np.where(known, by_split, 0.0).sum(axis=0)
    n_known = known.sum(axis=0)
    return np.where(n_known > 0, totals / np.maximum(n_known, 1), np.nan)
