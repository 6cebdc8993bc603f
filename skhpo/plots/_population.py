"""How a population was trained: scores, lineage and schedules."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skhpo._arithmetic import Array, largest
from skhpo._candidates._axis import Axis
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

__all__ = ["PopulationDisplay"]

Rows = NDArray[np.intp]

MAX_COLUMNS = 3
ROOM = 36  # for a name above a panel, in characters


class PopulationDisplay(Display):
    """The training of a population: its scores, who went on from whom, and schedules.

    Make it with `from_search` or `from_cv_results` of a `PBTSearch`. The first panel
    has the score after each generation, the others one parameter each, over the
    training steps. A line leads from each member to where it came from; dashed, if it
    was another member. The line of the best member, which is what ``best_schedule_``
    says and ``refit`` replays, stands out.

    Parameters
    ----------
    steps : ndarray of int, shape (n,)
        Training steps behind each row of ``cv_results_``.
    scores : ndarray of shape (n,)
        Mean test scores, NaN where a training failed.
    parents : ndarray of int, shape (n,)
        The row whose models each row continued, -1 at birth.
    exploited : ndarray of bool, shape (n,)
        Whether that was another member.
    axes : list of Axis
        The parameters.
    best_row : int
        Where the line that stands out ends.
    metric : str, default="score"
        Of which score.

    Attributes
    ----------
    lineage : ndarray of int, shape (g,)
        The rows from birth to `best_row`.
    starts : ndarray of int, shape (n,)
        Training steps behind each row when its parameters began to act.
    ax_ : ndarray of matplotlib Axes
        The panels.
    figure_ : matplotlib Figure
        The figure around them.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import SGDClassifier
    >>> from skhpo import PBTSearch
    >>> from skhpo.plots import PopulationDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> model = SGDClassifier(loss="log_loss", learning_rate="constant", eta0=0.1)
    >>> search = PBTSearch(
    ...     model, {"eta0": loguniform(1e-5, 1)}, population_size=4, n_generations=3,
    ...     cv=2, random_state=0,
    ... ).fit(X, y)
    >>> display = PopulationDisplay.from_search(search)
    >>> display.steps[display.lineage].tolist()
    [1, 2, 3]
    """

    def __init__(
        self,
        steps: Rows,
        scores: Array,
        parents: Rows,
        exploited: NDArray[np.bool_],
        axes: list[Axis],
        best_row: int,
        metric: str = "score",
    ) -> None:
        self.steps = steps
        self.scores = scores
        self.parents = parents
        self.exploited = exploited
        self.axes = axes
        self.best_row = best_row
        self.metric = metric
        self.starts = np.where(parents < 0, 0, steps[parents])
        line = [best_row]
        while parents[line[-1]] >= 0:
            line.append(int(parents[line[-1]]))
        self.lineage = np.array(line[::-1])

    @classmethod
    def from_cv_results(
        cls,
        cv_results: Mapping[str, Any],
        *,
        metric: str = "score",
        log: Collection[str] | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw what stands in ``cv_results_``.

        Parameters
        ----------
        cv_results : mapping of str to array-like
            ``cv_results_`` of a `PBTSearch`, also as a data frame.

        Returns
        -------
        PopulationDisplay
            The display, drawn. The best row is the one of highest score in the last
            generation that has scores.

        Raises
        ------
        ValueError
            If the results are not those of a population.
        """
        if "parent" not in cv_results:
            raise ValueError(
                "The results are not those of a population: they have no column "
                "'parent'. PopulationDisplay draws a PBTSearch."
            )
        found = cls._read(cv_results, metric, log)
        steps = np.asarray(cv_results["n_resources"])
        last = steps == steps[~np.isnan(found.scores)].max()
        best = largest(np.where(last, found.scores, np.nan))
        return cls(
            steps,
            found.scores,
            np.asarray(cv_results["parent"]),
            np.asarray(cv_results["exploited"], dtype=bool),
            found.axes,
            best,
            metric,
        ).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, array of Axes or None, default=None
            One for each panel (rows of at most three, the last ones of an unfilled row
            stay empty), or one whose place they share; None for a new figure.

        """
        from matplotlib.ticker import MaxNLocator

        n = len(self.axes) + 1
        panels = self._rows_of_panels(ax, n, MAX_COLUMNS, (3.6, 2.8))
        self._draw_scores(panels.flat[0])
        drawable = [axis.drawable for axis in self.axes]
        names = written_names([axis.name for axis in drawable], ax, ROOM)
        for panel, axis, name in zip(panels.flat[1:], drawable, names, strict=False):
            self._draw_schedules(panel, axis, name)
        for panel in panels.flat[:n]:
            panel.set_xlim(0, 1.02 * self.steps.max())
            panel.xaxis.set_major_locator(MaxNLocator(6, integer=True))
            panel.set_xlabel("training steps", fontsize=9, **LITERAL)
        if ax is None:
            figure_legend(self.figure_, self._marks(), panels.shape[1])
        return self

    def _marks(self) -> dict[str, dict[str, Any]]:
        """Return what there is to see, and how it is drawn."""
        marks = {
            "the way to the best": {"c": BEST, "lw": 2, "marker": "o", "ms": 3.5},
            "other members": {"c": OTHERS, "lw": 1},
        }
        if self.exploited.any():
            marks["took over a better one"] = {"c": OTHERS, "lw": 1, "ls": "--"}
        if np.isnan(self.scores).any():
            marks["failed"] = {"ls": "", "marker": "x", "ms": 5, "c": WORSE}
        return marks

    def _draw_scores(self, panel: Any) -> None:
        shown = np.maximum(self.scores, lower_fence(self.scores))
        unit = drawing_unit(shown)
        shown = in_unit(shown, unit)
        born = self.parents >= 0
        for exploited, style in ((False, "-"), (True, "--")):
            rows = np.flatnonzero(born & (self.exploited == exploited))
            ends = np.stack([self.parents[rows], rows])
            panel.plot(
                self.steps[ends], shown[ends], style, c=OTHERS, lw=0.7, alpha=0.5
            )
        panel.scatter(self.steps, shown, s=8, c=OTHERS, lw=0)
        failed = np.isnan(self.scores)
        floor = np.full(failed.sum(), np.nanmin(shown))
        panel.scatter(self.steps[failed], floor, s=18, c=WORSE, marker="x")
        panel.plot(self.steps[self.lineage], shown[self.lineage], "o-", c=BEST, ms=3.5)
        panel.set_title(shown_score(self.metric, unit), fontsize=10, **LITERAL)

    def _draw_schedules(self, panel: Any, axis: Axis, name: str) -> None:
        at = axis.positions
        for row in range(len(self.steps)):
            span = [self.starts[row], self.steps[row]]
            panel.plot(span, [at[row]] * 2, c=OTHERS, lw=1, alpha=0.4)
        line = self.lineage
        corners = np.column_stack([self.starts[line], self.steps[line]]).ravel()
        panel.plot(corners, np.repeat(at[line], 2), c=BEST, lw=2)
        set_axis(panel, "y", axis)
        panel.set_title(name, fontsize=10, **LITERAL)
