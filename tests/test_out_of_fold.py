"""What `return_oof` keeps is what scores are computed from; a report is made of it."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics
from sklearn.cluster import KMeans
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
    cross_val_predict,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skhpo import GridSearch, PBTSearch, RandomSearch, report
from skhpo._report import _compute
from skhpo._report._bootstrap import (
    centered_interval,
    chosen_scores,
    draw_counts,
    optimism,
)
from skhpo._report._row_scores import find_row_scores
from skhpo._report._rows_tested import RowsTested
from skhpo._sklearn_compat import score_function
from skhpo._trial import Candidate, Evaluation, Trial
from skhpo.evaluation._response_store import ResponseStore
from skhpo.evaluation.fitting._responses import compact
from skhpo.exceptions import InvalidSpaceError, SkhpoWarning
from skhpo.journal._memory import from_bytes, to_bytes
from skhpo.search.feedback._heartbeat import Heartbeat
from skhpo.space import Curve

pytestmark = pytest.mark.thinned

X, y = make_classification(80, n_informative=4, flip_y=0.2, random_state=0)
WEIGHTS = np.random.default_rng(0).uniform(0.5, 2, 80)
TREE = DecisionTreeClassifier(max_features=3, random_state=0)
GRID = {"max_depth": [None, 1, 2, 3, 5, 8]}


def fitted(estimator: Any = TREE, grid: Any = GRID, **options: Any) -> Any:
    fit_params = options.pop("fit_params", {})
    target = options.pop("y", y)
    search = GridSearch(estimator, grid, return_oof=True, **options)
    return search.fit(X, target, **fit_params)


# -- what is kept ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scoring", "method"),
    [(None, "predict"), ("neg_log_loss", "predict_proba"), ("roc_auc", "both")],
)
def test_it_is_what_cross_val_predict_gives(scoring: Any, method: str) -> None:
    """The response of each row, by the model that was not trained on it."""
    search = fitted(scoring=scoring)
    verb = "predict" if method == "predict" else "predict_proba"
    expected = cross_val_predict(TREE, X, y, method=verb)
    expected = expected if expected.ndim == 1 else expected[:, 1]
    assert np.array_equal(np.sort(search.oof_.rows), np.arange(80))
    assert np.array_equal(search.oof_[0], expected[search.oof_.rows])


def test_scores_can_be_computed_from_it() -> None:
    search = fitted(scoring="accuracy", cv=RepeatedKFold(n_splits=4, n_repeats=2))
    oof = search.oof_
    for row, response in enumerate(oof):
        for split in range(8):
            rows = oof.splits == split
            score = accuracy_score(y[oof.rows[rows]], response[rows])
            assert score == search.cv_results_[f"split{split}_test_score"][row]


@given(
    st.sampled_from([SVC(), LogisticRegression(), RandomForestClassifier(5)]),
    st.sampled_from([1e-6, 1e-2, 1.0, 1e6]),
    st.sampled_from(["roc_auc", "average_precision", "neg_log_loss", "accuracy"]),
    st.integers(0, 20),
)
@settings(max_examples=15)
def test_the_report_is_from_the_rows_whatever_the_score(
    model: Any, scale: float, scoring: str, seed: int
) -> None:
    """Decision values that differ by 1e-9, and probabilities near 0 and 1, too."""
    if scoring == "neg_log_loss" and isinstance(model, SVC):
        scoring = "roc_auc"
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 3)) * scale
    y = (X[:, 0] > 0.3 * X[:, 1]).astype(int)
    name = "min_samples_leaf" if hasattr(model, "n_estimators") else "C"
    grid = {name: [1, 3, 9] if name != "C" else [1e-4, 1.0, 1e5]}
    search = GridSearch(model, grid, scoring=scoring, return_oof=True).fit(X, y)
    assert "BBC-CV" in report(search).method


def test_the_results_are_the_same_to_the_bit() -> None:
    pipeline = make_pipeline(StandardScaler(), Ridge())
    target = X[:, 0] + y
    grid = {"ridge__alpha": [0.1, 1.0, 10.0, 10.0]}
    plain = GridSearch(pipeline, grid).fit(X, target).cv_results_
    kept = fitted(pipeline, grid, y=target).cv_results_
    for name in plain:
        if "time" not in name:
            assert np.array_equal(plain[name], kept[name]), name


def test_of_several_scores_it_is_that_of_the_one_that_decides() -> None:
    search = fitted(scoring=["accuracy", "neg_brier_score"], refit="neg_brier_score")
    assert search.oof_.metric == "neg_brier_score"
    assert search.oof_[0].dtype.kind == "f"


def test_labels_are_kept_as_they_are() -> None:
    named = np.array(["no", "yes"], dtype=object)[y]
    assert set(fitted(y=named).oof_[0]) == {"no", "yes"}
    assert set(fitted(y=np.where(y, 2.0, 7.0)).oof_[0]) == {2.0, 7.0}
    assert compact(np.array([0.1, 0.7]), 2).tolist() == [0.1, 0.7]


def test_what_failed_has_no_response() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search = fitted(grid={"max_depth": [None, -1]}, error_score=-1.0)
    assert search.oof_[1] is None
    assert search.oof_.n_missing == 0


def test_dropped_candidates_of_a_race_have_none_and_complete_ones_all() -> None:
    grid = {"min_samples_leaf": [1, *range(70, 80)]}
    search = fitted(grid=grid, race=0.2, cv=10, y=(X[:, 0] > 0).astype(int))
    dropped = search.cv_results_["dropped"]
    assert dropped.any()
    assert [response is None for response in search.oof_] == dropped.tolist()
    assert "dropped" in str(report(search))


def test_of_a_curve_it_is_that_of_the_best_number() -> None:
    from sklearn.ensemble import GradientBoostingClassifier

    booster = GradientBoostingClassifier(max_depth=1, random_state=0)
    search = fitted(booster, {"n_estimators": Curve(8)}, cv=3)
    best = GradientBoostingClassifier(max_depth=1, random_state=0)
    best.set_params(**search.best_params_)
    expected = cross_val_predict(best, X, y, cv=3)
    assert np.array_equal(search.oof_[0], expected[search.oof_.rows])
    assert "Numbers of iterations were chosen by all rows" in words(report(search))


def test_members_of_a_population_have_a_response_for_each_generation() -> None:
    search = PBTSearch(
        SGDClassifier(random_state=0),
        {"alpha": [1e-4, 1e-2]},
        population_size=4,
        n_generations=2,
        cv=2,
        return_oof=True,
        random_state=0,
    ).fit(X, y)
    assert [len(response) for response in search.oof_] == [80] * 8
    assert "BBC-CV" in report(search).method


def test_a_resumed_search_has_all_of_them(tmp_path: Any) -> None:
    """What the journal has without a response is evaluated again."""
    path = tmp_path / "journal.db"
    GridSearch(TREE, GRID, journal=path).fit(X, y)
    first = fitted(journal=path)
    assert first.reuse_.n_fits == 30
    second = fitted(journal=path)
    assert second.reuse_.n_fits == 0
    assert all(map(np.array_equal, first.oof_, second.oof_))


def test_a_journal_tells_the_responses_of_several_scores_apart(tmp_path: Any) -> None:
    """Another one that decides is computed from something else."""
    options = {"grid": {"max_depth": [1, 2]}, "scoring": ["accuracy", "neg_log_loss"]}
    journal = tmp_path / "journal.db"
    labels = fitted(refit="accuracy", journal=journal, **options).oof_
    shares = fitted(refit="neg_log_loss", journal=journal, **options).oof_
    expected = fitted(refit="neg_log_loss", **options).oof_
    for label, share, right in zip(labels, shares, expected, strict=True):
        np.testing.assert_array_equal(share, right)
        assert not np.array_equal(label, share)


def test_a_fitted_search_can_be_pickled() -> None:
    search = pickle.loads(pickle.dumps(fitted()))
    assert report(search).corrected_score == report(fitted()).corrected_score


def test_without_it_there_is_none() -> None:
    search = GridSearch(TREE, GRID, return_oof=True).fit(X, y)
    search.set_params(return_oof=False).fit(X, y)
    assert not hasattr(search, "oof_")


@pytest.mark.parametrize("scoring", [lambda e, X, y: 0.5, lambda e, X, y: {"a": 1.0}])
def test_a_callable_is_refused_with_what_would_work(scoring: Any) -> None:
    with pytest.raises(ValueError, match=r"make_scorer.*skhpo.report works without"):
        fitted(scoring=scoring, refit=False)


def test_the_score_of_what_predicts_no_target_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the 'score' of KMeans"):
        fitted(KMeans(), {"n_clusters": [2, 3]})


@pytest.mark.parametrize("refit", [False, lambda results: 0])
def test_of_several_scores_one_must_decide(refit: Any) -> None:
    with pytest.raises(ValueError, match="of which 'refit' names none"):
        fitted(scoring=["accuracy", "f1"], refit=refit)


# -- bounded memory ----------------------------------------------------------------


def keep(store: ResponseStore, number: int, score: float) -> None:
    store.hold(number, number, {"a": number})
    for split in range(2):
        store.keep(number, split, np.zeros(10, np.int8), score)
    trial = Trial(Candidate(number, {"a": number}), [Evaluation(score)] * 2)
    store.complete(number, trial)


@given(st.permutations(range(8)))
def test_the_best_that_fit_are_kept_whatever_the_order(order: list[int]) -> None:
    """With room for three; the estimator as given is one of them, though the worst."""
    store = ResponseStore(2, lambda params: params["a"] == 0, n_bytes=120)
    for number in order:
        keep(store, number, score=number)
    assert [n for n in range(8) if store.of(n) is not None] == [0, 6, 7]


def test_where_all_splits_are_done_in_turn_the_worst_so_far_give_way() -> None:
    """With one worker no candidate is complete before the last split."""
    store = ResponseStore(2, lambda params: params["a"] == 0, n_bytes=80)
    for number in range(8):
        store.hold(number, number, {"a": number})
    for split in range(2):
        for number in range(8):
            store.keep(number, split, np.zeros(10, np.int8), number)
    for number in range(8):
        trial = Trial(Candidate(number, {"a": number}), [Evaluation(number)] * 2)
        store.complete(number, trial)
    kept = [n for n in range(8) if store.of(n) is not None]
    assert kept[0] == 0
    assert 7 in kept
    assert len(kept) <= 2


def test_who_is_left_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ResponseStore.__init__, "__defaults__", (4 * 80,))
    with pytest.warns(SkhpoWarning, match=r"of \d of 6 candidates are not kept"):
        search = fitted()
    assert search.oof_[0] is not None
    assert "not known" in words(report(search))


@given(st.sampled_from([np.int64, np.float64, np.float32, np.bool_, "U3", object]))
def test_what_is_kept_in_a_journal_comes_back(kind: Any) -> None:
    values = np.array([1, 0, 1]).astype(kind)
    if kind is object:
        values = np.array(["a", "bc", "d"], dtype=object)
    response = compact(values, 3)
    assert response is not None
    back = from_bytes(to_bytes(response) or b"")
    assert back is not None
    assert back.dtype == response.dtype
    assert np.array_equal(back, response)
    assert to_bytes(None) == b""
    assert from_bytes(b"") is None


def test_what_is_no_array_by_rows_is_not_kept() -> None:
    assert compact([[1, 2], [3]], 2) is None
    assert compact([1, 2], 3) is None
    assert compact(7, 1) is None


def test_large_numbers_keep_their_precision() -> None:
    given_ = np.array([1e300, 1.0])
    assert np.array_equal(compact(given_, 2), given_)


# -- draws -------------------------------------------------------------------------


@given(st.lists(st.integers(0, 2), min_size=1, max_size=12), st.integers(0, 99))
def test_each_stratum_is_drawn_as_often_as_it_is_large(
    strata: list[int], seed: int
) -> None:
    given_ = np.array(strata)
    counts = draw_counts(given_, 5, np.random.default_rng(seed))
    for stratum in set(strata):
        assert (counts[:, given_ == stratum].sum(axis=1) == strata.count(stratum)).all()


def test_a_third_of_the_units_is_not_drawn() -> None:
    counts = draw_counts(np.zeros(200, int), 300, np.random.default_rng(0))
    assert np.mean(counts == 0) == pytest.approx(np.exp(-1), abs=0.01)


def test_of_equal_ones_the_mean_is_what_is_chosen() -> None:
    inside = np.array([[1.0, 1.0, 0.5], [np.nan, 0.0, -1.0], [np.nan] * 3])
    outside = np.array([[0.2, 0.4, 0.9], [0.1, 0.3, 0.7], [1.0, 1.0, 1.0]])
    chosen = chosen_scores(inside, outside)
    assert chosen[:2] == pytest.approx([0.3, 0.3])
    assert np.isnan(chosen[2])
    assert chosen_scores(inside, outside, [2])[:2] == pytest.approx([0.9, 0.7])


def test_the_luck_of_the_draw_cancels_out() -> None:
    """If always the winner is chosen, nothing is luck."""
    rng = np.random.default_rng(0)
    outside = rng.normal(size=(50, 3))
    inside = np.tile([1.0, 0.0, 0.0], (50, 1))
    assert optimism(chosen_scores(inside, outside), outside, 0) == 0


@pytest.mark.parametrize(
    ("name", "predicts"),
    [("f1", True), ("r2", True), ("roc_auc", False), ("neg_log_loss", False)],
)
def test_only_predictions_are_pooled_over_splits(name: str, predicts: bool) -> None:
    """Other responses have a scale for each split: each is scored by itself."""
    found = score_function(metrics.get_scorer(name), TREE)
    assert found.predicts is predicts
    target = np.arange(12) % 2
    tested = RowsTested(target, np.eye(2, 12), np.repeat([0, 1], 6), None)
    *_, way = find_row_scores(
        metrics.brier_score_loss, {}, -1, tested, predicts=found.predicts
    )
    assert way.by_split is not predicts


def test_an_interval_heeds_that_a_third_of_the_rows_vary_more_than_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of one candidate, by theory: a share 1/e of the rows is outside of a draw."""
    n, p = 2000, 0.7
    search = with_responses(1, n, seed=0, p=p)
    width = np.ptp(report(search).interval)
    monkeypatch.setattr("skhpo._report._by_rows.WIDTH", 1.0)
    as_drawn = np.ptp(report(search).interval)
    of_all_rows = 2 * 1.96 * np.sqrt(p * (1 - p) / n)
    assert as_drawn == pytest.approx(np.sqrt(np.e - 1) * of_all_rows, rel=0.1)
    assert width == pytest.approx(0.93 * as_drawn)


