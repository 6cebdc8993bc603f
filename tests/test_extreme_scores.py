"""Scores of any size, infinite or NaN: each decides about its own candidate only."""

from __future__ import annotations

import itertools
import math
import warnings
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV, KFold

from skhpo import BayesSearch, GridSearch, PBTSearch, RandomSearch
from skhpo._arithmetic import own_arithmetic, unit_of, users_arithmetic
from skhpo._trial import Candidate, Trial
from skhpo.exceptions import NoEffectWarning
from skhpo.optimizers import BayesOptimizer
from skhpo.optimizers._exploit import rank_members
from skhpo.search._effects import parameters_without_effect
from skhpo.search.feedback._html import history_svg
from skhpo.space import Real
from skhpo.stopping import NoImprovement, RegretBound, TargetScore, standard_error

N, SPLITS = 6, 3
X = np.repeat(np.arange(SPLITS), 40)[:, np.newaxis]  # a row says what split tests it
N_ROWS = len(X)
y = np.zeros(N_ROWS)
EXTREME = [
    *(1.5e308, -1.5e308, 1.7e308, -1.7e308, 1e250, -1e250, 5e-324, -5e-324),
    *(math.inf, -math.inf, math.nan, 0.0, 0.1, -0.2, 0.3, 1e17),
]


class Numbered(BaseEstimator):
    """Fails on splits if it has the last number; may be trained in steps."""

    def __init__(self, number=0):
        self.number = number

    def fit(self, X, y=None):
        if self.number == N and len(X) < N_ROWS:
            raise ValueError("of no use")
        self.errors_of_fit_ = np.geterr()
        return self

    def partial_fit(self, X, y=None):
        return self.fit(X, y)


class FromTable:
    """A scorer that looks scores up: by the number of the model and the split."""

    def __init__(self, table):
        self.table = table
        self.errors = set()

    def __call__(self, estimator, X, y=None):
        self.errors |= {np.geterr()["over"], estimator.errors_of_fit_["over"]}
        return self.table[estimator.number][int(X[0, 0])]


def search_with(kind: str, **options: Any) -> Any:
    """Return a search over all numbers, one of which fails."""
    space = {"number": list(range(N + 1))}
    options = {"cv": KFold(SPLITS), "refit": True} | options
    if kind == "sklearn":
        return GridSearchCV(Numbered(), space, **options)
    if kind == "grid":
        return GridSearch(Numbered(), space, **options)
    if kind == "pbt":
        return PBTSearch(
            Numbered(),
            space,
            **{"population_size": 4, "n_generations": 3, "random_state": 0, **options},
        )
    if kind in ("random", "anneal"):
        options |= {"strategy": "anneal"} if kind == "anneal" else {}
        return RandomSearch(Numbered(), space, n_iter=N + 1, random_state=0, **options)
    surrogate, _, acquisition = kind.partition("-")
    options |= {"asynchronous": True} if kind == "gp-pi" else {}
    return BayesSearch(
        Numbered(),
        space,
        n_iter=N + 1,
        n_initial=2,
        surrogate=surrogate,
        acquisition=acquisition or "auto",
        random_state=0,
        **options,
    )


ALL = ["grid", "random", "anneal", "gp", "gp-pi", "tpe"]
tables = st.lists(
    st.lists(st.sampled_from(EXTREME) | st.floats(), min_size=SPLITS, max_size=SPLITS),
    min_size=N,
    max_size=N,
)
error_scores = st.sampled_from([math.nan, -1e308, -math.inf, 0.0])


def fitted(kind: str, errors: str, table: Any, **options: Any) -> Any:
    with warnings.catch_warnings(), np.errstate(all=errors):
        warnings.simplefilter("error", RuntimeWarning)  # NumPy's
        warnings.simplefilter("ignore", UserWarning)  # scikit-learn's of NaN
        warnings.simplefilter("ignore", FitFailedWarning)
        warnings.simplefilter("ignore", NoEffectWarning)
        return search_with(kind, scoring=FromTable(table), **options).fit(X, y)


