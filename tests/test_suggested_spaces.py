"""Suggested spaces hold what works: draws are valid, the estimator itself is inside.

The faults of the spaces that other packages ship are tests here: searched seeds, ranges
without the default, values that no version takes, absolute ranges for what has a unit.
"""

from __future__ import annotations

import enum
import functools
import importlib
import pickle
import runpy
import sys
import types
import unittest.mock
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import sparse
from scipy.stats import rv_histogram
from sklearn.base import BaseEstimator, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.covariance import LedoitWolf
from sklearn.datasets import make_classification, make_regression
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.feature_selection import SelectFromModel, SelectKBest, SelectPercentile
from sklearn.frozen import FrozenEstimator
from sklearn.impute import IterativeImputer, SimpleImputer
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import (
    ElasticNet,
    Lars,
    Lasso,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    SGDClassifier,
)
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    SplineTransformer,
    StandardScaler,
)
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import SVC, SVR, NuSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import get_tags

from skhpo import BayesSearch, GridSearch, PBTSearch, RandomSearch, report
from skhpo._keys import is_estimator, structural_key
from skhpo.exceptions import InvalidSpaceError
from skhpo.search._check import samples
from skhpo.space import (
    Categorical,
    Choice,
    Curve,
    DataInfo,
    Integer,
    Real,
    SearchSpace,
    Suggested,
    SuggestedSpace,
    register_space,
    suggest_space,
)
from skhpo.space._convert import as_dimension
from skhpo.space._dimensions import is_number
from skhpo.space.suggested._boosters import set_by_alias
from skhpo.space.suggested._choose import Budget
from skhpo.space.suggested._data import measure
from skhpo.space.suggested._python import Writer
from skhpo.space.suggested._registry import FAMILIES, SPACES, rows
from skhpo.space.suggested._rows import Span

pytestmark = pytest.mark.thinned

X, Y = make_classification(90, 5, n_informative=3, random_state=0)
X_REGRESSION, Y_REGRESSION = make_regression(90, 5, noise=3.0, random_state=0)
SCALE = 1 / (X.var() * X.shape[1])
TEXTS = ["aa bb cc", "bb cc dd ee", "cc dd", "aa ee ee"] * 10
BUILT_IN = [name for family in FAMILIES.values() for name in family]
SCIKIT_LEARN = [name for name in BUILT_IN if name.startswith("sklearn")]
# What is about chance, effort or speed, and not about the model.
NEVER = {
    *("random_state", "n_jobs", "verbose", "tol", "cache_size", "warm_start"),
    *("n_estimators", "max_iter", "shrinking"),
}


def instance(name: str) -> BaseEstimator:
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)()


def data_for(estimator):
    if "Vectorizer" in type(estimator).__name__:
        return TEXTS, [0, 0, 1, 1] * 10
    if get_tags(estimator).estimator_type == "regressor":
        return X_REGRESSION, Y_REGRESSION - Y_REGRESSION.min() + 1.0
    if "NB" in type(estimator).__name__:
        return X - X.min(), Y
    if "Quadratic" in type(estimator).__name__:  # it takes no sums of other columns
        return X + np.random.default_rng(0).normal(size=X.shape), Y
    return X, Y


@functools.cache
def whole_space(name):
    """All tiers, or None where nothing of the class is worth a search."""
    estimator = instance(name)
    if SPACES.find(type(estimator)) == () or name.endswith("KMeans"):
        return None
    return suggest_space(estimator, *data_for(estimator), n_iter=400, effort=3)


def draws(space, n, seed=0):
    rng = np.random.default_rng(seed)
    X = space.sample(n, lambda m: rng.random((m, space.n_columns)))
    return space.decode_many(X)


def as_given(params):
    """Params that a fit takes: a curve is fitted to its end."""
    return {k: v.high if isinstance(v, Curve) else v for k, v in params.items()}


@pytest.mark.parametrize("name", SCIKIT_LEARN)
def test_every_draw_is_what_the_class_takes(name):
    """Two hundred draws pass scikit-learn's own tables, of whatever version."""
    estimator = instance(name)
    space = whole_space(name)
    for params in draws(space, 200) if space else ():
        estimator.set_params(**as_given(params))._validate_params()


@pytest.mark.parametrize("name", SCIKIT_LEARN)
def test_the_estimator_itself_is_inside_and_first(name):
    """PyCaret's spaces cannot reach the defaults of scikit-learn."""
    estimator = instance(name)
    space = whole_space(name)
    for parameter, value in space.initial_params[0].items() if space else ():
        if not isinstance(value, Curve):
            assert value == estimator.get_params()[parameter]
    if space:
        space.encode(space.initial_params[0])


@pytest.mark.parametrize("name", SCIKIT_LEARN)
def test_no_space_has_a_seed_or_what_only_takes_time(name):
    """hyperopt-sklearn searches random_state: five lottery tickets per candidate."""
    space = whole_space(name)
    for column in space.columns if space else ():
        assert column.name not in NEVER or isinstance(column.dimension, Curve)


@pytest.mark.parametrize("name", SCIKIT_LEARN)
def test_the_code_of_a_space_makes_an_equal_one(name):
    space = whole_space(name)
    if space:
        names = {}
        exec(space.to_code(), names)
        assert names["space"].columns == space.columns
        assert names["initial_params"] == space.initial_params


def fit_some(name, n, seed=0):
    estimator = instance(name)
    space = whole_space(name)
    data, target = data_for(estimator)
    for params in draws(space, n, seed) if space else ():
        model = clone(estimator).set_params(**as_given(params))
        if "n_estimators" in model.get_params():
            model.set_params(n_estimators=3)
        if "max_iter" in model.get_params():
            model.set_params(max_iter=3 if "Hist" in name else 100)
        model.fit(data, target)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SCIKIT_LEARN)
def test_draws_fit(name):
    fit_some(name, 2)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SCIKIT_LEARN)
def test_many_draws_fit(name):
    fit_some(name, 20, seed=1)


UNITS = {
    "SVC": (SVC(), X, Y),
    "SVR": (SVR(), X_REGRESSION, Y_REGRESSION),
    "Ridge": (Ridge(), X_REGRESSION, Y_REGRESSION),
    "Lasso": (Lasso(), X_REGRESSION, Y_REGRESSION),
    "ElasticNet": (ElasticNet(), X_REGRESSION, Y_REGRESSION),
}


@pytest.mark.parametrize("name", UNITS)
def test_scores_do_not_depend_on_the_unit_of_the_data(name):
    """X and y times 1,000, and the same points of the space: the same scores."""
    estimator, data, target = UNITS[name]
    times = 1000.0 if target is Y_REGRESSION else 1
    spaces = [
        suggest_space(estimator, data * k, target * (k if times > 1 else 1))
        for k in (1.0, 1000.0)
    ]
    assert [c.name for c in spaces[0].columns] == [c.name for c in spaces[1].columns]
    own = [set(map(repr, s.initial_params[0].values())) for s in spaces]
    cv, n_compared = KFold(2, shuffle=True, random_state=0), 0
    for u in np.random.default_rng(0).random((7, spaces[0].n_columns)):
        params = [s.decode(s.snap(u[np.newaxis])[0]) for s in spaces]
        with_own = [
            set(map(repr, p.values())) & o for p, o in zip(params, own, strict=True)
        ]
        if any(with_own):  # the estimator's own number has the unit of its class
            continue
        n_compared += 1
        scores = [
            cross_val_score(
                clone(estimator).set_params(**p), data * k, target * m, cv=cv
            )
            for p, k, m in zip(params, (1.0, 1000.0), (1, times), strict=True)
        ]
        assert scores[0] == pytest.approx(scores[1], abs=0.02)
    assert n_compared > 2


def test_what_the_user_set_is_left_alone():
    space = suggest_space(SVC(kernel="linear"), X, Y, effort=3)
    assert list(space) == ["C"]
    assert "kernel" in space.notes[0]
    reopened = suggest_space(SVC(kernel="linear"), X, Y, include=["kernel"], effort=3)
    branches = dict(reopened["kernel"].branches)
    assert branches["linear"] is None
    assert set(branches["rbf"]) == {"gamma"}
    assert reopened.initial_params[0]["kernel"] == "linear"


def linear_kernel(a, b):
    return float(a @ b)


def characters(text):
    return list(text)


