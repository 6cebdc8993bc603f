"""What all searches are: scikit-learn's search contract around our own evaluation."""

from __future__ import annotations

import math
import os
import time
import warnings
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import check_cv
from sklearn.utils import get_tags, indexable

from skhpo import _clock
from skhpo._arithmetic import own_arithmetic
from skhpo._sklearn_compat import (
    INCONSISTENT_SPLITS,
    BaseSearchCV,
    RootHooks,
    check_method_params,
    fit_context,
    is_multimetric,
)
from skhpo._trial import Evaluation, Trial
from skhpo._units import parse_seconds
from skhpo.evaluation import EvaluationSpec, Evaluator
from skhpo.evaluation.fitting._rows import PackedSplits
from skhpo.evaluation.workers._limits import Limits
from skhpo.exceptions import (
    AllFitsFailedError,
    JournalWarning,
    SearchInterruptedWarning,
    SearchStoppedError,
)
from skhpo.journal import Journal
from skhpo.journal._memory import JournalMemory
from skhpo.optimizers import Optimizer
from skhpo.search._asking import Asking
from skhpo.search._budget import TimeBudget, growth_of
from skhpo.search._check import check_against_estimator
from skhpo.search._delegation import Delegation
from skhpo.search._effects import warn_of_no_effect
from skhpo.search._loop import Listener, Loop, is_impatient
from skhpo.search._problem import open_journal
from skhpo.search._results import Record
from skhpo.search._run import Reuse, Run
from skhpo.search._stop import StopRules, as_rules, check_rules
from skhpo.search.feedback._bar import show_progress
from skhpo.search.feedback._early import FirstFailures, ScoreCheck
from skhpo.search.feedback._heartbeat import Heartbeat
from skhpo.search.feedback._summary import Summary
from skhpo.stopping import StopRule

__all__ = ["BaseSearch"]


