"""The score along each parameter."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skhpo._arithmetic import Array, largest
from skhpo._candidates._axis import Axis
from skhpo._candidates._read import select
from skhpo._fence import drawing_unit, in_unit, lower_fence
from skhpo.plots._display import (
    BEST,
    LITERAL,
    OTHERS,
    WORSE,
    Display,
    figure_legend,
    set_axis,
    shown_score,
    written_names,
)

__all__ = ["SliceDisplay"]

MAX_COLUMNS = 4
ROOM = 34  # for a name below a panel, in characters
# Candidates with the same category are drawn side by side, over this width.
SPREAD = 0.5
# From the first to the last candidate, 0 to 1; what is lighter is hardly seen on white.
SHADES, FIRST = "Blues", -0.5


class SliceDisplay(Display):
    """One panel per parameter: the score of each candidate by its value.

    Make it with `from_search` or `from_cv_results`. Later candidates are darker, the
    best one is marked. Candidates that do not have the parameter are left out.

    Parameters
    ----------
    axes : list of Axis
        The parameters, with the positions of the candidates.
    scores : ndarray of shape (n,)
        Mean test scores, NaN where a fit failed.
    metric : str, default="score"
        Of which score.
    dropped : ndarray of shape (n,) or None, default=None
        Which candidates were dropped by a race, and are drawn as rings at the score
        that was expected of them; None if there was none.

    Attributes
    ----------
    positions : dict of str to ndarray of shape (n,)
        For each parameter the numbers, or the places in `categories`; NaN where a
        candidate does not have it.
    categories : dict of str to (tuple of str or None)
        What stands at 0, 1, 2, ... on the axes of values that are no numbers.
    is_log : dict of str to bool
        Which axes are logarithmic.
    best_row : int
        The row with the highest score.
    fence : float
        The score below which candidates are drawn at the lower edge.
    ax_ : ndarray of matplotlib Axes
        The panels.
    figure_ : matplotlib Figure
        The figure around them.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skhpo import GridSearch
    >>> from skhpo.plots import SliceDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> grid = {"C": [0.1, 1, 10], "kernel": ["rbf", "linear"]}
    >>> display = SliceDisplay.from_search(GridSearch(SVC(), grid).fit(X, y))
    >>> display.is_log["C"], display.categories["kernel"]
    (True, ('linear', 'rbf'))
    """

    def __init__(
        self,
        axes: Sequence[Axis],
        scores: Array,
        metric: str = "score",
        dropped: NDArray[np.bool_] | None = None,
    ) -> None:
        self.axes = list(axes)
        self.scores = scores
        self.metric = metric
        self.dropped = np.zeros(len(scores), bool) if dropped is None else dropped
        self.positions = {axis.name: axis.positions for axis in axes}
        self.categories = {axis.name: axis.categories for axis in axes}
        self.is_log = {axis.name: axis.is_log for axis in axes}
        self.fence = lower_fence(scores)
        self._unit = drawing_unit(np.maximum(scores, self.fence))

    @classmethod
    def from_cv_results(
        cls,
        cv_results: Mapping[str, Any],
        *,
        metric: str = "score",
        log: Collection[str] | None = None,
        ax: Any = None,
        params: Sequence[str] | None = None,
    ) -> Self:
        """Draw what stands in ``cv_results_``.

        Parameters
        ----------
        params : sequence of str or None, default=None
            Which parameters, all of them if None.

        Raises
        ------
        ValueError
            If one of `params` was not searched, or no candidate has a score.
        """
        found = cls._read(cv_results, metric, log)
        axes = select(found.axes, params)
        display = cls(axes, found.scores, metric, found.dropped)
        return display.plot(ax)

    @property
    def best_row(self) -> int:
        """The row with the highest score."""
        return largest(np.where(self.dropped, np.nan, self.scores))

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, array of Axes or None, default=None
            One for each panel (rows of at most four, the last ones of an unfilled row
            stay empty), or one whose place they share; None for a new figure.

        """
        panels = self._rows_of_panels(ax, len(self.axes), MAX_COLUMNS, (3.0, 2.6))
        drawable = [axis.drawable for axis in self.axes]
        names = written_names([axis.name for axis in drawable], ax, ROOM)
        for panel, axis, name in zip(panels.flat, drawable, names, strict=False):
            self._draw(panel, axis, name)
        for panel in panels[:, 0]:
            panel.set_ylabel(shown_score(self.metric, self._unit), **LITERAL)
        for panel in panels[:, 1:].flat:
            panel.tick_params(labelleft=False)
        if ax is None:
            figure_legend(self.figure_, self._marks(), panels.shape[1])
        return self

    def _marks(self) -> dict[str, dict[str, Any]]:
        """Return what there is to see, and how it is drawn."""
        from matplotlib import colormaps

        dot = {"ls": "", "marker": "o", "ms": 5}
        early, late = colormaps[SHADES]([(0 - FIRST) / (1 - FIRST), 1.0])
        marks: dict[str, dict[str, Any]] = {
            "best": {"ls": "", "marker": "*", "ms": 9, "c": BEST},
            "early": {**dot, "c": early},
            "late": {**dot, "c": late},
        }
        if self.dropped.any():
            marks["dropped"] = {**dot, "mfc": "none", "mec": OTHERS}
        if (self.scores < self.fence).any():
            marks["lower than shown"] = {"ls": "", "marker": "v", "c": OTHERS}
        if (np.isnan(self.scores) & ~self.dropped).any():
            marks["failed"] = {"ls": "", "marker": "x", "c": WORSE}
        return marks

    def _draw(self, panel: Any, axis: Axis, name: str) -> None:
        at = axis.positions
        order = np.arange(len(at)) / max(len(at) - 1, 1)
        if axis.categories is not None:
            # The golden ratio spreads any number of consecutive rows evenly.
            at = at + SPREAD * (np.arange(len(at)) * 0.618034 % 1 - 0.5)
        y = in_unit(np.maximum(self.scores, self.fence), self._unit)
        low, high = np.nanmin(y), np.nanmax(y)
        margin = 0.06 * (high - low) or 0.01
        whole = ~self.dropped
        shade = {"c": order[whole], "cmap": SHADES, "vmin": FIRST, "vmax": 1}
        panel.scatter(at[whole], y[whole], s=16, lw=0, alpha=0.9, **shade)
        if self.dropped.any():
            ring = {"facecolors": "none", "edgecolors": OTHERS}
            panel.scatter(at[~whole], y[~whole], s=16, lw=0.6, **ring)
        panel.set_ylim(low - 2 * margin, high + margin)
        below = self.scores < self.fence
        panel.scatter(at[below], y[below], s=24, c=OTHERS, marker="v")
        failed = np.isnan(self.scores) & ~self.dropped
        floor = np.full(failed.sum(), low - 1.3 * margin)
        panel.scatter(at[failed], floor, s=18, c=WORSE, marker="x")
        best = self.best_row
        panel.scatter(at[best], y[best], s=70, c=BEST, marker="*", zorder=3)
        set_axis(panel, "x", axis, name)
