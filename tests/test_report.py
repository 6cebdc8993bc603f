"""What a report says is true where the truth is known, and it says what it cannot."""

from __future__ import annotations

import itertools
import json
import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import loguniform, rankdata
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 - as it says
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import (
    GridSearchCV,
    GroupShuffleSplit,
    HalvingRandomSearchCV,
    KFold,
    LeavePOut,
    RandomizedSearchCV,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
)
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skhpo import BayesSearch, GridSearch, PBTSearch, report
from skhpo._report._choice import reduced_results
from skhpo._report._simplest import simplest_of
from skhpo._report._splitting import splitting_of
from skhpo._split_scores import (
    best_rows,
    correction,
    gain_floor,
    half_width,
    leave_out_sets,
    left_out_scores,
    not_worse,
    outlying_splits,
    proportion_floor,
    scored_rows,
    standard_error,
)
from skhpo.exceptions import AllFitsFailedError
from skhpo.search._curves import StageCurve
from skhpo.search._edges import edges_of
from skhpo.search._given import find_given
from skhpo.space import Integer, Real

X, y = make_classification(60, random_state=0)
TREE = DecisionTreeClassifier(random_state=0)


def fitted(
    scores: Any,
    params: list[dict] | None = None,
    *,
    estimator: Any = None,
    cv: Any = None,
    **columns: Any,
) -> Any:
    """A search with these scores (n, k); row 0 is the estimator as given."""
    scores = np.asarray(scores, float)
    if params is None:
        params = [{"C": 1.0 + i} for i in range(len(scores))]
    search = RandomizedSearchCV(estimator or SVC(), {"C": loguniform(1, 9)}, cv=cv)
    with np.errstate(all="ignore"):
        means = scores.mean(axis=1)
    search.cv_results_ = {
        "params": params,
        **{f"split{i}_test_score": column for i, column in enumerate(scores.T)},
        "mean_test_score": means,
        "rank_test_score": rankdata(-np.nan_to_num(means, nan=-np.inf), method="min"),
        "mean_fit_time": np.arange(1.0, len(scores) + 1),
        "mean_score_time": np.zeros(len(scores)),
        **columns,
    }
    search.best_index_ = int(np.argmin(search.cv_results_["rank_test_score"]))
    search.multimetric_ = False
    return search


def sentences(found: Any) -> str:
    """What is printed, without the ends of lines."""
    return " ".join(str(found).split())


def noise(m: int, k: int, seed: int = 0, spread: float = 0.03) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 0.7 + spread * (rng.standard_normal((m, k)) + rng.standard_normal(k))


# -- the corrected score -----------------------------------------------------------


def test_one_split_is_left_out_of_three_by_hand() -> None:
    """Without split 0 the first wins, without 1 the second, without 2 the first."""
    found = report(fitted([[0.1, 0.9, 0.5], [0.9, 0.05, 0.4]]))
    assert found.best_score == pytest.approx(0.5)
    assert found.corrected_score == pytest.approx((0.1 + 0.05 + 0.5) / 3)
    assert found.optimism == pytest.approx(0.5 - 0.65 / 3)


@pytest.mark.parametrize("k", [4, 5, 7])
def test_all_pairs_are_left_out_of_four_or_more(k: int) -> None:
    scores = noise(20, k)
    values: list[list[float]] = [[] for _ in range(k)]
    for pair in itertools.combinations(range(k), 2):
        kept = [split for split in range(k) if split not in pair]
        winner = np.argmax(scores[:, kept].mean(axis=1))
        for split in pair:
            values[split].append(scores[winner, split])
    expected = np.mean([np.mean(value) for value in values])
    assert report(fitted(scores)).corrected_score == pytest.approx(expected)


@pytest.mark.parametrize("k", [60, 200])
def test_of_very_many_splits_each_is_left_out_equally_often(k: int) -> None:
    sets = leave_out_sets(k)
    assert len(sets) <= 500
    counts = np.bincount(np.concatenate([out for out, _ in sets]), minlength=k)
    assert set(counts) == {counts[0]}
    assert all(not set(out) & set(kept) for out, kept in sets)
    assert all(len(out) + len(kept) == k for out, kept in sets)


def test_repeats_hold_the_same_rows_and_are_kept_apart() -> None:
    sets = leave_out_sets(6, n_repeats=2)
    assert [sorted({*out, *kept}) for out, kept in sets] == 3 * [[0, 1, 2]] + 3 * [
        [3, 4, 5]
    ]


