"""The distinct candidates of a search, and what each candidate asks for."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field

from skhpo._trial import Candidate, Evaluation
from skhpo.evaluation.fitting._layout import StepKey
from skhpo.evaluation.fitting._task import Task

__all__ = ["Entry"]


@dataclass(eq=False, slots=True)
class Entry:
    """A distinct candidate: who waits for it, and what is known of it.

    Parameters
    ----------
    candidate : Candidate
        The first one that asked for it.
    evaluations : list of (Evaluation or None)
        By number of the split.
    key : str or None, default=None
        By which the journal knows it; None if it does not.
    parent : Entry or None, default=None
        The one from whose models its training goes on.
    prefix : hashable, default=None
        Key of the parameters of its transformers; None if it has none.
    row : int or None, default=None
        Where the candidate is in ``cv_results_``; None: as its id says.
    """

    candidate: Candidate
    evaluations: list[Evaluation | None]
    key: str | None = None
    parent: Entry | None = None
    prefix: Hashable = None
    row: int | None = None
    waiting: list[Candidate] = field(default_factory=list)
    asked: frozenset[int] = frozenset()  # splits that are done or queued
    states: dict[int, bytes] | None = None  # the models, by number of the split
    n_held: int = 0  # trials of it from which others may go on
    is_released: bool = False  # whether models were forgotten, as nobody would

    @property
    def number(self) -> int:
        """The id of the first candidate."""
        return self.candidate.id

    @property
    def is_complete(self) -> bool:
        """Whether there is an evaluation on each split."""
        return None not in self.evaluations

    def evaluations_of(
        self, candidate: Candidate
    ) -> Sequence[Evaluation | None] | None:
        """Return what a waiting candidate is told; None as long as some is missing."""
        if candidate.splits is None:
            return self.evaluations if self.is_complete else None
        wanted = set(candidate.splits)
        if any(self.evaluations[split] is None for split in wanted):
            return None
        return [e if i in wanted else None for i, e in enumerate(self.evaluations)]

    @property
    def is_begun(self) -> bool:
        """Whether there is an evaluation."""
        return any(evaluation is not None for evaluation in self.evaluations)

    def task(self, steps: tuple[StepKey, ...] = ()) -> Task:
        """Return what is to be done, by a candidate that does this in each step."""
        return Task(
            self.number,
            self.candidate.params,
            steps,
            key=self.key,
            resource=self.candidate.resource,
            row=self.row,
        )

    def lineage(self) -> Iterator[Entry]:
        """Yield the entry itself, the one from which it goes on, and so forth."""
        entry: Entry | None = self
        while entry is not None:
            yield entry
            entry = entry.parent
