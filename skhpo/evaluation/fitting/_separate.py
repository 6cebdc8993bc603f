"""Evaluate candidates one by one: they have nothing but the data in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from skhpo._sklearn_compat import FitHooks
from skhpo.evaluation.fitting._fit import evaluate
from skhpo.evaluation.fitting._spec import EvaluationSpec, SlicedSplit
from skhpo.evaluation.fitting._stages import n_fits_of
from skhpo.evaluation.fitting._task import Fitter, Outcome, Task

__all__ = ["FitAlone", "Separate"]


@dataclass(frozen=True)
class FitAlone(Fitter):
    """The fitter of candidates that share no fits.

    Parameters
    ----------
    n_steps : int, default=1
        Number of steps of the estimator, to be counted.
    always_lends : bool, default=False
        Whether further blocks get the same rows, so that the first one must not
        change them, even if it has one task only.
    """

    n_steps: int = 1
    always_lends: bool = False

    def begin(
        self, spec: EvaluationSpec, split: int, tasks: Sequence[Task]
    ) -> Separate:
        """Return what evaluates these tasks on a split."""
        lending = self.always_lends or len(tasks) > 1
        n_rows = tasks[0].n_rows(spec)  # so it is with all others
        rows = SlicedSplit(spec, split, lending=lending, n_rows=n_rows)
        if self.always_lends:
            with suppress(Exception):  # to be raised where it will be handled
                rows.for_estimator(spec.estimator)  # not at the expense of the first
        return Separate(spec, rows, self.n_steps)


class Separate:
    """Evaluates candidates on one split, which is sliced once.

    Parameters
    ----------
    spec : EvaluationSpec
        What all evaluations share.
    rows : SlicedSplit
        The split.
    n_steps : int
        Number of fits to count for each.
    """

    def __init__(self, spec: EvaluationSpec, rows: SlicedSplit, n_steps: int) -> None:
        self._spec = spec
        self._rows = rows
        self._n_steps = n_steps
        self.n_fits = self.n_needed = 0

    def walk(self, tasks: Sequence[Task]) -> Iterator[Outcome]:
        """Yield the outcomes of tasks, in their order."""
        for task in tasks:
            hooks = FitHooks(task.context, self._spec.caller)
            evaluation, stop = evaluate(self._spec, self._rows, task.params, hooks)
            n_fits = self._n_steps * n_fits_of(self._spec, task.params)
            self.n_fits += n_fits
            self.n_needed += n_fits
            yield Outcome(evaluation, self._rows.slice_time, stop=stop)
