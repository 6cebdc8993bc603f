"""What the members of an ensemble see of its data: fewer rows, or other classes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from skhpo.space.suggested._sight import Sight

__all__ = ["LEAST_SHARE", "of_members"]

# The least share of the rows that a suggested space gives the members of a bag.
LEAST_SHARE = 0.1


def of_members(estimator: Any, sight: Sight) -> Sight:
    """Return what the members of an estimator are fitted on, at the least.

    Ranges that are right for all rows, such as up to n/3 neighbors, would fail there.

    Parameters
    ----------
    estimator : estimator
        Of any class; those that hand their data on as they are, change nothing.
    sight : Sight
        The data of the estimator.

    Returns
    -------
    Sight
        Those of its members.
    """
    # Here, since they take half a second to import, and few searches meet one.
    from sklearn.ensemble import BaggingClassifier, BaggingRegressor
    from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier

    if isinstance(estimator, BaggingClassifier | BaggingRegressor):
        share = _share_of_bag(estimator.max_samples, sight.n_train)
        return replace(sight, n_train=max(1, int(share * sight.n_train)))
    counts = None if sight.task != "classification" else _counts(sight.y)
    if counts is None:
        return sight
    if isinstance(estimator, OneVsRestClassifier):
        y = np.asarray(sight.y).astype(str)
        return sight.of(sight.X, y == min(counts, key=counts.__getitem__))
    if isinstance(estimator, OneVsOneClassifier):
        share = sum(sorted(counts.values())[:2]) / sum(counts.values())
        return replace(sight, n_train=max(1, int(share * sight.n_train)))
    return sight


def _share_of_bag(max_samples: Any, n_train: int) -> float:
    """Return the least share of the rows that a member may have."""
    if max_samples in (None, 1.0) and not isinstance(max_samples, int):
        return LEAST_SHARE  # the default of one version or another
    if isinstance(max_samples, int):
        return max_samples / n_train
    return float(max_samples)


def _counts(y: Any) -> dict[str, int] | None:
    """Return how many rows each class has; None if that is not a single target."""
    values = np.asarray(y)
    if values.ndim != 1 or not values.size:
        return None
    names, counts = np.unique(values.astype(str), return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))
