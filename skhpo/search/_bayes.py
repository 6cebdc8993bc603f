"""Bayesian search: a model of the score decides what to try next."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from typing import Any, ClassVar

import joblib
import numpy as np

from skhpo._docstrings import inherit_docs
from skhpo._keys import params_key
from skhpo._sklearn_compat import HasMethods, Interval, StrOptions
from skhpo._trial import Trial
from skhpo._words import counted
from skhpo.acquisition import Cooling
from skhpo.exceptions import InvalidSpaceError
from skhpo.optimizers import BayesOptimizer, LimitedOptimizer
from skhpo.search._base import BaseSearch
from skhpo.search._finalists import FinalistSearch
from skhpo.search._initial import warn_of_no_model, warn_of_untried
from skhpo.search._loop import LoopPolicy
from skhpo.search._prior import prior_trials, warn_of_other_score
from skhpo.search._race import RacingSearch
from skhpo.search._run import Run, Space
from skhpo.space import Categorical, Curve, SearchSpace
from skhpo.space._dimensions import is_number
from skhpo.stopping import StopRule

__all__ = ["BayesSearch"]


@inherit_docs(BaseSearch)
@inherit_docs(FinalistSearch)
@inherit_docs(RacingSearch)
class BayesSearch(RacingSearch):
    """Bayesian search: fit and score what a model of the score finds most promising.

    Take it when a fit is expensive: for the same number of candidates it finds better
    ones than :class:`RandomSearch`, for a few milliseconds of thought per candidate.

    Parameters
    ----------
    param_distributions : dict, list of dict, SearchSpace or "auto", default="auto"
        For each parameter name, as ``set_params`` takes it: a list of values, a
        distribution of ``scipy.stats``, a dimension of :mod:`skhpo.space`, or a tuple
        ``(low, high)`` or ``(low, high, "log-uniform")``. Of several dicts, each
        candidate belongs to one; a dict with a weight is a pair ``(dict, weight)``.
        "auto" is a space suggested for the estimator and the data, ``space_`` after
        `fit`; see :func:`~skhpo.space.suggest_space`.
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
        After them, of a suggested space, values that were published.
    prior_results : fitted search, dict or data frame, default=None
        An earlier search over the same data, to learn from, or its ``cv_results_``;
        these do not say which fits failed, if ``error_score`` was a number.
    n_pending : int, default=2
        How many candidates may be under way at a time. Candidate *i* is chosen when
        the trials up to *i* - `n_pending` are known, whatever the number of workers:
        more keeps more workers busy and learns from fewer results.
    asynchronous : bool, default=False
        Whether to choose the next candidate as soon as any one is done. It wastes no
        worker's time, and the result depends on their timing.
    cost_aware : bool or "auto", default="auto"
        Whether promise is weighed against the time that a candidate is expected to
        take, learned from the recorded times of those before: with a `time_budget`, the
        less the less of it is left, and not as long as there is time enough for all of
        `n_iter`; without one, as improvement per second throughout. "auto" is True with
        a `time_budget`. What is tried then depends on times; see :ref:`cost_aware`.
    constraints : callable or list of callables, default=None
        Predicates on the params of a candidate; only those that meet all are tried.
    scoring : str, callable, list, tuple, dict or None, default=None
        How to score a candidate on the test part of a split; greater is better. None
        is the estimator's ``score``. With several scores, `refit` names the one to
        maximize.
    random_state : int, RandomState, Generator or None, default=None
        Seed of all choices; an int gives the same candidates at every ``fit``.
    error_score : "raise" or float, default=nan
        What a failed fit scores; the search goes on, learns to avoid such candidates,
        and warns at the end. Values that the estimator is known to reject are an
        error before the first fit, unless this is a number other than NaN.
    reuse : bool, default=True
        Whether candidates that are chosen together share the fits that they have in
        common: the first steps of a pipeline, and values that one fit serves. These
        are the first `n_pending` ones; all others are chosen one by one. The scores
        are the same.

    Attributes
    ----------
    space_ : SuggestedSpace
        The space that was suggested. If `param_distributions` is "auto".

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
        **RacingSearch._parameter_constraints,
        "param_distributions": [
            StrOptions({"auto"}),
            Mapping,
            list,
            tuple,
            SearchSpace,
        ],
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
        "cost_aware": ["boolean", StrOptions({"auto"})],
        "constraints": [callable, list, tuple, None],
        "random_state": ["random_state", np.random.Generator],
        "reuse": ["boolean"],
    }

    def __init__(
        self,
        estimator: Any,
        param_distributions: Mapping[str, Any] | Sequence[Any] | SearchSpace | str = (
            "auto"
        ),
        *,
        n_iter: int = 50,
        surrogate: Any = "gp",
        acquisition: str | Callable[..., Any] = "auto",
        n_initial: int | str = "auto",
        initial_params: str | Sequence[Mapping[str, Any]] | None = "defaults",
        prior_results: Any = None,
        n_pending: int = 2,
        asynchronous: bool = False,
        cost_aware: bool | str = "auto",
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
        race: bool | float = False,
        journal: str | os.PathLike[str] | None = None,
        time_budget: float | str | None = None,
        stop: StopRule | Sequence[StopRule] | None = None,
        fit_timeout: float | str | None = None,
        memory_limit: float | str | None = None,
        return_oof: bool = False,
        finalists: int = 0,
        finalist_repeats: int = 3,
    ) -> None:
        super().__init__(**self._shared(locals()))
        self.param_distributions = param_distributions
        self.n_iter = n_iter
        self.surrogate = surrogate
        self.acquisition = acquisition
        self.n_initial = n_initial
        self.initial_params = initial_params
        self.prior_results = prior_results
        self.n_pending = n_pending
        self.asynchronous = asynchronous
        self.cost_aware = cost_aware
        self.constraints = constraints
        self.random_state = random_state
        self.reuse = reuse
        self.race = race
        self.finalists = finalists
        self.finalist_repeats = finalist_repeats

    def _policy(self) -> LoopPolicy:
        in_order = not self.asynchronous
        return LoopPolicy(learns=True, n_pending=self.n_pending, in_order=in_order)

    def _compile(self) -> SearchSpace:
        return SearchSpace(self._distributions, self.constraints)

    def _make_optimizer(self, space: Space) -> LimitedOptimizer:
        assert isinstance(space, SearchSpace), "it was compiled so"
        warn_of_untried(type(self).__name__, self.initial_params, self.n_iter)
        if self.prior_results is None:
            warn_of_no_model(type(self).__name__, self.n_initial, self.n_iter)
        optimizer = BayesOptimizer(
            space,
            surrogate=self.surrogate,
            acquisition=self.acquisition,
            n_initial=self.n_initial,
            initial_params=self._initial_candidates(space),
            random_state=self.random_state,
            cost_exponent=self._cost_exponent(),
        )
        optimizer.tell(self._prior_trials(space))
        return LimitedOptimizer(optimizer, self.n_iter)

    def _cost_exponent(self) -> float | Cooling:
        """Return how much time counts, as the optimizer takes it.

        Fits run side by side, so the seconds of a budget are those of all workers that
        can be busy. Recorded times are compared with these, never the clock: a search
        that is resumed from its journal decides the same.
        """
        is_limited = self.time_budget is not None
        is_aware = is_limited if self.cost_aware == "auto" else self.cost_aware
        if not is_aware:
            return 0.0
        n_at_once = self.n_pending * (1 if self.race else self.n_splits_)
        n_workers = min(joblib.effective_n_jobs(self.n_jobs), n_at_once)
        return Cooling(self._seconds("time_budget") * n_workers, self.n_iter)

    def _initial_candidates(self, space: SearchSpace) -> Sequence[Mapping[str, Any]]:
        if not isinstance(self.initial_params, str):
            return self.initial_params or ()
        suggested = getattr(self._distributions, "initial_params", None)
        if suggested is not None:
            return [params for params in suggested if space.allows(params)]
        names = {column.name for column in space.columns}
        all_own = self.estimator.get_params(deep=True).items()
        own = {name: value for name, value in all_own if name in names}
        params = _as_given(space, space.complete(own), own)
        return [params] if space.allows(params) else []

    def _check_not_empty(self, run: Run) -> None:
        super()._check_not_empty(run)
        if self.prior_results is None or run.record.n_candidates or not self.n_splits_:
            return
        assert isinstance(run.problem.space, SearchSpace), "it was compiled so"
        trials = self._prior_trials(run.problem.space)
        n = len({params_key(trial.candidate.params) for trial in trials})
        raise InvalidSpaceError(
            f"Nothing is left to try: 'prior_results' hold {counted(n, 'candidate')}, "
            "and beside them none was found in the space that meets the constraints. "
            "Take the best of these results, or widen the space."
        )

    def _prior_trials(self, space: SearchSpace) -> list[Trial]:
        if self.prior_results is None:
            return []
        if self.prior_results is self:
            raise ValueError(
                "The 'prior_results' parameter of BayesSearch must be another search: "
                "one that is fitted anew cannot learn from itself. Got the search "
                "itself; pass its cv_results_ instead."
            )
        metric = self.refit if isinstance(self.refit, str) else "score"
        warn_of_other_score(self.prior_results, self.scoring)
        return prior_trials(self.prior_results, metric, space)


def _as_given(space: SearchSpace, x: Any, own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the params at `x`, with the own numbers where these have the same place.

    Decoding would round them: 1.0 on a logarithmic range comes back as 1 - 6e-16.
    """
    params = space.decode(x)
    for coordinate, column in zip(x, space.columns, strict=True):
        name, dimension = column.name, column.dimension
        is_listed = isinstance(dimension, Categorical | Curve)
        if name is None or math.isnan(coordinate) or is_listed:
            continue
        if is_number(own.get(name)) and _is_place(dimension, own[name], coordinate):
            params[name] = own[name]
    return params


def _is_place(dimension: Any, value: Any, coordinate: float) -> bool:
    """Whether a value has a place of its own in a range, and it is this one."""
    try:
        place = dimension.snap(np.array([dimension.to_unit(value)]))[0]
    except InvalidSpaceError:  # the nearest bound took its place
        return False
    return bool(abs(place - coordinate) <= 1e-9)
