"""The choices of skrub as dimensions, known by their public attributes.

They can be drawn from, as :class:`~sklearn.model_selection.RandomizedSearchCV` does,
but do not say with scipy's words which of their values are close to each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skhpo.exceptions import InvalidSpaceError
from skhpo.space._categorical import Categorical
from skhpo.space._dimensions import Dimension
from skhpo.space._ranges import Integer, Real

__all__ = ["from_skrub"]


def from_skrub(value: Any) -> Dimension | None:
    """Return the dimension that a choice of skrub stands for, None for anything else.

    Parameters
    ----------
    value : object
        What ``skrub.choose_float``, ``choose_int``, ``choose_bool``, ``choose_from`` or
        ``optional`` return, or anything else.

    Returns
    -------
    Dimension or None
        The same values. Outcomes are the values themselves, not their names.
    """
    if isinstance(value, type):
        return None
    if _has(value, "outcomes", "outcome_names", "default"):
        return _from_outcomes(value)
    if not _has(value, "low", "high", "log", "to_int", "rvs"):
        return None
    if isinstance(value, Sequence):  # with n_steps
        return Categorical([step.item() for step in value], ordered=True)
    kind: Any = Integer if value.to_int else Real
    return kind(value.low, value.high, log=bool(value.log))


def _has(value: Any, *names: str) -> bool:
    return all(hasattr(value, name) for name in names)


def _from_outcomes(choice: Any) -> Categorical:
    for outcome in choice.outcomes:
        if not isinstance(outcome, type) and hasattr(outcome, "as_data_op"):
            raise InvalidSpaceError(
                f"{choice!r} has the choice {outcome!r} as an outcome, which would be "
                "set as it is. List its values; for parameters that exist only "
                "together with an outcome, use skhpo.space.Choice."
            )
    return Categorical(list(choice.outcomes))
