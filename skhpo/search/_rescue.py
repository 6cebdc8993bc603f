"""What a search keeps if something is raised, and forgets before its next fit."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sklearn.exceptions import NotFittedError

from skhpo._words import counted
from skhpo.search._run import Run

__all__ = ["Rescue"]


class Rescue:
    """Mixin of the searches, to stand before scikit-learn's base class."""

    refit: Any
    _get_param_names: Any

    @abstractmethod
    def _set_results(self, run: Run) -> None: ...

    @abstractmethod
    def _set_best(self, run: Run) -> None: ...

    def _forget(self) -> None:
        """Delete what an earlier fit has learned, lest it mix with this one's."""
        own = self._get_param_names()
        learned = [n for n in vars(self) if n.endswith("_") and n not in own]
        for name in learned:
            delattr(self, name)

    @contextmanager
    def _nothing_lost(self, run: Run) -> Iterator[None]:
        """Set the results of a search also if something is raised; note it there."""
        try:
            yield
        except BaseException as error:
            if run.record.n_candidates:
                self._rescue(run)
            if run.record.n_candidates and hasattr(self, "cv_results_"):
                error.add_note(self._describe_rescued(run.record.n_candidates))
            raise

    def _rescue(self, run: Run) -> None:
        """Set what has not been set yet, as far as that is possible."""
        with warnings.catch_warnings(), suppress(Exception):
            warnings.simplefilter("ignore")  # perhaps one was what has been raised
            if not hasattr(self, "cv_results_"):
                run.record.drop_odd_ones()
                self._set_results(run)
            if not run.has_chosen:
                self._set_best(run)

    def _describe_rescued(self, n_candidates: int) -> str:
        names = ["cv_results_", "best_params_", "failures_", "best_estimator_"]
        there = [name for name in names if hasattr(self, name)]
        missing = ""
        if self.refit and "best_estimator_" not in there:
            missing = " There is no best_estimator_."
        return (
            f"{type(self).__name__} keeps what it has found, "
            f"{counted(n_candidates, 'candidate')}: see {', '.join(there)}.{missing}"
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
