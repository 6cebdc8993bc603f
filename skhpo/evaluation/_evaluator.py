"""Evaluates candidates on every split, on the workers of a joblib backend.

Candidates go in by `Evaluator.add`, complete ones come out of `Evaluator.next`. In
between, blocks wait in a queue ordered by their first candidate, so that candidates
are completed one after the other, roughly in the order in which they came.
"""

from __future__ import annotations

import heapq
import warnings
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Any

from skhpo._keys import params_key
from skhpo._sklearn_compat import num_samples
from skhpo._trial import Candidate, Evaluation
from skhpo.evaluation._block import (
    Block,
    BlockResult,
    Surroundings,
    Task,
    run_block,
    run_packed_block,
)
from skhpo.evaluation._fit import failed_evaluation
from skhpo.evaluation._joblib_compat import (
    WorkerLostError,
    Workers,
    limited_inner_threads,
)
from skhpo.evaluation._plan import split_into_blocks
from skhpo.evaluation._shipping import Package
from skhpo.evaluation._spec import EvaluationSpec
from skhpo.exceptions import WorkerDiedWarning

__all__ = ["Evaluator"]

# Seconds after which a block returns what it has. Long against the 1-3 ms that a
# task costs to send, short against the patience of whoever presses Ctrl-C.
TIME_SLICE = 1.0


class _Entry:
    """A distinct candidate: who waits for it, and its evaluations so far."""

    __slots__ = ("candidates", "evaluations", "n_missing")

    def __init__(self, n_splits: int) -> None:
        self.candidates: list[Candidate] = []
        self.evaluations: list[Any] = [None] * n_splits
        self.n_missing = n_splits


