"""Evaluate candidates on the splits that a race gives them; say so in the results.

`RacingEvaluator` stands between the loop and the evaluator. The loop asks for whole
candidates and is given whole trials, one for each; the evaluator is asked for one split
after the other. So optimizers, listeners and stop rules hear of a candidate once, when
it is complete, dropped or failed.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhpo._arithmetic import Array, own_arithmetic
from skhpo._sklearn_compat import num_samples
from skhpo._trial import Candidate, Estimate, Params, Trial
from skhpo.evaluation import Evaluator
from skhpo.optimizers._race import Race
from skhpo.search._patient import PatientEvaluator

__all__ = ["RacingEvaluator", "add_columns", "order_of_splits", "ranks_in_groups"]


def order_of_splits(splits: Iterable[tuple[Any, Any]]) -> list[int]:
    """Return the splits with the most rows to train on first, equal ones by number.

    The first split of a time series has few rows, and tells little of the others.
    """
    n_train = [num_samples(train) for train, _ in splits]
    return sorted(range(len(n_train)), key=lambda split: (-n_train[split], split))


class RacingEvaluator:
    """Has candidates evaluated split by split, as long as a race lets them go on.

    Parameters
    ----------
    evaluator : Evaluator or PatientEvaluator
        Who evaluates; entered.
    race : Race
        Who decides.
    order : sequence of int
        The splits in the order in which they are evaluated.

    Attributes
    ----------
    n_skipped : int
        How many evaluations were not done, of candidates that have ended.
    """

    def __init__(
        self,
        evaluator: Evaluator | PatientEvaluator,
        race: Race,
        order: Sequence[int],
    ) -> None:
        self.n_skipped = 0
        self._evaluator = evaluator
        self._race = race
        self._order = tuple(order)
        self._candidates: dict[int, Candidate] = {}  # those that have not ended
        self._trials: dict[int, Trial] = {}  # their latest ones
        self._ids: dict[int, int] = {}  # of candidates, by those of trials
        self._has_complete = False
        self._late: list[int] = []  # ids of those that ended after the race

    def __enter__(self) -> RacingEvaluator:
        return self

    def __exit__(self, *exception: Any) -> None:
        """Do nothing: the evaluator is another one's."""

    @property
    def stopped(self) -> bool:
        """Whether a callback asked for the search to stop."""
        return self._evaluator.stopped

    @property
    def out_of_time(self) -> bool:
        """Whether no seconds were left."""
        return self._evaluator.out_of_time

    @property
    def n_fits(self) -> int:
        """Fits of steps that were done."""
        return self._evaluator.n_fits

    @property
    def n_needed(self) -> int:
        """Fits of steps that would have been done without sharing and racing."""
        return self._evaluator.n_needed + self.n_skipped * self._evaluator.n_steps

    @property
    def splits(self) -> Sequence[tuple[Any, Any]]:
        """The rows to train on and those to score on, by number of the split."""
        return self._evaluator.splits

    @property
    def turns(self) -> Sequence[int] | None:
        """Ids in the order in which trials are told, as far as known; None: by id."""
        turns = self._race.turns
        return turns if turns is None or not self._late else [*turns, *self._late]

    def running(self) -> list[tuple[float, int, list[Params]]]:
        """Return what the workers have been given; also to other threads."""
        return self._evaluator.running()

    def release(self, ids: Collection[int]) -> None:
        """Do nothing: what is fitted at once leaves no models."""

    def add(self, candidates: Sequence[Candidate]) -> None:
        """Let candidates take part in the race."""
        self._candidates |= {candidate.id: candidate for candidate in candidates}
        self._race.enter(candidate.id for candidate in candidates)
        self._go_on()

    def wait(self) -> list[Trial]:
        """Wait until at least one candidate has ended; return all that have.

        Returns
        -------
        list of Trial
            Empty if there is nothing left to wait for, or no time.
        """
        while trials := self._evaluator.wait():
            self._take(trials)
            self._go_on()
            if ended := [self._end(*each) for each in self._race.ended()]:
                return ended
        return self._complete_best()

    def _take(self, trials: Sequence[Trial]) -> None:
        """Tell the race of evaluations."""
        for trial in trials:
            id = self._ids.pop(trial.candidate.id)
            self._trials[id] = trial
            self._race.tell(id, _scores_in(self._order, trial))

    def _n_done(self, id: int) -> int:
        """Return on how many splits the race knows a candidate."""
        return len(self._race.scores[id])

    def _go_on(self) -> None:
        """Have those evaluated that go on, together, so that they can share fits."""
        if self.stopped:
            self._race.close()
        self._evaluator.add([self._next(id) for id in self._race.ask()])

    def _next(self, id: int) -> Candidate:
        """Return what to ask the evaluator for: a candidate on one more split.

        The first one has the id of the candidate, by which it is known to callbacks.
        The others have negative ones, which no candidate has.
        """
        candidate, m = self._candidates[id], self._n_done(id)
        before = self._trials.get(id)
        number = id if before is None else -1 - (id * len(self._order) + m)
        self._ids[number] = id
        return Candidate(
            number,
            candidate.params,
            resume_from=None if before is None else before.candidate.id,
            splits=self._order[: m + 1],
        )

    def _end(self, id: int, estimate: Estimate | None) -> Trial:
        """Return the trial of a candidate that has ended."""
        last = self._trials.pop(id)
        self._evaluator.release([last.candidate.id])
        n_missing = len(self._order) - len(last.done)
        self.n_skipped += n_missing
        self._has_complete |= not n_missing
        if n_missing:
            self._evaluator.release_responses(id)
        # With the number of iterations that was chosen, where that was left open.
        candidate = replace(self._candidates.pop(id), params=last.candidate.params)
        return Trial(candidate, last.evaluations, last.objective, estimate)

    def _complete_best(self) -> list[Trial]:
        """Return the best candidate on all splits, if a stop came before any was there.

        Without a complete candidate, what was done would be lost.
        """
        alive = {k: t for k, t in self._trials.items() if not math.isnan(t.score)}
        if not self.stopped or self.out_of_time or self._has_complete or not alive:
            return []
        best = min(alive, key=lambda id: (-alive[id].score, id))
        self._evaluator.add([replace(self._next(best), splits=None)])
        for trial in self._evaluator.wait():
            self._trials[best] = trial
            self._late.append(best)
            return [self._end(best, None)]
        return []


