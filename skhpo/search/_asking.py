"""The one loop of all searches: ask, evaluate, tell."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from skhpo._trial import Candidate, Evaluation, Trial
from skhpo.optimizers import Optimizer

__all__ = ["Asking"]


class Asking:
    """Asks, evaluates and tells, until nothing is left.

    Trials are told one by one in the order of their ids, and each is followed by a
    question. So candidate i is asked for when exactly the trials up to i - n_pending
    have been told, whatever the number of workers and the order of completion.

    Parameters
    ----------
    optimizer : Optimizer
        Whom to ask.
    evaluator : Evaluator
        Who evaluates, or what has its methods.
    n_pending : int or None
        How many candidates may be asked for and not yet told.
    in_order : bool
        Whether a trial is told when those before it have been told; else at once.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        evaluator: Any,
        n_pending: int | None,
        *,
        in_order: bool,
    ) -> None:
        self._optimizer = optimizer
        self._evaluator = evaluator
        self._n_pending = n_pending
        self._in_order = in_order
        self._n_asked = self._n_told = 0
        self._untold: dict[int, Trial] = {}
        self._told_ahead: set[int] = set()  # by id, where the order is free

    def complete(self) -> Iterator[list[tuple[Candidate, list[Evaluation]]]]:
        """Yield candidates as they are completed; `tell` of each."""
        self._ask()
        while batch := self._evaluator.next():
            yield batch

    def tell(self, trial: Trial) -> Iterator[Trial]:
        """Tell of a trial, now or when those before it are complete.

        Yields
        ------
        Trial
            What the optimizer has just been told. It is asked again thereafter.
        """
        self._untold[trial.candidate.id] = trial
        while self._untold:
            id = self._n_told if self._in_order else trial.candidate.id
            if id not in self._untold:
                break
            told = self._untold.pop(id)
            self._optimizer.tell([told])
            self._n_told += 1
            if not self._in_order:
                self._told_ahead.add(id)
            yield told
            self._ask()

    def was_told(self, id: int) -> bool:
        """Whether the optimizer has been told of a candidate."""
        return id < self._n_told if self._in_order else id in self._told_ahead

    def _ask(self) -> None:
        if self._evaluator.stopped:
            return
        room = sys.maxsize
        if self._n_pending is not None:
            room = self._n_pending - (self._n_asked - self._n_told)
        candidates = self._optimizer.ask(room)
        self._n_asked += len(candidates)
        self._evaluator.add(candidates)