def test_in_time_one_chooses_on_what_is_earlier() -> None:
    sets = leave_out_sets(5, in_time=True)
    assert [(out.tolist(), kept.tolist()) for out, kept in sets] == [
        ([3], [0, 1, 2]),
        ([4], [0, 1, 2, 3]),
    ]
    own, later = np.array([1.0, 2, 3, 4, 5]), np.array([np.nan] * 3 + [3.0, 3.0])
    corrected, optimism = correction(own, later)
    assert optimism == 1.5
    assert corrected.tolist() == [-0.5, 0.5, 1.5, 3, 3]
    assert corrected.mean() == own.mean() - optimism


def test_on_noise_the_luck_is_gone() -> None:
    """Fifty equal candidates: the best mean is too high, and the corrected one not."""
    naive, left = [], []
    for seed in range(200):
        scores = noise(50, 5, seed)
        truth = scores.mean()  # all candidates are worth the same
        sets = leave_out_sets(5)
        corrected = left_out_scores(scores, sets, best_rows(scores))
        naive.append(scores.mean(axis=1).max() - truth)
        left.append(corrected.mean() - truth)
    assert np.mean(naive) > 0.025
    assert abs(np.mean(left)) < 3 * np.std(left) / np.sqrt(len(left)) + 1e-4
    assert abs(np.mean(left)) < np.mean(naive) / 10


def test_a_gain_on_noise_is_hardly_ever_shown() -> None:
    n_shown = 0
    for seed in range(300):
        scores = noise(30, 5, seed)
        corrected = left_out_scores(scores, leave_out_sets(5), best_rows(scores))
        gain = corrected - scores[0]
        n_shown += gain.mean() > half_width(gain, 0.25, 0.95)[1]
    assert n_shown <= 0.06 * 300


@pytest.mark.parametrize("k", [3, 5, 10])
def test_intervals_cover_what_they_say(k: int) -> None:
    """Scores whose splits are as dependent as Nadeau and Bengio take them to be."""
    rng, ratio = np.random.default_rng(0), 1 / (k - 1)
    shared = ratio / (1 + ratio)
    values = np.sqrt(1 - shared) * rng.standard_normal((2000, k))
    values += np.sqrt(shared) * rng.standard_normal((2000, 1))
    errors = np.std(values, axis=1, ddof=1) * np.sqrt(1 / k + ratio)
    halves = errors * stats.t.ppf(0.975, k - 1)
    assert halves[0] == pytest.approx(half_width(values[0], ratio, 0.95)[1])
    covered = np.abs(values.mean(axis=1)) < halves
    assert 0.93 < covered.mean() < 0.97


def test_what_differs_greatly_is_shown() -> None:
    scores = noise(10, 5, spread=0.001)
    scores[4] += 0.1
    found = report(fitted(scores))
    assert found.gain_shown
    assert found.indistinguishable == [4]
    assert found.gain_interval[0] < 0.1 < found.gain_interval[1]
    assert not report(fitted(scores), rope=0.2).gain_shown


def test_a_wider_level_is_a_wider_interval_around_the_same_score() -> None:
    search = fitted(noise(10, 5))
    narrow, wide = report(search, level=0.5), report(search, level=0.99)
    assert narrow.corrected_score == wide.corrected_score
    assert wide.interval[0] < narrow.interval[0] < narrow.interval[1] < wide.interval[1]


# -- laws --------------------------------------------------------------------------


matrices = st.integers(2, 6).flatmap(
    lambda k: st.lists(
        st.lists(st.integers(0, 8).map(lambda n: n / 8), min_size=k, max_size=k),
        min_size=2,
        max_size=8,
    )
)
NUMBERS = ("corrected_score", "optimism", "interval", "best_score", "split_share")


@given(matrices, st.randoms(use_true_random=False))
def test_the_order_of_candidates_and_splits_means_nothing(
    scores: list[list[float]], random: Any
) -> None:
    """Which of several equals is taken as the winner may change, and its luck not."""
    scores = np.array(scores)
    scores += np.arange(scores.size).reshape(scores.shape) * 1e-7  # hardly any ties
    rows = random.sample(range(len(scores)), len(scores))
    splits = random.sample(range(scores.shape[1]), scores.shape[1])
    one = report(fitted(scores))
    other = report(fitted(scores[np.ix_(rows, splits)]))
    for name in NUMBERS:
        assert getattr(other, name) == pytest.approx(getattr(one, name), abs=1e-9)
    assert {rows[i] for i in other.indistinguishable} == {*one.indistinguishable}


@given(matrices, st.floats(0.01, 100), st.floats(-100, 100))
def test_other_units_are_other_units_only(
    scores: list[list[float]], scale: float, shift: float
) -> None:
    """Of the pure mathematics; that scores are proportions is known of [0, 1] only."""
    one = np.array(scores)
    sets = leave_out_sets(one.shape[1])
    first = left_out_scores(one, sets, best_rows(one))
    other = scale * one + shift
    second = left_out_scores(other, sets, best_rows(other))
    assert second == pytest.approx(scale * first + shift, rel=1e-6, abs=1e-6)


