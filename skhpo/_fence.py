"""Where pictures of scores end, so that one disaster does not fill them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skhpo._arithmetic import own_arithmetic, unit_of

__all__ = ["lower_fence"]


@own_arithmetic()
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
    unit = unit_of(np.abs(finite).max(keepdims=True))  # in which differences are floats
    low, high = np.quantile(finite / unit, [0.25, 0.75])
    inside = finite[finite / unit >= low - 3 * (high - low)]
    return float(inside.min())