class BaseSearch(Delegation, Summary, BaseSearchCV):
    """Base class of the searches; not to be used directly.

    ``fit`` follows scikit-learn's step by step (validation, routing, callbacks,
    refit, attributes, warnings, messages). In between, an optimizer proposes
    candidates and an evaluator fits them, block by block and in parallel.
    """

    # If it learns: how many candidates may be asked for and not yet told; None for no
    # limit. A parameter of the search, never the number of workers: results depend on
    # it.
    n_pending: int | None = None
    # Whether trials are told as they are completed, and not in the order of their ids.
    asynchronous = False
    # Whether candidates count only together with those that came with them.
    _whole_batches = False
    # What all searches have beside what scikit-learn's have.
    _durability_constraints: ClassVar[dict] = {
        "journal": [str, os.PathLike, None],
        "time_budget": [Real, str, None],
        "stop": [callable, list, tuple, None],
        "fit_timeout": [Real, str, None],
        "memory_limit": [Real, str, None],
    }

    @property
    def _learns(self) -> bool:
        """Whether the scores so far decide what is next: there must be one score."""
        return False

    @abstractmethod
    def _make_optimizer(self) -> Optimizer:
        """Return the algorithm of this search, ready to be asked."""

    @abstractmethod
    def _subspaces(self) -> Sequence[Mapping[str, Any]]:
        """Return the dicts of values by parameter name that are searched.

        Raises TypeError or ValueError if the space is not one.
        """

    @fit_context(prefer_skip_nested_validation=False)  # the inner one is not validated
    def fit(self, X: Any, y: Any = None, **params: Any) -> BaseSearch:
        """Search, then fit the best candidate on all the data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_samples)
            Training data; the second shape is for precomputed kernels and distances.
        y : array-like of shape (n_samples, n_outputs) or (n_samples,), default=None
            Target; None for unsupervised learning.
        **params : dict of str to object
            Parameters for the ``fit`` of the estimator, for the scorer and for the
            splitter, as scikit-learn routes them. Those as long as `X`, such as
            ``sample_weight``, are split with it; ``groups`` goes to the splitter.

        Returns
        -------
        self : object
            The fitted search.

        Raises
        ------
        ValueError
            If the space does not suit the estimator, or the splitter contradicts
            itself: before the first fit.
        AllFitsFailedError
            If no fit succeeded; says why, by kind of failure.
        SearchStoppedError
            If the search was stopped before a single candidate was complete.
        JournalError
            If the file given as `journal` cannot serve as one.

        Notes
        -----
        Whatever is raised once a candidate is complete, by the last fit, a rule of
        `stop`, a callable `refit` or anything else, ``cv_results_`` and what goes with
        it are set before, and a note at the exception says so. Nothing of an earlier
        ``fit`` is left.
        """
        self._forget()
        run = self._start(X, y, params)
        self._check_subspaces()
        optimizer = self._make_optimizer()
        check_rules(self._rules(), optimizer, run.n_splits)
        record = Record(self.refit if isinstance(self.refit, str) else None)
        with self._nothing_lost(run, record):
            self._evaluate(run, optimizer, record)
            self._report_failures(run, record)
            self._set_results(run, record)
            self._set_best(run, record)
            self._refit_best(run)
            run.hooks.end()
        warn_of_no_effect(record, self.cv_results_, stacklevel=3)
        return self

    def _forget(self) -> None:
        """Delete what an earlier fit has learned, lest it mix with this one's."""
        own = self._get_param_names()
        learned = [n for n in vars(self) if n.endswith("_") and n not in own]
        for name in learned:
            delattr(self, name)

    @contextmanager
    def _nothing_lost(self, run: Run, record: Record) -> Iterator[None]:
        """Set the results of a search also if something is raised; note it there."""
        try:
            yield
        except BaseException as error:
            if record.n_candidates:
                self._rescue(run, record)
                error.add_note(self._describe_rescued(record.n_candidates))
            raise

    def _rescue(self, run: Run, record: Record) -> None:
        """Set what has not been set yet, as far as that is possible."""
        with warnings.catch_warnings(), suppress(Exception):
            warnings.simplefilter("ignore")  # perhaps one was what has been raised
            if not hasattr(self, "cv_results_"):
                record.drop_odd_ones()
                self._set_results(run, record)
            if not run.has_chosen:
                self._set_best(run, record)

    def _describe_rescued(self, n_candidates: int) -> str:
        names = ["cv_results_", "best_params_", "failures_", "best_estimator_"]
        there = [name for name in names if hasattr(self, name)]
        missing = ""
        if self.refit and "best_estimator_" not in there:
            missing = " There is no best_estimator_."
        return (
            f"{type(self).__name__} keeps what it has found, {n_candidates} "
            f"candidates: see {', '.join(there)}.{missing}"
        )

    def __sklearn_is_fitted__(self) -> bool:
        """Whether the search can do what it is for, to predict if it is to refit."""
        if not hasattr(self, "cv_results_"):
            return False
        if self.refit and not hasattr(self, "best_estimator_"):
            raise NotFittedError(
                f"This {type(self).__name__} has results, but no best_estimator_: an "
                "exception ended its fit before the last fit, on all the data, was "
                "done. See cv_results_; clone(search.estimator).set_params("
                "**search.best_params_) is what was to be fitted."
            )
        return True

    def _check_subspaces(self) -> None:
        """Check names and values against the estimator.

        Whoever gives a number as `error_score` has said what a rejected value
        scores; NaN, the default, says nothing.
        """
        unsaid = self.error_score == "raise" or np.isnan(self.error_score)
        check_against_estimator(self.estimator, self._subspaces(), check_values=unsaid)

    def _start(self, X: Any, y: Any, params: dict[str, Any]) -> Run:
        start = _clock.now()
        budget = self._seconds("time_budget")
        self._rules()
        self._check_repeatable()
        limits = Limits.parse(self.fit_timeout, self.memory_limit)
        scorers, refit_metric = self._get_scorers()
        if is_multimetric(scorers):
            self._score_check().check_one(scorers._scorers)
        X, y = indexable(X, y)
        params = check_method_params(X, params=params)
        routed = self._get_routed_params_for_fit(params)
        hooks = RootHooks(self, X, y, params)
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        self._checked_cv_orig = cv
        self.n_splits_ = cv.get_n_splits(X, y, **routed.splitter.split)
        return Run(
            X,
            y,
            scorers,
            refit_metric,
            routed,
            hooks,
            cv,
            n_splits=self.n_splits_,
            estimator=clone(self.estimator),
            start=start,
            budget=TimeBudget(budget, start),
            limits=limits,
        )

    def _seconds(self, name: str) -> float:
        """Return a parameter that is a duration, inf for None."""
        value = getattr(self, name)
        return math.inf if value is None else parse_seconds(value, name)

    def _rules(self) -> list[StopRule]:
        return as_rules(self.stop, type(self).__name__)

    def _evaluate(self, run: Run, optimizer: Optimizer, record: Record) -> None:
        """Evaluate what the optimizer asks for, until something ends the search."""
        n_candidates = getattr(optimizer, "n_candidates", None)
        spec = self._make_spec(run, n_candidates)
        if self.verbose > 0:
            _print_plan(n_candidates, run.n_splits)
        n_evaluations = None if n_candidates is None else n_candidates * run.n_splits
        if self.refit:
            run.budget.growth = growth_of(spec)
        with ExitStack() as stack:
            stack.enter_context(run.hooks.searching(n_evaluations))
            journal = stack.enter_context(open_journal(self.journal, spec))
            memory = journal and self._make_memory(journal)
            evaluator = self._make_evaluator(run, spec, optimizer, memory)
            run.evaluator = stack.enter_context(evaluator)
            heart = Heartbeat(type(self).__name__, n_candidates, evaluator.running)
            if self.verbose > 0:
                stack.enter_context(heart)
            bar = show_progress(type(self).__name__, n_candidates)
            first = FirstFailures(type(self).__name__, n_candidates)
            listeners = [heart.note, stack.enter_context(bar).note, first.note]
            try:
                loop = self._make_loop(run, optimizer, record, listeners)
                run.stop_reason = loop.run()
            except KeyboardInterrupt:
                run.stop_reason = "interrupted"
                if is_impatient() or not record.n_candidates:
                    raise
                self._warn_of_interrupt(record, n_candidates)
        self._check_not_empty(run, record)

    def _make_loop(
        self,
        run: Run,
        optimizer: Optimizer,
        record: Record,
        listeners: Sequence[Listener],
    ) -> Loop:
        def check_scores(_: Trial, evaluations: Sequence[Evaluation]) -> None:
            record.check_scores(evaluations)
            for evaluation in evaluations:
                if callable(self.scoring) and isinstance(evaluation.test_scores, dict):
                    self._score_check()(evaluation.test_scores)

        in_order = not self.asynchronous
        n_pending = self.n_pending if self._learns else None
        return Loop(
            Asking(optimizer, run.evaluator, n_pending, in_order=in_order),
            run.evaluator,
            record,
            StopRules(self._rules(), optimizer, run.start),
            [check_scores, run.budget.note, *listeners],
            keep_all=self._whole_batches,
        )

    def _check_repeatable(self) -> None:
        """Warn if a journal can hardly help: the candidates will be others."""
        is_random = "random_state" in self._get_param_names()
        if self.journal is not None and is_random and self.random_state is None:
            warnings.warn(
                f"With random_state=None, {type(self).__name__} proposes other "
                "candidates at every fit, and hardly finds them in its journal. Set "
                "random_state to an integer, so that a run can be resumed.",
                JournalWarning,
                stacklevel=5,
            )

    def _warn_of_interrupt(self, record: Record, n_candidates: int | None) -> None:
        total = "" if n_candidates is None else f" of {n_candidates}"
        refit = " The best of them is fitted now." if self.refit else ""
        warnings.warn(
            f"{type(self).__name__} was interrupted: {record.n_candidates}{total} "
            f"candidates are complete and kept.{refit} Interrupt again to give up.",
            SearchInterruptedWarning,
            stacklevel=5,
        )

    def _check_not_empty(self, run: Run, record: Record) -> None:
        if record.n_candidates:
            return
        if run.stop_reason == "callback":
            raise SearchStoppedError("A callback stopped the search before it began.")
        if run.stop_reason == "time_budget":
            raise SearchStoppedError(
                f"The time budget of {self.time_budget!r} was over before one "
                f"candidate was complete on all {run.n_splits} splits. Give more time, "
                "fewer splits, or a faster estimator."
            )

    def _make_evaluator(
        self,
        run: Run,
        spec: EvaluationSpec,
        optimizer: Optimizer,
        memory: Any,
    ) -> Any:
        """Return what evaluates candidates: `Evaluator`, or what has its methods."""
        return Evaluator(
            spec,
            n_jobs=self.n_jobs,
            pre_dispatch=self.pre_dispatch,
            reuse=self.reuse,
            memory=memory,
            remaining=run.budget.remaining,
            make_context=run.hooks.evaluation if run.hooks.listening else None,
            limits=run.limits,
        )

    def _make_memory(self, journal: Journal) -> Any:
        """Return what looks up and keeps evaluations in a journal."""
        return JournalMemory(journal, train_scores=self.return_train_score)

    def _more_results(self, record: Record) -> dict[str, Any]:
        """Return columns of ``cv_results_`` beside those that scikit-learn has."""
        return {}

    def _make_spec(self, run: Run, n_candidates: int | None) -> EvaluationSpec:
        """Freeze the splits, and gather what all evaluations share."""
        split = run.cv.split(run.X, run.y, **run.routed.splitter.split)
        splits = PackedSplits(split)
        if len(splits) != run.n_splits:
            raise ValueError(INCONSISTENT_SPLITS.format(run.n_splits, len(splits)))
        return EvaluationSpec(
            run.estimator,
            run.X,
            run.y,
            splits,
            run.scorers,
            fit_params=run.routed.estimator.fit,
            score_params=run.routed.scorer.score,
            error_score=self.error_score,
            return_train_score=self.return_train_score,
            verbose=self.verbose,
            n_candidates=n_candidates,
            caller=self if run.hooks.listening else None,
            check_scores=self._score_check() if callable(self.scoring) else None,
        )

    def _score_check(self) -> ScoreCheck:
        """Return what checks `refit` against the names of several scores."""
        wants_one = "learns from" if self._learns else "with 'stop' looks at"
        return ScoreCheck(
            type(self).__name__,
            None if callable(self.refit) else self.refit,
            repr(self.refit),
            wants_one if self._learns or self.stop is not None else None,
        )

    def _set_results(self, run: Run, record: Record) -> None:
        """Set all that does not depend on which candidate is the best."""
        evaluations = record.evaluations(self.error_score)
        with own_arithmetic():
            results = self._format_results(
                record.params, run.n_splits, evaluations, self._more_results(record)
            )
        scorers, evaluator = run.scorers, run.evaluator
        self.scorer_ = scorers._scorers if is_multimetric(scorers) else scorers
        self.multimetric_ = isinstance(evaluations[0]["test_scores"], dict)
        self.failures_ = record.failures()
        self.reuse_ = Reuse(evaluator.n_fits, evaluator.n_needed - evaluator.n_fits)
        self.stop_reason_ = run.stop_reason
        self.cv_results_ = results

    def _report_failures(self, run: Run, record: Record) -> None:
        """Warn of failed fits; raise if there are no others."""
        try:
            record.report_failures(self.error_score)
        except AllFitsFailedError as error:
            if run.y is None and get_tags(self.estimator).target_tags.required:
                raise AllFitsFailedError(
                    f"{type(self).__name__} over {run.estimator!r} requires y to be "
                    f"passed, but the target y is None.\n{error}"
                ) from None
            raise

    def _set_best(self, run: Run, record: Record) -> None:
        """Set the attributes of the best candidate, where there is one."""
        run.has_chosen = True
        if record.all_failed or not (self.refit or not self.multimetric_):
            return
        results = self.cv_results_
        metric = self.refit if self.multimetric_ else run.refit_metric
        best = self._select_best_index(self.refit, metric, results)
        self.best_index_ = best
        self.best_params_ = results["params"][best]
        if not callable(self.refit):
            self.best_score_ = results[f"mean_test_{metric}"][best]

    def _refit_best(self, run: Run) -> None:
        """Fit the best candidate on all the data, if the user wants it."""
        if not self.refit:
            return
        # Cloned like every candidate's: a value may be an estimator.
        best_params = clone(dict(self.best_params_), safe=False)
        estimator = clone(run.estimator).set_params(**best_params)
        with run.hooks.refitting(estimator):
            start = time.perf_counter()
            estimator = self._fit_best(run, estimator)
            self.refit_time_ = time.perf_counter() - start
        self.best_estimator_ = estimator
        # The second one is what outlier detectors have.
        for attribute in ("feature_names_in_", "offset_"):
            if hasattr(estimator, attribute):
                setattr(self, attribute, getattr(estimator, attribute))

    def _fit_best(self, run: Run, estimator: Any) -> Any:
        """Fit the estimator, which has the best parameters, and return it."""
        args = (run.X,) if run.y is None else (run.X, run.y)
        estimator.fit(*args, **run.routed.estimator.fit)
        return estimator


def _print_plan(n_candidates: int | None, n_splits: int) -> None:
    """Say what is about to be done, in scikit-learn's words."""
    if n_candidates is None:
        print(f"Fitting {n_splits} folds for each candidate")
    else:
        print(
            f"Fitting {n_splits} folds for each of {n_candidates} candidates, "
            f"totalling {n_candidates * n_splits} fits"
        )
