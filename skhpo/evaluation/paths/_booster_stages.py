"""The stages of LightGBM, XGBoost and CatBoost, none of which is imported here.

LightGBM adds raw scores in the order of its trees, so they are summed here. XGBoost
takes the sum so far as ``base_margin``. CatBoost adds them in an order that depends on
their number, and is asked for each number anew: its trees predict in little time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from skhpo._aliases import LIGHTGBM_ROUNDS
from skhpo.evaluation.paths._booster_growth import LIGHTGBM_GROWTH, XGBOOST_GROWTH
from skhpo.evaluation.paths._boosters import LIGHTGBM_EXTRAS, extras
from skhpo.evaluation.paths._stages import Stages

__all__ = ["BOOSTER_STAGES", "needs_validation_rows"]

# The names that each package has for the patience of its own early stopping.
_LIGHTGBM_PATIENCE = (
    *("early_stopping_round", "early_stopping_rounds", "early_stopping"),
    "n_iter_no_change",
)
_CATBOOST_PATIENCE = ("early_stopping_rounds", "od_wait", "od_pval", "od_type")
_SECOND_WAY = (
    "{name}={value!r} would be a second way to choose the number of iterations. Leave "
    "it out."
)

# What LightGBM makes of raw scores, by its objective.
_EXPONENTIALS = ("poisson", "gamma", "tweedie")
_IDENTITIES = (
    *("regression", "regression_l1", "l1", "l2", "mae", "mse", "huber", "fair"),
    *("quantile", "mape"),
)


def _lightgbm(fitted: Any, X: Any, method: str, counts: Sequence[int]) -> Iterator[Any]:
    link = None if method == "decision_function" else _link(fitted)
    if link is None and method != "decision_function":  # in quadratic time, then
        for count in counts:
            yield getattr(fitted, method)(X, num_iteration=count)
        return
    raw, n_done = None, 0
    n_made = fitted.booster_.current_iteration()
    for count in counts:
        for number in range(n_done, min(count, n_made)):
            added = fitted.predict(
                X, raw_score=True, start_iteration=number, num_iteration=1
            )
            raw = added if raw is None else raw + added
        n_done = count
        yield raw if link is None else _lightgbm_output(fitted, link(raw), method)


def _lightgbm_output(fitted: Any, output: Any, method: str) -> Any:
    """Return what a method makes of the transformed scores."""
    if not hasattr(fitted, "classes_"):
        return output
    if output.ndim == 1:
        output = np.vstack((1.0 - output, output)).transpose()
    if method == "predict_proba":
        return output
    return fitted.classes_[np.argmax(output, axis=1)]


def _link(fitted: Any) -> Any:
    """Return the function of raw scores that LightGBM applies, None if not known."""
    params = fitted.get_params()
    if not extras(fitted) <= LIGHTGBM_EXTRAS or params["boosting_type"] != "gbdt":
        return None
    objective = fitted.objective_
    if objective in _IDENTITIES:
        return _unchanged
    return {
        "binary": _sigmoid,
        "multiclass": _softmax,
        **dict.fromkeys(_EXPONENTIALS, np.exp),
    }.get(objective if isinstance(objective, str) else "")


def _unchanged(raw: Any) -> Any:
    return raw


def _sigmoid(raw: Any) -> Any:
    return 1 / (1 + np.exp(-raw))


def _softmax(raw: Any) -> Any:
    powers = np.exp(raw - raw.max(axis=1, keepdims=True))
    total = 0.0
    for column in powers.T:  # one after the other, as LightGBM does
        total = total + column
    return powers / np.reshape(total, (-1, 1))


def _xgboost(fitted: Any, X: Any, method: str, counts: Sequence[int]) -> Iterator[Any]:
    margin, n_done = None, 0
    for count in counts:
        rounds = {"base_margin": margin, "iteration_range": (n_done, count)}
        yield getattr(fitted, method)(X, **rounds)
        margin = fitted.predict(X, output_margin=True, **rounds)
        n_done = count


def _catboost(fitted: Any, X: Any, method: str, counts: Sequence[int]) -> Iterator[Any]:
    for count in counts:
        yield getattr(fitted, method)(X, ntree_end=min(count, fitted.tree_count_))


def _refuses_lightgbm(estimator: Any, n_rows: int) -> str | None:
    params = estimator.get_params()
    for name in ("boosting_type", "boosting", "boost"):
        if params.get(name) == "dart":
            return (
                f"With {name}='dart', later rounds change earlier ones. Take 'gbdt', "
                "or list numbers of rounds."
            )
    for name in LIGHTGBM_ROUNDS:
        if params.get(name) is not None:
            return (
                f"LightGBM goes by {name}={params[name]!r}, another name of the number "
                "of rounds, and not by n_estimators. Leave it out."
            )
    return _second_way(params, _LIGHTGBM_PATIENCE)


def _refuses_xgboost(estimator: Any, n_rows: int) -> str | None:
    params = estimator.get_params()
    if params["booster"] not in (None, "gbtree"):
        return (
            f"With booster={params['booster']!r}, later rounds change earlier ones. "
            "Take 'gbtree', or list numbers of rounds."
        )
    return _second_way(params, ("early_stopping_rounds",))


def _refuses_catboost(estimator: Any, n_rows: int) -> str | None:
    params = estimator.get_params()
    if params.get("learning_rate") is None and params.get("eta") is None:
        return (
            "Without a learning_rate, CatBoost takes one that depends on the number of "
            "iterations, so that a fit with fewer is another one. Give a "
            "learning_rate, such as 0.1, or search it."
        )
    for name in ("model_shrink_rate", "langevin", "posterior_sampling"):
        if params.get(name):
            return (
                f"With {name}={params[name]!r}, later iterations change earlier ones. "
                "Leave it out."
            )
    return _second_way(params, _CATBOOST_PATIENCE)


def _second_way(params: dict[str, Any], names: Sequence[str]) -> str | None:
    """Say which of these parameters is an early stopping of its own."""
    for name in names:
        if _is_patience(params.get(name)):
            return _SECOND_WAY.format(name=name, value=params[name])
    return None


def _is_patience(value: Any) -> bool:
    """Whether a value is a patience; to LightGBM, a negative one is none."""
    return bool(value) and not (isinstance(value, Real) and value < 0)


def needs_validation_rows(
    estimator: Any, searched: Mapping[str, Iterable[Any]]
) -> tuple[str, Any] | None:
    """Return the parameter that lets each fit fail which has no validation rows.

    Parameters
    ----------
    estimator : estimator
        Any.
    searched : mapping of str to iterable
        Values that its parameters may have in the place of their own.

    Returns
    -------
    tuple of (str, object) or None
        Its name and its value; None if there is none.
    """
    names = {"lightgbm": _LIGHTGBM_PATIENCE, "xgboost": ("early_stopping_rounds",)}
    package = type(estimator).__module__.partition(".")[0]
    for name in names.get(package, ()):
        own = [estimator.get_params().get(name)]
        for value in filter(_is_patience, searched.get(name, own)):
            return name, value
    return None


_LIGHTGBM = Stages(("n_estimators",), _lightgbm, _refuses_lightgbm, LIGHTGBM_GROWTH)
_XGBOOST = Stages(("n_estimators",), _xgboost, _refuses_xgboost, XGBOOST_GROWTH)
_CATBOOST = Stages(("iterations", "n_estimators"), _catboost, _refuses_catboost)

BOOSTER_STAGES: dict[str, Stages] = {
    "catboost.CatBoostClassifier": _CATBOOST,
    "catboost.CatBoostRegressor": _CATBOOST,
    "lightgbm.LGBMClassifier": _LIGHTGBM,
    "lightgbm.LGBMRegressor": _LIGHTGBM,
    "xgboost.XGBClassifier": _XGBOOST,
    "xgboost.XGBRegressor": _XGBOOST,
}
