"""What a comparison of searches says is true where the truth is known."""

from __future__ import annotations

import json
import math
from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from joblib import parallel_config
from scipy import integrate, stats
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.cluster import KMeans
from sklearn.datasets import make_classification
from sklearn.linear_model import Ridge
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    RandomizedSearchCV,
    ShuffleSplit,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skhpo import GridSearch, RandomSearch, compare_searches
from skhpo._comparison._checks import Splits
from skhpo._comparison._metrics import (
    best_of_all,
    by_split,
    compare_pairs,
    distance_of_places,
    median,
    quality,
    search_luck,
)
from skhpo._comparison._posterior import posterior
from skhpo._comparison._records import SearchRun, Told
from skhpo._comparison._summary import judge, near_the_best
from skhpo._comparison._told import told_by
from skhpo.exceptions import AllFitsFailedError, SkhpoWarning
from skhpo.space import Real

X = np.random.RandomState(0).normal(size=(60, 3))
Y = (X[:, 0] > 0).astype(int)
TREE = DecisionTreeClassifier(random_state=0)
RATIO = 0.25


class Target(RegressorMixin, BaseEstimator):
    """Scores how near its value is to 1; on some rows it fails, or is NaN."""

    def __init__(self, value: float = 0.0, fails: str = "") -> None:
        self.value = value
        self.fails = fails

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Target:
        if self.fails == "fit" or (self.fails == "once" and 0 not in X[:, -1]):
            raise RuntimeError("No\nmore.")
        self.n_weights_ = 0 if sample_weight is None else len(sample_weight)
        self.n_rows_ = len(X)
        return self

    def score(self, X: Any, y: Any = None) -> float:
        if self.fails == "score" and len(X) == 12:  # of outer test parts
            return math.nan
        return -abs(1.0 - self.value) + 0.001 * float(np.mean(X[:, -1]))


NUMBERED = np.column_stack([X, np.arange(60)])


def searches(**values: list[float]) -> dict[str, Any]:
    return {
        name: GridSearchCV(Target(), {"value": value}, cv=3)
        for name, value in values.items()
    }


def correlated(m: int, k: int, rng: np.random.Generator) -> np.ndarray:
    """Scores on splits that share train rows: correlated as Nadeau and Bengio say."""
    rho = RATIO / (1 + RATIO)
    common = math.sqrt(rho) * rng.standard_normal((m, 1))
    return common + math.sqrt(1 - rho) * rng.standard_normal((m, k))


def winner_of(scores: np.ndarray, **options: Any) -> str | None:
    means = {str(i): row for i, row in enumerate(scores)}
    pairs = compare_pairs(means, RATIO, **{"rope": 0.0, "level": 0.95} | options)
    return best_of_all(pairs, [], 0.95)


# -- the posterior -----------------------------------------------------------------


@pytest.mark.parametrize("rope", [0.0, 0.01])
def test_the_posterior_is_students_t_with_the_variance_of_nadeau_and_bengio(
    rope: float,
) -> None:
    d = np.array([0.03, -0.01, 0.02, 0.04, 0.01])
    scale = d.std(ddof=1) * math.sqrt(1 / 5 + RATIO)
    density = stats.t(4, loc=d.mean(), scale=scale).pdf
    found = posterior(d, RATIO, rope=rope)
    assert found.better == pytest.approx(integrate.quad(density, rope, np.inf)[0])
    assert found.worse == pytest.approx(integrate.quad(density, -np.inf, -rope)[0])
    assert found.better + found.same + found.worse == pytest.approx(1)
    assert integrate.quad(density, *found.interval)[0] == pytest.approx(0.95)


def test_a_pair_seen_from_the_other_side_is_the_mirror_image() -> None:
    d = np.random.default_rng(0).standard_normal(5)
    here, there = posterior(d, 0.3, rope=0.2), posterior(-d, 0.3, rope=0.2)
    assert (here.better, here.same) == pytest.approx((there.worse, there.same))
    assert here.interval == pytest.approx([-end for end in there.interval[::-1]])


