"""Paths: what they yield equals plain fits, bit for bit, and guards refuse the rest.

That is the contract of an entry of the registry, so each has a case here.
"""

import importlib
import warnings

import numpy as np
import pandas as pd
import pytest
from estimators import Threshold
from joblib import parallel_config
from numpy.testing import assert_array_equal
from path_cases import CASES, COUNTS, ENSEMBLE, SEED, SELECTION, load, make_data
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin, clone, is_regressor
from sklearn.feature_selection import (
    SelectKBest,
    f_classif,
    mutual_info_classif,
)
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skhpo.evaluation.paths._boosters import BOOSTER_PATHS
from skhpo.evaluation.paths._registry import PATHS, find_path, register_path
from skhpo.evaluation.paths._sklearn import SKLEARN_PATHS


def mutual_info(X, y):
    """An open seed that no guard can see."""
    return mutual_info_classif(X, y)


def dense(output):
    return output.toarray() if sparse.issparse(output) else np.asarray(output)


def outputs(fitted, X, y):
    """All that a scorer or the next step may ask of a fitted estimator."""
    result = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no feature selected, no neighbor in reach
        for method in ("predict", "predict_proba", "decision_function", "transform"):
            if hasattr(fitted, method):
                output = getattr(fitted, method)(X)
                parts = output if isinstance(output, list) else [output]
                result |= {(method, n): dense(part) for n, part in enumerate(parts)}
        if hasattr(fitted, "predict"):
            result["score"] = dense(fitted.score(X, y))
    return result


def fitted_attributes(fitted):
    """The public ones that hold numbers; lists of members by their length."""
    names = [name for name in vars(fitted) if name.endswith("_") and name[0] != "_"]
    names += ["feature_importances_", "estimators_samples_"]
    result = {}
    for name in names:
        try:
            value = getattr(fitted, name)
        except (AttributeError, ValueError):
            continue
        if isinstance(value, list) or (isinstance(value, np.ndarray) and value.ndim):
            result[name, "length"] = len(value)
        is_number = isinstance(value, np.ndarray | np.generic | int | float)
        if is_number and np.asarray(value).dtype.kind != "O":
            result[name] = value
    return result


def comparable(params):
    """Parameters with values that have an equality."""
    return {
        name: type(value) if hasattr(value, "get_params") else repr(value)
        for name, value in params.items()
        if not isinstance(value, np.random.RandomState)
    }


def assert_equal(found, expected):
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert_array_equal(found[key], value, err_msg=str(key), strict=True)


@pytest.fixture
def _threads():
    with parallel_config("threading"):  # worker processes take seconds to start
        yield


@pytest.mark.thinned
@pytest.mark.usefixtures("_threads")
@pytest.mark.parametrize(("name", "params", "values", "kind"), CASES)
def test_paths_equal_plain_fits(name, params, values, kind):
    estimator = clone(load(name)(**params))
    X, y, X_test, y_test = make_data(kind)
    if name.startswith("lightgbm") and kind == "csr":
        y = y.astype(float)  # its regressor wants them so, and the others do not mind
    path = find_path(estimator)
    assert path.applies(estimator, values, X, y)
    fits = path.fit(clone(estimator), values, X, y)
    for value, (fitted, seconds) in zip(values, fits, strict=True):
        plain = clone(estimator).set_params(**{path.name: value}).fit(X, y)
        assert type(fitted) is type(plain)
        assert comparable(fitted.get_params()) == comparable(plain.get_params())
        for data in ((X_test, y_test), (X, y)):
            assert_equal(outputs(fitted, *data), outputs(plain, *data))
        if not name.startswith("lightgbm"):  # which keeps the rest of the rounds
            assert_equal(fitted_attributes(fitted), fitted_attributes(plain))
        assert seconds > 0


