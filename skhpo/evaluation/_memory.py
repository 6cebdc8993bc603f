"""What an evaluator can look up instead of doing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from skhpo._trial import Candidate, Evaluation
from skhpo.evaluation.fitting._task import Task

__all__ = ["Memory"]


class Memory(Protocol):
    """Remembers evaluations, and the models of those that are trained step by step.

    `keep` is called from worker threads too, where there are some.
    """

    def key(self, candidate: Candidate, before: str | None) -> str | None:
        """Return what tells a candidate in any process; None if nothing does.

        Parameters
        ----------
        candidate : Candidate
            What was asked for.
        before : str or None
            The key of the one from whose model it goes on.
        """
        ...

    def known(self, key: str, resource: int | None) -> Mapping[int, Evaluation]:
        """Return the known evaluations of a candidate, by number of the split."""
        ...

    def keep(
        self, split: int, done: Sequence[tuple[Task, Evaluation, bytes | None]]
    ) -> None:
        """Take note of finished evaluations on a split, and of models."""
        ...

    def state(self, key: str, split: int) -> bytes | None:
        """Return the model of a candidate on a split, None if it is gone."""
        ...

    def keep_state(self, key: str, split: int, state: bytes) -> None:
        """Keep a model, or what goes with it, under a key of its own."""
        ...

    def release(self, keys: Sequence[str]) -> None:
        """Forget the models of candidates."""
        ...
