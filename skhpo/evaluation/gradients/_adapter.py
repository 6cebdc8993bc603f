"""How the hyperparameters of a class are differentiated: built in, or registered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from skhpo.evaluation.gradients._fold import Fold, Slopes

__all__ = ["Adapter", "has_no_objection"]


def has_no_objection(model: Any) -> str | None:
    """Return None: whatever its settings, the model has a gradient."""
    return None


@dataclass(frozen=True)
class Adapter:
    """The gradient of a score by the hyperparameters of a class.

    Parameters
    ----------
    parameters : mapping of str to bool
        The hyperparameters, and whether each is searched on a logarithmic scale.
    slopes : callable
        ``slopes(model, fold) -> Slopes`` with the fitted model and its split.
    why_not : callable
        Takes a model, and returns in words why it has no gradient with its settings,
        None if it has.
    """

    parameters: Mapping[str, bool]
    slopes: Callable[[Any, Fold], Slopes | Mapping[str, float]]
    why_not: Callable[[Any], str | None] = has_no_objection
