"""What an evaluator can look up instead of doing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from skhpo._trial import Candidate, Evaluation, Params

__all__ = ["GenerationMemory", "Memory"]


class Memory(Protocol):
    """Remembers evaluations beyond the end of a search.

    `keep` is called from worker threads too, where there are some.
    """

    def known(self, params: Params) -> Mapping[int, Evaluation]:
        """Return the known evaluations of a candidate, by number of the split."""
        ...

    def keep(self, split: int, done: Sequence[tuple[Params, Evaluation]]) -> None:
        """Take note of finished evaluations on a split."""
        ...


class GenerationMemory(Protocol):
    """Remembers the generations of a population, and the models of the last one."""

    def key(self, before: str, generation: Sequence[Candidate]) -> str:
        """Return what tells a generation that follows another one."""
        ...

    def known(
        self, key: str, generation: Sequence[Candidate], n_splits: int
    ) -> Mapping[int, list[Evaluation]] | None:
        """Return the evaluations of a generation by member, None if one is missing."""
        ...

    def keep(
        self,
        key: str,
        generation: Sequence[Candidate],
        evaluations: Mapping[int, Sequence[Evaluation]],
        states: bytes | None,
    ) -> None:
        """Take note of a finished generation, and of its models if they can be kept."""
        ...

    def states(self, key: str) -> bytes | None:
        """Return the models of a generation, None if they are gone."""
        ...
