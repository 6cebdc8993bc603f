"""Do tasks under limits of time and memory: each evaluation apart, and none fatal.

The fitter here runs in threads of this process, which wait for the processes that fit.
Candidates share nothing but the data: the time of a shared step would be counted
against the candidate that comes first.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from traceback import format_exception_only
from typing import Any

from skhpo._registry import Registrations
from skhpo._trial import Evaluation
from skhpo.evaluation.fitting._fit import killed_evaluation
from skhpo.evaluation.fitting._spec import EvaluationSpec
from skhpo.evaluation.fitting._task import Fitter, Outcome, Task, Work
from skhpo.evaluation.workers._context import WorkerContext
from skhpo.evaluation.workers._limits import Limits, limited_memory
from skhpo.evaluation.workers._process import LimitedProcesses
from skhpo.evaluation.workers._workers import Workers, inner_thread_variables
from skhpo.exceptions import FitLostError, FitMemoryError, FitTimeoutError

__all__ = ["FitLimited", "limited_processes"]

# What is the fault of one evaluation, and costs no other.
OWN_FAULTS = (FitTimeoutError, FitMemoryError, FitLostError)
# How Python says that one exception was raised for another.
CAUSED = (
    "\nThe above exception was the direct cause of the following exception:\n\n"
    "Traceback (most recent call last):\n"
)


# --- in this process ------------------------------------------------------------------


def limited_processes(
    spec: EvaluationSpec, registrations: Registrations, limits: Limits, workers: Workers
) -> LimitedProcesses:
    """Return ``(split, task) -> result`` for one task on one split.

    Parameters
    ----------
    spec : EvaluationSpec
        What all evaluations share.
    registrations : Registrations
        What was registered in this process.
    limits : Limits
        For each task.
    workers : Workers
        The threads that will call it.

    Returns
    -------
    LimitedProcesses
        To be entered.
    """
    quiet = replace(spec, verbose=0)  # the lines are printed in this process
    return LimitedProcesses(
        _OneByOne(quiet, limits, registrations),
        limits=limits,
        context=WorkerContext.capture(),
        environment=inner_thread_variables(workers),
    )


@dataclass(frozen=True, eq=False)
class FitLimited(Fitter):
    """The fitter of candidates that are fitted by another one, in processes apart.

    Parameters
    ----------
    processes : LimitedProcesses
        In which the other one fits.
    n_steps : int, default=1
        Fits that a candidate takes there.
    """

    processes: LimitedProcesses
    n_steps: int = 1

    def begin(self, spec: EvaluationSpec, split: int, tasks: Sequence[Task]) -> Work:
        """Return what has these tasks done on a split."""
        return _Isolating(self.processes, spec, split)

    def prepare(self, spec: EvaluationSpec, split: int, task: Task) -> Any:
        """Fit transformers; return what they made, or what went wrong."""
        try:
            return self.processes(split, task)
        except OWN_FAULTS as error:
            if spec.error_score == "raise":
                raise
            return _line(error)


class _Isolating:
    """Has tasks done in other processes."""

    def __init__(
        self, processes: LimitedProcesses, spec: EvaluationSpec, split: int
    ) -> None:
        self._processes = processes
        self._spec = spec
        self._split = split
        self.n_fits = self.n_needed = 0

    def walk(self, tasks: Sequence[Task]) -> Iterator[Outcome]:
        """Yield the outcomes of tasks, in their order."""
        for task in tasks:
            begin = time.perf_counter()
            try:
                outcome, n_fits, n_needed = self._processes(self._split, task)
            except OWN_FAULTS as error:
                outcome = Outcome(_lost(self._spec, self._split, begin, error))
                n_fits = n_needed = self._spec.fitter.n_steps
            self.n_fits += n_fits
            self.n_needed += n_needed
            yield replace(outcome, overhead=0.0)  # the rows stay where they are


def _lost(
    spec: EvaluationSpec, split: int, begin: float, error: Exception
) -> Evaluation:
    """Return the evaluation of a fit that has not come back; or raise the error."""
    if spec.error_score == "raise":
        raise error
    seconds = time.perf_counter() - begin
    return killed_evaluation(spec, split, seconds, _line(error))


def _line(error: Exception) -> str:
    """Return the last line of a traceback, which is all there is of it."""
    return "".join(format_exception_only(error))


# --- in the process of the fit --------------------------------------------------------


@dataclass
class _OneByOne:
    """Does one task after the other; the split of the last one is at hand."""

    spec: EvaluationSpec
    limits: Limits
    registrations: Registrations
    recent: tuple[tuple[int, int | None], Work] | None = None

    def __call__(self, split: int, task: Task) -> Any:
        self.registrations.adopt()
        if task.prepares:
            with limited_memory(self.limits):
                return self.spec.fitter.prepare(self.spec, split, task)
        work = self._work(split, task)
        before = work.n_fits, work.n_needed
        with limited_memory(self.limits):
            outcome = next(work.walk([task]))
        evaluation = _explained(outcome.evaluation, self.limits)
        counts = work.n_fits - before[0], work.n_needed - before[1]
        return replace(outcome, evaluation=evaluation), *counts

    def _work(self, split: int, task: Task) -> Work:
        """Return what evaluates on a split; its rows are at hand, and cost no time."""
        rows = split, task.n_rows(self.spec)
        if self.recent is None or self.recent[0] != rows:
            self.recent = rows, self.spec.fitter.begin(self.spec, split, [task])
        return self.recent[1]


def _explained(evaluation: Evaluation, limits: Limits) -> Evaluation:
    """Name the limit, if the fit ran out of memory."""
    error = evaluation.fit_error
    if error is None or limits.n_bytes is None or "MemoryError" not in error:
        return evaluation
    error = f"{error}{CAUSED}{_line(limits.memory_error())}"
    return replace(evaluation, fit_error=error, ended_from_outside=True)