MANY = pd.DataFrame({"a": pd.Categorical([*range(80), *range(10)])})
KNOTS = np.quantile(X, [0, 0.5, 1], axis=0)
LEDOIT = LinearDiscriminantAnalysis(solver="lsqr", covariance_estimator=LedoitWolf())
# Estimators whose own settings, or place, leave less to the other parameters.
CONSTRAINED = {
    "sparse": (
        make_pipeline(OneHotEncoder(handle_unknown="ignore"), PCA(), GaussianNB()),
        X.round(),
    ),
    "randomized": (make_pipeline(PCA(svd_solver="randomized"), GaussianNB()), X),
    "arpack": (make_pipeline(PCA(svd_solver="arpack"), GaussianNB()), X),
    "svds": (make_pipeline(TruncatedSVD(algorithm="arpack"), GaussianNB()), X),
    "transforming": (make_pipeline(LinearDiscriminantAnalysis(), GaussianNB()), X),
    "covariance": (make_pipeline(PCA(), LEDOIT), X),
    "forest": (RandomForestClassifier(5, oob_score=True, random_state=0), X),
    "bagging": (BaggingClassifier(n_estimators=5, oob_score=True, random_state=0), X),
    "categories": (HistGradientBoostingClassifier(), MANY),
    "categorical_features": (
        HistGradientBoostingClassifier(categorical_features=[0]), MANY.to_numpy(),
    ),
    "callable": (make_pipeline(Nystroem(kernel=linear_kernel), GaussianNB()), X),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CONSTRAINED)
def test_every_candidate_fits_where_the_estimator_as_given_does(name):
    """What it has itself decides which values others can have."""
    estimator, data = CONSTRAINED[name]
    estimator.fit(data, Y)
    model = clone(estimator)
    space = suggest_space(model, data, Y, n_iter=400, effort=3)
    few = {"max_iter": 2} if "max_iter" in estimator.get_params() else {}
    for params in draws(space, 25):
        clone(estimator).set_params(**as_given(params) | few).fit(data, Y)


def test_a_precomputed_kernel_has_neither_a_width_nor_fewer_columns():
    estimator = make_pipeline(Nystroem(kernel="precomputed"), GaussianNB())
    space = suggest_space(estimator, X @ X.T, Y, effort=3)
    assert list(space) == ["gaussiannb__var_smoothing"]


@pytest.mark.filterwarnings("ignore")
def test_no_forest_with_samples_of_the_users_gives_up_repetitions():
    forest = RandomForestClassifier(5, max_samples=0.5, random_state=0)
    for include in None, ["max_samples"]:
        space = suggest_space(forest, X, Y, n_iter=400, effort=3, include=include)
        for params in draws(space, 30):
            clone(forest).set_params(**params).fit(X, Y)


# What has no place in the range that the class has by default.
OPENED = [
    (RandomForestRegressor(max_features=5), "max_features"),
    (ExtraTreesRegressor(max_features="sqrt"), "max_features"),
    (DecisionTreeRegressor(max_features=3), "max_features"),
    (BaggingClassifier(max_features=3), "max_features"),
    (BaggingClassifier(max_samples=30), "max_samples"),
    (IsolationForest(max_features=3), "max_features"),
    (IsolationForest(max_samples=30), "max_samples"),
    (RandomForestClassifier(min_samples_leaf=0.01), "min_samples_leaf"),
    (ExtraTreesRegressor(min_samples_split=1.0), "min_samples_split"),
    (HistGradientBoostingClassifier(max_leaf_nodes=None), "max_leaf_nodes"),
    (GradientBoostingClassifier(max_depth=None), "max_depth"),
    (LogisticRegression(C=np.inf), "C"),
    (ElasticNet(l1_ratio=0), "alpha"),
    (ElasticNet(l1_ratio=0), "l1_ratio"),
    (GaussianNB(var_smoothing=0), "var_smoothing"),
    (SGDClassifier(alpha=0), "alpha"),
    (MLPClassifier(alpha=0), "alpha"),
    (PoissonRegressor(alpha=0), "alpha"),
    (TruncatedSVD(n_components=3), "n_components"),
    (SelectPercentile(percentile=12.5), "percentile"),
]


@pytest.mark.parametrize(("estimator", "name"), OPENED)
def test_what_the_user_has_set_is_inside_and_first_if_it_is_searched(estimator, name):
    data = data_for(estimator)
    space = suggest_space(estimator, *data, include=[name], n_iter=8)
    first, own = space.initial_params[0][name], estimator.get_params()[name]
    assert (type(first), first) == (type(own), own)
    for params in draws(space, 100):
        clone(estimator).set_params(**as_given(params))._validate_params()
    names = {}
    exec(space.to_code(), names)
    assert names["space"].columns == space.columns


@pytest.mark.parametrize(
    ("estimator", "name", "data"),
    [
        (LogisticRegression(penalty=None), "C", X),
        (KNeighborsClassifier(metric="cosine"), "p", X),
        (KNeighborsRegressor(metric="chebyshev"), "p", X),
        (KNeighborsClassifier(metric_params={"p": 3}), "p", X),
        (Nystroem(kernel="linear"), "gamma", X),
        (SplineTransformer(knots=KNOTS), "n_knots", X),
        (CountVectorizer(analyzer=characters), "ngram_range", TEXTS),
        (TfidfVectorizer(analyzer=characters), "ngram_range", TEXTS),
        (TfidfVectorizer(vocabulary=["aa", "bb"]), "min_df", TEXTS * 10),
        (TfidfVectorizer(vocabulary=["aa", "bb"]), "max_df", TEXTS * 10),
    ],
)
def test_what_has_no_effect_beside_what_the_user_set_is_not_searched(
    estimator, name, data
):
    target = np.resize([0, 1], len(data))
    with pytest.raises(ValueError, match=f"No range is known for '{name}'"):
        suggest_space(estimator, data, target, include=[name])
    class_itself = type(estimator)()
    assert name in suggest_space(class_itself, data, target, include=[name])


@pytest.mark.parametrize("criterion", ["squared_error", "absolute_error", "poisson"])
def test_a_tree_is_cut_alike_whatever_the_unit_of_the_target(criterion):
    tree = DecisionTreeRegressor(criterion=criterion, random_state=0)
    target = Y_REGRESSION - Y_REGRESSION.min()
    leaves = []
    for k in (1.0, 1000.0):
        space = suggest_space(tree, X_REGRESSION, k * target, effort=3)
        if criterion == "poisson":
            assert "ccp_alpha" not in space
            continue
        alphas = sorted(space["ccp_alpha"].values)[-8:]
        trees = [clone(tree).set_params(ccp_alpha=a) for a in alphas]
        fits = [one.fit(X_REGRESSION, k * target) for one in trees]
        leaves.append([one.get_n_leaves() for one in fits])
    if criterion != "poisson":
        assert leaves[0] == pytest.approx(leaves[1], abs=1, rel=0.2)  # by rounding
        assert leaves[0][0] > 2 * leaves[0][-1] > 1


@pytest.mark.parametrize("n", [1, 2, 3, 10])
@pytest.mark.parametrize(
    ("kind", "rounds"),
    [
        (GradientBoostingClassifier, "n_estimators"),
        (HistGradientBoostingClassifier, "max_iter"),
        (HistGradientBoostingRegressor, "max_iter"),
    ],
)
def test_few_rounds_make_no_larger_steps_than_many(kind, rounds, n):
    space = suggest_space(kind(**{rounds: n}), X, Y)
    assert space["learning_rate"].high == 0.5
    assert space["learning_rate"].low <= 0.1


@pytest.mark.parametrize("kind", [CountVectorizer, TfidfVectorizer])
def test_words_are_left_out_where_there_are_documents_enough(kind):
    """Of a few documents, none may remain."""
    for n, more in ((40, set()), (400, {"min_df", "max_df"})):
        documents, target = np.resize(TEXTS, n), np.resize([0, 1], n)
        space = suggest_space(kind(), documents, target, n_iter=400, effort=3)
        assert {"min_df", "max_df"} & set(space) == more
    rare = suggest_space(kind(min_df=0.9), documents, target, n_iter=400, effort=3)
    assert "max_df" not in rare


def test_a_value_that_equals_the_default_counts_as_one():
    assert "C" in suggest_space(SVC(C=1), X, Y)


def test_excluded_parameters_are_left_out():
    assert list(suggest_space(SVC(), X, Y, exclude=["gamma"])) == ["C"]