def test_an_interval_is_around_its_center_and_no_narrower_than_told() -> None:
    values = np.array([1.0, 2.0, 3.0, np.nan])
    low, high = centered_interval(values, 10.0, 0.95)
    assert (low, high) == pytest.approx((9.05, 10.95))
    assert centered_interval(values, 0.0, 0.95, 5.0) == (-5.0, 5.0)


# -- scores of rows ----------------------------------------------------------------

BINARY = ["accuracy_score", "balanced_accuracy_score", "f1_score", "precision_score"]
AVERAGED = ["f1_score", "precision_score", "recall_score"]
REAL = ["mean_squared_error", "mean_absolute_error", "r2_score"]
CASES = [
    *((name, {}, "labels") for name in [*BINARY, "recall_score"]),
    *((name, {"pos_label": 0}, "labels") for name in AVERAGED),
    *((n, {"average": a}, "classes") for n in AVERAGED for a in ("macro", "micro")),
    *((name, {"average": "weighted"}, "classes") for name in AVERAGED),
    *((name, {}, "classes") for name in BINARY[:2]),
    *((name, {}, "real") for name in [*REAL, "root_mean_squared_error"]),
    *((n, {}, "scores") for n in ("roc_auc_score", "average_precision_score")),
    *((name, {}, "scores") for name in ("log_loss", "brier_score_loss")),
    ("log_loss", {}, "many"),
]


