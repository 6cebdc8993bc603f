"""Successive halving: all candidates with few resources, the best ones with more.

A *rung* is one round of it: candidates that all have the same resources, rows or
iterations. The best ones of a rung go on to the next one, a barrier between the two.
*Brackets* are several halvings at a time that begin at different rungs, in case that
the first one is too low to tell anything.

Only whole numbers and fractions are counted with, so that 243 candidates by 3 are six
rungs: the logarithm of floats makes five of them.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Protocol

from skhpo._trial import Candidate, Params, Trial
from skhpo._words import all_of, counted
from skhpo.exceptions import AllFitsFailedError
from skhpo.optimizers._base import Optimizer, check_trials
from skhpo.space._curve import Curve

__all__ = [
    "HalvingOptimizer",
    "HalvingPlan",
    "Iterations",
    "Resource",
    "Rows",
    "Value",
    "brackets_of",
    "plan_halving",
]


# -- how many rungs, and what they have ------------------------------------------------


@dataclass(frozen=True)
class HalvingPlan:
    """What each rung is given.

    Parameters
    ----------
    n_resources : sequence of int
        Of each rung; the last one has all there are.
    factor : Fraction
        Of a rung, the best one in so many goes on.
    n_required_iterations : int
        How many rungs it takes until no more than `factor` candidates are left.
    n_possible_iterations : int
        How many there can be between the least and the most resources.
    """

    n_resources: Sequence[int]
    factor: Fraction
    n_required_iterations: int
    n_possible_iterations: int

    def n_kept(self, n: int) -> int:
        """Return how many of `n` candidates go on to the next rung."""
        return math.ceil(n / self.factor)


def plan_halving(
    n_candidates: int,
    least: int,
    most: int,
    factor: float,
    *,
    exhaust: bool,
    aggressive: bool = False,
) -> HalvingPlan:
    """Return the rungs for so many candidates.

    Parameters
    ----------
    n_candidates : int
        How many there are at the beginning.
    least, most : int
        Resources that the first rung has at least, and the last one has.
    factor : float
        Above 1: by how much fewer candidates, and more resources, from rung to rung.
    exhaust : bool
        Whether resources are divided from the last rung down, and `least` is a bound
        only; else they are multiplied from `least` up.
    aggressive : bool, default=False
        Whether further rungs come first, with the resources of the first one, until no
        more than `factor` candidates are left for the last one.

    Returns
    -------
    HalvingPlan
        At least one rung.

    Examples
    --------
    >>> plan_halving(60, 20, 1000, 3, exhaust=True).n_resources
    [37, 111, 333, 1000]
    >>> plan_halving(60, 20, 180, 3, exhaust=False, aggressive=True).n_resources
    [20, 20, 60, 180]
    """
    ratio = Fraction(float(factor))
    n_required = 1 + floor_log(Fraction(n_candidates), ratio)
    if exhaust:
        least = max(least, int(most / ratio ** (n_required - 1)))
    n_possible = 1 + floor_log(Fraction(most // least), ratio)
    n_rungs = min(n_required, n_possible)
    if exhaust:
        rungs = [int(most / ratio**i) for i in reversed(range(n_rungs))]
    else:
        rungs = [int(least * ratio**i) for i in range(n_rungs - 1)] + [most]
    if aggressive:
        rungs = rungs[:1] * (n_required - n_rungs) + rungs
    return HalvingPlan(rungs, ratio, n_required, n_possible)


def floor_log(x: Fraction, base: Fraction) -> int:
    """Return the largest whole power of `base` that is not above `x`, itself 1 or more.

    Examples
    --------
    >>> floor_log(Fraction(243), Fraction(3))
    5
    """
    power, value = 0, base
    while value <= x:
        power, value = power + 1, value * base
    return power


def brackets_of(n_candidates: int, plan: HalvingPlan, n_brackets: int) -> list[int]:
    """Return how many candidates each bracket begins with.

    Bracket b begins at rung b. As of Hyperband, all cost about the same: the number of
    candidates is in proportion to ``1 / (n_rungs * n_resources)``, of the rungs of the
    bracket and of the resources of the first of them. The largest remainders are
    rounded up, and each bracket has a candidate.

    Parameters
    ----------
    n_candidates : int
        How many there are, at least one for each bracket.
    plan : HalvingPlan
        The rungs.
    n_brackets : int
        How many brackets.

    Returns
    -------
    list of int
        Their sum is `n_candidates`.

    Examples
    --------
    >>> plan = plan_halving(81, 1, 81, 3, exhaust=True)
    >>> brackets_of(81, plan, 3)
    [50, 21, 10]
    """
    rungs = plan.n_resources
    costs = [(len(rungs) - b) * rungs[b] for b in range(n_brackets)]
    total = sum(Fraction(1, cost) for cost in costs)
    left = n_candidates - n_brackets
    shares = [left / cost / total for cost in map(Fraction, costs)]
    sizes = [1 + math.floor(share) for share in shares]
    by_remainder = sorted(
        range(n_brackets), key=lambda b: (math.floor(shares[b]) - shares[b], b)
    )
    for b in by_remainder[: n_candidates - sum(sizes)]:
        sizes[b] += 1
    return sizes


# -- what a resource is ----------------------------------------------------------------


class Resource(Protocol):
    """What there is more of from rung to rung."""

    def candidate(
        self, id: int, params: Params, amount: int, origin: Trial | None
    ) -> Candidate:
        """Return what to ask for: a candidate with so much of it.

        `origin` is its trial of the rung before.
        """
        ...

    def describe(self, amount: int) -> str:
        """Return so much of it, for a message."""
        ...


@dataclass(frozen=True)
class Rows:
    """Rows to train on.

    Parameters
    ----------
    n_rows : int
        How many there are.
    """

    n_rows: int

    def candidate(
        self, id: int, params: Params, amount: int, origin: Trial | None
    ) -> Candidate:
        """Return a candidate on so many rows; on all, it is an ordinary one."""
        return Candidate(id, params, None if amount == self.n_rows else amount)

    def describe(self, amount: int) -> str:
        """Return the number of rows."""
        return f"{amount} of {self.n_rows} rows"


@dataclass(frozen=True)
class Value:
    """A parameter, of which each rung has another value.

    Parameters
    ----------
    name : str
        Its name.
    """

    name: str

    def candidate(
        self, id: int, params: Params, amount: int, origin: Trial | None
    ) -> Candidate:
        """Return a candidate with this value."""
        return Candidate(id, {**params, self.name: amount})

    def describe(self, amount: int) -> str:
        """Return the value with its name."""
        return f"{self.name}={amount}"


@dataclass(frozen=True)
class Iterations(Value):
    """A number of iterations of which one fit tells all smaller ones.

    So candidates are compared by the best so far along their curves.

    Parameters
    ----------
    name : str
        The parameter.
    continues : bool
        Whether training goes on from the models of the rung before.
    """

    continues: bool

    def candidate(
        self, id: int, params: Params, amount: int, origin: Trial | None
    ) -> Candidate:
        """Return a candidate with a curve up to so many iterations."""
        params = {**params, self.name: _up_to(amount)}
        if not self.continues:
            return Candidate(id, params)
        go_on = origin is not None and not origin.failed
        before = origin.candidate.id if origin is not None and go_on else None
        return Candidate(id, params, amount, before)


@cache
def _up_to(amount: int) -> Curve | int:
    """Return so many iterations, of which one fit tells all smaller numbers.

    It is the same object each time, by which the evaluator knows that a candidate of a
    rung with the resources of the one before is the same one, and not fitted again.
    """
    return Curve(amount) if amount > 1 else amount


# -- who goes on -----------------------------------------------------------------------


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
