"""Promise against time: what is known, and laws of what is asked."""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.model_selection import KFold
from sklearn.tree import DecisionTreeRegressor

from skhpo import BayesSearch
from skhpo.acquisition import Cooling
from skhpo.evaluation.fitting import _fit, _step_fits
from skhpo.optimizers import BayesOptimizer, Candidate, Evaluation, Trial, _bayes
from skhpo.optimizers._belief import Weighing
from skhpo.optimizers._cost import OVERHEAD, Price, TimeModel, seconds_of
from skhpo.search._prior import prior_trials
from skhpo.space import Categorical, Choice, Real, SearchSpace

SPACE = {"x": Real(0, 1), "kind": Categorical(["a", "b", "c"])}
WAYS: list[dict[str, Any]] = [
    {"acquisition": "auto"},
    {"acquisition": "ei"},
    {"acquisition": "pi"},
    {"acquisition": "ucb"},
    {"acquisition": lambda mean, std, best: mean + 3 * std},
    {"surrogate": "forest"},
    {"surrogate": "tpe"},
]


def score(params: dict[str, Any]) -> float:
    """Return something to be maximized."""
    return -((params["x"] - 0.6) ** 2) - 0.1 * (params["kind"] == "b")


def asked(seconds: Any, n: int = 10, space: Any = SPACE, **options: Any) -> list[Any]:
    """Return what an optimizer asks for, if trials take so many seconds."""
    optimizer = BayesOptimizer(space, random_state=0, **options)
    found = []
    for i in range(n):
        [candidate] = optimizer.ask(1)
        took = seconds(candidate.params, i) if callable(seconds) else seconds
        scores = (score(candidate.params),) * 2
        optimizer.tell([Trial.from_scores(candidate, scores, seconds=took)])
        found.append(dict(candidate.params))
    return found


def by_x(params: dict[str, Any], i: int) -> float:
    """Return a time that depends on a parameter, a hundred times at the most."""
    return 10 ** (2 * params["x"])


# -- a known answer --------------------------------------------------------------------


def named(way: dict[str, Any]) -> str:
    """Return the name of a test that is the same in every process."""
    return "-".join(
        value if isinstance(value, str) else "own" for value in way.values()
    )