@given(st.integers(2, 6), st.integers(2, 6))
def test_equal_candidates_have_no_luck_and_no_gain(m: int, k: int) -> None:
    row = np.linspace(0.6, 0.7, k)
    found = report(fitted(np.tile(row, (m, 1))))
    assert found.optimism == pytest.approx(0, abs=1e-12)
    assert found.gain == pytest.approx(0, abs=1e-12)
    assert not found.gain_shown
    assert found.indistinguishable == list(range(m))


@pytest.mark.parametrize("value", [0.0, 0.7, 1.0, -3.0])
def test_constant_scores(value: float) -> None:
    found = report(fitted(np.full((5, 5), value)))
    assert found.corrected_score == pytest.approx(value)
    assert found.split_share is None
    assert "not too high" in str(found)


def test_of_equals_any_could_have_won() -> None:
    """Two candidates tie without split 2: it is scored by the mean of both."""
    scores = np.array([[0.5, 0.5, 0.9], [0.5, 0.5, 0.1]])
    assert left_out_scores(scores, leave_out_sets(3), best_rows(scores))[2] == 0.5


def test_scores_of_any_size_neither_warn_nor_raise() -> None:
    with np.errstate(all="raise"):
        for scale in (1e-300, 1e300):
            assert "winner" in str(report(fitted(noise(6, 5) * scale)))


# -- proportions -------------------------------------------------------------------


def test_the_number_of_rows_is_read_off_accuracies() -> None:
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 31, (50, 5))
    assert scored_rows(counts / 30) == 150
    assert scored_rows(rng.random((50, 5))) is None
    assert scored_rows(-counts / 30) is None


def test_tiny_scores_are_no_proportions() -> None:
    assert scored_rows(np.full((3, 5), 1e-300)) is None
    assert scored_rows(np.zeros((3, 5))) == 5


def test_equal_accuracies_are_not_without_doubt() -> None:
    """Five times 21 of 30 right: the interval is that of 105 of 150 rows, about."""
    scores = np.full((3, 5), 21 / 30)
    scores[1:] -= [[1 / 30], [2 / 30]]
    found = report(fitted(scores))
    assert found.interval[0] < 0.65
    assert found.interval[1] > 0.75
    assert proportion_floor(0.7, 150) == pytest.approx(np.sqrt(0.7 * 0.3 / 150), 0.02)


def test_what_was_taken_away_is_a_doubt_of_its_own() -> None:
    """However equal what is left of it: half of each split, whichever is left out."""
    scores = [[0.9, 0.9, 0.5], [0.5, 0.8, 0.9], [0.8, 0.5, 0.9]]
    found = report(fitted(scores))
    assert found.corrected_score == pytest.approx(0.5)
    of_luck = standard_error(np.array([0.4, 0.4, 0.0]), 1 / 2)
    half = stats.norm.ppf(0.975) * np.hypot(proportion_floor(0.5, 30), of_luck)
    assert found.interval == pytest.approx((0.5 - half, 0.5 + half))


def test_one_row_more_on_each_split_is_no_gain() -> None:
    scores = np.array([[20 / 30] * 5, [21 / 30] * 5])
    scores[:, 0] -= 1 / 7 - 3 / 30  # other denominators, the same differences
    assert scored_rows(np.array([[20 / 30] * 5, [21 / 30] * 5])) == 150
    found = report(fitted([[20 / 30] * 5, [21 / 30] * 5]))
    assert found.gain == pytest.approx(1 / 30)
    assert gain_floor(1 / 30, 150) == pytest.approx(np.sqrt(5) / 150)
    assert found.gain_interval[0] < 0.005


# -- which candidates are as good --------------------------------------------------


@pytest.mark.parametrize("gain", [0.0, 0.001, -0.001, 0.02])
def test_scores_may_always_differ_on_one_row(gain: float) -> None:
    """However equal two proportions of 50 rows are."""
    assert gain_floor(gain, 50) == pytest.approx(1 / 50)


def test_one_of_normal_splits_stands_out_in_5_percent_of_all_rows() -> None:
    """By chance, whichever of the splits it is."""
    rows = np.random.default_rng(0).standard_normal((1000, 1, 4))
    share = np.mean([bool(outlying_splits(row)) for row in rows])
    assert 0.03 < share < 0.07


