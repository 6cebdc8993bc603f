"""Evaluates candidates on splits, on the workers of a joblib backend.

Candidates go in by `Evaluator.add`, trials come out of `Evaluator.wait`. In between,
blocks wait in a queue ordered by their first candidate, so that candidates are
completed one after the other, roughly in the order in which they came. How a block is
worked off is the affair of a fitter, which is chosen once: each candidate by itself,
as a tree with shared steps, or a bit more training from a given model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from skhpo._trial import Candidate, Evaluation, Params, Trial
from skhpo._warnings import warn_user
from skhpo.evaluation._completion import Completion
from skhpo.evaluation._distinct import DistinctCandidates
from skhpo.evaluation._entries import Entry
from skhpo.evaluation._planner import Planner
from skhpo.evaluation._queue import BlockQueue
from skhpo.evaluation._requests import Requests
from skhpo.evaluation._response_store import ResponseStore
from skhpo.evaluation._sender import BlockSender
from skhpo.evaluation._states import StateStore
from skhpo.evaluation.fitting._chunks import FitInChunks
from skhpo.evaluation.fitting._fit import killed_evaluation
from skhpo.evaluation.fitting._spec import EvaluationSpec
from skhpo.evaluation.fitting._task import Block, BlockResult, Fitter, Task
from skhpo.evaluation.fitting._tree import choose_fitter
from skhpo.evaluation.workers._limits import Limits
from skhpo.evaluation.workers._workers import (
    WorkerLostError,
    Workers,
    limited_inner_threads,
)
from skhpo.exceptions import WorkerDiedWarning
from skhpo.journal._memory import JournalMemory

__all__ = ["Evaluator"]


class Evaluator:
    """Evaluates candidates on the splits of a search; equal ones once, if it may.

    Used as a context manager, from one thread.

    Parameters
    ----------
    spec : EvaluationSpec
        What all evaluations share.
    n_jobs : int or None
        As in joblib.
    pre_dispatch : int or str
        As in joblib.
    fitter : Fitter or None, default=None
        How candidates become evaluations; None for each with ``fit``, sharing the
        steps that are equal where that is exact.
    reuse : bool, default=True
        Whether candidates share the fits that they have in common. If not, equal
        candidates are evaluated each on its own, too; so they are if a part of the
        estimator is declared to be random, by scikit-learn's tag.
    objective : str, default="score"
        Which of several scores trials are compared by.
    name : str, default="The search"
        Of the search, for messages.
    memory : JournalMemory or None, default=None
        What was evaluated before, and is not evaluated again.
    remaining : callable or None, default=None
        Returns the seconds that are left; None for no limit.
    make_context : callable or None, default=None
        ``make_context(task_id, slim=...)`` returns the callback context of an
        evaluation, whose id is candidate * n_splits + split. None where nobody
        listens; else blocks are small, and nothing is shared.
    limits : Limits or None, default=None
        What a task may use. With limits, nothing is shared.
    in_chunks : bool, default=False
        Whether the resource of a candidate is its number of iterations so far, of which
        it may have more later; see `FitInChunks`.
    finishes : bool, default=False
        Whether all candidates that were added are completed when a callback asks for
        the search to stop; else only those that were begun.
    responses : ResponseStore or None, default=None
        Where the responses of evaluations go, if ``spec`` asks for them.

    Attributes
    ----------
    stopped : bool
        Whether a callback asked for the search to stop.
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
        fitter: Fitter | None = None,
        reuse: bool = True,
        objective: str = "score",
        name: str = "The search",
        memory: JournalMemory | None = None,
        remaining: Callable[[], float] | None = None,
        make_context: Callable[..., Any] | None = None,
        limits: Limits | None = None,
        in_chunks: bool = False,
        finishes: bool = False,
        responses: ResponseStore | None = None,
    ) -> None:
        merges = reuse and make_context is None  # who listens is to hear of every fit
        self._fitter = fitter or choose_fitter(
            spec, shares=merges and limits is None, always_lends=limits is not None
        )
        layout = getattr(self._fitter, "layout", None)
        if in_chunks:
            self._fitter = FitInChunks(self._fitter)
        self._spec = replace(spec, fitter=self._fitter)
        self._memory = memory
        self._remaining = remaining or (lambda: math.inf)
        self._workers = Workers(n_jobs, pre_dispatch, as_threads=limits is not None)
        self._limits = limits
        self._make_context = make_context
        self._finishes = finishes
        self._responses = responses
        self._trials: dict[int, Entry] = {}
        self._partial: dict[int, Candidate] = {}  # those with some of the splits
        self._released: set[int] = set()
        self._completion = Completion(objective, responses)
        self._open = self._completion.open
        self._requests = Requests(
            name,
            len(spec.splits),
            self._fitter.continues,
            None if spec.subsets is None else spec.subsets.n_rows,
            self._trials,
            self._partial,
            self._released,
        )
        self._distinct = DistinctCandidates(
            self._spec,
            layout,
            self._requests,
            self._trials,
            memory,
            self._completion.keep,
            merges=merges,
        )
        self._states = StateStore(memory)
        self._exit = ExitStack()
        self.stopped = False
        self.out_of_time = False
        self.n_fits = 0
        self.n_needed = 0

    def __enter__(self) -> Evaluator:
        with ExitStack() as stack:  # what has been entered is left if the rest fails
            stack.enter_context(self._workers)
            stack.enter_context(limited_inner_threads(self._workers))
            self._sender = BlockSender(
                self._spec,
                self._workers,
                self._open,
                self._states,
                self._memory,
                self._limits,
                self._make_context,
                stack,
            )
            self._queue = BlockQueue(self._workers, self._submit, self._sender.n_most)
            self._planner = Planner(
                self._spec,
                self._workers,
                self._queue,
                self._states,
                self._open,
                self._sender.time_slice,
            )
            self._exit = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._exit.close()
        self._distinct.clear()  # they weigh as much as the results, which come next
        self._trials.clear()
        self._partial.clear()

    @property
    def splits(self) -> Sequence[tuple[Any, Any]]:
        """The rows to train on and those to score on, by number of the split."""
        return self._spec.splits

    @property
    def turns(self) -> None:
        """There is no other order than that of the ids."""
        return None

    @property
    def n_steps(self) -> int:
        """How many fits an evaluation is, where nothing is shared."""
        return self._fitter.n_steps

    # --- what is asked for ------------------------------------------------------------

    def add(
        self,
        candidates: Sequence[Candidate],
        rows: Mapping[int, int] = MappingProxyType({}),
    ) -> None:
        """Queue candidates for evaluation.

        Parameters
        ----------
        candidates : sequence of Candidate
            With ids that no other candidate has had.
        rows : mapping of int to int, default={}
            Where they are in ``cv_results_``, by id, if these say something else.

        Raises
        ------
        ValueError
            If one asks for what cannot be done: an id for the second time, a split
            that does not exist, training of what is fitted at once, to go on from a
            trial that is not complete, has failed or was released, or to leave out
            splits that it had. None is queued.
        """
        self._requests.check(candidates)
        todo: dict[int, tuple[Task, Collection[int]]] = {}
        for candidate in candidates:
            steps = self._distinct.steps(candidate)
            entry = self._distinct.find(candidate, steps)
            if entry.candidate is candidate:
                entry.row = rows.get(candidate.id)
            self._trials[candidate.id] = entry
            if self._responses is not None:
                self._responses.hold(candidate.id, entry.number, candidate.params)
            if candidate.splits is not None:
                self._partial[candidate.id] = candidate
            self._states.hold(entry)
            wanted = self._requests.splits_of(candidate)
            fresh = wanted - entry.asked
            entry.asked = entry.asked | fresh if entry.asked else wanted
            missing = {s for s in fresh if entry.evaluations[s] is None}
            self._count_spared(candidate, entry, fresh, missing)
            if missing:
                number = entry.number
                self._open[number] = entry
                task, queued = todo.get(number) or (entry.task(steps), ())
                todo[number] = task, missing.union(queued)
            self._completion.expect(candidate, entry)
        self._planner.plan(todo)

    def _count_spared(
        self,
        candidate: Candidate,
        entry: Entry,
        fresh: frozenset[int],
        missing: Collection[int],
    ) -> None:
        """Count the fits that would have been done, if nothing were known."""
        spared = len(self._requests.own_splits_of(candidate)) - len(missing)
        self.n_needed += spared * self._fitter.n_steps
        if entry.prefix is not None:  # transformers, where no ancestor had them fitted
            _, *ancestors = entry.lineage()
            self.n_needed += len(fresh.difference(*(a.asked for a in ancestors)))

    # --- what comes of it -------------------------------------------------------------

    def wait(self) -> list[Trial]:
        """Wait until at least one candidate is complete; return all that are.

        Returns
        -------
        list of Trial
            Empty if there is nothing left to wait for, or no time.

        Raises
        ------
        Exception
            What ``set_params`` raised; what a fit or the scorer raised, with
            ``error_score="raise"``.
        """
        while not self._completion and self._queue:
            if self._remaining() <= 0:
                self.out_of_time = True
                break
            self._step()
        return self._completion.take()

    def running(self) -> list[tuple[float, int, list[Params]]]:
        """Return what the workers have been given; also to other threads.

        Returns
        -------
        list of (float, int, list of mapping)
            For how many seconds, the split, and the parameters of the candidates.
        """
        return self._queue.running()

    def _submit(self, block: Block) -> int:
        """Give a block to the workers; return its number there."""
        return self._sender.send(block, self._remaining)

    def _step(self) -> None:
        """Give the workers what they can take, and take over what one has done."""
        self._queue.dispatch()
        fetched = self._queue.fetch(self._remaining())
        if fetched is None:
            return
        block, result = fetched
        if isinstance(result, WorkerLostError):
            self._record_death(block, result)
        else:
            self._take_over(block, result)

    def _take_over(self, block: Block, result: BlockResult) -> None:
        """Take over what a block has come to."""
        if block.tasks[0].prepares:
            self._planner.take_rows(block, result.prepared)
        # A block may be cut: then its last tasks are not done yet.
        done = list(zip(block.tasks, result.evaluations, result.states, strict=False))
        if self._memory is not None and not self._sender.keeps_at_once:
            self._memory.keep(block.split, done)
        for task, evaluation, state in done:
            self._record(task.number, block.split, evaluation, state)
        self.n_fits += result.n_fits
        self.n_needed += result.n_needed
        if result.stop:
            self._stop()

    def _record(
        self, number: int, split: int, evaluation: Evaluation, state: bytes | None
    ) -> None:
        entry = self._open[number]
        self._sender.has_ended(number, split)
        if entry.evaluations[split] is None:
            self._completion.keep(entry, split, evaluation)
            self._planner.note(evaluation)
        if self._fitter.continues:
            self._states.keep(entry, split, state)
        self._completion.complete_those_of(entry)

    def release_responses(self, id: int) -> None:
        """Forget the responses of a candidate that will not have all splits.

        Parameters
        ----------
        id : int
            Of the candidate.
        """
        if self._responses is not None:
            self._responses.release(id)

    def release(self, ids: Collection[int]) -> None:
        """Forget the models of trials that nobody will resume.

        Parameters
        ----------
        ids : collection of int
            Of complete trials.

        Raises
        ------
        ValueError
            If one of them does not exist, or is not complete. None is released.
        """
        self._requests.check_release(ids)
        if not self._fitter.continues:
            return
        new = set(ids) - self._released  # whoever says it twice means it once
        self._released |= new
        self._states.release(self._trials[id] for id in new)
        self._states.drop_rows({entry.prefix for entry in self._open.values()})

    def model(self, id: int, split: int = 0) -> Any:
        """Return the fitted estimator of a complete trial on a split.

        Parameters
        ----------
        id : int
            Of the trial, whose training was done step by step and not released.
        split : int, default=0
            Number of the split.

        Returns
        -------
        estimator
            Fitted on the train part of the split.

        Raises
        ------
        ValueError
            If there is no model, as its training has failed.
        """
        entry = self._trials[id]
        state, prefix = self._states.model(entry, split)
        if state is None or (prefix is None and entry.prefix is not None):
            self._restore(entry, split, state)
            state, prefix = self._states.model(entry, split)
        if state is None:
            raise ValueError(f"Trial {id} has left no model on split {split}.")
        return self._fitter.assemble(self._spec, state, prefix)

    def _restore(self, entry: Entry, split: int, state: bytes | None) -> None:
        """Train a model again that is lost, or fit its transformers."""
        self._remaining = lambda: math.inf  # for the last fit there is always time
        self._planner.clear()  # of what was interrupted
        self._open.clear()
        self._open[entry.number] = entry
        self._sender.make_context = None  # nobody waits to hear of it
        needed = self.n_needed
        if state is None:
            self._planner.plan({entry.number: (entry.task(), {split})})
        else:
            self._planner.prepare(entry, {split})
        while self._queue:
            self._open.setdefault(entry.number, entry)
            self._step()
        self.n_needed = needed

    def _stop(self) -> None:
        """Drop the candidates that have not been begun."""
        self.stopped = True
        if self._finishes:
            return
        begun = {task.number for task in self._queue.running_tasks()}
        begun |= {number for number, entry in self._open.items() if entry.is_begun}
        self._planner.keep_only(begun)

    def _record_death(self, block: Block, error: WorkerLostError) -> None:
        (task,) = block.tasks
        message = f"The worker process died during this fit. {error}"
        warn_user(f"{message} Parameters: {dict(task.params)!r}.", WorkerDiedWarning)
        if self._spec.error_score == "raise":
            raise error
        if task.prepares:
            self._planner.take_rows(block, message)
            return
        # How long it took is not known.
        evaluation = killed_evaluation(self._spec, block.split, math.nan, message)
        self._record(task.number, block.split, evaluation, None)
