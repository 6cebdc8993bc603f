"""LightGBM, XGBoost and CatBoost with a curve: rows are what fits of their own give."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.datasets import make_classification, make_regression
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skhpo import BayesSearch, GridSearch, RandomSearch
from skhpo.evaluation._stage import end_of_patience
from skhpo.evaluation.fitting._chunk import can_grow
from skhpo.evaluation.paths._booster_stages import _LIGHTGBM_PATIENCE, BOOSTER_STAGES
from skhpo.evaluation.paths._stage_registry import find_stages
from skhpo.exceptions import InvalidSpaceError, SkhpoWarning
from skhpo.search import _patient
from skhpo.space import Choice, Curve, Integer

X, Y = make_classification(120, 6, n_informative=4, random_state=0)
X3, Y3 = make_classification(120, 6, n_informative=4, n_classes=3, random_state=1)
X_REG, Y_REG = make_regression(120, 6, noise=5.0, random_state=0)
POSITIVE = np.abs(Y_REG) + 1.0
LIGHT = {"min_child_samples": 5, "n_jobs": 1, "verbose": -1, "random_state": 0}
RANDOM = {"subsample": 0.5, "subsample_freq": 1, "colsample_bytree": 0.5}
EXTREME = {"n_jobs": 1, "random_state": 0}
CAT = {
    **{"thread_count": 1, "verbose": 0, "allow_writing_files": False},
    **{"learning_rate": 0.3, "depth": 3, "random_state": 0},
}
CASES = [
    ("lightgbm.LGBMClassifier", LIGHT, X, Y),
    ("lightgbm.LGBMClassifier", {**LIGHT, **RANDOM}, X, Y),
    ("lightgbm.LGBMClassifier", {**LIGHT, "data_sample_strategy": "goss"}, X, Y),
    ("lightgbm.LGBMClassifier", {**LIGHT, **RANDOM, "boosting_type": "rf"}, X, Y),
    ("lightgbm.LGBMClassifier", {**LIGHT, "objective": "cross_entropy"}, X, Y),
    ("lightgbm.LGBMClassifier", LIGHT, X3, Y3),
    ("lightgbm.LGBMClassifier", {**LIGHT, "objective": "multiclassova"}, X3, Y3),
    ("lightgbm.LGBMRegressor", LIGHT, X_REG, Y_REG),
    ("lightgbm.LGBMRegressor", {**LIGHT, "objective": "poisson"}, X_REG, POSITIVE),
    ("lightgbm.LGBMRegressor", {**LIGHT, "objective": "l1"}, X_REG, Y_REG),
    ("lightgbm.LGBMRegressor", {**LIGHT, "reg_sqrt": True}, X_REG, Y_REG),
    # It stops of itself: the rows do not suffice for one split.
    ("lightgbm.LGBMRegressor", {**LIGHT, "min_child_samples": 60}, X_REG, Y_REG),
    ("xgboost.XGBClassifier", EXTREME, X, Y),
    ("xgboost.XGBClassifier", {**EXTREME, "subsample": 0.5}, X3, Y3),
    ("xgboost.XGBClassifier", {**EXTREME, "num_parallel_tree": 3}, X, Y),
    ("xgboost.XGBClassifier", {**EXTREME, "tree_method": "exact"}, X, Y),
    ("xgboost.XGBRegressor", EXTREME, X_REG, Y_REG),
    (
        "xgboost.XGBRegressor",
        {**EXTREME, "objective": "count:poisson"},
        X_REG,
        POSITIVE,
    ),
    ("xgboost.XGBRegressor", EXTREME, X_REG, np.c_[Y_REG, POSITIVE]),
    ("catboost.CatBoostClassifier", CAT, X, Y),
    ("catboost.CatBoostClassifier", {**CAT, "boosting_type": "Ordered"}, X, Y),
    ("catboost.CatBoostClassifier", {**CAT, "bootstrap_type": "Bernoulli"}, X3, Y3),
    ("catboost.CatBoostRegressor", CAT, X_REG, Y_REG),
    (
        "catboost.CatBoostRegressor",
        {**CAT, "loss_function": "Poisson"},
        X_REG,
        POSITIVE,
    ),
]


def make(name, **params):
    """Return an estimator of the class that has this name."""
    module, _, kind = name.rpartition(".")
    return getattr(pytest.importorskip(module), kind)(**params)


def test_every_class_with_stages_is_tested():
    """A new entry needs a case."""
    assert {name for name, *_ in CASES} == set(BOOSTER_STAGES)


@pytest.mark.parametrize(("name", "params", "X", "y"), CASES)
def test_stages_equal_fits_with_fewer_iterations(name, params, X, y):
    """In all outputs, at any selection of stages."""
    counts = (1, 3, 4, 9)
    estimator = make(name, **params)
    stages = find_stages(estimator)
    size = stages.parameters[0]
    whole = clone(estimator).set_params(**{size: counts[-1]}).fit(X[:80], y[:80])
    plain = [
        clone(estimator).set_params(**{size: count}).fit(X[:80], y[:80])
        for count in counts
    ]
    for method in ("predict", "predict_proba", "decision_function"):
        if hasattr(whole, method):
            outputs = stages.outputs(whole, X[80:], method, counts)
            for fitted, output in zip(plain, outputs, strict=True):
                expected = getattr(fitted, method)(X[80:])
                np.testing.assert_array_equal(output, expected, strict=True)


@pytest.mark.parametrize(
    ("name", "params", "X", "y"),
    [case for case in CASES if case[1] in (LIGHT, EXTREME, CAT)],
)
@pytest.mark.parametrize("in_pipeline", [False, True])
def test_a_row_is_what_cross_validation_gives(name, params, X, y, in_pipeline):
    """For the params that it shows, alone and at the end of a pipeline."""
    estimator = make(name, **params)
    size = "n_estimators"
    scoring = "neg_log_loss" if is_classifier(estimator) else "r2"
    if in_pipeline:
        estimator = make_pipeline(StandardScaler(), estimator)
        size = f"{estimator.steps[-1][0]}__{size}"
    cv = KFold(2)
    with warnings.catch_warnings():  # the best may well be the largest number here
        warnings.simplefilter("ignore", SkhpoWarning)
        search = GridSearch(estimator, {size: Curve(6)}, scoring=scoring, cv=cv)
        search.fit(X, y)
    (chosen,) = search.cv_results_["params"]
    fitted = clone(estimator).set_params(**chosen)
    expected = cross_val_score(fitted, X, y, cv=cv, scoring=scoring)
    scores = [search.cv_results_[f"split{i}_test_score"][0] for i in range(2)]
    assert scores == expected.tolist()


@pytest.mark.parametrize(("name", "params", "X", "y"), CASES)
def test_patience_cuts_the_curve(name, params, X, y, monkeypatch):
    """Whether fits go on from fits with fewer rounds, or go to the end at once."""
    monkeypatch.setattr(_patient, "FIRST_CHUNK", 2)
    estimator = make(name, **params)
    scoring = "neg_log_loss" if is_classifier(estimator) else "r2"
    options = {"scoring": scoring, "cv": KFold(2), "refit": False}
    curves = {
        patience: _curve_of(estimator, Curve(15, patience=patience), X, y, options)
        for patience in (None, 3)
    }
    (stages, scores, _), (cut_stages, cut_scores, _) = curves.values()
    end = end_of_patience(stages, scores.mean(axis=0), 3) or 15
    np.testing.assert_array_equal(cut_stages, stages[stages <= end])
    np.testing.assert_array_equal(cut_scores, scores[:, stages <= end])
    grows = can_grow(estimator, {})
    assert grows == (name.startswith(("light", "xgb")) and _draws_nothing(params))


def _curve_of(estimator, curve, X, y, options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkhpoWarning)
        search = GridSearch(estimator, {"n_estimators": curve}, **options)
        return search.fit(X, y).curve_of(0)


def _draws_nothing(params):
    """Whether it is one of those that go on exactly, by what was tested."""
    odd = ("data_sample_strategy", "reg_sqrt", "num_parallel_tree", "boosting_type")
    return not any(name in params for name in ("objective", "subsample", *odd))


def test_the_score_of_catboost_itself_is_taken_as_it_is():
    """It is a method of its own class: some fits are done in the place of stages."""
    estimator = make("catboost.CatBoostClassifier", **CAT)
    search = GridSearch(estimator, {"iterations": Curve(6)}, cv=KFold(2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkhpoWarning)
        search.fit(X, Y)
    chosen = clone(estimator).set_params(**search.best_params_)
    expected = cross_val_score(chosen, X, Y, cv=KFold(2))
    assert search.best_score_ == expected.mean()


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("lightgbm.LGBMClassifier", {"boosting_type": "dart"}, "Take 'gbdt'"),
        ("lightgbm.LGBMClassifier", {"boosting": "dart"}, "Take 'gbdt'"),
        ("lightgbm.LGBMClassifier", {"early_stopping_round": 5}, "Leave it out"),
        ("lightgbm.LGBMClassifier", {"num_boost_round": 30}, "num_boost_round=30"),
        ("lightgbm.LGBMClassifier", {"max_iter": 30}, "max_iter=30"),
        ("xgboost.XGBClassifier", {"booster": "dart"}, "Take 'gbtree'"),
        ("xgboost.XGBClassifier", {"booster": "gblinear"}, "Take 'gbtree'"),
        ("xgboost.XGBClassifier", {"early_stopping_rounds": 5}, "Curve"),
        ("catboost.CatBoostClassifier", {}, "Give a learning_rate"),
        (
            "catboost.CatBoostClassifier",
            {"learning_rate": 0.1, "model_shrink_rate": 0.1},
            "model_shrink_rate=0.1",
        ),
        (
            "catboost.CatBoostClassifier",
            {"learning_rate": 0.1, "early_stopping_rounds": 5},
            "second way",
        ),
    ],
)
def test_what_has_no_stages_is_refused(name, params, message):
    """Before the first fit, with what would work."""
    search = GridSearch(make(name, **params), {"n_estimators": Curve(9)})
    with pytest.raises(ValueError, match=message):
        search.fit(X, Y)


@pytest.mark.parametrize(
    ("name", "argument"),
    [("lightgbm.LGBMRegressor", "init_model"), ("xgboost.XGBRegressor", "xgb_model")],
)
def test_a_model_to_go_on_from_is_refused(name, argument):
    """Its rounds would be counted as those of the curve."""
    booster = make(name, n_jobs=1)
    for options in (
        {"param_grid": {"n_estimators": Curve(9)}},
        {"resource": "n_estimators", "max_resources": 8, "param_grid": {}},
    ):
        with pytest.raises(ValueError, match=f"{argument!r} puts the iterations"):
            GridSearch(booster, **options).fit(X_REG, Y_REG, **{argument: "model.txt"})


@pytest.mark.parametrize(
    ("name", "params", "argument"),
    [
        ("lightgbm.LGBMRegressor", LIGHT, "init_score"),
        ("xgboost.XGBRegressor", EXTREME, "base_margin"),
    ],
)
def test_patience_where_fits_begin_with_scores(name, params, argument):
    """A model to go on from would take their place: each fit is a whole one."""
    booster = make(name, learning_rate=0.02, **params)
    space = {"n_estimators": Curve(50, patience=10)}
    first = {argument: np.linspace(-90, 90, len(Y_REG))}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkhpoWarning)
        search = GridSearch(booster, space, cv=KFold(2)).fit(X_REG, Y_REG, **first)
    chosen = clone(booster).set_params(**search.best_params_)
    assert search.best_params_["n_estimators"] > 32  # more than one portion
    expected = cross_val_score(chosen, X_REG, Y_REG, cv=KFold(2), params=first)
    assert search.best_score_ == expected.mean()


def test_values_in_the_space_count(recwarn):
    """A learning rate may come from there, and a booster that cannot is refused."""
    catboost = make("catboost.CatBoostClassifier", **{**CAT, "learning_rate": None})
    space = {"iterations": Curve(3), "learning_rate": [0.1, 0.5]}
    search = GridSearch(catboost, space, scoring="accuracy", cv=2).fit(X, Y)
    assert len(search.cv_results_["params"]) == 2
    xgboost = make("xgboost.XGBClassifier")
    space = {"n_estimators": Curve(3), "booster": ["gbtree", "dart"]}
    with pytest.raises(InvalidSpaceError, match="booster='dart'"):
        GridSearch(xgboost, space, cv=2).fit(X, Y)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("xgboost.XGBClassifier", {"early_stopping_rounds": 20}),
        ("lightgbm.LGBMClassifier", {"early_stopping_round": 20}),
    ],
)
def test_early_stopping_without_validation_rows_is_refused(name, params):
    """Every fit would fail; what is wanted is a curve, and the error says so."""
    booster = make(name, n_estimators=3, n_jobs=1, **params)
    pipeline = make_pipeline(StandardScaler(), booster)
    prefix = pipeline.steps[-1][0]
    grid = {f"{prefix}__max_depth": [2, 3]}
    message = f"{{'{prefix}__n_estimators': Curve"
    with pytest.raises(ValueError, match=message):
        GridSearch(pipeline, grid).fit(X, Y)
    rows = {"eval_set": [(X[:20], Y[:20])]}
    GridSearch(booster, {"max_depth": [2]}, cv=2).fit(X, Y, **rows)  # fine, as it was
    with pytest.raises(ValueError, match="eval_set"):
        GridSearch(
            booster.set_params(**dict.fromkeys(params)), {"n_estimators": Curve(5)}
        ).fit(X, Y, **rows)


STOPPING = [
    *(("lightgbm.LGBMClassifier", name) for name in _LIGHTGBM_PATIENCE),
    ("xgboost.XGBClassifier", "early_stopping_rounds"),
]


@pytest.mark.parametrize("in_pipeline", [False, True])
@pytest.mark.parametrize("search", [GridSearch, RandomSearch, BayesSearch])
@pytest.mark.parametrize(("name", "parameter"), STOPPING)
def test_a_space_with_early_stopping_is_refused(name, parameter, search, in_pipeline):
    """Before the first fit, since all with one of the values would fail."""
    booster = make(name, n_estimators=3, n_jobs=1)
    estimator = make_pipeline(StandardScaler(), booster) if in_pipeline else booster
    prefix = f"{estimator.steps[-1][0]}__" if in_pipeline else ""
    for space in (
        {f"{prefix}{parameter}": [5, 10]},
        {f"{prefix}max_depth": [2], f"{prefix}{parameter}": [None, 5]},
        [{f"{prefix}max_depth": [2]}, {f"{prefix}{parameter}": Integer(5, 9)}],
        {f"{prefix}max_depth": Choice({2: {}, 3: {f"{prefix}{parameter}": [5]}})},
    ):
        made = search(estimator, space, cv=2)
        message = f"{parameter}=5 needs.*'{prefix}n_estimators': Curve"
        with pytest.raises(ValueError, match=message):
            made.fit(X, Y)
        with pytest.raises(ValueError, match=message):  # it names no rows
            made.fit(X, Y, **{f"{prefix}eval_metric": "auc"} if "light" in name else {})


def test_early_stopping_of_a_searched_step_is_refused():
    """One of the steps to choose from is enough."""
    boosters = [make("lightgbm.LGBMClassifier", n_estimators=3, n_jobs=1)]
    boosters += [clone(boosters[0]).set_params(early_stopping_round=5)]
    pipeline = make_pipeline(StandardScaler(), boosters[0])
    search = GridSearch(pipeline, {"lgbmclassifier": boosters}, cv=2)
    with pytest.raises(ValueError, match="early_stopping_round=5 needs"):
        search.fit(X, Y)


def test_no_early_stopping_in_the_space_is_none():
    """Nor is one that has validation rows, or whose failures have a score."""
    booster = make("lightgbm.LGBMClassifier", n_estimators=3, **LIGHT)
    grid = {"early_stopping_round": [None, 0, -1]}
    GridSearch(booster, grid, cv=2, error_score="raise").fit(X, Y)
    rows = {"eval_set": [(X[:20], Y[:20])]}
    own = clone(booster).set_params(early_stopping_round=5)
    GridSearch(own, grid, cv=2, error_score="raise").fit(X, Y)
    grid = {"early_stopping_round": [None, 2]}
    GridSearch(booster, grid, cv=2, error_score="raise").fit(X, Y, **rows)
    search = GridSearch(booster, grid, cv=2, error_score=-1.0)
    with pytest.warns(FitFailedWarning):
        search.fit(X, Y)
    assert search.cv_results_["mean_test_score"][1] == -1.0


@pytest.mark.parametrize("patience", [None, 10])
@pytest.mark.parametrize("in_pipeline", [False, True])
def test_callbacks_that_only_log_change_no_curve(patience, in_pipeline):
    """Any other callback may choose the number of rounds, or change what is fitted."""
    lightgbm = pytest.importorskip("lightgbm")
    estimator = make("lightgbm.LGBMClassifier", **LIGHT)
    prefix = ""
    if in_pipeline:
        estimator, prefix = (
            make_pipeline(StandardScaler(), estimator),
            "lgbmclassifier__",
        )
    options = {"scoring": "neg_log_loss", "cv": KFold(2)}
    space = {f"{prefix}n_estimators": Curve(40, patience=patience)}
    plain = GridSearch(estimator, space, **options).fit(X, Y)
    logs = {f"{prefix}callbacks": [lightgbm.log_evaluation()]}
    search = GridSearch(estimator, space, **options).fit(X, Y, **logs)
    assert search.cv_results_["params"] == plain.cv_results_["params"]
    for curves in zip(search.curve_of(0), plain.curve_of(0), strict=True):
        np.testing.assert_array_equal(*curves)
    for other in (
        lightgbm.early_stopping(5),
        lightgbm.record_evaluation({}),
        lightgbm.reset_parameter(learning_rate=[0.1] * 40),
        print,
    ):
        logs = {f"{prefix}callbacks": [lightgbm.log_evaluation(), other]}
        with pytest.raises(ValueError, match="lets the estimator choose"):
            search.fit(X, Y, **logs)