def test_early_stops_happen():
    """Else their cases would show nothing: some values lie beyond the stop."""
    stopped = set()
    for name, params, values, kind in (entry.values for entry in CASES):
        if "Boost" not in name or not name.startswith(ENSEMBLE):
            continue
        estimator = clone(load(name)(**params))
        path = find_path(estimator)
        X, y, *_ = make_data(kind)
        *_, (fitted, _) = path.fit(estimator, values[-2:], X, y)
        members = getattr(fitted, "estimators_", ())
        if getattr(fitted, "n_iter_", len(members)) < values[-2]:
            stopped.add(name)
    assert stopped == {name for name in SKLEARN_PATHS if "Boost" in name}


def test_every_entry_has_a_case():
    assert {case.values[0] for case in CASES} == {*SKLEARN_PATHS, *BOOSTER_PATHS}


@pytest.mark.parametrize("name", SKLEARN_PATHS)
def test_names_are_those_of_classes(name):
    path = find_path(object.__new__(load(name)))
    assert path is SKLEARN_PATHS[name]


def test_regressors_fit_the_ones_meant():
    """The data kinds of the cases are of use only if they fit the estimators."""
    for entry in CASES:
        name, _, _, kind = entry.values
        if name.startswith("sklearn") and "numbers" in kind and "Select" not in name:
            assert is_regressor(load(name)())


TREES = {"n_estimators": 2, "random_state": 0}
HIST = ENSEMBLE + "HistGradientBoostingClassifier"
REFUSED = [
    ("RandomForestClassifier", {"random_state": None}, COUNTS),
    ("RandomForestClassifier", {**TREES, "warm_start": True}, COUNTS),
    ("RandomForestClassifier", {**TREES, "oob_score": True}, COUNTS),
    ("RandomForestClassifier", TREES, [0, 5]),
    ("RandomForestClassifier", TREES, [False, True]),
    ("RandomForestClassifier", TREES, [1.0, 5.0]),
    ("RandomForestClassifier", TREES, ["1", "2"]),
    ("RandomForestClassifier", TREES, [5]),
    ("BaggingRegressor", {**TREES, "oob_score": True}, COUNTS),
    ("BaggingRegressor", {"random_state": None}, COUNTS),
    ("AdaBoostClassifier", {"random_state": None}, COUNTS),
    ("GradientBoostingRegressor", {"random_state": None}, COUNTS),
    ("GradientBoostingRegressor", {**TREES, "init": DecisionTreeRegressor()}, COUNTS),
    ("GradientBoostingRegressor", {**TREES, "warm_start": True}, COUNTS),
    ("HistGradientBoostingClassifier", {"warm_start": True}, COUNTS),
    ("HistGradientBoostingClassifier", {"max_features": 0.5}, COUNTS),
    ("HistGradientBoostingClassifier", {"early_stopping": True}, COUNTS),
    (
        "HistGradientBoostingClassifier",
        {"early_stopping": True, "scoring": lambda *_: 0.0, **SEED},
        COUNTS,
    ),
    ("SelectKBest", {}, [1, 9]),
    ("SelectKBest", {}, [0, 5]),
    ("SelectKBest", {}, ["all", "al"]),
    ("SelectKBest", {"score_func": mutual_info_classif}, [1, 5]),
    ("SelectPercentile", {}, [10, 101]),
    ("SelectPercentile", {}, [-1, 10]),
    ("SelectFdr", {}, [0.5, 1.5]),
    ("SelectFdr", {}, [float("nan"), 0.5]),
    ("GenericUnivariateSelect", {"mode": "k_best"}, [1.0, 2.0]),
    ("VarianceThreshold", {}, [0.0, 0.1]),
    ("SelectFromModel", {"estimator": DecisionTreeClassifier()}, [0.0, 0.1]),
    ("SelectFromModel", {"estimator": LogisticRegression(), "prefit": True}, [0, 1]),
    (
        "FixedThresholdClassifier",
        {"estimator": DecisionTreeClassifier()},
        [0.1, 0.5],
    ),
    ("KNeighborsClassifier", {}, [44, 45]),
    ("KNeighborsRegressor", {}, [0, 5]),
    ("RadiusNeighborsRegressor", {}, [-1.0, 5]),
    ("LGBMClassifier", {"boosting_type": "dart"}, COUNTS),
    ("LGBMClassifier", {"num_iterations": 5}, COUNTS),
    ("LGBMClassifier", {"objective": len}, COUNTS),
    ("XGBClassifier", {"booster": "dart"}, COUNTS),
    ("XGBClassifier", {"early_stopping_rounds": 5}, COUNTS),
    ("XGBClassifier", {"process_type": "update"}, COUNTS),
    ("XGBClassifier", {"multi_strategy": "multi_output_tree"}, COUNTS),
]


