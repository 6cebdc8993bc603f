"""What is left to chance is drawn anew for each candidate; the rest is fitted once."""

import itertools
import os
import random
import secrets
import time
import warnings

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    BaggingRegressor,
    RandomForestRegressor,
    RandomTreesEmbedding,
)
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skhpo import GridSearch, RandomSearch, register_path

X = np.random.RandomState(0).normal(size=(36, 4))
Y = X @ [1.0, -2.0, 3.0, 0.5] + np.random.RandomState(1).normal(size=36)


NUMBERS = itertools.count(1)
SOURCES = {
    "numpy": lambda: np.random.random(),  # noqa: NPY002 - it is about it
    "random": random.random,
    "a fresh generator": lambda: np.random.default_rng().random(),
    "the system": lambda: int.from_bytes(os.urandom(4), "big") / 2**32,
    "secrets": lambda: secrets.randbelow(10**9) / 10**9,
    "the clock": lambda: time.perf_counter_ns() % 10**6 / 10**6,
    "a counter": lambda: 1 / next(NUMBERS),
}


class Lucky(TransformerMixin, BaseEstimator):
    """Adds a number that it draws from a source, while it fits or transforms."""

    def __init__(self, source="random", when="fit"):
        self.source = source
        self.when = when

    def _draw(self, when):
        return SOURCES[self.source]() if self.when == when else 0.0

    def fit(self, X, y=None):
        self.drawn_ = self._draw("fit")
        return self

    def transform(self, X):
        drawn = self.drawn_ + self._draw("transform")
        return np.abs(X - drawn)


def lucky_function(X):
    """What a FunctionTransformer may be given."""
    return np.abs(X - np.random.default_rng().random())


def lucky_score(X, y):
    """What SelectKBest may be given."""
    return np.random.default_rng().random(X.shape[1])


def n_draws(estimator, grid, **options):
    """How many of the scores are different, and how many there are."""
    options = {"cv": 3, "refit": False, "scoring": "r2", **options}
    results = GridSearch(estimator, grid, **options).fit(X, Y).cv_results_
    scores = [results[f"split{i}_test_score"] for i in range(3)]
    return len(np.unique(scores)), np.size(scores)


@pytest.mark.thinned
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("when", ["fit", "transform"])
@pytest.mark.parametrize("source", SOURCES)
def test_a_step_draws_anew_for_each_candidate(source, when, n_jobs):
    """Wherever it draws from; two equal candidates would not be equal otherwise."""
    pipeline = make_pipeline(Lucky(source, when), StandardScaler(), Ridge())
    alphas = (1 + np.arange(5) * 1e-15).tolist()  # as good as equal
    with joblib.parallel_config("threading"):
        drawn, expected = n_draws(pipeline, {"ridge__alpha": alphas}, n_jobs=n_jobs)
    assert drawn == expected


@pytest.mark.parametrize(
    "step",
    [
        FunctionTransformer(lucky_function),
        SelectKBest(lucky_score, k=1),
        make_pipeline(StandardScaler(), FunctionTransformer(lucky_function)),
    ],
    ids=["function", "score", "nested"],
)
def test_functions_of_ones_own_in_known_classes_draw_anew(step, never_cut):
    """Their class is scikit-learn's, and what they do is not."""
    pipeline = make_pipeline(step, Ridge())
    search = GridSearch(
        pipeline, {"ridge__alpha": np.linspace(1, 2, 12).tolist()}, cv=3, refit=False
    ).fit(X, Y)
    n_known = len(getattr(step, "steps", [step])) - 1
    assert search.reuse_.n_saved == 11 * 3 * n_known


class LuckyMean(RegressorMixin, BaseEstimator):
    """Predicts a mean with some noise of its own."""

    def fit(self, X, y):
        self.mean_ = np.mean(y) + np.random.default_rng().normal()
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)


def test_no_path_with_parts_that_are_left_to_chance():
    """An ensemble of lucky members has others for each size."""
    bagging = BaggingRegressor(LuckyMean(), random_state=0)
    search = GridSearch(bagging, {"n_estimators": [1, 2, 3]}, cv=3, refit=False)
    assert search.fit(X, Y).reuse_.n_saved == 0
    pipeline = make_pipeline(SelectKBest(lucky_score), Ridge())
    search = GridSearch(pipeline, {"selectkbest__k": [1, 2, 3]}, cv=3, refit=False)
    assert search.fit(X, Y).reuse_.n_saved == 0


