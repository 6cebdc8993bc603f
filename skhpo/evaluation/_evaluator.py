"""Evaluates candidates on every split, on the workers of a joblib backend.

Candidates go in by `Evaluator.add`, complete ones come out of `Evaluator.next`. In
between, blocks wait in a queue ordered by their first candidate, so that candidates
are completed one after the other, roughly in the order in which they came.
"""

from __future__ import annotations

import heapq
import math
import warnings
from collections.abc import Callable, Hashable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Any

from sklearn.utils import get_tags

from skhpo import _clock
from skhpo._keys import params_key
from skhpo._registry import Registrations
from skhpo._sklearn_compat import num_samples
from skhpo._trial import Candidate, Evaluation, Params
from skhpo.evaluation._memory import Memory
from skhpo.evaluation._plan import in_tree_order, split_into_blocks
from skhpo.evaluation._quarantine import Quarantine
from skhpo.evaluation.fitting._block import run_block, run_packed_block
from skhpo.evaluation.fitting._fit import killed_evaluation
from skhpo.evaluation.fitting._layout import KeyMaker, find_layout
from skhpo.evaluation.fitting._spec import EvaluationSpec
from skhpo.evaluation.fitting._task import Block, BlockResult, Task
from skhpo.evaluation.fitting._time_slice import TIME_SLICES, TimeSlice
from skhpo.evaluation.workers._context import WorkerContext
from skhpo.evaluation.workers._limits import Limits
from skhpo.evaluation.workers._shipping import Package
from skhpo.evaluation.workers._workers import (
    OutOfTimeError,
    WorkerLostError,
    Workers,
    limited_inner_threads,
)
from skhpo.exceptions import WorkerDiedWarning

__all__ = ["Evaluator"]

# The most evaluations in a block when somebody listens. In this process, callbacks
# hear of one evaluation at a time, in scikit-learn's order.
HEARD_FROM_AFAR = 8


class _Entry:
    """A distinct candidate: who waits for it, and its evaluations so far."""

    __slots__ = ("candidates", "evaluations", "n_missing")

    def __init__(self, n_splits: int) -> None:
        self.candidates: list[Candidate] = []
        self.evaluations: list[Any] = [None] * n_splits
        self.n_missing = n_splits


