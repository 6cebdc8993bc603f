"""What a target must be like, said before the first training, and its labels."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.utils import column_or_1d, get_tags
from sklearn.utils.multiclass import check_classification_targets, unique_labels

from skhpo._sklearn_compat import num_samples
from skhpo._trial import Params
from skhpo.evaluation.training._freezing import few_rows
from skhpo.evaluation.training._parts import Parts, take_apart
from skhpo.evaluation.training._trainers import Training, grow

__all__ = ["check_target", "labels_of"]


def check_target(
    estimator: Any,
    all_params: Sequence[Params],
    training: Training,
    *,
    resource: str | None = None,
) -> None:
    """Raise if a population cannot learn its target, before it is trained.

    Tags say what a model takes, and many say too little (those of ``MLPRegressor``, for
    one). So the first member tries, on a few rows, where they rule the target out.

    Parameters
    ----------
    estimator : estimator
        What is trained, or a pipeline that ends in it.
    all_params : sequence of mapping
        The parameters of each member at birth.
    training : Training
        All the data.
    resource : str or None, default=None
        A size parameter to grow by warm start.

    Raises
    ------
    ValueError
        In scikit-learn's sentence, without the data.
    """
    y = training.y
    if y is not None and _n_columns(y) <= 1:
        return
    members = [take_apart(estimator, params, resource) for params in all_params]
    tags = [get_tags(parts.model).target_tags for parts in members]
    unsuited = [tag.required if y is None else not tag.multi_output for tag in tags]
    if not all(unsuited) or _can_train(members[0], training):
        return
    if y is None:
        name = type(members[0].model).__name__
        raise ValueError(f"{name} requires y to be passed, but the target y is None.")
    column_or_1d(y)


def _n_columns(y: Any) -> int:
    """Return the number of columns of a target; 0 if it has no rows."""
    if sparse.issparse(y):
        return 1
    return np.size(y) // max(num_samples(y), 1)


def _can_train(parts: Parts, training: Training) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            few = few_rows(parts, training).portion(0, 1)
            grow(parts.entry.trainer, clone(parts.model), few)
        except Exception:
            return False
    return True


def labels_of(y: Any, estimator: Any) -> np.ndarray | None:
    """Return all labels in `y`, None if it holds no labels, or several in a row.

    Raises
    ------
    ValueError
        If it holds none, and the estimator is a classifier: scikit-learn's sentence.
    """
    if y is None:
        return None
    try:
        if is_classifier(estimator):
            check_classification_targets(y)
    except TypeError as error:  # of labels that cannot be sorted
        raise ValueError(
            f"The labels in y cannot be told apart, since they are of several kinds: "
            f"{error}. Make all of them strings, or all of them numbers."
        ) from None
    try:
        return unique_labels(y)
    except (ValueError, TypeError):  # a continuous target, or one of several columns
        return None
