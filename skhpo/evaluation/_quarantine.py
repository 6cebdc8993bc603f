"""Find out which candidate kills its worker.

A death takes all tasks in flight with it. Their candidates are suspects: each runs
again by itself, with nothing else running, until one dies again, which is the culprit,
or until a block has got as far as it had when it was lost; what it had not begun by
then is innocent.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from skhpo.evaluation.fitting._task import Block

__all__ = ["Quarantine"]


class Quarantine:
    """Blocks whose candidates are suspected of killing workers."""

    def __init__(self) -> None:
        self._blocks: deque[tuple[Block, float]] = deque()
        self._on_trial: tuple[Block, float] | None = None
        self._deadly: set[int] = set()

    def __bool__(self) -> bool:
        return bool(self._blocks) or self.has_one_suspect

    @property
    def has_one_suspect(self) -> bool:
        """Whether what is running now is a single suspect."""
        return self._on_trial is not None

    def add(self, block: Block, seconds: float) -> None:
        """Suspect a block that was lost after so many seconds."""
        self._blocks.append((block, seconds))

    def pop(self) -> Block:
        """Return the next suspect, to be run with nothing else running."""
        self._on_trial = self._blocks.popleft()
        block = self._on_trial[0]
        return replace(block, tasks=block.tasks[:1])

    def acquit(self, seconds: float) -> Block | None:
        """Take note that the suspect lived, for so many seconds.

        Returns
        -------
        Block or None
            Candidates that are suspects no longer.
        """
        assert self._on_trial is not None
        (block, left), self._on_trial = self._on_trial, None
        rest = replace(block, tasks=block.tasks[1:])
        if not rest.tasks:
            return None
        if left > seconds:
            self._blocks.appendleft((rest, left - seconds))
            return None
        return rest

    def convict(self) -> Block | None:
        """Take note that the suspect killed its worker again.

        Returns
        -------
        Block or None
            Candidates that are suspects no longer.
        """
        assert self._on_trial is not None
        (block, _), self._on_trial = self._on_trial, None
        self._deadly.add(block.tasks[0].number)
        rest = replace(block, tasks=block.tasks[1:])
        return rest if rest.tasks else None

    def set_apart(self, block: Block) -> Block | None:
        """Take the convicted candidates out of a block, as suspects on its split.

        Returns
        -------
        Block or None
            The others.
        """
        for task in block.tasks:
            if task.number in self._deadly:
                self.add(replace(block, tasks=(task,)), 0.0)
        others = tuple(t for t in block.tasks if t.number not in self._deadly)
        return replace(block, tasks=others) if others else None