def test_a_candidate_is_worse_if_the_paired_test_says_so() -> None:
    scores = noise(12, 5, 1)
    scores[3] += 0.05
    for row in range(12):
        difference = scores[3] - scores[row]
        error = difference.std(ddof=1) * np.sqrt(1 / 5 + 1 / 4)
        worse = difference.mean() > stats.t.ppf(0.95, 4) * error
        assert not_worse(scores, 3, 1 / 4, 0.95)[row] == (not worse)


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_equal_differences_are_tested_on_one_side_by_their_rows(level: float) -> None:
    """Of n rows, a share d was right with one only: its deviation is sqrt(d / n)."""
    n = 100
    bound = stats.norm.ppf(level) ** 2 / n  # d = z * sqrt(d / n)
    for size, is_worse in ((0.9 * bound, False), (1.1 * bound, True)):
        scores = np.full((2, 5), 0.8)
        scores[1] -= size
        assert not_worse(scores, 0, 1 / 4, level, n).tolist() == [True, not is_worse]


def test_the_simplest_and_the_fastest_are_among_them() -> None:
    scores = noise(4, 5, spread=0.0001)
    scores[2] -= 0.5
    params = [{"max_depth": d} for d in (None, 8, 1, 3)]
    search = fitted(
        scores, params, estimator=TREE, mean_fit_time=np.array([4.0, 1, 0.1, 2])
    )
    found = report(search)
    assert 2 not in found.indistinguishable
    assert found.params(found.simplest) == {"max_depth": 3}
    assert found.fastest == 1


@pytest.mark.parametrize("prefix", ["", "tree__", "outer__inner__"])
def test_what_is_simpler_does_not_depend_on_where_the_model_stands(prefix: str) -> None:
    """By the names of its parameters, in a pipeline as well."""
    depths = [{f"{prefix}max_depth": d} for d in (8, 3, None)]
    assert simplest_of(depths) == 1
    leaves = [{f"{prefix}min_samples_leaf": n} for n in (8, 3, 20)]
    assert simplest_of(leaves) == 2


# -- the estimator as given --------------------------------------------------------


def test_its_interval_is_that_of_its_own_scores() -> None:
    """However even those of the others are."""
    scores = np.full((6, 5), 0.71)
    scores[0] = [0.3, 0.5, 0.72, 0.6, 0.9]
    found = report(fitted(scores, cv=5), level=0.9)
    half = stats.t.ppf(0.95, 4) * scores[0].std(ddof=1) * np.sqrt(1 / 5 + 1 / 4)
    mean = scores[0].mean()
    assert found.default_interval == pytest.approx((mean - half, mean + half))


def test_the_estimator_as_given_is_found_by_its_parameters() -> None:
    assert find_given(SVC(), [{"C": 2}, {"C": 1}]) == 1  # 1.0 is the same
    assert find_given(TREE, [{"min_samples_leaf": 1.0}]) is None  # all rows
    assert find_given(SVC(), [{"kernel": "linear"}, {"gamma": "scale"}]) == 1
    assert find_given(SVC(), [{"unknown": 1}]) is None
    assert find_given(SVC(), [{}]) == 0


def test_without_it_no_gain_is_claimed_and_it_is_said_how_to_get_one() -> None:
    found = report(fitted(noise(5, 5), [{"C": 2.0 + i} for i in range(5)]))
    assert (found.gain, found.default_index, found.gain_shown) == (None, None, False)
    assert any("cross_val_score" in note for note in found.notes)


# -- what cannot be said -----------------------------------------------------------


def test_one_split() -> None:
    found = report(fitted(noise(5, 1), cv=ShuffleSplit(1)))
    assert found.corrected_score is found.interval is found.gain is None
    assert found.indistinguishable == []
    assert any("one split only" in note for note in found.notes)


def test_two_splits() -> None:
    found = report(fitted(noise(5, 2), cv=2))
    assert found.interval[1] - found.interval[0] > 0
    assert any("Two splits" in note for note in found.notes)


def test_one_candidate() -> None:
    found = report(fitted(noise(1, 5)))
    assert found.corrected_score == found.best_score
    assert found.optimism == 0
    assert any("one candidate only" in note for note in found.notes)


def test_diverged_candidates_change_nothing_for_the_others() -> None:
    """What ties is judged by the size of the best, and not by that of the worst."""
    scores = noise(10, 5)
    found = report(fitted(np.vstack([scores, np.full(5, -1e30)])))
    assert found.corrected_score == report(fitted(scores)).corrected_score
    assert found.indistinguishable == report(fitted(scores)).indistinguishable
    assert not_worse(np.array([[1.0, 1.1], [0.5, 0.6], [-1e30, 0.0]]), 0, 0.5, 0.95)[
        1:
    ].tolist() == [False, True]


def test_failed_candidates_are_left_out() -> None:
    scores = noise(6, 5)
    whole = report(fitted(scores))
    extended = np.vstack([scores, np.full(5, np.nan), [*np.full(4, 0.99), np.nan]])
    found = report(fitted(extended))
    assert found.n_failed == 2
    assert found.corrected_score == pytest.approx(whole.corrected_score)
    assert any("2 of 8 candidates" in note for note in found.notes)