def _scores_in(order: Sequence[int], trial: Trial) -> list[float]:
    """Return the scores on the splits that are done, in the order of evaluation."""
    done = [split for split, e in enumerate(trial.evaluations) if e is not None]
    scores = dict(zip(done, trial.split_scores, strict=True))
    return [float(scores[split]) for split in order if split in scores]


def add_columns(results: dict[str, Any], trials: Sequence[Trial], metric: str) -> None:
    """Say in ``cv_results_`` which candidates were dropped, and rank them.

    Parameters
    ----------
    results : dict of str to array
        ``cv_results_`` as scikit-learn makes it, with NaN for skipped splits. Its ranks
        are replaced, and so are times of rows with skipped splits.
    trials : sequence of Trial
        Row by row.
    metric : str
        The score that decided.
    """
    estimates = [math.nan if t.estimate is None else t.estimate.score for t in trials]
    dropped = np.array([trial.dropped for trial in trials])
    with own_arithmetic():
        for row, trial in enumerate(trials):
            if len(trial.done) < len(trial.evaluations):
                _set_times(results, row, trial)
    for name in [name for name in results if name.startswith("rank_test_")]:
        means = results[name.replace("rank", "mean", 1)]
        results[name] = ranks(means, dropped, np.array(estimates))
    results["n_splits"] = np.array([len(trial.done) for trial in trials])
    results["dropped"] = dropped
    results[f"estimated_test_{metric}"] = np.where(
        dropped, estimates, results[f"mean_test_{metric}"]
    )


def _set_times(results: dict[str, Any], row: int, trial: Trial) -> None:
    """Set the times of a row to those of the splits that were done."""
    for name in ("fit_time", "score_time"):
        times = np.array([getattr(evaluation, name) for evaluation in trial.done])
        results[f"mean_{name}"][row] = times.mean()
        results[f"std_{name}"][row] = times.std()


def ranks(
    means: Array, dropped: NDArray[np.bool_], estimates: Array
) -> NDArray[np.int32]:
    """Return the ranks: complete candidates by mean, dropped ones, then failed ones.

    Parameters
    ----------
    means : ndarray of shape (n,)
        Mean scores; NaN of those that were dropped or have failed.
    dropped : ndarray of shape (n,)
        Which were dropped.
    estimates : ndarray of shape (n,)
        By which these are ranked.

    Returns
    -------
    ndarray of shape (n,)
        From 1; equal ones share the lowest.

    Examples
    --------
    >>> means = np.array([0.7, np.nan, 0.9, np.nan, np.nan])
    >>> estimates = np.array([np.nan, 0.5, np.nan, np.nan, 0.8])
    >>> ranks(means, ~np.isnan(estimates), estimates).tolist()
    [2, 4, 1, 5, 3]
    """
    failed = np.isnan(means) & ~dropped
    return ranks_in_groups(
        [
            (~dropped & ~failed, -means),
            (dropped, -estimates),
            (failed, np.zeros(len(means))),
        ]
    )


def ranks_in_groups(
    groups: Sequence[tuple[NDArray[np.bool_], Array]],
) -> NDArray[np.int32]:
    """Return the ranks of rows, where those of one group go before those of the next.

    Parameters
    ----------
    groups : sequence of (mask, values)
        Each row is in one of them; lower values first.

    Returns
    -------
    ndarray of shape (n,)
        From 1; equal ones of a group share the lowest. NaN is behind all numbers of
        its group, and equal to NaN.
    """
    found = np.empty(len(groups[0][0]), dtype=np.int32)
    start = 0
    for group, values in groups:
        own = values[group]
        # Not by SciPy: there one NaN, or infinite values of both signs in its older
        # versions, take all ranks with them.
        found[group] = start + 1 + np.searchsorted(np.sort(own), own)
        start += len(own)
    return found
