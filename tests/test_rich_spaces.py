"""Grid and random search over spaces that only we take, and ours in scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from estimators import Anything, Threshold
from scipy import stats
from sklearn.model_selection import ParameterSampler, RandomizedSearchCV

from skhpo import BayesSearch, GridSearch, RandomSearch
from skhpo.space import Categorical, Choice, Integer, Real, SearchSpace, _space

X, Y = np.arange(12.0).reshape(6, 2), np.array([0, 1] * 3)


class FloatDistribution:
    """Looks like Optuna's."""

    low, high, log, step = 0.5, 2.0, True, None


class Skopt:
    """Looks like a dimension of scikit-optimize, which draws lists of lists."""

    low, high, prior = 1.0, 9.0, "uniform"

    def transform(self, values: Any) -> Any:
        """Return the values."""
        return values

    def rvs(self, n_samples: int = 1, random_state: Any = None) -> Any:
        """Return a list, which is no value."""
        return [[5.0]]


SPACES: dict[str, Any] = {
    "choice": {"a": Choice({"p": {"b": Real(0, 1)}, "q": {"c": [1, 2]}, "r": None})},
    "nested": {"a": Choice({1: {"b": Choice({2: {"c": Integer(1, 3)}, 3: None})}})},
    "prior": {"a": (1e-2, 1e2, "log-uniform"), "b": (1, 9, "uniform")},
    "optuna": {"a": FloatDistribution(), "b": ["x", "y"]},
    "skopt": {"a": Skopt(), "b": stats.norm(0, 1)},
    "weights": [({"a": ["x"], "b": Real(0, 1)}, 3), {"a": ["y"]}],
    "compiled": SearchSpace({"a": (1, 9), "b": stats.randint(2, 5)}),
    "ranges": {"a": Real(0.1, 1), "b": Integer(1, 9), "c": Categorical(["x", "y"])},
}
SEARCHES: dict[str, Any] = {
    "grid": GridSearch,
    "random": RandomSearch,
    "sobol": lambda *args, **keywords: RandomSearch(
        *args, sampling="sobol", **keywords
    ),
    "anneal": lambda *args, **keywords: RandomSearch(
        *args, strategy="anneal", **keywords
    ),
    "bayes": BayesSearch,
}


def tried(name: str, space: Any, **keywords: Any) -> list[dict[str, Any]]:
    """Return the params of all candidates."""
    if name != "grid":
        keywords = {"n_iter": 8, "random_state": 0, **keywords}
    search = SEARCHES[name](Anything(), space, cv=2, **keywords).fit(X, Y)
    return search.cv_results_["params"]


@pytest.mark.filterwarnings("ignore:n_iter=8 is more than")
@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("name", SEARCHES)
def test_every_search_takes_every_space(name: str, space: str) -> None:
    """All candidates are in it, with native values; no two are the same."""
    compiled = SearchSpace(SPACES[space])
    params = tried(name, SPACES[space])
    assert len(params) == min(8, compiled.size) or name == "grid"
    for row in params:
        compiled.encode(row)
        assert not any(isinstance(value, np.generic) for value in row.values())
    assert len({repr(row) for row in params}) == len(params)


