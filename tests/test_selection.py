"""Rules for `refit=` choose what they say, never what failed, in every search."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV
from sklearn.tree import DecisionTreeClassifier

from skhpo import BayesSearch, GridSearch, RandomSearch, report
from skhpo.selection import (
    Constrained,
    Fastest,
    Knee,
    Lexicographic,
    LowerBound,
    OneStandardError,
    WithinLoss,
)

X, y = make_classification(60, random_state=0)
TREE = DecisionTreeClassifier(random_state=0)
GRID = {"max_depth": [None, 1, 2, 4], "min_samples_leaf": [1, 5]}
RULES = [
    OneStandardError("max_depth", "-min_samples_leaf"),
    OneStandardError("max_depth", se="best"),
    WithinLoss(0.02, "max_depth"),
    Fastest(),
    Fastest(0.01, time="score"),
    LowerBound(),
    Constrained("mean_score_time", "<=", 100),
    Constrained("std_test_score", "<=", 1, then=WithinLoss(0, "max_depth")),
    Lexicographic(("score", 0.01), "-mean_score_time"),
    Knee(),
]
names = pytest.mark.parametrize("rule", RULES, ids=repr)


def results(scores: Any, params: Any = None, **columns: Any) -> dict[str, Any]:
    scores = np.asarray(scores, float)
    seconds = np.arange(1.0, len(scores) + 1)
    return {
        "params": params or [{"max_depth": i, "min_samples_leaf": 1} for i in seconds],
        "mean_test_score": scores.mean(axis=1),
        "std_test_score": scores.std(axis=1),
        **{f"split{i}_test_score": column for i, column in enumerate(scores.T)},
        "mean_fit_time": seconds,
        "mean_score_time": seconds,
        **columns,
    }


# -- in searches -------------------------------------------------------------------


@names
def test_rules_serve_in_scikit_learn_and_here(rule: Any) -> None:
    theirs = GridSearchCV(TREE, GRID, refit=rule, cv=3).fit(X, y)
    assert theirs.best_index_ == rule(theirs.cv_results_)
    assert (
        theirs.best_estimator_.get_params()["max_depth"]
        == (theirs.best_params_["max_depth"])
    )
    ours = GridSearch(TREE, GRID, refit=rule, cv=3).fit(X, y)
    assert ours.best_index_ == rule(ours.cv_results_)
    assert report(ours).chosen_by == repr(rule)


@pytest.mark.parametrize("search", [RandomSearch, BayesSearch])
def test_rules_serve_in_searches_that_draw(search: Any) -> None:
    rule = OneStandardError("max_depth", "-min_samples_leaf")
    found = search(TREE, GRID, n_iter=5, refit=rule, cv=3, random_state=0).fit(X, y)
    assert found.best_index_ == rule(found.cv_results_)


@names
def test_rules_are_cloned_and_pickled(rule: Any) -> None:
    assert pickle.loads(pickle.dumps(rule)) == rule
    assert hash(pickle.loads(pickle.dumps(rule))) == hash(rule)
    copied = clone(GridSearchCV(TREE, GRID, refit=rule)).refit
    assert copied == rule
    with pytest.raises(AttributeError):
        rule.metric = "other"


@names
@given(st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=1))
def test_what_failed_is_never_chosen(rule: Any, scores: list[list[float]]) -> None:
    """Also if it was fast, and simple; and a row is chosen as a plain int."""
    failed = [[np.nan] * 3, [0.99, 0.99, np.nan]]
    given_results = results([*failed, *scores])
    given_results["mean_fit_time"][:2] = given_results["mean_score_time"][:2] = 0
    row = rule(given_results)
    assert type(row) is int
    assert 2 <= row < len(scores) + 2


@names
def test_without_any_score_none_is_chosen(rule: Any) -> None:
    with pytest.raises(ValueError, match="candidate"):
        rule(results(np.full((3, 3), np.nan)))


# -- what they choose --------------------------------------------------------------


SCORES = np.array(
    [
        [0.90, 0.80, 0.70],  # the best
        [0.89, 0.80, 0.70],  # differs on one split: just one standard error worse
        [0.78, 0.78, 0.78],  # within one standard error of the best score
        [0.70, 0.60, 0.50],
    ]
)
DEPTHS = [{"max_depth": d} for d in (None, 8, 4, 1)]


def test_one_standard_error_by_hand() -> None:
    """The third is 0.02 worse; both errors are 0.058, and in the end 0.006 paired."""
    given_results = results(SCORES, DEPTHS)
    assert OneStandardError("max_depth")(given_results) == 2
    assert OneStandardError("max_depth", se="best")(given_results) == 2
    scores = SCORES.copy()
    scores[2] = [0.88, 0.79, 0.67]  # 0.02 worse, within 0.0058
    given_results = results(scores, DEPTHS)
    assert OneStandardError("max_depth")(given_results) == 1
    assert OneStandardError("max_depth", se="best")(given_results) == 2


def test_none_is_most_or_least() -> None:
    same = results(np.full((4, 3), 0.5), DEPTHS)
    assert WithinLoss(0, "max_depth")(same) == 3
    assert WithinLoss(0, "max_depth", none="least")(same) == 0
    assert WithinLoss(0, "-max_depth")(same) == 1
    assert OneStandardError("max_depth", none="least")(same) == 0


def test_of_equally_simple_ones_the_better_is_chosen() -> None:
    params = [{"a": 1, "b": 2}, {"a": 1, "b": 1}, {"a": 1, "b": 1}]
    scores = [[0.8] * 3, [0.795] * 3, [0.799] * 3]
    assert WithinLoss(0.01, "a", "b")(results(scores, params)) == 2
    assert WithinLoss(0.01, "a")(results(scores, params)) == 0


def test_within_loss_gives_up_no_more() -> None:
    given_results = results(SCORES, DEPTHS)
    chosen = [WithinLoss(x, "max_depth")(given_results) for x in (0, 0.004, 0.03, 1)]
    assert chosen == [0, 1, 2, 3]


def test_the_fastest_of_the_equals() -> None:
    slow_first = np.array([4.0, 2.0, 1.0, 0.1])
    given_results = results(
        SCORES, mean_fit_time=slow_first, mean_score_time=slow_first[::-1]
    )
    assert Fastest(within=0.005, time="fit")(given_results) == 1
    assert Fastest(within=0.005, time="score")(given_results) == 0
    equal = report_rows(SCORES)
    assert Fastest(time="fit")(given_results) == max(equal)


@pytest.mark.parametrize("n_splits", [2, 3, 5, 10])
def test_as_good_is_what_equal_folds_cannot_tell_apart(n_splits: int) -> None:
    """With a test part of 1 / (k - 1) of the train part, by the paired test."""
    shape = np.sqrt(np.arange(1.0, n_splits + 1))  # no proportions of a few rows
    shape = (shape - shape.mean()) / shape.std(ddof=1)
    bound = np.sqrt(1 / n_splits + 1 / (n_splits - 1))
    bound *= stats.t.ppf(0.95, n_splits - 1)
    for factor, chosen in ((0.99, 1), (1.01, 0)):
        lost = 0.01 * (shape + factor * bound)
        slow_first = np.array([2.0, 1.0])
        found = results([np.full(n_splits, 0.7), 0.7 - lost], mean_fit_time=slow_first)
        assert Fastest(time="fit")(found) == chosen


def report_rows(scores: np.ndarray) -> list[int]:
    """Rows that a paired test by hand cannot tell from the first."""
    lost = scores[0] - scores
    errors = lost.std(axis=1, ddof=1) * np.sqrt(1 / 3 + 1 / 2)
    t = 2.9199855803537  # of 2 degrees of freedom, one-sided 95 %
    return np.flatnonzero(lost.mean(axis=1) <= t * errors + 1e-12).tolist()


def test_the_lower_bound_prefers_what_is_even() -> None:
    given_results = results(SCORES)
    assert LowerBound(0)(given_results) == 0
    assert LowerBound(1)(given_results) == 2


@pytest.mark.parametrize("z", [0.5, 1.0, 3.0])
def test_the_lower_bound_is_the_mean_less_standard_errors(z: float) -> None:
    """Those of a sample: an even candidate just above the bound is chosen."""
    uneven = np.array([0.9, 0.7, 0.85])
    bound = uneven.mean() - z * stats.sem(uneven)
    for score, chosen in ((bound - 1e-6, 0), (bound + 1e-6, 1)):
        assert LowerBound(z)(results([uneven, np.full(3, score)])) == chosen


def test_constraints_can_be_chained() -> None:
    given_results = results(SCORES)  # seconds 1, 2, 3, 4
    assert Constrained("mean_fit_time", ">", 1)(given_results) == 1
    inner = Constrained("std_test_score", "<", 0.01)
    assert Constrained("mean_fit_time", ">", 1, then=inner)(given_results) == 2
    with pytest.raises(ValueError, match="it is from 1 to 4"):
        Constrained("mean_fit_time", "<", 1)(given_results)


def test_lexicographic_goes_on_with_what_is_about_equal() -> None:
    given_results = results(SCORES)
    assert Lexicographic("score", "mean_fit_time")(given_results) == 0
    assert Lexicographic(("score", 0.004), "mean_fit_time")(given_results) == 1
    assert Lexicographic(("score", 0.03), "mean_fit_time")(given_results) == 2
    assert Lexicographic("-mean_fit_time")(given_results) == 0


def test_the_knee_is_on_the_front() -> None:
    scores = np.array([[0.5], [0.9], [0.91], [0.6]])
    seconds = np.array([1.0, 2.0, 10.0, 5.0])
    given_results = results(scores, mean_score_time=seconds)
    assert Knee()(given_results) == 1
    assert Knee("score", "mean_score_time")(given_results) == 2  # best in both
    assert Knee()(results([[0.5]] * 3, mean_score_time=np.ones(3))) == 0


@pytest.mark.parametrize("beaten", [(0.0, 1.0), (0.8, 9.0), (0.0, 99.0)])
def test_what_is_beaten_does_not_move_the_knee(beaten: tuple[float, float]) -> None:
    """Though it be as good in one of the two: the ends are those of the front."""
    scores, seconds = np.array([[0.8], [0.91], [1.0]]), np.array([1.0, 6.0, 11.0])
    assert Knee()(results(scores, mean_score_time=seconds)) == 1
    scores = np.append(scores, [[beaten[0]]], axis=0)
    seconds = np.append(seconds, beaten[1])
    assert Knee()(results(scores, mean_score_time=seconds)) == 1


def test_of_several_scores_the_rule_names_one() -> None:
    scoring = ["accuracy", "roc_auc"]
    rule = WithinLoss(0.01, "max_depth", metric="roc_auc")
    search = GridSearchCV(TREE, GRID, scoring=scoring, refit=rule, cv=3).fit(X, y)
    alone = GridSearchCV(TREE, GRID, scoring="roc_auc", cv=3).fit(X, y)
    expected = WithinLoss(0.01, "max_depth")(alone.cv_results_)
    assert search.best_index_ == expected
    with pytest.raises(ValueError, match="several scores"):
        WithinLoss(0.01, "max_depth")(search.cv_results_)
    with pytest.raises(ValueError, match="'f1' is no score"):
        LowerBound(metric="f1")(search.cv_results_)


# -- mistakes ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: OneStandardError(), "needs the names of parameters"),
        (lambda: OneStandardError(3), "needs the names of parameters"),
        (lambda: OneStandardError("a", se="other"), "'se' of OneStandardError"),
        (lambda: OneStandardError("a", none="first"), "'none' of OneStandardError"),
        (lambda: WithinLoss("max_depth"), "'limit' of WithinLoss"),
        (lambda: WithinLoss(-0.1, "max_depth"), "'limit' of WithinLoss"),
        (lambda: Fastest(within="best"), "'within' of Fastest"),
        (lambda: Fastest(time="predict"), "'time' of Fastest"),
        (lambda: Fastest(level=1), "'level' of Fastest"),
        (lambda: LowerBound(z=-1), "'z' of LowerBound"),
        (lambda: Constrained("a", "=", 1), "'comparison' of Constrained"),
        (lambda: Constrained("a", "<", np.nan), "'bound' of Constrained"),
        (lambda: Constrained("a", "<", 1, then="best"), "'then' of Constrained"),
        (lambda: Lexicographic(), "needs names, or pairs"),
        (lambda: Lexicographic(("a", -1)), "needs names, or pairs"),
        (lambda: Lexicographic(3), "needs names, or pairs"),
    ],
)
def test_mistakes_are_found_when_a_rule_is_made(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_what_the_results_do_not_have_is_named() -> None:
    given_results = results(SCORES, [{"kernel": k} for k in "abcd"])
    with pytest.raises(ValueError, match=r"was not searched, but \['kernel'\]"):
        WithinLoss(0, "C")(given_results)
    with pytest.raises(ValueError, match="has the value 'a'"):
        WithinLoss(0, "kernel")(given_results)
    with pytest.raises(ValueError, match="have no 'mean_time'"):
        Constrained("mean_time", "<", 1)(given_results)
    one_split = results([[0.5], [0.6]], DEPTHS[:2])
    for rule in (OneStandardError("max_depth"), LowerBound(), Fastest()):
        with pytest.raises(ValueError, match="One split has no standard error"):
            rule(one_split)
