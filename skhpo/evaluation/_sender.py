"""How a block is sent to the workers: what they call, and what goes along with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from skhpo._registry import Registrations
from skhpo.evaluation._entries import Entry
from skhpo.evaluation._states import StateStore
from skhpo.evaluation.fitting._block import run_block, run_packed_block
from skhpo.evaluation.fitting._limited import FitLimited, limited_processes
from skhpo.evaluation.fitting._spec import EvaluationSpec
from skhpo.evaluation.fitting._task import Block, BlockResult, Task
from skhpo.evaluation.fitting._time_slice import TIME_SLICES, TimeSlice
from skhpo.evaluation.workers._context import WorkerContext
from skhpo.evaluation.workers._limits import Limits
from skhpo.evaluation.workers._shipping import Package
from skhpo.evaluation.workers._workers import Workers
from skhpo.journal._memory import JournalMemory

__all__ = ["BlockSender"]

# The most evaluations in a block when somebody listens. In this process, callbacks
# hear of one evaluation at a time, in scikit-learn's order.
HEARD_FROM_AFAR = 8


class BlockSender:
    """Gives blocks to workers that have been given what all blocks share.

    Parameters
    ----------
    spec : EvaluationSpec
        What all evaluations share.
    workers : Workers
        They have been entered.
    entries : mapping of int to Entry
        What is evaluated, by number; it changes.
    states : StateStore
        From which models candidates go on.
    memory : JournalMemory or None
        Where evaluations are remembered.
    limits : Limits or None
        What a task may use.
    make_context : callable or None
        See `Evaluator`.
    stack : ExitStack
        Ends what is begun here.

    Attributes
    ----------
    make_context : callable or None
        As given, until nobody waits to hear any more.
    """

    def __init__(
        self,
        spec: EvaluationSpec,
        workers: Workers,
        entries: Mapping[int, Entry],
        states: StateStore,
        memory: JournalMemory | None,
        limits: Limits | None,
        make_context: Callable[..., Any] | None,
        stack: ExitStack,
    ) -> None:
        self._spec = spec
        self._workers = workers
        self._entries = entries
        self._states = states
        self._memory = memory
        self._limits = limits
        self.make_context = make_context
        self._contexts: dict[tuple[int, int], Any] = {}  # of what has begun
        self._run, self._before, self._after = self._shared_arguments(stack)

    def _shared_arguments(
        self, stack: ExitStack
    ) -> tuple[Callable[..., BlockResult], tuple, tuple]:
        """Return the function of all tasks, its arguments before and after a block."""
        keep = None
        if self._memory is not None and self.keeps_at_once:
            keep = self._memory.keep
        if self._limits is not None:
            processes = stack.enter_context(
                limited_processes(
                    self._spec, Registrations.capture(), self._limits, self._workers
                )
            )
            fitter = FitLimited(processes, self._spec.fitter.n_steps)
            return run_block, (replace(self._spec, fitter=fitter),), (None, keep)
        if self._workers.are_here:
            return run_block, (self._spec,), (None, keep)
        context = WorkerContext.capture()
        if self._workers.share_memory:
            return run_block, (self._spec,), (context.config, keep)
        self._workers.share(*Package((self._spec, Registrations.capture())).parts)
        return run_packed_block, (), (context,)

    @property
    def keeps_at_once(self) -> bool:
        """Whether each evaluation is remembered where it is made, and not later.

        Models are remembered with the block: each by itself would cost more than it
        took to train them.
        """
        return self._workers.share_memory and not self._spec.fitter.continues

    @property
    def n_most(self) -> int | None:
        """How many tasks a worker gets at a time; None for all of a block."""
        if self.make_context is None:
            return None
        return 1 if self._workers.share_memory else HEARD_FROM_AFAR

    @property
    def time_slice(self) -> TimeSlice:
        """That of each block."""
        if self.make_context is not None:
            return TIME_SLICES["heard"]
        sent = not self._workers.are_here and self._memory is None
        return TIME_SLICES["sent" if sent else "here"]

    def send(self, block: Block, remaining: Callable[[], float]) -> int:
        """Give a block to the workers, with what is known at the last moment only.

        Parameters
        ----------
        block : Block
            What to do.
        remaining : callable
            Returns the seconds that are left.

        Returns
        -------
        int
            The number of the block there.
        """
        tasks = block.tasks
        is_complete = not self._spec.fitter.continues and self.make_context is None
        if not is_complete and not tasks[0].prepares:
            tasks = tuple(self._completed(task, block.split) for task in tasks)
        block = replace(block, tasks=tasks, limit=remaining())
        return self._workers.submit(self._run, *self._before, block, *self._after)

    def _completed(self, task: Task, split: int) -> Task:
        """Return a task with the model from which it goes on, and its context."""
        if self._spec.fitter.continues:
            entry = self._entries[task.number]
            continuation = self._states.continuation(entry, split)
            task = replace(task, continuation=continuation)
        if self.make_context is None:
            return task
        place = task.number, split
        if place not in self._contexts:  # else it has begun, in a worker that died
            task_id = task.heard * len(self._spec.splits) + split
            slim = self._limits is not None or not self._workers.share_memory
            self._contexts[place] = self.make_context(task_id, slim=slim)
        return replace(task, context=self._contexts[place])

    def has_ended(self, number: int, split: int) -> None:
        """Take note that an entry is evaluated on a split."""
        self._contexts.pop((number, split), None)
