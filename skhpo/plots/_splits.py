"""The scores of the best candidates on each split."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skhpo._arithmetic import Array
from skhpo._fence import drawing_unit, in_unit, out_of_unit
from skhpo.plots._display import (
    BEST,
    LITERAL,
    OTHERS,
    Display,
    legend_above,
    shown_metric,
)

__all__ = ["SplitScoresDisplay"]


class SplitScoresDisplay(Display):
    """The scores of the top candidates on every split.

    Make it with `from_search` or `from_cv_results`. Each thin line is one split. Where
    the lines run in parallel, the splits differ and the candidates do not; where they
    cross, the order of the candidates is luck.

    Parameters
    ----------
    rows : ndarray of int, shape (k,)
        The candidates as rows of ``cv_results_``, best first.
    split_scores : ndarray of shape (k, n_splits)
        Their test scores.
    metric : str, default="score"
        Of which score.

    Attributes
    ----------
    means : ndarray of shape (k,)
        Mean scores.
    deviations : ndarray of shape (k,)
        Standard deviations over the splits.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skhpo import GridSearch
    >>> from skhpo.plots import SplitScoresDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> search = GridSearch(SVC(), {"C": [1e-3, 1e-1, 1e1]}, cv=3).fit(X, y)
    >>> display = SplitScoresDisplay.from_search(search, top=2)
    >>> display.rows.tolist(), display.split_scores.shape
    ([2, 1], (2, 3))
    """

    def __init__(
        self, rows: NDArray[np.intp], split_scores: Array, metric: str = "score"
    ) -> None:
        self.rows = rows
        self.split_scores = split_scores
        self.metric = metric
        self._unit = drawing_unit(split_scores)
        self._shown = in_unit(split_scores, self._unit)
        self.means = out_of_unit(self._shown.mean(axis=1), self._unit)
        self.deviations = out_of_unit(self._shown.std(axis=1), self._unit)

    @classmethod
    def from_cv_results(
        cls,
        cv_results: Mapping[str, Any],
        *,
        metric: str = "score",
        log: Collection[str] | None = None,
        ax: Any = None,
        top: int = 10,
    ) -> Self:
        """Draw what stands in ``cv_results_``.

        Parameters
        ----------
        log : collection of str or None, default=None
            Ignored here; all displays have it.
        top : int, default=10
            How many candidates, the best of those that have a score on all splits.

        Raises
        ------
        ValueError
            If `top` is less than 1, or no candidate has a score on all splits.
        """
        if top < 1:
            raise ValueError(f"'top' must be 1 or more. Got {top} instead.")
        found = cls._read(cv_results, metric, log)
        scores = np.where(found.dropped, np.nan, found.scores)
        order = np.argsort(-scores, kind="stable")  # NaN last
        rows = order[: min(top, int(np.isfinite(scores).sum()))]
        return cls(rows, found.split_scores[rows], metric).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw."""
        k, n_splits = self.split_scores.shape
        ax = self._one_panel(ax, (max(4.0, 1.5 + 0.5 * k), 4.0))
        place = np.arange(k)
        for split, scores in enumerate(self._shown.T):
            label = "a split" if split == 0 else None
            style = {"c": OTHERS, "lw": 0.8, "alpha": 0.6, "marker": "o", "ms": 3}
            ax.plot(place, scores, label=label, **style)
        style = {"fmt": "D", "c": BEST, "ms": 5, "capsize": 3, "zorder": 3}
        label = "mean and deviation" if n_splits > 1 else "score"
        bars = in_unit(self.means, self._unit), in_unit(self.deviations, self._unit)
        ax.errorbar(place, *bars, label=label, **style)
        ax.set_xticks(place, [*map(str, self.rows)], **LITERAL)
        ax.set_xlim(-0.5, k - 0.5)
        ax.set_xlabel("row of cv_results_, best first", **LITERAL)
        ax.set_ylabel(f"test {shown_metric(self.metric, self._unit)}", **LITERAL)
        legend_above(ax)
        return self
