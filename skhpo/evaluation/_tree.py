"""Walk the candidates of a block as a tree: what they share is fitted once.

At each step, candidates that agree so far form a group. The group's step is fitted
once and transforms the train and the test part once; the next step goes on from
there. At the last step, each candidate is fitted and scored. One transformed split
is kept per depth, not one per group.

Sharing is exact or it does not happen. A step that draws from NumPy's global random
numbers (``random_state=None``) would draw anew for every candidate, so it is fitted
anew for every candidate. Whoever tries to write into lent data is evaluated alone,
and so is whoever fails in a way that depends on seeing the whole pipeline.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby
from traceback import format_exc
from typing import Any

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils import get_tags

from skhpo._sklearn_compat import FitHooks
from skhpo._trial import Evaluation
from skhpo.evaluation._fit import (
    evaluate,
    exits_are_errors,
    failed_evaluation,
    score,
)
from skhpo.evaluation._layout import Layout
from skhpo.evaluation._lending import copies_by_itself, is_write_refused, lend
from skhpo.evaluation._paths import find_path
from skhpo.evaluation._spec import EvaluationSpec, SlicedSplit, SplitData
from skhpo.evaluation._task import Task

__all__ = ["Outcome", "Tree"]


@dataclass(frozen=True)
class Outcome:
    """The evaluation of one task of a block.

    Parameters
    ----------
    evaluation : Evaluation
        What came of it.
    overhead : float
        Seconds of work that the tasks behind this one would profit from, and that
        has to be done again if the block is cut here.
    n_shared : int
        Number of fits among it.
    divisible : bool, default=True
        Whether the block may be cut here at all.
    """

    evaluation: Evaluation
    overhead: float
    n_shared: int
    divisible: bool = True


@dataclass(frozen=True, eq=False)
class Stage:
    """The data as they stand before a step, and what it took to get there.

    Parameters
    ----------
    X, y : array-like
        The train part, for fitting. (A sampler changes both.)
    X_train, X_test : array-like or None
        The two parts, for scoring. A fitted step may transform the train part in
        another way than while it was fitted; None if it is not scored.
    fit_time, score_time : float
        Seconds, along this path alone.
    n_fits : int
        Number of steps that were fitted along this path.
    """

    X: Any
    y: Any
    X_train: Any
    X_test: Any
    fit_time: float
    score_time: float = 0.0
    n_fits: int = 0

    @property
    def overhead(self) -> float:
        """Seconds that reaching this stage took."""
        return self.fit_time + self.score_time


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted step, and the train part as it left it (unless it is the last)."""

    step: Any
    seconds: float
    X: Any = None
    y: Any = None
    is_on_path: bool = False


@dataclass(frozen=True)
class Failure:
    """A step that raised: by itself, or only because its data are not its own."""

    error: str
    seconds: float
    was_lent: bool


