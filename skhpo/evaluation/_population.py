"""Trains a population generation by generation, on the workers of a joblib backend.

Has the methods of `Evaluator`: candidates go in by `add`, and come out of `next`, here
always a whole generation at once. The states of the members stay in this process, as
bytes: a worker that dies takes nothing along but its task, which is done again.
"""

from __future__ import annotations

import math
import pickle
import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any

from sklearn.pipeline import Pipeline

from skhpo._keys import params_key, structural_key
from skhpo._registry import Registrations
from skhpo._sklearn_compat import num_samples
from skhpo._trial import Candidate, Evaluation, Params
from skhpo.evaluation._grouping import group_tasks
from skhpo.evaluation._memory import GenerationMemory
from skhpo.evaluation.fitting._fit import killed_evaluation
from skhpo.evaluation.fitting._spec import EvaluationSpec
from skhpo.evaluation.training._parts import take_apart
from skhpo.evaluation.training._training import (
    Member,
    PrefixTask,
    Prepared,
    TrainingPlan,
    TrainingResult,
    run_packed_training,
    run_training,
)
from skhpo.evaluation.workers._context import WorkerContext
from skhpo.evaluation.workers._limits import Limits
from skhpo.evaluation.workers._shipping import Package, dumps
from skhpo.evaluation.workers._workers import (
    OutOfTimeError,
    WorkerLostError,
    Workers,
    limited_inner_threads,
)
from skhpo.exceptions import JournalWarning, WorkerDiedWarning

__all__ = ["PopulationEvaluator"]


@dataclass(frozen=True)
class State:
    """What a trial left behind: a model per split, and what they stand on.

    Parameters
    ----------
    models : tuple of bytes or None
        Pickled models; None where it failed.
    params : mapping of str to object
        Parameters they were trained with at last.
    n_steps : int
        Training steps behind them.
    prefix : hashable or None
        Key of the parameters of their transformers.
    """

    models: tuple[bytes | None, ...]
    params: Params
    n_steps: int
    prefix: Hashable


@dataclass(frozen=True)
class Kept:
    """What the memory keeps of the last generations: their states and transformers.

    Parameters
    ----------
    states : dict of int to State
        By the ids of the trials.
    prefixes : dict of (hashable, int) to Pipeline
        Fitted transformers by their key and the split, if the models are to be used.
    """

    states: dict[int, State]
    prefixes: dict[tuple[Hashable, int], Pipeline]


