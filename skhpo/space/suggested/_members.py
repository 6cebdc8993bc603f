"""What the members of an ensemble see of its data: fewer rows, or other classes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from skhpo.space.suggested._data import rows_of
from skhpo.space.suggested._sight import Sight

__all__ = ["LEAST_SHARE", "of_members"]

# The least share of the rows that a suggested space gives the members of a bag.
LEAST_SHARE = 0.1
# What stands in the place of a label that is not known.
UNLABELED = -1


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
    from sklearn.semi_supervised import SelfTrainingClassifier

    if isinstance(estimator, BaggingClassifier | BaggingRegressor):
        share = _share_of_bag(estimator.max_samples, sight.n_train)
        return replace(sight, n_train=max(1, int(share * sight.n_train)))
    if isinstance(estimator, SelfTrainingClassifier) and sight.y is not None:
        return _labeled(sight)
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


def _labeled(sight: Sight) -> Sight:
    """Return the rows that have a label: the first fit of self-training has no more."""
    labeled = np.flatnonzero(np.asarray(sight.y) != UNLABELED)
    if not labeled.size:
        return sight
    share = len(labeled) / len(sight.y)
    n_train = max(1, int(share * sight.n_train))
    X, y = rows_of(sight.X, labeled), rows_of(sight.y, labeled)
    return replace(sight, X=X, y=y, n_train=n_train)


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
