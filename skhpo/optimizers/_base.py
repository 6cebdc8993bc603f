"""The protocol of all search algorithms: ask and tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from skhpo._trial import Candidate, Trial

__all__ = ["Optimizer"]


@runtime_checkable
class Optimizer(Protocol):
    """What proposes candidates and learns from trials.

    An optimizer sees numbers and parameters only: no estimator, no data, no
    workers. It draws all its randomness from a generator of its own, so the same
    sequence of calls gives the same candidates, also after pickling in mid-run.
    """

    def ask(self, n: int) -> list[Candidate]:
        """Propose up to `n` candidates, with consecutive ids.

        Parameters
        ----------
        n : int
            How many at the most.

        Returns
        -------
        list of Candidate
            Fewer than `n` if no more can be said now. An empty list while trials
            are pending (asked, not told) means "wait"; an empty list with none
            pending means that the search is finished.
        """
        ...

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn from finished trials.

        Parameters
        ----------
        trials : sequence of Trial
            Always in the order of their ids, each candidate exactly once.
        """
        ...
