"""Successive halving: all candidates with few resources, the best ones with more.

A *rung* is one round of it: candidates that all have the same resources, rows or
iterations. The best ones of a rung go on to the next one, a barrier between the two.
*Brackets* are several halvings at a time that begin at different rungs, in case that
the first one is too low to tell anything.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from skhpo._trial import Candidate, Params, Trial
from skhpo._words import all_of, counted
from skhpo.exceptions import AllFitsFailedError
from skhpo.optimizers._base import Optimizer, check_trials
from skhpo.optimizers._halving_plan import HalvingPlan, brackets_of
from skhpo.optimizers._resource import Resource

__all__ = ["HalvingOptimizer"]


def best_of(trials: Sequence[Trial], n: int) -> list[Trial]:
    """Return the best `n` trials that have a score, the best first; ties by id."""
    scored = [trial for trial in trials if not math.isnan(trial.score)]
    return sorted(scored, key=lambda trial: (-trial.score, trial.candidate.id))[:n]


@dataclass(frozen=True)
class Place:
    """Where a trial belongs: its rung, its bracket, and the params it stands for."""

    rung: int
    bracket: int
    params: Params


class HalvingOptimizer:
    """Proposes the candidates of another optimizer, with more and more resources.

    Within a rung, those that were best in the one before come first: a search that is
    interrupted has these.

    Parameters
    ----------
    source : Optimizer
        Where candidates come from: all of them, before the first trial.
    resource : Resource
        What there is more of from rung to rung.
    make_plan : callable
        Takes the number of candidates and returns a `HalvingPlan`.
    n_brackets : int, default=1
        How many halvings, each of which begins a rung later than the one before.
    deal : callable or None, default=None
        Takes the number of candidates and returns them in the order in which they are
        dealt to brackets; None for their own order.

    Attributes
    ----------
    plan : HalvingPlan
        The rungs.
    places : list of Place
        Of each candidate that was proposed, by id.
    n_candidates : int
        How many there will be in all, if none of them fails.
    """

    def __init__(
        self,
        source: Optimizer,
        resource: Resource,
        make_plan: Callable[[int], HalvingPlan],
        *,
        n_brackets: int = 1,
        deal: Callable[[int], Sequence[int]] | None = None,
    ) -> None:
        given = [candidate.params for candidate in _all_of(source)]
        self.plan = make_plan(len(given))
        self.places: list[Place] = []
        self._resource = resource
        self._sizes = brackets_of(len(given), self.plan, n_brackets)
        if deal is not None and n_brackets > 1:
            given = [given[i] for i in deal(len(given))]
        self._entering = _parts(given, self._sizes)
        self._rung = -1
        self._waiting: list[Candidate] = []
        self._trials: list[Trial] = []  # of the rung
        self._n_pending = 0
        self._kept: list[int] = []  # those from which the rung goes on
        self._released: list[int] = []

    @property
    def n_candidates(self) -> int:
        """How many candidates there will be in all, if none of them fails."""
        alive, total = [0] * len(self._sizes), 0
        for rung in range(len(self.plan.n_resources)):
            alive = [self.plan.n_kept(n) for n in alive]
            if rung < len(alive):
                alive[rung] = self._sizes[rung]
            total += sum(alive)
        return total

    def ask(self, n: int) -> list[Candidate]:
        """Propose candidates of a rung; none while its trials are awaited.

        Parameters
        ----------
        n : int
            How many at the most.

        Returns
        -------
        list of Candidate
            With the resources of the rung.
        """
        if not self._waiting and not self._n_pending:
            self._begin_rung()
        asked, self._waiting = self._waiting[:n], self._waiting[n:]
        self._n_pending += len(asked)
        return asked

    def tell(self, trials: Sequence[Trial]) -> None:
        """Take note of trials; after the last one of a rung, of who goes on.

        Parameters
        ----------
        trials : sequence of Trial
            In the order of their ids.

        Raises
        ------
        AllFitsFailedError
            If none of a rung has a score.
        """
        self._trials += check_trials(trials, own_only=True)
        self._n_pending -= len(trials)
        if not self._n_pending and not self._waiting:
            self._check_scores()

    def released(self) -> Collection[int]:
        """Return the trials from which no candidate will go on any more."""
        released, self._released = self._released, []
        return released

    def _begin_rung(self) -> None:
        """Line up who has come so far, and who begins here."""
        if self._rung + 1 == len(self.plan.n_resources):
            self._let_go(keep=[])
            return
        self._rung += 1
        going: list[tuple[int, Params, Trial | None]] = []
        for bracket in range(len(self._sizes)):
            best = self._best_of(bracket)
            going += [(bracket, self._params_of(t), t) for t in best]
        self._let_go(keep=[t.candidate.id for _, _, t in going if t is not None])
        if self._rung < len(self._entering):
            going += [(self._rung, p, None) for p in self._entering[self._rung]]
        for bracket, params, trial in going:
            amount = self.plan.n_resources[self._rung]
            id = len(self.places)
            self.places.append(Place(self._rung, bracket, params))
            self._waiting.append(self._resource.candidate(id, params, amount, trial))

    def _best_of(self, bracket: int) -> list[Trial]:
        """Return the trials of a bracket that go on from the rung that is over."""
        own = [t for t in self._trials if self._place(t).bracket == bracket]
        return best_of(own, self.plan.n_kept(len(own))) if own else []

    def _let_go(self, keep: list[int]) -> None:
        """Release what is over: trials from which nobody goes on, or has gone on."""
        over = [t.candidate.id for t in self._trials]
        self._released += [*self._kept, *(id for id in over if id not in keep)]
        self._trials, self._kept = [], keep

    def _place(self, trial: Trial) -> Place:
        return self.places[trial.candidate.id]

    def _params_of(self, trial: Trial) -> Params:
        return self._place(trial).params

    def _check_scores(self) -> None:
        """Raise if nobody of the rung that is over can go on, or be the best."""
        if any(not math.isnan(trial.score) for trial in self._trials):
            return
        amount = self._resource.describe(self.plan.n_resources[self._rung])
        failed = [e for t in self._trials for e in t.done if e.fit_error is not None]
        why = "No fit failed; their scores are NaN"
        if failed:
            error = (failed[0].fit_error or "").strip().splitlines()[-1]
            why = f"{counted(len(failed), 'fit')} failed; the first one with: {error}"
        n = len(self._trials)
        who = all_of(n, "candidate")
        raise AllFitsFailedError(
            f"{who.capitalize()} of iteration {self._rung}, with {amount}, "
            f"{'scores' if n == 1 else 'score'} NaN, so none of them can go on. {why}. "
            "Give more resources to the first iteration by a larger min_resources, or "
            "see what fails in failures_ and cv_results_."
        )


def _all_of(source: Optimizer) -> list[Candidate]:
    """Return all candidates that an optimizer proposes without being told of trials."""
    found: list[Candidate] = []
    while batch := source.ask(sys.maxsize):
        found += batch
    return found


def _parts(given: Sequence[Params], sizes: Sequence[int]) -> list[Sequence[Params]]:
    """Cut a list into parts of these sizes."""
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return [
        given[start : start + size] for start, size in zip(starts, sizes, strict=True)
    ]