class PythonsLuck(LuckyMean):
    """Draws from Python's global generator."""

    def __init__(self, k=1):
        self.k = k

    def fit(self, X, y):
        self.mean_ = random.random()
        return self


def test_draws_from_pythons_generator_end_a_registered_path():
    """Plain fits take over, each with its own draw."""

    def fit_once(estimator, name, values, X, y):
        estimator.fit(X, y)
        for value in values:
            yield estimator.set_params(**{name: value})

    register_path(PythonsLuck, "k", fit_once)
    drawn, expected = n_draws(PythonsLuck(), {"k": [1, 2, 3]})
    assert drawn == expected


class Declared(Lucky):
    """Says of itself that it is left to chance, which may not show in two fits."""

    def _draw(self, when):
        Declared.n_fits = getattr(Declared, "n_fits", 0) + (when == "fit")
        return 0.0

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags


def test_a_class_can_opt_out():
    """By the tag that scikit-learn has for it."""
    Declared.n_fits = 0
    n_draws(make_pipeline(Declared(), Ridge()), {"ridge__alpha": [1.0, 2.0, 3.0, 4.0]})
    assert Declared.n_fits == 4 * 3


def test_equal_candidates_of_such_a_class_draw_each():
    """They are not merged either."""
    Declared.n_fits = 0
    n_draws(make_pipeline(Declared(), Ridge()), {"ridge__alpha": [1.0, 1.0]})
    assert Declared.n_fits == 2 * 3


class FailsByChance(Lucky):
    """Fails with other words each time."""

    def fit(self, X, y=None):
        raise ValueError(np.random.default_rng().random())


def test_failures_that_differ_are_not_shared():
    """Each candidate has the failure of its own fit."""
    pipeline = make_pipeline(FailsByChance(), Ridge())
    search = GridSearch(
        pipeline, {"ridge__alpha": [1.0, 2.0, 3.0]}, cv=3, error_score=0.0, refit=False
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match="All the 9 fits failed") as raised:
            search.fit(X, Y)
    assert "1 fit of 1 candidate" in str(raised.value)


# Fitted once


