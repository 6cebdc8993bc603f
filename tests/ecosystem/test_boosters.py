"""LightGBM, XGBoost and CatBoost inside a search: the scores that they have alone."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skhpo import BayesSearch, GridSearch, PBTSearch, RandomSearch
from skhpo.space import Real

X, Y = make_classification(n_samples=120, n_features=6, random_state=0)
SMALL = {"n_jobs": 1, "random_state": 0}


def lightgbm():
    return pytest.importorskip("lightgbm").LGBMClassifier(
        n_estimators=5, min_child_samples=5, verbose=-1, **SMALL
    )


def xgboost():
    return pytest.importorskip("xgboost").XGBClassifier(n_estimators=5, **SMALL)


def catboost():
    return pytest.importorskip("catboost").CatBoostClassifier(
        n_estimators=5,
        verbose=0,
        thread_count=1,
        allow_writing_files=False,
        random_state=0,
    )


@pytest.fixture(params=[lightgbm, xgboost, catboost])
def booster(request):
    return request.param()


def test_scores_are_those_of_plain_fits(booster):
    """Whatever is shared between candidates, in a pipeline or not."""
    space = {"n_estimators": [3, 5], "learning_rate": [0.1, 0.5], "max_depth": [2, 3]}
    cv = KFold(2)
    alone = GridSearch(booster, space, cv=cv).fit(X, Y)
    piped = GridSearch(
        make_pipeline(StandardScaler(with_mean=False, with_std=False), booster),
        {f"{type(booster).__name__.lower()}__{name}": v for name, v in space.items()},
        cv=cv,
    ).fit(X, Y)
    for number, params in enumerate(alone.cv_results_["params"]):
        scores = [
            clone(booster).set_params(**params).fit(X[a], Y[a]).score(X[b], Y[b])
            for a, b in cv.split(X)
        ]
        for search in (alone, piped):
            found = [search.cv_results_[f"split{i}_test_score"][number] for i in (0, 1)]
            assert found == scores


@pytest.mark.parametrize("kind", [RandomSearch, BayesSearch])
def test_the_same_from_two_processes(booster, kind):
    """Boosters are pickled, and come back."""
    space = {"learning_rate": Real(1e-2, 1, log=True), "max_depth": [2, 3]}
    search = kind(booster, space, n_iter=4, cv=2, random_state=0)
    here, there = clone(search).fit(X, Y), clone(search).set_params(n_jobs=2).fit(X, Y)
    np.testing.assert_array_equal(
        here.cv_results_["mean_test_score"], there.cv_results_["mean_test_score"]
    )
    np.testing.assert_array_equal(here.predict(X), there.predict(X))


@pytest.mark.parametrize("make", [lightgbm, xgboost])
def test_a_population_of_boosters(make):
    """They grow by rounds, each generation from where the last one stopped."""
    search = PBTSearch(
        make(),
        {"learning_rate": Real(1e-2, 1, log=True)},
        population_size=3,
        n_generations=2,
        cv=2,
        random_state=0,
    ).fit(X, Y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.score(X, Y) > 0.7
