"""Published values: what others found good on many data sets, to be tried early."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["TUNED", "tuned_params"]

_PYTABKIT = "pytabkit (Holzmueller 2024), tuned defaults"
_AUTOGLUON = "AutoGluon zero-shot 2023"
# By class: the values, the source.
TUNED: dict[str, tuple[tuple[Mapping[str, Any], str], ...]] = {
    "RandomForestClassifier": (
        ({"max_features": 0.75, "min_samples_leaf": 1}, _AUTOGLUON),
    ),
    "RandomForestRegressor": (
        ({"max_features": 0.75, "min_samples_leaf": 1}, _AUTOGLUON),
    ),
    "LGBMClassifier": (
        ({"learning_rate": 0.04, "num_leaves": 50, "min_child_samples": 40,
            "subsample": 0.75}, _PYTABKIT),
    ),
    "LGBMRegressor": (
        ({"learning_rate": 0.05, "num_leaves": 100, "min_child_samples": 3,
            "subsample": 0.7}, _PYTABKIT),
    ),
    "XGBClassifier": (
        ({"learning_rate": 0.08, "max_depth": 6, "min_child_weight": 5e-6,
            "reg_lambda": 0.0, "subsample": 0.65}, _PYTABKIT),
    ),
    "XGBRegressor": (
        ({"learning_rate": 0.05, "max_depth": 9, "min_child_weight": 2.0,
            "reg_lambda": 0.0, "subsample": 0.7}, _PYTABKIT),
    ),
    "CatBoostClassifier": (
        ({"learning_rate": 0.08, "depth": 7, "l2_leaf_reg": 1e-5,
            "random_strength": 0.8}, _PYTABKIT),
    ),
    "CatBoostRegressor": (
        ({"learning_rate": 0.09, "depth": 9, "l2_leaf_reg": 1e-5,
            "random_strength": 0.0}, _PYTABKIT),
    ),
}  # fmt: skip


def tuned_params(estimator: Any) -> list[Mapping[str, Any]]:
    """Return the published values for the class of an estimator.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> tuned_params(SVC())
    []
    """
    return [params for params, _ in TUNED.get(type(estimator).__name__, ())]
