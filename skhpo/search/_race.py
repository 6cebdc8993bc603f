"""Searches whose candidates may be raced."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from itertools import chain
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from skhpo._sklearn_compat import Interval
from skhpo._trial import Scores, Trial
from skhpo._words import all_of
from skhpo.evaluation import Evaluator
from skhpo.exceptions import SearchStoppedError
from skhpo.optimizers import Optimizer
from skhpo.optimizers._race import OrderedRace, Race, SortedRace
from skhpo.search._finalists import FinalistSearch
from skhpo.search._loop import Listener, Loop, LoopEvaluator
from skhpo.search._patient import PatientEvaluator
from skhpo.search._raced import RacingEvaluator, add_columns, order_of_splits
from skhpo.search._run import Run

__all__ = ["RacingSearch"]

ALPHA = 0.05  # race=True


class RacingSearch(FinalistSearch):
    """Base class of searches that may skip splits; not to be used directly.

    `inherit_docs` takes over what is described here.

    Parameters
    ----------
    race : bool or float, default=False
        Whether to skip the remaining splits of candidates that will hardly become the
        best. A candidate is dropped as soon as the probability that its mean score
        over all splits is higher than that of the best complete one, judged by the
        splits that it has, is below this number; True is 0.05. It needs two or more
        splits, and one score that decides; see :ref:`race`.

    Attributes
    ----------
    cv_results_ : dict of str to ndarray
        A row per candidate: ``params``, ``param_*``, ``split*_test_score``,
        ``mean_test_score``, ``std_test_score``, ``rank_test_score``, and the times
        in seconds, as ``pandas.DataFrame`` takes it. With `race`, also ``n_splits``
        (how many were evaluated), ``dropped``, and ``estimated_test_score``: the mean,
        or what is expected of dropped candidates, whose mean is NaN. They are ranked
        by it, below all complete ones. With `finalists`, also their scores on fresh
        splits.
    """

    _parameter_constraints: ClassVar[dict] = {
        **FinalistSearch._parameter_constraints,
        "race": ["boolean", Interval(Real, 0, 0.5, closed="neither")],
    }

    @property
    def _alpha(self) -> float:
        is_bool = isinstance(self.race, bool | np.bool_)
        return ALPHA * self.race if is_bool else float(self.race)

    def _start(self, X: Any, y: Any, params: dict[str, Any]) -> Run:
        run = super()._start(X, y, params)
        if self.race:
            self._check_race()
        return run

    def _check_race(self) -> None:
        """Raise ValueError if there is nothing to race for."""
        name, given = type(self).__name__, f"race={self.race!r}"
        if self.n_splits_ < 2:
            raise ValueError(
                f"{name} with {given} skips splits of candidates that do badly on "
                f"others, and cv has {self.n_splits_} split. Take two or more, or "
                "race=False."
            )
        if callable(self.refit):
            raise ValueError(
                f"{name} with {given} drops candidates that will hardly have the "
                "highest mean score, and a callable 'refit' may want to choose one of "
                f"them. Set race=False, or refit=True. Got refit={self.refit!r}."
            )

    def _why_one_score(self) -> str | None:
        reason = super()._why_one_score()
        return "with 'race' compares" if reason is None and self.race else reason

    def _knows_a_best_one(self, run: Run) -> bool:
        if not self.race:
            return super()._knows_a_best_one(run)
        trials = run.record.trials
        return any(not (t.dropped or math.isnan(t.score)) for t in trials)

    def _say_that_none_is_the_best(self, run: Run) -> None:
        if not self.race or not self.refit:
            super()._say_that_none_is_the_best(run)
            return
        raise SearchStoppedError(
            f"{type(self).__name__} has ended ({run.record.stop_reason}) without a "
            f"candidate that has a score on {all_of(self.n_splits_, 'split')}, so none "
            f"is known to be the best. Each of the {run.record.n_candidates} that have "
            "ended has failed or scored NaN on one of them, and is given no further "
            "split in a race; see failures_, cv_results_ and the warnings before."
        )

    def _make_race(self) -> Race:
        policy = self._policy()
        if not policy.learns:
            return SortedRace(self.n_splits_, self._alpha)
        n_pending = policy.n_pending if policy.in_order else 0
        return OrderedRace(self.n_splits_, self._alpha, n_pending or 0)

    def _make_loop(
        self,
        run: Run,
        optimizer: Optimizer,
        evaluator: LoopEvaluator,
        listeners: Sequence[Listener],
    ) -> Loop:
        if self.race:
            assert isinstance(evaluator, Evaluator | PatientEvaluator), "by `fit`"
            order = order_of_splits(evaluator.splits)
            evaluator = run.evaluator = RacingEvaluator(
                evaluator, self._make_race(), order
            )
        return super()._make_loop(run, optimizer, evaluator, listeners)

    def _set_results(self, run: Run) -> None:
        if not self.race:
            super()._set_results(run)
            return
        trials = run.record.trials
        with warnings.catch_warnings():
            if not any(map(_has_odd_score, trials)):
                # Of dropped candidates there is no mean, and that is no news.
                text = "One or more of the (test|train) scores are non-finite"
                warnings.filterwarnings("ignore", text, UserWarning)
            super()._set_results(run)
        metric = self.refit if self.multimetric_ else run.problem.refit_metric
        add_columns(self.cv_results_, trials, metric)


def _has_odd_score(trial: Trial) -> bool:
    """Whether one of its scores, by any metric and on any part, is not finite."""
    scores = (e.test_scores for e in trial.done), (e.train_scores for e in trial.done)
    return any(not all(map(math.isfinite, _numbers(one))) for one in chain(*scores))


def _numbers(scores: Scores | None) -> Iterable[float]:
    if isinstance(scores, dict):
        return scores.values()
    return () if scores is None else (scores,)
