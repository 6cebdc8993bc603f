"""Random search: a number of draws from distributions."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.model_selection import RandomizedSearchCV

from skhpo._sklearn_compat import Interval, StrOptions
from skhpo._warnings import warn_user
from skhpo.exceptions import SkhpoWarning
from skhpo.optimizers import (
    AnnealOptimizer,
    LimitedOptimizer,
    Optimizer,
    RandomOptimizer,
    SamplingOptimizer,
)
from skhpo.search._base import BaseSearch
from skhpo.search._loop import LoopPolicy
from skhpo.search._run import Space
from skhpo.space import SearchSpace
from skhpo.space._check import check_space
from skhpo.space._plain import is_plain, with_listed_tuples
from skhpo.stopping import StopRule

__all__ = ["RandomSearch"]


class RandomSearch(BaseSearch):
    """Random search: fit and score a number of draws from distributions.

    A drop-in replacement of :class:`~sklearn.model_selection.RandomizedSearchCV`: the
    same parameters, and for the same `random_state` the same candidates and the same
    ``cv_results_``. Take it as the first thing to try: of many parameters few matter,
    and every draw tries a new value of each [1]_.

    Parameters
    ----------
    estimator : estimator object
        What to tune. It has a ``score`` method, or `scoring` is given.
    param_distributions : dict, list of dict, or SearchSpace
        For each parameter name, as ``set_params`` takes it, a list or array of values
        (drawn uniformly) or a distribution: an object with ``rvs``, such as those of
        ``scipy.stats``. Of several dicts, one is drawn for each candidate. If all are
        lists, draws are without replacement. Also whatever :class:`BayesSearch`
        takes; but a tuple of two numbers is two values.
    n_iter : int, default=10
        Number of candidates. If the space holds fewer, all of them are tried, with a
        warning.
    sampling : {"random", "sobol"}, default="random"
        Whether draws are independent, or spread evenly over the space: a Sobol
        sequence, shifted at random [2]_.
    strategy : {"random", "anneal"}, default="random"
        Where to draw: from the whole space, or around the best candidates so far,
        ever closer [3]_. The latter learns from the scores and costs no thought; its
        draws are independent.
    n_pending : int, default=2
        With "anneal", how many candidates may be under way at a time. Candidate *i*
        is drawn when the trials up to *i* - `n_pending` are known, whatever the
        number of workers. Otherwise all candidates are known from the start.
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
    random_state : int, RandomState, Generator or None, default=None
        Seed of the draws; an int gives the same candidates at every ``fit``.
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
        if each candidate had been fitted alone. With "anneal", only the first
        `n_pending` candidates are drawn together and can share.
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
    GridSearch : All combinations of listed values.
    BayesSearch : A model of the score decides what to try next.

    References
    ----------
    .. [1] J. Bergstra and Y. Bengio, "Random search for hyper-parameter
       optimization", Journal of Machine Learning Research 13, 281-305, 2012.
    .. [2] R. Cranley and T. N. L. Patterson, "Randomization of number theoretic
       methods for multiple integration", SIAM Journal on Numerical Analysis 13,
       904-914, 1976.
    .. [3] J. Bergstra, D. Yamins and D. D. Cox, "Making a science of model search",
       ICML 2013 (the package hyperopt, whose module ``anneal`` this is).

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skhpo import RandomSearch
    >>> X, y = load_iris(return_X_y=True)
    >>> space = {"C": loguniform(1e-2, 1e2), "kernel": ["linear", "rbf"]}
    >>> search = RandomSearch(SVC(), space, n_iter=20, random_state=0).fit(X, y)
    >>> bool(search.best_score_ > 0.97)
    True

    Evenly spread, among the values that are allowed:

    >>> from skhpo.space import Integer
    >>> space = {"C": loguniform(1e-2, 1e2), "degree": Integer(1, 6)}
    >>> search = RandomSearch(
    ...     SVC(kernel="poly"),
    ...     space,
    ...     sampling="sobol",
    ...     constraints=lambda params: params["C"] * params["degree"] < 50,
    ...     random_state=0,
    ... ).fit(X, y)
    >>> bool(search.best_score_ > 0.97)
    True
    """

    _parameter_constraints: ClassVar[dict] = {
        **RandomizedSearchCV._parameter_constraints,
        "param_distributions": [Mapping, list, tuple, SearchSpace],
        "sampling": [StrOptions({"random", "sobol"})],
        "strategy": [StrOptions({"random", "anneal"})],
        "n_pending": [Interval(Integral, 1, None, closed="left")],
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
        n_iter: int = 10,
        sampling: str = "random",
        strategy: str = "random",
        n_pending: int = 2,
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
        self.sampling = sampling
        self.strategy = strategy
        self.n_pending = n_pending
        self.constraints = constraints
        self.random_state = random_state
        self.reuse = reuse
        self.journal = journal
        self.time_budget = time_budget
        self.stop = stop
        self.fit_timeout = fit_timeout
        self.memory_limit = memory_limit

    def _policy(self) -> LoopPolicy:
        if self.strategy == "anneal":
            return LoopPolicy(learns=True, n_pending=self.n_pending)
        return LoopPolicy()

    @property
    def _is_plain(self) -> bool:
        """Whether scikit-learn would draw the same: then its own sampler does."""
        is_more = (
            self.sampling != "random"
            or self.strategy != "random"
            or bool(self.constraints)
            or isinstance(self.random_state, np.random.Generator)
        )
        return not is_more and is_plain(self.param_distributions, distributions=True)

    def _compile(self) -> Space:
        subspaces = check_space(
            self.param_distributions, name="param_distributions", distributions=True
        )
        if self._is_plain:
            return subspaces
        space = with_listed_tuples(self.param_distributions)
        return SearchSpace(space, self.constraints)

    def _make_optimizer(self, space: Space) -> Optimizer:
        if self.strategy == "anneal" and self.sampling != "random":
            raise ValueError(
                "The 'sampling' parameter of RandomSearch must be 'random' with "
                "strategy='anneal', which draws around the best candidates. Got "
                f"{self.sampling!r} instead; an even spread needs strategy='random'."
            )
        if not isinstance(space, SearchSpace):
            return RandomOptimizer(space, self.n_iter, self.random_state)
        if space.size < self.n_iter:
            warn_user(
                f"n_iter={self.n_iter} is more than the space has candidates, "
                f"{space.size}: all of them are tried.",
                SkhpoWarning,
            )
        optimizer: Optimizer
        if self.strategy == "anneal":
            optimizer = AnnealOptimizer(space, random_state=self.random_state)
        else:
            optimizer = SamplingOptimizer(
                space, sampling=self.sampling, random_state=self.random_state
            )
        return LimitedOptimizer(optimizer, self.n_iter)
