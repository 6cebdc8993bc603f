"""Bayesian search: a model of the score decides what to try next."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from typing import Any, ClassVar

import numpy as np

from skhpo._keys import params_key
from skhpo._sklearn_compat import BaseSearchCV, HasMethods, Interval, StrOptions
from skhpo._trial import Trial
from skhpo.exceptions import InvalidSpaceError
from skhpo.optimizers import BayesOptimizer, LimitedOptimizer
from skhpo.search._base import BaseSearch
from skhpo.search._loop import LoopPolicy
from skhpo.search._prior import prior_trials
from skhpo.search._run import Run
from skhpo.space import Categorical, SearchSpace
from skhpo.space._dimensions import is_number
from skhpo.stopping import StopRule

__all__ = ["BayesSearch"]


class BayesSearch(BaseSearch):
    """Bayesian search: fit and score what a model of the score finds most promising.

    Take it when a fit is expensive: for the same number of candidates it finds better
    ones than :class:`RandomSearch`, for a few milliseconds of thought per candidate.

    Parameters
    ----------
    estimator : estimator object
        What to tune. It has a ``score`` method, or `scoring` is given.
    param_distributions : dict, list of dict, or SearchSpace
        For each parameter name, as ``set_params`` takes it: a list of values, a
        distribution of ``scipy.stats``, a dimension of :mod:`skhpo.space`, or a tuple
        ``(low, high)`` or ``(low, high, "log-uniform")``. Of several dicts, each
        candidate belongs to one; a dict with a weight is a pair ``(dict, weight)``.
    n_iter : int, default=50
        Number of candidates. A finite space ends earlier, when all of it was tried.
    surrogate : {"gp", "forest", "tpe"} or object, default="gp"
        The model of the score: a Gaussian process, a random forest, a tree-structured
        Parzen estimator, or an object with ``fit(X, y)`` and ``predict(X) -> mean,
        std`` on points of the unit cube, such as a ``GaussianProcessRegressor`` of
        scikit-learn (what has a ``return_std`` is asked for it).
    acquisition : {"auto", "log_ei", "ei", "pi", "ucb"} or callable, default="auto"
        What makes a candidate promising; see :mod:`skhpo.acquisition`. "auto" mixes
        several. Once fits have failed, it is weighed by the probability of success;
        see :class:`~skhpo.optimizers.BayesOptimizer`.
    n_initial : int or "auto", default="auto"
        Number of candidates that are tried before the model is asked.
    initial_params : "defaults", list of dict, or None, default="defaults"
        What to try first; by default, the values that `estimator` has, as far as the
        space and the constraints allow them: the search starts from what there is.
    prior_results : dict or fitted search, default=None
        The ``cv_results_`` of an earlier search over the same data, to learn from.
    n_pending : int, default=2
        How many candidates may be under way at a time. Candidate *i* is chosen when
        the trials up to *i* - `n_pending` are known, whatever the number of workers:
        more keeps more workers busy and learns from fewer results.
    asynchronous : bool, default=False
        Whether to choose the next candidate as soon as any one is done. It wastes no
        worker's time, and the result depends on their timing.
    constraints : callable or list of callables, default=None
        Predicates on the params of a candidate; only those that meet all are tried.
    scoring : str, callable, list, tuple, dict or None, default=None
        How to score a candidate on the test part of a split; greater is better. None
        is the estimator's ``score``. With several scores, `refit` names the one to
        maximize.
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
    random_state : int, RandomState, Generator or None, default=None
        Seed of all choices; an int gives the same candidates at every ``fit``.
    error_score : "raise" or float, default=nan
        What a failed fit scores; the search goes on, learns to avoid such candidates,
        and warns at the end. Values that the estimator is known to reject are an
        error before the first fit, unless this is a number other than NaN.
    return_train_score : bool, default=False
        Whether to score the train part of each split too.
    reuse : bool, default=True
        Whether candidates that are chosen together share the fits that they have in
        common: the first steps of a pipeline, and values that one fit serves. These
        are the first `n_pending` ones; all others are chosen one by one. The scores
        are the same.
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
    RandomSearch : Random draws, which need no model.

    References
    ----------
    .. [1] J. Snoek, H. Larochelle and R. P. Adams, "Practical Bayesian optimization of
       machine learning algorithms", NeurIPS 2012.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skhpo import BayesSearch
    >>> X, y = load_iris(return_X_y=True)
    >>> space = {"C": loguniform(1e-2, 1e2), "gamma": loguniform(1e-3, 1e1)}
    >>> search = BayesSearch(SVC(), space, n_iter=15, random_state=0).fit(X, y)
    >>> bool(search.best_score_ > 0.97)
    True
    """

    _parameter_constraints: ClassVar[dict] = {
        **BaseSearchCV._parameter_constraints,
        "param_distributions": [Mapping, list, tuple, SearchSpace],
        "n_iter": [Interval(Integral, 1, None, closed="left")],
        "surrogate": [
            StrOptions({"gp", "forest", "tpe"}),
            HasMethods(["fit", "predict"]),
        ],
        "acquisition": [
            StrOptions({"auto", "log_ei", "ei", "pi", "ucb"}),
            callable,
        ],
        "n_initial": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "initial_params": [StrOptions({"defaults"}), list, tuple, None],
        "prior_results": "no_validation",
        "n_pending": [Interval(Integral, 1, None, closed="left")],
        "asynchronous": ["boolean"],
        "constraints": [callable, list, tuple, None],
        "random_state": ["random_state", np.random.Generator],
        "reuse": ["boolean"],
        **BaseSearch._durability_constraints,
    }

    def __init__(
        self,
        estimator: Any,
        param_distributions: Mapping[str, Any] | Sequence[Any] | SearchSpace,
        *,
        n_iter: int = 50,
        surrogate: Any = "gp",
        acquisition: str | Callable[..., Any] = "auto",
        n_initial: int | str = "auto",
        initial_params: str | Sequence[Mapping[str, Any]] | None = "defaults",
        prior_results: Any = None,
        n_pending: int = 2,
        asynchronous: bool = False,
        constraints: Any = None,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        random_state: Any = None,
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
        self.param_distributions = param_distributions
        self.n_iter = n_iter
        self.surrogate = surrogate
        self.acquisition = acquisition
        self.n_initial = n_initial
        self.initial_params = initial_params
        self.prior_results = prior_results
        self.n_pending = n_pending
        self.asynchronous = asynchronous
        self.constraints = constraints
        self.random_state = random_state
        self.reuse = reuse
        self.journal = journal
        self.time_budget = time_budget
        self.stop = stop
        self.fit_timeout = fit_timeout
        self.memory_limit = memory_limit

    def _policy(self) -> LoopPolicy:
        in_order = not self.asynchronous
        return LoopPolicy(learns=True, n_pending=self.n_pending, in_order=in_order)

    def _compile(self) -> SearchSpace:
        return SearchSpace(self.param_distributions, self.constraints)

    def _make_optimizer(self, space: Any) -> LimitedOptimizer:
        optimizer = BayesOptimizer(
            space,
            surrogate=self.surrogate,
            acquisition=self.acquisition,
            n_initial=self.n_initial,
            initial_params=self._initial_candidates(space),
            random_state=self.random_state,
        )
        optimizer.tell(self._prior_trials(space))
        return LimitedOptimizer(optimizer, self.n_iter)

    def _initial_candidates(self, space: SearchSpace) -> Sequence[Mapping[str, Any]]:
        if not isinstance(self.initial_params, str):
            return self.initial_params or ()
        names = {column.name for column in space.columns}
        all_own = self.estimator.get_params(deep=True).items()
        own = {name: value for name, value in all_own if name in names}
        params = _as_given(space, space.complete(own), own)
        return [params] if space.allows(params) else []

    def _check_not_empty(self, run: Run) -> None:
        super()._check_not_empty(run)
        if self.prior_results is None or run.record.n_candidates or not self.n_splits_:
            return
        trials = self._prior_trials(run.problem.space)
        n = len({params_key(trial.candidate.params) for trial in trials})
        raise InvalidSpaceError(
            f"Nothing is left to try: 'prior_results' hold {n} candidates, and beside "
            "them none was found in the space that meets the constraints. Take the "
            "best of these results, or widen the space."
        )

    def _prior_trials(self, space: Any) -> list[Trial]:
        if self.prior_results is None:
            return []
        metric = self.refit if isinstance(self.refit, str) else "score"
        return prior_trials(self.prior_results, metric, space)


def _as_given(space: SearchSpace, x: Any, own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the params at `x`, with the own numbers where these have the same place.

    Decoding would round them: 1.0 on a logarithmic range comes back as 1 - 6e-16.
    """
    params = space.decode(x)
    for column in space.columns:
        name, is_list = column.name, isinstance(column.dimension, Categorical)
        if name not in params or is_list or not is_number(own.get(name)):
            continue
        restored = {**params, name: own[name]}
        try:
            same = np.allclose(space.encode(restored), x, 0, 1e-9, equal_nan=True)
        except InvalidSpaceError:  # the nearest bound took its place
            continue
        params = restored if same else params
    return params
