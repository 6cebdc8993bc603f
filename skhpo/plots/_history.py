"""How the best score grew."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skhpo._arithmetic import Array
from skhpo._fence import drawing_unit, in_unit, lower_fence
from skhpo._words import did_you_mean
from skhpo.plots._display import (
    BEST,
    LITERAL,
    OTHERS,
    WORSE,
    Display,
    legend_above,
    shown_score,
)

__all__ = ["HistoryDisplay"]


class HistoryDisplay(Display):
    """The score of each candidate and the best so far, by number or by time.

    Make it with `from_search` or `from_cv_results`.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Mean test scores in the order of the rows, NaN where a fit failed.
    seconds : ndarray of shape (n,)
        Time of fitting and scoring of each candidate, on all splits.
    metric : str, default="score"
        Of which score.
    dropped : ndarray of shape (n,) or None, default=None
        Which candidates were dropped by a race, so that their scores are what was
        expected of them; None if there was none.

    Attributes
    ----------
    number : ndarray of shape (n,)
        0, 1, 2, ..., the rows of ``cv_results_``.
    elapsed : ndarray of shape (n,)
        Seconds of fitting and scoring up to and with each candidate, as if one had
        been evaluated after the other.
    best_so_far : ndarray of shape (n,)
        The highest score up to and with each candidate; NaN before the first one.
    fence : float
        The score below which candidates are drawn at the lower edge, as triangles:
        three interquartile ranges below the lower quartile.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skhpo import GridSearch
    >>> from skhpo.plots import HistoryDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> search = GridSearch(SVC(), {"C": [1e-3, 1e-1, 1e1]}).fit(X, y)
    >>> HistoryDisplay.from_search(search).best_so_far.round(2).tolist()
    [0.93, 0.93, 0.98]
    """

    def __init__(
        self,
        scores: Array,
        seconds: Array,
        metric: str = "score",
        dropped: NDArray[np.bool_] | None = None,
    ) -> None:
        self.scores = scores
        self.seconds = seconds
        self.metric = metric
        self.dropped = np.zeros(len(scores), bool) if dropped is None else dropped
        self.number = np.arange(len(scores))
        self.elapsed = np.cumsum(np.nan_to_num(seconds))
        none = np.isnan(scores) | self.dropped
        best = np.maximum.accumulate(np.where(none, -np.inf, scores))
        self.best_so_far = np.where(np.isneginf(best), np.nan, best)
        self.fence = lower_fence(scores)

    @classmethod
    def from_cv_results(
        cls,
        cv_results: Mapping[str, Any],
        *,
        metric: str = "score",
        log: Collection[str] | None = None,
        ax: Any = None,
        x: str = "number",
    ) -> Self:
        """Draw what stands in ``cv_results_``.

        Parameters
        ----------
        log : collection of str or None, default=None
            Ignored here; all displays have it.
        x : {"number", "time"}, default="number"
            As for `plot`.

        """
        found = cls._read(cv_results, metric, log)
        return cls(found.scores, found.seconds, metric, found.dropped).plot(ax, x=x)

    def plot(self, ax: Any = None, *, x: str = "number") -> Self:
        """Draw.

        Parameters
        ----------
        x : {"number", "time"}, default="number"
            What the candidates are drawn against: their number, or `elapsed`.

        Raises
        ------
        ValueError
            If `x` is neither.
        """
        if x not in ("number", "time"):
            hint = did_you_mean(x, ["number", "time"])
            raise ValueError(
                f"{hint}'x' must be 'number' or 'time'. Got {x!r} instead."
            )
        ax = self._one_panel(ax, (6.4, 4.0))
        at = self.number if x == "number" else self.elapsed
        failed = np.isnan(self.scores) & ~self.dropped
        below = self.scores < self.fence
        seen = ~np.isnan(self.scores) & ~below
        unit = drawing_unit(self.scores[seen])
        shown = in_unit(self.scores, unit)
        whole, dropped = seen & ~self.dropped, seen & self.dropped
        ax.scatter(at[whole], shown[whole], s=18, c=OTHERS, alpha=0.6, lw=0)
        if dropped.any():
            label = f"dropped ({self.dropped.sum()}), at the expected score"
            style = {"s": 18, "facecolors": "none", "edgecolors": OTHERS, "lw": 0.6}
            ax.scatter(at[dropped], shown[dropped], label=label, **style)
        best = np.where(self.best_so_far < self.fence, np.nan, self.best_so_far)
        best = in_unit(best, unit)
        ax.step(at, best, where="post", c=BEST, lw=2, label="best so far")
        edge = ax.get_xaxis_transform()
        if below.any():
            label = f"below {self.fence:.3g} ({below.sum()})"
            style = {"marker": "v", "s": 22, "c": OTHERS, "label": label}
            ax.scatter(at[below], [0.02] * below.sum(), transform=edge, **style)
        if failed.any():
            label = f"failed ({failed.sum()})"
            style = {"marker": "x", "s": 22, "c": WORSE, "label": label}
            ax.scatter(at[failed], [0.02] * failed.sum(), transform=edge, **style)
        along = "candidate" if x == "number" else "seconds of fits and scores"
        ax.set_xlabel(along, **LITERAL)
        ax.set_ylabel(shown_score(self.metric, unit), **LITERAL)
        if x == "number":
            ax.xaxis.get_major_locator().set_params(integer=True)
            ax.set_xlim(-1, len(at))
        legend_above(ax)
        return self
