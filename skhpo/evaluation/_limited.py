"""Do the work of workers under limits: each evaluation apart, and none fatal.

What stands here in the place of `run_block` and `run_training` runs in the threads of
this process, which wait for the processes that fit. Candidates share nothing but the
data: the time of a shared step would be counted against whoever comes first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from traceback import format_exception_only
from typing import Any

from skhpo import _clock
from skhpo._registry import Registrations
from skhpo._sklearn_compat import FitHooks, num_samples
from skhpo._trial import Evaluation
from skhpo.evaluation.fitting._block import Keep, _announce, _report
from skhpo.evaluation.fitting._fit import evaluate, killed_evaluation
from skhpo.evaluation.fitting._spec import EvaluationSpec, SlicedSplit
from skhpo.evaluation.fitting._task import Block, BlockResult, Task
from skhpo.evaluation.fitting._verbose import print_end, print_start
from skhpo.evaluation.training._training import (
    Member,
    PrefixTask,
    TrainingPlan,
    TrainingResult,
    run_training,
)
from skhpo.evaluation.workers._context import WorkerContext
from skhpo.evaluation.workers._limits import Limits, limited_memory
from skhpo.evaluation.workers._process import LimitedProcesses
from skhpo.evaluation.workers._workers import Workers, inner_thread_variables
from skhpo.exceptions import FitLostError, FitMemoryError, FitTimeoutError

__all__ = [
    "isolated_evaluation",
    "isolated_training",
    "run_limited_block",
    "run_limited_training",
]

# What is the fault of one evaluation, and costs no other.
OWN_FAULTS = (FitTimeoutError, FitMemoryError, FitLostError)
# How Python says that one exception was raised for another.
CAUSED = (
    "\nThe above exception was the direct cause of the following exception:\n\n"
    "Traceback (most recent call last):\n"
)


# --- in this process ------------------------------------------------------------------


def isolated_evaluation(
    spec: EvaluationSpec, limits: Limits, workers: Workers
) -> LimitedProcesses:
    """Return ``(split, task) -> (evaluation, stop)`` for one candidate on one split.

    Parameters
    ----------
    spec : EvaluationSpec
        What all evaluations share.
    limits : Limits
        For each evaluation.
    workers : Workers
        The threads that will call it.

    Returns
    -------
    LimitedProcesses
        To be entered.
    """
    return _isolated(_Evaluating(_quiet(spec), limits), limits, workers)


def isolated_training(
    spec: EvaluationSpec, plan: TrainingPlan, limits: Limits, workers: Workers
) -> LimitedProcesses:
    """Return ``task -> result`` for one training on one split, in the same way."""
    training = _Training(_quiet(spec), plan, limits, Registrations.capture())
    return _isolated(training, limits, workers)


def _isolated(function: Callable, limits: Limits, workers: Workers) -> LimitedProcesses:
    return LimitedProcesses(
        function,
        limits=limits,
        context=WorkerContext.capture(),
        environment=inner_thread_variables(workers),
    )


def _quiet(spec: EvaluationSpec) -> EvaluationSpec:
    """Return the spec for another process: the lines are printed in this one."""
    return replace(spec, verbose=0)


def run_limited_block(
    isolated: LimitedProcesses,
    spec: EvaluationSpec,
    block: Block,
    keep: Keep | None = None,
) -> BlockResult:
    """Evaluate the candidates of a block, as `run_block` does."""
    start = _clock.now()
    evaluations = []
    for task in block.tasks:
        _announce(spec, block, task)
        begin = time.perf_counter()
        try:
            evaluation, stop = isolated(block.split, task)
        except OWN_FAULTS as error:
            evaluation, stop = _lost(spec, block.split, begin, error), False
        _report(spec, block, task, evaluation, keep)
        evaluations.append(evaluation)
        patience = min(block.time_slice.seconds, block.limit)
        if stop or _clock.now() - start > patience:
            break
    n_fits = len(evaluations) * (len(spec.layout.names) if spec.layout else 1)
    return BlockResult(tuple(evaluations), stop, n_fits, n_fits)


def run_limited_training(
    isolated: LimitedProcesses,
    spec: EvaluationSpec,
    tasks: Sequence[Member | PrefixTask],
) -> list[Any]:
    """Do some trainings one after the other, as `run_training` does."""
    return [
        _prepare(isolated, spec, task)
        if isinstance(task, PrefixTask)
        else _advance(isolated, spec, task)
        for task in tasks
    ]


def _prepare(isolated: LimitedProcesses, spec: EvaluationSpec, task: PrefixTask) -> Any:
    """Fit transformers; return what they made, or what went wrong."""
    try:
        return isolated(task)
    except OWN_FAULTS as error:
        if spec.error_score == "raise":
            raise
        return _line(error)


def _advance(
    isolated: LimitedProcesses, spec: EvaluationSpec, task: Member
) -> TrainingResult:
    """Train a member a bit more and score it."""
    progress = (task.split + 1, len(spec.splits)), (task.number + 1, spec.n_candidates)
    print_start(spec.verbose, *progress, task.params)
    begin = time.perf_counter()
    try:
        result = isolated(task)
    except OWN_FAULTS as error:
        result = TrainingResult(_lost(spec, task.split, begin, error), None)
    print_end(spec.verbose, *progress, task.params, result.evaluation)
    return result


def _lost(
    spec: EvaluationSpec, split: int, begin: float, error: Exception
) -> Evaluation:
    """Return the evaluation of a fit that has not come back; or raise the error."""
    if spec.error_score == "raise":
        raise error
    seconds = time.perf_counter() - begin
    n_test = num_samples(spec.splits[split][1])
    return killed_evaluation(spec, n_test, seconds, _line(error))


def _line(error: Exception) -> str:
    """Return the last line of a traceback, which is all there is of it."""
    return "".join(format_exception_only(error))


# --- in the process of the fit --------------------------------------------------------


@dataclass
class _Evaluating:
    """Evaluates one candidate after the other; the split of the last is at hand."""

    spec: EvaluationSpec
    limits: Limits
    recent: tuple[int, SlicedSplit] | None = None

    def __call__(self, split: int, task: Task) -> tuple[Evaluation, bool]:
        hooks = FitHooks(task.context, self.spec.caller)
        data = self._data(split)
        with limited_memory(self.limits):
            evaluation, stop = evaluate(self.spec, data, task.params, hooks)
        return _explained(evaluation, self.limits), stop

    def _data(self, split: int) -> SlicedSplit:
        """Return the split, sliced: not by who comes first, at their expense."""
        if self.recent is None or self.recent[0] != split:
            self.recent = split, SlicedSplit(self.spec, split, lending=True)
            with suppress(Exception):  # to be raised where it will be handled
                self.recent[1].for_estimator(self.spec.estimator)
        return self.recent[1]


@dataclass
class _Training:
    """Trains one member after the other."""

    spec: EvaluationSpec
    plan: TrainingPlan
    limits: Limits
    registrations: Registrations

    def __call__(self, task: Member | PrefixTask) -> Any:
        self.registrations.adopt()
        if isinstance(task, Member):
            with suppress(Exception):  # to be raised where it will be handled
                self.plan.data(self.spec, task.split)
        with limited_memory(self.limits):
            (result,) = run_training(self.spec, self.plan, [task])
        if not isinstance(result, TrainingResult):
            return result
        return replace(result, evaluation=_explained(result.evaluation, self.limits))


def _explained(evaluation: Evaluation, limits: Limits) -> Evaluation:
    """Name the limit, if the fit ran out of memory."""
    error = evaluation.fit_error
    if error is None or limits.n_bytes is None or "MemoryError" not in error:
        return evaluation
    error = f"{error}{CAUSED}{_line(limits.memory_error())}"
    return replace(evaluation, fit_error=error, ended_from_outside=True)
