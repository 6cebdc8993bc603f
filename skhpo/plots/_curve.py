"""The scores of a candidate along its number of iterations."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skhpo._arithmetic import Array
from skhpo._candidates._axis import clipped
from skhpo._fence import drawing_unit, in_unit, lower_fence, out_of_unit
from skhpo._printable import scoring_name
from skhpo.plots._display import (
    BEST,
    LITERAL,
    MAX_METRIC,
    OTHERS,
    import_pyplot,
    legend_above,
    one_panel,
    shown_metric,
)

__all__ = ["CurveDisplay"]


class CurveDisplay:
    """What a candidate scores after each number of iterations.

    Make it with `from_search`. Each thin line is a split, the thick one their mean,
    and the point the number that was chosen: where the mean is best. If the mean still
    rises there, raise ``high`` of the :class:`~skhpo.space.Curve`.

    Parameters
    ----------
    stages : ndarray of int, shape (n_stages,)
        The numbers of iterations.
    scores : ndarray of shape (n_splits, n_stages)
        The test score at each of them.
    chosen : int
        One of the numbers.
    parameter : str, default="iterations"
        Their name.
    metric : str, default="score"
        Of which score.

    Attributes
    ----------
    means : ndarray of shape (n_stages,)
        Mean scores over the splits; NaN where a split has none.
    ax_ : matplotlib Axes
        Where it was drawn.
    figure_ : matplotlib Figure
        The figure around it.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import AdaBoostClassifier
    >>> from skhpo import GridSearch
    >>> from skhpo.plots import CurveDisplay
    >>> from skhpo.space import Curve
    >>> X, y = load_iris(return_X_y=True)
    >>> boosting = AdaBoostClassifier(random_state=0)
    >>> search = GridSearch(boosting, {"n_estimators": Curve(9)}, cv=3).fit(X, y)
    >>> display = CurveDisplay.from_search(search)
    >>> display.chosen == search.best_params_["n_estimators"]
    True
    """

    ax_: Any
    figure_: Any

    def __init__(
        self,
        stages: NDArray[np.intp],
        scores: Array,
        chosen: int,
        parameter: str = "iterations",
        metric: str = "score",
    ) -> None:
        self.stages = stages
        self.scores = scores
        self.chosen = chosen
        self.parameter = parameter
        self.metric = metric
        finite = np.where(np.isfinite(scores), scores, np.nan)
        self._unit = drawing_unit(finite)
        self._shown = in_unit(finite, self._unit)
        self.means = out_of_unit(self._shown.mean(axis=0), self._unit)

    @classmethod
    def from_search(
        cls,
        search: Any,
        index: int | None = None,
        *,
        metric: str | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw the curve of one candidate of a fitted search.

        That of a candidate which a race dropped has the splits before it was.

        Parameters
        ----------
        search : estimator
            A fitted search of skhpo, over a space with a Curve.
        index : int or None, default=None
            Row in ``cv_results_``; None for the best.
        metric : str or None, default=None
            Which of several scores; None for the one that `refit` names.
        ax : matplotlib Axes or None, default=None
            Where to draw; None for a new figure.

        Returns
        -------
        object
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        ValueError
            If the candidate has no curve.
        """
        import_pyplot(cls.__name__)
        index = search.best_index_ if index is None else index
        curve = search.curve_of(index, metric)
        chosen = search.cv_results_["params"][index][curve.parameter]
        named = search.multimetric_ and isinstance(search.refit, str)
        own = scoring_name(search, str(search.refit) if named else "score")
        name = metric or own
        scores = curve.scores
        if "dropped" in search.cv_results_ and search.cv_results_["dropped"][index]:
            scores = scores[~np.isnan(scores).all(axis=1)]  # those before it
        return cls(curve.stages, scores, chosen, curve.parameter, name).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None for a new figure.

        Returns
        -------
        object
            This display.
        """
        ax = one_panel(type(self).__name__, ax, (6.0, 4.0))
        self.ax_, self.figure_ = ax, ax.figure
        for split, scores in enumerate(self._shown):
            label = "a split" if split == 0 else None
            ax.plot(self.stages, scores, label=label, c=OTHERS, lw=0.8, alpha=0.6)
        means = self._shown.mean(axis=0)
        ax.plot(self.stages, means, label="mean", c=BEST, lw=2)
        at = np.flatnonzero(self.stages == self.chosen)
        label = f"chosen: {self.chosen}"
        ax.plot(self.stages[at], means[at], "D", label=label, c=BEST, ms=6, zorder=3)
        self._limit(ax)
        ax.set_xlabel(clipped(self.parameter, MAX_METRIC), **LITERAL)
        ax.set_ylabel(f"test {shown_metric(self.metric, self._unit)}", **LITERAL)
        legend_above(ax)
        return self

    def _limit(self, ax: Any) -> None:
        """Leave out the first numbers, if they are far below all others."""
        known = self._shown[~np.isnan(self._shown)]
        if known.size:
            low, high = lower_fence(known), float(known.max())
            margin = 0.05 * (high - low) or 0.05
            ax.set_ylim(low - margin, high + margin)