def rows_of(kind: str, seed: int, n: int = 30) -> tuple[Any, Any]:
    """A target and the responses of two candidates, ties among them."""
    rng = np.random.default_rng(seed)
    if kind == "real":
        target = rng.normal(size=n)
        return target, target + rng.normal(size=(2, n))
    n_classes = 3 if kind in ("classes", "many") else 2
    target = rng.permutation(np.arange(n) % n_classes)
    if kind == "scores":
        return target, rng.integers(1, 9, (2, n)) / 10
    if kind == "many":
        return target, rng.dirichlet([1, 1, 1], (2, n))
    return target, rng.integers(0, n_classes, (2, n))


@pytest.mark.parametrize(("name", "kwargs", "kind"), CASES)
@pytest.mark.parametrize("weighted", [False, True])
def test_they_are_those_of_scikit_learn_on_repeated_rows(
    name: str, kwargs: dict, kind: str, weighted: bool
) -> None:
    """By sums and ranks, on counts of rows, as by the function on the rows repeated."""
    function = getattr(metrics, name)
    target, responses = rows_of(kind, seed=3)
    rng = np.random.default_rng(1)
    weights = rng.uniform(0.5, 2, len(target)) if weighted else None
    tested = RowsTested(target, responses, np.zeros(len(target), int), weights)
    fast, *_ = find_row_scores(function, kwargs, 1, tested, predicts=True)
    counts = rng.integers(0, 3, (4, len(target)))
    found = fast(counts)
    for draw, count in enumerate(counts):
        rows = np.repeat(np.arange(len(target)), count)
        more = {} if weights is None else {"sample_weight": weights[rows]}
        for i, response in enumerate(responses):
            expected = function(target[rows], response[rows], **kwargs, **more)
            assert found[draw, i] == pytest.approx(expected), (draw, i)