def test_a_condition_opens_what_exists_with_it_only():
    """l1_ratio means something to saga alone."""
    mixed = LogisticRegression(solver="saga")
    if mixed.penalty != "deprecated":
        mixed.set_params(penalty="elasticnet")
    assert "l1_ratio" not in suggest_space(LogisticRegression(), X, Y, effort=3)
    assert "l1_ratio" in suggest_space(mixed, X, Y, effort=3)
    for params in draws(suggest_space(SVC(), X, Y, n_iter=200, effort=3), 50):
        assert ("degree" in params) == (params["kernel"] == "poly")


def test_more_candidates_open_more_parameters():
    big = np.tile(X, (12, 1)), np.tile(Y, 12)
    sizes = [len(suggest_space(SGDClassifier(), *big, n_iter=n)) for n in (10, 50, 200)]
    assert sizes[0] <= 2 < sizes[2]
    assert sizes == sorted(sizes)
    forest = suggest_space(RandomForestClassifier(), *big, n_iter=30)
    assert len(forest) == 3
    assert "left out" in forest.notes[-1]


@pytest.mark.parametrize("own", [-2.0, 0.0, 0.01, 0.5, 7.0])
def test_a_range_is_stretched_to_what_the_estimator_has(own):
    """Also to zero and below, but for orders of magnitude, which have no such."""
    wide = Span(0.05, 1.0).make(None, own)
    assert (wide.low, wide.high) == (min(own, 0.05), max(own, 1.0))
    if own > 0:
        orders = Span(0.05, 1.0, log=True).make(None, own)
        assert (orders.low, orders.high) == (min(own, 0.05), max(own, 1.0))


@pytest.mark.parametrize("own", [-2.0, 0.0, np.inf, None, "auto"])
def test_a_range_that_cannot_hold_what_the_estimator_has_is_a_list(own):
    values = Span(0.05, 1.0, log=True).make(None, own).values
    assert own in values
    assert {0.05, 1.0} & set(values)


def test_tiers_open_where_they_say():
    """The second one from 30 candidates on, and the third one from 100."""
    numbers = (1, 29, 30, 99, 100, 1000)
    tiers = [Budget.of(n, "auto").tier for n in numbers]
    assert tiers == [1, 1, 2, 2, 3, 3]
    assert [Budget.of(n, 2).tier for n in numbers] == [2] * 6


def test_columns_are_measured_each_around_its_own_mean():
    """Where they stand says nothing of how much they vary."""
    rng = np.random.default_rng(0)
    data = rng.normal([0, 5, -100], [1, 2, 3], (50, 3))
    info = measure(data, None, task=None, n_train=50)
    assert info.column_variance == pytest.approx(data.var(axis=0).mean())
    assert info.x_variance == pytest.approx(data.var())


def test_few_rows_open_the_first_tier_only_and_it_is_said():
    space = suggest_space(SVR(), X_REGRESSION, Y_REGRESSION, n_iter=100)
    assert "epsilon" not in space
    assert "72 training rows" in space.notes[0]


@pytest.mark.parametrize("kind", [np.asarray, pd.DataFrame])
def test_of_wide_data_few_rows_are_looked_at(kind):
    """As numbers and in a frame: 200 of ten thousand columns, and all of the target."""
    rng = np.random.default_rng(0)
    wide = rng.normal(0, 3, size=(1500, 10_000))
    y = np.arange(1500) % 50 == 0
    info = measure(kind(wide), y, task="classification", n_train=1200)
    few = np.linspace(0, 1499, 200).astype(int)
    assert info.x_variance == pytest.approx(wide[few].var())
    assert info.majority == pytest.approx(0.98)


def test_numbers_that_pandas_says_are_missing_are_numbers():
    missing = pd.DataFrame({"a": pd.array([1.0, None, 3.0], "Float64"), "b": [1, 2, 3]})
    info = measure(missing, None, task=None, n_train=2)
    assert info.is_numeric
    assert info.x_variance == pytest.approx(np.var([1, 3, 1, 2, 3]))


def test_ranges_fit_the_number_of_rows():
    """auto-sklearn's 100 neighbors fail on 75 rows."""
    space = suggest_space(KNeighborsClassifier(), X[:30], Y[:30])
    assert space["n_neighbors"] == Integer(1, 8, log=True)
    tiny = suggest_space(HistGradientBoostingClassifier(), X[:12], Y[:12])
    assert tiny["min_samples_leaf"].high == 20  # the default, which is inside


def test_a_pipeline_suggests_for_all_of_its_steps():
    pipeline = make_pipeline(StandardScaler(), PCA(), SVC())
    assert list(suggest_space(pipeline, X * 1000, Y)) == [
        "svc__C", "svc__gamma", "pca__n_components",
    ]  # fmt: skip


def fits(estimator: BaseEstimator, X: Any, y: Any, n: int = 15) -> None:
    """Assert that draws of a suggested space fit."""
    space = suggest_space(estimator, X, y, n_iter=200, effort=3)
    RandomSearch(
        estimator, space, n_iter=n, cv=2, error_score="raise", random_state=0
    ).fit(X, y)


def few_rows(*counts: int) -> tuple[Any, Any]:
    """Return rows of classes that differ in two of twelve columns."""
    y = np.repeat(np.arange(len(counts)), counts)
    X = np.random.default_rng(0).normal(size=(len(y), 12))
    X[:, :2] += y[:, np.newaxis]
    return X, y