def test_equal_scores_are_the_same_and_equal_differences_leave_the_doubt_of_rows() -> (
    None
):
    assert posterior(np.zeros(5), RATIO).same == 1
    constant = np.full(5, 0.01)
    assert posterior(constant, RATIO).better == pytest.approx(1)
    few, many = (posterior(constant, RATIO, n_rows=n).better for n in (100, 10_000))
    assert 0.5 < few < many < 1
    inside = posterior(np.full(2, 0.5), RATIO, rope=0.5)
    assert (inside.better, inside.same, inside.worse) == (0, 1, 0)


@pytest.mark.parametrize(("m", "k"), [(2, 5), (2, 10), (3, 5)])
def test_of_equal_searches_none_is_named_in_94_percent(m: int, k: int) -> None:
    """Of two, the law is exact: 5 %, and 1.4 standard errors of 1,000 more are 6 %."""
    rng = np.random.default_rng(7)
    named = sum(
        winner_of(correlated(m, k, rng), n_rows=None) is not None for _ in range(1000)
    )
    assert named <= 60
    assert named >= (30 if m == 2 else 0)


def test_a_search_that_is_better_by_far_is_named() -> None:
    rng = np.random.default_rng(0)
    shift = np.array([[0.0], [4.0]])
    found = Counter(
        winner_of(correlated(2, 5, rng) + shift, n_rows=None) for _ in range(200)
    )
    assert found["1"] >= 180
    assert found["0"] == 0


def test_a_difference_within_the_rope_names_no_winner() -> None:
    scores = np.array([np.full(5, 0.9), np.linspace(0.905, 0.907, 5)])
    assert winner_of(scores, n_rows=None) == "1"
    assert winner_of(scores, n_rows=None, rope=0.05) is None


def test_the_winner_beats_each_of_the_others_and_never_failed() -> None:
    scores = np.array([[0.7, 0.71, 0.69], [0.9, 0.91, 0.92], [0.91, 0.9, 0.92]])
    means = dict(zip("abc", scores, strict=True))
    pairs = compare_pairs(means, 0.1, 0.0, 0.95, None)
    assert best_of_all(pairs, [], 0.95) is None
    pairs = compare_pairs({name: means[name] for name in "ab"}, 0.1, 0.0, 0.95, None)
    assert best_of_all(pairs, [], 0.95) == "b"
    assert best_of_all(pairs, ["b"], 0.95) is None


# -- the metrics -------------------------------------------------------------------


def test_means_over_seeds_leave_failures_out_and_pairs_need_two_splits() -> None:
    scores = [np.array([0.5, math.nan]), np.array([math.nan, math.nan]), np.ones(2)]
    means = by_split(scores)
    np.testing.assert_array_equal(means, [0.5, math.nan, 1.0])
    (pair,) = compare_pairs(
        {"a": means, "b": np.array([0.5, 0.1, math.nan])}, 0.2, 0.0, 0.95, None
    )
    assert math.isnan(pair.better)
    assert quality(means, 0.2, 0.95, None)[0] == 0.75
    assert math.isnan(quality(np.full(3, math.nan), 0.2, 0.95, None)[0])


def test_the_luck_of_a_search_is_pooled_over_the_splits() -> None:
    rng = np.random.default_rng(0)
    scores = [100 * i + rng.standard_normal(50) for i in range(20)]
    assert search_luck(scores) == pytest.approx(1, abs=0.05)
    assert math.isnan(search_luck([np.ones(1), np.ones(1)]))


def test_distances_count_categories_and_absent_parameters_as_one() -> None:
    unordered = np.array([True, False, False])
    a = np.array([0.25, 0.1, math.nan])
    b = np.array([0.75, 0.3, 0.5])
    assert distance_of_places([a, b], unordered) == pytest.approx((1 + 0.2 + 1) / 3)
    assert distance_of_places([a, a, a], unordered) == 0
    assert math.isnan(distance_of_places([a, None], unordered))