@pytest.mark.thinned
@pytest.mark.parametrize("kind", ALL)
@given(tables, error_scores, st.booleans())
@settings(max_examples=5)
def test_all_end_like_scikit_learn(kind, table, error_score, train):
    """The same scores, means, deviations and ranks, and one of the best wins.

    Also where NumPy is told to raise; scikit-learn itself would, and warns otherwise.
    """
    options = {"error_score": error_score, "return_train_score": train}
    theirs = fitted("sklearn", "ignore", table, **options)
    ours = fitted(kind, "raise", table, **options)
    mine, those = ours.cv_results_, theirs.cv_results_
    order = np.argsort([params["number"] for params in mine["params"]])
    # SciPy 1.11 takes some infinities for NaN, and which ones depends on their order.
    ranks = [results["rank_test_score"] for results in (mine, those)]
    is_ranked = min(map(np.min, ranks)) == 1
    for name in those:
        if "score" in name and "time" not in name and (is_ranked or "rank" not in name):
            assert_array_equal(mine[name][order], those[name], err_msg=name)
    if kind == "grid":
        assert ours.best_params_ == theirs.best_params_
    if is_ranked:
        assert mine["rank_test_score"][ours.best_index_] == 1
        assert ours.results_.iloc[0]["rank_test_score"] == 1
    assert len(ours.split_results()) == SPLITS * (N + 1)
    assert "nan" not in history_svg(mine["mean_test_score"])
    assert "best mean test score" in ours._repr_html_()


@pytest.mark.parametrize("kind", ["grid", "random", "anneal", "gp"])
@given(tables, error_scores)
@settings(max_examples=8)
def test_a_race_ranks_complete_candidates_first(kind, table, error_score):
    """By their means, NaN last, and one of the first is the best."""
    search = fitted(kind, "raise", table, error_score=error_score, race=True)
    results = search.cv_results_
    ranks, dropped = results["rank_test_score"], results["dropped"]
    means, estimates = results["mean_test_score"], results["estimated_test_score"]
    keys = np.where(np.isnan(means) & ~dropped, 0, -estimates)
    groups = np.where(dropped, 1, np.where(np.isnan(means), 2, 0))
    rows = list(zip(groups.tolist(), keys.tolist(), strict=True))
    assert ranks.tolist() == [1 + sum(other < row for other in rows) for row in rows]
    best = search.best_index_
    assert ranks[best] == 1
    assert not dropped[best]
    assert not (means > search.best_score_).any()


@pytest.mark.thinned
@pytest.mark.parametrize("kind", ["grid", "random", "anneal", "gp"])
@pytest.mark.parametrize("split", [None, 0, 1, 2])
def test_plus_infinity_wins_a_race(kind, split, monkeypatch):
    """On all splits or on one, as it is the best one for scikit-learn."""
    monkeypatch.setattr("skhpo.optimizers._race.FIRST_WAVE", 2)
    for number in range(N):
        table = [[0.1 * i] * SPLITS for i in range(N)]
        table[number] = [math.inf if split in (None, i) else 0.9 for i in range(SPLITS)]
        search = fitted(kind, "raise", table, race=True)
        assert search.best_params_ == {"number": number}
        assert search.best_score_ == math.inf


@pytest.mark.parametrize("exploit", ["truncation", "tournament"])
@given(tables, error_scores)
@settings(max_examples=5)
def test_a_population_survives_them(exploit, table, error_score):
    """The best row of the last generation wins, and nobody goes on from a dead one."""
    search = fitted("pbt", "raise", table, error_score=error_score, exploit=exploit)
    results = search.cv_results_
    splits = [results[f"split{i}_test_score"] for i in range(SPLITS)]
    with np.errstate(all="ignore"):
        assert_array_equal(results["mean_test_score"], np.mean(splits, axis=0))
        assert_array_equal(results["std_test_score"], np.std(splits, axis=0))
    last = results["generation"] == results["generation"][search.best_index_]
    best = results["mean_test_score"][search.best_index_]
    assert not (results["mean_test_score"][last] > best).any()
    parents = results["parent"][results["parent"] >= 0]
    told = [
        Trial.from_scores(Candidate(0, {}), row)
        for row in np.transpose(splits).tolist()
    ]
    alive = [not math.isnan(trial.score) for trial in told]
    failed = [params["number"] == N for params in results["params"]]
    assert all(alive[row] and not failed[row] for row in parents)


@pytest.mark.parametrize("kind", ["grid", "anneal", "gp", "pbt"])
def test_fits_and_scorers_run_as_the_user_has_set_numpy(kind):
    """What is ours ignores overflows, and what is theirs raises if they say so."""
    scorer = FromTable([[0.1] * SPLITS] * N)
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search_with(kind, scoring=scorer).fit(X, y)
        assert np.geterr()["over"] == "raise"
    assert scorer.errors == {"raise"}


