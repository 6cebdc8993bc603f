"""The one loop of all searches: ask, evaluate, record, tell, until there is an end."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from skhpo import _clock
from skhpo._trial import Candidate, Trial
from skhpo.optimizers import Optimizer, ResumingOptimizer
from skhpo.search._results import Record
from skhpo.search._stop import StopRules

__all__ = ["Interrupts", "Listener", "Loop", "LoopEvaluator", "LoopPolicy"]

Listener = Callable[[Trial], object]


@dataclass(frozen=True)
class LoopPolicy:
    """When a search asks, and of what it tells. The results depend on it.

    Parameters
    ----------
    learns : bool, default=False
        Whether the scores so far decide what is next: there must be one score.
    n_pending : int or None, default=None
        How many candidates may be asked for and not yet told; None for no limit.
        Never derived from the number of workers.
    in_order : bool, default=True
        Whether a trial is told when those before it have been told; else at once. The
        order is that of the ids, unless the evaluator says another one.
    whole_batches : bool, default=False
        Whether candidates count only together with those that came with them: they are
        recorded when all are complete, and kept when a rule ends the search, though
        not all of them have been told yet.
    """

    learns: bool = False
    n_pending: int | None = None
    in_order: bool = True
    whole_batches: bool = False


class LoopEvaluator(Protocol):
    """What the loop needs of an evaluator; see `skhpo.evaluation.Evaluator`."""

    @property
    def stopped(self) -> bool:
        """Whether a callback asked for the search to stop."""
        ...

    @property
    def out_of_time(self) -> bool:
        """Whether no seconds were left."""
        ...

    @property
    def turns(self) -> Sequence[int] | None:
        """Ids in the order in which trials are told, as far as known; None: by id."""
        ...

    def add(self, candidates: Sequence[Candidate]) -> None:
        """Queue candidates."""

    def wait(self) -> list[Trial]:
        """Wait until a candidate is complete; return all that are, [] at the end."""
        ...

    def release(self, ids: Collection[int]) -> None:
        """Forget the models of trials from which nobody will go on."""


class Interrupts:
    """When the user has pressed Ctrl-C.

    A second time within some seconds ends everything, also what is around a search that
    has just taken the first one for itself, such as the next fold of nested
    cross-validation. So all searches of a process share one of these.

    Parameters
    ----------
    patience : float, default=3.0
        Within how many seconds.
    """

    def __init__(self, patience: float = 3.0) -> None:
        self._patience = patience
        self._last = -math.inf

    def note(self) -> bool:
        """Take note of an interrupt; return whether it is the second in a row."""
        before, self._last = self._last, _clock.now()
        return self._last - before < self._patience


@dataclass(eq=False)
class Loop:
    """Runs a search to its end.

    Trials are told one by one, and each is followed by a question. So, in order,
    candidate i is asked for when exactly the trials up to i - n_pending have been told,
    whatever the number of workers and the order of completion.

    Parameters
    ----------
    optimizer : Optimizer
        Where candidates come from, and who is told of them.
    evaluator : LoopEvaluator
        Who evaluates.
    record : Record
        Where complete candidates go, and why the search ended.
    rules : StopRules
        What may end the search early.
    listeners : sequence of callable
        Each is called with every complete trial.
    policy : LoopPolicy
        When to ask, and of what to tell.
    interrupts : Interrupts
        Whether a Ctrl-C is the second one.
    """

    optimizer: Optimizer
    evaluator: LoopEvaluator
    record: Record
    rules: StopRules
    listeners: Sequence[Listener]
    policy: LoopPolicy
    interrupts: Interrupts
    _n_asked: int = field(default=0, init=False)
    _n_told: int = field(default=0, init=False)
    # Complete ones, by id.
    _untold: dict[int, Trial] = field(default_factory=dict, init=False)
    # To be asked with each question, if the optimizer resumes trials.
    _released: Callable[[], Collection[int]] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if isinstance(self.optimizer, ResumingOptimizer):
            self._released = self.optimizer.released

    def run(self) -> None:
        """Search; the record says why it ended.

        Raises
        ------
        KeyboardInterrupt
            If the user has interrupted twice, or before there was anything to keep.
        """
        try:
            self.record.stop_reason = self._search()
        except KeyboardInterrupt:
            self.record.stop_reason = "interrupted"
            if self.interrupts.note() or not self.record.n_candidates:
                raise

    def _search(self) -> str:
        """Ask, evaluate, record and tell; return why that ended."""
        self._ask()
        while batch := self._wait():
            self._note(batch)
            reason = self._tell()
            if reason is not None:
                if not self.policy.whole_batches:
                    self.record.keep(lambda id: id not in self._untold)
                return reason
        if self.evaluator.out_of_time:
            return "time_budget"
        return "callback" if self.evaluator.stopped else "completed"

    def _ask(self) -> None:
        if self._released is not None:
            self.evaluator.release(self._released())
        if self.evaluator.stopped:
            return
        room = sys.maxsize
        if self.policy.n_pending is not None:
            room = self.policy.n_pending - (self._n_asked - self._n_told)
        candidates = self.optimizer.ask(room)
        self._n_asked += len(candidates)
        self.evaluator.add(candidates)

    def _wait(self) -> list[Trial]:
        """Return complete trials; none at the end, and none of a broken batch."""
        batch = self.evaluator.wait()
        if not self.policy.whole_batches:
            return batch
        while batch and len(batch) < self._n_asked - self._n_told:
            more = self.evaluator.wait()
            batch = batch + more if more else []
        return sorted(batch, key=lambda trial: trial.candidate.id)

    def _note(self, batch: Sequence[Trial]) -> None:
        """Record complete candidates, all of them before anything can go wrong."""
        for trial in batch:
            self.record.add(trial)
            self._untold[trial.candidate.id] = trial
        for trial in batch:
            for listener in self.listeners:
                listener(trial)

    def _tell(self) -> str | None:
        """Tell of what is complete, and ask again; return why to stop, if so."""
        while (trial := self._next_to_tell()) is not None:
            self.optimizer.tell([trial])
            self._n_told += 1
            reason = self.rules.reason_after(trial)
            if reason is not None:
                return reason
            self._ask()
        return None

    def _next_to_tell(self) -> Trial | None:
        """Return the trial whose turn it is, None if it is not complete."""
        if not self._untold:
            return None
        id = self._turn() if self.policy.in_order else next(iter(self._untold))
        return self._untold.pop(id, None)

    def _turn(self) -> int:
        """Return the id of the trial that is told next."""
        turns = self.evaluator.turns
        return self._n_told if turns is None else turns[self._n_told]