def test_dropped_candidates_of_a_race_are_left_out_and_did_not_fail() -> None:
    """They have a score on some splits, and could not have won."""
    scores = noise(6, 5)
    whole = report(fitted(scores))
    raced = np.vstack([scores, [0.1, 0.2, np.nan, np.nan, np.nan]])
    dropped = np.array([False] * 6 + [True])
    columns = {"dropped": dropped, "n_splits": np.where(dropped, 2, 5)}
    columns["estimated_test_score"] = np.nanmean(raced, axis=1)
    found = report(fitted(raced, **columns))
    assert found.n_failed == 0
    assert found.corrected_score == pytest.approx(whole.corrected_score)
    assert any("dropped before" in note for note in found.notes)
    assert str(found).startswith("RandomizedSearchCV: 6 of 7 candidates on 5 splits")
    assert whole.corrected_history
    assert found.corrected_history == []  # of six fewer, others had been dropped


def test_the_estimator_as_given_may_have_been_tried_and_dropped() -> None:
    scores = noise(4, 5)
    scores[0, 2:] = np.nan
    dropped = {"dropped": np.isnan(scores[:, 2])}
    assert "was tried, but is not compared" in sentences(
        report(fitted(scores, **dropped))
    )


def test_numbers_of_iterations_are_chosen_anew_without_the_splits_left_out() -> None:
    """A candidate with a curve is as many candidates as it has stages."""
    stages = noise(12, 5)
    best = np.argmax(stages.mean(axis=1))
    search = fitted(stages[[best]])
    curve = StageCurve(np.arange(12), stages.T, "n_estimators")
    search.curves_ = [{"score": curve}]
    expected = report(fitted(stages))
    found = report(search)
    assert found.corrected_score == pytest.approx(expected.corrected_score)
    assert found.optimism == pytest.approx(expected.optimism)
    assert not any("nothing was chosen" in note for note in found.notes)


def test_without_any_score_there_is_no_report() -> None:
    with pytest.raises(AllFitsFailedError, match="None of the 3 candidates"):
        report(fitted(np.full((3, 5), np.nan)))
    partly = np.where(np.eye(3, dtype=bool), np.nan, 0.5)
    search = fitted(partly)
    search.cv_results_["mean_test_score"] = np.full(3, 0.5)
    with pytest.raises(AllFitsFailedError, match="on every split"):
        report(search)


def test_an_unfitted_search_has_no_report() -> None:
    with pytest.raises(NotFittedError, match="after its 'fit'"):
        report(GridSearchCV(SVC(), {"C": [1]}))


@pytest.mark.parametrize("bad", [{"rope": -1}, {"level": 1}, {"level": "high"}])
def test_parameters_are_checked(bad: dict) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(bad))!r} must be a number"):
        report(fitted(noise(3, 3)), **bad)


def several(refit: Any) -> Any:
    scoring = ["accuracy", "roc_auc"]
    grid = {"max_depth": [None, 1, 2]}
    return GridSearchCV(TREE, grid, scoring=scoring, refit=refit, cv=3).fit(X, y)


def test_of_several_scores_one_must_decide() -> None:
    found = report(several("roc_auc"))
    assert found.metric == "roc_auc"
    alone = GridSearchCV(TREE, {"max_depth": [None, 1, 2]}, scoring="roc_auc", cv=3)
    assert found.corrected_score == report(alone.fit(X, y)).corrected_score
    search = several(False)
    with pytest.raises(ValueError, match="metric='accuracy' or another"):
        report(search)
    again = report(search, metric="roc_auc")
    assert again.corrected_score == found.corrected_score
    other = report(several("accuracy"), metric="roc_auc")
    assert other.corrected_score == found.corrected_score
    assert "chosen by 'accuracy'" in sentences(other)
    assert "chosen by" not in sentences(found)
    with pytest.raises(ValueError, match="must be one of"):
        report(search, metric="f1")


def lowest_depth(results: Any) -> int:
    """A rule that does not look at scores, so there is no luck in what it chooses."""
    return int(np.argmin([p["max_depth"] or 99 for p in results["params"]]))


def test_a_rule_is_asked_again_on_fewer_splits() -> None:
    search = GridSearchCV(TREE, {"max_depth": [None, 1, 2]}, refit=lowest_depth)
    found = report(search.fit(X, y))
    assert found.optimism == pytest.approx(0, abs=1e-12)
    assert found.best_params == {"max_depth": 1}
    assert "chosen by refit=" in str(found)
    assert "best_score_" not in str(found)  # the search has none
    assert found.corrected_history == []  # that would be one of highest means


def test_a_rule_that_knows_its_own_results_only_is_noted() -> None:
    def last_split(results: Any) -> int:
        return int(np.argmax(results["split4_test_score"]))

    search = GridSearchCV(TREE, {"max_depth": [None, 1, 2]}, refit=last_split)
    found = report(search.fit(X, y))
    assert any("cannot choose on fewer splits" in note for note in found.notes)