class Evaluator:
    """Evaluates candidates on all splits of a search; equal ones once, if it may.

    Used as a context manager, from one thread.

    Parameters
    ----------
    spec : EvaluationSpec
        What all evaluations share.
    n_jobs : int or None
        As in joblib.
    pre_dispatch : int or str
        As in joblib.
    reuse : bool, default=True
        Whether candidates share the fits that they have in common. If not, equal
        candidates are evaluated each on its own, too; so they are if a part of the
        estimator is declared to be random, by scikit-learn's tag.
    memory : Memory or None, default=None
        What was evaluated before, and is not evaluated again.
    remaining : callable or None, default=None
        Returns the seconds that are left; None for no limit.
    make_context : callable or None, default=None
        ``make_context(task_id, slim=...)`` returns the callback context of an
        evaluation, whose id is candidate * n_splits + split. None where nobody
        listens; else blocks are small, and nothing is shared.
    limits : Limits or None, default=None
        What an evaluation may use. With limits, nothing is shared.

    Attributes
    ----------
    stopped : bool
        Whether a callback asked for the search to stop. Candidates that were begun
        are completed, the others are dropped.
    out_of_time : bool
        Whether no seconds were left. What was running has been given up.
    n_fits, n_needed : int
        Fits of steps that were done, and that would have been done without sharing.
    """

    def __init__(
        self,
        spec: EvaluationSpec,
        *,
        n_jobs: int | None,
        pre_dispatch: int | str,
        reuse: bool = True,
        memory: Memory | None = None,
        remaining: Callable[[], float] | None = None,
        make_context: Callable[..., Any] | None = None,
        limits: Limits | None = None,
    ) -> None:
        layout = find_layout(spec)
        may_share = reuse and layout is not None and make_context is None
        may_share = may_share and limits is None
        self._spec = replace(spec, layout=layout)
        self._merges = reuse and not _is_declared_random(spec.estimator)
        self._n_steps = len(layout.names) if layout else 1
        self._key_maker = KeyMaker(layout) if layout and may_share else None
        self._n_splits = len(spec.splits)
        self._memory = memory
        self._remaining = remaining or (lambda: math.inf)
        self._workers = Workers(n_jobs, pre_dispatch, as_threads=limits is not None)
        self._limits = limits
        self._make_context = make_context
        self._entries: dict[int, _Entry] = {}
        self._by_key: dict[Hashable, _Entry] = {}
        self._waiting: list[tuple[int, int, Block]] = []  # a heap
        self._running: dict[int, tuple[Block, float]] = {}  # and since when
        self._quarantine = Quarantine()
        self._complete: list[tuple[Candidate, list[Evaluation]]] = []
        self._exit = ExitStack()
        self._n_planned = 0
        self.stopped = False
        self.out_of_time = False
        self.n_fits = 0
        self.n_needed = 0

    def __enter__(self) -> Evaluator:
        with ExitStack() as stack:  # what has been entered is left if the rest fails
            stack.enter_context(self._workers)
            stack.enter_context(limited_inner_threads(self._workers))
            self._run, self._before, self._after = self._shared_arguments(stack)
            self._n_heard = 1 if self._workers.share_memory else HEARD_FROM_AFAR
            self._time_slice = self._choose_time_slice()
            self._exit = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._exit.__exit__(kind, error, traceback)
        self._by_key.clear()  # they weigh as much as the results, which come next
        self._key_maker = None

    def _shared_arguments(
        self, stack: ExitStack
    ) -> tuple[Callable[..., BlockResult], tuple, tuple]:
        """Return the function of all tasks, its arguments before and after a block."""
        keep = None if self._memory is None else self._memory.keep
        if self._limits is not None:
            from skhpo.evaluation._limited import isolated_evaluation, run_limited_block

            isolated = stack.enter_context(
                isolated_evaluation(self._spec, self._limits, self._workers)
            )
            return run_limited_block, (isolated, self._spec), (keep,)
        if self._workers.are_here:
            return run_block, (self._spec,), (None, keep)
        context = WorkerContext.capture()
        if self._workers.share_memory:
            return run_block, (self._spec,), (context.config, keep)
        self._workers.share(*Package((self._spec, Registrations.capture())).parts)
        return run_packed_block, (), (context,)

    def _choose_time_slice(self) -> TimeSlice:
        if self._make_context is not None:
            return TIME_SLICES["heard"]
        sent = not self._workers.are_here and self._memory is None
        return TIME_SLICES["sent" if sent else "here"]

    def add(self, candidates: Sequence[Candidate]) -> None:
        """Queue candidates for evaluation on every split.

        Parameters
        ----------
        candidates : sequence of Candidate
            With ids that no other candidate has had.
        """
        fresh = []
        for candidate in candidates:
            task = self._make_task(candidate)
            key = self._key(task)
            entry = self._by_key.get(key)
            if entry is None:
                entry = self._by_key[key] = self._make_entry(candidate.params)
                if entry.n_missing:
                    self._entries[candidate.id] = entry
                    fresh.append(task)
            else:
                self.n_needed += self._n_splits * self._n_steps
            if entry.n_missing == 0:
                self._complete.append((candidate, entry.evaluations))
            else:
                entry.candidates.append(candidate)
        self._plan([task for task in fresh if task.steps])
        self._plan([task for task in fresh if not task.steps])

    def _make_entry(self, params: Params) -> _Entry:
        """Return an entry with what is known of it from before."""
        entry = _Entry(self._n_splits)
        if self._memory is not None:
            for split, evaluation in self._memory.known(params).items():
                entry.evaluations[split] = evaluation
                entry.n_missing -= 1
                self.n_needed += self._n_steps
        return entry

    def _make_task(self, candidate: Candidate) -> Task:
        params = candidate.params
        steps = self._key_maker.keys(params) if self._key_maker else ()
        return Task(candidate.id, params, steps)

    def _plan(self, tasks: Sequence[Task]) -> None:
        tasks = in_tree_order(tasks, start=self._n_planned)
        self._n_planned += len(tasks)
        n_workers = self._workers.n_workers
        for block in split_into_blocks(
            tasks, self._n_splits, n_workers, self._time_slice
        ):
            missing = tuple(t for t in block.tasks if self._misses(t, block.split))
            if missing:
                self._wait(replace(block, tasks=missing))

    def _misses(self, task: Task, split: int) -> bool:
        return self._entries[task.number].evaluations[split] is None

    def _key(self, task: Task) -> Hashable:
        """Return what makes two candidates one evaluation."""
        # Whoever listens expects to hear of every fit.
        if self._make_context is not None or not self._merges:
            return task.number
        if task.steps:  # equal in each step, in a tenth of the memory
            return tuple(step.variant for step in task.steps)
        return params_key(task.params)

    def next(self) -> list[tuple[Candidate, list[Evaluation]]]:
        """Wait until at least one candidate is complete; return all that are.

        Returns
        -------
        list of (Candidate, list of Evaluation)
            One evaluation per split; empty if there is nothing left to wait for, or no
            time.

        Raises
        ------
        Exception
            What ``set_params`` raised; what a fit or the scorer raised, with
            ``error_score="raise"``.
        """
        while not self._complete and self._has_work:
            if self._remaining() <= 0:
                self.out_of_time = True
                break
            self._dispatch()
            self._collect()
        complete, self._complete = self._complete, []
        return complete

    def running(self) -> list[tuple[float, int, list[Params]]]:
        """Return what the workers have been given; also to other threads.

        Returns
        -------
        list of (float, int, list of mapping)
            For how many seconds, the split, and the parameters of the candidates.
        """
        now = _clock.now()
        return [
            (now - since, block.split, [task.params for task in block.tasks])
            for block, since in list(self._running.values())
        ]

    @property
    def _has_work(self) -> bool:
        """Whether anything is left to do: else no time is needed."""
        return bool(self._waiting or self._running or self._quarantine)

    def _wait(self, block: Block) -> None:
        heapq.heappush(self._waiting, (block.tasks[0].order, block.split, block))

    def _dispatch(self) -> None:
        """Give the workers as many blocks as they can take."""
        if self._quarantine:
            # One at a time, so that the next death has one culprit.
            if not self._running:
                self._start(self._quarantine.pop())
            return
        while self._waiting and len(self._running) < self._workers.capacity:
            *_, block = heapq.heappop(self._waiting)
            if self._make_context is not None:
                rest = replace(block, tasks=block.tasks[self._n_heard :])
                if rest.tasks:
                    self._wait(rest)
                block = replace(block, tasks=block.tasks[: self._n_heard])
            if not self._start(block):
                break

    def _start(self, block: Block) -> bool:
        """Send a block to a worker; False if one has died, as the next result tells."""
        if self._make_context is not None:
            tasks = [self._with_context(block.split, task) for task in block.tasks]
            block = replace(block, tasks=tuple(tasks))
        block = replace(block, limit=self._remaining())
        try:
            number = self._workers.submit(self._run, *self._before, block, *self._after)
        except WorkerLostError:
            self._wait(block)
            return False
        self._running[number] = block, _clock.now()
        return True

    def _with_context(self, split: int, task: Task) -> Task:
        assert self._make_context is not None
        if task.context is not None:  # it was started before, in a worker that died
            return task
        task_id = task.number * self._n_splits + split
        slim = self._limits is not None or not self._workers.share_memory
        return replace(task, context=self._make_context(task_id, slim=slim))

    def _collect(self) -> None:
        """Wait for one block, and take over its evaluations."""
        try:
            number, result = self._workers.fetch(self._remaining())
        except WorkerLostError as error:
            self._recover(error)
            return
        except OutOfTimeError:
            return
        block, started = self._running.pop(number)
        if self._quarantine.has_one_suspect:
            self._release(self._quarantine.acquit(_clock.now() - started))
        self._keep(block, result)
        for task, evaluation in zip(block.tasks, result.evaluations, strict=False):
            self._record(task.number, block.split, evaluation)
        self.n_fits += result.n_fits
        self.n_needed += result.n_needed
        rest = block.tasks[len(result.evaluations) :]
        if rest:
            self._wait(replace(block, tasks=rest))
        if result.stop:
            self._stop()

    def _keep(self, block: Block, result: BlockResult) -> None:
        """Remember what another process has done; in this one, each fit does so."""
        if self._memory is not None and not self._workers.share_memory:
            params = (task.params for task in block.tasks)
            done = list(zip(params, result.evaluations, strict=False))
            self._memory.keep(block.split, done)

    def _record(self, number: int, split: int, evaluation: Evaluation) -> None:
        entry = self._entries[number]
        entry.evaluations[split] = evaluation
        entry.n_missing -= 1
        if entry.n_missing == 0:
            self._complete += [(c, entry.evaluations) for c in entry.candidates]
            entry.candidates = []
            del self._entries[number]  # from now on it is found by its key

    def _stop(self) -> None:
        """Drop the candidates that have not been begun."""
        self.stopped = True
        begun = {
            task.number for block, _ in self._running.values() for task in block.tasks
        }
        for number, entry in self._entries.items():
            if entry.n_missing < self._n_splits:
                begun.add(number)
        waiting, self._waiting = self._waiting, []
        for *_, waiting_block in waiting:
            tasks = tuple(t for t in waiting_block.tasks if t.number in begun)
            if tasks:
                self._wait(replace(waiting_block, tasks=tasks))

    def _recover(self, error: WorkerLostError) -> None:
        """Go on after the death of a worker, which may take all blocks with it."""
        now = _clock.now()
        lost = {n: self._running.pop(n) for n in self._workers.recover(error)}
        if self._quarantine.has_one_suspect:
            ((block, _),) = lost.values()
            self._record_death(block, error)
            self._release(self._quarantine.convict())
            waiting, self._waiting = self._waiting, []
            for *_, block in waiting:
                self._release(self._quarantine.set_apart(block))
            return
        for block, started in lost.values():
            self._quarantine.add(block, now - started)

    def _release(self, block: Block | None) -> None:
        if block is not None:
            self._wait(block)

    def _record_death(self, block: Block, error: WorkerLostError) -> None:
        (task,) = block.tasks
        message = f"The worker process died during this fit. {error}"
        warnings.warn(
            f"{message} Parameters: {dict(task.params)!r}.",
            WorkerDiedWarning,
            stacklevel=2,
        )
        if self._spec.error_score == "raise":
            raise error
        n_test = num_samples(self._spec.splits[block.split][1])
        # How long it took is not known.
        evaluation = killed_evaluation(self._spec, n_test, math.nan, message)
        self._record(task.number, block.split, evaluation)


def _is_declared_random(estimator: Any) -> bool:
    """Whether scikit-learn's tag says so of the estimator, or of a part of it."""
    parts = (estimator, *estimator.get_params().values())
    tagged = (p for p in parts if hasattr(p, "__sklearn_tags__"))
    return any(get_tags(p).non_deterministic for p in tagged if not isinstance(p, type))