def test_half_of_the_runs_that_never_got_there_are_not_most() -> None:
    assert median([3, math.inf, 1]) == 3
    assert median([3, math.inf]) == math.inf
    assert math.isnan(median([math.nan]))


def test_near_the_best_is_within_a_standard_error_of_any_search_on_this_split() -> None:
    def run(name: str, split: int, score: float, inner: list[float]) -> SearchRun:
        told = Told(scores=np.array(inner), elapsed=np.arange(1, 4) / 3)
        return SearchRun(name, split, 0, score, 13.0, 13.0, 1.0, told)

    runs = [
        run("a", 0, 0.80, [0.5, 0.7, 0.805]),
        run("b", 0, 0.70, [0.5, 0.6, 0.7]),
        run("a", 1, 0.82, [0.5, 0.9, 0.7]),
        run("b", 1, 0.70, [0.5, np.nan, 0.895]),
    ]
    splits = Splits([(None, None)] * 2, 0.5, 60)
    near = near_the_best(runs, judge(["a", "b"], runs, splits, 0.95))
    # The margin is 0.0141, the standard error of 0.80 and 0.82 with this ratio.
    assert near == {
        ("a", 0, 0): (3, pytest.approx(12)),
        ("b", 0, 0): (math.inf, math.inf),
        ("a", 1, 0): (2, pytest.approx(8)),
        ("b", 1, 0): (3, pytest.approx(12)),
    }


# -- real searches -----------------------------------------------------------------


def test_a_comparison_has_the_outer_scores_of_the_refitted_models() -> None:
    cv = ShuffleSplit(3, test_size=0.3, random_state=0)
    space = {"max_depth": [1, 2, 3], "min_samples_leaf": [1, 20]}
    named = {
        "ours": GridSearch(TREE, space, cv=2, race=True),
        "theirs": RandomizedSearchCV(TREE, space, n_iter=2, cv=2),
    }
    found = compare_searches(named, X, Y, cv=cv, n_seeds=1, random_state=0)
    assert any("There is one seed" in note for note in found.notes)
    assert [run.search for run in found.runs] == [
        *("ours", "theirs"),
        *("theirs", "ours"),
        *("ours", "theirs"),
    ]
    for run, (train, test) in zip(
        [run for run in found.runs if run.search == "ours"], cv.split(X), strict=True
    ):
        expected = named["ours"].fit(X[train], Y[train])
        assert run.score == expected.score(X[test], Y[test])
        assert run.told.best_score == expected.best_score_
    ours, theirs = found.searches.values()
    assert (ours.n_runs, ours.n_candidates, theirs.n_fits) == (3, 6, 4)
    assert (ours.n_options, ours.n_dimensions, ours.packages) == (2, 2, [])
    assert ours.score == pytest.approx(
        np.mean([r.score for r in found.runs if r.search == "ours"])
    )
    assert ours.optimism == pytest.approx(
        np.mean([r.told.best_score - r.score for r in found.runs if r.search == "ours"])
    )
    assert found.ratio == pytest.approx(18 / 42)
    json.dumps(found.to_dict())
    assert "theirs" in found._repr_html_()
    assert str(found).splitlines()[-1].strip() in " ".join(found.sentence.split())


def test_the_same_comparison_for_any_number_of_workers_and_other_seeds_differ() -> None:
    space = {"min_impurity_decrease": Real(0, 0.5)}

    def drawn(n_jobs: int | None, seed: int) -> list[float]:
        options = {"cv": 2, "n_jobs": n_jobs}
        named = {
            "one": RandomSearch(TREE, space, n_iter=1, **options),
            "two": RandomSearch(TREE, space, n_iter=2, **options),
        }
        with parallel_config("threading"):
            found = compare_searches(named, X, Y, cv=2, n_seeds=2, random_state=seed)
        return [run.told.place[0] for run in found.runs]

    assert drawn(None, 0) == drawn(2, 0)
    assert drawn(None, 0) != drawn(None, 1)


