"""The one loop of all searches: ask, evaluate, record, tell, until there is an end."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from skhpo import _clock
from skhpo._trial import Candidate, Evaluation, Trial
from skhpo.search._asking import Asking
from skhpo.search._results import Record
from skhpo.search._stop import StopRules

__all__ = ["Listener", "Loop", "is_impatient"]

# A second Ctrl-C within so many seconds ends everything, also what is around a search
# that has just taken the first one for itself, such as the next fold of nested
# cross-validation.
IMPATIENCE = 3.0
_last_interrupt = -math.inf

Listener = Callable[[Trial, Sequence[Evaluation]], Any]


class Loop:
    """Runs a search to its end.

    Parameters
    ----------
    asking : Asking
        Where candidates come from, and who is told of them.
    evaluator : Evaluator
        Who evaluates, or what has its methods.
    record : Record
        Where complete candidates go.
    rules : StopRules
        What may end the search early.
    listeners : sequence of callable
        Each is called with every complete candidate, as ``(trial, evaluations)``.
    keep_all : bool, default=False
        Whether candidates that are complete, but not yet told of when a rule ends the
        search, are kept. Which these are may be chance.
    """

    def __init__(
        self,
        asking: Asking,
        evaluator: Any,
        record: Record,
        rules: StopRules,
        listeners: Sequence[Listener],
        *,
        keep_all: bool = False,
    ) -> None:
        self._asking = asking
        self._evaluator = evaluator
        self._record = record
        self._rules = rules
        self._listeners = listeners
        self._keep_all = keep_all

    def run(self) -> str:
        """Search; return why it ended."""
        for batch in self._asking.complete():
            reason = self._tell(self._note(batch))
            if reason is not None:
                if not self._keep_all:
                    self._record.keep(self._asking.was_told)
                return reason
        if self._evaluator.out_of_time:
            return "time_budget"
        return "callback" if self._evaluator.stopped else "completed"

    def _note(self, batch: Sequence[tuple[Candidate, list[Evaluation]]]) -> list[Trial]:
        """Record complete candidates, all of them before anything can go wrong."""
        trials = [self._record.add(*complete) for complete in batch]
        for trial, (_, evaluations) in zip(trials, batch, strict=True):
            for listener in self._listeners:
                listener(trial, evaluations)
        return trials

    def _tell(self, trials: Sequence[Trial]) -> str | None:
        """Tell of trials; return why to stop, None to go on."""
        for trial in trials:
            for told in self._asking.tell(trial):
                reason = self._rules.reason_after(told)
                if reason is not None:
                    return reason
        return None


def is_impatient() -> bool:
    """Whether the user has interrupted for the second time in a row."""
    global _last_interrupt
    now = _clock.now()
    is_second = now - _last_interrupt < IMPATIENCE
    _last_interrupt = now
    return is_second