@pytest.mark.parametrize("name", AVERAGED)
def test_a_class_that_is_only_predicted_counts_in_the_mean_of_all(name: str) -> None:
    """Of those that the rows drawn have, true or predicted, and of no others."""
    function = getattr(metrics, name)
    target = np.array([0, 0, 1, 1, 2])
    responses = np.array([[0, 2, 1, 1, 2], [0, 0, 1, 0, 2]])
    tested = RowsTested(target, responses, np.zeros(5, int), None)
    fast, _ = find_row_scores(function, {"average": "macro"}, 1, tested, predicts=True)
    drawn = np.array([0, 1, 2, 3])  # class 2 is predicted by the first one only
    expected = [
        function(target[drawn], response[drawn], average="macro", zero_division=0)
        for response in responses
    ]
    assert fast(np.array([[1, 1, 1, 1, 0]]))[0] == pytest.approx(expected)


def test_any_function_will_do() -> None:
    target, responses = rows_of("labels", 0)
    tested = RowsTested(target, responses, np.zeros(len(target), int), None)
    score = metrics.matthews_corrcoef
    (way,) = find_row_scores(score, {}, -1, tested, predicts=True)
    expected = [-score(target, response) for response in responses]
    assert way(np.ones((1, 30), int))[0] == pytest.approx(expected)


