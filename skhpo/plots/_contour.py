"""The score over two parameters at a time."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from skhpo._arithmetic import Array, largest
from skhpo._candidates._axis import Axis
from skhpo._candidates._model import ScoreModel, variance_shares
from skhpo._candidates._read import select
from skhpo._fence import drawing_unit, in_unit
from skhpo._words import counted
from skhpo.plots._display import (
    BEST,
    LITERAL,
    WORSE,
    Display,
    figure_legend,
    set_axis,
    shown_metric,
    written_names,
)

__all__ = ["ContourDisplay", "Surface"]

N_LEVELS = 30  # along a numeric axis
N_BACKGROUND = 32  # candidates whose other parameters are averaged over
N_SHOWN = 4  # parameters, if none are named
N_RANKING = 256  # points for ranking them
ROOM, ROOM_FOR_TWO = 25, 42  # for names, in characters


@dataclass(frozen=True, eq=False)
class Surface:
    """The modeled score over two parameters.

    Parameters
    ----------
    x, y : ndarray of shape (n_x,), (n_y,)
        Numbers along the two axes, or 0, 1, 2, ... for categories.
    mean : ndarray of shape (n_y, n_x)
        The modeled score, averaged over what the tried candidates had for the other
        parameters; NaN for a category that no candidate has together with the other
        parameter.
    """

    x: Array
    y: Array
    mean: Array


class ContourDisplay(Display):
    """The score over each pair of parameters, as a surrogate sees it, and the points.

    Make it with `from_search` or `from_cv_results`. The surface is the partial
    dependence (Friedman 2001) of the surrogate: its mean, averaged over the values that
    32 of the tried candidates have for the other parameters. Dots are candidates, the
    star is the best one, crosses are failures.

    Parameters
    ----------
    axes : sequence of Axis
        The parameters, two or more.
    surfaces : dict of (str, str) to Surface
        For each pair of names, in the order of `axes`; not for two parameters that
        no candidate has together.
    scores : ndarray of shape (n,)
        Mean test scores, NaN where a fit failed.
    metric : str, default="score"
        Of which score.

    Attributes
    ----------
    ax_ : ndarray of matplotlib Axes
        The panels: one for a pair; the lower triangle of a square for more.
    figure_ : matplotlib Figure
        The figure around them.

    References
    ----------
    .. [1] J. H. Friedman, "Greedy function approximation: a gradient boosting
       machine", Annals of Statistics 29, 2001.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skhpo import RandomSearch
    >>> from skhpo.plots import ContourDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> space = {"C": loguniform(1e-2, 1e2), "gamma": loguniform(1e-4, 1e1)}
    >>> search = RandomSearch(SVC(), space, n_iter=20, random_state=0).fit(X, y)
    >>> display = ContourDisplay.from_search(search)
    >>> display.surfaces["C", "gamma"].mean.shape
    (30, 30)
    """

    def __init__(
        self,
        axes: Sequence[Axis],
        surfaces: Mapping[tuple[str, str], Surface],
        scores: Array,
        metric: str = "score",
    ) -> None:
        self.axes = list(axes)
        self.surfaces = dict(surfaces)
        self.scores = scores
        self.metric = metric
        self._n_left_out = 0
        means = [surface.mean.ravel() for surface in self.surfaces.values()]
        self._unit = drawing_unit(np.concatenate(means))

    @classmethod
    def from_cv_results(
        cls,
        cv_results: Mapping[str, Any],
        *,
        metric: str = "score",
        log: Collection[str] | None = None,
        ax: Any = None,
        params: Sequence[str] | None = None,
        surrogate: str = "gp",
    ) -> Self:
        """Draw what stands in ``cv_results_``.

        Parameters
        ----------
        params : sequence of str or None, default=None
            Two parameters or more; None for the four that matter most, as
            `ImportanceDisplay` has them.
        surrogate : {"gp", "forest"}, default="gp"
            The model: a Gaussian process, or a random forest, which suits scores that
            jump.

        Raises
        ------
        ValueError
            If there are fewer than 4 candidates with a score, if all have the same one,
            or if fewer than two of the parameters vary.
        """
        found = cls._read(cv_results, metric, log)
        named = select(found.axes, params)
        model = ScoreModel(found.axes, found.scores, surrogate)
        shown = [axis for axis in named if axis.n_values > 1]
        if len(shown) < 2:
            raise ValueError(
                "A contour needs two parameters that vary. Those that do are "
                f"{[axis.name for axis in shown]}."
            )
        if params is None:
            shown = _most_important(model, shown)
        pairs = itertools.combinations(shown, 2)
        surfaces = {
            (a.name, b.name): _surface(model, a, b)
            for a, b in pairs
            if not np.isnan(a.positions + b.positions).all()
        }
        display = cls(shown, surfaces, found.scores, metric)
        display._n_left_out = len(named) - len(shown)
        return display.plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, array of Axes or None, default=None
            One for each place of the square, or one whose place they share; None for
            a new figure.

        """
        size = len(self.axes) - 1
        width = 5.2 if size == 1 else 3.3
        panels = self._panels(ax, size, size, (width, 0.85 * width))
        colors = self._colors()
        for panel in panels.flat:
            panel.set_axis_off()
        names = [axis.drawable.name for axis in self.axes]
        names = written_names(names, ax, ROOM_FOR_TWO if size == 1 else ROOM)
        for (i, a), (j, b) in itertools.combinations(enumerate(self.axes), 2):
            panel = panels[j - 1, i]
            panel.set_axis_on()
            if (a.name, b.name) in self.surfaces:
                self._draw(panel, a, b, colors)
            else:
                middle = {"ha": "center", "va": "center", "color": WORSE}
                where = {"transform": panel.transAxes, **LITERAL}
                panel.text(0.5, 0.5, "never together", middle, **where)
                panel.set(xlim=a.drawable.limits, ylim=b.drawable.limits)
            set_axis(panel, "x", a.drawable, names[i] if j == size else "")
            set_axis(panel, "y", b.drawable, names[j] if i == 0 else "")
            panel.tick_params(labelbottom=j == size, labelleft=i == 0)
        bar = self.figure_.colorbar(colors, ax=list(panels.flat), fraction=0.05)
        bar.set_label(f"modeled {shown_metric(self.metric, self._unit)}", **LITERAL)
        if self._n_left_out:
            left_out = counted(self._n_left_out, "parameter")
            text = f"without {left_out} that matter less"
            panels[0, 0].set_title(text, fontsize=9, loc="left", **LITERAL)
        if ax is None:
            figure_legend(self.figure_, self._marks(), size)
        return self

    def _marks(self) -> dict[str, dict[str, Any]]:
        """Return what there is to see, and how it is drawn."""
        dot = {"marker": "o", "ms": 4, "mfc": "w", "mec": "k", "mew": 0.5}
        marks = {
            "best": {"ls": "", "marker": "*", "ms": 9, "c": BEST},
            "candidate": {"ls": "", **dot},
        }
        if np.isnan(self.scores).any():
            marks["failed"] = {"ls": "", "marker": "x", "ms": 5, "c": WORSE}
        return marks

    def _colors(self) -> Any:
        """Return the color scale that all panels share."""
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize

        means = [in_unit(s.mean, self._unit) for s in self.surfaces.values()]
        low, high = min(map(np.nanmin, means)), max(map(np.nanmax, means))
        room = 0 if high > low else 1e-3 * (abs(low) or 1.0)
        return ScalarMappable(Normalize(low - room, high + room), "viridis")

    def _draw(self, panel: Any, a: Axis, b: Axis, colors: Any) -> None:
        surface = self.surfaces[a.name, b.name]
        style = {"norm": colors.norm, "cmap": colors.cmap}
        mean = in_unit(surface.mean, self._unit)
        drawn = a.drawn(surface.x), b.drawn(surface.y), mean
        if a.categories is None and b.categories is None:
            levels = np.linspace(colors.norm.vmin, colors.norm.vmax, 16)
            panel.contourf(*drawn, levels=levels, **style)
        else:
            panel.pcolormesh(*drawn, shading="nearest", **style)
        failed = np.isnan(self.scores)
        x, y = _beside(a.drawable, 0.618034), _beside(b.drawable, 0.754878)
        dot = {"s": 9, "c": "w", "edgecolors": "k", "linewidths": 0.5}
        panel.scatter(x[~failed], y[~failed], clip_on=False, zorder=2.5, **dot)
        panel.scatter(x[failed], y[failed], s=16, c=WORSE, marker="x", linewidths=0.9)
        best = largest(self.scores)
        star = {"marker": "*", "c": BEST, "edgecolors": "w", "linewidths": 0.6}
        panel.scatter(x[best], y[best], s=110, zorder=3, clip_on=False, **star)


