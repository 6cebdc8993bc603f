"""Searches whose best candidates may be evaluated again, on fresh splits."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from joblib import effective_n_jobs
from sklearn.exceptions import FitFailedWarning

from skhpo._rng import child_rng, seed_sequence
from skhpo._sklearn_compat import INCONSISTENT_SPLITS, Interval
from skhpo._trial import Candidate, Trial
from skhpo._warnings import warn_user
from skhpo._words import counted, none_of
from skhpo.evaluation import EvaluationSpec, Evaluator
from skhpo.evaluation.fitting._rows import PackedSplits
from skhpo.exceptions import SkhpoWarning
from skhpo.search._base import BaseSearch
from skhpo.search._finalist_results import Final, best_rows, fresh_columns
from skhpo.search._fresh import CannotReseedError, check_fresh, reseeded
from skhpo.search._problem import open_journal
from skhpo.search._run import Reuse, Run
from skhpo.search.feedback._failures import group_failures, summarize
from skhpo.search.feedback._heartbeat import Heartbeat

__all__ = ["FinalistSearch"]

REPEATS = 3  # the default


class FinalistSearch(BaseSearch):
    """Base class of searches that may have finalists; not to be used directly.

    `inherit_docs` takes over what is described here.

    Parameters
    ----------
    finalists : int, default=0
        How many of the best candidates to evaluate again on fresh splits: those of
        `cv` with other seeds, which are drawn from `random_state`. The best of them by
        the mean over all these splits and the ordinary ones is chosen, where 0 takes
        the best on the ordinary ones. ``cv_results_`` then also has
        ``fresh0_split0_test_score`` and so on, ``fresh_mean_test_score``,
        ``fresh_std_test_score`` and ``pooled_mean_test_score``, NaN for all others;
        what else is in there, and ``best_score_``, are those of the ordinary splits.
        It gains little, and its scores are no honest estimate; see :ref:`finalists`.
    finalist_repeats : int, default=3
        How many new seeds `cv` is given.
    """

    finalists: int = 0
    finalist_repeats: int = REPEATS
    _parameter_constraints: ClassVar[dict] = {
        **BaseSearch._parameter_constraints,
        "finalists": [Interval(Integral, 0, None, closed="left")],
        "finalist_repeats": [Interval(Integral, 1, None, closed="left")],
    }

    # -- what is refused ---------------------------------------------------------------

    def _start(self, X: Any, y: Any, params: dict[str, Any]) -> Run:
        run = super()._start(X, y, params)
        name = type(self).__name__
        if not self.finalists and self.finalist_repeats != REPEATS:
            raise ValueError(
                f"{name} with finalist_repeats={self.finalist_repeats!r} evaluates "
                "finalists so often, and has none. Set finalists to a number, such as "
                "5."
            )
        if self.finalists and callable(self.refit):
            raise ValueError(
                f"{name} with finalists={self.finalists!r} chooses by the mean over "
                "ordinary and fresh splits, and a callable 'refit' chooses in its own "
                "way. Set finalists=0, or refit=True or the name of a score. Got "
                f"refit={self.refit!r}."
            )
        return run

    def _why_one_score(self) -> str | None:
        reason = super()._why_one_score()
        return "with 'finalists' compares" if not reason and self.finalists else reason

    # -- the splits, before the first fit ----------------------------------------------

    def _make_spec(self, run: Run, n_candidates: int | None) -> EvaluationSpec:
        spec = super()._make_spec(run, n_candidates)
        if self.finalists:
            run.fresh = self._fresh_splits(run, spec.splits)
            run.budget.n_finalists = self.finalists
            run.budget.n_more = len(run.fresh) / effective_n_jobs(self.n_jobs)
        return spec

    def _fresh_splits(self, run: Run, splits: Sequence[Any]) -> PackedSplits:
        """Return those of all new seeds, one after the other."""
        problem = run.problem
        # A copy: the candidates are those that there would be without finalists.
        root = seed_sequence(copy.deepcopy(getattr(self, "random_state", 0)))
        try:
            fresh = [
                PackedSplits(
                    reseeded(problem.cv, self.cv, _draw(root, repeat)).split(
                        problem.X, problem.y, **problem.routed.splitter.split
                    )
                )
                for repeat in range(self.finalist_repeats)
            ]
            check_fresh(splits, fresh)
        except CannotReseedError as error:
            self._say_what_draws(error)
        for n in map(len, fresh):
            if n != self.n_splits_:
                raise ValueError(INCONSISTENT_SPLITS.format(self.n_splits_, n))
        return PackedSplits(split for one in fresh for split in one)

    def _say_what_draws(self, error: CannotReseedError) -> None:
        is_listed = isinstance(self.cv, Iterable) and not hasattr(self.cv, "split")
        cv = "a list of splits" if is_listed else repr(self.cv)
        raise ValueError(
            f"{type(self).__name__} with finalists={self.finalists!r} evaluates the "
            f"best candidates on fresh splits, and {cv} as 'cv' cannot draw any: "
            f"{error}. Give a number of folds, or a splitter that draws, such as "
            "StratifiedKFold(5, shuffle=True), RepeatedStratifiedKFold() or, for "
            "groups, GroupKFold(5, shuffle=True). Where rows must not be shuffled, as "
            "in time, set finalists=0."
        ) from None

    # -- their evaluation --------------------------------------------------------------

    def _evaluate_finalists(self, run: Run) -> None:
        if not self.finalists:
            return
        metric = self.refit if self.multimetric_ else run.problem.refit_metric
        rows = best_rows(self.cv_results_, metric, self.finalists)
        final = Final(self.n_splits_)
        if rows and run.record.stop_reason not in ("interrupted", "callback"):
            run.budget.n_finalists = 0
            self.stop_reason_ = "error"  # as long as nothing else is known
            self._evaluate_again(run, rows, final)
            self.stop_reason_ = final.reason or run.record.stop_reason
        if len(final.trials) == len(rows):
            run.finalists = rows
        else:
            self._say_that_they_are_not_compared(len(rows))
        self._add_results(run, final)

    def _evaluate_again(self, run: Run, rows: Sequence[int], final: Final) -> None:
        """Evaluate rows on the fresh splits, as far as there is time."""
        assert run.spec is not None, "it was evaluated on the others"
        spec = replace(
            run.spec if run.subsets is None else run.spec.on_subsets(run.subsets),
            splits=run.fresh,
            n_candidates=len(rows),
            return_train_score=False,
            response_of=None,
        )
        name, n = type(self).__name__, len(rows) * len(run.fresh)
        if self.verbose > 0:
            print(
                f"Fitting {counted(len(run.fresh), 'fresh fold')} for each of "
                f"{counted(len(rows), 'finalist')}, totalling {n} fits"
            )
        run.bar.say(f"evaluating {counted(len(rows), 'finalist')}")
        # Each candidate by `fit`, with the number of iterations that was chosen.
        problem = replace(run.problem, space=[])
        alone = replace(
            run, problem=problem, fitter=None, response_of=None, responses=None
        )
        with ExitStack() as stack:
            stack.enter_context(run.hooks.searching(n, "finalists"))
            journal = stack.enter_context(open_journal(self.journal, spec))
            evaluator = self._make_evaluator(alone, spec, journal)
            stack.enter_context(evaluator)
            heart = Heartbeat(f"{name}, finalists", len(rows), evaluator.running)
            if self.verbose > 0:
                stack.enter_context(heart)
            try:
                self._wait_for(run, evaluator, rows, final, heart)
            except KeyboardInterrupt:
                if self._interrupts.note():
                    raise
                final.reason = "interrupted"
            final.n_fits, final.n_needed = evaluator.n_fits, evaluator.n_needed

    def _wait_for(
        self,
        run: Run,
        evaluator: Evaluator,
        rows: Sequence[int],
        final: Final,
        heart: Heartbeat,
    ) -> None:
        """Evaluate the candidates of rows, as they were evaluated before."""
        trials = run.record.trials
        params = [trials[row].candidate.params for row in rows]
        resources: list[int | None] = [None] * len(rows)
        if run.subsets is not None:
            resources = [trials[row].candidate.resource for row in rows]
        evaluator.add(list(map(Candidate, range(len(rows)), params, resources)))
        while batch := evaluator.wait():
            for trial in batch:
                run.record.check_scores(trial.done)
                row = rows[trial.candidate.id]
                final.add(row, trials[row], trial)
                heart.note(trial)
        if evaluator.out_of_time:
            final.reason = "time_budget"
        elif evaluator.stopped:
            final.reason = "callback"

    # -- what the results say ----------------------------------------------------------

    def _add_results(self, run: Run, final: Final) -> None:
        """Add to the results of the ordinary splits."""
        results = self.cv_results_
        start = "mean_test_"
        metrics = [n.removeprefix(start) for n in results if n.startswith(start)]
        shape = len(results["params"]), self.n_splits_, self.finalist_repeats
        for metric in metrics:
            columns = fresh_columns(metric, final.trials, *shape)
            if not run.finalists:  # nobody was chosen by these
                columns[f"pooled_mean_test_{metric}"][:] = np.nan
            results |= columns
        fresh = [trial for trial, _ in final.trials.values()]
        self.failures_ = run.record.failures(fresh)
        self._warn_of_failures(fresh)
        done = [evaluation for trial in fresh for evaluation in trial.done]
        before = self.reuse_
        self.reuse_ = Reuse(
            before.n_fits + final.n_fits,
            before.n_saved + final.n_needed - final.n_fits,
            before.n_found + sum(evaluation.is_found for evaluation in done),
            before.n_evaluations + len(done),
        )

    def _warn_of_failures(self, trials: Sequence[Trial]) -> None:
        failures = group_failures(trials)
        if failures:
            n_failed = sum(failure.n_fits for failure in failures)
            n_fits = sum(len(trial.done) for trial in trials)
            warn_user(
                f"On fresh splits, {counted(n_failed, 'fit')} of finalists failed out "
                f"of a total of {n_fits}, and score {self.error_score!r}. The most "
                f"frequent reasons:\n{summarize(failures)}",
                FitFailedWarning,
            )

    def _say_that_they_are_not_compared(self, n: int) -> None:
        warn_user(
            f"{type(self).__name__} has ended ({self.stop_reason_}) before all {n} "
            "finalists were evaluated on all fresh splits, so they were not compared: "
            "the best candidate is that of the ordinary splits.",
            SkhpoWarning,
        )

    def _choose_best(self, run: Run, metric: str) -> int:
        """Return the best finalist, or the best candidate if none has a score."""
        pooled = self.cv_results_.get(f"pooled_mean_test_{metric}", [])
        scored = [row for row in run.finalists if not np.isnan(pooled[row])]
        if scored:
            return max(scored, key=lambda row: pooled[row])  # the first of equal ones
        if run.finalists:
            warn_user(
                f"{none_of(len(run.finalists), 'finalist')} of {type(self).__name__} "
                "has a score on every fresh split: the best candidate is that of the "
                "ordinary splits.",
                SkhpoWarning,
            )
        return super()._choose_best(run, metric)

    def _remarks(self) -> list[str]:
        pooled = self.cv_results_.get(f"pooled_mean_test_{self._metric()}")
        if pooled is None or np.isnan(pooled[self.best_index_]):
            return super()._remarks()
        n, n_fresh = np.sum(~np.isnan(pooled)), self.n_splits_ * self.finalist_repeats
        chosen = (
            f"chosen of {counted(n, 'finalist')} by the mean over {self.n_splits_} "
            f"ordinary and {n_fresh} fresh splits, {pooled[self.best_index_]:.4g}"
        )
        return [chosen, *super()._remarks()]


def _draw(root: np.random.SeedSequence, repeat: int) -> int:
    """Return the seed of a splitter."""
    return int(child_rng(root, "finalists", repeat).integers(2**31))
