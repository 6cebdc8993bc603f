"""Constraints: what they leave is found, and what they do or say wrong is told."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, RegressorMixin

from skhpo import BayesSearch, GridSearch, RandomSearch
from skhpo._trial import Candidate, Trial
from skhpo.exceptions import InvalidSpaceError
from skhpo.optimizers import (
    AnnealOptimizer,
    BayesOptimizer,
    GridOptimizer,
    SamplingOptimizer,
)
from skhpo.optimizers import _sampling as sampling
from skhpo.space import Categorical, Choice, Integer, Real

pytestmark = pytest.mark.thinned

OPTIMIZERS: dict[str, Any] = {
    "gp": BayesOptimizer,
    "tpe": lambda space, **kw: BayesOptimizer(space, surrogate="tpe", **kw),
    "anneal": AnnealOptimizer,
    "sobol": SamplingOptimizer,
    "random": lambda space, **kw: SamplingOptimizer(space, sampling="random", **kw),
}
SEARCHES: dict[str, Any] = {
    "grid": lambda space, **kw: GridSearch(Fake(), space, cv=2, **kw),
    "bayes": lambda space, **kw: searched(BayesSearch, space, **kw),
    "random": lambda space, **kw: searched(RandomSearch, space, **kw),
    "sobol": lambda space, **kw: searched(RandomSearch, space, sampling="sobol", **kw),
    "anneal": lambda space, **kw: searched(
        RandomSearch, space, strategy="anneal", **kw
    ),
}
X, Y = np.zeros((8, 1)), np.arange(8.0)


class Fake(RegressorMixin, BaseEstimator):
    """Has a score that its parameters decide, and takes no time."""

    def __init__(self, a: Any = 1, b: Any = 1) -> None:
        self.a, self.b = a, b

    def fit(self, X: Any, y: Any) -> Fake:
        return self

    def predict(self, X: Any) -> Any:
        return np.zeros(len(X))

    def score(self, X: Any, y: Any) -> float:
        return -float(self.a) if isinstance(self.a, int | float) else 0.0


def searched(search: Any, space: Any, **keywords: Any) -> Any:
    """Return a search of 15 candidates."""
    keywords = {"n_iter": 15, "random_state": 0, "cv": 2} | keywords
    return search(Fake(), space, **keywords)


@pytest.fixture(params=OPTIMIZERS)
def make(request: pytest.FixtureRequest) -> Any:
    """Return the constructor of each optimizer that draws."""
    return OPTIMIZERS[request.param]


@pytest.fixture(params=SEARCHES)
def make_search(request: pytest.FixtureRequest) -> Any:
    """Return the constructor of each search that takes constraints."""
    return SEARCHES[request.param]


def drive(optimizer: Any, n: int) -> list[dict[str, Any]]:
    """Ask and tell up to `n` times; return the params."""
    asked = []
    for _ in range(n):
        for candidate in optimizer.ask(1):
            asked.append(dict(candidate.params))
            optimizer.tell([Trial.from_scores(candidate, (-float(len(asked)),))])
    return asked


FEW: dict[str, tuple[Any, Any, list[dict[str, Any]]]] = {
    "one in thousands": (
        {"a": Integer(1, 10_000)},
        lambda p: p["a"] in (5, 6, 4000),
        [{"a": 5}, {"a": 6}, {"a": 4000}],
    ),
    "two ranges": (
        {"a": Integer(1, 100), "b": range(100)},
        lambda p: (p["a"], p["b"]) in ((3, 7), (59, 2)),
        [{"a": 3, "b": 7}, {"a": 59, "b": 2}],
    ),
    "a branch that is hardly allowed": (
        {"a": Choice({1: None, 2: {"b": Integer(0, 9_000, log=False)}})},
        lambda p: p["a"] == 1 or p["b"] == 77,
        [{"a": 1}, {"a": 2, "b": 77}],
    ),
    "what is hardly ever drawn": (
        {"a": Categorical([1, 2, 3], weights=[1, 1e-12, 1]), "b": Integer(1, 3)},
        lambda p: p["a"] == 2,
        [{"a": 2, "b": 1}, {"a": 2, "b": 2}, {"a": 2, "b": 3}],
    ),
    "without probability": (
        {"a": stats.rv_discrete(values=([1, 900], [0.999999, 0.000001])).freeze()},
        lambda p: True,
        [{"a": 1}, {"a": 900}],
    ),
}


@pytest.mark.parametrize("name", FEW)
def test_all_that_is_allowed_is_found(make: Any, name: str) -> None:
    """In a space that can be listed: each point once, then nothing, in few calls."""
    space, allowed, expected = FEW[name]
    calls = []

    def counted(params: Any) -> bool:
        calls.append(params)
        return allowed(params)

    optimizer = make(space, constraints=counted, random_state=0)
    found = drive(optimizer, 8)
    assert sorted(found, key=repr) == sorted(expected, key=repr)
    assert optimizer.ask(3) == []
    n_before = len(calls)
    assert optimizer.ask(3) == []
    assert len(calls) <= n_before + 5000  # a model may look at its pool once more
    assert n_before < 200_000


def test_what_is_found_of_a_continuous_space_is_kept(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is exhausted once draws find nothing more, and then draws no more."""
    monkeypatch.setattr(sampling, "MAX_DRAWS", 50)
    found: list[Any] = []
    calls = []

    def first_three(params: Any) -> bool:
        calls.append(params)
        if len(found) < 3 and params not in found:
            found.append(params)
        return params in found

    optimizer = make({"a": Real(0, 1)}, constraints=first_three, random_state=0)
    asked = drive(optimizer, 8)
    calls.clear()
    assert optimizer.ask(1) == []
    assert not calls or isinstance(optimizer, BayesOptimizer)  # a model looks again
    assert 1 <= len(asked) <= 3
    assert all(params in found for params in asked)