@pytest.mark.parametrize(("short", "params", "values"), REFUSED)
def test_guards_refuse(short, params, values):
    tables = {**SKLEARN_PATHS, **BOOSTER_PATHS}
    name = next(name for name in tables if name.endswith("." + short))
    estimator = load(name)(**params)
    X, y, *_ = make_data("binary")
    assert not find_path(estimator).applies(estimator, values, X, y)


def test_guards_that_ask_for_the_data():
    neighbors = KNeighborsClassifier()
    path = find_path(neighbors)
    X, y, *_ = make_data("binary")
    # Brute force for both values, or for none; by choice, for sparse and wide data.
    assert path.applies(neighbors, [45, 60], X, y)
    assert path.applies(neighbors, [1, 60], sparse.csr_matrix(X), y)
    assert path.applies(neighbors, [1, 60], np.hstack([X, X]), y)
    assert path.applies(KNeighborsClassifier(algorithm="kd_tree"), [1, 60], X, y)
    assert not path.applies(neighbors, [1, 5], X.tolist(), y)
    hist = load(HIST)()
    path = find_path(hist)
    for n_samples, applies in ((10_000, True), (10_001, False)):
        rows = np.zeros((n_samples, 1))
        assert path.applies(hist, COUNTS, rows) is applies
    never = load(HIST)(early_stopping=False)
    for n_samples, applies in ((200_000, True), (200_001, False)):
        assert path.applies(never, COUNTS, np.zeros((n_samples, 1))) is applies


def test_categories_keep_xgboost_plain():
    estimator = load("xgboost.XGBClassifier")()
    path = find_path(estimator)
    frame = pd.DataFrame({"a": [0.0, 1.0], "b": [0, 1]})
    assert path.applies(estimator, COUNTS, frame, [0, 1])
    assert not path.applies(estimator, COUNTS, frame.astype("category"), [0, 1])


def test_numpy_integers_are_whole_numbers():
    estimator = SelectKBest()
    X, y, X_test, _ = make_data("binary")
    values = np.array([1, 5])
    assert find_path(estimator).applies(estimator, values, X, y)
    fits = find_path(estimator).fit(estimator, values, X, y)
    assert [f.transform(X_test).shape[1] for f, _ in fits] == [1, 5]


def test_draws_from_the_global_generator_are_noticed():
    """The guard does not see into functions, so the path looks at the generator."""
    estimator = SelectKBest(mutual_info)
    X, y, *_ = make_data("binary")
    assert find_path(estimator).applies(estimator, [1, 2], X, y)
    with pytest.raises(RuntimeError, match="global random generator"):
        list(find_path(estimator).fit(estimator, [1, 2], X, y))


def test_failures_come_through():
    X, y, *_ = make_data("binary")
    variance = load(SELECTION + "VarianceThreshold")()
    # The smaller value would do; the larger leaves no feature, and so no path.
    with pytest.raises(ValueError, match="No feature in X meets"):
        list(find_path(variance).fit(variance, [0.1, 100.0], X, y))
    forest = load(ENSEMBLE + "RandomForestClassifier")(max_depth=-1, random_state=0)
    with pytest.raises(ValueError, match="max_depth"):
        list(find_path(forest).fit(forest, COUNTS, X, y))


