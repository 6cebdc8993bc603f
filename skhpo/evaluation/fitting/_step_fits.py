"""Fit a step of a pipeline for many candidates: once, where that is exact.

A step that draws from a global generator of random numbers (``random_state=None``)
would draw anew for every candidate, so it is fitted anew for every candidate. A step of
code that is not known (`_known.py`) may draw from anywhere, or read the clock: it is
fitted for the first two candidates, and shared by all once both fits have given the
same. Where a parameter has a path, one fit serves all of its values.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from traceback import format_exc
from typing import Any

from sklearn.base import TransformerMixin
from sklearn.utils import get_tags

from skhpo._fingerprint import fingerprint
from skhpo.evaluation.fitting._fit import exits_are_errors
from skhpo.evaluation.fitting._known import is_known
from skhpo.evaluation.fitting._layout import Layout
from skhpo.evaluation.fitting._lending import (
    copies_by_itself,
    identical,
    lend,
    private,
    unchanged,
)
from skhpo.evaluation.fitting._spec import Access
from skhpo.evaluation.fitting._task import Task
from skhpo.evaluation.paths._draws import GlobalDraws
from skhpo.evaluation.paths._registry import find_path

__all__ = ["Failure", "Fit", "Node", "StepFits"]


@dataclass(frozen=True, eq=False)
class Node:
    """A node of the tree: the data before a step, and what it took to get there.

    Parameters
    ----------
    X, y : array-like
        The train part, for fitting. (A sampler changes both.)
    X_train, X_test : array-like or None
        The two parts, for scoring. A fitted step may transform the train part in
        another way than while it was fitted; None if it is not scored.
    fit_time, score_time : float
        Seconds, along this path alone.
    fits : tuple of int
        Numbers of the fits along this path.
    """

    X: Any
    y: Any
    X_train: Any
    X_test: Any
    fit_time: float
    score_time: float = 0.0
    fits: tuple[int, ...] = ()

    @property
    def overhead(self) -> float:
        """Seconds that reaching this node took."""
        return self.fit_time + self.score_time

    @property
    def data(self) -> tuple[Any, Any, Any, Any]:
        """All parts of the data."""
        return self.X, self.y, self.X_train, self.X_test

    def given(self, access: Access) -> Node:
        """Return the same data, lent or copied."""
        X, y, X_train, X_test = map(access, self.data)
        return Node(X, y, X_train, X_test, self.fit_time)

    def to_fit(self, access: Access) -> Node:
        """Return the same data, of which those to be fitted are lent or copied."""
        X, y = access(self.X), access(self.y)
        return Node(X, y, self.X_train, self.X_test, self.fit_time)


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted step, and the node behind it (None if it is the last)."""

    step: Any
    number: int
    seconds: float
    behind: Node | None = None
    is_on_path: bool = False


@dataclass(frozen=True)
class Failure:
    """A step that raised."""

    step: Any
    exception: Exception
    error: str
    number: int
    seconds: float