def test_a_rule_sees_what_scikit_learn_gives_for_fewer_splits() -> None:
    splits = list(KFold(4).split(X))
    grid = {"max_depth": [1, 2, 3, None]}
    keywords = {"scoring": ["accuracy", "f1"], "refit": "f1"}
    keywords["return_train_score"] = True
    whole = GridSearchCV(TREE, grid, cv=splits, **keywords).fit(X, y)
    fewer = GridSearchCV(TREE, grid, cv=[splits[0], splits[3]], **keywords).fit(X, y)
    found = reduced_results(whole.cv_results_, np.arange(4), np.array([0, 3]))
    assert {*found} == {*fewer.cv_results_}
    for key, column in fewer.cv_results_.items():
        if "time" not in key:
            assert np.array_equal(np.asarray(found[key]), np.asarray(column)), key


# -- kinds of splits ---------------------------------------------------------------


def test_the_ratio_of_rows_is_read_off_the_splitter() -> None:
    rows = np.arange(10)
    given_splits = [(rows[:6], rows[6:8]), (rows[:6], rows[8:])]
    masks = [(rows < 6, rows > 7), (rows < 6, (rows > 5) & (rows < 8))]
    for cv, n_splits, ratio in [
        *((None, 5, 1 / 4), (3, 3, 1 / 2), (KFold(4), 4, 1 / 3)),
        (RepeatedKFold(n_splits=5, n_repeats=3), 15, 1 / 4),
        (ShuffleSplit(4), 4, 1 / 9),
        (ShuffleSplit(4, test_size=0.25), 4, 1 / 3),
        (ShuffleSplit(4, train_size=0.5, test_size=0.25), 4, 1 / 2),
        (GroupShuffleSplit(4), 4, 1 / 4),
        (given_splits, 2, 1 / 3),
        (masks, 2, 1 / 3),
        (TimeSeriesSplit(4), 4, np.mean([1]) / np.mean([1, 2, 3, 4])),
    ]:
        assert splitting_of(cv, n_splits).ratio == pytest.approx(ratio), cv


@pytest.mark.parametrize(("gap", "in_time"), [(1, True), (3, True), (0, False)])
def test_splits_follow_each_other_if_no_test_row_was_trained_on(
    gap: int, in_time: bool
) -> None:
    """Nor comes before one that was: then they are in time, as a series is split."""
    ends = (5, 8, 11)
    cv = [(np.arange(end + 1), np.arange(end + gap, end + gap + 3)) for end in ends]
    assert splitting_of(cv, 3).in_time is in_time


def test_what_splits_do_not_tell_is_said() -> None:
    assert "same rows are in the test" in splitting_of(ShuffleSplit(4), 4).notes[0]
    assert "not known of LeavePOut" in splitting_of(LeavePOut(2), 6).notes[0]
    once = ShuffleSplit(4, test_size=10)
    assert "not known of ShuffleSplit" in splitting_of(once, 4).notes[-1]
    assert splitting_of(iter([]), 4).origin == "assumed"
    twice = [(np.arange(3), np.arange(3, 6))] * 2
    assert "same rows" in splitting_of(twice, 2).notes[0]
    assert "in time" in splitting_of(TimeSeriesSplit(3), 3).notes[0]
    listed = list(TimeSeriesSplit(3).split(X))
    assert splitting_of(listed, 3).in_time
    assert not splitting_of(list(KFold(3).split(X)), 3).in_time
    repeated = splitting_of(RepeatedKFold(n_splits=2, n_repeats=2), 4)
    assert "Repeated folds" in repeated.notes[0]


@pytest.mark.parametrize("cv", [TimeSeriesSplit(5), RepeatedKFold(n_repeats=2)])
def test_other_splits_are_reported(cv: Any) -> None:
    k = 5 if isinstance(cv, TimeSeriesSplit) else 10
    found = report(fitted(noise(8, k), cv=cv))
    assert found.corrected_score == pytest.approx(found.best_score - found.optimism)
    last = found.corrected_history[-1]
    assert last == (8, pytest.approx(found.corrected_score))


# -- more that is found ------------------------------------------------------------


def test_a_split_that_stands_out_is_named() -> None:
    scores = noise(10, 6, spread=0.01)
    scores[:, 4] = 0.2
    assert report(fitted(scores)).outlying_splits == [4]
    alarms = sum(bool(outlying_splits(noise(10, 5, seed))) for seed in range(200))
    assert alarms < 0.1 * 200


