"""Splits of small data are sliced once, and each fit has them as if they were new."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.linear_model import Ridge

from skhpo.evaluation.fitting._spec import EvaluationSpec, SlicedSplit


def spec_of(n_rows: int, **options: Any) -> EvaluationSpec:
    X, y = np.ones((n_rows, 10)), np.ones(n_rows)
    rows = np.arange(n_rows)
    splits = [(rows[5:], rows[:5]), (rows[:-5], rows[-5:])]
    return EvaluationSpec(Ridge(), X, y, splits, scorer=None, **options)


def test_a_fit_that_writes_changes_no_split_that_is_kept() -> None:
    spec = spec_of(100)
    for _ in range(2):
        data = SlicedSplit(spec, 1).for_estimator(spec.estimator)
        for part in (data.X_train, data.y_train, data.X_test, data.y_test):
            assert np.all(part == 1)
            part[:] = 9
    assert np.all(spec.X == 1)
    lent = SlicedSplit(spec, 1, lending=True).for_estimator(spec.estimator)
    assert np.all(lent.X_train == 1)
    assert not lent.X_train.flags.writeable


def test_small_splits_are_sliced_once_and_not_pickled() -> None:
    small = spec_of(100)
    first, second = (SlicedSplit(small, 0).for_estimator(Ridge()) for _ in range(2))
    assert first.slice_time == second.slice_time  # a time that is not measured twice
    assert small.kept_splits is not None
    assert set(small.__getstate__()).isdisjoint({"kept_splits", "prototype"})
    assert spec_of(100_000).kept_splits is None
    assert spec_of(100, fit_params={"sample_weight": np.ones(100)}).kept_splits is None