def reuse(search, X=X, y=Y):
    """What a search has saved."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return search.fit(X, y).reuse_


@pytest.mark.usefixtures("never_cut")
def test_known_steps_are_fitted_once():
    """As ever: no second fit for a look."""
    pipeline = make_pipeline(StandardScaler(), PCA(2, random_state=0), Ridge())
    search = GridSearch(pipeline, {"ridge__alpha": [1.0, 2.0, 3.0]}, cv=3, refit=False)
    assert reuse(search).n_fits == 3 * (1 + 1 + 3)


class Plain(TransformerMixin, BaseEstimator):
    """Of a class that nobody knows, and without any chance."""

    n_fits = 0

    def __init__(self, factor=1.0):
        self.factor = factor

    def fit(self, X, y=None):
        Plain.n_fits += 1
        return self

    def transform(self, X):
        return X * self.factor


@pytest.mark.usefixtures("never_cut")
def test_steps_that_are_not_known_are_fitted_twice_once():
    """For each setting in one process; what repeats itself is shared from then on."""
    Plain.n_fits = 0
    grid = {"plain__factor": [1.0, 2.0], "ridge__alpha": [1.0, 2.0, 3.0, 4.0]}
    search = GridSearch(make_pipeline(Plain(), Ridge()), grid, cv=3, refit=False)
    found = reuse(search)
    assert Plain.n_fits == 2 * 3 + 2
    assert found.n_fits == 2 * 3 + 2 + 8 * 3
    assert found.n_saved == 2 * 8 * 3 - found.n_fits


STEPS = {
    "known": StandardScaler(),
    "own": Plain(),
    "lucky": Lucky("a fresh generator"),
    "failing": FailsByChance(),
    "seeded": SelectKBest(k=2),
    "embedding": RandomTreesEmbedding(3, random_state=0),
}


@settings(max_examples=12)
@given(
    st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=2, unique=True),
    st.lists(st.sampled_from([2, 3, 4]), min_size=1, max_size=5),
    st.booleans(),
)
def test_what_was_done_and_what_was_saved_are_all_fits(names, clusters, targets):
    """Candidates x splits x steps, with repeated candidates; nothing is negative."""
    steps = [STEPS[name] for name in names]
    pipeline = make_pipeline(*steps, KMeans(n_init=1, random_state=0))
    grid = {"kmeans__n_clusters": clusters}
    search = GridSearch(pipeline, grid, cv=3, refit=False, error_score=0.0)
    try:
        found = reuse(search, y=Y if targets else None)
    except ValueError:  # all fits have failed
        return
    assert found.n_fits + found.n_saved == len(clusters) * 3 * len(pipeline.steps)
    assert found.n_fits >= len(set(clusters)) * 3
    assert found.n_saved >= 0


def test_scores_that_refuse_lent_data_cost_no_fits(never_cut):
    """`KMeans.score` wants to write into the indices of a sparse matrix."""
    pipeline = make_pipeline(
        RandomTreesEmbedding(5, random_state=0), KMeans(n_init=1, random_state=0)
    )
    grid = {"kmeans__n_clusters": [2, 3, 4, 5]}
    ours = GridSearch(pipeline, grid, cv=3, refit=False).fit(X)
    theirs = GridSearchCV(pipeline, grid, cv=3, refit=False).fit(X)
    assert_array_equal(
        ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"]
    )
    assert ours.reuse_.n_saved == 3 * 3


@pytest.mark.usefixtures("never_cut")
@pytest.mark.parametrize("y", [None, Y], ids=["without targets", "with targets"])
def test_a_path_saves_the_same_without_targets(y):
    """One fit for all values, on each split."""
    pipeline = make_pipeline(VarianceThreshold(), KMeans(2, n_init=1, random_state=0))
    grid = {"variancethreshold__threshold": [0.1, 0.2, 0.3]}
    search = GridSearch(pipeline, grid, cv=3, refit=False)
    assert reuse(search, y=y).n_fits == 3 * (1 + 3)


class Largest(RegressorMixin, BaseEstimator):
    """The mean of the `k` largest targets, found slowly."""

    def __init__(self, k=1):
        self.k = k

    def fit(self, X, y):
        time.sleep(0.002)
        self.largest_ = np.sort(y)[::-1]
        return self

    def predict(self, X):
        if not hasattr(self, "largest_"):
            raise NotFittedError
        return np.full(len(X), self.largest_[: self.k].mean())


def fit_each(estimator, name, values, X, y):
    """Takes its time for each value."""
    for value in values:
        estimator.set_params(**{name: value}).fit(X, y)
        yield estimator


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (Largest(), "k"),
        (RandomForestRegressor(random_state=0), "n_estimators"),
        (make_pipeline(Plain(), RandomForestRegressor(random_state=0)), "n_estimators"),
    ],
    ids=["registered", "forest", "pipeline"],
)
def test_fit_times_are_less_than_the_time_of_the_search(estimator, name):
    """And along a path they do not fall."""
    register_path(Largest, "k", fit_each)
    names = [full for full in estimator.get_params() if full.endswith(name)]
    start = time.perf_counter()
    search = GridSearch(estimator, {names[0]: [1, 2, 5, 9]}, cv=3, refit=False)
    results = search.fit(X, Y).cv_results_
    elapsed = time.perf_counter() - start
    assert (results["mean_fit_time"] > 0).all()
    assert (results["mean_fit_time"] <= elapsed).all()
    assert (results["mean_score_time"] <= elapsed).all()
    if search.reuse_.n_fits == 3:  # one path on each split, in one go
        assert (np.diff(results["mean_fit_time"]) >= 0).all()


def test_random_search_draws_anew_too():
    """Sharing is a matter of the engine."""
    pipeline = make_pipeline(Lucky("the system"), Ridge())
    space = {"ridge__alpha": (1 + np.arange(6) * 1e-15).tolist()}
    search = RandomSearch(pipeline, space, n_iter=6, cv=3, refit=False, random_state=0)
    results = search.fit(X, Y).cv_results_
    scores = [results[f"split{i}_test_score"] for i in range(3)]
    assert len(np.unique(scores)) == 18