def test_scores_that_rank_are_the_mean_of_those_of_the_splits() -> None:
    """Decision values of two models are not compared with each other."""
    target, responses = rows_of("scores", 0)
    splits = np.arange(30) // 15
    moved = responses + 100 * splits
    tested = RowsTested(target, moved, splits, None)
    fast, slow = find_row_scores(metrics.roc_auc_score, {}, 1, tested, predicts=False)
    expected = [
        np.mean(
            [metrics.roc_auc_score(target[s], r[s]) for s in np.split(np.arange(30), 2)]
        )
        for r in responses
    ]
    for way in (fast, slow):
        assert way(np.ones((1, 30), int))[0] == pytest.approx(expected)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_projection_of_many_rows_is_exact_on_all_and_close_on_draws(
    weighted: bool,
) -> None:
    """On all rows it is scikit-learn's area; on drawn ones it differs within a bound.

    What is left out has a standard deviation of at most ``1 / (2 * sqrt(p * q))``, that
    is 0.001 here. Ties are among the responses, and the classes are of unequal size.
    """
    rng = np.random.default_rng(0)
    n = 1600
    target = (np.arange(n) % 4 == 0).astype(int)
    responses = np.round(target + rng.normal(size=(3, n)), 1)
    weights = rng.uniform(0.5, 2, n) if weighted else None
    tested = RowsTested(target, responses, np.zeros(n, int), weights)
    fast, exact = find_row_scores(metrics.roc_auc_score, {}, 1, tested, predicts=False)
    expected = [
        metrics.roc_auc_score(target, response, sample_weight=weights)
        for response in responses
    ]
    assert fast(np.ones((1, n), int))[0] == pytest.approx(expected, abs=1e-12)
    counts = draw_counts(np.zeros(n, int), 20, rng)
    given, found = exact(counts), fast(counts)
    assert np.std(given[:, 0]) > 0.005
    assert 1e-8 < np.std(found - given) < 0.001
    assert "projected" in fast.how
    assert not exact.how


def test_rows_of_one_class_have_no_area() -> None:
    """NaN, on few rows and on many."""
    for n in (10, 1100):
        target = np.arange(n) % 2
        tested = RowsTested(target, np.eye(2, n), np.zeros(n, int), None)
        fast, _ = find_row_scores(metrics.roc_auc_score, {}, 1, tested, predicts=False)
        assert np.isnan(fast(target[None, :])).all(), n


# -- the report --------------------------------------------------------------------


def words(found: Any) -> str:
    return " ".join(str(found).split())


