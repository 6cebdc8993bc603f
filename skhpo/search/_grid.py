"""Exhaustive search: every combination of listed values."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, ClassVar

import numpy as np

from skhpo._sklearn_compat import BaseSearchCV, Interval
from skhpo.optimizers import GridOptimizer
from skhpo.optimizers._enumerated import grid_space
from skhpo.search._base import BaseSearch
from skhpo.search._run import Space
from skhpo.space import SearchSpace
from skhpo.space._check import check_space
from skhpo.stopping import StopRule

__all__ = ["GridSearch"]


class GridSearch(BaseSearch):
    """Exhaustive search: fit and score every combination of parameter values.

    A drop-in replacement of :class:`~sklearn.model_selection.GridSearchCV`: the same
    parameters, the same ``cv_results_``. Take it when the combinations are few enough
    to try them all, and when you want to be sure to have tried them; with many
    parameters, :class:`RandomSearch` finds more for the same number of fits.

    Parameters
    ----------
    estimator : estimator object
        What to tune. It has a ``score`` method, or `scoring` is given.
    param_grid : dict, list of dict, or SearchSpace
        The values to try, a list or array for each parameter name, as ``set_params``
        takes it (``"svc__C"`` in a pipeline). Several dicts are searched one after
        the other; an empty dict is the estimator as it is. Equal combinations are
        fitted once, and each keeps its row in the results. Ranges, distributions and
        conditions, as :class:`BayesSearch` takes them, are written out as lists; but
        a tuple of two numbers is two values. Weights mean nothing to a grid.
    n_levels : int or dict of str to int, default=5
        Number of values of a range or distribution, for all of them or by name: evenly
        spread quantiles, bounds included if it has any. There are fewer if there are
        not so many integers.
    constraints : callable or list of callables, default=None
        Predicates on the params of a candidate; only those that meet all are tried.
    scoring : str, callable, list, tuple, dict or None, default=None
        How to score a candidate on the test part of a split; greater is better. None
        is the estimator's ``score``; several names, or a dict of names and callables,
        give several scores.
    n_jobs : int or None, default=None
        Number of jobs in parallel; None is 1 unless a ``joblib.parallel_config``
        says otherwise, -1 is all processors. The results do not depend on it.
    refit : bool, str or callable, default=True
        Whether to fit the best candidate on all the data at the end. With several
        scores, the name of the one that decides; or a callable that takes
        ``cv_results_`` and returns the index of the best.
    cv : int, splitter, iterable or None, default=None
        How to split; None is 5 folds, an integer that many (stratified for
        classifiers). The splits are made once and are the same for all candidates.
    verbose : int, default=0
        Above 0, says how many fits there are; above 1, prints a line for each, above
        2 with its scores, above 9 also when it starts.
    pre_dispatch : int or str, default="2*n_jobs"
        An upper bound on the number of tasks that are sent to workers in advance.
    error_score : "raise" or float, default=nan
        What a failed fit scores; the search goes on, and warns at the end. Values that
        the estimator is known to reject are an error before the first fit, unless
        this says what they score: a number other than NaN.
    return_train_score : bool, default=False
        Whether to score the train part of each split too.
    reuse : bool, default=True
        Whether candidates share the fits that they have in common: the first steps of
        a pipeline, and values that one fit serves (such as ``n_estimators`` of a
        forest). The scores are the same, bit for bit, and the times are reported as
        if each candidate had been fitted alone.
    journal : str, path-like or None, default=None
        A file that keeps each finished evaluation. The same call again after a crash
        goes on where it stopped, and a search over a related space takes from it what
        it can; see :func:`skhpo.read_journal`.
    time_budget : float, str or None, default=None
        How long `fit` may take, in seconds or as "10min": no candidate is begun after
        it, and time for the last fit is saved. Complete candidates count.
    stop : callable, list of callable or None, default=None
        Rules that end the search early, such as those of :mod:`skhpo.stopping`.
    fit_timeout : float, str or None, default=None
        Time for one candidate on one split, in seconds or as "30s". What takes longer
        is killed and scores `error_score`. The last fit, on all the data, is not
        limited.
    memory_limit : float, str or None, default=None
        Memory for the same, in bytes or as "2GB", on Linux. With one of these limits,
        fits are done in processes of their own: they share no steps, and none of them
        can end the search.

    Attributes
    ----------
    cv_results_ : dict of str to ndarray
        A row per candidate: ``params``, ``param_*``, ``split*_test_score``,
        ``mean_test_score``, ``std_test_score``, ``rank_test_score``, and the times
        in seconds, as ``pandas.DataFrame`` takes it.
    best_estimator_ : estimator
        The best candidate, fitted on all the data. If `refit` is not False.
    best_score_ : float
        Its mean test score over the splits. Not if `refit` is a callable.
    best_params_ : dict
        Its parameters.
    best_index_ : int
        Its row in ``cv_results_``.
    scorer_ : callable or dict
        The scorer, or the scorers by name.
    n_splits_ : int
        Number of splits.
    refit_time_ : float
        Seconds that the last fit took.
    multimetric_ : bool
        Whether there were several scores.
    reuse_ : Reuse
        How many fits of steps were done, and how many were saved by sharing.
    failures_ : list of Failures
        Failed fits by what went wrong: ``kind``, ``message``, ``n_fits``,
        ``n_candidates``, and of the first one ``params``, ``split``, ``traceback``.
    stop_reason_ : str
        Why the search ended: "completed", "time_budget", "interrupted", "callback",
        "error" (an exception; what was complete is kept), or what a rule of `stop`
        said.
    classes_ : ndarray of shape (n_classes,)
        Class labels, of a classifier.
    n_features_in_ : int
        Number of features seen in ``fit``, if the best estimator tells.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, if the best estimator tells.
    offset_ : float
        Offset of the scores, of an outlier detector.

    See Also
    --------
    RandomSearch : Random draws in place of all combinations.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skhpo import GridSearch
    >>> X, y = load_iris(return_X_y=True)
    >>> search = GridSearch(SVC(), {"C": [0.1, 1, 10], "kernel": ["linear", "rbf"]})
    >>> search.fit(X, y).best_params_
    {'C': 1, 'kernel': 'linear'}
    >>> search.predict(X[:3])
    array([0, 0, 0])

    Of a range, the quantiles are tried:

    >>> from skhpo.space import Real
    >>> search = GridSearch(SVC(), {"C": Real(0.01, 100, log=True)}, n_levels=3)
    >>> [round(params["C"], 2) for params in search.fit(X, y).cv_results_["params"]]
    [0.01, 1.0, 100.0]
    """

    _parameter_constraints: ClassVar[dict] = {
        **BaseSearchCV._parameter_constraints,
        "param_grid": [Mapping, list, tuple, SearchSpace],
        "n_levels": [Interval(Integral, 1, None, closed="left"), Mapping],
        "constraints": [callable, list, tuple, None],
        "reuse": ["boolean"],
        **BaseSearch._durability_constraints,
    }

    def __init__(
        self,
        estimator: Any,
        param_grid: Mapping[str, Any] | Sequence[Any] | SearchSpace,
        *,
        n_levels: int | Mapping[str, int] = 5,
        constraints: Any = None,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        error_score: str | float = np.nan,
        return_train_score: bool = False,
        reuse: bool = True,
        journal: str | os.PathLike[str] | None = None,
        time_budget: float | str | None = None,
        stop: StopRule | Sequence[StopRule] | None = None,
        fit_timeout: float | str | None = None,
        memory_limit: float | str | None = None,
    ) -> None:
        super().__init__(
            estimator=estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.param_grid = param_grid
        self.n_levels = n_levels
        self.constraints = constraints
        self.reuse = reuse
        self.journal = journal
        self.time_budget = time_budget
        self.stop = stop
        self.fit_timeout = fit_timeout
        self.memory_limit = memory_limit

    def _compile(self) -> Space:
        subspaces = check_space(self.param_grid, name="param_grid", distributions=False)
        space = grid_space(self.param_grid, self.n_levels)
        return subspaces if space is None else space

    def _make_optimizer(self, space: Space) -> GridOptimizer:
        return GridOptimizer(space, constraints=self.constraints)