@pytest.mark.filterwarnings("ignore:n_iter=8 is more than")
@pytest.mark.parametrize("name", SEARCHES)
def test_a_space_is_compiled_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many look at it: the check, the optimizer, its model."""
    compiled = []

    def compile_columns(space: Any) -> Any:
        compiled.append(space)
        return original(space)

    original = _space.compile_columns
    monkeypatch.setattr(_space, "compile_columns", compile_columns)
    tried(name, SPACES["choice"])
    assert len(compiled) == 1


@pytest.mark.parametrize("name", SEARCHES)
def test_constraints_are_kept(name: str) -> None:
    """By every search, also over lists that scikit-learn takes."""
    space = {"a": [1, 2, 3, 4], "b": [1, 2, 3, 4]}
    params = tried(name, space, constraints=[lambda p: p["a"] < p["b"]], **{})
    assert all(row["a"] < row["b"] for row in params)
    assert len(params) == 6


@pytest.mark.parametrize("name", ["grid", "random", "sobol", "anneal"])
@pytest.mark.parametrize("rich", [{}, {"c": Choice({1: {"a": (3, 5)}})}])
def test_two_numbers_are_two_values(name: str, rich: dict[str, Any]) -> None:
    """As in scikit-learn, whatever else there is in the space."""
    space: dict[str, Any] = rich or {"a": (3, 5)}
    keywords = {} if name == "grid" else {"n_iter": 2}
    params = tried(name, space, constraints=lambda params: True, **keywords)
    assert sorted(row["a"] for row in params) == [3, 5]
    ranges = tried("bayes", space, n_iter=3)
    assert sorted(row["a"] for row in ranges) == [3, 4, 5]


def test_a_grid_is_every_combination() -> None:
    """Of the quantiles of ranges, branch by branch."""
    space = {
        "a": Choice({"p": {"b": Real(1, 100, log=True)}, "q": None}),
        "c": Integer(1, 2),
    }
    assert tried("grid", space, n_levels={"b": 3, "c": 9}) == [
        {"a": "p", "b": 1.0, "c": 1},
        {"a": "p", "b": 1.0, "c": 2},
        {"a": "p", "b": 10.0, "c": 1},
        {"a": "p", "b": 10.0, "c": 2},
        {"a": "p", "b": 100.0, "c": 1},
        {"a": "p", "b": 100.0, "c": 2},
        {"a": "q", "c": 1},
        {"a": "q", "c": 2},
    ]
    assert len(tried("grid", {"b": Real(0, 1)})) == 5


def test_weights_say_how_often_a_dict_is_drawn() -> None:
    """The first one of weight 3 has three quarters of the draws."""
    params = tried("random", SPACES["weights"], n_iter=41)
    assert [row["a"] for row in params].count(
        "y"
    ) == 1  # and no more: that is all of it
    space = [({"a": ["x"], "b": Real(0, 1)}, 3), {"a": ["y"], "b": Real(0, 1)}]
    drawn = [row["a"] for row in tried("random", space, n_iter=400)]
    assert drawn.count("x") == pytest.approx(300, abs=30)


def test_sobol_draws_are_spread_evenly() -> None:
    """One in each eighth of every range, on its own scale; independent ones are not."""
    space = {"a": Real(0, 8), "b": Real(1, 2**8, log=True)}
    for name, even in (("sobol", True), ("random", False)):
        params = tried(name, space, constraints=lambda params: True)
        eighths = [
            sorted(int(row["a"]) for row in params),
            sorted(int(np.log2(row["b"])) for row in params),
        ]
        assert (eighths == [[*range(8)]] * 2) is even


def test_annealing_closes_in_on_the_best() -> None:
    """It learns from the scores where to draw, and ever closer."""

    def score(estimator: Any, X: Any, y: Any) -> float:
        return -abs(estimator.level - 0.7)

    search = RandomSearch(
        Threshold(),
        {"level": Real(0, 1)},
        n_iter=60,
        strategy="anneal",
        scoring=score,
        cv=2,
        random_state=0,
    )
    levels = [row["level"] for row in search.fit(X, Y).cv_results_["params"]]
    away = np.abs(np.array(levels) - 0.7)
    assert np.median(away[40:]) < np.median(away[:20]) / 2
    assert search.best_score_ > -0.01


def test_what_scikit_learn_takes_is_drawn_as_it_draws() -> None:
    """Also our own dimensions: it draws them by their `rvs`."""
    space = {"a": Real(0.1, 10, log=True), "b": Integer(1, 9), "c": ["x", "y"]}
    theirs = RandomizedSearchCV(Anything(), space, n_iter=8, cv=2, random_state=0)
    params = theirs.fit(X, Y).cv_results_["params"]
    assert tried("random", space) == params
    assert params == list(ParameterSampler(space, 8, random_state=0))
    for row in params:
        SearchSpace(space).encode(row)
    assert len({row["a"] for row in params}) == 8
    assert {type(row["b"]) for row in params} == {int}


@pytest.mark.parametrize("name", ["random", "sobol", "anneal"])
def test_every_random_state_is_taken(name: str) -> None:
    """An int repeats itself; generators move on."""
    space = {"a": Real(0, 1)}
    for make in (np.random.RandomState, np.random.default_rng):
        state = make(3)
        first, second = (tried(name, space, random_state=state) for _ in "ab")
        assert first != second
        assert first == tried(name, space, random_state=make(3))
    assert tried(name, space) == tried(name, space)
