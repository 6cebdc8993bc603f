"""Train candidates in chunks of their curves; all others as they always are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from skhpo.evaluation.fitting._chunk import Chunk, chunk_in
from skhpo.evaluation.fitting._layout import StepKey
from skhpo.evaluation.fitting._spec import EvaluationSpec
from skhpo.evaluation.fitting._task import Fitter, Outcome, Task, Work
from skhpo.space._curve import curve_in

__all__ = ["FitInChunks"]


@dataclass(frozen=True, eq=False)
class FitInChunks(Fitter):
    """The fitter of candidates whose resource is the number of iterations so far.

    Parameters
    ----------
    inner : Fitter
        Fits and scores, from the model that a `Chunk` brings.
    """

    inner: Fitter
    continues: ClassVar[bool] = True

    @property
    def n_steps(self) -> int:
        """Fits that a chunk of a candidate takes."""
        return self.inner.n_steps

    def begin(self, spec: EvaluationSpec, split: int, tasks: Sequence[Task]) -> Chunks:
        """Return what evaluates these tasks on a split."""
        return Chunks(self.inner.begin(spec, split, tasks))


def _with_chunk(task: Task) -> Task:
    """Return a task with a chunk in the place of its curve, if it has one."""
    found = curve_in(task.params)
    if found is None:
        return task
    name, curve = found
    last = task.continuation.portions[-1]
    chunk = Chunk(
        last.first_step + last.n_steps,
        low=curve.low,
        step=curve.step,
        whole=curve,
        first=last.first_step,
        state=task.continuation.state,
    )
    # It is its own affair how far an equal candidate is.
    own = (StepKey(-1 - task.number, -1 - task.number),)
    steps = (*task.steps[:-1], *own) if task.steps else ()
    return replace(task, params={**task.params, name: chunk}, steps=steps)


class Chunks:
    """Evaluates tasks on one split, and keeps the models of those that may go on.

    Parameters
    ----------
    work : Work
        Who evaluates them.
    """

    def __init__(self, work: Work) -> None:
        self._work = work

    @property
    def n_fits(self) -> int:
        """Fits of steps that were done."""
        return self._work.n_fits

    @property
    def n_needed(self) -> int:
        """Fits of steps that would have been done without sharing."""
        return self._work.n_needed

    def walk(self, tasks: Sequence[Task]) -> Iterator[Outcome]:
        """Yield the outcomes of tasks, in their order."""
        tasks = [_with_chunk(task) for task in tasks]
        for task, outcome in zip(tasks, self._work.walk(tasks), strict=True):
            yield replace(outcome, state=_state_behind(task, outcome))


def _state_behind(task: Task, outcome: Outcome) -> bytes | None:
    """Return the model of a chunk after which there may be another one."""
    chunk: Any = chunk_in(task.params)
    is_last = chunk is None or chunk.high >= chunk.whole.high
    if is_last or outcome.evaluation.fit_error is not None:
        return None
    return chunk.state_behind()
