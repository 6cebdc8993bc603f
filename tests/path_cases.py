"""The cases of ``test_paths.py``: estimators with options, values and data.

The options are those that play a part in a fit. Each class that has a path is here.
"""

import functools
import importlib
import re

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.feature_selection import f_regression, mutual_info_classif
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

ENSEMBLE, SELECTION = "sklearn.ensemble.", "sklearn.feature_selection."
NEIGHBORS, THRESHOLD = "sklearn.neighbors.", "sklearn.model_selection."
SEED = {"random_state": 0}
COUNTS = [1, 3, 4, 9]
# Without it LightGBM picks, by the clock, one of two ways to sum.
LIGHT = {"verbose": -1, "force_col_wise": True, "n_jobs": 1}
SUBSAMPLE = {"subsample": 0.6, "colsample_bytree": 0.5}
FORESTS = ["RandomForest", "ExtraTrees"]


def case(name, params, values, *data):
    """One estimator with some options, its values and the kinds of data for it."""
    for kind in data or ["binary"]:
        label = "-".join([name.rpartition(".")[2], *map(str, params.values()), kind])
        label = re.sub(" at 0x[0-9a-f]+", "", label)  # the same in every process
        yield pytest.param(name, params, values, kind, id=label[:100])


def build_cases():
    """The cases; variations are options that play a part in the fit."""
    for name in FORESTS:
        classifier, regressor = (
            f"{ENSEMBLE}{name}{kind}" for kind in ("Classifier", "Regressor")
        )
        kinds = ["binary", "classes", "csr", "frame", "outputs"]
        yield from case(classifier, SEED, COUNTS, *kinds)
        yield from case(regressor, SEED, COUNTS, "numbers", "frame-numbers")
        more = {"max_features": 0.5, "class_weight": "balanced", "max_depth": 3}
        yield from case(
            classifier, {**more, "random_state": np.random.RandomState(1)}, COUNTS
        )
        bagged = {"bootstrap": True, "max_samples": 0.5, **SEED}
        # No n_jobs: forests add up in the order in which their threads come.
        balanced = {"class_weight": "balanced_subsample", **bagged}
        yield from case(classifier, balanced, COUNTS, "classes")
        yield from case(regressor, {"criterion": "poisson", **bagged}, COUNTS, "counts")
    embedding = ENSEMBLE + "RandomTreesEmbedding"
    yield from case(embedding, SEED, COUNTS, "binary", "csr")
    dense = {"sparse_output": False, "random_state": np.random.RandomState(3)}
    yield from case(embedding, dense, COUNTS)
    yield from bagging_cases()
    yield from boosting_cases()
    yield from selection_cases()
    yield from neighbor_cases()
    yield from booster_cases()


def bagging_cases():
    for kind, data, tree in (
        ("Classifier", "classes", DecisionTreeClassifier(max_depth=2)),
        ("Regressor", "numbers", DecisionTreeRegressor(max_features=2)),
    ):
        bagging, ada = f"{ENSEMBLE}Bagging{kind}", f"{ENSEMBLE}AdaBoost{kind}"
        few = {"max_samples": 0.6, "max_features": 0.5, "bootstrap_features": True}
        yield from case(bagging, SEED, COUNTS, data)
        yield from case(bagging, {"estimator": tree, **few, **SEED}, COUNTS, data)
        drawn = {"bootstrap": False, "random_state": np.random.RandomState(5)}
        yield from case(bagging, {**few, **drawn, "n_jobs": 2}, COUNTS, data)
        yield from case(ada, SEED, COUNTS, data)
        slow = {"estimator": tree, "learning_rate": 0.3}
        yield from case(
            ada, {**slow, "random_state": np.random.RandomState(5)}, COUNTS, data
        )
    linear = {"estimator": LogisticRegression(), **SEED}
    yield from case(ENSEMBLE + "BaggingClassifier", linear, COUNTS, "binary", "csr")
    yield from case(ENSEMBLE + "AdaBoostClassifier", linear, COUNTS, "binary", "csr")
    # Perfect at the first, and worse than chance soon: both end the boosting.
    ada = ENSEMBLE + "AdaBoostClassifier"
    perfect = {"estimator": DecisionTreeClassifier(), **SEED}
    yield from case(ada, perfect, COUNTS)
    weak = {"estimator": DecisionTreeClassifier(max_depth=1, splitter="random")}
    yield from case(ada, {**weak, "learning_rate": 2.0, **SEED}, [2, 30, 60], "classes")
    weak = {"estimator": DecisionTreeRegressor(max_depth=1, splitter="random")}
    for loss in ("linear", "square", "exponential"):
        params = {**weak, "loss": loss, "learning_rate": 2.0, **SEED}
        values = [1, 6, 7, 8, 40]  # the first loss lets it stop after 7
        yield from case(ENSEMBLE + "AdaBoostRegressor", params, values, "numbers")


