"""Which candidate is the best, and its fit on all the data."""

from __future__ import annotations

import time
from typing import Any

from sklearn.base import clone

from skhpo import _clock
from skhpo._lines import print_line
from skhpo._trial import Trial
from skhpo._words import all_of
from skhpo.exceptions import SearchStoppedError
from skhpo.search._curves import warn_of_highest
from skhpo.search._run import Run
from skhpo.search.feedback import _heartbeat

__all__ = ["Refit"]


class Refit:
    """Mixin of the searches, to stand before scikit-learn's base class."""

    refit: Any
    verbose: int
    cv_results_: dict[str, Any]
    multimetric_: bool
    n_splits_: int
    _select_best_index: Any

    def _set_best(self, run: Run) -> None:
        """Set the attributes of the best candidate, where there is one."""
        run.has_chosen = True
        if run.record.all_failed or not (self.refit or not self.multimetric_):
            return
        if not self._knows_a_best_one(run):
            self._say_that_none_is_the_best(run)
            return
        results = self.cv_results_
        metric = self.refit if self.multimetric_ else run.problem.refit_metric
        best = self._choose_best(run, metric)
        self.best_index_ = best
        self.best_params_ = results["params"][best]
        if not callable(self.refit):
            self.best_score_ = results[f"mean_test_{metric}"][best]
        self._warn_of_highest(run.record.trials[best])

    def _choose_best(self, run: Run, metric: str) -> int:
        """Return the row of the best candidate by a score."""
        best: int = self._select_best_index(self.refit, metric, self.cv_results_)
        return best

    def _warn_of_highest(self, trial: Trial) -> None:
        """Warn if the best candidate has as many iterations as it may have."""
        warn_of_highest(trial)

    def _knows_a_best_one(self, run: Run) -> bool:
        """Whether one of the candidates can be the best, or the user chooses."""
        return callable(self.refit) or run.record.has_whole_row

    def _say_that_none_is_the_best(self, run: Run) -> None:
        """Raise if the best candidate is to be fitted: none has all its scores."""
        if not self.refit:
            return
        raise SearchStoppedError(
            f"{type(self).__name__} has ended ({run.record.stop_reason}) before one "
            f"candidate was complete on {all_of(self.n_splits_, 'split')}, so none is "
            "known to be the best. Let it run longer, or set refit to a callable that "
            "takes cv_results_ and returns the row to fit."
        )

    def _refit_best(self, run: Run) -> None:
        """Fit the best candidate on all the data, if the user wants it."""
        if not self.refit:
            return
        # Cloned like every candidate's: a value may be an estimator.
        best_params = clone(dict(self.best_params_), safe=False)
        estimator = clone(run.problem.estimator).set_params(**best_params)
        self._say_that_the_best_is_fitted(run)
        with run.hooks.refitting(estimator):
            start = time.perf_counter()
            estimator = self._fit_best(run, estimator)
            self.refit_time_ = time.perf_counter() - start
        self.best_estimator_ = estimator
        # The second one is what outlier detectors have.
        for attribute in ("feature_names_in_", "offset_"):
            if hasattr(estimator, attribute):
                setattr(self, attribute, getattr(estimator, attribute))

    def _say_that_the_best_is_fitted(self, run: Run) -> None:
        """Say why the search still runs, after its last candidate."""
        remark = "fitting the best on all data"
        run.bar.say(remark)
        if self.verbose > 0 and _clock.now() - run.start > _heartbeat.FIRST:
            print_line(f"[{type(self).__name__}] {remark}")

    def _fit_best(self, run: Run, estimator: Any) -> Any:
        """Fit the estimator, which has the best parameters, and return it."""
        problem = run.problem
        args = (problem.X,) if problem.y is None else (problem.X, problem.y)
        estimator.fit(*args, **problem.routed.estimator.fit)
        return estimator
