"""The report of a fitted search."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np

from skhpo._arithmetic import own_arithmetic
from skhpo._candidates._model import ScoreModel, variance_shares
from skhpo._report._gap import Gap
from skhpo._report._reading import Compared
from skhpo._report._text import as_html, as_text
from skhpo.search._edges import Edge

__all__ = ["Report"]

# Of more candidates, the model of the score would take longer than the report.
MOST_MODELED, N_POINTS = 100, 512


@dataclass(frozen=True, eq=False)
class Report:
    """What the result of a search is worth; :func:`skhpo.report` makes it.

    ``print`` it for a summary; notebooks show it as a table. What cannot be said is
    None, and `notes` say why. Rows are those of ``cv_results_``.

    Parameters
    ----------
    search : str
        The class of the search.
    metric : str
        The score that decides.
    n_candidates : int
        How many candidates are compared: those with a score on every split.
    n_tried : int
        How many there were, with those that failed or were dropped on the way.
    n_splits : int
        The number of splits.
    level : float
        Of the intervals.
    rope : float
        A gain up to this counts as none.
    best_index : int
        The row of the winner.
    best_params : dict
        Its parameters.
    best_score : float
        Its mean test score, which is ``best_score_``.
    corrected_score : float or None
        What the winner of such a search scores on splits that it was not chosen on.
    interval : (float, float) or None
        Where the true one may be.
    optimism : float or None
        By how much `best_score` is higher than `corrected_score`.
    default_index : int or None
        The row of the estimator as given, with the parameters that it had.
    default_score : float or None
        Its mean test score.
    default_interval : (float, float) or None
        Where the true one may be.
    gain : float or None
        `corrected_score` less `default_score`.
    gain_interval : (float, float) or None
        Where the true one may be.
    gain_shown : bool
        Whether all of this interval is above `rope`.
    indistinguishable : list of int
        The rows that cannot be told from the winner by these splits, it included.
    simplest : int or None
        The row among them of the simplest model, by the parameters that are known to
        limit one; None if none of those was searched.
    fastest : int or None
        The row among them that fits and scores fastest.
    corrected_history : list of (int, float)
        Numbers of candidates, and what `corrected_score` was with so many. Empty for a
        callable `refit`, and where some were dropped for others.
    still_rising : bool or None
        Whether it rose from half of the candidates to all by more than the standard
        error of the rise, and a tenth of its own.
    at_edge : list of Edge
        Parameters of the winner at an end of their range, each with ``name``,
        ``value``, ``end``, ``bound`` and ``suggested``.
    gap : Gap or None
        Train scores, and what they say; None without ``return_train_score=True``.
    split_share : float or None
        The share of the variance of all scores that is between the splits.
    outlying_splits : list of int
        Splits on which most candidates do much worse than on the others.
    n_failed : int
        Candidates without a score on some split.
    seconds : float
        Time of all fits and scores, as if one had been done after the other.
    seconds_per_candidate : float
        That of the median candidate.
    chosen_by : str or None
        The callable `refit` that chose the winner.
    method : str
        How the numbers were computed.
    notes : list of str
        What cannot be said, and why.
    candidates : Compared
        The candidates, for `importance` and `params`.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skhpo import report
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> tree = DecisionTreeClassifier(random_state=0)
    >>> search = GridSearchCV(tree, {"max_depth": [None, 1, 2, 4, 8]}).fit(X, y)
    >>> found = report(search)
    >>> found.gain_shown
    False
    >>> found.params(found.simplest)
    {'max_depth': 2}
    """

    search: str
    metric: str
    n_candidates: int
    n_tried: int
    n_splits: int
    level: float
    rope: float
    best_index: int
    best_params: dict[str, Any]
    best_score: float
    corrected_score: float | None = None
    interval: tuple[float, float] | None = None
    optimism: float | None = None
    default_index: int | None = None
    default_score: float | None = None
    default_interval: tuple[float, float] | None = None
    gain: float | None = None
    gain_interval: tuple[float, float] | None = None
    gain_shown: bool = False
    indistinguishable: list[int] = field(default_factory=list)
    simplest: int | None = None
    fastest: int | None = None
    corrected_history: list[tuple[int, float]] = field(default_factory=list)
    still_rising: bool | None = None
    at_edge: list[Edge] = field(default_factory=list)
    gap: Gap | None = None
    split_share: float | None = None
    outlying_splits: list[int] = field(default_factory=list)
    n_failed: int = 0
    seconds: float = math.nan
    seconds_per_candidate: float = math.nan
    chosen_by: str | None = None
    method: str = ""
    notes: list[str] = field(default_factory=list)
    candidates: Compared = field(default_factory=Compared, repr=False)

    @cached_property
    def _shares(self) -> tuple[dict[str, float], float | None]:
        """The shares of the parameters, and how far their model is to be trusted."""
        compared = self.candidates
        try:
            model = ScoreModel(compared.axes, compared.means, "gp", MOST_MODELED)
        except ValueError:  # too few candidates, or nothing varies
            return {}, None
        with own_arithmetic():
            _, total = variance_shares(model, N_POINTS)
            explained = model.explained()
        order = np.argsort(-total, kind="stable")
        return {model.axes[i].name: float(total[i]) for i in order}, explained

    @property
    def importance(self) -> dict[str, float]:
        """The share of each parameter in the variance of the score, highest first.

        That of :class:`skhpo.plots.ImportanceDisplay`, with interactions; empty if the
        scores say nothing. It is computed when it is first asked for.
        """
        return self._shares[0]

    @property
    def explained(self) -> float | None:
        """How much of the variance of unseen scores the model of `importance` knows."""
        return self._shares[1]

    def params(self, row: int) -> dict[str, Any]:
        """Return the parameters of a row of ``cv_results_``.

        Parameters
        ----------
        row : int
            Such as `simplest` or `fastest`.

        Returns
        -------
        dict
            Its parameters.
        """
        return self.candidates.params[row]

    def to_dict(self) -> dict[str, Any]:
        """Return all that is known as plain Python objects.

        Returns
        -------
        dict
            The attributes by name; all but values of parameters can be written as
            JSON.
        """
        shown = [f.name for f in fields(self) if f.name != "candidates"]
        plain = {name: getattr(self, name) for name in shown}
        plain["at_edge"] = [vars(edge).copy() for edge in self.at_edge]
        plain["gap"] = None if self.gap is None else vars(self.gap).copy()
        return plain | {"importance": self.importance, "explained": self.explained}

    def plot(self, ax: Any = None) -> Any:
        """Draw the scores of the estimator as given and tuned, with their intervals.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None for a new figure.

        Returns
        -------
        matplotlib Axes
            Where it was drawn.
        """
        from skhpo._report._plot import plot_report

        return plot_report(self, ax)

    def __str__(self) -> str:
        """Return the summary."""
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)
