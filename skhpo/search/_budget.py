"""How much time a search has, with what follows the candidates kept in mind."""

from __future__ import annotations

import math

from skhpo import _clock
from skhpo._sklearn_compat import num_samples
from skhpo._trial import Trial
from skhpo.evaluation import EvaluationSpec

__all__ = ["TimeBudget", "growth_of"]


class TimeBudget:
    """A number of seconds, from which finalists and the last fit are saved.

    The best candidate will be fitted once more, on all the data. From its times on the
    splits, that is expected to take n / n_train times as long: most fits grow at least
    in proportion to the rows. As long as no candidate is complete, nothing is saved,
    since without one there is no last fit.

    Parameters
    ----------
    seconds : float
        How long `fit` may take; inf for no limit.
    start : float
        When it began, by `skhpo._clock`.

    Attributes
    ----------
    growth : float
        n / n_train; 0 if there is no last fit.
    n_rows : int or None
        Of the data, where a resource is a number of rows.
    n_finalists : int
        How many of the candidates are evaluated again; 0 from then on.
    n_more : float
        Evaluations of each of them, for each worker.
    """

    def __init__(self, seconds: float, start: float) -> None:
        self._end = start + seconds
        self.growth = 0.0
        self.n_rows: int | None = None
        self.n_finalists = 0
        self.n_more = 0.0
        self._n_complete = 0
        self._best_score = -math.inf
        self._reserved = 0.0
        self._of_finalist = 0.0

    def note(self, trial: Trial) -> None:
        """Take note of a complete candidate."""
        self._n_complete += 1
        if self._end == math.inf or not trial.score > self._best_score:
            return
        self._best_score = trial.score
        known = [e for e in trial.done if not math.isnan(e.fit_time)]
        mean = math.fsum(e.fit_time for e in known) / max(len(known), 1)
        mean_score_time = math.fsum(e.score_time for e in known) / max(len(known), 1)
        self._of_finalist = self.n_more * (mean + mean_score_time)
        self._reserved = self.growth * mean
        if self.n_rows is not None and trial.candidate.resource is not None:
            self._reserved *= self.n_rows / trial.candidate.resource

    def remaining(self) -> float:
        """Return the seconds that are left for the search."""
        if self._end == math.inf:
            return math.inf
        n_finalists = min(self.n_finalists, self._n_complete)
        saved = self._reserved + n_finalists * self._of_finalist
        return self._end - saved - _clock.now()


def growth_of(spec: EvaluationSpec) -> float:
    """Return by how much the last fit has more rows than those on the splits."""
    n_train = [num_samples(train) for train, _ in spec.splits]
    mean = sum(n_train) / max(len(n_train), 1)
    return num_samples(spec.X) / max(mean, 1)
