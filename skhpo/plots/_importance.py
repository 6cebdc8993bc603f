"""Which parameters were decisive."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Self

import numpy as np

from skhpo._arithmetic import Array
from skhpo._candidates._model import ScoreModel, variance_shares
from skhpo.plots._display import (
    BEST,
    LITERAL,
    OTHERS,
    Display,
    legend,
    written_names,
)

__all__ = ["ImportanceDisplay"]

N_POINTS = 1024
ROOM = 45  # for a name, in characters


class ImportanceDisplay(Display):
    """The share of each parameter in the variance of the score.

    Make it with `from_search` or `from_cv_results`. A surrogate learns the scores. Over
    the box of the values that were tried, each parameter uniform along its axis (a
    logarithmic one logarithmically) and independent of the others, the variance of
    what it predicts is decomposed by the method of Sobol' [1]_, as functional ANOVA
    does with a forest [2]_; by sampling, with the estimators of [3]_ and [4]_.

    *main* is the share that a parameter explains alone, *total* the share that would
    be gone if it were fixed, with all interactions in which it takes part. What is
    said holds for the values that were tried: where a parameter was varied little, it
    matters little. `explained` says how far the surrogate is to be trusted.

    Parameters
    ----------
    names : sequence of str
        The parameters.
    main : ndarray of shape (d,)
        Their shares alone.
    total : ndarray of shape (d,)
        Their shares with interactions.
    explained : float
        Share of the variance of the scores of unseen candidates that the surrogate
        predicts, by cross-validation.

    References
    ----------
    .. [1] I. M. Sobol', "Global sensitivity indices for nonlinear mathematical models
       and their Monte Carlo estimates", Mathematics and Computers in Simulation 55,
       2001.
    .. [2] F. Hutter, H. Hoos and K. Leyton-Brown, "An efficient approach for assessing
       hyperparameter importance", ICML 2014.
    .. [3] A. Saltelli et al., "Variance based sensitivity analysis of model output.
       Design and estimator for the total sensitivity index", Computer Physics
       Communications 181, 2010.
    .. [4] M. J. W. Jansen, "Analysis of variance designs for model output", Computer
       Physics Communications 117, 1999.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skhpo import RandomSearch
    >>> from skhpo.plots import ImportanceDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> space = {"gamma": loguniform(1e-4, 1e1), "tol": loguniform(1e-5, 1e-3)}
    >>> search = RandomSearch(SVC(), space, n_iter=30, random_state=0).fit(X, y)
    >>> ImportanceDisplay.from_search(search).names
    ['gamma', 'tol']
    """

    def __init__(
        self, names: Sequence[str], main: Array, total: Array, explained: float
    ) -> None:
        self.names = list(names)
        self.main = main
        self.total = total
        self.explained = explained

    @classmethod
    def from_cv_results(
        cls,
        cv_results: Mapping[str, Any],
        *,
        metric: str = "score",
        log: Collection[str] | None = None,
        ax: Any = None,
        surrogate: str = "gp",
    ) -> Self:
        """Draw what stands in ``cv_results_``.

        Parameters
        ----------
        surrogate : {"gp", "forest"}, default="gp"
            The model: a Gaussian process, or a random forest, which suits scores that
            jump.

        Returns
        -------
        ImportanceDisplay
            The display, drawn; the most important parameter comes first.

        Raises
        ------
        ValueError
            If there are fewer than 4 candidates with a score, if all have the same one,
            or if no parameter varies.
        """
        found = cls._read(cv_results, metric, log)
        model = ScoreModel(found.axes, found.scores, surrogate)
        main, total = variance_shares(model, N_POINTS)
        order = np.argsort(-total, kind="stable")
        names = [model.axes[i].name for i in order]
        return cls(names, main[order], total[order], model.explained()).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None for a new figure, the higher the more parameters.

        """
        d = len(self.names)
        names = written_names(self.names, ax, ROOM)
        width = max(6.4, 4.4 + 0.085 * max(map(len, names)))
        ax = self._one_panel(ax, (width, 1.6 + 0.32 * d))
        place = np.arange(d)
        ax.barh(place, self.total, 0.7, color=OTHERS, alpha=0.35, label="total")
        ax.barh(place, self.main, 0.35, color=BEST, label="main")
        ax.set_yticks(place, names, **LITERAL)
        ax.invert_yaxis()
        ax.set_xlim(0, max(1.0, float(self.total.max())))
        ax.set_xlabel("share of the variance of the modeled score", **LITERAL)
        share = f"{max(self.explained, 0):.0%} of the variance of unseen scores"
        ax.set_title(f"the model predicts {share}", fontsize=10, **LITERAL)
        legend(ax, loc="lower right")
        return self