def with_responses(m: int, n: int, seed: int, p: Any = 0.7) -> Any:
    """A fitted search, whose candidates are right by chance."""
    rng = np.random.default_rng(seed)
    hits = rng.random((m, n)) < np.reshape(p, (-1, 1))
    search = GridSearch(TREE, {"max_depth": [None, *range(1, m)]}, return_oof=True)
    search.fit(X[:20], y[:20])
    folds = np.array_split(np.arange(n), 5)
    scores = np.array([[h[fold].mean() for fold in folds] for h in hits])
    results = search.cv_results_
    for split in range(5):
        results[f"split{split}_test_score"] = scores[:, split]
    results["mean_test_score"] = scores.mean(axis=1)
    search.best_index_ = int(np.argmax(results["mean_test_score"]))
    oof = search.oof_
    object.__setattr__(oof, "responses", list(hits.astype(np.int8)))
    object.__setattr__(oof, "rows", np.arange(n))
    object.__setattr__(oof, "splits", np.repeat(range(5), list(map(len, folds))))
    object.__setattr__(oof, "y", np.ones(n, int))
    return search


def test_on_noise_the_luck_is_gone() -> None:
    """Of equal candidates, the corrected score is the true one in the mean."""
    reports = [report(with_responses(10, 100, seed)) for seed in range(6)]
    corrected = np.mean([found.corrected_score for found in reports])
    assert np.mean([found.best_score for found in reports]) > 0.75
    assert corrected == pytest.approx(0.7, abs=0.04)
    covered = [found.interval[0] < 0.7 < found.interval[1] for found in reports]
    assert np.mean(covered) > 0.8
    assert not any(found.gain_shown for found in reports)


def test_what_differs_greatly_is_shown() -> None:
    found = report(with_responses(3, 200, 0, [0.5, 0.9, 0.5]))
    assert found.gain_shown
    assert found.corrected_score == pytest.approx(found.best_score)


def test_equal_responses_are_not_without_doubt() -> None:
    """All rows right: the interval is that of a proportion of so many rows."""
    found = report(with_responses(3, 50, 0, 1.0))
    assert found.corrected_score == 1.0
    assert found.interval[1] - found.interval[0] > 0.02
    assert not found.gain_shown


