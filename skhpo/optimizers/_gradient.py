"""Descent along the gradient of the score, from several starting points at once."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from skhpo._arithmetic import own_arithmetic
from skhpo._rng import RandomState, child_rng, seed_sequence
from skhpo._trial import Candidate, Params, Trial
from skhpo.optimizers._base import check_trials
from skhpo.optimizers._descent import Array, Descent
from skhpo.space import Real, SearchSpace

__all__ = ["GradientOptimizer", "mean_slopes"]

DIFFERENCE = 2e-3  # of the range of a parameter, for finite differences
NEAR = 0.02  # of the ranges: lines so close lead to the same place


def mean_slopes(trial: Trial) -> dict[str, float]:
    """Return the mean gradient of a trial over its splits, {} if one has none.

    Parameters
    ----------
    trial : Trial
        Complete.

    Returns
    -------
    dict of str to float
        The derivative of the mean score by each parameter.
    """
    gradients = [e.gradient for e in trial.done]
    if not gradients or any(g is None or not g.slopes for g in gradients):
        return {}
    given = [g.slopes for g in gradients if g is not None]
    return {n: _mean([s[n] for s in given]) for n in given[0]}


def _mean(values: list[float]) -> float:
    try:
        return math.fsum(values) / len(values)
    except (OverflowError, ValueError):  # a sum beyond the floats, or inf - inf
        return statistics.mean(map(float, values))


@dataclass(eq=False)
class _Line:
    """One starting point, and what it waits for."""

    descent: Descent
    waiting: list[tuple[int | None, Array]] = field(default_factory=list)  # unasked
    n_pending: int = 0
    value: float = math.nan
    slopes: dict[int, float] = field(default_factory=dict)
    given: Params | None = None  # of the first point: decoding would round them

    def end(self) -> None:
        """Go no further, and ask for no more."""
        self.descent.end()
        self.waiting.clear()


class GradientOptimizer:
    """Optimizer that follows the gradient of the score.

    It is told gradients with the evaluations of each trial, or works them out by
    finite differences, whose points are candidates as others are. Each of several lines
    has its own descent; where two of them come close, the worse one ends, as does one
    that would not reach the best at its pace.

    Parameters
    ----------
    space : dict of str to Real, or SearchSpace
        Ranges of numbers. Slopes are by the logarithm of a parameter, where its range
        is logarithmic.
    n_restarts : int, default=3
        Number of starting points: first the `initial_params`, then random ones.
    max_iter : int, default=50
        The most points of each line, not counting those for differences.
    tol : float, default=1e-4
        A line ends where no slope is above `tol` times the score.
    differences : bool, default=False
        Whether gradients come of finite differences.
    initial_params : sequence of mapping, default=()
        Where to begin.
    random_state : int, RandomState, Generator or None, default=None
        Seed of the other starting points.

    Examples
    --------
    >>> from skhpo.optimizers import GradientOptimizer, Trial
    >>> from skhpo.space import Real
    >>> optimizer = GradientOptimizer({"x": Real(-3, 3)}, differences=True)
    >>> while asked := optimizer.ask(9):
    ...     for candidate in asked:
    ...         score = -1 - (candidate.params["x"] - 1) ** 2
    ...         optimizer.tell([Trial.from_scores(candidate, [score])])
    >>> bool(abs(optimizer.best_params["x"] - 1) < 0.02)
    True
    """

    def __init__(
        self,
        space: Mapping[str, Any] | SearchSpace,
        *,
        n_restarts: int = 3,
        max_iter: int = 50,
        tol: float = 1e-4,
        differences: bool = False,
        initial_params: Sequence[Params] = (),
        random_state: RandomState = None,
    ) -> None:
        self.space = SearchSpace(space)
        self.differences = differences
        self._names = [str(column.name) for column in self.space.columns]
        ranges = [column.dimension for column in self.space.columns]
        if not all(isinstance(one, Real) for one in ranges):
            raise ValueError(f"Gradients are for ranges of numbers. Got {ranges!r}.")
        self._is_log = np.array([getattr(one, "log", False) for one in ranges])
        self._widths = np.array([_width(one) for one in ranges])
        root = seed_sequence(random_state)
        starts = [np.asarray(self.space.encode(p)) for p in initial_params]
        for i in range(len(starts), n_restarts):
            starts.append(child_rng(root, "start", i).random(len(ranges)))
        self._lines = [
            _Line(Descent(start, self._widths, tol, max_iter))
            for start in starts[:n_restarts]
        ]
        for line in self._lines:
            line.waiting = [(None, _point(line))]
        for line, params in zip(self._lines, initial_params, strict=False):
            line.given = dict(params)
        self._asked: dict[int, tuple[_Line, int | None]] = {}
        self._n_asked = 0

    @property
    def best_params(self) -> dict[str, Any] | None:
        """The parameters of the best point that was told, None before the first."""
        best = min(self._lines, key=lambda line: line.descent.value)
        return None if best.descent.x is None else self.space.decode(best.descent.x)

    @property
    def n_pending(self) -> int:
        """The most candidates that can be under way."""
        return len(self._lines) * (len(self._names) if self.differences else 1)

    def ask(self, n: int) -> list[Candidate]:
        """Propose up to `n` candidates: what the lines wait for.

        Parameters
        ----------
        n : int
            How many at the most.

        Returns
        -------
        list of Candidate
            In the order of the lines; none while all of these are pending.
        """
        asked: list[Candidate] = []
        for line in self._lines:
            while line.waiting and len(asked) < n:
                axis, point = line.waiting.pop(0)
                params, line.given = line.given, None
                candidate = Candidate(self._n_asked, params or self.space.decode(point))
                self._asked[candidate.id] = line, axis
                self._n_asked += 1
                line.n_pending += 1
                asked.append(candidate)
        return asked

    @own_arithmetic()
    def tell(self, trials: Sequence[Trial]) -> None:
        """Take the steps that the trials allow.

        Parameters
        ----------
        trials : sequence of Trial
            Of candidates that were asked for; what failed is a step too far.
        """
        for trial in check_trials(trials, own_only=True):
            if trial.candidate.id not in self._asked:
                raise ValueError(
                    "GradientOptimizer follows its own candidates, and has not asked "
                    f"for candidate {trial.candidate.id}, or was told of it before."
                )
            line, axis = self._asked.pop(trial.candidate.id)
            line.n_pending -= 1
            value = math.inf if trial.failed else -trial.score
            if line.descent.point is None:  # it has ended in the meantime
                continue
            if axis is None:
                self._tell_value(line, value, trial)
            else:
                self._tell_difference(line, axis, value)

    def _tell_value(self, line: _Line, value: float, trial: Trial) -> None:
        """Have a line accept its point, or try a nearer one."""
        line.value = value
        known = None if self.differences or trial.failed else self._slopes(trial)
        if not line.descent.accepts(value, known):
            self._queue(line)
        elif self.differences:
            line.slopes = {}
            point = _point(line)
            for j in range(len(self._names)):
                step = DIFFERENCE if point[j] + DIFFERENCE <= 1 else -DIFFERENCE
                beside = point.copy()
                beside[j] += step
                line.waiting.append((j, beside))
        else:
            assert known is not None, "what failed is not accepted"
            self._go_on(line, known)

    def _tell_difference(self, line: _Line, axis: int, value: float) -> None:
        """Have a line go on, once it knows how the score changes along each axis."""
        step = DIFFERENCE if _point(line)[axis] + DIFFERENCE <= 1 else -DIFFERENCE
        line.slopes[axis] = (value - line.value) / step
        if len(line.slopes) == len(self._names):
            self._go_on(line, np.array([line.slopes[j] for j in sorted(line.slopes)]))

    def _slopes(self, trial: Trial) -> Array:
        """Return the gradient of minus the score in the unit cube; NaN for none."""
        given = mean_slopes(trial)
        params = trial.candidate.params
        slopes = np.array([given.get(name, math.nan) for name in self._names])
        values = np.array([params[name] for name in self._names])
        factors = np.where(self._is_log, values, 1.0)  # dy/dlog x = x dy/dx
        return -slopes * factors * self._widths

    def _go_on(self, line: _Line, slopes: Array) -> None:
        line.descent.go_on(line.value, slopes)
        self._end_the_worse(line)
        self._queue(line)

    def _queue(self, line: _Line) -> None:
        if line.descent.point is not None:
            line.waiting.append((None, line.descent.point))

    def _end_the_worse(self, line: _Line) -> None:
        """End what has come close to something better, or is too slow to reach it."""
        for other in self._lines:
            pair = sorted((line, other), key=lambda one: one.descent.value)
            better, worse = (one.descent for one in pair)
            if other is line or better.x is None or worse.x is None:
                continue
            aim = worse.x if worse.point is None else worse.point
            if min(np.abs(better.x - x).max() for x in (worse.x, aim)) < NEAR:
                pair[1].end()
        lowest = min(one.descent.value for one in self._lines)
        for one in self._lines:
            if one.descent.prospect > lowest:
                one.end()


def _point(line: _Line) -> Array:
    point = line.descent.point
    assert point is not None
    return point


def _width(dimension: Any) -> float:
    """Return the length of a range, of its logarithm if it has one."""
    low, high = float(dimension.low), float(dimension.high)
    return math.log(high) - math.log(low) if dimension.log else high - low