def test_rules_models_and_constraints_of_the_user_do_so_as_well():
    """Whatever is called in the middle of our own arithmetic."""
    seen = {}

    def note(name):
        seen.setdefault(name, set()).add(np.geterr()["under"])

    class Mean:
        def fit(self, X, y):
            note("fit")

        def predict(self, X):
            note("predict")
            return np.zeros(len(X)), np.ones(len(X))

    def allow(params):
        note("constraint")
        return True

    def acquisition(mean, std, best):
        note("acquisition")
        return std

    optimizer = BayesOptimizer(
        {"x": Real(0, 1)},
        surrogate=Mean(),
        acquisition=acquisition,
        constraints=allow,
        n_initial=1,
        random_state=0,
    )
    with np.errstate(all="raise", under="warn"):
        for _ in range(5):
            [candidate] = optimizer.ask(1)
            optimizer.tell([Trial.from_scores(candidate, (1e308, -1e308))])
    assert seen.keys() == {"constraint", "fit", "predict", "acquisition"}
    assert set.union(*seen.values()) == {"warn"}


def test_the_users_settings_come_back():
    """Also from contexts within each other, and after an exception."""
    with np.errstate(over="raise", under="warn"):
        before = np.geterr()
        with own_arithmetic(), own_arithmetic():
            assert set(np.geterr().values()) == {"ignore"}
            with users_arithmetic():
                assert np.geterr() == before
                with own_arithmetic(), users_arithmetic():
                    assert np.geterr() == before
            assert set(np.geterr().values()) == {"ignore"}
        assert np.geterr() == before
        with pytest.raises(KeyError):
            own_arithmetic()({}.__getitem__)("missing")
        assert np.geterr() == before
        with users_arithmetic():
            assert np.geterr() == before


# -- the pieces ------------------------------------------------------------------


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_the_mean_of_finite_scores_is_between_them(scores):
    """Whatever their sum is; it is the exact one, rounded."""
    mean = Trial.from_scores(Candidate(0, {}), tuple(scores)).score
    exact = sum(map(Fraction, scores)) / len(scores)
    assert mean == pytest.approx(float(exact), rel=1e-15, abs=5e-324)
    assert math.isfinite(mean)


@pytest.mark.parametrize(
    ("scores", "mean"),
    [
        ((math.inf, 1.0), math.inf),
        ((-math.inf, 1e308, 1e308), -math.inf),
        ((math.inf, -math.inf), math.nan),
        ((math.inf, math.nan), math.nan),
        ((1.7e308, math.nan, 1.7e308), math.nan),
        ((), math.nan),
    ],
)
def test_the_mean_of_others_is_that_of_numpy(scores, mean):
    """Infinite or NaN; also of NumPy's own numbers where these raise."""
    for number in (float, np.float64):
        with np.errstate(all="raise"):
            trial = Trial.from_scores(Candidate(0, {}), tuple(map(number, scores)))
            assert_array_equal(trial.score, mean)


def test_a_candidate_is_itself_whatever_its_values_are():
    """``==`` has an answer for arrays, too, and candidates can be put into sets."""
    a, b = (Candidate(0, {"a": np.arange(3)}) for _ in "ab")
    assert a == a
    assert (a == b) is False
    assert len({a, b, a}) == 2
    assert (Trial.from_scores(a, (1.0,)) == Trial.from_scores(a, (1.0,))) is False


@given(st.lists(st.floats()))
def test_a_unit_is_a_power_of_two_of_their_size(values):
    """As many of the sizes are at least it as are at most twice it."""
    unit = unit_of(np.array(values, dtype=float))
    assert math.frexp(unit)[0] == 0.5
    sizes = [abs(v) for v in values if v and math.isfinite(v)]
    if sizes:
        assert 2 * sum(s >= unit for s in sizes) >= len(sizes)
        assert 2 * sum(s / 2 < unit for s in sizes) >= len(sizes)


@given(st.lists(st.floats(), min_size=1))
def test_members_are_ranked_by_score_and_the_dead_last(scores):
    """A score of minus infinity is still better than none."""
    ranked = [scores[member] for member in rank_members(scores)]
    keys = [(math.isnan(score), -score) for score in ranked]
    assert sorted(map(str, ranked)) == sorted(map(str, scores))
    for a, b in itertools.pairwise(keys):
        assert a[0] < b[0] or (a[0] == b[0] and (a[0] or a[1] <= b[1]))


