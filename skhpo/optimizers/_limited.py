"""An end for optimizers that would go on for ever."""

from __future__ import annotations

from collections.abc import Sequence

from skhpo._trial import Candidate, Trial
from skhpo.optimizers._base import Optimizer

__all__ = ["LimitedOptimizer"]


class LimitedOptimizer:
    """Asks another optimizer for so many candidates, and no more.

    Parameters
    ----------
    optimizer : Optimizer
        The one to ask.
    n_candidates : int
        How many candidates there may be.

    Attributes
    ----------
    n_candidates : int
        The same; the other one may have fewer to propose.
    """

    def __init__(self, optimizer: Optimizer, n_candidates: int) -> None:
        self.n_candidates = n_candidates
        self._optimizer = optimizer
        self._n_asked = 0

    def ask(self, n: int) -> list[Candidate]:
        """Propose what the other one proposes, as long as there is room.

        Parameters
        ----------
        n : int
            How many at the most.

        Returns
        -------
        list of Candidate
            None any more once the limit is reached.
        """
        room = self.n_candidates - self._n_asked
        candidates = self._optimizer.ask(min(n, room)) if room else []
        self._n_asked += len(candidates)
        return candidates

    def regret_bound(self) -> float:
        """Return what the other one says, if it has a model.

        Returns
        -------
        float
            In units of the score; see `skhpo.stopping.RegretBound`.

        Raises
        ------
        TypeError
            If it has none.
        """
        bound_of = getattr(self._optimizer, "regret_bound", None)
        if bound_of is None:
            raise TypeError(f"{type(self._optimizer).__name__} has no model.")
        return float(bound_of())

    def tell(self, trials: Sequence[Trial]) -> None:
        """Pass the trials on.

        Parameters
        ----------
        trials : sequence of Trial
            In the order of their ids.
        """
        self._optimizer.tell(trials)