def test_times_are_those_of_fits_alone():
    X, y, *_ = make_data("binary")
    forest = load(ENSEMBLE + "ExtraTreesClassifier")(random_state=0)
    seconds = [s for _, s in find_path(forest).fit(forest, [1, 2, 10], X, y)]
    assert np.array(seconds) / seconds[-1] == pytest.approx([0.1, 0.2, 1.0])
    selector = SelectKBest(f_classif)
    seconds = [s for _, s in find_path(selector).fit(selector, [1, 2], X, y)]
    assert seconds[0] == seconds[1]
    hist = load(HIST)()
    seconds = [s for _, s in find_path(hist).fit(hist, [1, 2, 10], X, y)]
    assert seconds == sorted(set(seconds))


class Largest(RegressorMixin, BaseEstimator):
    """Predicts the mean of the `k` largest targets."""

    def __init__(self, k=1, random_state=0, warm_start=False):
        self.k = k
        self.random_state = random_state
        self.warm_start = warm_start

    def fit(self, X, y=None):
        self.sorted_ = np.sort(X[:, 0] if y is None else y)
        return self

    def predict(self, X):
        return np.full(len(X), self.sorted_[-self.k :].mean())


class Heir(Largest):
    """A subclass, whose fit may be another."""


def fit_once(estimator, name, values, X, y):
    estimator.fit(X, y)
    for value in values:
        yield estimator.set_params(**{name: value})


@pytest.fixture
def _no_paths_of_others(monkeypatch):
    monkeypatch.setattr(PATHS, "added", {})


@pytest.mark.usefixtures("_no_paths_of_others")
class TestRegister:
    @pytest.mark.parametrize("key", [Largest, f"{__name__}.Largest"])
    def test_by_class_and_by_name(self, key, monkeypatch):
        monkeypatch.setitem(
            importlib.import_module("sys").modules, __name__, _this_module()
        )
        register_path(key, "k", fit_once)
        path = find_path(Largest())
        assert path.name == "k"
        X, y, *_ = make_data("numbers")
        fits = path.fit(Largest(), [1, 5], X, y)
        predicted = [fitted.predict(X[:1])[0] for fitted, _ in fits]
        assert predicted == [Largest(k).fit(X, y).predict(X[:1])[0] for k in (1, 5)]
        assert find_path(Heir()) is None

    def test_without_a_target(self):
        register_path(Largest, "k", fit_once)
        X, *_ = make_data("numbers")
        assert len(list(find_path(Largest()).fit(Largest(), [1, 2], X))) == 2

    def test_replaces_a_built_in_path(self):
        register_path("sklearn.feature_selection.SelectKBest", "score_func", fit_once)
        assert find_path(SelectKBest()).name == "score_func"

    def test_default_guard(self):
        register_path(Largest, "k", fit_once)
        path = find_path(Largest())
        assert path.applies(Largest(), [1, 2], None)
        assert not path.applies(Largest(), [1], None)
        assert not path.applies(Largest(random_state=None), [1, 2], None)
        assert not path.applies(Largest(warm_start=True), [1, 2], None)

    def test_own_guard(self):
        register_path(Largest, "k", fit_once, lambda est, values, X, y: values[0] > 1)
        assert find_path(Largest()).applies(Largest(random_state=None), [2, 3], None)
        assert not find_path(Largest()).applies(Largest(), [1, 3], None)

    def test_too_few_estimators(self):
        register_path(Largest, "k", lambda est, name, values, X, y: [est.fit(X, y)])
        X, y, *_ = make_data("numbers")
        with pytest.raises(RuntimeError, match="yielded 1 estimators for 2 values"):
            list(find_path(Largest()).fit(Largest(), [1, 2], X, y))

    @pytest.mark.parametrize(
        "arguments",
        [
            (Largest(), "k", fit_once),
            ("Largest", "k", fit_once),
            (Largest, 1, fit_once),
            (Largest, "k", None),
            (Largest, "k", fit_once, 1),
        ],
    )
    def test_wrong_arguments(self, arguments):
        with pytest.raises(TypeError, match=r"must be .* Got"):
            register_path(*arguments)


def test_unknown_classes_have_no_path():
    assert find_path(Threshold()) is None
    assert find_path(DecisionTreeClassifier()) is None


def _this_module():
    """A stand-in: how pytest imports this file, it is in no table of modules."""
    module = type(importlib)("stand_in")
    module.Largest = Largest
    return module