class Evaluator:
    """Evaluates candidates on all splits of a search; equal ones once.

    Used as a context manager, from one thread.

    Parameters
    ----------
    spec : EvaluationSpec
        What all evaluations share.
    n_jobs : int or None
        As in joblib.
    pre_dispatch : int or str
        As in joblib.
    make_context : callable or None, default=None
        ``make_context(task_id, slim=...)`` returns the callback context of an
        evaluation, whose id is candidate * n_splits + split. None where nobody
        listens; else each evaluation is a block, in scikit-learn's order.

    Attributes
    ----------
    stopped : bool
        Whether a callback asked for the search to stop. Candidates that were begun
        are completed, the others are dropped.
    """

    def __init__(
        self,
        spec: EvaluationSpec,
        *,
        n_jobs: int | None,
        pre_dispatch: int | str,
        make_context: Callable[..., Any] | None = None,
    ) -> None:
        self._spec = spec
        self._n_splits = len(spec.splits)
        self._workers = Workers(n_jobs, pre_dispatch)
        self._make_context = make_context
        self._time_slice = TIME_SLICE if make_context is None else 0.0
        self._entries: dict[int, _Entry] = {}
        self._by_key: dict[Hashable, _Entry] = {}
        self._waiting: list[tuple[int, int, Block]] = []  # a heap
        self._running: dict[int, Block] = {}
        self._suspects: deque[Block] = deque()
        self._deadly: set[int] = set()
        self._complete: list[tuple[Candidate, list[Evaluation]]] = []
        self._exit = ExitStack()
        self.stopped = False

    def __enter__(self) -> Evaluator:
        self._exit.enter_context(self._workers)
        self._exit.enter_context(limited_inner_threads(self._workers))
        self._run, self._before, self._after = self._shared_arguments()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._exit.__exit__(kind, error, traceback)

    def _shared_arguments(self) -> tuple[Callable[..., BlockResult], tuple, tuple]:
        """Return the function of all tasks, its arguments before and after a block."""
        if self._workers.n_workers == 1:
            return run_block, (self._spec,), ()
        surroundings = Surroundings.capture()
        if self._workers.share_memory:
            return run_block, (self._spec,), (surroundings.config,)
        return run_packed_block, (), (surroundings, *Package(self._spec).parts)

    def add(self, candidates: Sequence[Candidate]) -> None:
        """Queue candidates for evaluation on every split."""
        fresh = []
        for candidate in candidates:
            key = self._key(candidate)
            entry = self._by_key.get(key)
            if entry is None:
                entry = _Entry(self._n_splits)
                self._by_key[key] = self._entries[candidate.id] = entry
                fresh.append(Task(candidate.id, candidate.params))
            if entry.n_missing == 0:
                self._complete.append((candidate, entry.evaluations))
            else:
                entry.candidates.append(candidate)
        n_workers = self._workers.n_workers
        for block in split_into_blocks(
            fresh, self._n_splits, n_workers, self._time_slice
        ):
            self._wait(block)

    def _key(self, candidate: Candidate) -> Hashable:
        """Return what makes two candidates one evaluation."""
        if self._make_context is not None:
            return candidate.id  # whoever listens expects to hear of every fit
        return params_key(candidate.params)

    def next(self) -> list[tuple[Candidate, list[Evaluation]]]:
        """Wait until at least one candidate is complete; return all that are.

        Returns
        -------
        list of (Candidate, list of Evaluation)
            One evaluation per split; empty if there is nothing left to wait for.

        Raises
        ------
        Exception
            What ``set_params`` raised; what a fit or the scorer raised, with
            ``error_score="raise"``.
        """
        while not self._complete:
            self._dispatch()
            if not self._running:
                break
            self._collect()
        complete, self._complete = self._complete, []
        return complete

    def _wait(self, block: Block) -> None:
        heapq.heappush(self._waiting, (block.tasks[0].number, block.split, block))

    def _dispatch(self) -> None:
        """Give the workers as many blocks as they can take."""
        if self._suspects:
            # One at a time, so that the next death has one culprit.
            if not self._running:
                self._start(self._suspects.popleft())
            return
        while self._waiting and len(self._running) < self._workers.capacity:
            *_, block = heapq.heappop(self._waiting)
            if self._make_context is not None and len(block.tasks) > 1:
                self._wait(replace(block, tasks=block.tasks[1:]))
                block = replace(block, tasks=block.tasks[:1])
            self._start(block)

    def _start(self, block: Block) -> None:
        if self._make_context is not None:
            tasks = [self._with_context(block.split, task) for task in block.tasks]
            block = replace(block, tasks=tuple(tasks))
        number = self._workers.submit(self._run, *self._before, block, *self._after)
        self._running[number] = block

    def _with_context(self, split: int, task: Task) -> Task:
        assert self._make_context is not None
        if task.context is not None:  # it was started before, in a worker that died
            return task
        task_id = task.number * self._n_splits + split
        slim = not self._workers.share_memory
        return replace(task, context=self._make_context(task_id, slim=slim))

    def _collect(self) -> None:
        """Wait for one block, and take over its evaluations."""
        try:
            number, result = self._workers.fetch()
        except WorkerLostError as error:
            self._recover(error)
            return
        block = self._running.pop(number)
        for task, evaluation in zip(block.tasks, result.evaluations, strict=False):
            self._record(task.number, block.split, evaluation)
        rest = block.tasks[len(result.evaluations) :]
        if rest:
            self._wait(replace(block, tasks=rest))
        if result.stop:
            self._stop()

    def _record(self, number: int, split: int, evaluation: Evaluation) -> None:
        entry = self._entries[number]
        entry.evaluations[split] = evaluation
        entry.n_missing -= 1
        if entry.n_missing == 0:
            self._complete += [(c, entry.evaluations) for c in entry.candidates]
            entry.candidates.clear()

    def _stop(self) -> None:
        """Drop the candidates that have not been begun."""
        self.stopped = True
        begun = {
            task.number for block in self._running.values() for task in block.tasks
        }
        for number, entry in self._entries.items():
            if entry.n_missing < self._n_splits:
                begun.add(number)
        waiting, self._waiting = self._waiting, []
        for *_, block in waiting:
            tasks = tuple(task for task in block.tasks if task.number in begun)
            if tasks:
                self._wait(replace(block, tasks=tasks))

    def _recover(self, error: WorkerLostError) -> None:
        """Go on after the death of a worker, which takes all running blocks with it.

        Each of these is run again alone. If one kills its worker again, it is cut
        in half until a single candidate is left: the culprit, whose evaluation has
        failed. From then on it meets every other split alone.
        """
        lost = list(self._running.values())
        self._running.clear()
        self._workers.restart()
        if len(lost) > 1:
            self._suspects.extend(
                part for block in lost for part in self._isolate(block)
            )
            return
        block = lost[0]
        if len(block.tasks) == 1:
            self._record_death(block, error)
        else:
            middle = len(block.tasks) // 2
            for tasks in (block.tasks[middle:], block.tasks[:middle]):
                self._suspects.appendleft(replace(block, tasks=tasks))

    def _isolate(self, block: Block) -> list[Block]:
        """Take the candidates that have killed a worker out of a block."""
        others = tuple(t for t in block.tasks if t.number not in self._deadly)
        deadly = [(task,) for task in block.tasks if task.number in self._deadly]
        parts = ([others] if others else []) + deadly
        return [replace(block, tasks=tasks) for tasks in parts]

    def _record_death(self, block: Block, error: WorkerLostError) -> None:
        task = block.tasks[0]
        message = f"The worker process died during this fit. {error}"
        warnings.warn(
            f"{message} Parameters: {dict(task.params)!r}.",
            WorkerDiedWarning,
            stacklevel=2,
        )
        if self._spec.error_score == "raise":
            raise error
        self._deadly.add(task.number)
        n_test = num_samples(self._spec.splits[block.split][1])
        evaluation = failed_evaluation(self._spec, n_test, float("nan"), message)
        self._record(task.number, block.split, evaluation)
        self._set_apart(task.number)

    def _set_apart(self, number: int) -> None:
        """Make suspects of the waiting blocks that hold a deadly candidate."""
        waiting, self._waiting = self._waiting, []
        for *_, block in waiting:
            if any(task.number == number for task in block.tasks):
                self._suspects.extend(self._isolate(block))
            else:
                self._wait(block)
