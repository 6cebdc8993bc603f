"""Constraints: predicates that say which params may be tried."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from functools import cache
from numbers import Number
from typing import Any

import numpy as np

from skhpo._arithmetic import users_arithmetic
from skhpo._trial import Params
from skhpo.exceptions import InvalidSpaceError
from skhpo.space._curve import Curve

__all__ = ["Constraint", "Constraints"]

Constraint = Callable[[dict[str, Any]], bool]


class Constraints:
    """Predicates on params, all of which must hold; true if there are any.

    Parameters
    ----------
    predicates : callable, iterable of callables, or None, default=None
        Each takes the params of a candidate as a dict, and returns a bool.

    Raises
    ------
    InvalidSpaceError
        If one is not callable.

    Examples
    --------
    >>> from skhpo.space import Constraints
    >>> constraints = Constraints(lambda params: params["low"] < params["high"])
    >>> constraints.allow({"low": 2, "high": 1})
    False
    """

    def __init__(self, predicates: Any = None) -> None:
        is_list = isinstance(predicates, Iterable) and not (
            callable(predicates) or isinstance(predicates, str)
        )
        given = () if predicates is None else (predicates,)
        self.predicates: tuple[Any, ...] = tuple(predicates if is_list else given)
        for check in self.predicates:
            if not callable(check):
                raise InvalidSpaceError(
                    "A constraint must be a callable that takes the params as a dict "
                    "and returns True or False, such as lambda params: "
                    f"params['low'] < params['high']. Got {check!r} instead."
                )

    def __bool__(self) -> bool:
        return bool(self.predicates)

    def __iter__(self) -> Iterator[Constraint]:
        return iter(self.predicates)

    @users_arithmetic()
    def allow(self, params: Params) -> bool:
        """Return whether all predicates hold.

        Parameters
        ----------
        params : mapping of str to object
            The params of a candidate.

        Returns
        -------
        bool
            True if they may be tried.

        Raises
        ------
        InvalidSpaceError
            If a predicate raises, or returns None; names it, and the params.
        """
        return all(_holds(check, params) for check in self.predicates)


def _holds(check: Constraint, params: Params) -> bool:
    """Return what a predicate says of params; raise if it says nothing."""
    # Predicates get containers of their own: what they do to them is no candidate's.
    given = {name: _own(value) for name, value in params.items()}
    try:
        answer: Any = check(given)
        if answer is not None:
            return bool(answer)
        problem, cause = "returned None", None
    except Exception as error:
        problem, cause = f"raised {type(error).__name__}: {error}", error
    name = getattr(check, "__qualname__", repr(check))
    raise InvalidSpaceError(
        f"{_meant(params, problem)}The constraint {name} {problem}, for the params "
        f"{dict(params)!r}. It must return True or False for all params of the space; "
        "those that do not exist together with the others are not among them."
    ) from cause


def _meant(params: Params, problem: str) -> str:
    """Return what to do, if a predicate stumbled over a curve."""
    curves = [name for name, value in params.items() if isinstance(value, Curve)]
    if not curves or "Curve" not in problem:
        return ""
    name, curve = curves[0], params[curves[0]]
    return (
        f"Leave {name!r} out of the constraint: it is {curve!r}, whose number is "
        "chosen after the fits, from 'low' to 'high'. To compare it with other "
        f"parameters, list numbers: {{{name!r}: {[curve.low, curve.high]!r}}}. "
    )


class _OpenCurve(Curve):
    """A curve as predicates see it: it has no number yet, and equals none."""

    __hash__ = Curve.__hash__

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Number):
            raise TypeError(f"{self!r} is compared with the number {other!r}")
        return isinstance(other, Curve) and repr(self) == repr(other)


_OpenCurve.__name__ = Curve.__name__  # Python's own messages speak of what users know


@cache
def _open(curve: Curve) -> Curve:
    return _OpenCurve(
        curve.high, low=curve.low, step=curve.step, patience=curve.patience
    )


def _own(value: object) -> Any:
    """Return a copy of what can be written into, else the value itself."""
    if isinstance(value, Curve):
        return _open(value)
    is_container = isinstance(value, list | dict | set | bytearray | np.ndarray)
    return deepcopy(value) if is_container else value
