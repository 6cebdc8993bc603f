"""Policies: what parameters become is decided from the state of the training."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sklearn.base import BaseEstimator

from skhpo._trial import Params

__all__ = ["ReduceOnPlateau", "TrainingState"]


@dataclass(frozen=True)
class TrainingState:
    """What a policy sees after each step; nothing in it can be changed.

    Parameters
    ----------
    step, n_steps : int
        Steps done, and steps in all.
    train_score : float
        Score on the training rows.
    val_score : float or None
        Score on the rows set apart, None if there are none.
    best : float
        The best score so far, on the rows set apart if there are any.
    n_no_change : int
        Steps since then.
    params : mapping of str to object
        Parameters of the estimator, read-only.

    Examples
    --------
    A policy that halves the step size when half of the steps are done:

    >>> from skhpo import TrainingState
    >>> def halve(state):
    ...     if 2 * state.step == state.n_steps:
    ...         return {"eta0": state.params["eta0"] / 2}
    ...     return {}
    >>> halve(TrainingState(5, 10, 0.9, None, 0.9, 0, {"eta0": 0.1}))
    {'eta0': 0.05}
    """

    step: int
    n_steps: int
    train_score: float
    val_score: float | None
    best: float
    n_no_change: int
    params: Params

    def after(
        self, train_score: float, val_score: float | None, params: Params
    ) -> TrainingState:
        """Return the state after one more step.

        Parameters
        ----------
        train_score : float
            Score on the training rows.
        val_score : float or None
            Score on the rows set apart.
        params : mapping of str to object
            Parameters of the estimator.

        Returns
        -------
        TrainingState
            A new one.
        """
        score = train_score if val_score is None else val_score
        improved = score > self.best
        return TrainingState(
            self.step + 1,
            self.n_steps,
            train_score,
            val_score,
            best=score if improved else self.best,
            n_no_change=0 if improved else self.n_no_change + 1,
            params=MappingProxyType(dict(params)),
        )


class ReduceOnPlateau(BaseEstimator):
    """Policy: multiply a parameter by a factor when the score no longer rises.

    Parameters
    ----------
    param : str, default="eta0"
        Name of the parameter.
    factor : float, default=0.5
        What it is multiplied by.
    patience : int, default=2
        After how many steps without a better score; again after so many more.
    min_value : float, default=0.0
        It is not set lower than that.

    Examples
    --------
    >>> from types import MappingProxyType
    >>> from skhpo import ReduceOnPlateau, TrainingState
    >>> state = TrainingState(5, 9, 0.8, None, 0.9, 2, MappingProxyType({"eta0": 0.1}))
    >>> ReduceOnPlateau()(state)
    {'eta0': 0.05}
    """

    def __init__(
        self,
        param: str = "eta0",
        factor: float = 0.5,
        patience: int = 2,
        min_value: float = 0.0,
    ) -> None:
        self.param = param
        self.factor = factor
        self.patience = patience
        self.min_value = min_value

    def __call__(self, state: TrainingState) -> dict[str, Any]:
        """Return the parameters to change."""
        if not state.n_no_change or state.n_no_change % self.patience:
            return {}
        value = max(state.params[self.param] * self.factor, self.min_value)
        return {self.param: value}
