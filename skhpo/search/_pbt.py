"""Population based training: parameters change while the model learns."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skhpo._docstrings import inherit_docs
from skhpo._rng import seed_sequence
from skhpo._sklearn_compat import BaseSearchCV, Interval, StrOptions
from skhpo._trial import Params
from skhpo._warnings import warn_user
from skhpo.evaluation import Evaluator
from skhpo.evaluation.training._freezing import frozen_in_population
from skhpo.evaluation.training._parts import replay
from skhpo.evaluation.training._target import check_target, labels_of
from skhpo.evaluation.training._trainers import Training
from skhpo.evaluation.training._training import Train, TrainingPlan
from skhpo.exceptions import SkhpoWarning
from skhpo.optimizers import PBTOptimizer
from skhpo.optimizers._branches import plain_spaces
from skhpo.optimizers._exploit import Exploit, Explore, Tournament, Truncation
from skhpo.optimizers._lineage import Schedule
from skhpo.search._base import BaseSearch
from skhpo.search._lineage import (
    best_row,
    exploit_events,
    lineage_columns,
    schedule_of,
)
from skhpo.search._loop import LoopPolicy
from skhpo.search._results import Record
from skhpo.search._run import Run, Space
from skhpo.search.feedback._html import schedule_text
from skhpo.space import SearchSpace, SuggestedSpace
from skhpo.space._check import check_space
from skhpo.stopping import StopRule

__all__ = ["PBTSearch"]


@inherit_docs(BaseSearch)
class PBTSearch(BaseSearch):
    """Population based training: a population learns together and shares what works.

    A number of models are trained side by side, each with parameters of its own. After
    each generation, those that do badly go on from the state and the parameters of one
    that does well, with parameters moved a little [1]_. So one run of training finds a
    *schedule*: what the parameters should be at first, and what later.

    Take it for estimators that learn step by step (``partial_fit``, or growing
    ensembles), whose step size, regularization or batch size had better change on the
    way, at the price of `population_size` trainings. Where the best values do not
    change, `RandomSearch` with as many candidates finds them as well.

    Parameters
    ----------
    estimator : estimator object
        What to train: it has ``partial_fit``, or grows by warm start, or is known by
        `register_incremental`; or a pipeline that ends in such a one. The transformers
        of a pipeline are fitted once for each split and setting.
    param_distributions : dict, list of dict, SuggestedSpace or "auto", default="auto"
        For each parameter name a list of values, a distribution (an object with
        ``rvs``) or a dimension such as ``Real(1e-4, 1, log=True)``. Values move inside
        of it: by a factor on a log scale, by probability mass on others, to the
        neighbor in a list of numbers. Of several dicts, and of the branches of a
        ``Choice``, each member gets one for good. "auto" is a space suggested for the
        estimator and the data, ``space_`` after `fit`; see
        :func:`~skhpo.space.suggest_space`.
    population_size : int, default=16
        Number of members, at least 2.
    n_generations : int, default=10
        How many times the members are trained and compared.
    steps_per_generation : int, default=1
        Training steps between two comparisons: passes over the data by
        ``partial_fit``, or units of the size parameter. Few steps favor what helps
        at once and not what helps in the end.
    resource : str or None, default=None
        The size parameter that grows by warm start (``"n_estimators"``); None for
        ``partial_fit``, or what is known of the class.
    quantile : float, default=0.25
        Share of the population that is replaced, and from which donors are drawn.
    resample_probability : float, default=0.1
        Probability that a parameter is drawn anew instead of moved.
    perturb_factors : sequence of float, default=(0.8, 1.25)
        By which of them a value moves is drawn each time.
    exploit : {"truncation", "tournament"} or callable, default="truncation"
        Who is replaced by whom: the lowest `quantile` by the highest; or each by a
        random rival, if that one is better; or ``exploit(scores, rng) -> parents``,
        for each member the one whose state it continues.
    explore : "perturb" or callable, default="perturb"
        How parameters move: as above, or ``explore(params, rng, history) -> params``.
    burn_in : int, default=0
        How many of the first comparisons replace nobody (but failed members).
    mutable : "auto" or list of str, default="auto"
        Parameters that may change; all others keep the value of their birth. With
        "auto", all that can change while the model is trained.
    frozen : list of str or None, default=None
        Parameters that keep the value of their birth and travel with the model. Those
        of transformers and those that fix shapes always do.
    batch_size : int or None, default=None
        Rows in each call of ``partial_fit``; None for all of them. Rows with a
        ``sample_weight`` of zero are left out.
    initial_params : dict, list of dict or None, default=None
        Parameters of the first members at birth, with values of `param_distributions`;
        what they leave out is drawn. Of a suggested space, the first member has the
        estimator's own values.
    n_generations_no_change : int or None, default=None
        Stop when the best score has not risen by more than `tol` for so many
        generations.
    tol : float, default=1e-4
        See `n_generations_no_change`.
    scoring : str, callable, list, tuple or dict, default=None
        As in scikit-learn. With several scores, `refit` must name the one that
        decides who is replaced.
    refit : bool, str or callable, default=True
        Whether to train on all the data at the end, along the schedule of the best
        member. "weights" keeps the member's own model instead, if there is one split
        only. With several scores, the name of the one that decides. A callable takes
        ``cv_results_`` and returns the row whose schedule is taken.
    cv : int, splitter, iterable or None, default=None
        How to split; None is 5 folds. A member is one model per split with one schedule
        for all. One split, ``ShuffleSplit(1)``, is a fifth of the price and often as
        good.
    random_state : int, RandomState or None, default=None
        Seed of all choices and of the training.
    error_score : "raise" or float, default=nan
        What a failed training scores. A number: the member is replaced, and the search
        warns at the end.
    journal : str, path-like or None, default=None
        A file that keeps each finished generation, and the models of the last one. The
        same call again after a crash goes on from there. The models are pickled: give
        a file that you trust.
    time_budget : float, str or None, default=None
        How long `fit` may take, in seconds or as "10min": complete
        generations count. The last training is not included.
    fit_timeout : float, str or None, default=None
        Time for one generation of a member on one split, in seconds or as "30s". What
        takes longer is killed and scores `error_score`. The last training, on all the
        data, is not limited.
    memory_limit : float, str or None, default=None
        Memory for the same, in bytes or as "2GB", on Linux. With one of these limits,
        the training is done in processes of its own, and cannot end the search.

    Attributes
    ----------
    cv_results_ : dict of str to ndarray
        A row per generation and member: the usual columns, where ``params`` are those
        used *during* the generation, and ``generation``, ``member``, ``parent`` (the
        row whose models it continued, -1 at birth), ``n_resources`` (steps so far) and
        ``exploited`` (whether the parent was another member).
    best_schedule_ : list of (int, dict)
        The schedule of the best row: at which step which parameters changed to what.
    best_estimator_ : estimator
        Trained on all the data along this schedule. If `refit` is not False.
    best_score_ : float
        Mean test score of the best row. Not if `refit` is a callable.
    best_params_ : dict
        Its parameters: where the schedule *ends*. Trained from scratch with them, a
        model may be far worse.
    best_index_ : int
        The best row of the last generation in which a member has a score.
    history_ : list of dict
        Who was replaced by whom, in the order of time.
    space_ : SuggestedSpace
        The space that was suggested. If `param_distributions` is "auto".
    frozen_params_ : list of str
        Parameters that did not change.
    reuse_ : Reuse
        What sharing saved: the numbers of trainings and fits of transformers that were
        done (``n_fits``) and that would have been done without it (``n_saved``).
    stop_reason_ : str
        Why the search ended: "completed", "no_change" (see `n_generations_no_change`),
        "all_failed" (no member of a generation had a score, so that none was left to
        continue from), "time_budget", "interrupted", "callback", "error" (an exception;
        what was complete is kept), or what a rule of `stop` said.
    refit_time_ : float
        Seconds that the last training took.

    See Also
    --------
    RandomSearch : Values that do not change during training.

    References
    ----------
    .. [1] M. Jaderberg et al., "Population Based Training of Neural Networks",
       arXiv:1711.09846, 2017.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import SGDClassifier
    >>> from skhpo import PBTSearch
    >>> X, y = load_digits(return_X_y=True)
    >>> model = SGDClassifier(loss="log_loss", learning_rate="constant", eta0=0.1)
    >>> space = {"eta0": loguniform(1e-5, 1), "alpha": loguniform(1e-6, 1e-1)}
    >>> search = PBTSearch(
    ...     model, space, population_size=4, n_generations=5, cv=2, random_state=0
    ... ).fit(X, y)
    >>> [step for step, params in search.best_schedule_][0]
    0
    >>> int(search.cv_results_["n_resources"][search.best_index_])
    5
    """

    _parameter_constraints: ClassVar[dict] = {
        **BaseSearch._parameter_constraints,
        "param_distributions": [
            StrOptions({"auto"}),
            dict,
            list,
            tuple,
            SuggestedSpace,
        ],
        "population_size": [Integral],
        "n_generations": [Interval(Integral, 1, None, closed="left")],
        "steps_per_generation": [Interval(Integral, 1, None, closed="left")],
        "resource": [str, None],
        "quantile": [Interval(Real, 0, 0.5, closed="right")],
        "resample_probability": [Interval(Real, 0, 1, closed="both")],
        "perturb_factors": [list, tuple],
        "exploit": [StrOptions({"truncation", "tournament"}), callable],
        "explore": [StrOptions({"perturb"}), callable],
        "burn_in": [Interval(Integral, 0, None, closed="left")],
        "mutable": [StrOptions({"auto"}), list, tuple, set],
        "frozen": [list, tuple, set, None],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
        "initial_params": [dict, list, tuple, None],
        "n_generations_no_change": [Interval(Integral, 1, None, closed="left"), None],
        "tol": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        param_distributions: Mapping[str, Any]
        | Sequence[Mapping[str, Any]]
        | SuggestedSpace
        | str = "auto",
        *,
        population_size: int = 16,
        n_generations: int = 10,
        steps_per_generation: int = 1,
        resource: str | None = None,
        quantile: float = 0.25,
        resample_probability: float = 0.1,
        perturb_factors: Sequence[float] = (0.8, 1.25),
        exploit: str | Exploit = "truncation",
        explore: str | Explore = "perturb",
        burn_in: int = 0,
        mutable: str | Collection[str] = "auto",
        frozen: Collection[str] | None = None,
        batch_size: int | None = None,
        initial_params: Params | Sequence[Params] | None = None,
        n_generations_no_change: int | None = None,
        tol: float = 1e-4,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        random_state: Any = None,
        error_score: str | float = np.nan,
        return_train_score: bool = False,
        journal: str | os.PathLike[str] | None = None,
        time_budget: float | str | None = None,
        stop: StopRule | Sequence[StopRule] | None = None,
        fit_timeout: float | str | None = None,
        memory_limit: float | str | None = None,
        return_oof: bool = False,
    ) -> None:
        super().__init__(**self._shared(locals()))
        self.param_distributions = param_distributions
        self.population_size = population_size
        self.n_generations = n_generations
        self.steps_per_generation = steps_per_generation
        self.resource = resource
        self.quantile = quantile
        self.resample_probability = resample_probability
        self.perturb_factors = perturb_factors
        self.exploit = exploit
        self.explore = explore
        self.burn_in = burn_in
        self.mutable = mutable
        self.frozen = frozen
        self.batch_size = batch_size
        self.initial_params = initial_params
        self.n_generations_no_change = n_generations_no_change
        self.tol = tol
        self.random_state = random_state

    def schedule_of(self, row: int) -> Schedule:
        """Return the parameters over time of the training that led to a row.

        Parameters
        ----------
        row : int
            Row of ``cv_results_``.

        Returns
        -------
        list of (int, dict)
            ``(start_step, {name: value})``: first all parameters, then what changed.
        """
        check_is_fitted(self, "cv_results_")
        return schedule_of(self.cv_results_, row)

    def _policy(self) -> LoopPolicy:
        # Members count only together with those of their generation.
        return LoopPolicy(learns=True, whole_batches=True)

    def _compile(self) -> Space:
        given = self._distributions
        given = dict(given) if isinstance(given, SuggestedSpace) else given
        spaces = plain_spaces(given)
        return check_space(spaces, name="param_distributions", distributions=True)

    def _make_optimizer(self, space: Space) -> PBTOptimizer:
        assert not isinstance(space, SearchSpace), "it was compiled so"
        named: dict[str, Exploit] = {
            "truncation": Truncation(self.quantile),
            "tournament": Tournament(),
        }
        exploit = named[self.exploit] if isinstance(self.exploit, str) else self.exploit
        given = self.initial_params
        if given is None:  # of a suggested space, the estimator as it is
            given = getattr(self._distributions, "initial_params", [])[:1]
        return PBTOptimizer(
            space,
            seed_sequence(self.random_state),
            population_size=self.population_size,
            n_generations=self.n_generations,
            steps_per_generation=self.steps_per_generation,
            exploit=exploit,
            explore=None if isinstance(self.explore, str) else self.explore,
            factors=self.perturb_factors,
            resample_probability=self.resample_probability,
            burn_in=self.burn_in,
            initial_params=[given] if isinstance(given, Mapping) else given,
            n_generations_no_change=self.n_generations_no_change,
            tol=self.tol,
        )

    def _evaluate(self, run: Run, optimizer: Any) -> None:
        problem = run.problem
        if self.refit == "weights" and self.n_splits_ != 1:
            raise ValueError(
                "refit='weights' keeps the model of the best member, which has one for "
                f"each of {self.n_splits_} splits. Set cv=ShuffleSplit(1), or "
                "refit=True."
            )
        born = [record.params for record in optimizer.records]
        labels = labels_of(problem.y, problem.estimator)
        plan = TrainingPlan(optimizer.seed, self.resource, self.batch_size, labels)
        run.fitter = Train(plan)
        training = self._training(run, plan)
        check_target(problem.estimator, born, training, resource=self.resource)
        frozen = frozen_in_population(
            problem.estimator,
            born,
            training,
            resource=self.resource,
            mutable=self.mutable,
            frozen=self.frozen or (),
        )
        self._warn_of_frozen(frozen, born[0])
        optimizer.frozen = frozen
        self.frozen_params_ = sorted(frozen)
        super()._evaluate(run, optimizer)
        if run.record.stop_reason == "completed":
            run.record.stop_reason = optimizer.ended

    def _training(self, run: Run, plan: TrainingPlan) -> Training:
        """Return the training on all the data."""
        training = plan.training(run.problem.X, run.problem.y, -1)
        return replace(training, fit_params=run.problem.routed.estimator.fit)

    def _finish_evaluation(self, run: Run) -> None:
        """Have the model of the best member, as long as there are workers."""
        record = run.record
        if self.refit != "weights" or not record.n_candidates or record.all_failed:
            return
        assert isinstance(run.evaluator, Evaluator)
        scores = np.array([trial.score for trial in record.trials])
        best = best_row(self._more_results(record), scores)
        if not record.failed[best]:
            run.model = run.evaluator.model(record.candidates[best].id)

    def _warn_of_frozen(self, frozen: frozenset[str], searched: Params) -> None:
        unsaid = sorted(frozen - set(self.frozen or ()))
        if self.mutable == "auto" and 2 * len(unsaid) > len(searched):
            warn_user(
                f"{len(unsaid)} of {len(searched)} parameters cannot change during "
                f"training: {unsaid}. RandomSearch suits them better; name them in "
                "frozen=[...] if this is what you want.",
                SkhpoWarning,
            )

    def _more_results(self, record: Record) -> dict[str, Any]:
        return lineage_columns(record.candidates, self.population_size)

    @staticmethod
    def _select_best_index(refit: Any, refit_metric: Any, results: Any) -> int:
        """Return the best row of the last generation in which a member has a score."""
        if callable(refit):
            return BaseSearchCV._select_best_index(refit, refit_metric, results)
        return best_row(results, results[f"mean_test_{refit_metric}"])

    def _set_results(self, run: Run) -> None:
        super()._set_results(run)
        self.history_ = exploit_events(self.cv_results_)

    def _set_best(self, run: Run) -> None:
        super()._set_best(run)
        if hasattr(self, "best_index_"):
            self.best_schedule_ = schedule_of(self.cv_results_, self.best_index_)

    _row_name = "row"

    def _shown_params(self) -> Params:
        """Return the schedule of each parameter: what it ends at is half the truth."""
        return {
            name: schedule_text([(step, p[name]) for step, p in self.best_schedule_])
            for name in self.best_params_
        }

    def _say_that_the_best_is_fitted(self, run: Run) -> None:
        if self.refit != "weights":
            super()._say_that_the_best_is_fitted(run)

    def _fit_best(self, run: Run, estimator: Any) -> Any:
        """Train along the best schedule on all the data, or keep the trained model."""
        if self.refit == "weights" and run.model is None:
            raise ValueError(
                f"The member in row {self.best_index_} has failed and left no model: "
                f"it is the best one because of error_score={self.error_score!r}. Give "
                "a lower error_score, or NaN."
            )
        if self.refit == "weights":
            return run.model
        assert isinstance(run.fitter, Train)
        n_steps = int(self.cv_results_["n_resources"][self.best_index_])
        training = self._training(run, run.fitter.plan).portion(0, n_steps)
        return replay(
            run.problem.estimator,
            self.best_schedule_,
            training,
            resource=self.resource,
            portion=self.steps_per_generation,
        )