def _beside(axis: Axis, step: float) -> Array:
    """Return positions, those of one category spread over its cell."""
    if axis.categories is None:
        return axis.positions
    spread = np.arange(len(axis.positions)) * step % 1 - 0.5
    return axis.positions + 0.6 * spread


def _most_important(model: ScoreModel, axes: list[Axis]) -> list[Axis]:
    """Return the axes with the highest total shares, in their order."""
    if len(axes) <= N_SHOWN:
        return axes
    total = variance_shares(model, N_RANKING)[1]
    shares = {axis.name: t for axis, t in zip(model.axes, total, strict=True)}
    ranked = sorted(axes, key=lambda axis: -shares[axis.name])[:N_SHOWN]
    return [axis for axis in axes if axis in ranked]


def _surface(model: ScoreModel, a: Axis, b: Axis) -> Surface:
    """Return the partial dependence of the score on two parameters."""
    i, j = (model.axes.index(axis) for axis in (a, b))
    (x, u), (y, w) = _levels(a), _levels(b)
    U, W = (grid.ravel() for grid in np.meshgrid(u, w))
    rows = model.X[~np.isnan(model.X[:, [i, j]]).any(axis=1)]
    rows = rows if len(rows) else model.X
    picks = np.unique(np.linspace(0, len(rows) - 1, N_BACKGROUND).astype(int))
    total = np.zeros(len(U))
    for row in rows[picks]:
        points = np.tile(row, (len(U), 1))
        points[:, i], points[:, j] = U, W
        total += model.predict(points)
    mean = model.in_scores(total / len(picks)).reshape(len(y), len(x))
    together = ~np.isnan(a.positions + b.positions)
    if a.categories is not None:
        mean[:, ~np.isin(x, a.positions[together])] = np.nan
    if b.categories is not None:
        mean[~np.isin(y, b.positions[together])] = np.nan
    return Surface(x, y, mean)


def _levels(axis: Axis) -> tuple[Array, Array]:
    """Return positions along an axis, and their coordinates in the unit cube."""
    if axis.categories is not None:
        positions = np.arange(len(axis.categories), dtype=float)
        return positions, axis.to_unit(positions)
    units = np.linspace(0, 1, N_LEVELS)
    return axis.from_unit(units), units
