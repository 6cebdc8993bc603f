"""Rows as what candidates get more of: how few a first iteration has, and which."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.model_selection import TimeSeriesSplit
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.multiclass import type_of_target

from skhpo._sklearn_compat import as_numpy, num_samples
from skhpo.evaluation.fitting._subsets import Subsets
from skhpo.search._run import Problem

__all__ = ["check_classes", "least_rows", "make_subsets", "smallest_rows"]

# "auto": the fewest rows of a first iteration. Fewer cost nearly as much as all of them
# for most models (docs/decisions/cheaper.md), and choose too much regularization.
MIN_ROWS = 1000
MIN_ROWS_OF_A_CLASS = 20
# scikit-learn's "smallest": rows for each split and class.
SMALLEST = 2


def smallest_rows(problem: Problem, n_splits: int) -> int:
    """Return scikit-learn's least number of rows."""
    labels = _labels(problem, np.zeros(1, int))
    return SMALLEST * n_splits * len(np.unique(labels))


def least_rows(problem: Problem, n_splits: int, most: int, factor: float) -> int:
    """Return the fewest rows that are reasonable; raise if that leaves nothing."""
    n_rows = num_samples(problem.X)
    _, counts = np.unique(_labels(problem, np.zeros(n_rows, int)), return_counts=True)
    rarest = int(counts.min(initial=n_rows)) or 1
    least = max(
        MIN_ROWS,
        SMALLEST * n_splits * len(counts),
        math.ceil(MIN_ROWS_OF_A_CLASS * n_rows / rarest),
    )
    if most < factor * least:
        raise ValueError(
            f"Halving of rows begins with {least} of them here, and {most} are too "
            f"few: it takes {math.ceil(factor * least)}. With so few rows, a part of "
            "them costs nearly as much as all, and race=True saves more: it skips "
            "splits. Or set min_resources to a number."
        )
    return least


def make_subsets(problem: Problem, seed: np.random.SeedSequence) -> Subsets:
    """Return which rows a part of them is, as the splitter takes them."""
    n_rows = num_samples(problem.X)
    given = problem.routed.splitter.split.get("groups")
    if isinstance(problem.cv, TimeSeriesSplit):
        return Subsets(n_rows, seed, latest=True)
    if given is not None and _uses_groups(problem.cv):
        groups = np.unique(np.asarray(given), return_inverse=True)[1]
        return Subsets(n_rows, seed, groups=groups.ravel())
    return Subsets(n_rows, seed, _labels(problem, None))


def check_classes(
    problem: Problem, splits: Sequence[Any], subsets: Subsets, n_rows: int
) -> None:
    """Raise ValueError if a class is lost in a part of the rows of a split."""
    labels = _labels(problem, None)
    if labels is None or n_rows >= subsets.n_rows:
        return
    for split, (train, _) in enumerate(splits):
        part = subsets.rows(train, split, n_rows)
        classes = set(labels[np.asarray(train)].tolist())
        lost = classes - set(labels[part].tolist())
        if lost:
            raise ValueError(
                f"Of n_resources={n_rows} rows, a split has {len(part)} to train on, "
                f"and {len(lost)} of {len(classes)} classes have none among them. "
                "Give more to the first iteration by a larger min_resources."
            )


def _labels(problem: Problem, otherwise: Any) -> Any:
    """Return the classes of the rows as numbers; something else if these are none."""
    y = problem.y
    if not is_classifier(problem.estimator) or y is None:
        return otherwise
    if num_samples(y) and type_of_target(y) not in ("binary", "multiclass"):
        return otherwise
    return np.unique(as_numpy(y), return_inverse=True)[1].ravel()


def _uses_groups(cv: Any) -> bool:
    """Whether a splitter that is given groups goes by them."""
    if not hasattr(cv, "get_metadata_routing"):
        return True  # one of the user's own, to whom they are passed
    return bool(get_routing_for_object(cv).split.requests.get("groups"))