def test_train_scores_say_whether_it_overfits() -> None:
    scores = noise(10, 5, spread=0.01)
    over = report(fitted(scores, mean_train_score=np.ones(10)))
    assert over.gap.verdict == "overfits"
    assert over.gap.size == pytest.approx(1 - over.corrected_score)
    scores = noise(1, 5) + noise(10, 5, spread=0.0001)  # all candidates alike
    under = report(fitted(scores, mean_train_score=np.full(10, scores.mean())))
    assert under.gap.verdict == "underfits"
    assert report(fitted(scores)).gap is None


@pytest.mark.parametrize("perfect", [1.0, 0.0])
def test_a_perfect_score_does_not_underfit(perfect: float) -> None:
    """Accuracies that are all 1, or losses that are all 0: nothing can be better."""
    scores = np.full((10, 5), perfect)
    found = report(fitted(scores, mean_train_score=scores.mean(axis=1)))
    assert found.gap.verdict == "fits"
    assert "underfits" not in sentences(found)


def edges(space: dict, values: list, estimator: Any = None) -> list:
    """The edges where the last of the values is the best one, of rising scores."""
    search = RandomizedSearchCV(estimator or SVC(), space)
    params = [{next(iter(space)): value} for value in values]
    return edges_of(search, params, np.arange(float(len(values))), len(values) - 1)


def test_the_best_at_the_end_of_a_range_is_named_with_a_bound_beyond() -> None:
    [found] = edges({"C": Real(0.01, 100, log=True)}, [0.1, 30, 70, 90, 99])
    assert (found.end, found.bound, found.suggested) == ("upper", 100, 1000)
    [found] = edges({"C": loguniform(0.01, 100)}, [9, 0.03, 0.02, 0.011])
    assert (found.end, found.bound, found.suggested) == ("lower", 0.01, 0.001)
    leaf = {"min_samples_leaf": Integer(1, 60)}
    [found] = edges(leaf, [1, 50, 55, 59], TREE)
    assert (found.end, found.suggested) == ("upper", 120)
    [found] = edges({"C": [1, 10, 100]}, [1, 10, 100])
    assert found.suggested == 1000


def test_where_there_is_no_room_none_is_suggested() -> None:
    assert edges({"min_samples_leaf": Integer(1, 60)}, [50, 3, 2, 1], TREE) == []
    share = {"max_features": Real(0.1, 1.0)}
    assert edges(share, [0.1, 0.9, 0.99, 1.0], TREE) == []  # 1.9 is rejected
    assert edges({"ccp_alpha": Real(0, 1)}, [0.5, 0.02, 0.01, 0.0], TREE) == []
    assert edges({"C": [1, 10, 100]}, [1, 1, 1, 10]) == []  # in the middle
    assert edges({"C": Real(1, 2)}, [1.0, 1.1, 1.2, 1.99]) == []  # alone there
    depths = {"max_depth": [1, 2, 5, None]}  # None is beyond 5
    assert edges(depths, [5, 5, None, 1], TREE) == []
    assert edges({"kernel": ["rbf", "linear"]}, ["rbf", "rbf", "linear"]) == []
    assert edges({"gamma": ["scale", 0.1, 1, 10]}, [1, 10, "scale"]) == []


def test_the_history_of_the_corrected_score_ends_with_it() -> None:
    found = report(fitted(noise(20, 5)))
    assert [n for n, _ in found.corrected_history] == [5, 10, 20]
    assert found.corrected_history[-1][1] == pytest.approx(found.corrected_score)
    scores = noise(20, 5, spread=0.001)
    scores[15:] += 0.2
    assert report(fitted(scores)).still_rising
    assert "more of them may help" in sentences(report(fitted(scores)))


