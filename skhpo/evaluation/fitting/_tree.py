"""Walk the candidates of a block as a tree: what they share is fitted once.

At each step, candidates that agree so far form a group. The group's step is fitted
once and transforms the train and the test part once; the next step goes on from
there. At the last step, each candidate is fitted and scored. One transformed split
is kept per depth, not one per group.

Sharing is exact or it does not happen: `_step_fits.py` says when a fit of a step is one
for all. What writes into the data that it is given is evaluated candidate by candidate,
and so is what fails in a way that depends on seeing the whole pipeline.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from sklearn.utils import get_tags

from skhpo._sklearn_compat import FitHooks
from skhpo._trial import Evaluation
from skhpo.evaluation.fitting._fit import (
    evaluate,
    failed_evaluation,
    score,
    score_lent,
)
from skhpo.evaluation.fitting._layout import Layout, find_layout
from skhpo.evaluation.fitting._lending import identical, lend, private, unchanged
from skhpo.evaluation.fitting._separate import FitAlone
from skhpo.evaluation.fitting._spec import (
    Access,
    EvaluationSpec,
    SlicedSplit,
    SplitData,
)
from skhpo.evaluation.fitting._stages import Plan, make_plan, n_fits_of
from skhpo.evaluation.fitting._step_fits import Failure, Fit, Node, StepFits
from skhpo.evaluation.fitting._task import Fitter, Outcome, Task, Work

__all__ = ["FitTree", "Tree", "choose_fitter"]


@dataclass(frozen=True, eq=False)
class FitTree(Fitter):
    """The fitter of candidates that may share the fits of their first steps.

    Parameters
    ----------
    layout : Layout
        The steps of the estimator.
    """

    layout: Layout

    @property
    def n_steps(self) -> int:
        """Fits that a candidate takes which shares none."""
        return len(self.layout.names)

    def begin(self, spec: EvaluationSpec, split: int, tasks: Sequence[Task]) -> Work:
        """Return what evaluates these tasks on a split."""
        if not tasks[0].steps:  # so it is with all others
            return FitAlone(self.n_steps).begin(spec, split, tasks)
        n_rows = tasks[0].n_rows(spec)
        return Tree(spec, self.layout, split, lending=len(tasks) > 1, n_rows=n_rows)


def choose_fitter(
    spec: EvaluationSpec, *, shares: bool, always_lends: bool
) -> FitAlone | FitTree:
    """Return the fitter of candidates that are fitted at once.

    Parameters
    ----------
    spec : EvaluationSpec
        What all evaluations share.
    shares : bool
        Whether candidates may share steps, where that is exact.
    always_lends : bool
        See `FitAlone`.
    """
    layout = find_layout(spec)
    if layout is None or not shares:
        n_steps = len(layout.names) if layout else 1
        return FitAlone(n_steps, always_lends=always_lends)
    return FitTree(layout)


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
    n_rows : int or None, default=None
        How many of all rows the train part stands for; None for all.
    """

    def __init__(
        self,
        spec: EvaluationSpec,
        layout: Layout,
        split: int,
        *,
        lending: bool,
        n_rows: int | None = None,
    ) -> None:
        self._spec = spec
        self._lending = lending
        self._layout = layout
        self._last = len(layout.names) - 1
        self._split = SlicedSplit(spec, split, lending=lending, n_rows=n_rows)
        take = self._split.sliced if lending else self._split.for_estimator
        self._data: SplitData = take(spec.estimator)
        self._fits = StepFits(layout, lending=lending, repeated=spec.repeated)
        self._counted: set[int] = set()
        self._n_alone = 0
        self.n_needed = 0

    @property
    def n_fits(self) -> int:
        """Fits of steps on which the outcomes so far rest.

        What was tried again on other data counts once.
        """
        return len(self._counted) + self._n_alone

    def walk(self, tasks: Sequence[Task]) -> Iterator[Outcome]:
        """Evaluate the tasks, in their order."""
        if not self._lending and not self._spec.knows(tasks[0].params):
            return self._one_by_one(self._root, tasks)  # nothing to share, then
        return self._walk(self._root, 0, tasks)

    @property
    def _root(self) -> Node:
        data = self._data
        X_train = data.X_train if self._spec.return_train_score else None
        return Node(data.X_train, data.y_train, X_train, data.X_test, data.slice_time)

    def _walk(self, node: Node, depth: int, tasks: Sequence[Task]) -> Iterator[Outcome]:
        for _, group in groupby(tasks, key=lambda task: task.steps[depth].group):
            members = list(group)
            step = self._layout.step(depth, members[0].params)
            if not self._is_usable(step, depth):
                yield from self._one_by_one(node, members)
            elif step is None:
                yield from self._walk(node, depth + 1, members)
            else:
                yield from self._take(node, depth, members, step)

    def _is_usable(self, step: Any, depth: int) -> bool:
        """Whether the step does what a pipeline expects of one in its place."""
        if depth == 0 and step is not None and get_tags(step).input_tags.pairwise:
            return False
        if depth == self._last:
            return step is not None
        verbs = ("transform", "fit_transform", "fit_resample")
        return step is None or any(hasattr(step, verb) for verb in verbs)

    def _take(
        self, node: Node, depth: int, tasks: list[Task], step: Any
    ) -> Iterator[Outcome]:
        """Take a group through a step, and go on behind it."""
        divisible = True
        for members, fit in self._fits.of_group(node, depth, tasks, step):
            if fit is None:
                yield from self._one_by_one(node, members)
            elif isinstance(fit, Failure):
                yield from self._fail(node, members, fit)
            elif fit.behind is None:
                # Cutting a path means to walk it again from its beginning.
                divisible = members[-1] is tasks[-1] or not fit.is_on_path
                yield self._finish(node, members[0], fit, divisible)
            else:
                yield from self._walk(fit.behind, depth + 1, members)

    def _finish(self, node: Node, task: Task, fit: Fit, divisible: bool) -> Outcome:
        """Score a candidate by its fitted last step on transformed data."""
        plan = make_plan(self._spec, fit.step, task.params)
        if plan is not None and plan.fits_each:
            return self._alone(node, task)
        evaluation = self._score(node, task, fit, plan)
        if evaluation is None:
            return self._alone(node, task)
        score_time = evaluation.score_time + node.score_time
        evaluation = replace(evaluation, score_time=score_time)
        self._count((*node.fits, fit.number))
        return Outcome(evaluation, node.overhead, len(node.fits), divisible)

    def _score(
        self, node: Node, task: Task, fit: Fit, plan: Plan | None
    ) -> Evaluation | None:
        """Score a fitted last step; None if that has changed what others would see."""
        fit_time = node.fit_time + fit.seconds
        if self._lending and self._fits.is_known(self._last, task):
            return score_lent(
                self._spec,
                self._to_score(node, lend),
                lambda: self._to_score(node, private),
                fit.step,
                fit_time,
                plan,
            )
        data = self._to_score(node, private if self._lending else unchanged)
        evaluation = score(self._spec, data, fit.step, fit_time, plan)
        if not self._lending or self._last == 0:
            return evaluation
        # In a pipeline, each metric would have its data transformed anew.
        parts, before = (data.X_train, data.X_test), (node.X_train, node.X_test)
        return evaluation if all(map(identical, parts, before)) else None

    def _to_score(self, node: Node, access: Access) -> SplitData:
        is_scored = self._spec.return_train_score
        return replace(
            self._data,
            X_train=access(node.X_train),
            y_train=access(self._data.y_train) if is_scored else None,
            X_test=access(node.X_test),
            y_test=access(self._data.y_test),
        )

    def _count(self, fits: Sequence[int]) -> None:
        """Note the fits of one candidate; some of them may be known from others.

        A fit that is shared may have had a second one, to show that it may be.
        """
        for number in self._counted.intersection(fits):
            self._counted.add(self._fits.second.get(number, number))
        self._counted.update(fits)
        self.n_needed += len(fits)

    def _fail(
        self, node: Node, tasks: list[Task], failure: Failure
    ) -> Iterator[Outcome]:
        """What fails a shared step fails all who share it."""
        if self._spec.error_score == "raise":
            raise failure.exception
        n_test = self._data.n_test_samples
        seconds = node.fit_time + failure.seconds
        for task in tasks:
            evaluation = failed_evaluation(self._spec, n_test, seconds, failure.error)
            self._count((*node.fits, failure.number))
            shares_failure = task is not tasks[-1]
            n_shared = len(node.fits) + shares_failure
            yield Outcome(evaluation, node.overhead, n_shared)

    def _one_by_one(self, node: Node, tasks: Sequence[Task]) -> Iterator[Outcome]:
        for task in tasks:
            yield self._alone(node, task)

    def _alone(self, node: Node, task: Task) -> Outcome:
        """Evaluate a candidate as if there were no other."""
        n_steps = len(self._layout.names) * n_fits_of(self._spec, task.params)
        self._n_alone += n_steps
        self.n_needed += n_steps
        evaluation, _ = evaluate(self._spec, self._split, task.params, FitHooks())
        return Outcome(evaluation, node.overhead, len(node.fits))