def test_annealing_goes_on_where_its_neighborhood_is_known() -> None:
    """In a space too large to be listed; what others found counts as known."""
    optimizer = AnnealOptimizer({"a": Integer(0, 2**30)}, shrink=1e12, random_state=0)
    optimizer.tell([Trial.from_scores(Candidate(-1, {"a": 77}), (0.0,))])
    asked = [params["a"] for params in drive(optimizer, 3)]
    assert len({77, *asked}) == 4


def test_nothing_allowed_is_an_error_at_the_start(make: Any) -> None:
    """Listed or drawn, with the remedy; and no candidate is lost by it."""
    cases = [(Integer(1, 5000), "all of them"), (Real(0, 1), "10000 draws")]
    for space, where in cases:
        optimizer = make({"a": space}, constraints=lambda p: False, random_state=0)
        with pytest.raises(InvalidSpaceError, match=f"No candidate.* {where}. Relax"):
            optimizer.ask(1)


@pytest.mark.parametrize("name", [n for n in FEW if n != "without probability"])
def test_searches_keep_what_they_found(make_search: Any, name: str) -> None:
    """They are complete with fewer candidates than they may have."""
    space, allowed, expected = FEW[name]
    search = make_search(space, constraints=allowed)
    if isinstance(search, GridSearch):
        search.set_params(n_levels=10_000)
    search.fit(X, Y)
    found = [dict(params) for params in search.cv_results_["params"]]
    assert sorted(found, key=repr) == sorted(expected, key=repr)
    assert search.stop_reason_ == "completed"


def test_a_predicate_that_returns_none_says_so(make_search: Any) -> None:
    """It has no return statement, most probably."""

    def forgotten(params: Any) -> None:
        params["a"] > 1  # noqa: B015

    search = make_search({"a": [1, 2, 3]}, constraints=forgotten)
    message = r"forgotten returned None, for the params \{'a': .\}. It must return True"
    with pytest.raises(InvalidSpaceError, match=message):
        search.fit(X, Y)


@pytest.mark.parametrize("answer", [np.True_, 1, "yes"])
def test_what_is_true_allows(answer: Any) -> None:
    """NumPy's booleans above all."""
    assert GridOptimizer({"a": [1, 2]}, constraints=lambda p: answer).n_candidates == 2


def test_nothing_a_constraint_does_reaches_a_candidate(make_search: Any) -> None:
    """Its argument is its own, with the containers in it."""

    def vandal(params: Any) -> bool:
        for value in params.values():
            if isinstance(value, list):
                value.append("more")
            if isinstance(value, np.ndarray):
                value[:] = 7
        params["a"] = 77
        params.pop("b", None)
        return True

    values = [[1], [2, 2], np.zeros(2), 3]
    search = make_search({"a": values, "b": [1, 2]}, constraints=[vandal, vandal])
    search.fit(X, Y)
    for params in search.cv_results_["params"]:
        assert params.keys() == {"a", "b"}
        assert any(params["a"] is value for value in values)
    assert values[:2] == [[1], [2, 2]]
    assert values[2].tolist() == [0, 0]


def test_what_callers_do_to_their_dicts_changes_nothing(make: Any) -> None:
    """Space, list of values, constraints, candidates and trials are taken as given."""
    runs = []
    for is_vandal in (False, True):
        values, array = [1, 2, 3, 4], np.linspace(0, 1, 2000)
        space: dict[str, Any] = {"a": values, "b": array, "c": Real(0, 1)}
        constraints = [lambda p: p["a"] != 2]
        optimizer = make(space, constraints=constraints, random_state=0)
        asked = []
        for _ in range(14):
            if is_vandal:
                space.clear()
                values.clear()
                constraints.append(lambda p: False)
                array[:] = 0
            (candidate,) = optimizer.ask(1)
            asked.append(dict(candidate.params))
            trial = Trial.from_scores(candidate, (asked[-1]["b"],))
            if is_vandal:
                candidate.params["b"] = 0.123
            optimizer.tell([trial])
            if is_vandal:
                candidate.params.clear()
        runs.append(asked)
        if hasattr(optimizer, "best_params"):
            assert optimizer.best_params == max(asked, key=lambda p: p["b"])
    assert runs[0] == runs[1]


