"""Find out which candidate kills its worker.

A death takes all blocks with it that were under way. Each of their candidates is then
fitted again with nothing else running, until the worker of one dies again, whose fault
it is, or until a block has got as far as it had when it was lost: the candidates that
it had not begun by then cannot have been the cause.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from skhpo.evaluation.fitting._task import Block

__all__ = ["LostBlocks"]


class LostBlocks:
    """Blocks that were under way when a worker died, to be tried one task at a time."""

    def __init__(self) -> None:
        self._blocks: deque[tuple[Block, float]] = deque()
        self._alone: tuple[Block, float] | None = None
        self._deadly: set[int] = set()

    def __bool__(self) -> bool:
        return bool(self._blocks) or self.one_runs_alone

    @property
    def one_runs_alone(self) -> bool:
        """Whether what is running now is a single task of a lost block."""
        return self._alone is not None

    def add(self, block: Block, seconds: float) -> None:
        """Add a block that was lost after so many seconds."""
        self._blocks.append((block, seconds))

    def next_alone(self) -> Block:
        """Return the next task, as a block, to be run with nothing else running."""
        self._alone = self._blocks.popleft()
        block = self._alone[0]
        return replace(block, tasks=block.tasks[:1])

    def survived(self, seconds: float) -> Block | None:
        """Take note that the task has ended, after so many seconds.

        Returns
        -------
        Block or None
            Further tasks that need not run alone.
        """
        assert self._alone is not None
        (block, left), self._alone = self._alone, None
        rest = replace(block, tasks=block.tasks[1:])
        if not rest.tasks:
            return None
        if left > seconds:
            self._blocks.appendleft((rest, left - seconds))
            return None
        return rest

    def died_again(self) -> Block | None:
        """Take note that the task has killed its worker again.

        Returns
        -------
        Block or None
            Further tasks that need not run alone.
        """
        assert self._alone is not None
        (block, _), self._alone = self._alone, None
        self._deadly.add(block.tasks[0].number)
        rest = replace(block, tasks=block.tasks[1:])
        return rest if rest.tasks else None

    def set_apart(self, block: Block) -> Block | None:
        """Take the candidates that killed a worker out of a block, to run alone.

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
