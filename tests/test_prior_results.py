"""What `prior_results` tell a search: scores, failures, and what is none of these."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from skhpo import BayesSearch, RandomSearch
from skhpo.search._prior import prior_trials
from skhpo.space import Real, SearchSpace

X, Y = np.zeros((8, 1)), np.zeros(8)
SPACE = {"a": Real(0, 1)}


class Crashing(BaseEstimator):
    """Fails in the upper third; its scores are below 0, the best one at 0.2."""

    def __init__(self, a: float = 0.5) -> None:
        self.a = a

    def fit(self, X: Any, y: Any) -> Crashing:
        if self.a > 2 / 3:
            raise ValueError("too much")
        return self

    def score(self, X: Any, y: Any) -> float:
        return -1.0 - (self.a - 0.2) ** 2


def fitted(**options: Any) -> BayesSearch:
    common: dict[str, Any] = {"cv": 2, "refit": False, "random_state": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return BayesSearch(Crashing(), SPACE, **{**common, **options}).fit(X, Y)


@pytest.mark.parametrize("error_score", [0.0, -1.1, -1e9, math.inf])
def test_failures_of_a_search_are_none_of_its_scores(error_score: float) -> None:
    """Whatever number stands for them, the next search goes elsewhere."""
    options: dict[str, Any] = {"n_iter": 12, "initial_params": None}
    plain = fitted(error_score=math.nan, **options)
    numbered = fitted(error_score=error_score, **options)
    assert numbered.cv_results_["params"] == plain.cv_results_["params"]
    assert numbered.failures_
    after = [
        fitted(prior_results=prior, random_state=1, n_iter=15).cv_results_["params"]
        for prior in (plain, numbered)
    ]
    assert after[0] == after[1]
    assert np.mean([params["a"] > 2 / 3 for params in after[1]]) < 0.4


def test_rows_with_a_failed_fit_are_failures() -> None:
    search = RandomSearch(
        Crashing(), SPACE, n_iter=9, cv=2, refit=False, error_score=0.0, random_state=0
    )
    with pytest.warns(match="fits failed"):
        search.fit(X, Y)
    trials = prior_trials(search, "score", SearchSpace(SPACE))
    crashed = [params["a"] > 2 / 3 for params in search.cv_results_["params"]]
    assert [trial.failed for trial in trials] == crashed
    assert any(crashed)


def test_a_data_frame_of_results_is_as_good_as_these() -> None:
    first = fitted(n_iter=6)
    frame = pd.DataFrame(first.cv_results_)
    by_frame, by_dict = (
        fitted(n_iter=8, prior_results=prior) for prior in (frame, first.cv_results_)
    )
    assert by_frame.cv_results_["params"] == by_dict.cv_results_["params"]


def test_a_search_does_not_learn_from_itself() -> None:
    search = BayesSearch(Crashing(), SPACE, n_iter=2, cv=2, refit=False)
    search.prior_results = search
    with pytest.raises(ValueError, match="cannot learn from itself"):
        search.fit(X, Y)


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([-1.0], r"'mean_test_score' for each of their 2 params. Got 1 instead"),
        ([-1.0, -2.0, -3.0], r"for each of their 2 params. Got 3 instead"),
        ([-1.0, None], r"must hold numbers, NaN for .* Got None in row 1"),
        ([-1.0, "x"], r"must hold numbers, NaN for .* Got 'x' in row 1"),
    ],
)
def test_scores_that_are_none_are_named(scores: Any, message: str) -> None:
    results = {"params": [{"a": 0.1}, {"a": 0.2}], "mean_test_score": scores}
    with pytest.raises(ValueError, match=message):
        fitted(prior_results=results, n_iter=2)