def test_seeds_are_paired_over_the_searches_and_differ_from_split_to_split() -> None:
    space = {"value": stats.uniform(0, 1)}
    named = {
        name: RandomizedSearchCV(Target(), space, n_iter=1, cv=2, random_state=9)
        for name in "ab"
    }
    found = compare_searches(named, NUMBERED, Y, cv=2, n_seeds=2, random_state=0)
    drawn = {(r.search, r.split, r.seed): r.told.place[0] for r in found.runs}
    assert len({*drawn.values()}) == 4
    assert all(drawn["a", i, j] == drawn["b", i, j] for i in (0, 1) for j in (0, 1))
    assert found.pairs[0].same == 1
    assert any("the same search" in note for note in found.notes)
    assert not any("There is one seed" in note for note in found.notes)
    assert found.sentence.startswith("No winner: the models")


def test_a_known_difference_is_named_with_its_doubt() -> None:
    found = compare_searches(searches(near=[0.0, 0.9], far=[0.0]), NUMBERED, Y, cv=5)
    assert found.winner == "near"
    assert "with a probability of" in found.sentence
    assert "it is not" in found.sentence
    near, far = found.searches.values()
    assert (near.candidates_to_best, near.n_not_reached) == (2, 0)
    assert (far.candidates_to_best, far.n_not_reached) == (math.inf, 5)
    assert near.n_runs == 5  # a search without a seed runs once per split
    assert any("Without a random_state" in note for note in found.notes)


def test_failing_runs_are_counted_and_told_of() -> None:
    named = searches(good=[0.5]) | {
        "once": GridSearchCV(Target(fails="once"), {"value": [1.0]}, cv=2),
        "never": GridSearchCV(Target(fails="fit"), {"value": [1.0]}, cv=2),
        "nan": GridSearchCV(Target(fails="score"), {"value": [1.0]}, cv=2),
    }
    with pytest.warns(SkhpoWarning, match="'never' failed in 5 of 5 runs: ValueError"):
        found = compare_searches(named, NUMBERED, Y, cv=KFold(5))
    failed = {name: s.n_failed for name, s in found.searches.items()}
    assert failed == {"good": 0, "once": 1, "never": 5, "nan": 5}
    assert found.winner is None  # the better one failed once
    assert "'once' failed in 1 of 5 runs" in found.sentence
    assert any(run.failure == "The outer score is nan." for run in found.runs)
    assert math.isnan(found.searches["never"].score)
    json.dumps(found.to_dict(), allow_nan=False)
    assert str(found)
    assert found._repr_html_()


def test_if_every_run_fails_the_error_says_why() -> None:
    bad = GridSearchCV(Target(fails="fit"), {"value": [1.0]}, cv=2)
    with pytest.raises(AllFitsFailedError, match=r"in 2 of 2 runs.*No more"):
        compare_searches({"a": bad, "b": bad}, NUMBERED, Y, cv=2)


def test_params_are_split_and_groups_go_to_splitters_that_ask_for_them() -> None:
    weights, groups = np.ones(60), np.arange(60) // 6
    named = {
        "by group": GridSearch(Target(), {"value": [0, 1]}, cv=GroupKFold(2)),
        "plain": GridSearch(Target(), {"value": [0, 1]}, cv=2),
    }
    found = compare_searches(
        named,
        *(NUMBERED, Y),
        cv=GroupKFold(2),
        groups=groups,
        params={"sample_weight": weights},
    )
    assert not any(run.failure for run in found.runs)


def test_fitted_searches_are_fitted_anew_and_left_as_they_are() -> None:
    named = searches(a=[0.0], b=[1.0])
    fitted = {name: search.fit(NUMBERED, Y) for name, search in named.items()}
    found = compare_searches(fitted, NUMBERED, Y, cv=2)
    assert found.winner == "b"
    assert fitted["a"].best_estimator_.n_rows_ == 60
    assert any("had been fitted" in note for note in found.notes)


