"""Descent along gradients in a box: BFGS steps, cut off at the bounds.

The function is seen from outside: `point` is where its value is wanted next, `tell`
takes it. So the steps can be taken by anybody, in any process, and a descent can be
pickled between any two of them.

The quadratic model is that of BFGS with Powell's damping, which keeps it positive
definite where the function is not. Of the variables, those at a bound whose slope leads
outside stand still, and the others take Newton's step of the model, projected into the
box (Bertsekas 1982). A step counts if it gains a share of what the slope promises
(Armijo). Else the slope there, if it is known, tells the model how the function bends,
and a shorter step follows; without it, the minimum of a parabola. At a kink of the
function no slope is near 0: there, the end is a refused step that promised little.

The model is of slopes in units of the first ones: it is made of their squares, which
would leave the floats long before the values do. A unit is a power of four, whose root
is one of two: so a model in units is that of the slopes themselves, digit by digit.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.linalg

from skhpo._arithmetic import unit_of

__all__ = ["Descent"]

Array = np.ndarray[Any, Any]

FIRST_STEP = 0.1  # of the box
LONGEST_STEP = 0.25
ARMIJO = 1e-4
MOST_CUTS = 6  # of a step, before the line is given up
LAST = 3  # points, by whose gain a descent is judged
LITTLE = 0.1  # of the tolerance: promises that do not count
SHORTEST_STEP = 1e-7


class Descent:
    """The way of one starting point to a minimum in the unit cube.

    Parameters
    ----------
    start : array of shape (d,)
        Where it begins.
    widths : array of shape (d,)
        The length of each axis of the cube in units in which slopes are judged.
    tol : float
        It ends where no slope in these units is above `tol` times the value.
    max_iter : int
        The most points, tried ones included.

    Attributes
    ----------
    point : array or None
        Where the value is wanted; None at the end.
    x, value, slopes
        The best point, its value and its gradient; None before the first.
    """

    def __init__(self, start: Array, widths: Array, tol: float, max_iter: int) -> None:
        self.point: Array | None = np.clip(start, 0.0, 1.0)
        self.x: Array | None = None
        self.value = math.inf
        self.slopes: Array = np.zeros(len(start))
        self._widths, self._tol = widths, tol
        self._n_left = max_iter
        self._model: Array | None = None  # the Hessian, approximately, in units
        self._unit = 1.0
        self._step: Array = np.zeros(len(start))
        self._length, self._n_cuts = 1.0, 0
        self._history: list[float] = []  # the lowest value after each point

    @property
    def prospect(self) -> float:
        """The value that it ends at if it goes on at its pace; none at first.

        Descents become slower, so that it will rather be higher.
        """
        gain = self._gain
        return -math.inf if gain is None else self.value - self._n_left * gain / LAST

    @property
    def _gain(self) -> float | None:
        """What the last points have gained together, None if there are fewer."""
        if len(self._history) <= LAST:
            return None
        return self._history[-1 - LAST] - self._history[-1]

    def accepts(self, value: float, slopes: Array | None = None) -> bool:
        """Take note of the value at `point`; return whether its gradient is wanted.

        Parameters
        ----------
        value : float
            Of the function; infinite or NaN if it has none there.
        slopes : array of shape (d,) or None, default=None
            Its gradient, where it is known at once.
        """
        assert self.point is not None
        self._n_left -= 1
        if self.x is None:
            return self._or_end(math.isfinite(value))
        promise = float(self.slopes @ (self.point - self.x))
        if math.isfinite(value) and value <= self.value + ARMIJO * promise:
            return True
        self._history.append(self.value)
        if math.isfinite(value) and -promise <= LITTLE * self._tol * abs(self.value):
            self.point = None
        elif slopes is not None and np.isfinite(slopes).all():
            self._learn(slopes)
        else:
            self._cut(value, promise)
        return False

    def go_on(self, value: float, slopes: Array) -> None:
        """Continue from `point`, which was accepted.

        Parameters
        ----------
        value : float
            Of the function there.
        slopes : array of shape (d,)
            Its gradient; not finite if there is none.
        """
        assert self.point is not None
        if not np.isfinite(slopes).all():
            if self.x is None:
                self.point = None
            else:
                self._cut(math.inf, 0.0)
            return
        if self.x is None:
            self._unit = _power_of_four(slopes)
        else:
            self._update(self.point - self.x, slopes)
        self.x, self.value, self.slopes = self.point, value, slopes
        self._history.append(value)
        self._begin()

    def end(self) -> None:
        """End it here."""
        self.point = None

    @property
    def free(self) -> Array:
        """Which variables may move: those that no bound holds."""
        assert self.x is not None
        held = ((self.x <= 0) & (self.slopes > 0)) | ((self.x >= 1) & (self.slopes < 0))
        return ~held

    def _or_end(self, condition: bool) -> bool:
        if not condition:
            self.point = None
        return condition

    def _begin(self) -> None:
        """Choose the next direction, and its first point."""
        free = self.free
        steepest = np.abs(self.slopes / self._widths)[free].max(initial=0.0)
        if steepest <= self._tol * abs(self.value) or self._n_left <= 0:
            self.point = None
            return
        self._n_cuts = 0
        self._aim(LONGEST_STEP)

    def _aim(self, longest: float) -> None:
        """Choose a step by the model, no longer than this along any axis."""
        free = self.free
        step = np.zeros_like(self.slopes)
        if self._model is None:
            step[free] = -self.slopes[free]
            step *= FIRST_STEP / np.abs(step).max()
        else:
            model = self._model[np.ix_(free, free)]
            slopes = self.slopes[free] / self._unit
            step[free] = -scipy.linalg.solve(model, slopes, assume_a="pos")
            step *= min(1.0, longest / np.abs(step).max())
        self._step, self._length = step, 1.0
        self._propose()

    def _propose(self) -> None:
        assert self.x is not None
        point = np.clip(self.x + self._length * self._step, 0.0, 1.0)
        moves = np.abs(point - self.x).max() > SHORTEST_STEP
        self.point = point if moves and self._n_left > 0 else None

    def _cut(self, value: float, promise: float) -> None:
        """Shorten the step to where a parabola through what is known is lowest."""
        factor = 0.25
        if math.isfinite(value) and promise < 0:
            bend = value - self.value - promise
            factor = min(max(-promise / (2 * bend), 0.1), 0.5)
        self._length *= factor
        self._n_cuts += 1
        if self._n_cuts > MOST_CUTS:
            self.point = None
        else:
            self._propose()

    def _learn(self, slopes: Array) -> None:
        """Try a shorter step, by a model that knows the slopes at the refused point."""
        assert self.point is not None
        assert self.x is not None
        moved = self.point - self.x
        self._update(moved, slopes)
        self._n_cuts += 1
        if self._n_cuts > MOST_CUTS:
            self.point = None
        else:
            self._aim(0.5 * float(np.abs(moved).max()))

    def _update(self, moved: Array, slopes: Array) -> None:
        """Have the model agree with how the gradient has changed, to `slopes`."""
        change = slopes / self._unit - self.slopes / self._unit
        if self._model is None:
            curvature = float(change @ moved)
            scale = float(change @ change) / curvature if curvature > 0 else 0.0
            if not scale > 0:
                scale = np.abs(self.slopes / self._unit).max() / (2 * FIRST_STEP)
            self._model = np.eye(len(moved)) * scale
        product = self._model @ moved
        own = float(moved @ product)
        given = float(moved @ change)
        if given < 0.2 * own:  # Powell's damping
            share = 0.8 * own / (own - given)
            change = share * change + (1 - share) * product
            given = float(moved @ change)
        model = (
            self._model
            - np.outer(product, product) / own
            + np.outer(change, change) / given
        )
        # Where even units do not do, the next step begins anew, along the slopes.
        self._model = model if np.isfinite(model).all() else None


def _power_of_four(slopes: Array) -> float:
    """Return the greatest power of four that is not above the largest slope."""
    unit = unit_of(np.array([np.abs(slopes).max(initial=0.0)]))
    return unit if math.frexp(unit)[1] % 2 else unit / 2