def boosting_cases():
    classifier = ENSEMBLE + "GradientBoostingClassifier"
    regressor = ENSEMBLE + "GradientBoostingRegressor"
    yield from case(classifier, SEED, COUNTS, "binary", "classes", "csr", "frame")
    sampled = {"subsample": 0.5, "max_features": 3}
    early = {"n_iter_no_change": 2, "tol": 0.01, "learning_rate": 0.5}
    for params in (sampled, early, {**sampled, **early}):
        yield from case(classifier, {**params, **SEED}, [2, 5, 8, 20, 40], "classes")
        drawn = {**params, "random_state": np.random.RandomState(2)}
        yield from case(regressor, drawn, [2, 5, 8, 20, 40], "numbers")
    for loss in ("absolute_error", "huber", "quantile"):
        yield from case(regressor, {"loss": loss, **SEED}, COUNTS, "numbers")
    first = {"init": DecisionTreeRegressor(max_depth=1, random_state=1)}
    yield from case(regressor, {**first, **SEED}, COUNTS, "numbers")
    yield from case(regressor, {"init": "zero", **SEED}, COUNTS, "numbers")
    classifier = ENSEMBLE + "HistGradientBoostingClassifier"
    regressor = ENSEMBLE + "HistGradientBoostingRegressor"
    small = {"min_samples_leaf": 5}
    kinds = ["binary", "classes", "frame", "missing", "categories"]
    yield from case(
        classifier, {**small, "categorical_features": "from_dtype"}, COUNTS, *kinds
    )
    drawn = {"max_features": 0.4, "random_state": np.random.RandomState(4)}
    yield from case(classifier, {**small, **drawn}, COUNTS, "classes")
    for loss in ("squared_error", "absolute_error", "quantile", "poisson", "gamma"):
        quantile = {"quantile": 0.3} if loss == "quantile" else {}
        params = {**small, "loss": loss, **quantile}
        yield from case(regressor, params, COUNTS, "counts")
    stops = {**small, "early_stopping": True, "n_iter_no_change": 2, **SEED}
    stops |= {"learning_rate": 0.5, "tol": 0.01}
    # Also 3 and 9, where they stop: with these values they would have to anyway.
    stopping = [1, 2, 3, 4, 8, 9, 10, 15]
    for params in ({}, {"scoring": "neg_log_loss"}, {"validation_fraction": None}):
        yield from case(classifier, {**stops, **params}, stopping, "classes")
    drawn = {**stops, "random_state": np.random.RandomState(4), "max_features": 0.5}
    yield from case(regressor, drawn, [2, 6, 30, 60], "numbers")


def selection_cases():
    generic = SELECTION + "GenericUnivariateSelect"
    yield from case(SELECTION + "SelectKBest", {}, [1, 2, 8], "binary", "csr", "frame")
    seeded = functools.partial(mutual_info_classif, random_state=0)
    yield from case(SELECTION + "SelectKBest", {"score_func": seeded}, [1, 3])
    yield from case(SELECTION + "SelectPercentile", {}, [0, 10, 33.3, 100], "classes")
    for name in ("SelectFpr", "SelectFdr", "SelectFwe"):
        yield from case(SELECTION + name, {}, [1e-9, 0.01, 0.5, 1.0], "binary", "csr")
        params = {"score_func": f_regression}
        yield from case(SELECTION + name, params, [0.01, 0.5], "numbers")
        mode = name.removeprefix("Select").lower()
        yield from case(generic, {"mode": mode}, [0.1, 0.2, 1.0])
    yield from case(generic, {"mode": "percentile"}, [0.1, 20, 100])
    yield from case(generic, {"mode": "k_best"}, [1, 2, 5])
    name = SELECTION + "VarianceThreshold"
    yield from case(name, {}, [0.1, 0.5, 0.9], "binary", "csr", "frame")
    tree = {"estimator": DecisionTreeClassifier(random_state=0)}
    name = SELECTION + "SelectFromModel"
    yield from case(name, tree, [-np.inf, 0.01, 0.2], "binary", "frame")
    yield from case(name, tree, ["1.5*mean", "mean", "median"])
    yield from case(name, {**tree, "max_features": 3}, [0.0, 0.01, 0.5])
    linear = {"estimator": LogisticRegression(random_state=0)}
    name = THRESHOLD + "FixedThresholdClassifier"
    yield from case(name, linear, [0.1, 0.5, 0.8], "binary", "csr", "frame")
    linear = {**linear, "response_method": "decision_function"}
    yield from case(name, {**linear, "pos_label": 0}, [-1, 0, 0.5])


