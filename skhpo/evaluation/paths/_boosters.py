"""The paths of LightGBM and XGBoost: fewer rounds of one long training.

Neither package is imported here; their classes are known by name. The guards take
only what is tested: both packages have many options, and some, such as dropout of
trees, change the first rounds when more follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sklearn.base import clone

from skhpo.evaluation.paths._path import Path
from skhpo.evaluation.paths._sklearn import counts
from skhpo.evaluation.paths._strategies import timed_fit

__all__ = ["BOOSTER_PATHS", "LIGHTGBM_EXTRAS", "extras"]

# Options of LightGBM that are not arguments by name and are as good as those.
LIGHTGBM_EXTRAS = frozenset(
    ("deterministic", "force_col_wise", "force_row_wise", "max_bin", "verbose")
)


def lightgbm_rounds(
    estimator: Any, name: str, values: Sequence[Any], X: Any, y: Any
) -> Iterator[tuple[Any, float]]:
    """Train the most rounds; yield the estimator, bound to more and more of them.

    ``Booster.best_iteration`` is the public number of rounds that predictions and
    importances use. ``n_estimators_`` of a yielded estimator is that of the whole.
    """
    estimator.set_params(**{name: values[-1]})
    seconds = timed_fit(estimator, X, y)
    for value in values:
        estimator.booster_.best_iteration = value
        share = value / values[-1]
        yield estimator.set_params(**{name: value}), seconds * share


def xgboost_rounds(
    estimator: Any, name: str, values: Sequence[Any], X: Any, y: Any
) -> Iterator[tuple[Any, float]]:
    """Train the most rounds; yield estimators that have loaded the first of them."""
    estimator.set_params(**{name: values[-1]})
    seconds = timed_fit(estimator, X, y)
    booster, params = estimator.get_booster(), estimator.get_params()
    for value in values:
        fitted = clone(estimator)
        fitted.load_model(booster[: int(value)].save_raw())
        # Loading has set some parameters to what the booster says.
        fitted.set_params(**{**params, name: value})
        yield fitted, seconds * value / values[-1]


def _lightgbm(estimator: Any, values: Sequence[Any], X: Any, y: Any) -> bool:
    params = estimator.get_params()
    return (
        counts(values)
        and extras(estimator) <= LIGHTGBM_EXTRAS
        and params["boosting_type"] == "gbdt"
        and not callable(params["objective"])
    )


def _xgboost(estimator: Any, values: Sequence[Any], X: Any, y: Any) -> bool:
    params = estimator.get_params()
    return (
        counts(values)
        and not extras(estimator)
        and params["booster"] in (None, "gbtree")
        and params["device"] in (None, "cpu")
        and params["multi_strategy"] in (None, "one_output_per_tree")
        and params["early_stopping_rounds"] is None
        and params["callbacks"] is None
        and not callable(params["objective"])
        and not _has_categories(X)
    )


def _has_categories(X: Any) -> bool:
    """Whether a data frame has such columns: kept beside the trees, and not tested."""
    kinds = [str(dtype).lower() for dtype in getattr(X, "dtypes", ())]
    return any(kind.startswith(("cat", "dict", "enum")) for kind in kinds)


def extras(estimator: Any) -> set[str]:
    """Return the names of the options that came through ``**kwargs``."""
    return set(estimator.get_params()) - set(type(estimator)().get_params())


_LIGHTGBM = Path("n_estimators", lightgbm_rounds, _lightgbm)
_XGBOOST = Path("n_estimators", xgboost_rounds, _xgboost)

BOOSTER_PATHS: dict[str, Path] = {
    "lightgbm.LGBMClassifier": _LIGHTGBM,
    "lightgbm.LGBMRegressor": _LIGHTGBM,
    "xgboost.XGBClassifier": _XGBOOST,
    "xgboost.XGBRegressor": _XGBOOST,
}