def test_given_params_are_taken_as_given() -> None:
    """A dict that is changed after it was given changes no candidate and no trial."""
    first, prior = {"x": 0.25}, {"x": 0.75}
    given = [first]
    optimizer = BayesOptimizer({"x": Real(0, 1)}, initial_params=given, random_state=0)
    optimizer.tell([Trial.from_scores(Candidate(-1, prior), (1.0,))])
    first["x"], prior["x"] = 0.5, 0.1
    given.clear()
    assert [c.params for c in optimizer.ask(1)] == [{"x": 0.25}]
    assert optimizer.best_params == {"x": 0.75}


@pytest.mark.parametrize("constraints", [None, lambda p: p["a"] < 3])
def test_prior_results_that_leave_nothing_say_so(constraints: Any) -> None:
    """And do not ask for the splitter."""
    space = {"a": [1, 2, 3], "b": [1, 2]}
    prior = searched(BayesSearch, space, constraints=constraints).fit(X, Y)
    again = searched(BayesSearch, space, constraints=constraints, prior_results=prior)
    n = len(prior.cv_results_["params"])
    with pytest.raises(
        InvalidSpaceError, match=f"Nothing is left to try: 'prior_results' hold {n}"
    ):
        again.fit(X, Y)


def test_prior_results_leave_what_is_left() -> None:
    """The rest of a small space is tried, and nothing twice."""
    prior = {"params": [{"a": 1}, {"a": 3}], "mean_test_score": [0.5, 0.7]}
    search = searched(BayesSearch, {"a": [1, 2, 3, 4]}, prior_results=prior).fit(X, Y)
    assert sorted(p["a"] for p in search.cv_results_["params"]) == [2, 4]


def test_a_regret_has_a_bound_where_few_points_are_allowed() -> None:
    """Also if no point that is looked at is among them."""
    optimizer = BayesOptimizer(
        {"a": Integer(1, 10**5)}, constraints=lambda p: p["a"] < 4, n_initial=1
    )
    drive(optimizer, 3)
    assert optimizer.regret_bound() >= 0 or math.isinf(optimizer.regret_bound())


def test_strict_floating_point_errors_change_nothing(make: Any) -> None:
    """Whoever has NumPy raise for underflow gets the same candidates."""
    space = {
        "a": Real(1e-300, 1e300, log=True),
        "b": Categorical(["x", "y", "z"], weights=[1, 1e-300, 1]),
        "c": stats.norm(),
        "k": Choice({1: None, 2: {"d": Integer(0, 10**30)}}),
    }
    expected = drive(make(space, random_state=0), 16)
    with np.errstate(all="raise"):
        assert drive(make(space, random_state=0), 16) == expected


def test_annealing_keeps_the_category_of_the_best() -> None:
    """The more often, the more trials there were."""
    optimizer = AnnealOptimizer({"c": list("abcd"), "x": Real(0, 1)}, random_state=0)
    for i in range(200):
        params = {"c": "b", "x": i / 200}
        optimizer.tell([Trial.from_scores(Candidate(-1 - i, params), (0.0,))])
    kept = [c.params["c"] == "b" for c in optimizer.ask(40)]
    assert sum(kept) > 30


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize(
    ("dimension", "values"),
    [
        (Real(0, 1e4), [0.0, 1e-9, 1e-8]),
        (Real(-1e300, 1e300), [0.0, 1e-300, 1.0, 1e250]),
        (Real(1e-9, 1e9, log=True), [1.0, math.nextafter(1.0, 2.0)]),
        (Integer(1, 10**13), [5, 6, 7]),
        (Categorical([1, 1.0, "1", None]), ["1", 1, None, 1.0]),
    ],
)
def test_what_is_given_is_tried_however_close_it_is(
    name: str, dimension: Any, values: list[Any]
) -> None:
    """In its order, each once, and before anything else."""
    given = [{"a": value} for value in values]
    options: dict[str, Any] = {"initial_params": [*given, *given], "random_state": 0}
    optimizer = OPTIMIZERS[name]({"a": dimension}, **options)
    asked = [repr(candidate.params) for candidate in optimizer.ask(len(given) + 1)]
    assert asked[: len(given)] == list(map(repr, given))
    assert len(set(asked)) == len(asked)


@pytest.mark.parametrize("name", ["gp", "tpe", "anneal"])
def test_what_was_told_need_not_be_tried_as_given(name: str) -> None:
    """But what is close to it does."""
    given: list[Any] = [{"a": 0}, {"a": 1e-9}]
    options: dict[str, Any] = {"initial_params": given, "random_state": 0}
    optimizer = OPTIMIZERS[name]({"a": Real(0, 1e4)}, **options)
    optimizer.tell([Trial.from_scores(Candidate(-1, {"a": 0.0}), (1.0,))])
    assert optimizer.ask(1)[0].params == given[1]
    assert optimizer.ask(1)[0].params["a"] > 1e-9
