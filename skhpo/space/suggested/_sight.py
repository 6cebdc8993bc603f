"""Data as one part of an estimator sees them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from sklearn.base import is_classifier, is_regressor

from skhpo.space.suggested._data import DataInfo, measure

__all__ = ["Sight", "task_of"]


@dataclass(frozen=True)
class Sight:
    """Data as one part of an estimator sees them.

    Parameters
    ----------
    X, y : array-like
        Some of the rows, or all.
    task : str or None
        What `y` is.
    n_train, n_samples : int
        Rows of the smallest fit, and of all the data.
    scoring : dict of str to bool
        What is known of the score.
    notes : list of str
        What went wrong on the way; shared by all sights.
    share_left : float, default=1.0
        How much of the columns there is at the least, as earlier steps are searched.
    """

    X: Any
    y: Any
    task: str | None
    n_train: int
    n_samples: int
    scoring: dict[str, bool]
    notes: list[str] = field(default_factory=list)
    share_left: float = 1.0

    def of(self, X: Any, y: Any = None) -> Sight:
        """Return the same with other data."""
        return replace(self, X=X, y=self.y if y is None else y)

    def by(self, estimator: Any) -> Sight:
        """Return the same as a part sees it, which may have another kind of target.

        What the target is then, is not known.
        """
        task = task_of(estimator)
        if task is None or task == self.task:
            return self
        return replace(self, y=None, task=task)

    def measured(self) -> DataInfo:
        """Return sizes and units."""
        return measure(
            self.X, self.y, task=self.task, n_train=self.n_train,
            n_samples=self.n_samples, share_left=self.share_left, **self.scoring,
        )  # fmt: skip


def task_of(estimator: Any) -> str | None:
    """Return what an estimator predicts, None if nothing."""
    if is_classifier(estimator):
        return "classification"
    return "regression" if is_regressor(estimator) else None
