"""Parameters over time, as plain data.

A schedule says for one parameter which value it has at each training step. It is
written as what it is: a list of values, a list of change points, a named form with its
numbers, or a function. All but the last are JSON.

=============== ======================================================================
form            value at step *t* of *n*, with progress ``p = t / (n - 1)``
=============== ======================================================================
``linear``      ``start + (end - start) * p``
``exponential`` ``start * (end / start) ** p``
``cosine``      ``end + (start - end) * (1 + cos(pi * p)) / 2`` [1]_
``hold_decay``  `start` for the share `hold` of the steps, from there on ``exponential``
=============== ======================================================================

References
----------
.. [1] I. Loshchilov and F. Hutter, "SGDR: Stochastic Gradient Descent with Warm
   Restarts", arXiv:1608.03983, 2016.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

from skhpo._keys import changed
from skhpo._words import counted, did_you_mean

__all__ = ["FORMS", "change_points", "complete_form", "values_of"]


def linear(p: float, start: float, end: float) -> float:
    """Return the value at progress `p`, on a straight line."""
    return start + (end - start) * p


def exponential(p: float, start: float, end: float) -> float:
    """Return the value at progress `p`, on a straight line in the logarithm."""
    return start * (end / start) ** p


def cosine(p: float, start: float, end: float) -> float:
    """Return the value at progress `p`, on half a wave."""
    return end + (start - end) * (1 + math.cos(math.pi * p)) / 2


def hold_decay(p: float, start: float, end: float, hold: float) -> float:
    """Return the value at progress `p`: `start` until `hold`, then exponential."""
    if p <= hold:
        return start
    return exponential((p - hold) / (1 - hold), start, end)


FORMS: dict[str, Callable[..., float]] = {
    "linear": linear,
    "exponential": exponential,
    "cosine": cosine,
    "hold_decay": hold_decay,
}
# Of what is left out; without `start`, a form begins at the estimator's own value.
_END_SHARE = 0.01
_HOLD = 0.5


def complete_form(form: str | Mapping[str, Any], own: Any) -> dict[str, Any]:
    """Return a named form with all its numbers.

    Parameters
    ----------
    form : str or mapping
        ``"cosine"``, or ``{"form": "cosine", "start": 0.1, "end": 0.001}``.
    own : object
        The value that the estimator has, with which the form starts by default. It
        ends by default at a hundredth of where it starts.

    Returns
    -------
    dict
        ``form``, ``start``, ``end`` and, for ``hold_decay``, ``hold``.

    Raises
    ------
    ValueError
        If the form or a number of it is unknown or out of its domain.

    Examples
    --------
    >>> complete_form("linear", own=0.5)
    {'form': 'linear', 'start': 0.5, 'end': 0.005}
    """
    given = {"form": form} if isinstance(form, str) else dict(form)
    name = given.get("form")
    if name not in FORMS:
        raise ValueError(
            f"{did_you_mean(name, FORMS)}The form of a schedule must be one of "
            f"{sorted(FORMS)}. Got {name!r} instead."
        )
    start = given.get("start", own)
    if not isinstance(start, Real):
        raise ValueError(
            f"A {name!r} schedule goes over numbers, and starts at the value that the "
            f"estimator has unless 'start' is given. Got {start!r} instead."
        )
    defaults = {"form": name, "start": start, "end": start * _END_SHARE}
    if name == "hold_decay":
        defaults["hold"] = _HOLD
    unknown = sorted(given.keys() - defaults.keys())
    if unknown:
        raise ValueError(
            f"A {name!r} schedule has {sorted(defaults.keys() - {'form'})}. Got "
            f"{unknown}."
        )
    complete = {**defaults, **given}
    _check_numbers(complete)
    return complete


def _check_numbers(form: Mapping[str, Any]) -> None:
    name, start, end = form["form"], form["start"], form["end"]
    if name in ("exponential", "hold_decay") and not (start > 0 and end > 0):
        raise ValueError(
            f"'start' and 'end' of a {name!r} schedule must be positive. Got {start!r} "
            f"and {end!r}; 'linear' and 'cosine' may reach 0."
        )
    if not 0 <= form.get("hold", 0) < 1:
        raise ValueError(f"'hold' must be in [0, 1). Got {form['hold']!r} instead.")


def values_of(spec: Any, n_steps: int, own: Any) -> list[Any]:
    """Return the value of a parameter at each step.

    Parameters
    ----------
    spec : str, mapping, sequence or callable
        A named form; a list of `n_steps` values; a list of ``(step, value)`` with
        rising steps from 0; or ``spec(step, n_steps) -> value``.
    n_steps : int
        Number of steps.
    own : object
        The value that the estimator has, see `complete_form`.

    Returns
    -------
    list
        Numbers as Python's own; integers if a form goes from one to another.

    Raises
    ------
    ValueError
        If `spec` is none of these.

    Examples
    --------
    >>> values_of([(0, "l2"), (2, "l1")], 4, None)
    ['l2', 'l2', 'l1', 'l1']
    >>> values_of({"form": "linear", "start": 10, "end": 1}, 4, None)
    [10, 7, 4, 1]
    """
    if callable(spec):
        return [spec(step, n_steps) for step in range(n_steps)]
    if isinstance(spec, str | Mapping):
        form = complete_form(spec, own)
        numbers = {k: v for k, v in form.items() if k != "form"}
        progress = [step / max(n_steps - 1, 1) for step in range(n_steps)]
        curve = [float(FORMS[form["form"]](p, **numbers)) for p in progress]
        whole = all(isinstance(form[k], Integral) for k in ("start", "end"))
        return [round(value) for value in curve] if whole else curve
    if isinstance(spec, Sequence | np.ndarray):
        return _listed_values(spec, n_steps)
    raise ValueError(
        "A schedule must be a named form, a list of values, a list of (step, value), "
        f"or a function of the step. Got {spec!r} instead."
    )


def _listed_values(spec: Sequence[Any] | np.ndarray, n_steps: int) -> list[Any]:
    values = spec.tolist() if isinstance(spec, np.ndarray) else list(spec)
    if _are_change_points(values):
        steps = [step for step, _ in values]
        last = np.searchsorted(steps, range(n_steps), side="right") - 1
        return [values[i][1] for i in last]
    if len(values) != n_steps:
        raise ValueError(
            f"A list of values needs one for each of {counted(n_steps, 'step')}. Got "
            f"{len(values)}; a list of (step, value), from step 0 on, may be shorter."
        )
    return values


def _are_change_points(values: Sequence[Any]) -> bool:
    pairs = all(isinstance(v, tuple | list) and len(v) == 2 for v in values)
    if not values or not pairs or not all(isinstance(v[0], Integral) for v in values):
        return False
    steps = [step for step, _ in values]
    return steps[0] == 0 and steps == sorted(set(steps))


def change_points(
    columns: Mapping[str, Sequence[Any]],
) -> list[tuple[int, dict[str, Any]]]:
    """Return where parameters change and to what, from their value at each step.

    Examples
    --------
    >>> change_points({"eta0": [1, 1, 2], "alpha": [5, 5, 5]})
    [(0, {'eta0': 1, 'alpha': 5}), (2, {'eta0': 2})]
    """
    points = []
    before: dict[str, Any] = {}
    for step, values in enumerate(zip(*columns.values(), strict=True)):
        current = dict(zip(columns, values, strict=True))
        if changes := changed(current, before):
            points.append((step, changes))
        before = current
    return points
