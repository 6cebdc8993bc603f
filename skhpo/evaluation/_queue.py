"""The queue of blocks between the evaluator and the workers.

Blocks are worked off in the order of their first task. A death may take all blocks with
it that were under way; `_lost.py` finds out whose fault it was.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import replace

from skhpo import _clock
from skhpo._trial import Params
from skhpo.evaluation._lost import LostBlocks
from skhpo.evaluation.fitting._task import Block, BlockResult, Task
from skhpo.evaluation.workers._workers import OutOfTimeError, WorkerLostError, Workers

__all__ = ["BlockQueue"]


class BlockQueue:
    """Blocks that wait, run, or were lost when a worker died.

    Parameters
    ----------
    workers : Workers
        Who does them.
    submit : callable
        ``submit(block)`` gives one to the workers, and returns its number there.
    n_most : int or None, default=None
        How many tasks a worker gets at a time; None for all of a block.
    """

    def __init__(
        self,
        workers: Workers,
        submit: Callable[[Block], int],
        n_most: int | None = None,
    ) -> None:
        self._workers = workers
        self._submit = submit
        self._n_most = n_most
        self._waiting: list[tuple[int, int, Block]] = []  # a heap
        self._running: dict[int, tuple[Block, float]] = {}  # and since when
        self._lost = LostBlocks()

    def __bool__(self) -> bool:
        return bool(self._waiting or self._running or self._lost)

    def put(self, block: Block | None) -> None:
        """Queue a block, if there is one."""
        if block is not None:
            place = block.tasks[0].order, block.split
            heapq.heappush(self._waiting, (*place, block))

    def take_waiting(self) -> list[Block]:
        """Return all blocks that wait, to be put back or not."""
        waiting, self._waiting = self._waiting, []
        return [block for *_, block in waiting]

    def clear(self) -> None:
        """Give up everything, also what runs."""
        if self._workers.n_pending:
            self._workers.restart()
        self._waiting, self._running, self._lost = [], {}, LostBlocks()

    def running(self) -> list[tuple[float, int, list[Params]]]:
        """Return what the workers have been given; also to other threads.

        Returns
        -------
        list of (float, int, list of mapping)
            For how many seconds, the split, and the parameters of the candidates.
        """
        running = list(self._running.values())
        now = _clock.now()  # and not before: what has begun since would end in the past
        return [
            (now - since, block.split, [task.params for task in block.tasks])
            for block, since in running
        ]

    def running_tasks(self) -> Iterable[Task]:
        """Return the tasks of the blocks that run."""
        return (task for block, _ in self._running.values() for task in block.tasks)

    def dispatch(self) -> None:
        """Give the workers as many blocks as they can take."""
        if self._lost:
            # One at a time, so that it is clear who dies the next time.
            if not self._running:
                self._start(self._lost.next_alone())
            return
        while self._waiting and len(self._running) < self._workers.capacity:
            *_, block = heapq.heappop(self._waiting)
            if self._n_most is not None and len(block.tasks) > self._n_most:
                self.put(replace(block, tasks=block.tasks[self._n_most :]))
                block = replace(block, tasks=block.tasks[: self._n_most])
            if not self._start(block):
                break

    def _start(self, block: Block) -> bool:
        """Send a block to a worker; False if one has died, as the next result tells."""
        try:
            number = self._submit(block)
        except WorkerLostError:
            self.put(block)
            return False
        self._running[number] = block, _clock.now()
        return True

    def fetch(
        self, timeout: float
    ) -> tuple[Block, BlockResult | WorkerLostError] | None:
        """Wait for one block; None if there is no result, but perhaps more to do.

        What a block has left undone is queued again. An error is what came of a block
        with a single task that kills its workers.
        """
        try:
            number, result = self._workers.fetch(timeout)
        except WorkerLostError as error:
            return self._recover(error)
        except OutOfTimeError:
            return None
        block, started = self._running.pop(number)
        if self._lost.one_runs_alone:
            self.put(self._lost.survived(_clock.now() - started))
        rest = block.tasks[len(result.evaluations) :]
        if rest and result.evaluations:
            self.put(replace(block, tasks=rest))
        return block, result

    def _recover(self, error: WorkerLostError) -> tuple[Block, WorkerLostError] | None:
        """Go on after the death of a worker, which may take all blocks with it."""
        now = _clock.now()
        lost = [self._running.pop(number) for number in self._workers.recover(error)]
        if not self._lost.one_runs_alone:
            for block, started in lost:
                self._lost.add(block, now - started)
            return None
        ((block, _),) = lost
        self.put(self._lost.died_again())
        for waiting in self.take_waiting():
            self.put(self._lost.set_apart(waiting))
        return block, error
