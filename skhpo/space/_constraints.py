"""Constraints: predicates that say which params may be tried."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from skhpo._arithmetic import users_arithmetic
from skhpo.exceptions import InvalidSpaceError

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
    >>> constraints = Constraints(lambda params: params["low"] < params["high"])
    >>> constraints.allow({"low": 2, "high": 1})
    False
    """

    def __init__(self, predicates: Any = None) -> None:
        is_list = isinstance(predicates, Iterable) and not callable(predicates)
        given = () if predicates is None else (predicates,)
        self.predicates: tuple[Any, ...] = tuple(predicates if is_list else given)
        for check in self.predicates:
            if not callable(check):
                raise InvalidSpaceError(
                    "A constraint must be a callable that takes the params as a dict "
                    f"and returns True or False. Got {check!r} instead."
                )

    def __bool__(self) -> bool:
        return bool(self.predicates)

    def __iter__(self) -> Iterator[Constraint]:
        return iter(self.predicates)

    @users_arithmetic()
    def allow(self, params: Mapping[str, Any]) -> bool:
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
            If a predicate raises; names it, and the params.
        """
        for check in self.predicates:
            try:
                if not check(dict(params)):
                    return False
            except Exception as error:
                name = getattr(check, "__qualname__", repr(check))
                raise InvalidSpaceError(
                    f"The constraint {name} raised {type(error).__name__}: {error}, "
                    f"for the params {dict(params)!r}. It must return True or False "
                    "for all params of the space; those that do not exist together "
                    "with the others are not among them."
                ) from error
        return True
