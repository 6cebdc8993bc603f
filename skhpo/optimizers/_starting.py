"""Candidates of the user's own, before those of any optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from skhpo._trial import Candidate, Params, Trial
from skhpo.exceptions import InvalidSpaceError
from skhpo.optimizers._base import Optimizer

__all__ = ["StartingOptimizer"]


class StartingOptimizer:
    """Proposes given candidates first, then what another optimizer proposes.

    Parameters
    ----------
    optimizer : Optimizer
        The one to ask afterwards. It hears of the given ones, too, as of trials that it
        has not asked for, if they are in its space.
    initial : sequence of mapping
        The params to begin with.
    """

    def __init__(self, optimizer: Optimizer, initial: Sequence[Params]) -> None:
        self._optimizer = optimizer
        self._initial = list(initial)
        self._n_asked = 0

    def __getattr__(self, name: str) -> Any:
        """Say how many candidates there are, if the other one says so."""
        if name != "n_candidates":
            raise AttributeError(name)
        return len(self._initial) + self._optimizer.n_candidates  # type: ignore[attr-defined]

    def ask(self, n: int) -> list[Candidate]:
        """Propose candidates, with consecutive ids.

        Parameters
        ----------
        n : int
            How many at the most.

        Returns
        -------
        list of Candidate
            The given ones first.
        """
        start, n_initial = self._n_asked, len(self._initial)
        given = self._initial[start : start + n]
        found = [Candidate(id, params) for id, params in enumerate(given, start)]
        self._n_asked += len(found)
        if len(found) < n:
            others = self._optimizer.ask(n - len(found))
            found += [replace(other, id=other.id + n_initial) for other in others]
        return found

    def tell(self, trials: Sequence[Trial]) -> None:
        """Pass the trials on, with the ids that the other one knows.

        Parameters
        ----------
        trials : sequence of Trial
            In the order of their ids.
        """
        for trial in trials:
            candidate, id = trial.candidate, trial.candidate.id - len(self._initial)
            known = replace(trial, candidate=replace(candidate, id=id))
            if id >= 0:
                self._optimizer.tell([known])
                continue
            with suppress(InvalidSpaceError):  # of which it can learn nothing
                self._optimizer.tell([known])
