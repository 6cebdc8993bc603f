"""All parameters of all candidates in one picture."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Self

import numpy as np

from skhpo._arithmetic import Array
from skhpo._candidates._axis import Axis, short
from skhpo._candidates._read import select
from skhpo._fence import drawing_unit, lower_fence
from skhpo.plots._display import (
    LITERAL,
    Display,
    locator,
    shown_metric,
    written_names,
)

__all__ = ["ParallelDisplay"]

# Where a parameter does not exist, its line passes below the axis.
NOWHERE = -0.12
ROOM = 32  # for a name, in characters


class ParallelDisplay(Display):
    """One vertical axis per parameter and one for the score; a line is a candidate.

    Make it with `from_search` or `from_cv_results`. The color is the rank, and the
    best candidates are on top, so that the good regions of many parameters are seen at
    once. Failed candidates are left out. A line passes below the axis of a parameter
    that its candidate does not have.

    Parameters
    ----------
    axes : list of Axis
        The parameters, with the positions of the candidates.
    scores : ndarray of shape (n,)
        Mean test scores, NaN where a fit failed.
    metric : str, default="score"
        Of which score.

    Attributes
    ----------
    names : list of str
        The parameters, and the score at the end.
    heights : ndarray of shape (m, d + 1)
        The lines of the `m` candidates with a score, worst first: 0 is the lower end
        of an axis and 1 the upper one.
    quality : ndarray of shape (m,)
        Their colors: 0 for the worst score, 1 for the best, evenly by rank.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skhpo import GridSearch
    >>> from skhpo.plots import ParallelDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> search = GridSearch(SVC(), {"C": [0.001, 0.1, 10]}).fit(X, y)
    >>> ParallelDisplay.from_search(search).heights[:, 0].tolist()
    [0.5, 0.0, 1.0]
    """

    def __init__(
        self, axes: Sequence[Axis], scores: Array, metric: str = "score"
    ) -> None:
        self.axes = list(axes)
        self.scores = scores
        self.metric = metric
        self.names = [axis.name for axis in axes] + [metric]
        order = np.argsort(np.where(np.isnan(scores), -np.inf, scores), kind="stable")
        order = order[np.isnan(scores).sum() :]
        shown = np.maximum(scores, lower_fence(scores))
        self._scale = Axis(metric, shown, None, False)
        columns = [axis.to_unit(axis.positions) for axis in [*axes, self._scale]]
        heights = np.column_stack(columns)[order]
        self.heights = np.where(np.isnan(heights), NOWHERE, heights)
        self.quality = np.linspace(0, 1, len(order)) if len(order) > 1 else np.ones(1)

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
            Which parameters, in which order; all of them if None.

        Raises
        ------
        ValueError
            If one of `params` was not searched, or no candidate has a score.
        """
        found = cls._read(cv_results, metric, log)
        return cls(select(found.axes, params), found.scores, metric).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None for a new figure, the wider the more parameters.

        """
        from matplotlib.collections import LineCollection

        d = len(self.names)
        drawable = [axis.drawable for axis in [*self.axes, self._scale]]
        unit = drawing_unit(self._scale.positions)
        names = written_names([axis.name for axis in drawable[:-1]], ax, ROOM)
        names.append(f"test {shown_metric(self.metric, unit)}")
        ax = self._one_panel(ax, (max(5.0, 1.35 * d), 4.6))
        place = np.arange(d)
        lines = [np.column_stack([place, heights]) for heights in self.heights]
        widths = 0.6 + 1.6 * self.quality**8
        bundle = LineCollection(lines, array=self.quality, cmap="viridis_r")
        bundle.set(linewidths=widths, alpha=0.25 + 0.6 * self.quality, clim=(0, 1))
        ax.add_collection(bundle)
        bar = ax.figure.colorbar(bundle, ax=ax, fraction=0.03, pad=0.02, alpha=1)
        bar.set_ticks([0, 1], labels=["worst", "best"], **LITERAL)
        ax.vlines(place, 0, 1, colors="0.35", lw=0.8, zorder=0)
        for i, axis in enumerate(drawable):
            self._write(ax, i, *_ticks(axis))
        for i in np.flatnonzero((self.heights == NOWHERE).any(axis=0)).tolist():
            self._write(ax, i, np.array([NOWHERE]), ["none"])
        turned = {"rotation": 25, "ha": "right", "rotation_mode": "anchor"}
        turned = turned if max(map(len, names)) > 13 else {}
        ax.set_xticks(place, names, fontsize=9, **LITERAL, **turned)
        ax.set(xlim=(-0.3, d - 0.5), ylim=(self.heights.min() - 0.06, 1.05), yticks=[])
        for side in ("left", "right", "top", "bottom"):
            ax.spines[side].set_visible(False)
        return self

    def _write(self, ax: Any, i: int, heights: Array, labels: Sequence[str]) -> None:
        """Write at some heights of one axis, on a background that hides no line."""
        box = {"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.75}
        style = {"fontsize": 8, "va": "center", "ha": "left", "bbox": box, **LITERAL}
        for height, label in zip(heights, labels, strict=True):
            ax.plot([i - 0.03, i + 0.03], [height, height], c="0.35", lw=0.8)
            ax.text(i + 0.05, height, label, **style)


def _ticks(axis: Axis) -> tuple[Array, list[str]]:
    """Return heights on the axis of a parameter, and what is written there."""
    if axis.categories is not None:
        k = len(axis.categories)
        shown = np.unique(np.linspace(0, k - 1, min(k, 12)).round().astype(int))
        return axis.to_unit(shown.astype(float)), [axis.categories[i] for i in shown]
    if axis.n_values == 1:
        return np.array([0.5]), [short(axis.limits[0])]
    low, high = axis.limits
    round_ones = locator(axis, 5).tick_values(low, high)
    inside = round_ones[(low <= round_ones) & (round_ones <= high)]
    positions = inside if len(inside) > 1 else np.array([low, high])
    return axis.to_unit(positions), [f"{position:.4g}" for position in positions]
