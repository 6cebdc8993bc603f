"""Where pictures of scores end, and in which unit they are drawn."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["MODERATE", "drawing_unit", "in_unit", "lower_fence", "out_of_unit"]

# Numbers of these magnitudes have squares, differences and margins that are floats.
MODERATE = 1e-100, 1e100
# What is less in its unit is nothing, and would only underflow.
NOTHING = 1e-150


def drawing_unit(values: NDArray[np.float64]) -> float:
    """Return the power of ten in which numbers are drawn.

    Parameters
    ----------
    values : ndarray
        The numbers; what is not finite does not count.

    Returns
    -------
    float
        1, unless the largest magnitude is none that can be reckoned with.

    Examples
    --------
    >>> drawing_unit(np.array([0.5, -2e6])), drawing_unit(np.array([0.5, -1.5e308]))
    (1.0, 1e+308)
    """
    magnitudes = np.abs(values[np.isfinite(values)])
    largest = float(magnitudes.max(initial=0.0))
    low, high = MODERATE
    if largest == 0 or low <= largest <= high:
        return 1.0
    return 10.0 ** max(math.floor(math.log10(largest)), -307)


def in_unit(values: NDArray[np.float64], unit: float) -> NDArray[np.float64]:
    """Return numbers in a unit; those that are nothing beside the largest are 0."""
    with np.errstate(under="ignore"):
        shown = values / unit
    return np.where(np.abs(shown) < NOTHING, 0.0, shown)


def out_of_unit(shown: NDArray[np.float64], unit: float) -> NDArray[np.float64]:
    """Return the numbers that are shown in a unit; none is beyond the last float."""
    largest = np.finfo(float).max
    with np.errstate(over="ignore", under="ignore"):
        return np.clip(shown * unit, -largest, largest)


def lower_fence(scores: NDArray[np.float64]) -> float:
    """Return the score below which one is drawn at the lower edge.

    One failure to converge, with an R2 of -1e6, would press all others into a line.
    This is Tukey's outer fence (Exploratory Data Analysis, 1977), three interquartile
    ranges below the lower quartile: the lowest score that is not below it.

    Parameters
    ----------
    scores : ndarray
        Scores, NaN for failures; one or more are not.

    Returns
    -------
    float
        The fence.
    """
    finite = scores[np.isfinite(scores)]
    shown = in_unit(finite, drawing_unit(finite))
    low, high = np.quantile(shown, [0.25, 0.75])
    inside = finite[shown >= low - 3 * (high - low)]
    return float(inside.min())