@pytest.mark.parametrize("power", [-1070, -600, 0, 600, 1018])
def test_standard_errors_have_the_size_of_the_scores(power):
    """Where squares would vanish or overflow, and of NaN and infinite scores."""
    scores = [1.0, 4.0, 6.0]
    expected = math.ldexp(standard_error(scores), power)
    with np.errstate(all="raise"):
        error = standard_error([math.ldexp(score, power) for score in scores])
        assert error == pytest.approx(expected, rel=0.1 if power < -1000 else 1e-14)
        assert standard_error([0.5, 0.5]) == 0
        assert math.isnan(standard_error([math.inf, 0.5]))
        assert math.isnan(standard_error([math.nan, 0.5]))


def test_many_ties_and_infinite_scores_are_compared():
    """The probability of a chance vanishes; infinite scores differ from others."""
    grid = [{"a": a, "b": b} for a in range(80) for b in range(3)]
    candidates = [Candidate(i, params) for i, params in enumerate(grid)]
    scores = np.array([[params["a"], 1e308] for params in grid])
    scores[:3] = math.inf, -math.inf
    with np.errstate(all="raise"):
        assert parameters_without_effect(candidates, scores, [100]) == ["b"]
        scores[0, 0] = -math.inf
        assert parameters_without_effect(candidates, scores, [100]) == []


@pytest.mark.parametrize(
    ("scores", "depths"),
    [
        ([-1.7e308, 1.7e308, 0.0], [1, 0, 0.5]),
        ([-1.0, 0.0, math.inf, -math.inf, math.nan], [1, 0, None, None, None]),
        ([5e-324, 1e-323, 0.0], [0.5, 0, 1]),
        ([0.7, 0.7], [0, 0]),
    ],
)
def test_the_picture_in_a_notebook_is_to_scale(scores, depths):
    """Infinite scores are left out, as in all pictures."""
    with np.errstate(all="raise"):
        svg = history_svg(np.array(scores))
    tops = [float(part.split('"')[0]) for part in svg.split(' cy="')[1:]]
    assert tops == pytest.approx([5 + 74 * d for d in depths if d is not None], abs=0.1)


# -- when to stop ----------------------------------------------------------------


def stopped(kind: str, rule: Any, table: Any) -> tuple[str, int]:
    search = fitted(kind, "raise", table, stop=rule, error_score=-1e308)
    return search.stop_reason_, len(search.cv_results_["params"])


def test_an_infinite_score_reaches_any_target():
    """It is the best one for scikit-learn, and so it is for the rules."""
    table = [[0.1] * 3, [-1e308] * 3, [math.inf, 0.1, 0.1], *[[0.2] * 3] * 3]
    assert stopped("grid", TargetScore(0.9), table) == (
        "TargetScore: inf reaches 0.9",
        3,
    )
    assert stopped("grid", NoImprovement(2), table)[1] == 5


def test_bad_scores_are_no_improvement():
    """Neither minus infinity, nor NaN, nor a number that just happens to be finite."""
    table = [[-math.inf] * 3, [-1.6e308] * 3, [-1.7e308] * 3, *[[math.nan] * 3] * 3]
    assert stopped("grid", NoImprovement(3), table)[1] == 5


@pytest.mark.parametrize("power", [-900, 0, 900])
def test_a_regret_has_the_unit_of_the_scores(power):
    """The rule stops after the same candidate, whatever the scores are measured in."""

    def run(power):
        optimizer = BayesOptimizer({"x": Real(0, 1)}, random_state=0)
        bounds = []
        for _ in range(14):
            [candidate] = optimizer.ask(1)
            score = -((candidate.params["x"] - 0.3) ** 2)
            optimizer.tell([Trial.from_scores(candidate, (math.ldexp(score, power),))])
            bounds.append(math.ldexp(optimizer.regret_bound(), -power))
        return bounds

    assert run(power) == run(0)
    assert math.isfinite(run(power)[-1])


@given(tables)
@settings(max_examples=10)
def test_a_rule_about_regret_ends_no_search_by_an_error(table):
    """It may stop it, or not."""
    reason, n = stopped("gp", RegretBound(2), table)
    assert reason == "completed" or (reason.startswith("RegretBound") and n < N + 1)
