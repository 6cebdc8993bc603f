"""What all searches are: scikit-learn's search contract around our own evaluation."""

from __future__ import annotations

import math
import os
import time
import warnings
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils import get_tags, indexable

from skhpo._arithmetic import own_arithmetic
from skhpo._sklearn_compat import (
    INCONSISTENT_SPLITS,
    BaseSearchCV,
    RootHooks,
    check_method_params,
    fit_context,
    is_multimetric,
)
from skhpo._units import parse_seconds
from skhpo.evaluation import EvaluationSpec, Evaluator
from skhpo.evaluation._guards import Limits
from skhpo.evaluation._rows import PackedSplits
from skhpo.exceptions import (
    AllFitsFailedError,
    JournalWarning,
    SearchInterruptedWarning,
    SearchStoppedError,
)
from skhpo.journal import Journal
from skhpo.optimizers import Optimizer
from skhpo.search._asking import Asking
from skhpo.search._bar import show_progress
from skhpo.search._budget import TimeBudget, growth_of
from skhpo.search._check import check_against_estimator
from skhpo.search._delegation import Delegation
from skhpo.search._effects import warn_of_no_effect
from skhpo.search._heartbeat import Heartbeat
from skhpo.search._loop import Listener, Loop, is_impatient
from skhpo.search._memory import JournalMemory, open_journal
from skhpo.search._results import Record
from skhpo.search._run import Reuse, Run
from skhpo.search._stop import StopRules, as_rules
from skhpo.search._summary import Summary

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
        """
        run = self._start(X, y, params)
        self._check_subspaces()
        optimizer = self._make_optimizer()
        record = self._evaluate(run, optimizer)
        results = self._set_results(run, record)
        self._refit_best(run)
        scorers = run.scorers
        self.scorer_ = scorers._scorers if is_multimetric(scorers) else scorers
        self.cv_results_ = results
        self.reuse_ = run.reuse
        self.failures_ = record.failures()
        self.stop_reason_ = run.stop_reason
        run.hooks.end()
        warn_of_no_effect(record, results, stacklevel=3)
        return self

    def _check_subspaces(self) -> None:
        """Check names and values against the estimator.

        Whoever gives a number as `error_score` has said what a rejected value
        scores; NaN, the default, says nothing.
        """
        unsaid = self.error_score == "raise" or np.isnan(self.error_score)
        check_against_estimator(self.estimator, self._subspaces(), check_values=unsaid)

    def _start(self, X: Any, y: Any, params: dict[str, Any]) -> Run:
        start = time.perf_counter()
        budget = self._seconds("time_budget")
        as_rules(self.stop, type(self).__name__)
        self._check_repeatable()
        limits = Limits.parse(self.fit_timeout, self.memory_limit)
        scorers, refit_metric = self._get_scorers()
        if is_multimetric(scorers):
            self._check_one_score(scorers._scorers)
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

    def _evaluate(self, run: Run, optimizer: Optimizer) -> Record:
        """Evaluate what the optimizer asks for, until something ends the search."""
        n_candidates = getattr(optimizer, "n_candidates", None)
        spec = self._make_spec(run, n_candidates)
        if self.verbose > 0:
            _print_plan(n_candidates, run.n_splits)
        record = Record(self.refit if isinstance(self.refit, str) else None)
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
            listeners = [heart.note, stack.enter_context(bar).note]
            try:
                loop = self._make_loop(run, optimizer, record, listeners)
                run.stop_reason = loop.run()
            except KeyboardInterrupt:
                if is_impatient() or not record.n_candidates:
                    raise
                run.stop_reason = "interrupted"
                self._warn_of_interrupt(record, n_candidates)
        self._check_not_empty(run, record)
        run.reuse = Reuse(evaluator.n_fits, evaluator.n_needed - evaluator.n_fits)
        return record

    def _make_loop(
        self,
        run: Run,
        optimizer: Optimizer,
        record: Record,
        listeners: Sequence[Listener],
    ) -> Loop:
        def check_metrics(*_: Any) -> None:
            if record.n_candidates == 1:
                self._check_refit_for_callable(run, record)

        in_order = not self.asynchronous
        n_pending = self.n_pending if self._learns else None
        rules = as_rules(self.stop, type(self).__name__)
        return Loop(
            Asking(optimizer, run.evaluator, n_pending, in_order=in_order),
            run.evaluator,
            record,
            StopRules(rules, optimizer, run.start),
            [check_metrics, run.budget.note, *listeners],
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
        )

    def _check_refit_for_callable(self, run: Run, record: Record) -> None:
        """Check `refit` against the metrics that a callable scorer returned.

        They are known after the first fit only; but then the user should hear of it,
        and not at the end of a night.
        """
        success = record.first_success()
        if success and callable(self.scoring) and isinstance(success.test_scores, dict):
            self._check_refit_for_multimetric(success.test_scores)
            self._check_one_score(success.test_scores)
            run.refit_metric = self.refit

    def _check_one_score(self, names: Iterable[str]) -> None:
        several = len(list(names)) > 1
        if not several or isinstance(self.refit, str):
            return
        if self._learns or self.stop is not None:
            what = "learns from" if self._learns else "with 'stop' looks at"
            raise ValueError(
                f"{type(self).__name__} {what} one score: with several, the "
                "'refit' parameter must be the name of the one to maximize, one of "
                f"{sorted(names)}. Got {self.refit!r} instead."
            )

    def _set_results(self, run: Run, record: Record) -> dict[str, Any]:
        """Format the results, and set the attributes of the best candidate."""
        try:
            evaluations = record.finish(self.error_score)
        except AllFitsFailedError as error:
            if run.y is None and get_tags(self.estimator).target_tags.required:
                raise AllFitsFailedError(
                    f"{type(self).__name__} over {run.estimator!r} requires y to be "
                    f"passed, but the target y is None.\n{error}"
                ) from None
            raise
        with own_arithmetic():
            results = self._format_results(
                record.params, run.n_splits, evaluations, self._more_results(record)
            )
        self.multimetric_ = isinstance(evaluations[0]["test_scores"], dict)
        self._check_refit_for_callable(run, record)
        if self.refit or not self.multimetric_:
            best = self._select_best_index(self.refit, run.refit_metric, results)
            self.best_index_ = best
            if not callable(self.refit):
                self.best_score_ = results[f"mean_test_{run.refit_metric}"][best]
            self.best_params_ = results["params"][best]
        return results

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