def test_different_scores_need_one_that_compares_them() -> None:
    grid = {"max_depth": [1, 2]}
    named = {
        "accuracy": GridSearchCV(TREE, grid, cv=2),
        "auc": GridSearchCV(TREE, grid, scoring="roc_auc", cv=2),
    }
    with pytest.raises(ValueError, match="do not have the same score"):
        compare_searches(named, X, Y, cv=2)
    found = compare_searches(named, X, Y, cv=2, scoring="balanced_accuracy")
    assert found.metric == "balanced_accuracy"
    assert math.isnan(found.searches["auc"].candidates_to_best)
    assert any("Not all searches choose by" in note for note in found.notes)


def test_a_scorer_that_searches_and_comparison_share_is_one_score() -> None:
    """Also where clones of the searches have copies of it, and by its own name."""
    scorer = make_scorer(f1_score)
    grid = {"max_depth": [1, 2]}
    searches = {
        name: GridSearch(
            DecisionTreeClassifier(random_state=seed), grid, scoring=scorer
        )
        for seed, name in enumerate("ab")
    }
    X, y = make_classification(60, random_state=0)
    found = compare_searches(searches, X, y, scoring=scorer, cv=2, n_seeds=1)
    assert found.metric == "f1_score"
    assert not any("outer score" in note for note in found.notes)


def test_several_inner_scores_are_compared_by_the_one_that_refit_names() -> None:
    many = {"scoring": ["accuracy", "roc_auc"], "refit": "roc_auc", "cv": 2}
    named = {
        "list": GridSearch(TREE, {"max_depth": [1, 3]}, **many),
        "one": GridSearchCV(TREE, {"max_depth": [1, 3]}, scoring="roc_auc", cv=2),
    }
    found = compare_searches(named, X, Y, cv=2)
    assert found.metric == "roc_auc"
    assert found.pairs[0].same == 1


def test_unsupervised_searches_have_a_score_too() -> None:
    named = {
        name: GridSearch(KMeans(n_init=1, random_state=0), {"n_clusters": n}, cv=2)
        for name, n in (("two", [2]), ("many", [8]))
    }
    found = compare_searches(named, X, cv=2)
    assert found.searches["many"].score > found.searches["two"].score


def test_other_inner_splits_say_nothing_of_how_soon_the_best_was_near() -> None:
    named = searches(a=[0.0, 1.0], b=[1.0])
    named["b"].cv = 2
    found = compare_searches(named, NUMBERED, Y, cv=2)
    assert math.isnan(found.searches["a"].candidates_to_best)
    assert any("inner splits are not the same" in note for note in found.notes)


def test_an_interrupted_search_ends_the_comparison() -> None:
    class Interrupted(GridSearchCV):
        def fit(self, *args: Any, **params: Any) -> Any:
            self.stop_reason_ = "interrupted"
            return super().fit(*args, **params)

    named = searches(a=[0.0])
    named["b"] = Interrupted(Target(), {"value": [1.0]}, cv=2)
    with pytest.raises(KeyboardInterrupt):
        compare_searches(named, NUMBERED, Y, cv=2)


def test_a_frame_and_a_picture_hold_every_search(monkeypatch: Any) -> None:
    plt = pytest.importorskip("matplotlib.pyplot")
    pytest.importorskip("pandas")
    found = compare_searches(searches(a=[0.0], b=[1.0]), NUMBERED, Y, cv=2)
    assert found.frame.index.tolist() == ["a", "b"]
    assert found.frame.loc["b", "low"] <= found.frame.loc["b", "score"]
    ax = found.plot()
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "b"]
    plt.close(ax.figure)


def test_verbose_prints_a_line_for_each_run(capsys: Any) -> None:
    compare_searches(searches(a=[0.0], b=[1.0]), NUMBERED, Y, cv=2, verbose=1)
    assert capsys.readouterr().out.startswith("a, split 0, seed 0: -0.9")


