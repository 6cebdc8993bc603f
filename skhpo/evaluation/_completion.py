"""From evaluations to trials: a candidate is complete when all its splits are done."""

from __future__ import annotations

from dataclasses import replace

from skhpo._trial import Candidate, Evaluation, Trial
from skhpo.evaluation._entries import Entry
from skhpo.evaluation._response_store import ResponseStore
from skhpo.evaluation._stage import at_best_stage

__all__ = ["Completion"]


class Completion:
    """Makes trials of the candidates that wait for an entry.

    Parameters
    ----------
    objective : str
        Which of several scores trials are compared by.
    responses : ResponseStore or None
        Where the responses of evaluations go, if they have any.

    Attributes
    ----------
    open : dict of int to Entry
        Those for which somebody waits, by number.
    """

    def __init__(self, objective: str, responses: ResponseStore | None) -> None:
        self._objective = objective
        self._responses = responses
        self._complete: list[Trial] = []
        self.open: dict[int, Entry] = {}

    def __bool__(self) -> bool:
        return bool(self._complete)

    def take(self) -> list[Trial]:
        """Return the complete trials that nobody has taken yet."""
        complete, self._complete = self._complete, []
        return complete

    def keep(self, entry: Entry, split: int, evaluation: Evaluation) -> None:
        """Keep an evaluation without its response, which goes to the others."""
        if self._responses is not None and evaluation.response is not None:
            score = Trial(entry.candidate, [evaluation], self._objective).score
            self._responses.keep(entry.number, split, evaluation.response, score)
            evaluation = replace(evaluation, response=None)
        entry.evaluations[split] = evaluation

    def expect(self, candidate: Candidate, entry: Entry) -> None:
        """Have a candidate wait for its entry, if that is not complete already."""
        entry.waiting.append(candidate)
        self.complete_those_of(entry)

    def complete_those_of(self, entry: Entry) -> None:
        """Make trials of the candidates whose splits are all done."""
        waiting = []
        for candidate in entry.waiting:
            evaluations = entry.evaluations_of(candidate)
            if evaluations is None:
                waiting.append(candidate)
            else:
                trial = at_best_stage(Trial(candidate, evaluations, self._objective))
                if self._responses is not None:
                    self._responses.complete(entry.number, trial)
                self._complete.append(trial)
        entry.waiting = waiting
        if not waiting:
            self.open.pop(entry.number, None)