class Tree:
    """Evaluates tasks that are in tree order on one split.

    Parameters
    ----------
    spec : EvaluationSpec
        What all evaluations share.
    layout : Layout
        The steps of the estimator.
    split : int
        Number of the split.
    lending : bool
        Whether there are several candidates, none of which may change the data.

    Attributes
    ----------
    n_fits, n_needed : int
        Fits of steps that were done, and that would have been done without sharing.
    """

    def __init__(
        self, spec: EvaluationSpec, layout: Layout, split: int, *, lending: bool
    ) -> None:
        self._spec = spec
        self._lend = lend if lending else _give
        self._layout = layout
        self._last = len(layout.names) - 1
        self._split = SlicedSplit(spec, split)
        self._data: SplitData = self._split.for_estimator(spec.estimator)
        self.n_fits = 0
        self.n_needed = 0

    def walk(self, tasks: Sequence[Task]) -> Iterator[Outcome]:
        """Evaluate the tasks, in their order."""
        data = self._data
        X_train = data.X_train if self._spec.return_train_score else None
        root = Stage(data.X_train, data.y_train, X_train, data.X_test, data.slice_time)
        yield from self._walk(root, 0, tasks)

    def _walk(
        self, stage: Stage, depth: int, tasks: Sequence[Task]
    ) -> Iterator[Outcome]:
        for _, group in groupby(tasks, key=lambda task: task.steps[depth].group):
            members = list(group)
            step = self._layout.step(depth, members[0].params)
            if not self._is_usable(step, depth):
                yield from self._one_by_one(stage, members)
            elif step is None:
                yield from self._walk(stage, depth + 1, members)
            else:
                yield from self._take(stage, depth, members, step)

    def _is_usable(self, step: Any, depth: int) -> bool:
        """Whether the step does what a pipeline expects of one in its place."""
        if depth == 0 and step is not None and get_tags(step).input_tags.pairwise:
            return False
        if depth == self._last:
            return step is not None
        verbs = ("transform", "fit_transform", "fit_resample")
        return step is None or any(hasattr(step, verb) for verb in verbs)

    def _take(
        self, stage: Stage, depth: int, tasks: list[Task], step: Any
    ) -> Iterator[Outcome]:
        """Take a group through a step, and go on behind it."""
        divisible = True
        for members, fit in self._fit_variants(stage, depth, tasks, step):
            if isinstance(fit, Failure):
                yield from self._fail(stage, members, fit)
            elif depth == self._last:
                # Cutting a path means to walk it again from its beginning.
                divisible = members[-1] is tasks[-1] or not fit.is_on_path
                yield self._finish(stage, members[0], fit, divisible)
            else:
                yield from self._pass_on(stage, depth, members, fit)

    def _pass_on(
        self, stage: Stage, depth: int, tasks: list[Task], fit: Fit
    ) -> Iterator[Outcome]:
        """Transform what is to be scored, and walk on."""
        start = time.perf_counter()
        X_train = X_test = None
        with suppress(Exception), exits_are_errors():
            if stage.X_train is not None:
                X_train = _transform(fit.step, self._lend(stage.X_train))
            start = time.perf_counter()
            X_test = _transform(fit.step, self._lend(stage.X_test))
        if X_test is None:  # a failure of scoring, in a pipeline; let it be that
            yield from self._one_by_one(stage, tasks)
            return
        score_time = time.perf_counter() - start
        behind = Stage(
            fit.X,
            fit.y,
            X_train,
            X_test,
            stage.fit_time + fit.seconds,
            stage.score_time + score_time,
            stage.n_fits + 1,
        )
        yield from self._walk(behind, depth + 1, tasks)

    def _finish(self, stage: Stage, task: Task, fit: Fit, divisible: bool) -> Outcome:
        """Score a candidate by its fitted last step on transformed data."""
        data = replace(
            self._data,
            X_train=self._lend(stage.X_train),
            y_train=self._lend(self._data.y_train),
            X_test=self._lend(stage.X_test),
            y_test=self._lend(self._data.y_test),
        )
        fit_time = stage.fit_time + fit.seconds
        evaluation = None
        with suppress(Exception):
            evaluation = score(self._spec, data, fit.step, fit_time, strict=True)
        if evaluation is None:  # to be raised, or warned of, by the user's own scorer
            return self._alone(stage, task)
        score_time = evaluation.score_time + stage.score_time
        self.n_needed += stage.n_fits + 1
        evaluation = replace(evaluation, score_time=score_time)
        return Outcome(evaluation, stage.overhead, stage.n_fits, divisible)

    def _fail(
        self, stage: Stage, tasks: list[Task], failure: Failure
    ) -> Iterator[Outcome]:
        """What fails a shared step fails all who share it."""
        if failure.was_lent:
            yield from self._one_by_one(stage, tasks)
            return
        n_test = self._data.n_test_samples
        seconds = stage.fit_time + failure.seconds
        for task in tasks:
            evaluation = failed_evaluation(self._spec, n_test, seconds, failure.error)
            self.n_needed += stage.n_fits + 1
            shares_failure = task is not tasks[-1]
            yield Outcome(evaluation, stage.overhead, stage.n_fits + shares_failure)

    def _one_by_one(self, stage: Stage, tasks: Sequence[Task]) -> Iterator[Outcome]:
        for task in tasks:
            yield self._alone(stage, task)

    def _alone(self, stage: Stage, task: Task) -> Outcome:
        """Evaluate a candidate as if there were no other."""
        n_steps = len(self._layout.names)
        self.n_fits += n_steps
        self.n_needed += n_steps
        own = self._split.own()
        evaluation, _ = evaluate(self._spec, own, task.params, FitHooks())
        return Outcome(evaluation, stage.overhead, stage.n_fits)

    def _fit_variants(
        self, stage: Stage, depth: int, tasks: list[Task], step: Any
    ) -> Iterator[tuple[list[Task], Fit | Failure]]:
        """Fit a step for a group: along a path where there is one, else one by one."""
        variants = [
            list(members)
            for _, members in groupby(tasks, key=lambda task: task.steps[depth].variant)
        ]
        if len(variants) == 1:
            yield from self._fit_members(stage, depth, tasks, step)
            return
        n_done = 0
        if len(variants) > 1:
            values = [members[0].steps[depth].value for members in variants]
            for fit in self._fit_path(stage, depth, step, values):
                yield variants[n_done], fit
                n_done += 1
        for members in variants[n_done:]:
            yield from self._fit_members(stage, depth, members)

    def _fit_path(
        self, stage: Stage, depth: int, step: Any, values: list[Any]
    ) -> Iterator[Fit]:
        """Fit once for many values; stops where a fit for each value must take over."""
        path = find_path(step)
        X, y = self._lend(stage.X), self._lend(stage.y)
        is_last = depth == self._last
        if path is None or not path.applies(step, values, X, y):
            return
        if not is_last and not _fits_then_transforms(step):
            return
        self.n_fits += 1
        try:
            for fitted, seconds in path.fit(step, values, X, y):
                start = time.perf_counter()
                X_after = None if is_last else fitted.transform(self._lend(stage.X))
                seconds += time.perf_counter() - start
                yield Fit(fitted, seconds, X_after, stage.y, is_on_path=True)
        except (Exception, SystemExit):  # whose fault will be seen without the path
            return

    def _fit_members(
        self, stage: Stage, depth: int, tasks: list[Task], step: Any = None
    ) -> Iterator[tuple[list[Task], Fit | Failure]]:
        """Fit a step for tasks that agree in it: once, unless it is left to chance."""
        if len(tasks) == 1:  # nobody to share with: spare the look at the numbers
            yield tasks, self._fit(stage, depth, tasks[0], step)
            return
        numbers = _GlobalNumbers()
        fit = self._fit(stage, depth, tasks[0], step)
        if not numbers.were_drawn():
            yield tasks, fit
            return
        yield tasks[:1], fit
        for task in tasks[1:]:
            yield [task], self._fit(stage, depth, task)

    def _fit(
        self, stage: Stage, depth: int, task: Task, step: Any = None
    ) -> Fit | Failure:
        if step is None:
            step = self._layout.step(depth, task.params)
        fit = self._fit_last if depth == self._last else _fit_transform
        self.n_fits += 1
        start = time.perf_counter()
        try:
            X = stage.X if copies_by_itself(step) else self._lend(stage.X)
            with exits_are_errors():
                X, y = fit(step, X, self._lend(stage.y))
        except Exception as error:
            was_lent = is_write_refused(error)
            if self._spec.error_score == "raise" and not was_lent:
                raise
            return Failure(format_exc(), time.perf_counter() - start, was_lent)
        return Fit(step, time.perf_counter() - start, X, y)

    def _fit_last(self, step: Any, X: Any, y: Any) -> tuple[None, None]:
        if y is None and self._last == 0:  # no pipeline, which would pass the None
            step.fit(X)
        else:
            step.fit(X, y)
        return None, None


