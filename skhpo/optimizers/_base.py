"""The protocol of all search algorithms: ask and tell."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol, runtime_checkable

from skhpo._trial import Candidate, Trial

__all__ = ["Optimizer", "ResumingOptimizer", "check_trials"]


def check_trials(trials: Sequence[Trial], *, own_only: bool = False) -> Sequence[Trial]:
    """Return the trials; raise if these are none.

    Parameters
    ----------
    trials : sequence of Trial
        What an optimizer was told.
    own_only : bool, default=False
        Whether it takes only candidates that it has proposed.

    Returns
    -------
    sequence of Trial
        The same.

    Raises
    ------
    TypeError
        If it is no sequence, or there is anything else in it.
    """
    is_list = isinstance(trials, Sequence)
    wrong = (
        [trial for trial in trials if not isinstance(trial, Trial)] if is_list else []
    )
    if wrong or not is_list:
        others = ", or with Candidate(-1, params) for params of your own"
        raise TypeError(
            "tell takes a list of Trial, as in "
            "tell([Trial.from_scores(candidate, (score,))]) with a candidate that ask "
            f"returned{'' if own_only else others}. Got "
            f"{wrong[0] if wrong else trials!r} instead."
        )
    return trials


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
            Each candidate exactly once, in the order of their ids; in that in which
            they were completed, if the search is asynchronous.
        """
        ...


@runtime_checkable
class ResumingOptimizer(Optimizer, Protocol):
    """An optimizer whose candidates go on from trials, and that says from which not.

    One that never says so may resume any of its trials: all their models are kept.
    """

    def released(self) -> Collection[int]:
        """Return the trials from which no candidate will go on any more.

        Returns
        -------
        collection of int
            Ids of trials that were told, each of them once in all calls.
        """
        ...