def test_the_standard_error_of_equal_responses_is_not_0(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All rows right: a train score is compared with the doubt of a proportion."""
    errors = []
    monkeypatch.setattr(
        _compute, "gap_of", lambda reading, score, error: errors.append(error)
    )
    report(with_responses(3, 50, 0, 1.0))
    assert errors[0] > 0.01


@pytest.mark.parametrize("row", [0, 1])
def test_without_the_response_of_who_is_compared_it_is_by_splits(row: int) -> None:
    """The winner is row 1, and the estimator as given row 0."""
    search = with_responses(4, 100, 0, [0.6, 0.9, 0.6, 0.6])
    search.oof_.responses[row] = None
    found = report(search)
    assert "The response of the winner, or of the estimator as given" in words(found)
    assert found.gain is not None
    assert "drawn" not in found.method


def test_with_the_responses_of_some_only_there_is_no_history() -> None:
    """With fewer candidates there would be other ones that are not known."""
    search = with_responses(5, 100, 0, [0.6, 0.9, 0.6, 0.6, 0.6])
    assert report(search).corrected_history
    search.oof_.responses[3] = None
    found = report(search)
    assert "The responses of 1 of 5 candidates are not known" in words(found)
    assert "Rows were drawn" in found.method
    assert not found.corrected_history


def test_the_table_adds_up() -> None:
    for scoring in ("accuracy", "f1", "roc_auc", "neg_log_loss"):
        found = report(fitted(scoring=scoring))
        gain = found.corrected_score - found.default_score
        assert found.gain == pytest.approx(gain), scoring
        assert found.interval[0] <= found.corrected_score <= found.interval[1]
        assert found.corrected_history[-1][1] == pytest.approx(found.corrected_score), (
            scoring
        )


def test_the_order_of_candidates_means_nothing() -> None:
    one = report(fitted(grid={"max_depth": [None, 1, 3, 9]}))
    other = report(fitted(grid={"max_depth": [9, 3, 1, None]}))
    assert one.corrected_score == pytest.approx(other.corrected_score)
    assert one.interval == pytest.approx(other.interval)


def test_it_depends_on_its_seed_only() -> None:
    search = fitted()
    assert report(search).interval == report(search).interval
    assert report(search, random_state=1).interval != report(search).interval


def test_one_split_is_enough_with_responses() -> None:
    found = report(fitted(cv=ShuffleSplit(1, test_size=0.5, random_state=0)))
    assert found.corrected_score is not None
    assert found.corrected_score <= found.best_score
    assert found.interval is not None
    assert "one split" not in words(found)


@pytest.mark.parametrize(
    "cv",
    [
        RepeatedKFold(n_splits=3, n_repeats=2, random_state=0),
        ShuffleSplit(4, random_state=0),
        LeaveOneOut(),
        list(KFold(4).split(X)),
    ],
)
def test_splits_of_all_kinds_are_drawn_by_rows(cv: Any) -> None:
    search = fitted(cv=cv, grid={"max_depth": [None, 1, 9]})
    found = report(search)
    assert "Rows were drawn" in found.method
    assert found.corrected_score <= found.best_score + 0.02
    assert ("belong together" in words(found)) == isinstance(cv, list)


@pytest.mark.parametrize("cv", [GroupKFold(4), LeaveOneGroupOut(), KFold(4)])
@pytest.mark.parametrize("scoring", ["accuracy", "roc_auc"])
def test_groups_are_drawn_as_a_whole(cv: Any, scoring: str) -> None:
    groups = np.arange(80) % 8
    found = report(fitted(cv=cv, scoring=scoring, fit_params={"groups": groups}))
    assert "Groups were drawn" in found.method
    assert "There are 8 groups only" in words(found)


def test_rows_that_are_there_twice_are_one_if_they_are_a_group() -> None:
    """Groups of equal rows have the doubt of half as many rows."""
    twice = np.repeat(np.arange(40), 2)
    search = GridSearch(TREE, GRID, return_oof=True, cv=GroupKFold(4))
    search.fit(X[twice], y[twice], groups=twice)
    whole = report(search)
    object.__setattr__(search.oof_, "groups", None)
    alone = report(search)
    width = whole.interval[1] - whole.interval[0]
    assert width > 1.2 * (alone.interval[1] - alone.interval[0])


def test_weights_count() -> None:
    """The scorer's weights are those of the rows, wherever it was given them."""
    from sklearn import config_context

    with config_context(enable_metadata_routing=True):
        scorer = make_scorer(accuracy_score).set_score_request(sample_weight=True)
        tree = DecisionTreeClassifier(random_state=0)
        tree.set_fit_request(sample_weight=True)
        search = fitted(
            tree,
            {"max_depth": [None, 1, 3]},
            scoring=scorer,
            fit_params={"sample_weight": WEIGHTS},
        )
        found = report(search)
    assert "BBC-CV" in found.method
    object.__setattr__(search.oof_, "sample_weight", WEIGHTS[::-1])
    assert "do not give the scores of the splits again" in words(report(search))


def test_in_time_it_is_from_the_scores_of_splits() -> None:
    found = report(fitted(cv=TimeSeriesSplit(4)))
    assert "cannot be drawn one by one" in words(found)
    assert "BBC-CV" not in found.method


def test_a_rule_is_not_asked_for_rows() -> None:
    from skhpo.selection import OneStandardError

    found = report(fitted(refit=OneStandardError("max_depth")))
    assert "A callable 'refit' chooses by cv_results_" in words(found)
    assert found.corrected_score is not None


def test_of_another_score_there_are_no_responses() -> None:
    search = fitted(scoring=["accuracy", "roc_auc"], refit="roc_auc")
    assert "The responses are those of 'roc_auc'" in words(
        report(search, metric="accuracy")
    )
    assert "BBC-CV" in report(search).method


def test_a_regression_is_reported() -> None:
    data, target = make_regression(60, 3, noise=20, random_state=0)
    search = RandomSearch(
        Ridge(), {"alpha": [0.1, 1.0, 10, 100]}, n_iter=4, return_oof=True
    ).fit(data, target)
    found = report(search)
    assert "BBC-CV" in found.method
    assert found.corrected_score == pytest.approx(found.best_score, abs=0.05)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 9))
def test_on_permuted_labels_nothing_is_gained(seed: int) -> None:
    """No interval of a gain is above 0; the corrected score is that of guessing."""
    noise = np.random.default_rng(seed).permutation(y)
    found = report(fitted(y=noise))
    assert not found.gain_shown
    assert found.interval[0] < 0.5 < found.interval[1]