@pytest.mark.parametrize(
    "estimator",
    [
        BaggingClassifier(KNeighborsClassifier(), n_estimators=2),
        BaggingClassifier(KNeighborsClassifier(), n_estimators=2, max_samples=20),
        OneVsOneClassifier(KNeighborsClassifier()),
        make_pipeline(SelectKBest(), TruncatedSVD(), LogisticRegression()),
        make_pipeline(PCA(), TruncatedSVD(), LogisticRegression()),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_members_and_later_steps_may_see_less(estimator):
    """Fewer rows or classes, and fewer columns, as earlier steps are searched, too."""
    fits(estimator, *few_rows(9, 30, 30, 30))


def test_one_class_against_the_rest_is_a_small_one():
    """Three equal classes let nu be 1, a third and the rest do not."""
    fits(OneVsRestClassifier(NuSVC()), *few_rows(33, 33, 33))


def test_self_training_starts_with_the_labeled_rows():
    """Twelve of 120 rows are labeled, so no more can be neighbors."""
    X, y = few_rows(60, 60)
    y[np.arange(120) % 10 > 0] = -1
    for model in KNeighborsClassifier(), make_pipeline(PCA(), KNeighborsClassifier()):
        fits(SelfTrainingClassifier(model), X, y)


@pytest.mark.parametrize("kind", [MultiOutputClassifier, OneVsRestClassifier])
def test_of_several_targets_the_most_uneven_one_decides(kind):
    """Together, the labels are as many as not; apart, nu is 0.6 at the most."""
    X, y = few_rows(27, 63)
    Y, model = np.column_stack([y, 1 - y]), kind(NuSVC())
    for params in draws(suggest_space(model, X, Y), 20):
        clone(model).set_params(**params).fit(X, Y)
    info = measure(X, Y, task="classification", n_train=90)
    assert (info.n_classes, info.majority) == (2, 0.7)


def test_parts_of_texts_have_fewer_words():
    rng = np.random.default_rng(0)
    often = [" ".join(f"aa{j}" for j in rng.integers(0, 14, 4)) for _ in range(100)]
    texts = [one if i % 6 else f"{one} zz{i}" for i, one in enumerate(often)]
    steps = TfidfVectorizer(), TruncatedSVD(), LogisticRegression()
    fits(make_pipeline(*steps), texts, [0, 1] * 50)


INSIDE = [
    TransformedTargetRegressor(GradientBoostingRegressor()),
    VotingClassifier([("a", AdaBoostClassifier()), ("b", AdaBoostClassifier())]),
    StackingClassifier([("a", AdaBoostClassifier())]),
    OneVsRestClassifier(AdaBoostClassifier()),
    CalibratedClassifierCV(AdaBoostClassifier()),
    AdaBoostClassifier(GradientBoostingClassifier()),
    make_pipeline(SelectFromModel(AdaBoostClassifier()), LogisticRegression()),
    make_pipeline(SelectFromModel(AdaBoostClassifier()), AdaBoostClassifier()),
    make_pipeline(StandardScaler(), make_pipeline(PCA(), AdaBoostClassifier())),
]


@pytest.mark.parametrize("estimator", INSIDE, ids=lambda one: type(one).__name__)
def test_only_the_last_step_leaves_its_rounds_to_one_fit(estimator):
    """A search takes a `Curve` of nothing else, and one at most."""
    space = suggest_space(estimator, *data_for(estimator))
    curves = [name for name in space if isinstance(space[name], Curve)]
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    is_booster = hasattr(last, "steps") or hasattr(last, "n_estimators")
    assert len(curves) == is_booster
    draws(space, 3)


@pytest.mark.parametrize(
    "estimator",
    [
        RandomForestClassifier(min_samples_leaf=0.01),
        DecisionTreeClassifier(min_samples_leaf=0.1),
        SVC(C=np.inf),
        KNeighborsClassifier(n_neighbors=10**6),
        SGDClassifier(alpha=0.0, learning_rate="constant", eta0=0.1),
    ],
)
def test_what_the_user_set_needs_no_range(estimator):
    """It may be outside of every range, or of another kind."""
    space = suggest_space(estimator, X, Y, n_iter=200, effort=3)
    defaults = type(estimator)().get_params()
    users = {k for k, v in estimator.get_params().items() if v != defaults[k]}
    assert not users & set(space)
    assert users & set(
        " ".join(space.notes).replace(",", " ").replace(".", " ").split()
    )


class Stepping(BaseEstimator):
    """An estimator whose parameters are called as those of others."""

    def __init__(self, steps=10, transformers=2, estimators=None):
        self.steps = steps
        self.transformers = transformers
        self.estimators = estimators


def test_names_of_parameters_mean_nothing_by_themselves():
    own = Stepping(estimators=[SVC(), SVC()])
    with pytest.raises(ValueError, match="Nothing is known of Stepping"):
        suggest_space(own, X, Y)
    register_space(Stepping, lambda e, data: [Suggested("steps", Integer(1, 50))])
    assert list(suggest_space(own, X, Y)) == ["steps"]


@pytest.mark.parametrize("kind", [GridSearchCV, RandomSearch])
def test_what_a_search_searches_itself_is_not_suggested(kind):
    """Its own candidates have their own C, whatever it is given."""
    search = kind(SVC(), {"C": [1, 10]})
    space = suggest_space(make_pipeline(PCA(), search), X, Y, include={"pca": [PCA()]})
    assert set(space.initial_params[0]) == {"pca", "pca__n_components"}
    model = VotingClassifier([("s", search), ("t", DecisionTreeClassifier())])
    space = suggest_space(model, X, Y)
    assert not any(name.startswith("s__") for name in space)
    assert any("searches what is inside of it" in note for note in space.notes)
    with pytest.raises(ValueError, match=f"Nothing is known of {kind.__name__}"):
        suggest_space(search, X, Y)


def test_what_cannot_be_set_is_not_suggested():
    frozen = FrozenEstimator(SVC().fit(X, Y))
    voting = VotingClassifier([("frozen", frozen), ("fresh", SVC())])
    assert list(suggest_space(voting, X, Y)) == ["fresh__C", "fresh__gamma"]


def test_a_part_with_another_target_is_no_classifier():
    """An imputer's trees predict columns."""
    imputer = IterativeImputer(DecisionTreeRegressor(), max_iter=1)
    pipeline = make_pipeline(imputer, LogisticRegression())
    space = suggest_space(pipeline, X, Y, n_iter=200, effort=3)
    inside = [name for name in space if "estimator" in name]
    assert inside
    assert not [name for name in inside if name.endswith("criterion")]


def test_columns_are_found_as_scikit_learn_finds_them():
    """A name or number alone is one column, not a table; no columns, no step."""
    table = pd.DataFrame({"text": TEXTS, "number": range(len(TEXTS))})
    y = [0, 0, 1, 1] * 10
    for column in "text", 0:
        columns = ColumnTransformer([("words", TfidfVectorizer(), column)])
        space = suggest_space(make_pipeline(columns, LogisticRegression()), table, y)
        assert "columntransformer__words__ngram_range" in list(space)
        assert not [note for note in space.notes if "could not be fitted" in note]
    alone = make_pipeline(TfidfVectorizer(), LogisticRegression())
    of_series = suggest_space(alone, table["text"], y)
    assert of_series.columns == suggest_space(alone, TEXTS, y).columns
    none = ColumnTransformer([("map", Nystroem(), [])], remainder="passthrough")
    assert list(suggest_space(make_pipeline(none, SVC()), X, Y)) == list(
        suggest_space(make_pipeline(StandardScaler(), SVC()), X, Y)
    )


@pytest.mark.parametrize("layout", ["csr", "csc", "coo", "lil"])
def test_sparse_data_have_the_units_of_dense_ones(layout):
    """Of all columns, however many there are."""
    rng = np.random.default_rng(0)
    wide = sparse.hstack([
        sparse.random(60, 2500, density=0.01, random_state=0) * 1e-3,
        sparse.random(60, 500, density=0.2, random_state=1) * 1e3,
    ])  # fmt: skip
    y = rng.normal(size=60)
    some = measure(wide.asformat(layout), y, task="regression", n_train=40)
    every = measure(wide.toarray(), y, task="regression", n_train=40)
    for name in "x_variance", "column_variance", "correlation", "n_features":
        assert getattr(some, name) == pytest.approx(getattr(every, name), rel=1e-9)


def test_what_is_not_looked_at_is_said():
    stacking = StackingClassifier([("a", SVC())], final_estimator=SVC())
    notes = suggest_space(stacking, X, Y).notes
    assert [note for note in notes if "final_estimator is not looked at" in note]


@pytest.mark.parametrize("p", [27, 64, 125])
@pytest.mark.parametrize("step", [SelectKBest(), SelectPercentile()])
def test_from_the_cube_root_to_all_of_the_columns_are_kept(step, p):
    """Whether they are counted or a percentage."""
    X = np.random.default_rng(0).random((60, p))
    y = (X[:, 0] > np.median(X[:, 0])).astype(int)
    space = suggest_space(make_pipeline(step, KNeighborsClassifier()), X, y)
    (kept,) = (space[name].values for name in space if name.startswith("select"))
    each = 1 if isinstance(step, SelectKBest) else p / 100
    assert max(kept) * each == p
    assert min(kept) * each == pytest.approx(p ** (1 / 3), abs=max(0.5, each / 2))


def test_centers_of_the_users_are_as_many_as_they_are():
    """Another number of groups than of given centers is an error of KMeans."""
    data = DataInfo(90, 72, 5, explicit_scoring=True)
    for init, n_ranges in ("k-means++", 1), ("random", 1), (X[:8], 0):
        suggested, _ = rows(KMeans(init=init), data)
        assert [row.name for row in suggested] == ["n_clusters"] * n_ranges


def test_a_single_column_is_kept():
    X, y = np.arange(60.0)[:, np.newaxis], np.arange(60) % 2
    for step in SelectKBest(), SelectPercentile():
        space = suggest_space(make_pipeline(step, KNeighborsClassifier()), X, y)
        assert all(name.startswith("kneighbors") for name in space)


@pytest.mark.parametrize("last", [KNeighborsClassifier(), MLPClassifier()])
def test_every_step_gets_its_first_parameter_before_one_gets_its_third(last):
    pipeline = make_pipeline(StandardScaler(), SelectKBest(), last)
    alone = suggest_space(last, X, Y, n_iter=25)
    space = suggest_space(pipeline, X, Y, n_iter=25)
    assert len(alone) == len(space) == 3
    assert "selectkbest__k" in space


@pytest.mark.parametrize("name", ["SGDClassifier", "SGDRegressor"])
def test_no_parameter_enters_without_what_its_values_need(name):
    """Before scikit-learn 1.8, invscaling refuses the first step of optimal, 0."""
    name = f"sklearn.linear_model.{name}"
    estimator, data = instance(name), data_for(instance(name))
    for effort in (1, 2, 3):
        for n_iter in (8, 16, 24, 32, 40, 48):
            space = suggest_space(estimator, *data, n_iter=n_iter, effort=effort)
            names = {column.name for column in space.columns}
            assert ("learning_rate" in names) == (n_iter >= 24)
            assert "eta0" in names or "learning_rate" not in names
    asked = suggest_space(estimator, *data, n_iter=8, include=["learning_rate"])
    assert "eta0" in {column.name for column in asked.columns}


def test_a_step_sees_what_earlier_steps_make_of_the_data():
    scaled = suggest_space(make_pipeline(StandardScaler(), SVC()), X * 1000, Y)
    alone = suggest_space(SVC(), StandardScaler().fit_transform(X), Y)
    values = [s for s in scaled["svc__gamma"].values if is_number(s)]
    assert values == [s for s in alone["gamma"].values if is_number(s)]


def test_columns_and_unions_are_walked_through():
    frame = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": ["x", "y", "z"] * 30})
    columns = ColumnTransformer(
        [("number", SimpleImputer(), ["a", "b"]), ("word", OneHotEncoder(), ["c"])]
    )
    model = make_pipeline(columns, FeatureUnion([("pca", PCA())]), GaussianNB())
    space = suggest_space(model, frame, Y, effort=3)
    assert list(space) == [
        "gaussiannb__var_smoothing",
        "featureunion__pca__n_components",
        "columntransformer__number__strategy",
    ]
    BayesSearch(model, space, n_iter=3, cv=2, random_state=0).fit(frame, Y)


@pytest.mark.parametrize(
    ("model", "names"),
    [
        (OneVsRestClassifier(SVC()), ["estimator__C", "estimator__gamma"]),
        (CalibratedClassifierCV(GaussianNB()), ["estimator__var_smoothing"]),
        (
            VotingClassifier([("a", GaussianNB()), ("b", SVC(kernel="linear"))]),
            ["a__var_smoothing", "b__C"],
        ),
        (
            AdaBoostClassifier(DecisionTreeClassifier(max_depth=2)),
            ["n_estimators", "learning_rate", "estimator__min_samples_leaf",
             "estimator__ccp_alpha"],
        ),
    ],
)  # fmt: skip
def test_what_is_inside_of_an_estimator_is_searched(model, names):
    assert list(suggest_space(model, X, Y)) == names


def test_a_transformed_target_has_the_unit_that_the_inside_sees():
    inside = TransformedTargetRegressor(SVR(), transformer=StandardScaler())
    space = suggest_space(inside, X_REGRESSION, Y_REGRESSION * 1e6)
    assert max(space["regressor__C"].values) == pytest.approx(1000)


def test_texts_are_data():
    model = make_pipeline(TfidfVectorizer(), MultinomialNB())
    space = suggest_space(model, TEXTS, [0, 0, 1, 1] * 10)
    assert list(space) == ["multinomialnb__alpha", "tfidfvectorizer__ngram_range"]


class Broken(BaseEstimator):
    def fit(self, X, y=None):
        raise RuntimeError("out of order")

    def transform(self, X):
        return X


def test_a_step_that_cannot_be_fitted_is_noted():
    space = suggest_space(make_pipeline(Broken(), SVC()), X, Y)
    assert "broken could not be fitted (RuntimeError: out of order)" in str(space.notes)
    assert "svc__C" in space


def test_models_are_chosen_together_with_their_spaces():
    choice = Choice({"svc": SVC(), "bayes": GaussianNB()})
    space = suggest_space(choice, X, Y, name="model")
    (svc, (of_svc, weight)), (bayes, (of_bayes, other)) = space["model"].branches
    assert [type(svc), type(bayes)] == [SVC, GaussianNB]
    assert set(of_svc) == {"model__C", "model__gamma"}
    assert set(of_bayes) == {"model__var_smoothing"}
    assert weight == pytest.approx(other * 2**0.5)
    names = {}
    exec(space.to_code(), names)
    assert names["space"].columns == space.columns


def test_the_code_of_a_model_within_a_model_makes_it_again():
    """By its own parameters: those of the inner one are no arguments of the outer."""
    tree = DecisionTreeClassifier(max_depth=3)
    outer = CalibratedClassifierCV(tree, cv=4)
    space = suggest_space(Choice({"a": outer, "b": GaussianNB()}), X, Y, name="model")
    names = {}
    exec(space.to_code(), names)
    made, _ = names["space"].columns[0].dimension.values
    assert repr(made) == repr(outer)


class Outer:
    class Inner(GaussianNB):
        pass


class Level(enum.IntEnum):
    LOW = 1


def local_class():
    class Local(GaussianNB):
        pass

    return Local()


WRITTEN = {
    "numpy's numbers": [np.float64(1), np.float32(0.5), np.int64(3)],
    "numpy's words": [np.str_("a"), np.bool_(True), np.bytes_(b"b")],
    "numbers": [1, 2.5, float("inf"), -float("inf")],
    "nested": [(1,), [np.float64(2), (None, "x")], {"a": np.float64(1), 2: [3]}],
    "models": [SVC(C=np.float64(3)), SVC(class_weight={0: np.float64(2)})],
    "functions": [FunctionTransformer(np.sqrt), FunctionTransformer(np.mean), int],
    "output": [
        StandardScaler().set_output(transform="pandas"),
        StandardScaler(),
        make_pipeline(PCA()).set_output(transform="pandas"),
    ],
}
NOT_WRITTEN = {
    "class in a class": Outer.Inner(),
    "class in a function": local_class(),
    "function": FunctionTransformer(lambda X: X),
    "enumeration": Level.LOW,
    "array": np.arange(3),
    "fitted": FrozenEstimator(GaussianNB().fit(X, Y)),
    "method": Outer().__init__,
}


def plain_key(value):
    """What is left of a value as Python: numbers without a type of numpy's."""
    if is_estimator(value):
        config = getattr(value, "_sklearn_output_config", None)
        params = value.get_params(deep=False)
        return type(value), plain_key(params), plain_key(config)
    if isinstance(value, list | tuple):
        return type(value), *map(plain_key, value)
    if isinstance(value, dict):
        return dict, *((plain_key(k), plain_key(v)) for k, v in value.items())
    return structural_key(value.item() if isinstance(value, np.generic) else value)


@pytest.mark.parametrize("name", WRITTEN)
def test_code_makes_the_values_again(name):
    values, names = WRITTEN[name], {}
    exec(SuggestedSpace({"a": Categorical(values, ordered=False)}).to_code(), names)
    (column,) = names["space"].columns
    assert plain_key(list(column.dimension.values)) == plain_key(values)


@pytest.mark.parametrize("name", NOT_WRITTEN)
def test_no_code_is_better_than_code_that_makes_something_else(name):
    with pytest.raises(InvalidSpaceError, match="There is no Python"):
        SuggestedSpace({"a": [NOT_WRITTEN[name], "other"]}).to_code()


def test_no_code_loses_requests_of_metadata():
    with sklearn.config_context(enable_metadata_routing=True):
        asking = GaussianNB().set_fit_request(sample_weight=True)
        with pytest.raises(InvalidSpaceError, match="metadata requests"):
            SuggestedSpace({"a": [asking, GaussianNB()]}).to_code()


def test_no_code_has_two_things_of_one_name():
    class Pipeline(GaussianNB):
        __module__ = "own_module"

    Pipeline.__qualname__ = "Pipeline"
    module = types.ModuleType("own_module")
    module.Pipeline = Pipeline
    with unittest.mock.patch.dict(sys.modules, {"own_module": module}):
        space = SuggestedSpace({"a": [Pipeline(), make_pipeline(PCA())]})
        with pytest.raises(InvalidSpaceError, match="the same name"):
            space.to_code()


def test_no_code_names_a_distribution_that_scipy_does_not():
    own = rv_histogram(np.histogram([1, 2, 4]))
    with pytest.raises(InvalidSpaceError, match="There is no Python"):
        SuggestedSpace({"a": own}).to_code()


@given(why=st.text(), source=st.text())
@example(why="a\nb\r\x0c\x00\u2028c", source="\n")
def test_every_reason_is_a_comment_of_one_line(why, source):
    width = Real(0.1, 2)
    space = SuggestedSpace({"w": width}, [Suggested("w", width, 1, why, source)])
    names = {}
    exec(space.to_code(), names)
    assert names["space"].columns == space.columns
    assert len(str(space).splitlines()) == 1


def test_a_step_of_a_pipeline_is_chosen_with_data_that_it_sees():
    pipeline = make_pipeline(StandardScaler(), SVC())
    space = suggest_space(pipeline, X * 1000, Y, include={"svc": [SVC(), GaussianNB()]})
    search = BayesSearch(pipeline, space, n_iter=4, cv=2, random_state=0)
    tried = search.fit(X * 1000, Y).cv_results_["params"]
    assert {type(params["svc"]) for params in tried[:2]} == {SVC, GaussianNB}
    gammas = space["svc"].branches[0][1][0]["svc__gamma"].values
    assert min(v for v in gammas if is_number(v)) > 1e-3
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def inside_of(params):
    """Whether parameters are those that the models of a candidate have."""
    placed = {k: v for k, v in params.items() if "__" not in k or is_estimator(v)}
    return set(params) <= set(clone(PIPELINE).set_params(**placed).get_params())


PIPELINE = make_pipeline(StandardScaler(), PCA(), SVC())
PLACES = {
    "left out": {"pca": [PCA(), "passthrough"]},
    "None": {"pca": [None, PCA()]},
    "tuple": {"pca": ("passthrough", PCA())},
    "weights": {"pca": Categorical([PCA(), "passthrough"], weights=[1, 3])},
    "only left out": {"pca": ["passthrough"]},
    "own branches": {
        "pca": Choice([(PCA(), {"pca__whiten": [True, False]}), ("passthrough", None)])
    },
    "no ranges": {"standardscaler": [StandardScaler(), MinMaxScaler()]},
    "all set": {"svc": [SVC(C=3, gamma=1), SVC()]},
    "two places": {"svc": [SVC(), GaussianNB()], "pca": [PCA(), "passthrough"]},
    "own values of one": {"svc": [SVC(), GaussianNB()], "svc__C": [1, 10]},
    "models in models": {
        "svc": [BaggingClassifier(), SVC()],
        "svc__estimator": [SVC(), GaussianNB()],
        "svc__estimator__C": [5],
    },
}


@pytest.mark.parametrize("name", PLACES)
def test_parameters_exist_with_the_models_that_have_them(name):
    """Whatever takes the place of a step; nothing that is given is left out."""
    include = PLACES[name]
    space = suggest_space(PIPELINE, X, Y, include=include)
    assert set(include) <= {column.name for column in space.columns}
    for params in [*draws(space, 40), *space.initial_params]:
        assert inside_of(params)
    for key, listed in include.items():
        values = listed if isinstance(listed, list | tuple) else []
        found = [c.dimension.values for c in space.columns if c.name == key]
        assert all(list(one) == list(values) for one in found if values)
    names = {}
    exec(space.to_code(), names)
    assert [c.name for c in names["space"].columns] == [c.name for c in space.columns]


def a_search(params, rng):
    """Return what is needed of a fitted search, with a few good candidates."""
    scores = np.where(np.arange(len(params)) < 4, 1.0, 0.0)
    splits = scores + 0.01 * rng.standard_normal((3, len(params)))
    columns = {f"split{i}_test_score": split for i, split in enumerate(splits)}
    mean = splits.mean(axis=0)
    results = {"params": params, "mean_test_score": mean, **columns}
    return types.SimpleNamespace(cv_results_=results)


def as_text(space):
    """Return all columns; of one value, or of equal ones, weights say nothing."""
    found = []
    for column in space.columns:
        dimension = column.dimension
        shown = [repr(dimension)]
        if isinstance(dimension, Categorical):
            shown = [*map(repr, dimension.values), dimension.ordered, dimension.widths]
        found.append(f"{column.name} {shown} {column.parent} {column.branches}")
    return found


ZOOMED = {
    **{name: suggest_space(PIPELINE, X, Y, include=PLACES[name]) for name in PLACES},
    "boosting": suggest_space(HistGradientBoostingClassifier(), X, Y, n_iter=100),
    "weights": SuggestedSpace(
        {
            "a": Choice([(1, ({"b": Real(0, 1)}, 3)), (2, None), (3, {"b": [1, 2]})]),
            "c": Categorical([1, 2, 3], weights=[1, 2, 3], ordered=False),
        },
        [Suggested("a", [1, 2, 3]), Suggested("b", Real(0, 1), why="it matters")],
    ),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ZOOMED)
def test_what_is_left_of_a_suggested_space_is_one(name, seed):
    """With reasons and code; zooming cuts the same from it as from any space."""
    space, rng = ZOOMED[name], np.random.default_rng(seed)
    params = rng.permutation(np.array([*draws(space, 20), None], object)).tolist()
    search = a_search([one for one in params if one is not None], rng)
    for factor in (2, 4):
        expected = SearchSpace(space).zoom(search, factor=factor)
        space = space.zoom(search, factor=factor)
        assert as_text(space) == as_text(expected)
        assert pickle.loads(pickle.dumps(space)).keys() == space.keys()
        names = {}
        exec(space.to_code(), names)
        assert as_text(names["space"]) == as_text(expected)
        assert {row.name for row in space.suggestions} <= {
            column.name for column in space.columns
        }
        assert all(row.why.count("near the best") == 1 for row in space.suggestions)
        (first,) = space.initial_params
        space.encode(first)


def test_a_zoomed_row_is_that_of_its_model():
    """Two models may have parameters of the same name, and one of them is left."""
    first, second = Real(0, 1), Real(5, 9)
    space = SuggestedSpace(
        {"a": Choice([("x", {"b": first}), ("y", {"b": second})])},
        [
            Suggested("b", first, why="one", when=("a", ("x",))),
            Suggested("a", ["x", "y"]),
            Suggested("b", second, why="other", when=("a", ("y",))),
        ],
    )
    params = [{"a": "y", "b": 6.0 + i / 8} for i in range(5)]
    found = space.zoom(a_search(params, np.random.default_rng(0)))
    assert [row.why.partition(";")[0] for row in found.suggestions] == [
        "near the best of a search",
        "other",
    ]
    assert found.suggestions[1].dimension.low >= 5


def test_a_step_may_be_left_out():
    model = make_pipeline(PCA(), GaussianNB())
    include = {"pca": [PCA(), "passthrough"]}
    space = suggest_space(model, X, Y, include=include)
    for kind, params in ((RandomSearch, space), (GridSearch, space.grid(2))):
        search = kind(model, params, cv=2).fit(X, Y)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()
        tried = search.cv_results_["params"]
        assert {isinstance(params["pca"], str) for params in tried} == {True, False}
    beside = {**include, "pca__n_components": [1, 2]}
    with pytest.raises(ValueError, match=r"'pca' may be 'passthrough'.*Choice"):
        RandomSearch(model, beside, n_iter=2, cv=2).fit(X, Y)


@pytest.mark.parametrize("include", [None, *PLACES.values()])
@pytest.mark.parametrize("exclude", ["pca", "svc__C", "standardscaler", "svc"])
def test_what_is_excluded_is_in_no_branch(include, exclude):
    """Nor what is inside of it; what is to be in both is an error."""
    options = {"include": include, "exclude": [exclude]}
    if any(f"{name}__".startswith(f"{exclude}__") for name in include or ()):
        with pytest.raises(ValueError, match=r"include names .*, and exclude"):
            suggest_space(PIPELINE, X, Y, **options)
        return
    space = suggest_space(PIPELINE, X, Y, **options)
    for column in space.columns:
        assert not f"{column.name}__".startswith(f"{exclude}__")


def test_notes_of_one_of_several_models_are_notes():
    models = {"svc": [SVC(C=3), GaussianNB()]}
    assert (
        "svc SVC: as you set them: svc__C."
        in suggest_space(PIPELINE, X, Y, include=models).notes
    )


def test_own_values_take_the_place_of_a_suggested_range():
    own = {"C": [1, 2], "shrinking": [True, False]}
    assert own.items() <= dict(suggest_space(SVC(), X, Y, include=own)).items()


@pytest.mark.parametrize("name", SCIKIT_LEARN)
def test_what_is_included_is_searched_in_any_case(name):
    """With what it depends on, in spite of the budget; also a single value."""
    estimator, data = instance(name), data_for(instance(name))
    everything = whole_space(name)
    for row in everything.suggestions if everything else ():
        space = suggest_space(estimator, *data, n_iter=8, include=[row.name])
        assert row.name in {column.name for column in space.columns}
        (value,) = list(samples(as_dimension("", row.dimension)))[-1:]
        space = suggest_space(estimator, *data, n_iter=8, include={row.name: [value]})
        (column,) = (c for c in space.columns if c.name == row.name)
        assert column.dimension.values == (value,)


@pytest.mark.parametrize(
    ("model", "more"),
    [
        (SVC(kernel="linear"), {}),
        (SVC(), {"exclude": ["kernel"]}),
        (SVC(), {"include": {"degree": [2, 5], "kernel": ["rbf", "linear"]}}),
        (
            SVC(kernel="poly"),
            {"include": {"degree": None, "kernel": ["rbf", "linear"]}},
        ),
    ],
)
def test_what_cannot_exist_is_not_included_without_a_word(model, more):
    message = r"'degree', which plays a part only where 'kernel' is 'poly'.*Add"
    with pytest.raises(InvalidSpaceError, match=message):
        suggest_space(model, X, Y, **{"include": ["degree"], **more})


def test_a_grid_has_the_ends_and_the_estimator_itself():
    grid = suggest_space(SVC(), X, Y).grid(3)
    values = {c.name: c.dimension.values for c in grid.columns}
    assert values["C"] == (0.1, 1.0, 1000.0)
    assert values["gamma"] == (pytest.approx(SCALE / 100, 0.01), "scale", ANY)
    assert len(GridSearch(SVC(), grid, cv=2).fit(X, Y).cv_results_["params"]) == 9


GRIDS = {
    "pipeline": (make_pipeline(StandardScaler(), SVC()), {}),
    "conditions": (SVC(), {"effort": 3, "n_iter": 200}),
    "curve": (HistGradientBoostingClassifier(), {}),
    "models": (
        Choice({1: SVC(C=1), 2: LogisticRegression(C=2), 3: SVC(C=5)}),
        {"include": ["model__C"]},
    ),
}


@pytest.mark.parametrize("n", [1, 2, 3, 5])
@pytest.mark.parametrize("name", GRIDS)
def test_a_grid_is_shown_exported_and_converted_as_what_it_is(name, n):
    model, options = GRIDS[name]
    space = suggest_space(model, X, Y, **options)
    grid = space.grid(n)
    names = {}
    exec(grid.to_code(), names)
    for other in (names["space"], SearchSpace(dict(grid)), SearchSpace({**grid})):
        assert other.columns == grid.columns
    if name != "curve":
        assert np.isfinite(grid.size)
        assert SearchSpace(dict(grid)).size == grid.size <= space.size
    for row in grid.suggestions:
        if not isinstance(row.dimension, Curve | Choice):
            assert len(row.dimension.values) <= max(n, 2)
            assert repr(row.dimension.values[-1]) in str(grid)
    for params in grid.initial_params:
        grid.encode(params)


def test_a_grid_has_the_own_values_of_each_of_several_models():
    model, options = GRIDS["models"]
    tried = suggest_space(model, X, Y, **options).grid(3).initial_params
    assert [params["model__C"] for params in tried] == [1, 2, 5]


def test_a_space_is_printed_with_its_reasons():
    text = str(suggest_space(SVC(), X, Y))
    for words in ("inverse strength", "'scale'", "var(X)", "72 training rows"):
        assert words in text
    assert pickle.loads(pickle.dumps(suggest_space(SVC(), X, Y)))


# -- bad input -------------------------------------------------------------------------


class Mine(BaseEstimator):
    def __init__(self, width=1.0):
        self.width = width

    def fit(self, X, y):
        return self


def test_an_unknown_class_names_what_teaches_it():
    with pytest.raises(ValueError, match=r"Nothing is known of Mine.*register_space"):
        suggest_space(make_pipeline(StandardScaler(), Mine()), X, Y)
    with pytest.raises(ValueError, match="register_space"):
        RandomSearch(Mine(), scoring="accuracy").fit(X, Y)


@pytest.fixture
def registered():
    seen = []

    def suggest(estimator, data):
        seen.append(data)
        return [Suggested("width", Real(0.1, 10 * data.y_std, log=True), why="mine")]

    register_space(Mine, suggest)
    yield seen
    del SPACES.added[Mine]


def test_a_registered_class_is_known(registered):
    space = suggest_space(Mine(), X, Y)
    assert space["width"] == Real(0.1, 10, log=True)
    assert [type(data) for data in registered] == [DataInfo]
    assert registered[0].n_train == 72


def test_a_registered_function_must_return_suggestions():
    register_space(Mine, lambda estimator, data: [("width", [1])])
    try:
        with pytest.raises(TypeError, match="must return a list of Suggested"):
            suggest_space(Mine(), X, Y)
        register_space(Mine, lambda estimator, data: [Suggested("depth", [1, 2])])
        with pytest.raises(InvalidSpaceError, match="'depth', which is none"):
            suggest_space(Mine(), X, Y)
        bad = [({"tier": "smooths"}, "tier='smooths'"), ({"tier": 0}, "tier=0")]
        bad += [({"when": ("height", (1,))}, "when="), ({"when": "width"}, "when=")]
        for more, message in [*bad, ({"when": ("width", "ab")}, "tuple of its values")]:
            row = Suggested("width", [1, 2], **more)
            register_space(Mine, lambda estimator, data, row=row: [row])
            with pytest.raises(InvalidSpaceError, match=message):
                suggest_space(Mine(), X, Y)
    finally:
        del SPACES.added[Mine]


@pytest.mark.parametrize(
    ("model", "more", "message"),
    [
        # The words are those that scikit-learn's check_requires_y_none knows.
        (SVC(), {"y": None}, "SVC requires y to be passed, but the target y is None"),
        (GaussianNB(var_smoothing=1.0), {}, r"was set: \['var_smoothing'\].*include"),
        (SVC(), {"include": ["gama"]}, "Did you mean 'gamma'"),
        (SVC(), {"exclude": ["gama"]}, "Did you mean 'gamma'"),
        (SVC(), {"include": ["tol"]}, "No range is known for 'tol'"),
        (SVC(), {"include": "C"}, "must be a list of names"),
        (SVC(), {"include": ["class_weight"]}, "one for: more than 75 %"),
        (SVC(), {"include": {"C": []}}, "'C': A list of values must not be empty"),
        (SVC(), {"include": ["C"], "exclude": ["C"]}, "include names 'C', and exclude"),
        (
            Choice({1: SVC(), 2: GaussianNB()}),
            {"exclude": ["model__gama"]},
            r"nor of what takes the place of \['model'\]. Did you mean 'model__gamma'",
        ),
        (make_pipeline(PCA(), "passthrough"), {}, "last step.*which is no estimator"),
        (SVC(), {"n_iter": 0}, "n_iter must be"),
        (SVC(), {"n_iter": 2.0}, "n_iter must be"),
        (SVC(), {"effort": 4}, "effort must be"),
        (GaussianNB(), {"exclude": ["var_smoothing"]}, "is left to search"),
        (StandardScaler(), {}, "no parameter that is worth a search"),
        (Choice({1: None}), {}, "holds estimators"),
    ],
)
def test_what_cannot_be_suggested_is_said(model, more, message):
    with pytest.raises(ValueError, match=message):
        suggest_space(model, X, **{"y": Y, **more})


@pytest.mark.parametrize("name", ["C", "c", "SVC__C", "svc_C", "svc__c"])
def test_names_without_a_prefix_are_understood(name):
    for option in "include", "exclude":
        with pytest.raises(ValueError, match="Did you mean 'svc__C'"):
            suggest_space(make_pipeline(PCA(), SVC()), X, Y, **{option: [name]})


@pytest.mark.parametrize(
    ("model", "more", "message"),
    [
        (SVC, {}, r"Write SVC\(\)"),
        ([SVC(), GaussianNB()], {}, "Of several, Choice"),
        ("SVC", {}, "must be an estimator"),
        (SVC(), {"y": Y[:9]}, "same number of rows"),
        (SVC(), {"y": np.r_[Y, Y]}, "same number of rows"),
        (SVC(), {"X": X[:0], "y": Y[:0]}, "which is not 0"),
        (SVC(), {"X": None}, "Pass X"),
        (SVC(), {"include": 5}, "must be a list of names"),
        (SVC(), {"exclude": 5}, "must be a list of names"),
        (DummyClassifier(), {}, "known of DummyClassifier"),
        (Lars(), {}, r"Suggested\('eps', Real"),
    ],
)
def test_what_is_no_estimator_or_no_data_is_said(model, more, message):
    with pytest.raises((TypeError, ValueError), match=message):
        suggest_space(model, **{"X": X, "y": Y, **more})


def test_a_number_of_candidates_may_be_of_numpy():
    assert dict(suggest_space(SVC(), X, Y, n_iter=np.int64(9))) == dict(
        suggest_space(SVC(), X, Y, n_iter=9)
    )


# -- in searches -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", [RandomSearch, BayesSearch])
def test_a_search_without_a_space_has_the_suggested_one(kind):
    model = make_pipeline(StandardScaler(), SVC())
    search = kind(model, n_iter=3, cv=3, random_state=0).fit(X, Y)
    assert search.param_distributions == "auto"
    assert clone(search).param_distributions == "auto"
    first = {"svc__C": 1.0, "svc__gamma": "scale"}
    assert search.cv_results_["params"][0] == first
    assert search.space_.columns == suggest_space(model, X, Y).columns
    again = kind(model, search.space_, n_iter=3, cv=3, random_state=0).fit(X, Y)
    assert again.cv_results_["params"] == search.cv_results_["params"]
    assert not hasattr(again, "space_")
    assert "gamma" in search._repr_html_() or not hasattr(search, "_repr_html_")
    assert "suggested" in str(report(search))


def test_the_first_candidate_scores_as_the_estimator_does():
    search = RandomSearch(SVC(), n_iter=2, cv=3, random_state=0).fit(X, Y)
    expected = cross_val_score(SVC(), X, Y, cv=3).mean()
    assert search.cv_results_["mean_test_score"][0] == expected


def test_a_search_anneals_from_the_estimator_itself():
    search = RandomSearch(SVC(), n_iter=4, cv=2, strategy="anneal", random_state=0)
    assert search.fit(X, Y).cv_results_["params"][0] == {"C": 1.0, "gamma": "scale"}


def test_ranges_fit_the_smallest_split():
    search = RandomSearch(
        KNeighborsClassifier(), n_iter=2, cv=[(np.arange(12), np.arange(12, 90))] * 2
    )
    assert search.fit(X, Y).space_["n_neighbors"].high == 5  # the default


def test_a_population_starts_with_the_estimator_itself():
    model = SGDClassifier(random_state=0)
    search = PBTSearch(model, population_size=3, n_generations=2, cv=2, random_state=0)
    search.fit(X, Y)
    assert search.cv_results_["params"][0]["alpha"] == 1e-4
    assert list(search.space_) == ["alpha"]


def test_boosting_leaves_its_rounds_to_one_fit():
    model = HistGradientBoostingClassifier(max_leaf_nodes=5, random_state=0)
    assert suggest_space(model, X, Y)["max_iter"] == Curve(200)
    for scoring, refit in (({"a": "accuracy", "b": "f1"}, False), (own_score, True)):
        search = RandomSearch(
            model.set_params(learning_rate=0.1), n_iter=1, scoring=scoring, refit=refit,
            cv=2, random_state=0,
        ).fit(X, Y)  # fmt: skip
        assert "max_iter" not in search.space_
    stopping = HistGradientBoostingClassifier(early_stopping=True)
    assert "max_iter" not in suggest_space(stopping, X, Y)
    slow = HistGradientBoostingClassifier(max_iter=500)
    assert "max_iter" not in suggest_space(slow, X, Y)


def own_score(estimator, X, y):
    return estimator.score(X, y)


def test_one_fit_tells_of_all_rounds_where_scikit_learn_does_not_stop_early():
    """By "auto", it does so from 10,001 rows on."""
    for n in (10_000, 10_001):
        data, target = np.zeros((n, 1)), np.arange(n) % 2
        boosting = HistGradientBoostingClassifier()
        space = suggest_space(boosting, data, target)
        stops = boosting.set_params(max_iter=1).fit(data, target).do_early_stopping_
        assert ("max_iter" in dict(space)) == (not stops) == (n == 10_000)


def test_losses_are_compared_by_a_score_of_the_user_only():
    many = np.tile(X, (6, 1)), np.tile(Y, 6)
    found = []
    for scoring in (None, "accuracy", "f1", "neg_log_loss"):
        model = SGDClassifier(max_iter=5, tol=None)
        search = RandomSearch(model, n_iter=32, scoring=scoring)
        space = search._start(*many, {}).problem.space
        found.append("loss" in [column.name for column in space.columns])
    assert found == [False, False, True, False]


def test_a_grid_refuses_and_says_what_works():
    with pytest.raises(ValueError, match=r"suggest_space\(.*\)\.grid\(3\)"):
        GridSearch(SVC(), "auto").fit(X, Y)


def test_every_word_but_auto_is_refused():
    with pytest.raises(ValueError, match="param_distributions"):
        BayesSearch(SVC(), "automatic").fit(X, Y)


def test_halving_searches_what_is_no_resource():
    knn = RandomSearch(
        KNeighborsClassifier(), n_iter=4, cv=2, resource="n_samples", min_resources=30,
        random_state=0,
    ).fit(X, Y)  # fmt: skip
    assert knn.space_["n_neighbors"].high == 5  # of 15 rows in the first iteration
    assert not any(np.isnan(knn.cv_results_["mean_test_score"]))
    boosting = RandomSearch(
        HistGradientBoostingClassifier(max_leaf_nodes=4), n_iter=2, cv=2,
        resource="max_iter", max_resources=4, random_state=0,
    ).fit(X, Y)  # fmt: skip
    assert "max_iter" not in boosting.space_


def test_a_race_takes_a_suggested_space():
    search = BayesSearch(SVC(), n_iter=3, cv=3, race=True, random_state=0).fit(X, Y)
    assert list(search.space_) == ["C", "gamma"]


def test_a_fit_forgets_the_space_of_an_earlier_one():
    search = RandomSearch(SVC(), n_iter=1, cv=2, random_state=0).fit(X, Y)
    search.set_params(param_distributions={"C": [1.0]}).fit(X, Y)
    assert not hasattr(search, "space_")


def test_a_suggested_space_is_an_ordinary_one():
    space = suggest_space(SVC(), X, Y)
    assert SearchSpace(space).columns == SearchSpace(dict(space)).columns
    assert {**space, "C": [1, 2]}["C"] == [1, 2]


# -- boosters, where they are installed ------------------------------------------------


@pytest.mark.parametrize(
    ("package", "kind", "rounds"),
    [
        ("lightgbm", "LGBMClassifier", "n_estimators"),
        ("xgboost", "XGBClassifier", "n_estimators"),
        ("catboost", "CatBoostClassifier", "iterations"),
    ],
)
def test_boosters_are_known_without_being_imported(package, kind, rounds):
    model = getattr(pytest.importorskip(package), kind)()
    space = suggest_space(model, X, Y, effort=3, n_iter=100)
    assert isinstance(space[rounds], Curve)
    assert "learning_rate" in space
    assert len(space.initial_params) == 2
    for params in draws(space, 2):
        quick = as_given(params) | {rounds: 3}
        silent = {"verbose": 0, "allow_writing_files": False}
        silent = silent if package == "catboost" else {}
        clone(model).set_params(**quick, **silent).fit(X, Y)


class OfLightGBM(BaseEstimator):
    """Takes what it is given by any name, as LightGBM does."""

    __module__ = "lightgbm.sklearn"

    def __init__(self, learning_rate=0.1, eta=None, lambda_l1=None, nrounds=None):
        self.learning_rate, self.eta = learning_rate, eta
        self.lambda_l1, self.nrounds = lambda_l1, nrounds


def test_what_a_booster_has_by_another_name_is_the_users():
    assert set_by_alias(OfLightGBM()) == set()
    given = set_by_alias(OfLightGBM(eta=0.3, lambda_l1=0.0))
    assert given == {"learning_rate", "reg_alpha"}
    assert set_by_alias(OfLightGBM(nrounds=12)) == {"n_estimators"}
    assert set_by_alias(LogisticRegression(max_iter=7)) == set()


def test_lightgbm_is_not_searched_for_what_its_aliases_say():
    """The alias wins, so that every candidate would be the same."""
    kind = pytest.importorskip("lightgbm").LGBMRegressor
    model = kind(min_data_in_leaf=5, eta=0.3, num_iterations=4, feature_fraction=0.5)
    space = suggest_space(model, X_REGRESSION, Y_REGRESSION, n_iter=400, effort=3)
    assert set(space) == {"num_leaves", "reg_alpha", "reg_lambda"}
    assert "as you set them: n_estimators, learning_rate" in space.notes[0]
    forest = kind(boosting="rf", bagging_freq=1, bagging_fraction=0.5)
    space = suggest_space(forest, X_REGRESSION, Y_REGRESSION)
    assert "learning_rate" not in space
    dart = suggest_space(kind(boosting="dart"), X_REGRESSION, Y_REGRESSION)
    assert "n_estimators" not in dart


class Demanding(BaseEstimator):
    """Cannot be made without arguments, and says so in its own way."""

    def __init__(self, inner=None):
        if inner is None:
            raise ValueError("give an inner one")
        self.inner = inner


def test_code_of_a_class_that_needs_arguments_names_them_all():
    assert Writer().value(Demanding(inner=1)) == "Demanding(inner=1)"


def test_the_tables_of_the_documentation_are_current():
    """``python docs/suggested_tables.py`` writes them anew."""
    docs = Path(__file__).parents[1] / "docs"
    script = runpy.run_path(str(docs / "suggested_tables.py"))
    page = (docs / "suggested_spaces.md").read_text(encoding="utf-8")
    assert page == script["current"](page)