class PopulationEvaluator:
    """Trains and scores the members of a population on all splits.

    Used as a context manager, from one thread.

    Parameters
    ----------
    spec : EvaluationSpec
        What all evaluations share.
    plan : TrainingPlan
        What all trainings share.
    n_jobs : int or None
        As in joblib.
    pre_dispatch : int or str
        As in joblib.
    memory : GenerationMemory or None, default=None
        Generations that were trained before, and are not trained again.
    remaining : callable or None, default=None
        Returns the seconds that are left; None for no limit.
    make_context : callable or None, default=None
        As for `Evaluator`.
    limits : Limits or None, default=None
        What a training, on one split and for one generation, may use.
    keep_models : bool, default=False
        Whether `model` will be asked for a trial, at the end. It may be one of the
        generation before the last, if the last one has no scores.

    Attributes
    ----------
    plan : TrainingPlan
        As given.
    n_fits, n_needed : int
        Numbers of trainings, and of fits of transformers: those done, and those that
        members would need that share nothing.
    stopped : bool
        Whether a callback asked to begin no further generation.
    out_of_time : bool
        Whether no seconds were left. The generation that was trained is given up.
    """

    def __init__(
        self,
        spec: EvaluationSpec,
        plan: TrainingPlan,
        *,
        n_jobs: int | None,
        pre_dispatch: int | str,
        memory: GenerationMemory | None = None,
        remaining: Callable[[], float] | None = None,
        make_context: Callable[..., Any] | None = None,
        limits: Limits | None = None,
        keep_models: bool = False,
    ) -> None:
        self._spec = spec
        self.plan = plan
        self._n_splits = len(spec.splits)
        self._memory = memory
        self._remaining = remaining or (lambda: math.inf)
        self._workers = Workers(n_jobs, pre_dispatch, as_threads=limits is not None)
        self._limits = limits
        self._make_context = make_context
        self._keep_models = keep_models
        self._generation: list[Candidate] = []
        self._states: dict[int, State] = {}
        self._prepared: dict[tuple[Hashable, int], Prepared | str] = {}
        self._prefixes: dict[tuple[Hashable, int], Pipeline] = {}  # from the memory
        seed = plan.seed.entropy, plan.seed.spawn_key
        self._keys = [repr((seed, plan.resource, plan.batch_size))]  # in the memory
        self._warned: set[str] = set()
        self._remembered: list[list[Candidate]] = []  # not trained in this process
        self._task_seconds = math.inf  # of one member on one split; unknown at first
        self._exit = ExitStack()
        self._has_scores = False  # whether a member of the last generation has all
        self.n_fits = self.n_needed = 0
        self.stopped = self.out_of_time = False

    def __enter__(self) -> PopulationEvaluator:
        with ExitStack() as stack:  # what has been entered is left if the rest fails
            stack.enter_context(self._workers)
            stack.enter_context(limited_inner_threads(self._workers))
            self._run, self._before, self._after = self._shared_arguments(stack)
            self._exit = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._exit:
            if kind is None and self._keep_models:
                self._get_models()

    def _shared_arguments(
        self, stack: ExitStack
    ) -> tuple[Callable[..., list[Any]], tuple, tuple]:
        """Return the function of all tasks, its arguments before and after them."""
        shared = (self._spec, self.plan)
        if self._limits is not None:
            from skhpo.evaluation._limited import (
                isolated_training,
                run_limited_training,
            )

            isolated = isolated_training(*shared, self._limits, self._workers)
            stack.enter_context(isolated)
            return run_limited_training, (isolated, self._spec), ()
        if self._workers.are_here:
            return run_training, shared, ()
        context = WorkerContext.capture()
        if self._workers.share_memory:
            return run_training, shared, (context.config,)
        self._workers.share(*Package((*shared, Registrations.capture())).parts)
        return run_packed_training, (), (context,)

    def add(self, candidates: Sequence[Candidate]) -> None:
        """Queue members of the next generation."""
        self._generation.extend(candidates)

    def next(self) -> list[tuple[Candidate, list[Evaluation]]]:
        """Train the generation that was added; return all its members.

        Returns
        -------
        list of (Candidate, list of Evaluation)
            One evaluation per split; empty if no member was added, or if there was no
            time for all of them.
        """
        if not self._generation:
            return []
        generation = list(self._generation)
        try:
            evaluations = self._look_up(generation) or self._train_anew(generation)
        except OutOfTimeError:
            self.out_of_time = True
            return []
        self._generation.clear()  # not if it was interrupted
        rows = [evaluations[c.id] for c in generation]
        self._has_scores = any(all(map(_has_scores, row)) for row in rows)
        return list(zip(generation, rows, strict=True))

    def running(self) -> list[Any]:
        """Return nothing: a generation is one piece of work.

        Returns
        -------
        list
            Empty.
        """
        return []

    def _train_anew(self, generation: list[Candidate]) -> dict[int, list[Evaluation]]:
        """Train a generation, and remember it."""
        if self._remembered:
            self._restore(self._keys[-2])
            self._prepare_again()
        results = self._train(generation)
        evaluations = {id: [r.evaluation for r in row] for id, row in results.items()}
        if self._memory is not None:
            self._memory.keep(self._keys[-1], generation, evaluations, self._kept())
        return evaluations

    def _look_up(
        self, generation: list[Candidate]
    ) -> Mapping[int, list[Evaluation]] | None:
        """Return the evaluations of a generation that was trained before."""
        if self._memory is None:
            return None
        self._keys.append(self._memory.key(self._keys[-1], generation))
        known = self._memory.known(self._keys[-1], generation, self._n_splits)
        if known is not None:
            self._remembered.append(generation)
            born = [c for c in generation if c.resume_from is None]
            n_prefixes = sum(self._prefix_key(c) is not None for c in born)
            self.n_needed += (len(generation) + n_prefixes) * self._n_splits
        return known

    def _kept(self) -> bytes | None:
        """Return what another process needs to go on from here, None if that fails."""
        prefixes = {}
        if self._keep_models:
            for place, prepared in self._prepared.items():
                if isinstance(prepared, Prepared):
                    prefixes[place] = prepared.prefix
        try:
            return dumps(Kept(self._states, prefixes))
        except Exception as error:
            self._warn(f"The journal cannot keep the models of this search: {error}")
            return None

    def _restore(self, key: str, n_generations: int = 1) -> None:
        """Get back the models of the last generations, which were not trained here."""
        kept = self._find_kept(key, n_generations)
        if kept is None:
            self._train_again()
        else:
            self._states = self._with_own_values(kept.states)
            self._prefixes = kept.prefixes
        self._remembered = []

    def _with_own_values(self, states: Mapping[int, State]) -> dict[int, State]:
        """Return states with the parameter values of this search.

        Values that are known by identity are others after pickling, and would count as
        changed.
        """
        generations = self._remembered
        own = {c.id: c.params for generation in generations for c in generation}
        return {id: replace(state, params=own[id]) for id, state in states.items()}

    def _find_kept(self, key: str, n_generations: int) -> Kept | None:
        """Return models that the memory has; warn if it has them no more."""
        assert self._memory is not None, "without one, all generations are trained"
        n = len(self._remembered)
        reason = "are not in the journal any more, or damaged"  # it keeps the last ones
        try:
            kept = pickle.loads(self._memory.states(key) or pickle.dumps(None))
        except Exception as error:  # of a class that is another one by now
            kept = None
            reason = f"cannot be unpickled ({type(error).__name__}: {error})"
        wanted = min(n, n_generations) * len(self._remembered[-1])
        if isinstance(kept, Kept) and len(kept.states) >= wanted:
            return kept
        self._warn(
            f"The models of generation {n - min(n, n_generations)} {reason}: all {n} "
            "generations are trained once more. Their scores are those in the journal."
        )
        return None

    def _warn(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            warnings.warn(message, JournalWarning, stacklevel=2)

    def _prepare_again(self) -> None:
        """Have the transformers, and what they made, that restored models stand on."""
        needed = self.n_needed  # which has counted them
        lacking = {
            id: state
            for id, state in self._states.items()
            if state.prefix is not None and (state.prefix, 0) not in self._prepared
        }
        newborn = [Candidate(id, state.params) for id, state in lacking.items()]
        self._prepare(newborn, {id: state.prefix for id, state in lacking.items()})
        self.n_needed = needed

    def _train_again(self) -> None:
        """Train the generations that the memory knows, for their models."""
        needed = self.n_needed  # which has counted them
        for generation in self._remembered:
            self._train(generation)
        self.n_needed = needed

    def _get_models(self) -> None:
        """Have the models of the last generation here, as long as there are workers."""
        if not self._remembered:
            return
        self._remaining = lambda: math.inf  # for the last fit there is always time
        if self._workers.n_pending:  # of what was interrupted
            self._workers.restart()
        self._restore(self._keys[-1], 1 if self._has_scores else 2)
        places = {(state.prefix, 0) for state in self._states.values()}
        if not places <= self._prefixes.keys() | {(None, 0)}:
            self._prepare_again()

    def model(self, number: int, split: int = 0) -> Any:
        """Return the fitted estimator of a trial, after the end; see `keep_models`.

        Raises
        ------
        ValueError
            If it failed, and so has no model.
        """
        state = self._states[number]
        blob = state.models[split]
        if blob is None:
            raise ValueError(
                f"The member in row {number} has failed and left no model: it is the "
                f"best one because of error_score={self._spec.error_score!r}. Give a "
                "lower error_score, or NaN."
            )
        place = state.prefix, split
        prepared = self._prepared.get(place)
        prefix = self._prefixes.get(place)
        if isinstance(prepared, Prepared):
            prefix = prepared.prefix
        parts = take_apart(self._spec.estimator, resource=self.plan.resource)
        return parts.assemble(prefix, pickle.loads(blob))

    def _train(self, generation: list[Candidate]) -> dict[int, list[TrainingResult]]:
        """Train all members on all splits; keep their states."""
        keys = {c.id: self._prefix_key(c) for c in generation}
        self._prepare(generation, keys)
        # By split, so that a worker cuts the data once for the members of a task.
        tasks = [
            self._member(candidate, split, keys[candidate.id])
            for split in range(self._n_splits)
            for candidate in generation
        ]
        results: dict[int, list[TrainingResult]] = {c.id: [] for c in generation}
        self.n_fits += len(tasks)
        self.n_needed += len(tasks)
        done = self._do(tasks)
        for task, result in zip(tasks, done, strict=True):
            results[task.number].append(result)
        self._keep_states(generation, results, keys)
        return results

    def _keep_states(
        self,
        generation: Sequence[Candidate],
        results: Mapping[int, Sequence[TrainingResult]],
        keys: Mapping[int, Hashable],
    ) -> None:
        """Put the states of this generation in the place of the last one's."""
        first, size = generation[0].id, len(generation)
        last = {id: state for id, state in self._states.items() if id >= first - size}
        self._states = (last if self._keep_models else {}) | {
            candidate.id: State(
                tuple(result.state for result in results[candidate.id]),
                candidate.params,
                self._steps_before(candidate) + (candidate.n_resources or 0),
                keys[candidate.id],
            )
            for candidate in generation
        }
        alive = {state.prefix for state in self._states.values()}
        self._prepared = {k: v for k, v in self._prepared.items() if k[0] in alive}
        seconds = [r.evaluation.fit_time for row in results.values() for r in row]
        known = [s for s in seconds if not math.isnan(s)]  # of who did not die
        self._task_seconds = math.fsum(known) / len(known) if known else math.inf

    def _steps_before(self, candidate: Candidate) -> int:
        parent = candidate.resume_from
        return 0 if parent is None else self._states[parent].n_steps

    # --- transformers -----------------------------------------------------------------

    def _prefix_key(self, candidate: Candidate) -> Hashable:
        """Return what tells the transformers of a candidate; None if it has none."""
        if candidate.resume_from is not None:
            return self._states[candidate.resume_from].prefix
        parts = take_apart(self._spec.estimator, candidate.params, self.plan.resource)
        if parts.prefix is None:
            return None
        own = f"{parts.name}__"
        params = candidate.params.items()
        return params_key({n: v for n, v in params if not n.startswith(own)})

    def _prepare(
        self, generation: Sequence[Candidate], keys: Mapping[int, Hashable]
    ) -> None:
        """Fit the transformers of newborn members, each distinct one once per split."""
        tasks: dict[tuple[Hashable, int], PrefixTask] = {}
        for candidate in generation:
            key = keys[candidate.id]
            if key is None or candidate.resume_from is not None:
                continue
            for split in range(self._n_splits):
                task = PrefixTask(split, candidate.params)
                tasks.setdefault((key, split), task)
            self.n_needed += self._n_splits
        self.n_fits += len(tasks)
        done = self._do(list(tasks.values()))
        self._prepared.update(zip(tasks, done, strict=True))

    def _member(self, candidate: Candidate, split: int, key: Hashable) -> Member:
        state, changes = None, {}
        if candidate.resume_from is not None:
            parent = self._states[candidate.resume_from]
            state = parent.models[split]
            assert state is not None, "nobody continues from a failed trial"
            changes = {
                name: value
                for name, value in candidate.params.items()
                if structural_key(value) != structural_key(parent.params[name])
            }
        context = None
        if self._make_context is not None:
            task_id = candidate.id * self._n_splits + split
            slim = self._limits is not None or not self._workers.share_memory
            context = self._make_context(task_id, slim=slim)
        return Member(
            candidate.id,
            split,
            candidate.params,
            changes,
            self._steps_before(candidate),
            candidate.n_resources or 0,
            state,
            self._prepared.get((key, split)),
            context,
        )

    # --- workers ----------------------------------------------------------------------

    def _do(self, tasks: Sequence[Any]) -> list[Any]:
        """Do tasks on the workers; return their results in the same order.

        The death of a worker may take all running tasks with it. Each of them is done
        again, alone; the one that kills its worker again has failed.
        """
        results: list[Any] = [None] * len(tasks)
        waiting = self._chunks(tasks)[::-1]
        suspects: list[int] = []
        running: dict[int, list[int]] = {}
        while waiting or suspects or running:
            while waiting and len(running) < self._workers.capacity and not suspects:
                chunk = waiting.pop()
                try:
                    running[self._submit([tasks[i] for i in chunk])] = chunk
                except WorkerLostError:  # as `fetch` will tell of those that run
                    waiting.append(chunk)
                    break
            alone = bool(suspects) and not running
            if alone:
                index = suspects.pop()
                running[self._submit([tasks[index]])] = [index]
            if self._remaining() <= 0:
                raise OutOfTimeError
            try:
                number, done = self._workers.fetch(self._remaining())
            except WorkerLostError as error:
                numbers = self._workers.recover(error)
                lost = [index for n in numbers for index in running.pop(n)]
                if alone:
                    results[lost[0]] = self._died(tasks[lost[0]], error)
                else:
                    suspects.extend(lost)
                continue
            for index, result in zip(running.pop(number), done, strict=True):
                results[index] = result
                self.stopped |= getattr(result, "stop", False)
        return results

    def _submit(self, tasks: Sequence[Any]) -> int:
        return self._workers.submit(self._run, *self._before, tasks, *self._after)

    def _chunks(self, tasks: Sequence[Any]) -> list[list[int]]:
        n_workers = self._workers.n_workers
        if n_workers == 1 and self._remaining() == math.inf:
            return [list(range(len(tasks)))] if tasks else []
        return group_tasks(len(tasks), n_workers, self._task_seconds)

    def _died(self, task: Any, error: WorkerLostError) -> Any:
        """Return the result of a task that killed its worker, when it was alone."""
        message = f"The worker process died during this fit. {error}"
        warnings.warn(
            f"{message} Parameters: {dict(task.params)!r}.",
            WorkerDiedWarning,
            stacklevel=2,
        )
        if self._spec.error_score == "raise":
            raise error
        if isinstance(task, PrefixTask):
            return message
        n_test = num_samples(self._spec.splits[task.split][1])
        evaluation = killed_evaluation(self._spec, n_test, math.nan, message)
        return TrainingResult(evaluation, None)


def _has_scores(evaluation: Evaluation) -> bool:
    scores = evaluation.test_scores
    values = scores.values() if isinstance(scores, dict) else [scores]
    return evaluation.fit_error is None and not any(map(math.isnan, values))
