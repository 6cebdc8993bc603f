"""How a search is run: its splits, its evaluator, its loop, and how that may end."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from sklearn.utils import get_tags

from skhpo._lines import print_line
from skhpo._sklearn_compat import INCONSISTENT_SPLITS
from skhpo._trial import Trial
from skhpo._warnings import warn_user
from skhpo._words import all_of
from skhpo.evaluation import EvaluationSpec, Evaluator
from skhpo.evaluation.fitting._rows import PackedSplits
from skhpo.exceptions import (
    AllFitsFailedError,
    SearchInterruptedWarning,
    SearchStoppedError,
)
from skhpo.journal import Journal
from skhpo.journal._memory import JournalMemory
from skhpo.optimizers import Optimizer
from skhpo.search._budget import growth_of
from skhpo.search._edges import EdgeWatch
from skhpo.search._loop import Interrupts, Listener, Loop, LoopEvaluator, LoopPolicy
from skhpo.search._patient import PatientEvaluator, have_growth, have_patience
from skhpo.search._problem import open_journal
from skhpo.search._results import Record
from skhpo.search._run import Run, subspaces_of
from skhpo.search._stop import StopRules
from skhpo.search.feedback._early import FirstFailures, ScoreCheck
from skhpo.search.feedback._heartbeat import Heartbeat

__all__ = ["Execution"]


class Execution:
    """Mixin of the searches, to stand before scikit-learn's base class."""

    estimator: Any
    scoring: Any
    n_jobs: int | None
    refit: Any
    verbose: int
    pre_dispatch: int | str
    error_score: str | float
    return_train_score: bool
    journal: Any
    time_budget: float | str | None
    stop: Any
    n_splits_: int
    _interrupts = Interrupts()  # of this process
    # Whether candidates share fits; a parameter, where they may do without.
    reuse: bool = True
    # Whether splits of hopeless candidates are skipped; a parameter, where that can be.
    race: bool | float = False

    def _policy(self) -> LoopPolicy:
        """Return when this search asks, and of what it tells."""
        return LoopPolicy()

    def _may_skip(self) -> bool:
        """Whether there may be fewer fits than candidates and splits say."""
        return bool(self.race)

    def _evaluate(self, run: Run, optimizer: Optimizer) -> None:
        """Evaluate what the optimizer asks for, until something ends the search."""
        name, n_splits = type(self).__name__, self.n_splits_
        n_candidates: int | None = getattr(optimizer, "n_candidates", None)
        spec = run.spec = self._make_spec(run, n_candidates)
        if self.verbose > 0:
            _print_plan(n_candidates, n_splits, is_upper_bound=self._may_skip())
        n_evaluations = None if n_candidates is None else n_candidates * n_splits
        if self.refit:
            run.budget.growth = growth_of(spec)
        with ExitStack() as stack:
            stack.enter_context(run.hooks.searching(n_evaluations))
            journal = stack.enter_context(open_journal(self.journal, spec))
            evaluator = self._make_evaluator(run, spec, journal)
            run.evaluator = self._patient(run, spec, stack.enter_context(evaluator))
            edges = EdgeWatch(self)
            heart = Heartbeat(name, n_candidates, evaluator.running, remark=edges.told)
            listeners: list[Listener] = []
            if self.verbose > 0:
                listeners += [edges.note, stack.enter_context(heart).note]
            run.bar.begin(n_candidates)
            first = FirstFailures(name, n_candidates)
            listeners += [run.bar.note, first.note]
            self._make_loop(run, optimizer, run.evaluator, listeners).run()
            if self.verbose > 0 and (line := heart.last_line()):
                print_line(line)
            self._finish_evaluation(run)
            if run.record.stop_reason == "interrupted":
                self._warn_of_interrupt(run.record, n_candidates)
        self._check_not_empty(run)

    def _make_spec(self, run: Run, n_candidates: int | None) -> EvaluationSpec:
        """Freeze the splits, and gather what all evaluations share."""
        problem, n_splits = run.problem, self.n_splits_
        splits = PackedSplits(
            problem.cv.split(problem.X, problem.y, **problem.routed.splitter.split)
        )
        if len(splits) != n_splits:
            raise ValueError(INCONSISTENT_SPLITS.format(n_splits, len(splits)))
        return EvaluationSpec(
            problem.estimator,
            problem.X,
            problem.y,
            splits,
            problem.scorers,
            fit_params=problem.routed.estimator.fit,
            score_params=problem.routed.scorer.score,
            error_score=self.error_score,
            return_train_score=self.return_train_score,
            verbose=max(self.verbose, 0),
            n_candidates=n_candidates,
            caller=self if run.hooks.listening else None,
            check_scores=self._score_check() if callable(self.scoring) else None,
            response_of=run.response_of,
        )

    def _make_evaluator(
        self, run: Run, spec: EvaluationSpec, journal: Journal | None
    ) -> Evaluator:
        """Return what evaluates candidates, and looks them up in the journal."""
        fitter, memory = run.fitter, None
        if journal is not None:
            training = None if fitter is None else fitter.identity
            memory = JournalMemory(
                journal,
                train_scores=spec.return_train_score,
                training=spec.subsets.identity if spec.subsets else training,
                response_of=run.response_of,
            )
        return Evaluator(
            spec,
            n_jobs=self.n_jobs,
            pre_dispatch=self.pre_dispatch,
            fitter=fitter,
            reuse=self.reuse,
            objective=self.refit if isinstance(self.refit, str) else "score",
            name=type(self).__name__,
            memory=memory,
            remaining=run.budget.remaining,
            make_context=run.hooks.evaluation if run.hooks.listening else None,
            limits=run.limits,
            in_chunks=self._trains_in_chunks(run),
            finishes=self._policy().whole_batches,
            responses=run.responses,
        )

    def _trains_in_chunks(self, run: Run) -> bool:
        """Whether fits go on from fits with fewer iterations, where there is patience.

        Who listens hears of each fit once, a limit is one for all of it, and a resource
        that is a number of rows is no number of iterations.
        """
        problem = run.problem
        is_whole = run.fitter is None and run.subsets is None
        if not is_whole or run.hooks.listening or run.limits is not None:
            return False
        return have_growth(
            problem.estimator,
            subspaces_of(problem.space),
            fit_params=problem.routed.estimator.fit,
        )

    def _patient(
        self, run: Run, spec: EvaluationSpec, evaluator: Evaluator
    ) -> Evaluator | PatientEvaluator:
        """Return what also cuts curves where their patience ends, if one has it."""
        if run.fitter is not None or not have_patience(subspaces_of(run.problem.space)):
            return evaluator
        if run.responses is not None:
            raise ValueError(
                f"{type(self).__name__} with return_oof=True keeps responses at the "
                "number of iterations that a Curve chooses, and cannot do so with "
                "'patience', where fits end and go on. Leave out 'patience', or set "
                "return_oof=False: skhpo.report works without them, from the scores of "
                "the splits."
            )
        in_chunks = self._trains_in_chunks(run)
        return PatientEvaluator(evaluator, spec, in_chunks=in_chunks)

    def _make_loop(
        self,
        run: Run,
        optimizer: Optimizer,
        evaluator: LoopEvaluator,
        listeners: Sequence[Listener],
    ) -> Loop:
        def check_scores(trial: Trial) -> None:
            run.record.check_scores(trial.done)
            for evaluation in trial.done:
                if callable(self.scoring) and isinstance(evaluation.test_scores, dict):
                    self._score_check()(evaluation.test_scores)

        return Loop(
            optimizer,
            evaluator,
            run.record,
            StopRules(run.rules, optimizer, run.start),
            [check_scores, run.budget.note, *listeners],
            self._policy(),
            self._interrupts,
        )

    def _finish_evaluation(self, run: Run) -> None:
        """Take what is needed of the evaluator, as long as there are workers."""

    def _evaluate_finalists(self, run: Run) -> None:
        """Evaluate some candidates on more splits, before the best is chosen."""

    def _score_check(self) -> ScoreCheck:
        """Return what checks `refit` against the names of several scores."""
        return ScoreCheck(
            type(self).__name__,
            None if callable(self.refit) else self.refit,
            repr(self.refit),
            self._why_one_score(),
        )

    def _why_one_score(self) -> str | None:
        """Return what needs a single score, for a message; None if nothing does."""
        if self._policy().learns:
            return "learns from"
        return None if self.stop is None else "with 'stop' looks at"

    def _warn_of_interrupt(self, record: Record, n_candidates: int | None) -> None:
        total = "" if n_candidates is None else f" of {n_candidates}"
        refit = " The best of them is fitted now." if self.refit else ""
        warn_user(
            f"{type(self).__name__} was interrupted: {record.n_candidates}{total} "
            f"candidates are complete and kept.{refit} Interrupt again to give up.",
            SearchInterruptedWarning,
        )

    def _check_not_empty(self, run: Run) -> None:
        record = run.record
        if record.n_candidates:
            return
        if record.stop_reason == "callback":
            raise SearchStoppedError("A callback stopped the search before it began.")
        if record.stop_reason == "time_budget":
            raise SearchStoppedError(
                f"The time budget of {self.time_budget!r} was over before one "
                f"candidate was complete on {all_of(self.n_splits_, 'split')}. Give "
                "more time, fewer splits, or a faster estimator."
            )

    def _report_failures(self, run: Run) -> None:
        """Warn of failed fits; raise if there are no others."""
        problem = run.problem
        try:
            run.record.report_failures(self.error_score)
        except AllFitsFailedError as error:
            if problem.y is None and get_tags(self.estimator).target_tags.required:
                raise AllFitsFailedError(
                    f"{type(self).__name__} over {problem.estimator!r} requires y to "
                    f"be passed, but the target y is None.\n{error}"
                ) from None
            raise


def _print_plan(
    n_candidates: int | None, n_splits: int, *, is_upper_bound: bool
) -> None:
    """Say what is about to be done, in scikit-learn's words."""
    most = "at most " if is_upper_bound else ""
    if n_candidates is None:
        print(f"Fitting {most}{n_splits} folds for each candidate")
    else:
        print(
            f"Fitting {most}{n_splits} folds for each of {n_candidates} candidates, "
            f"totalling {most}{n_candidates * n_splits} fits"
        )
