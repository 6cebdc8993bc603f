"""From candidates to blocks in the queue, each once it can be worked off.

Candidates that share steps are in one block. Of a pipeline that is trained step by
step, the transformers are fitted in a block of their own, and those that are trained on
what they make wait for it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from skhpo._trial import Evaluation
from skhpo.evaluation._entries import Entry
from skhpo.evaluation._plan import in_tree_order, split_into_blocks
from skhpo.evaluation._queue import BlockQueue
from skhpo.evaluation._states import StateStore
from skhpo.evaluation.fitting._spec import EvaluationSpec
from skhpo.evaluation.fitting._task import Block, Task
from skhpo.evaluation.fitting._time_slice import TimeSlice
from skhpo.evaluation.workers._workers import Workers

__all__ = ["Planner"]


class Planner:
    """Divides the candidates of a search among blocks, and queues these.

    Parameters
    ----------
    spec : EvaluationSpec
        What all evaluations share.
    workers : Workers
        Who they are for.
    queue : BlockQueue
        Where blocks go.
    states : StateStore
        Knows what transformers have made.
    entries : mapping of int to Entry
        What is evaluated, by number; it changes.
    time_slice : TimeSlice
        Of each block.
    """

    def __init__(
        self,
        spec: EvaluationSpec,
        workers: Workers,
        queue: BlockQueue,
        states: StateStore,
        entries: Mapping[int, Entry],
        time_slice: TimeSlice,
    ) -> None:
        self._spec = spec
        self._workers = workers
        self._queue = queue
        self._states = states
        self._entries = entries
        self._time_slice = time_slice
        self._held: list[Block] = []  # until transformers are fitted
        self._n_planned = 0
        self._seconds = math.inf  # of the last evaluations, in the mean

    def plan(self, todo: Mapping[int, tuple[Task, Collection[int]]]) -> None:
        """Queue tasks on their splits, those that share steps before the others."""
        for number, (_, splits) in todo.items():
            self.prepare(self._entries[number], splits)
        tasks = [task for task, _ in todo.values()]
        wanted = {number: splits for number, (_, splits) in todo.items()}
        for alike in _sorted_by_kind(self._spec, tasks):
            self._divide(alike, wanted)

    def _divide(
        self, tasks: Sequence[Task], wanted: Mapping[int, Collection[int]]
    ) -> None:
        tasks = in_tree_order(tasks, start=self._n_planned)
        self._n_planned += len(tasks)
        splits = sorted(set().union(*(wanted[task.number] for task in tasks)))
        for block in split_into_blocks(
            tasks, splits, self._workers.n_workers, self._time_slice, self._seconds
        ):
            missing = tuple(t for t in block.tasks if block.split in wanted[t.number])
            if len(missing) < len(block.tasks):
                block = replace(block, tasks=missing)
            if missing:
                self._put(block)

    def prepare(self, entry: Entry, splits: Collection[int]) -> None:
        """Have the transformers of an entry fitted, where nobody did so before."""
        if entry.prefix is None:
            return
        *_, birth = entry.lineage()
        params = birth.candidate.params
        for split in sorted(splits):
            if not self._states.expect_rows(entry.prefix, split):
                continue
            task = Task(entry.number, params, order=self._n_planned, prepares=True)
            self._n_planned += 1
            self._queue.put(Block(split, (task,), self._time_slice))

    def _put(self, block: Block) -> None:
        """Queue a block, once there is what its candidates are trained on."""
        numbers = () if block.tasks[0].prepares else (t.number for t in block.tasks)
        prefixes = (self._entries[number].prefix for number in numbers)
        if all(self._states.has_rows(prefix, block.split) for prefix in prefixes):
            self._queue.put(block)
        else:
            self._held.append(block)

    def take_rows(self, block: Block, prepared: Any) -> None:
        """Keep what transformers have made; queue those who have waited for it."""
        entry = self._entries[block.tasks[0].number]
        self._states.keep_rows(entry.prefix, block.split, prepared)
        held, self._held = self._held, []
        for waiting in held:
            self._put(waiting)

    def note(self, evaluation: Evaluation) -> None:
        """Take note of what an evaluation took, for a running mean."""
        seconds = evaluation.fit_time + evaluation.score_time
        if not math.isnan(seconds):  # as it is of a fit whose worker died
            before = seconds if math.isinf(self._seconds) else self._seconds
            self._seconds = before + (seconds - before) / len(self._spec.splits) / 4

    def keep_only(self, begun: Collection[int]) -> None:
        """Drop what waits of other entries than those that have been begun."""
        held, self._held = self._held, []
        for block in [*self._queue.take_waiting(), *held]:
            tasks = tuple(t for t in block.tasks if t.number in begun or t.prepares)
            if tasks:
                self._put(replace(block, tasks=tasks))

    def clear(self) -> None:
        """Give up everything, also what runs."""
        self._queue.clear()
        self._states.expect_nothing()
        self._held = []


def _sorted_by_kind(
    spec: EvaluationSpec, tasks: Sequence[Task]
) -> Iterator[list[Task]]:
    """Yield those that can be in one block: on the same rows, with steps or without."""

    def kind(task: Task) -> tuple[int, bool]:
        return task.n_rows(spec) or 0, not task.steps

    for _, alike in groupby(sorted(tasks, key=kind), key=kind):
        yield list(alike)
