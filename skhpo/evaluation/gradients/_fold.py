"""What an adapter is given, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Fold", "NotAtMinimumError", "Slopes"]


class NotAtMinimumError(ValueError):
    """A fit has not converged, so that its score has no gradient to speak of."""


@dataclass(frozen=True, eq=False)
class Fold:
    """One split, as the model in question has seen it, behind all transformers.

    Parameters
    ----------
    X_train, y_train : array-like
        What the model was fitted on.
    sample_weight : array-like or None
        With which weights.
    X_test : array-like
        What it is scored on.
    score_slopes : callable
        Takes predictions for `X_test` (means, or a probability per class) and returns
        the derivative of the score by each of them, in an array of the same shape.
    """

    X_train: Any
    y_train: Any
    sample_weight: Any
    X_test: Any
    score_slopes: Callable[[Any], Any]


@dataclass(frozen=True, eq=False)
class Slopes:
    """Derivatives of the score on one split.

    Parameters
    ----------
    params : mapping of str to float
        By each hyperparameter of the model.
    columns : array-like of shape (n_features,) or None, default=None
        By the logarithm of a factor that each column of the data is multiplied with,
        for training and for testing.
    """

    params: Mapping[str, float]
    columns: Any = None
