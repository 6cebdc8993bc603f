"""Ranges of LightGBM, XGBoost and CatBoost, none of which is imported here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from skhpo._aliases import LIGHTGBM_ROUNDS
from skhpo.space.suggested._bounds import Facts, N, at_most, rounds
from skhpo.space.suggested._rows import Case, Ladder, Rounds, Row, Span
from skhpo.space.suggested._trees import learning_rate

__all__ = ["BOOSTERS", "set_by_alias"]

# What boosters take by other names, which win over the ones in the tables.
PACKAGES = ("lightgbm", "xgboost", "catboost")
ALIASES = {
    "n_estimators": LIGHTGBM_ROUNDS,
    "iterations": ("n_estimators", "num_boost_round", "num_trees"),
    "learning_rate": ("eta", "shrinkage_rate"),
    "num_leaves": ("num_leaf", "max_leaves", "max_leaf", "max_leaf_nodes"),
    "depth": ("max_depth",),
    "min_child_samples": (
        *("min_data_in_leaf", "min_data_per_leaf", "min_data", "min_samples_leaf"),
    ),
    "colsample_bytree": ("feature_fraction", "sub_feature"),
    "rsm": ("colsample_bylevel",),
    "subsample": ("bagging_fraction", "sub_row", "bagging"),
    "reg_alpha": ("lambda_l1", "l1_regularization"),
    "reg_lambda": ("lambda_l2", "l2_regularization", "lambda"),
    "l2_leaf_reg": ("reg_lambda",),
    "gamma": ("min_split_loss",),
}

ROUNDS = rounds("n_estimators", 100)
PATIENCE = (
    *("early_stopping_round", "early_stopping_rounds", "early_stopping"),
    *("n_iter_no_change", "od_wait", "od_pval", "od_type"),
)


def _curve(name: str, holds: Callable[[Facts], bool]) -> Row:
    """Return the row of the number of rounds."""

    def is_open(facts: Facts) -> bool:
        own = facts.own
        untouched = own.get(name) == facts.defaults.get(name)
        return untouched and not any(map(own.get, PATIENCE)) and holds(facts)

    default = 100 if name == "n_estimators" else 1000
    high = rounds(name, default) if default == 100 else rounds(name, default) / 2
    return Row(
        name, 1, Rounds(high), "one fit tells of all numbers", "skhpo",
        case=Case("no early stopping of its own", is_open),
    )  # fmt: skip


def set_by_alias(estimator: Any) -> set[str]:
    """Return the parameters that a booster has been given by another name.

    Parameters
    ----------
    estimator : estimator
        Of any class; there are none of others.
    """
    if type(estimator).__module__.partition(".")[0] not in PACKAGES:
        return set()
    own = estimator.get_params(deep=False)
    return {
        name
        for name, others in ALIASES.items()
        if any(own.get(other) is not None for other in others)
    }


def _boosting_is(facts: Facts, kind: str) -> bool:
    names = ("boosting_type", "boosting", "boost")
    return any(facts.own.get(name) == kind for name in names)


LIGHTGBM = (
    _curve("n_estimators", lambda facts: not _boosting_is(facts, "dart")),
    replace(learning_rate(ROUNDS), case=Case(
        "no random forest", lambda facts: not _boosting_is(facts, "rf"))),
    Row("num_leaves", 1, Span(4, at_most(256, N / 4), log=True, integer=True),
        "size of the trees", "TabArena, FLAML, Optuna"),
    Row("min_child_samples", 1, Span(2, at_most(100, N / 10), log=True, integer=True),
        "smooths", "TabArena, FLAML, Optuna"),
    Row("colsample_bytree", 2, Span(0.4, 1.0), "features of each tree", "TabArena"),
    Row("reg_alpha", 3, Ladder(1e-4, 10.0), "l1 penalty of leaves", "Optuna, FLAML"),
    Row("reg_lambda", 3, Ladder(1e-4, 10.0), "l2 penalty of leaves", "Optuna, FLAML"),
    # Without a frequency it has no effect.
    Row("subsample", 2, Span(0.5, 1.0), "rows of each tree", "TabArena", case=Case(
        "subsample_freq above 0", lambda facts: bool(facts.own.get("subsample_freq")))),
)  # fmt: skip
XGBOOST = (
    _curve("n_estimators", lambda facts: facts.own.get("booster") in (None, "gbtree")),
    learning_rate(ROUNDS),
    Row("max_depth", 1, Span(2, 10, log=True, integer=True), "size of the trees",
        "TabArena, pytabkit", default=6),
    Row("min_child_weight", 1, Span(1e-2, 30.0, log=True), "smooths",
        "TabArena, pytabkit, FLAML", default=1.0),
    Row("subsample", 2, Span(0.5, 1.0), "rows of each tree", "pytabkit", default=1.0),
    Row("colsample_bytree", 2, Span(0.5, 1.0), "features of each tree", "pytabkit",
        default=1.0),
    Row("reg_lambda", 2, Span(1e-3, 30.0, log=True), "l2 penalty of leaves", "FLAML",
        default=1.0),
    Row("reg_alpha", 3, Ladder(1e-4, 10.0), "l1 penalty of leaves", "FLAML",
        default=0.0),
    Row("gamma", 3, Ladder(1e-4, 5.0), "no splits that hardly help", "TabArena",
        default=0.0),
)  # fmt: skip
CATBOOST = (
    _curve("iterations", lambda facts: not any(
        map(facts.own.get, ("model_shrink_rate", "langevin", "posterior_sampling")))),
    Row("learning_rate", 1, Span(0.01, 0.3, log=True), "weight of each round",
        "FLAML, pytabkit", default=0.05),
    Row("depth", 1, Span(3, 9, integer=True), "size of the trees",
        "TabArena, pytabkit", default=6),
    Row("l2_leaf_reg", 1, Span(1e-2, 30.0, log=True), "l2 penalty of leaves",
        "TabArena, pytabkit", default=3.0),
    Row("rsm", 2, Span(0.5, 1.0), "features of each split", "skhpo", default=1.0),
    Row("random_strength", 3, Span(0.0, 10.0), "random choice of splits", "pytabkit",
        default=1.0),
)  # fmt: skip

BOOSTERS = {
    "lightgbm.LGBMClassifier": LIGHTGBM,
    "lightgbm.LGBMRegressor": LIGHTGBM,
    "xgboost.XGBClassifier": XGBOOST,
    "xgboost.XGBRegressor": XGBOOST,
    "catboost.CatBoostClassifier": CATBOOST,
    "catboost.CatBoostRegressor": CATBOOST,
}