def _give(X: Any) -> Any:
    """Return data for a fit that is the only one to use it."""
    return X


def _fit_transform(step: Any, X: Any, y: Any) -> tuple[Any, Any]:
    """Fit a step and let it change the train part, as a pipeline does."""
    if hasattr(step, "fit_transform"):
        return step.fit_transform(X, y), y
    if hasattr(step, "transform"):
        return step.fit(X, y).transform(X), y
    return step.fit_resample(X, y)


def _transform(step: Any, X: Any) -> Any:
    """Transform data that are scored; samplers leave them alone."""
    return step.transform(X) if hasattr(step, "transform") else X


def _fits_then_transforms(step: Any) -> bool:
    """Whether ``fit_transform`` is nothing but that; not so for many transformers."""
    return getattr(type(step), "fit_transform", None) is TransformerMixin.fit_transform


class _GlobalNumbers:
    """Notices whether NumPy's global random numbers are drawn from."""

    def __init__(self) -> None:
        self._before = self._state()

    def were_drawn(self) -> bool:
        """Whether somebody has drawn since this object was made."""
        return self._state() != self._before

    def _state(self) -> tuple[Any, ...]:
        # The position alone does not tell: every second normal number is kept ready.
        _, keys, *others = np.random.get_state()  # noqa: NPY002 - it is about it
        return np.asarray(keys).tobytes(), *others