class StepFits:
    """Fits the steps of candidates on one split, for those that agree in them.

    Parameters
    ----------
    layout : Layout
        The steps of the estimator.
    lending : bool
        Whether there are several candidates, none of which may change the data.
    repeated : set of (int, int)
        The depths and variants of steps that have been seen to give the same again; it
        grows.

    Attributes
    ----------
    second : dict of int to int
        The fit that has shown another one to give the same again, by number of that.
    """

    def __init__(
        self, layout: Layout, *, lending: bool, repeated: set[tuple[int, int]]
    ) -> None:
        self._layout = layout
        self._last = len(layout.names) - 1
        self._lending = lending
        self._repeated = repeated
        self._numbers = itertools.count()
        self._known: dict[tuple[int, int], bool] = {}
        self.second: dict[int, int] = {}

    def of_group(
        self, node: Node, depth: int, tasks: list[Task], step: Any
    ) -> Iterator[tuple[list[Task], Fit | Failure | None]]:
        """Fit a step for a group: along a path where there is one, else one by one.

        None stands for a fit that candidates cannot share.
        """
        variants = [
            list(members)
            for _, members in groupby(tasks, key=lambda task: task.steps[depth].variant)
        ]
        if len(variants) == 1:
            yield from self._fit_members(node, depth, tasks, step)
            return
        n_done = 0
        values = [members[0].steps[depth].value for members in variants]
        for fit in self._fit_path(node, depth, step, values):
            yield variants[n_done], fit
            n_done += 1
        for members in variants[n_done:]:
            yield from self._fit_members(node, depth, members)

    def _fit_path(
        self, node: Node, depth: int, step: Any, values: list[Any]
    ) -> Iterator[Fit]:
        """Fit once for many values; stops where a fit for each value must take over."""
        path = find_path(step)
        is_last = depth == self._last
        if path is None or not (is_last or _fits_then_transforms(step)):
            return
        known = is_known(step)
        if not known and not path.is_vouched_for:  # it may be left to chance
            return
        given = node.given(lend if known else private)
        if not path.applies(step, values, given.X, given.y):
            return
        number = next(self._numbers)
        try:
            for fitted, seconds in path.fit(step, values, given.X, given.y):
                start = time.perf_counter()
                X = None if is_last else fitted.transform(given.X)
                seconds += time.perf_counter() - start
                fit = Fit(fitted, number, seconds, is_on_path=True)
                if not is_last:
                    fit = _passed_on(fit, node, given, X, node.y)
                if not known and not _are_same(given, node):  # what is lent is locked
                    return
                yield fit
        except (Exception, SystemExit):  # whose fault will be seen without the path
            return

    def _fit_members(
        self, node: Node, depth: int, tasks: list[Task], step: Any = None
    ) -> Iterator[tuple[list[Task], Fit | Failure | None]]:
        """Fit a step for tasks that agree in it: once, unless it is left to chance."""
        if len(tasks) == 1:  # nobody to share with: spare the look at the draws
            yield tasks, self._fit(node, depth, tasks[0], step)
            return
        draws = GlobalDraws()
        fits = [self._fit(node, depth, tasks[0], step)]
        if not draws.were_made() and not _is_declared_random(fits[0]):
            if fits[0] is None or self._repeats(depth, tasks[0]):
                yield tasks, fits[0]
                return
            fits.append(self._fit(node, depth, tasks[1]))
            if not draws.were_made() and _are_same(*fits):
                self._note_that_it_repeats(depth, tasks[0], fits)
                yield tasks, fits[0]
                return
        for task in tasks:
            yield [task], fits.pop(0) if fits else self._fit(node, depth, task)

    def _repeats(self, depth: int, task: Task) -> bool:
        """Whether another fit of a step is known to give the same."""
        key = depth, task.steps[depth].variant
        return key in self._repeated or self.is_known(depth, task)

    def is_known(self, depth: int, task: Task) -> bool:
        """Whether all code in a step of a candidate is known."""
        key = depth, task.steps[depth].variant
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._layout.is_known(depth, task.params)
        return known

    def _note_that_it_repeats(
        self, depth: int, task: Task, fits: Sequence[Fit | Failure | None]
    ) -> None:
        self._repeated.add((depth, task.steps[depth].variant))
        first, second = (fit.number for fit in fits if fit is not None)
        self.second[first] = second

    def _fit(
        self, node: Node, depth: int, task: Task, step: Any = None
    ) -> Fit | Failure | None:
        """Fit a step and pass the data on; None if its candidates have to be apart.

        What fails on lent data is tried once more, on a copy: the words of an exception
        do not tell whether it failed because of the lock.
        """
        ways: tuple[Access, ...] = (unchanged,)
        if self._lending:
            ways = (lend, private) if self.is_known(depth, task) else (private,)
        number = next(self._numbers)
        fit: Fit | Failure | None = None
        for access in ways:
            if step is None:
                step = self._layout.step(depth, task.params)
            fit = self._attempt(node, depth, step, number, access)
            if isinstance(fit, Fit):
                break
            step = None
        return fit

    def _attempt(
        self, node: Node, depth: int, step: Any, number: int, access: Access
    ) -> Fit | Failure | None:
        is_last = depth == self._last
        given = node.to_fit(access) if is_last else node.given(access)
        X = node.X if access is lend and copies_by_itself(step) else given.X
        start = time.perf_counter()
        try:
            with exits_are_errors():
                fit = self._fit_last if is_last else _fit_transform
                X, y = fit(step, X, given.y)
        except Exception as error:
            seconds = time.perf_counter() - start
            return Failure(step, error, format_exc(), number, seconds)
        fitted = Fit(step, number, time.perf_counter() - start)
        if not is_last:
            try:
                fitted = _passed_on(fitted, node, given, X, y)
            except Exception:  # a failure of scoring, in a pipeline; let it be that
                return None
        elif node.X_train is None:  # what the last step writes into is not read again
            return fitted
        return fitted if access is not private or _are_same(given, node) else None

    def _fit_last(self, step: Any, X: Any, y: Any) -> tuple[None, None]:
        if y is None and self._last == 0:  # no pipeline, which would pass the None
            step.fit(X)
        else:
            step.fit(X, y)
        return None, None