@pytest.mark.parametrize("m", [3, 5, 7, 8])
def test_the_history_has_a_quarter_half_and_all_of_the_candidates(m: int) -> None:
    """Rounded up: of none there is no best."""
    numbers = [n for n, _ in report(fitted(noise(m, 5))).corrected_history]
    assert numbers == [-(-m // 4), -(-m // 2), m]


@pytest.mark.parametrize("cv", [None, TimeSeriesSplit(5)])
def test_a_small_rise_is_none_where_the_splits_differ_greatly(cv: Any) -> None:
    """However even it is: there is much more doubt about the score itself."""
    scores = np.tile([0.5, 0.9, 0.6, 0.5, 0.9], (20, 1))
    scores[15:] += 0.2
    assert report(fitted(scores, cv=cv)).still_rising
    scores[15:] -= 0.199
    assert report(fitted(scores, cv=cv)).still_rising is False


def test_decisive_parameters_are_those_of_the_picture() -> None:
    rng = np.random.default_rng(0)
    params = [{"C": a, "tol": b} for a, b in rng.random((30, 2))]
    scores = np.array([[p["C"]] * 5 for p in params]) + 0.01 * noise(30, 5)
    found = report(fitted(scores, params))
    assert [*found.importance] == ["C", "tol"]
    assert found.importance["C"] > 0.9
    assert "decisive: C" in str(found)
    assert report(fitted(noise(3, 5))).importance == {}


# -- searches ----------------------------------------------------------------------


def test_searches_of_all_kinds_are_reported() -> None:
    sgd = SGDClassifier(learning_rate="constant", eta0=0.1, random_state=0)
    eta = {"eta0": loguniform(1e-4, 1)}
    space = {"max_depth": [1, 2, 3], "ccp_alpha": loguniform(1e-4, 1e-1)}
    depths = {"max_depth": [None, 1, 2], "min_samples_leaf": [1, 4]}
    halving = HalvingRandomSearchCV(TREE, space, cv=3, random_state=0)
    halving = report(halving.fit(X, y))
    assert any("last iteration" in note for note in halving.notes)
    population = PBTSearch(
        sgd, eta, population_size=3, n_generations=2, cv=2, random_state=0
    )
    assert any("population" in note for note in report(population.fit(X, y)).notes)
    bayes = BayesSearch(TREE, {"max_depth": [None, 1, 2, 4]}, n_iter=3, cv=3)
    assert report(bayes.fit(X, y)).default_index == 0
    ours = report(GridSearch(TREE, depths, cv=3).fit(X, y)).to_dict()
    theirs = report(GridSearchCV(TREE, depths, cv=3).fit(X, y)).to_dict()
    timed = {"search", "seconds", "seconds_per_candidate", "fastest"}
    assert {k: v for k, v in ours.items() if k not in timed} == {
        k: v for k, v in theirs.items() if k not in timed
    }


def test_a_report_changes_nothing_in_the_search() -> None:
    search = GridSearchCV(TREE, {"max_depth": [None, 1]}, cv=3).fit(X, y)
    before = pickle.dumps(search)
    str(report(search))
    assert pickle.dumps(search) == before


# -- how it is shown ---------------------------------------------------------------


def test_the_summary_has_the_numbers_and_the_doubt() -> None:
    text = str(report(fitted(noise(50, 5, 3))))
    for part in ("as given", "tuned", "best_score_", "too high by about", "gain"):
        assert part in text
    assert "not shown" in text
    assert "of 50" in text
    assert "How: Two splits of 5 were left out, 10 times" in text


def test_values_as_given_that_no_candidate_has_are_named() -> None:
    """So that who reads it knows what to add to the space."""
    search = GridSearchCV(SVC(), {"C": [1, 10], "gamma": [0.1, 0.2]}, cv=3).fit(X, y)
    [note] = [note for note in report(search).notes if "as given" in note]
    assert "(none has gamma=scale)" in note


def test_the_simplest_is_written_once_if_it_is_the_fastest() -> None:
    search = GridSearch(SVC(), {"C": [1, 10]}, cv=3).fit(X, y)
    found = report(search)
    for fastest, expected in [
        (0, "; the simplest: C=1 (row 0); the fastest: the same"),
        (1, "; the simplest: C=1 (row 0); the fastest: C=10"),
    ]:
        shown = replace(found, indistinguishable=[0, 1], simplest=0, fastest=fastest)
        assert expected in " ".join(str(shown).split())


def test_results_alone_are_no_search() -> None:
    search = GridSearch(SVC(), {"C": [1, 10]}, cv=3).fit(X, y)
    with pytest.raises(TypeError, match=r"^A report is of a fitted search.{,80}$"):
        report(search.cv_results_)


def test_all_of_it_can_be_written_as_json() -> None:
    found = report(fitted(noise(10, 5), mean_train_score=np.ones(10)))
    assert json.loads(json.dumps(found.to_dict()))["n_candidates"] == 10
    assert "candidates" not in found.to_dict()


def test_it_can_be_pickled() -> None:
    found = report(fitted(noise(10, 5)))
    assert str(pickle.loads(pickle.dumps(found))) == str(found)


def test_html_escapes_what_users_have_written() -> None:
    params = [{"C": f"<b>{i}</b>"} for i in range(3)]
    html = report(fitted(noise(3, 5), params))._repr_html_()
    assert "<b>" not in html
    assert html.count("<div") == html.count("</div>")
    assert html.startswith("<div")


def test_it_is_drawn() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    for k in (1, 5):
        ax = report(fitted(noise(5, k))).plot()
        ax.figure.canvas.draw()
        _, own = plt.subplots()
        assert report(fitted(noise(5, k))).plot(own) is own
    plt.close("all")


def test_the_estimator_is_not_touched() -> None:
    params = [{"max_depth": None}] * 5
    search = fitted(noise(5, 5), params, estimator=clone(TREE))
    report(search)
    assert not hasattr(search.estimator, "tree_")