def neighbor_cases():
    for kind in ("KNeighbors", "RadiusNeighbors"):
        # Radii at which each sample has neighbors: no mean of none can be scored.
        values = [1, 3, 10] if kind == "KNeighbors" else [4, 5.5, 9]
        data = ["binary", "frame", "csr"]
        outlier = {"outlier_label": None} if kind == "RadiusNeighbors" else {}
        yield from case(f"{NEIGHBORS}{kind}Classifier", outlier, values, *data)
        yield from case(f"{NEIGHBORS}{kind}Regressor", {}, values, "numbers")
        if outlier:
            outlier = {"outlier_label": "most_frequent"}
            yield from case(f"{NEIGHBORS}{kind}Classifier", outlier, [1.0, 2.0])
        weighted = {"weights": "distance", "algorithm": "ball_tree", "p": 1, **outlier}
        yield from case(f"{NEIGHBORS}{kind}Classifier", weighted, values, "classes")
        for mode in ("distance", "connectivity"):
            yield from case(f"{NEIGHBORS}{kind}Transformer", {"mode": mode}, values)
    brute = {"algorithm": "brute"}
    yield from case(NEIGHBORS + "KNeighborsClassifier", brute, [1, 70], "outputs")


def booster_cases():
    for name, options in (
        ("lightgbm.LGBM", {**LIGHT, "min_child_samples": 5}),
        ("xgboost.XGB", {"n_jobs": 1}),
    ):
        sampled = {**options, **SUBSAMPLE}
        if "LGBM" in name:
            sampled["subsample_freq"] = 1
        kinds = ["binary", "codes", "csr", "frame", "missing"]
        yield from case(name + "Classifier", options, COUNTS, *kinds)
        drawn = {**sampled, "random_state": np.random.RandomState(6)}
        yield from case(name + "Classifier", drawn, COUNTS, "codes")
        yield from case(name + "Regressor", {**sampled, **SEED}, COUNTS, "numbers")
        yield from case(name + "Regressor", {**options, "max_depth": 2}, COUNTS, "csr")
    light = "lightgbm.LGBM"
    yield from case(light + "Classifier", LIGHT, COUNTS, "categories")
    params = {"objective": "l1", **LIGHT}
    yield from case(light + "Regressor", params, COUNTS, "counts")
    params = {"class_weight": "balanced", **LIGHT}
    yield from case(light + "Classifier", params, [3, 200])
    for method in ("exact", "approx"):
        params = {"tree_method": method, "num_parallel_tree": 2, **SUBSAMPLE}
        yield from case("xgboost.XGBRegressor", params, COUNTS, "numbers")


CASES = list(build_cases())


def load(name):
    module, _, attribute = name.rpartition(".")
    if module in ("lightgbm", "xgboost"):
        pytest.importorskip(module, reason=f"{module} is not installed")
    return getattr(importlib.import_module(module), attribute)


def make_data(kind, n_samples=90):
    """Training data, read-only as those that several candidates share, and others."""
    rng = np.random.RandomState(0)
    X = rng.normal(size=(2 * n_samples, 8)) + 0.01 * np.arange(8)
    signal = X[:, 0] + X[:, 1] * X[:, 2] + 0.5 * rng.normal(size=len(X))
    y = np.digitize(signal, [0.0])
    if kind == "classes":
        y = np.array(["a", "b", "c"])[np.digitize(signal, [-0.5, 0.6])]
    elif kind == "codes":
        y = np.digitize(signal, [-0.5, 0.6])
    elif "numbers" in kind:
        y = signal
    elif kind == "counts":
        y = np.exp(signal).round() + 1.0
    elif kind == "outputs":
        y = np.column_stack([y, X[:, 3] > 0])
    if kind == "missing":
        X[rng.uniform(size=X.shape) < 0.2] = np.nan
    parts = [X[:n_samples], X[n_samples:]]
    if kind == "csr":
        parts = [sparse.csr_matrix(np.where(np.abs(X) > 0.4, X, 0)) for X in parts]
    elif kind.startswith("frame"):
        parts = [pd.DataFrame(part, columns=list("abcdefgh")) for part in parts]
    elif kind == "categories":
        parts = [pd.DataFrame(part).round().astype("category") for part in parts]
    y_train = y[:n_samples].copy()
    for array in [y_train, *buffers(parts[0])]:
        array.flags.writeable = False
    return parts[0], y_train, parts[1], y[n_samples:]


def buffers(X):
    if sparse.issparse(X):
        return [X.data, X.indices, X.indptr]
    return [X] if isinstance(X, np.ndarray) else []
