"""Random search: a number of draws from distributions."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, ClassVar

import numpy as np

from skhpo._docstrings import inherit_docs
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
from skhpo.optimizers._starting import StartingOptimizer
from skhpo.search._base import BaseSearch
from skhpo.search._finalists import FinalistSearch
from skhpo.search._halving import HalvingSearch
from skhpo.search._initial import initial_candidates, warn_of_untried
from skhpo.search._loop import LoopPolicy
from skhpo.search._race import RacingSearch
from skhpo.search._run import Space
from skhpo.space import SearchSpace
from skhpo.space._check import check_space
from skhpo.space._plain import is_plain, with_listed_tuples
from skhpo.stopping import StopRule

__all__ = ["RandomSearch"]


@inherit_docs(BaseSearch)
@inherit_docs(FinalistSearch)
@inherit_docs(RacingSearch)
@inherit_docs(HalvingSearch)
class RandomSearch(HalvingSearch):
    """Random search: fit and score a number of draws from distributions.

    A drop-in replacement of :class:`~sklearn.model_selection.RandomizedSearchCV`: the
    same parameters, and for the same `random_state` the same candidates and the same
    ``cv_results_``. Take it as the first thing to try: of many parameters few matter,
    and every draw tries a new value of each [1]_.

    Parameters
    ----------
    param_distributions : dict, list of dict, SearchSpace or "auto", default="auto"
        For each parameter name, as ``set_params`` takes it, a list or array of values
        (drawn uniformly) or a distribution: an object with ``rvs``, such as those of
        ``scipy.stats``. Of several dicts, one is drawn for each candidate. If all are
        lists, draws are without replacement. Also whatever :class:`BayesSearch`
        takes; but a tuple of two numbers is two values. "auto" is a space suggested for
        the estimator and the data, ``space_`` after `fit`; the first candidate is the
        estimator as it is. See :func:`~skhpo.space.suggest_space`.
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
    initial_params : "defaults", list of dict, or None, default=None
        What to try before the draws, as some of the `n_iter` candidates. "defaults" is
        the estimator as given, which :func:`skhpo.report` compares the best with.
    random_state : int, RandomState, Generator or None, default=None
        Seed of the draws; an int gives the same candidates at every ``fit``.
    reuse : bool, default=True
        Whether candidates share the fits that they have in common: the first steps of
        a pipeline, and values that one fit serves (such as ``n_estimators`` of a
        forest). The scores are the same, bit for bit, and the times are reported as
        if each candidate had been fitted alone. With "anneal", only the first
        `n_pending` candidates are drawn together and can share.

    Attributes
    ----------
    space_ : SuggestedSpace
        The space that was suggested. If `param_distributions` is "auto".

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
        **HalvingSearch._parameter_constraints,
        "param_distributions": [
            StrOptions({"auto"}),
            Mapping,
            list,
            tuple,
            SearchSpace,
        ],
        "n_iter": [Interval(Integral, 1, None, closed="left")],
        "sampling": [StrOptions({"random", "sobol"})],
        "strategy": [StrOptions({"random", "anneal"})],
        "n_pending": [Interval(Integral, 1, None, closed="left")],
        "constraints": [callable, list, tuple, None],
        "initial_params": [StrOptions({"defaults"}), list, tuple, None],
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
        n_iter: int = 10,
        sampling: str = "random",
        strategy: str = "random",
        n_pending: int = 2,
        constraints: Any = None,
        initial_params: str | Sequence[Mapping[str, Any]] | None = None,
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
        resource: str | None = None,
        min_resources: int | str = "auto",
        max_resources: int | str = "auto",
        factor: float | str = "auto",
        aggressive_elimination: bool = False,
        n_brackets: int = 1,
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
        self.sampling = sampling
        self.strategy = strategy
        self.n_pending = n_pending
        self.constraints = constraints
        self.initial_params = initial_params
        self.random_state = random_state
        self.reuse = reuse
        self.race = race
        self.finalists = finalists
        self.finalist_repeats = finalist_repeats
        self.resource = resource
        self.min_resources = min_resources
        self.max_resources = max_resources
        self.factor = factor
        self.aggressive_elimination = aggressive_elimination
        self.n_brackets = n_brackets

    def _policy(self) -> LoopPolicy:
        if self.strategy == "anneal":
            return LoopPolicy(learns=True, n_pending=self.n_pending)
        return super()._policy()

    @property
    def _is_plain(self) -> bool:
        """Whether scikit-learn would draw the same: then its own sampler does."""
        is_more = (
            self.sampling != "random"
            or self.strategy != "random"
            or bool(self.constraints)
            or isinstance(self.random_state, np.random.Generator)
        )
        return not is_more and is_plain(self._distributions, distributions=True)

    def _compile(self) -> Space:
        subspaces = check_space(
            self._distributions, name="param_distributions", distributions=True
        )
        if self._is_plain:
            return subspaces
        space = with_listed_tuples(self._distributions)
        return SearchSpace(space, self.constraints)

    def _make_optimizer(self, space: Space) -> Optimizer:
        if self.strategy == "anneal" and self.sampling != "random":
            raise ValueError(
                "The 'sampling' parameter of RandomSearch must be 'random' with "
                "strategy='anneal', which draws around the best candidates. Got "
                f"{self.sampling!r} instead; an even spread needs strategy='random'."
            )
        if self.strategy == "anneal" and self.resource is not None:
            raise ValueError(
                "The 'resource' parameter of RandomSearch must be None with "
                "strategy='anneal', which draws one candidate after the other; "
                "halving begins with all of them. Set strategy='random'. Got "
                f"resource={self.resource!r}."
            )
        initial = initial_candidates(
            self.initial_params, self.estimator, space, self.constraints
        )
        warn_of_untried(type(self).__name__, self.initial_params, self.n_iter)
        initial = initial[: self.n_iter]
        drawn = self._make_drawing_optimizer(space, self.n_iter - len(initial))
        return StartingOptimizer(drawn, initial) if initial else drawn

    def _make_drawing_optimizer(self, space: Space, n: int) -> Optimizer:
        if not isinstance(space, SearchSpace):
            return RandomOptimizer(space, n, self.random_state)
        if space.size < self.n_iter:
            warn_user(
                f"n_iter={self.n_iter} is more than the space has candidates, "
                f"{space.size}: all of them are tried.",
                SkhpoWarning,
            )
        first: Any = ()
        if self.initial_params is None:
            first = getattr(self._distributions, "initial_params", ())
        optimizer: Optimizer
        if self.strategy == "anneal":
            optimizer = AnnealOptimizer(
                space, initial_params=first, random_state=self.random_state
            )
        else:
            optimizer = SamplingOptimizer(
                space,
                sampling=self.sampling,
                initial_params=first,
                random_state=self.random_state,
            )
        return LimitedOptimizer(optimizer, n)