# -- the estimator as given --------------------------------------------------------


def test_the_estimator_as_given_is_the_first_candidate_of_a_grid() -> None:
    """Unless it is in there, so that nothing moves."""
    other = {"max_depth": [1, 2], "min_samples_leaf": [1, 5]}
    search = GridSearch(TREE, other, initial_params="defaults").fit(X, y)
    own = {"max_depth": None, "min_samples_leaf": 1}
    assert search.cv_results_["params"][0] == own
    assert len(search.cv_results_["params"]) == 5
    assert report(search).default_index == 0
    plain = GridSearch(TREE, GRID).fit(X, y).cv_results_["params"]
    asked = GridSearch(TREE, GRID, initial_params="defaults").fit(X, y)
    assert asked.cv_results_["params"] == plain


@pytest.mark.parametrize(
    "options", [{}, {"sampling": "sobol"}, {"strategy": "anneal"}, {"race": 0.2}]
)
def test_the_estimator_as_given_is_the_first_of_n_draws(options: dict) -> None:
    space = {"max_depth": [1, 2, 3], "ccp_alpha": stats.uniform(1e-3, 1e-2)}
    search = RandomSearch(
        TREE, space, n_iter=4, initial_params="defaults", random_state=0, **options
    ).fit(X, y)
    params = search.cv_results_["params"]
    assert params[0] == {"max_depth": None, "ccp_alpha": 0.0}
    assert len(params) == 4
    assert report(search).default_index == 0


def test_own_candidates_come_first() -> None:
    space = {"max_depth": [1, 2, 3]}
    search = RandomSearch(
        TREE, space, n_iter=3, initial_params=[{"max_depth": 9}], random_state=0
    ).fit(X, y)
    assert search.cv_results_["params"][0] == {"max_depth": 9}
    with pytest.raises(ValueError, match="max_dept"):
        search.set_params(initial_params=[{"max_dept": 9}]).fit(X, y)
    with pytest.raises(InvalidSpaceError, match="a list of dicts"):
        search.set_params(initial_params=[3]).fit(X, y)


def test_what_constraints_forbid_is_not_tried_and_that_is_said() -> None:
    search = GridSearch(
        TREE,
        {"max_depth": [1, 2]},
        constraints=lambda params: params["max_depth"] is not None,
        initial_params="defaults",
    )
    with pytest.warns(SkhpoWarning, match="do not meet the constraints"):
        search.fit(X, y)
    assert len(search.cv_results_["params"]) == 2


# -- what is said meanwhile --------------------------------------------------------


def test_it_is_said_what_the_journal_had(tmp_path: Any, capsys: Any) -> None:
    path = tmp_path / "journal.db"
    GridSearch(TREE, {"max_depth": [1, 2]}, journal=path, verbose=1).fit(X, y)
    assert "found" not in capsys.readouterr().out
    search = GridSearch(TREE, GRID, journal=path, verbose=1).fit(X, y)
    text = "10 of 30 evaluations found in the journal"
    assert text in capsys.readouterr().out
    assert text in search._repr_html_()
    assert (search.reuse_.n_found, search.reuse_.n_evaluations) == (10, 30)


def test_what_was_found_does_not_count_in_the_rate() -> None:
    heart = Heartbeat("GridSearch", 8, list)
    heart._start -= 60
    for found in (True, True, False, False):
        evaluation = Evaluation(0.5, is_found=found)
        heart.note(Trial(Candidate(0, {}), [evaluation, evaluation]))
    line = heart.line()
    assert "4 of 8 candidates" in line
    assert "2 per minute, about 2 min 0 s left" in line
    assert "4 of 8 evaluations found" in line


def test_it_is_said_that_the_best_is_at_the_end_of_a_range(capsys: Any) -> None:
    """The rule is that of the report; of few candidates nothing is said."""
    data, target = make_regression(60, 3, noise=1, random_state=0)
    space = {"alpha": np.logspace(-1, 3, 12)}
    search = GridSearch(Ridge(), space, verbose=1).fit(data, target)
    text = "best so far at the lower end of the range of alpha (0.1)"
    assert [edge.name for edge in report(search).at_edge] == ["alpha"]
    assert text in capsys.readouterr().out
    assert text in search._repr_html_()
    few = GridSearch(Ridge(), {"alpha": np.logspace(-1, 3, 4)}, verbose=1)
    few.fit(data, target)
    assert "best so far" not in capsys.readouterr().out
