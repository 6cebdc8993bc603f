"""Searches whose candidates may be halved: few resources first, more for the best."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skhpo._rng import child_rng, seed_sequence
from skhpo._sklearn_compat import Interval, StrOptions, num_samples
from skhpo._trial import Trial
from skhpo._warnings import warn_user
from skhpo.evaluation import EvaluationSpec
from skhpo.evaluation.training._training import Train, TrainingPlan
from skhpo.exceptions import InvalidSpaceError, SkhpoWarning
from skhpo.optimizers import Optimizer
from skhpo.optimizers._halving import HalvingOptimizer
from skhpo.optimizers._halving_plan import HalvingPlan, plan_halving
from skhpo.optimizers._resource import Iterations, Resource, Rows, Value
from skhpo.search._curves import check_curves, warn_of_highest
from skhpo.search._halving_parameter import (
    check_amounts,
    check_parameter,
    goes_on,
    have_stages,
)
from skhpo.search._halving_rows import (
    check_classes,
    least_rows,
    make_subsets,
    smallest_rows,
)
from skhpo.search._loop import LoopPolicy
from skhpo.search._race import RacingSearch
from skhpo.search._raced import ranks_in_groups
from skhpo.search._run import Problem, Run, subspaces_of
from skhpo.space._curve import Curve

__all__ = ["HalvingSearch"]

ROWS = "n_samples"
# "auto": by how much the first iteration has fewer iterations than the last one.
MAX_GROWTH = 8
# "auto": of rows and of iterations.
FACTOR_OF_ROWS, FACTOR_OF_ITERATIONS = 3, 2
DEFAULTS: dict[str, Any] = {
    "min_resources": "auto",
    "max_resources": "auto",
    "factor": "auto",
    "aggressive_elimination": False,
    "n_brackets": 1,
}


class HalvingSearch(RacingSearch):
    """Base class of searches that may halve; not to be used directly.

    `inherit_docs` takes over what is described here.

    Parameters
    ----------
    resource : str or None, default=None
        What candidates get more of from iteration to iteration, while only the best
        ones go on (successive halving): ``"n_samples"``, rows of the train parts, or a
        parameter of the estimator such as ``"max_iter"``; see :ref:`halving`. None
        for all resources at once.
    min_resources : int, {"auto", "exhaust", "smallest"}, default="auto"
        What the first iteration gets: a number; "smallest", scikit-learn's least
        number; or the most with which the last iteration comes to all resources, no
        less than that ("exhaust"), or than is reasonable ("auto": 1000 rows, 20 of
        each class, or an eighth of the iterations).
    max_resources : int or "auto", default="auto"
        What the last iteration gets; "auto" is all rows.
    factor : float or "auto", default="auto"
        One in so many candidates goes on, and resources grow by as much. "auto" is 3
        for rows and 2 for iterations.
    aggressive_elimination : bool, default=False
        Whether to repeat the first iteration with the candidates that are left, until
        the last one has no more than `factor` of them.
    n_brackets : int, default=1
        How many halvings to divide the candidates among, each of which begins an
        iteration later than the one before, with fewer candidates: Hyperband.

    Attributes
    ----------
    n_resources_ : list of int
        With `resource`: what each iteration got.
    n_candidates_ : list of int
        With `resource`: how many candidates each iteration had.
    n_iterations_ : int
        With `resource`: how many iterations there are.
    n_required_iterations_ : int
        With `resource`: how many it takes until no more than `factor` are left.
    n_possible_iterations_ : int
        With `resource`: how many there can be from `min_resources_` to
        `max_resources_`.
    n_remaining_candidates_ : int
        With `resource`: how many would go on from the last iteration.
    min_resources_ : int
        With `resource`: what the first iteration got.
    max_resources_ : int
        With `resource`: what the last one gets.
    """

    resource: str | None = None
    _parameter_constraints: ClassVar[dict] = {
        **RacingSearch._parameter_constraints,
        "resource": [str, None],
        "min_resources": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto", "exhaust", "smallest"}),
        ],
        "max_resources": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"auto"}),
        ],
        "factor": [Interval(Real, 1, None, closed="neither"), StrOptions({"auto"})],
        "aggressive_elimination": ["boolean"],
        "n_brackets": [Interval(Integral, 1, None, closed="left")],
    }

    def _policy(self) -> LoopPolicy:
        return LoopPolicy(learns=self.resource is not None)

    def _why_one_score(self) -> str | None:
        if self.resource is not None:
            return "with 'resource' compares"
        return super()._why_one_score()

    def _may_skip(self) -> bool:
        return self.resource is not None or super()._may_skip()

    # -- what is refused ---------------------------------------------------------------

    def _start(self, X: Any, y: Any, params: dict[str, Any]) -> Run:
        run = super()._start(X, y, params)
        if self.resource is None:
            self._check_no_halving()
        else:
            self._check_halving()
        return run

    def _check_no_halving(self) -> None:
        """Raise ValueError if something is said of resources, and not which."""
        for name, default in DEFAULTS.items():
            value = getattr(self, name)
            if value != default:
                raise ValueError(
                    f"{type(self).__name__} with {name}={value!r} needs to know of "
                    "what there is to be more from iteration to iteration: set "
                    "resource='n_samples', or to the name of a parameter, such as "
                    "'max_iter'."
                )

    def _check_halving(self) -> None:
        """Raise ValueError if this cannot be halved."""
        name, given = type(self).__name__, f"resource={self.resource!r}"
        if self.race:
            raise ValueError(
                f"{name} with {given} leaves so few candidates to the last iteration "
                "that there is nothing to race for. Set race=False, or resource=None "
                f"to race all of them. Got race={self.race!r}."
            )
        if callable(self.refit):
            raise ValueError(
                f"{name} with {given} goes on with the candidates of the highest mean "
                "scores, and a callable 'refit' may want to choose one of the others. "
                f"Set resource=None, or refit=True. Got refit={self.refit!r}."
            )
        if self.n_brackets > 1 and self.aggressive_elimination:
            raise ValueError(
                "aggressive_elimination=True repeats the first iteration, and "
                f"n_brackets={self.n_brackets} begins with others as well. Set one of "
                "them only."
            )

    def _check_space(self, problem: Problem) -> None:
        super()._check_space(problem)
        if self.resource is None or self.resource == ROWS:
            return
        subspaces = subspaces_of(problem.space)
        check_parameter(self.estimator, subspaces, self.resource, self.max_resources)
        check_amounts(self.estimator, subspaces, self.resource, self.max_resources)

    # -- how much there is -------------------------------------------------------------

    def _evaluate(self, run: Run, optimizer: Optimizer) -> None:
        if self.resource is not None:
            optimizer = run.halving = self._halved(run, optimizer)
        super()._evaluate(run, optimizer)

    def _halved(self, run: Run, source: Optimizer) -> HalvingOptimizer:
        """Return what proposes the same candidates, iteration by iteration."""
        most = self._most(run.problem)
        least = self._least(run.problem, most)
        seed = self._seed()

        def make_plan(n_candidates: int) -> HalvingPlan:
            return self._plan(n_candidates, least, most)

        def deal(n: int) -> list[int]:
            return child_rng(seed, "brackets").permutation(n).tolist()

        resource = self._resource(run.problem, most)
        if isinstance(resource, Rows):
            run.subsets = make_subsets(run.problem, seed)
        elif isinstance(resource, Iterations) and resource.continues:
            parameter = resource.name.rpartition("__")[2]
            run.fitter = Train(TrainingPlan(seed, parameter))
        return HalvingOptimizer(
            source, resource, make_plan, n_brackets=self.n_brackets, deal=deal
        )

    def _plan(self, n_candidates: int, least: int, most: int) -> HalvingPlan:
        """Return the iterations for so many candidates."""
        plan = plan_halving(
            n_candidates,
            least,
            most,
            self._factor,
            exhaust=self.min_resources in ("auto", "exhaust"),
            aggressive=self.aggressive_elimination,
        )
        self._check_brackets(plan, n_candidates)
        if len(plan.n_resources) == 1 and n_candidates > plan.factor:
            warn_user(
                f"There is one iteration only, and all {n_candidates} candidates get "
                f"everything: from {least} to {most} is less than factor="
                f"{self._factor:g}. Give less to begin with by min_resources.",
                SkhpoWarning,
            )
        return plan

    def _resource(self, problem: Problem, most: int) -> Resource:
        """Return what there is more of, and whether one fit tells of less, too."""
        name = self.resource
        assert name is not None
        if name == ROWS:
            return Rows(num_samples(problem.X))
        subspaces = subspaces_of(problem.space)
        if most < 2 or not have_stages(problem.estimator, subspaces, name):
            return Value(name)
        try:
            check_curves(
                problem.estimator,
                [{**subspace, name: Curve(most)} for subspace in subspaces],
                num_samples(problem.X),
                scorers=problem.scorers,
                refit=self.refit,
                fit_params=problem.routed.estimator.fit,
            )
        except InvalidSpaceError as error:
            raise InvalidSpaceError(
                f"With resource={name!r}, candidates are compared by the best so far "
                f"along their iterations, which asks for what a Curve asks for. {error}"
            ) from None
        return Iterations(name, goes_on(problem, subspaces, name))

    @property
    def _factor(self) -> float:
        if self.factor != "auto":
            return float(self.factor)
        return FACTOR_OF_ROWS if self.resource == ROWS else FACTOR_OF_ITERATIONS

    def _seed(self) -> np.random.SeedSequence:
        """Return the root of what is drawn for halving; a grid has the same always."""
        return seed_sequence(getattr(self, "random_state", 0))

    def _check_brackets(self, plan: HalvingPlan, n_candidates: int) -> None:
        most = min(len(plan.n_resources), n_candidates)
        if self.n_brackets > most:
            raise ValueError(
                f"n_brackets={self.n_brackets} is more than there can be: each begins "
                f"with another of {len(plan.n_resources)} iterations, "
                f"{list(plan.n_resources)}, and has one of {n_candidates} candidates. "
                f"Set it to {most} or less."
            )

    def _most(self, problem: Problem) -> int:
        """Return what the last iteration gets."""
        n_rows = num_samples(problem.X)
        most = n_rows if self.max_resources == "auto" else int(self.max_resources)
        if self.resource == ROWS and most > n_rows:
            raise ValueError(
                f"max_resources={most} is more than the {n_rows} rows that there are."
            )
        return most

    def _least(self, problem: Problem, most: int) -> int:
        """Return what the first iteration gets at least."""
        if isinstance(self.min_resources, Integral):
            least = int(self.min_resources)
        elif self.resource != ROWS:
            auto = self.min_resources == "auto"
            least = max(1, most // MAX_GROWTH) if auto else 1
        elif self.min_resources == "auto":
            return least_rows(problem, self.n_splits_, most, self._factor)
        else:
            least = smallest_rows(problem, self.n_splits_)
        if least > most:
            hint = " With few rows, race=True saves more." * (self.resource == ROWS)
            raise ValueError(
                f"min_resources_={least} is greater than max_resources_={most}.{hint}"
            )
        if least == 0:
            raise ValueError(
                "min_resources_=0: you might have passed an empty dataset X."
            )
        return least

    def _make_spec(self, run: Run, n_candidates: int | None) -> EvaluationSpec:
        spec = super()._make_spec(run, n_candidates)
        if run.halving is None or run.subsets is None:
            return spec
        run.budget.n_rows = run.subsets.n_rows
        first = run.halving.plan.n_resources[0]
        check_classes(run.problem, spec.splits, run.subsets, first)
        return spec.on_subsets(run.subsets)

    # -- what the results say ----------------------------------------------------------

    def _warn_of_highest(self, trial: Trial) -> None:
        if self.resource in (None, ROWS):
            super()._warn_of_highest(trial)
        else:
            warn_of_highest(trial, "max_resources", "Raise it.")

    def _set_results(self, run: Run) -> None:
        super()._set_results(run)
        halving = run.halving
        if halving is None:
            return
        plan = halving.plan
        places = [halving.places[c.id] for c in run.record.candidates]
        iteration = np.array([place.rung for place in places])
        # Those with a row: what ends early has lined up others.
        done = np.bincount(iteration).tolist()
        self.n_candidates_ = done
        self.n_resources_ = list(plan.n_resources[: len(done)])
        self.min_resources_ = plan.n_resources[0]
        self.max_resources_ = plan.n_resources[-1]
        self.n_iterations_ = len(plan.n_resources)
        self.n_required_iterations_ = plan.n_required_iterations
        self.n_possible_iterations_ = plan.n_possible_iterations
        self.n_remaining_candidates_ = plan.n_kept(done[-1])
        columns = {
            "iter": iteration,
            "n_resources": np.array([plan.n_resources[i] for i in iteration]),
        }
        if self.n_brackets > 1:
            columns["bracket"] = np.array([place.bracket for place in places])
        self.cv_results_ = {**columns, **self.cv_results_}
        for name in [name for name in self.cv_results_ if "rank_test_" in name]:
            means = self.cv_results_[name.replace("rank", "mean", 1)]
            self.cv_results_[name] = ranks_by_iteration(iteration, means)


def ranks_by_iteration(
    iteration: NDArray[np.int_], means: NDArray[np.float64]
) -> NDArray[np.int32]:
    """Return the ranks: the last iteration first, and failed candidates last.

    Parameters
    ----------
    iteration : ndarray of shape (n,)
        Of each row.
    means : ndarray of shape (n,)
        Mean scores.

    Returns
    -------
    ndarray of shape (n,)
        From 1; equal ones of an iteration share the lowest.

    Examples
    --------
    >>> iteration = np.array([0, 0, 0, 1, 1])
    >>> ranks_by_iteration(iteration, np.array([0.9, np.nan, 0.3, 0.5, 0.6])).tolist()
    [3, 5, 4, 2, 1]
    """
    failed = np.isnan(means)
    rungs = sorted(set(iteration.tolist()), reverse=True)
    groups = [((iteration == rung) & ~failed, -means) for rung in rungs]
    return ranks_in_groups([*groups, (failed, np.zeros(len(means)))])
