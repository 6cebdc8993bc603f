"""Train scores against corrected ones: does the winner overfit, or underfit?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skhpo._report._reading import Reading

__all__ = ["Gap", "gap_of"]


@dataclass(frozen=True)
class Gap:
    """The train score of the winner, and what it says.

    Parameters
    ----------
    train_score : float
        The mean over the splits.
    size : float
        By how much it is above the corrected score.
    verdict : {"overfits", "underfits", "fits"}
        It overfits if the gap is above two standard errors and more than half of what
        is missing to a perfect score. It underfits if there is none, the winner is no
        better than the worst tenth of the candidates, and not perfect but for a
        standard error.
    """

    train_score: float
    size: float
    verdict: str


def gap_of(reading: Reading, corrected: float, error: float) -> Gap | None:
    """Return the gap, None without train scores.

    Parameters
    ----------
    reading : Reading
        The search.
    corrected : float
        The corrected score.
    error : float
        Its standard error.
    """
    column = reading.results.get(f"mean_train_{reading.metric}")
    if column is None or not np.isfinite(column[reading.winner]):
        return None
    train = float(column[reading.winner])
    size = train - corrected
    means = reading.means[reading.rows]
    # Scores of losses end at 0, most others at 1.
    perfect = 0.0 if means.max() <= 0 and train <= 0 else 1.0
    missing = perfect - corrected
    if train <= perfect and size > 2 * error and size > missing / 2:
        verdict = "overfits"
    elif size < error < abs(missing) and corrected - np.quantile(means, 0.1) < error:
        verdict = "underfits"
    else:
        verdict = "fits"
    return Gap(train, size, verdict)