GOOD = GridSearchCV(TREE, {"max_depth": [1]})


@pytest.mark.parametrize(
    ("named", "options", "error", "says"),
    [
        ([GOOD, GOOD], {}, TypeError, "must be a dict of names"),
        ({"a": GOOD}, {}, ValueError, "two or more searches"),
        ({"a": GOOD, 2: GOOD}, {}, ValueError, "must be strings. Got 2"),
        ({"a": GOOD, "": GOOD}, {}, ValueError, "must be strings. Got ''"),
        ({"a": GOOD, "b": TREE}, {}, TypeError, "'b' is no search"),
        ({"a": GOOD, "b": GridSearch}, {}, TypeError, "make an object"),
        (
            {"a": GOOD, "b": make_pipeline(StandardScaler(), GOOD)},
            *({}, TypeError, "around the pipeline"),
        ),
        (
            {"a": GOOD, "b": GridSearchCV(TREE, {}, refit=False)},
            *({}, ValueError, "'b' has refit=False"),
        ),
        (
            {"a": GOOD, "b": GridSearchCV(Ridge(), {})},
            *({}, ValueError, "do not have the same score"),
        ),
        ({"a": GOOD, "b": GOOD}, {"y": None}, ValueError, "requires y"),
        (
            {"a": GOOD, "b": GOOD},
            {"cv": ShuffleSplit(1)},
            *(ValueError, "'cv' has 1 split"),
        ),
        ({"a": GOOD, "b": GOOD}, {"n_seeds": 0}, ValueError, "'n_seeds' must be"),
        ({"a": GOOD, "b": GOOD}, {"n_seeds": True}, ValueError, "'n_seeds' must be"),
        ({"a": GOOD, "b": GOOD}, {"rope": -1}, ValueError, "'rope' must be"),
        ({"a": GOOD, "b": GOOD}, {"level": 1.0}, ValueError, "'level' must be"),
        ({"a": GOOD, "b": GOOD}, {"scoring": "acc"}, ValueError, "Got 'acc'"),
        ({"a": GOOD, "b": GOOD}, {"scoring": ["r2"]}, TypeError, "must be one score"),
    ],
)
def test_what_cannot_be_compared_is_said_before_the_first_fit(
    named: Any, options: dict[str, Any], error: type[Exception], says: str
) -> None:
    arguments = {"X": X, "y": Y} | options
    with pytest.raises(error, match=says):
        compare_searches(named, **arguments)


def told_of(**columns: Any) -> Told:
    """What is told of a search with three rows, two splits, and these columns."""
    results = {
        "params": [{"C": c} for c in (1, 2, 3)],
        "mean_test_score": np.array([0.5, 0.7, 0.9]),
        "mean_fit_time": np.array([1.0, 2.0, 3.0]),
        "mean_score_time": np.zeros(3),
    }
    search = SimpleNamespace(n_splits_=2, cv_results_=results | columns)
    return told_by(search, None)


def test_splits_that_a_race_has_skipped_took_no_time() -> None:
    """Times are means over the splits that were done."""
    assert told_of().fit_seconds == 12.0
    raced = told_of(n_splits=np.array([2, 1, 2]))
    assert raced.fit_seconds == 10.0
    assert raced.elapsed.tolist() == [0.2, 0.4, 1.0]
    assert raced.n_fits == 5


def test_who_had_fewer_resources_could_not_have_won_but_in_a_population() -> None:
    """There each generation has had more steps, and every member is a model."""
    resources = {"n_resources": np.array([10, 20, 20])}
    halved = told_of(iter=np.array([0, 1, 1]), **resources)
    np.testing.assert_array_equal(halved.scores, [np.nan, 0.7, 0.9])
    grown = told_of(generation=np.array([0, 1, 1]), **resources)
    np.testing.assert_array_equal(grown.scores, [0.5, 0.7, 0.9])