@pytest.mark.parametrize("way", WAYS[:6], ids=named)
def test_of_two_regions_of_equal_promise_the_cheap_one_is_asked_first(
    way: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scores are the same on both sides of the middle, and times differ tenfold."""
    for share in ("EXPLORATION", "PARZEN"):
        monkeypatch.setattr(_bayes, share, 0.0)
    points = [0.02, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.98]

    def first(exponent: float, seed: int) -> float:
        optimizer = BayesOptimizer(
            {"x": Real(0, 1)},
            n_initial=1,
            random_state=seed,
            cost_exponent=exponent,
            **way,
        )
        for i, x in enumerate(points):
            value = -abs(abs(x - 0.5) - 0.25)
            seconds = 1.0 if x < 0.5 else 10.0
            candidate = Candidate(-1 - i, {"x": x})
            optimizer.tell([Trial.from_scores(candidate, (value,), seconds=seconds)])
        [candidate] = optimizer.ask(1)
        return candidate.params["x"]

    assert all(first(1.0, seed) < 0.5 for seed in range(4))


def test_a_model_of_times_knows_products() -> None:
    """The logarithm of a product of powers is a sum, also beyond what was seen."""
    space = SearchSpace({"n": Real(10, 500, log=True), "depth": Real(1, 16, log=True)})
    X = np.random.default_rng(0).random((30, 2))

    def seconds(X: Any) -> Any:
        return np.array([p["n"] * p["depth"] for p in map(space.decode, X)])

    times = TimeModel(space)
    assert times.fit(X[:15], seconds(X[:15]))
    expected = np.log(seconds(X[15:]) / np.median(seconds(X[:15])))
    assert np.allclose(times.log_relative(X[15:]), expected, atol=0.2)


def test_a_typical_trial_has_no_price() -> None:
    """The unit of times is their median, also where a few are much larger."""
    u = np.linspace(0, 1, 11)
    times = TimeModel(SearchSpace({"x": Real(0, 1)}))
    assert times.fit(u[:, np.newaxis], np.exp(6 * u**2))
    assert np.median(6 * u**2) < np.mean(6 * u**2) - 0.5
    assert times.log_relative(np.array([[0.5]]))[0] == pytest.approx(0, abs=0.1)
    assert Price(times, 1.0).value(np.array([[0.5]]))[0] == pytest.approx(1, abs=0.1)


def test_a_price_has_the_derivatives_that_it_says() -> None:
    """Also where a parameter does not exist, and of both ways of weighing."""
    space = SearchSpace(
        {"x": Real(0, 1), "k": Choice({"a": {"y": Real(1, 9)}, "b": {}})}
    )
    rng = np.random.default_rng(0)
    X = space.snap(rng.random((20, space.n_columns)))
    times = TimeModel(space)
    assert times.fit(X, rng.lognormal(size=20))
    price = Price(times, 0.7)
    values = rng.normal(size=20)
    for is_log in (False, True):
        weighing = Weighing([price, Price(times, 0.2)], values, is_log=is_log)
        _, by_x = weighing.gradient(values, np.zeros_like(X), X)
        for j in range(space.n_columns):
            step = np.zeros(space.n_columns)
            step[j] = 1e-6
            up, down = (weighing.value(values, X + s * step) for s in (1, -1))
            numeric = np.nan_to_num((up - down) / 2e-6)
            smooth = np.zeros(20) if space.is_categorical[j] else numeric
            assert np.allclose(by_x[:, j], smooth, atol=1e-5)


# -- laws of what is asked -------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS, ids=named)
def test_where_times_are_equal_or_unknown_the_same_is_asked(
    way: dict[str, Any],
) -> None:
    """To the bit."""

    def equal(params: dict[str, Any], i: int) -> float:
        return (7.0, 0.0, math.nan)[i % 3]

    assert asked(equal, cost_exponent=1.0, **way) == asked(equal, **way)


def test_with_one_time_only_the_same_is_asked() -> None:
    """One time says of no other point whether it is dearer."""

    def once(params: dict[str, Any], i: int) -> float:
        return 3.0 if i == 0 else math.nan

    assert asked(once, cost_exponent=1.0) == asked(once)


@pytest.mark.parametrize("way", WAYS, ids=named)
def test_where_times_differ_cheaper_ones_are_asked(way: dict[str, Any]) -> None:
    """In all, for every acquisition and surrogate."""

    def total(exponent: float) -> float:
        return sum(by_x(p, 0) for p in asked(by_x, cost_exponent=exponent, **way))

    assert total(1.0) < total(0.0)


def test_an_exponent_of_0_leaves_time_out() -> None:
    assert asked(by_x, cost_exponent=lambda spent, n: 0.0) == asked(7.0)


def test_a_unit_of_time_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """But for what each candidate takes besides its fits."""
    monkeypatch.setattr("skhpo.optimizers._cost.OVERHEAD", 0.0)

    def slower(params: dict[str, Any], i: int) -> float:
        return 1024 * by_x(params, i)

    space = {"x": list(np.linspace(0, 1, 40)), "kind": ["a", "b"]}
    found = asked(by_x, space=space, cost_exponent=1.0)
    assert found == asked(slower, space=space, cost_exponent=1.0)


def test_a_time_of_next_to_nothing_is_not_next_to_no_price() -> None:
    """A failure at once takes as much as there is to do besides."""
    space = SearchSpace({"x": Real(0, 1)})
    X = np.linspace(0, 1, 12)[:, np.newaxis]
    times = TimeModel(space)
    times.fit(X, np.where(X[:, 0] < 0.5, 1e-9, OVERHEAD))
    assert np.ptp(times.log_relative(X)) < 1.0


def test_what_is_asked_is_the_same_after_a_pickle() -> None:
    optimizer = BayesOptimizer(SPACE, random_state=0, cost_exponent=Cooling(1e3))
    for candidate in optimizer.ask(6):
        seconds = by_x(dict(candidate.params), 0)
        value = (score(dict(candidate.params)),)
        optimizer.tell([Trial.from_scores(candidate, value, seconds=seconds)])
    again = pickle.loads(pickle.dumps(optimizer))
    for one, other in zip(optimizer.ask(3), again.ask(3), strict=True):
        assert one.params == other.params


# -- what a trial took -----------------------------------------------------------------


def test_a_time_is_that_of_a_split() -> None:
    """Of those that were evaluated, and whose time is known."""
    evaluations = [
        Evaluation(0.5, fit_time=2.0, score_time=1.0),
        None,
        Evaluation(0.5, fit_time=math.nan),
        Evaluation(math.nan, fit_time=5.0, fit_error="it failed"),
    ]
    assert seconds_of(Trial(Candidate(0, {}), evaluations)) == (8.0, 4.0)
    total, per_split = seconds_of(Trial(Candidate(0, {}), evaluations[1:3]))
    assert total == 0.0
    assert math.isnan(per_split)


def test_earlier_results_tell_of_times() -> None:
    """As the mean ones of a split."""
    results: dict[str, Any] = {"params": [{"x": 0.5}], "mean_test_score": [1.0]}
    results |= {"split0_test_score": [1.0], "split1_test_score": [1.0]}
    space = SearchSpace({"x": Real(0, 1)})
    [trial] = prior_trials(results, "score", space)
    assert trial.seconds == 0.0
    results |= {"mean_fit_time": [2.0], "mean_score_time": [1.0]}
    [trial] = prior_trials(results, "score", space)
    assert seconds_of(trial) == (6.0, 3.0)


def test_only_what_was_asked_for_is_spent() -> None:
    """Trials of an earlier search took the time of that one."""
    seen: list[Any] = []

    def note(spent: Any, n_initial: int) -> float:
        seen.append((list(spent), n_initial))
        return 0.0

    optimizer = BayesOptimizer(
        SPACE, n_initial=3, acquisition="ei", random_state=0, cost_exponent=note
    )
    earlier = [Candidate(-1, {"x": 0.1, "kind": "a"})]
    optimizer.tell([Trial.from_scores(c, (0.0,), seconds=9.0) for c in earlier])
    for i in range(12):
        [candidate] = optimizer.ask(1)
        optimizer.tell([Trial.from_scores(candidate, (float(i),), seconds=1.0 + i)])
    spent, n_initial = seen[-1]
    assert spent == [1.0 + i for i in range(len(spent))]
    assert n_initial == 2


# -- how much it counts ----------------------------------------------------------------


def test_the_exponent_falls_from_1_to_0_as_time_is_spent() -> None:
    alpha = Cooling(100.0)
    values = [alpha([5.0] * n, 4) for n in range(4, 25)]
    assert values[0] == 1.0
    assert values == sorted(values, reverse=True)
    assert values[8] == 0.5
    assert values[16:] == [0.0] * 5


def test_the_exponent_knows_no_unit_of_time() -> None:
    spent = [1.0, 2.0, 4.0, 3.0]
    slower = [1024 * seconds for seconds in spent]
    assert Cooling(20.0, 30)(spent, 2) == Cooling(20 * 1024.0, 30)(slower, 2)


def test_without_a_budget_it_is_improvement_per_second() -> None:
    assert Cooling(math.inf, 10)([5.0] * 9, 4) == 1.0


def test_where_there_is_time_enough_for_all_candidates_time_is_no_price() -> None:
    spent = [5.0] * 6
    assert Cooling(100.0, n_candidates=20)(spent, 4) == 0.0
    assert Cooling(100.0, n_candidates=21)(spent, 4) == Cooling(100.0)(spent, 4)


@pytest.mark.parametrize("given", [-1.0, math.nan, math.inf, "auto", True, None])
def test_an_exponent_is_a_number_that_is_not_negative(given: Any) -> None:
    with pytest.raises(ValueError, match=r"cost_exponent.*Got"):
        BayesOptimizer(SPACE, cost_exponent=given)


def test_what_a_callable_returns_is_an_exponent() -> None:
    with pytest.raises(ValueError, match=r"What 'cost_exponent' returns.*Got -1"):
        asked(by_x, cost_exponent=lambda spent, n: -1)


# -- the search ------------------------------------------------------------------------

X = np.random.default_rng(0).normal(size=(30, 2))
Y = X[:, 0] + np.abs(X[:, 1])
TREE = {"ccp_alpha": loguniform(1e-4, 1.0), "min_samples_leaf": (1, 12)}


def search(**options: Any) -> BayesSearch:
    """Return a short one, not fitted."""
    fixed = {"n_iter": 9, "n_initial": 4, "cv": KFold(2), "random_state": 0}
    tree = DecisionTreeRegressor(random_state=0)
    return BayesSearch(tree, TREE, **(fixed | options))


def params_of(fitted: BayesSearch) -> list[dict[str, Any]]:
    """Return the candidates in their order."""
    return list(fitted.cv_results_["params"])


@pytest.mark.parametrize("race", [False, True])
def test_whether_time_counts_follows_the_budget(race: bool) -> None:
    """Of 2 candidates with 2 splits, 4 fits are under way, in a race 2."""

    def exponent(**options: Any) -> Any:
        made = search(race=race, **options)
        made.n_splits_ = 2
        return made._cost_exponent()

    assert exponent() == 0.0
    assert exponent(cost_aware=True) == Cooling(math.inf, 9)
    assert exponent(time_budget="2min") == Cooling(120.0, 9)
    n_busy = 2 if race else 4
    assert exponent(time_budget=60, n_jobs=8) == Cooling(60.0 * n_busy, 9)
    assert exponent(time_budget=60, cost_aware=False) == 0.0


def test_time_enough_changes_nothing() -> None:
    """With a budget for many more candidates than there are."""
    assert params_of(search(time_budget="9h").fit(X, Y)) == params_of(
        search().fit(X, Y)
    )


class OtherClock:
    """Advances by up to half a minute whenever a time is measured."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.seconds = 0.0

    def perf_counter(self) -> float:
        self.seconds += self.rng.uniform(0, 30)
        return self.seconds


def enough(progress: Any) -> str | None:
    """End a search after its seventh candidate, as a kill might."""
    return "killed" if len(progress.trials) == 7 else None


@pytest.mark.parametrize(
    "options", [{"cost_aware": True}, {"time_budget": 300.0}], ids=str
)
def test_a_resumed_search_decides_by_the_recorded_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    """What the clock says now is another thing; fits of 30 s each are counted."""

    def fitted(seed: int, **more: Any) -> list[dict[str, Any]]:
        for module in (_fit, _step_fits):
            monkeypatch.setattr(module, "time", OtherClock(seed))
        return params_of(search(**options, **more).fit(X, Y))

    path = tmp_path / "journal.db"
    killed = fitted(0, journal=path, stop=enough)
    resumed = fitted(1, journal=path)
    assert resumed[:7] == killed
    assert fitted(2, journal=path) == resumed
    assert fitted(1) != resumed, "else times decide nothing here"
    monkeypatch.undo()
    if "time_budget" not in options:  # a worker more is as much time again
        with joblib.parallel_config("threading", n_jobs=2):
            again = search(**options, journal=path).fit(X, Y)
        assert params_of(again) == resumed