def _fit_transform(step: Any, X: Any, y: Any) -> tuple[Any, Any]:
    """Fit a step and let it change the train part, as a pipeline does."""
    if hasattr(step, "fit_transform"):
        return step.fit_transform(X, y), y
    if hasattr(step, "transform"):
        return step.fit(X, y).transform(X), y
    return step.fit_resample(X, y)


def _passed_on(fit: Fit, node: Node, given: Node, X: Any, y: Any) -> Fit:
    """Return the fit with the node behind it: transform what is to be scored."""
    X_train = None
    with exits_are_errors():
        if given.X_train is not None:
            X_train = _transform(fit.step, given.X_train)
        start = time.perf_counter()
        X_test = _transform(fit.step, given.X_test)
    behind = Node(
        X,
        y,
        X_train,
        X_test,
        node.fit_time + fit.seconds,
        node.score_time + time.perf_counter() - start,
        (*node.fits, fit.number),
    )
    return replace(fit, behind=behind)


def _transform(step: Any, X: Any) -> Any:
    """Transform data that are scored; samplers leave them alone."""
    return step.transform(X) if hasattr(step, "transform") else X


def _fits_then_transforms(step: Any) -> bool:
    """Whether ``fit_transform`` is nothing but that; not so for many transformers."""
    return getattr(type(step), "fit_transform", None) is TransformerMixin.fit_transform


def _is_declared_random(fit: Fit | Failure | None) -> bool:
    """Whether the class of a step says that it gives something else each time."""
    if fit is None or not hasattr(fit.step, "__sklearn_tags__"):
        return False
    return bool(get_tags(fit.step).non_deterministic)


def _are_same(one: Any, other: Any) -> bool:
    """Whether two nodes, fits or failures are equal in all that others see of them."""
    if isinstance(one, Node) and isinstance(other, Node):
        return all(map(identical, one.data, other.data))
    if isinstance(one, Fit) and isinstance(other, Fit):
        same_data = _are_same(one.behind, other.behind)
        return same_data and _have_learned_the_same(one.step, other.step)
    if isinstance(one, Failure) and isinstance(other, Failure):
        return one.error == other.error
    return False


def _have_learned_the_same(one: Any, other: Any) -> bool:
    """Whether the attributes of two fitted steps are equal, as far as can be told.

    Two fits that were left to chance may well make the same of a few rows: a selection
    of one among four columns does so every fourth time.
    """
    try:
        return fingerprint(vars(one)) == fingerprint(vars(other))
    except Exception:  # they hold what nobody can read; their output has been compared
        return True
