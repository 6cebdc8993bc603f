"""Parameters that were varied and never changed a score: found, and no others."""

from __future__ import annotations

import warnings
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import loguniform, randint, uniform
from sklearn.datasets import load_breast_cancer, make_classification
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import ShuffleSplit
from sklearn.tree import DecisionTreeClassifier

from skhpo import BayesSearch, GridSearch, PBTSearch, RandomSearch
from skhpo._trial import Candidate
from skhpo.exceptions import NoEffectWarning
from skhpo.search._effects import parameters_without_effect

SPLITS = np.array([0.1, 0.2, 0.3])  # what a split adds to a score
ROWS = [100, 100, 100]


def grid(**values: Any) -> list[dict[str, Any]]:
    return [dict(zip(values, row, strict=True)) for row in product(*values.values())]


def dead(params: list[dict[str, Any]], score: Any, rows: Any = ROWS) -> list[str]:
    """What is found if the score of each candidate is `score(**params)`."""
    candidates = [Candidate(id, p) for id, p in enumerate(params)]
    scores = np.array([score(**p) / np.pi + SPLITS for p in params])
    return parameters_without_effect(candidates, scores, rows)


# --- the rule -------------------------------------------------------------------------


@given(st.data())
def test_only_what_changes_nothing_is_found(data: st.DataObject) -> None:
    """Whatever is compared with whatever: no parameter that changed a score is named,
    and each that changed none is, where the evidence is plain."""
    names = "abcd"[: data.draw(st.integers(2, 4))]
    live = set(data.draw(st.sets(st.sampled_from(names), min_size=1)))
    params = grid(**{name: [0, 1, 2] for name in names})
    order = data.draw(st.permutations(params))
    digits = {name: 3**i for i, name in enumerate(sorted(live))}
    found = dead(order, lambda **p: sum(digits[name] * p[name] for name in live))
    assert found == sorted(set(names) - live)


def test_one_score_on_one_split_is_an_effect() -> None:
    params = grid(a=[1, 2, 3], b=[1, 2, 3])
    candidates = [Candidate(id, p) for id, p in enumerate(params)]
    scores = np.array([p["a"] / np.pi + SPLITS for p in params])
    assert parameters_without_effect(candidates, scores, ROWS) == ["b"]
    scores[-1, 1] += 1e-12
    assert parameters_without_effect(candidates, scores, ROWS) == []


def test_one_comparison_is_not_enough() -> None:
    assert dead(grid(a=[1, 2], b=[1]), lambda a, b: 0.0) == []
    pairs = [{"a": 1, "b": 1}, {"a": 1, "b": 2}, {"a": 2, "b": 1}]
    assert dead(pairs, lambda a, b: a) == []
    assert dead(grid(a=[1, 2], b=[1, 2, 3]), lambda a, b: a) == []
    assert dead(grid(a=[1, 2, 3], b=[1, 2, 3]), lambda a, b: a) == ["b"]


def test_a_value_that_was_compared_with_none_leaves_doubt() -> None:
    """Deep trees tie where leaves are large; of depth 1 that tells nothing."""
    pairs = [{"depth": d, "leaf": leaf} for leaf in range(9) for d in (9, 12, 15)]
    assert dead(pairs, lambda depth, leaf: leaf) == ["depth"]
    alone = {"depth": 1, "leaf": 10}
    assert dead([*pairs, alone], lambda depth, leaf: leaf) == []


def test_nothing_is_said_of_draws_that_meet_by_chance() -> None:
    X, y = make_classification(1200, 6, flip_y=0.2, random_state=0)
    space = {"max_depth": randint(1, 20), "min_samples_leaf": randint(1, 50)}
    tree = DecisionTreeClassifier(random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", NoEffectWarning)
        for seed in range(6):  # two of these warned before
            RandomSearch(tree, space, n_iter=9, cv=3, random_state=seed).fit(X, y)


def test_repeated_candidates_are_no_comparisons() -> None:
    assert dead(grid(a=[1, 2], b=[1, 1, 1]) * 2, lambda a, b: a) == []
    assert dead(grid(a=[1, 2, 3, 4]) * 5, lambda a: 0.7) == []


def test_nothing_is_said_if_all_scores_are_the_same() -> None:
    assert dead(grid(a=[1, 2, 3], b=[1, 2, 3]), lambda a, b: 0.7) == []
    flat = np.full((5, 3), 0.7)
    alone = [Candidate(id, {"a": id}) for id in range(5)]
    assert parameters_without_effect(alone, flat, ROWS) == []


def test_a_single_parameter_is_judged_by_scores_that_differ_between_splits() -> None:
    assert dead(grid(a=range(8)), lambda a: 0.7) == ["a"]
    assert dead(grid(a=range(7)), lambda a: 0.7) == []
    assert dead(grid(a=[1, 2, 3]), lambda a: a) == []


def test_equal_accuracies_may_be_chance() -> None:
    def found(n_values: int, n_others: int, n_rows: int) -> list[str]:
        params = grid(a=list(range(n_others)), b=list(range(n_values)))
        hits = np.array([[p["a"] + 3, p["a"] + 5] for p in params])
        candidates = [Candidate(id, p) for id, p in enumerate(params)]
        return parameters_without_effect(candidates, hits / n_rows, [n_rows] * 2)

    assert found(3, 3, n_rows=50) == ["b"]
    assert found(3, 3, n_rows=49) == []
    assert found(2, 9, n_rows=50) == []
    assert found(7, 1, n_rows=50) == []
    assert found(8, 1, n_rows=50) == ["b"]


def test_the_more_others_tie_the_more_comparisons_it_takes() -> None:
    params = grid(a=list(range(20)), b=[0]) + grid(a=[0], b=[1, 2, 3, 4])
    candidates = [Candidate(id, p) for id, p in enumerate(params)]

    def found(n_outcomes: int) -> list[str]:
        hits = np.array([[min(p["a"], n_outcomes - 1), 5] for p in params])
        return parameters_without_effect(candidates, hits / 50, [50] * 2)

    assert found(20) == found(10) == ["b"]
    assert found(2) == []  # 19 of 20 are equal


def test_draws_are_compared_together() -> None:
    rng = np.random.default_rng(0)
    params = [{"kind": i % 3, "x": rng.random(), "y": rng.random()} for i in range(12)]
    assert dead(params, lambda kind, x, y: kind) == ["x", "y"]
    assert dead(params, lambda kind, x, y: kind + x) == []  # y may have one or not
    assert dead([{"x": p["x"]} for p in params], lambda x: 0.0) == ["x"]


def test_what_acts_in_one_branch_only_has_an_effect() -> None:
    """It may be compared in the other one alone, where the draws repeat nothing."""
    linear = [{"kernel": "linear", "C": c} for c in range(9)]
    rbf = [{"kernel": "rbf", "C": c / 7, "gamma": c / 13} for c in range(9)]
    assert dead(linear + rbf, lambda kernel, C, gamma=0: gamma) == []
    repeated = [{"kernel": "rbf", "C": c, "gamma": c % 3} for c in range(9)]
    assert dead(linear + repeated, lambda kernel, C, gamma=0: gamma) == ["C"]


def test_candidates_that_failed_do_not_count() -> None:
    params = grid(a=[1, 2, 3], b=[1, 2, 3])
    candidates = [Candidate(id, p) for id, p in enumerate(params)]
    scores = np.array([p["a"] / np.pi + SPLITS for p in params])
    scores[[1, 2, 4, 5, 7, 8], 0] = np.nan
    assert parameters_without_effect(candidates, scores, ROWS) == []
    assert parameters_without_effect([], np.empty((0, 3)), ROWS) == []


def test_a_value_that_only_dropped_candidates_had_leaves_doubt() -> None:
    """What a race leaves scores alike: it has seen nothing of the other values, and
    says nothing, until one candidate with each value has all its scores."""
    params = grid(a=[1, 2, 3], b=[1, 2, 3, 4])
    candidates = [Candidate(id, p) for id, p in enumerate(params)]
    scores = np.array([p["a"] / np.pi + SPLITS for p in params])
    last = [p["b"] == 4 for p in params]
    scores[last, 1:] = np.nan
    assert parameters_without_effect(candidates, scores, ROWS) == []
    scores[last.index(True), 1:] = scores[0, 1:]
    assert parameters_without_effect(candidates, scores, ROWS) == ["b"]


def test_a_dropped_candidate_without_a_parameter_leaves_no_doubt_about_it() -> None:
    """It has no value of it that others would have to show."""
    params = [*grid(a=[1, 2, 3], b=[1, 2, 3, 4]), {"a": 1}]
    candidates = [Candidate(id, p) for id, p in enumerate(params)]
    scores = np.array([p["a"] / np.pi + SPLITS for p in params])
    scores[-1, 1:] = np.nan
    assert parameters_without_effect(candidates, scores, ROWS) == ["b"]


def test_a_race_does_not_take_the_depth_of_trees_for_idle() -> None:
    """All candidates say that the depth matters; those that a race has left tie."""
    X, y = load_breast_cancer(return_X_y=True)
    space = {"max_depth": range(1, 20), "min_samples_leaf": range(1, 50)}
    tree = DecisionTreeClassifier(random_state=0)
    search = RandomSearch(tree, space, n_iter=40, race=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", NoEffectWarning)
        search.fit(X, y)
    assert search.cv_results_["dropped"].any()


def test_the_absence_of_a_parameter_is_no_value() -> None:
    params = grid(a=[1, 2, 3]) + grid(a=[1, 2, 3], b=["default"])
    assert dead(params, lambda a, b=None: a) == []
    params += grid(a=[1, 2, 3], b=["other", "third"])
    assert dead(params, lambda a, b=None: a) == ["b"]


@pytest.mark.parametrize("name", ["resume_from", "resource"])
def test_only_what_began_and_lasted_alike_is_compared(name: str) -> None:
    candidates = [
        Candidate(id, {"a": id % 3}, **{name: origin})
        for id, origin in enumerate(np.repeat([7, 8, 9], 3).tolist())
    ]
    by_origin = np.array([[getattr(c, name) / np.pi, 0.5] for c in candidates])
    assert parameters_without_effect(candidates, by_origin, ROWS) == ["a"]
    alone = [Candidate(c.id, {"a": c.id}, **{name: c.id}) for c in candidates]
    assert parameters_without_effect(alone, by_origin, ROWS) == []


# --- in the searches ------------------------------------------------------------------

X, Y = make_classification(
    n_samples=300, n_features=8, n_informative=5, n_classes=3, random_state=0
)
SGD = SGDClassifier(loss="log_loss", random_state=0)
LISTS = {"alpha": [1e-4, 1e-2, 1.0], "eta0": [0.01, 0.1, 1.0]}
MIXED = {"alpha": [1e-4, 1e-2, 1.0], "eta0": loguniform(0.01, 1)}
SEARCHES = {
    "grid": lambda model: GridSearch(model, LISTS, cv=3),
    "random": lambda model: RandomSearch(
        model, MIXED, n_iter=12, cv=3, random_state=0
    ),
    "bayes": lambda model: BayesSearch(model, LISTS, n_iter=9, cv=3, random_state=0),
    "pbt": lambda model: PBTSearch(
        model, MIXED, population_size=12, n_generations=2, frozen=["eta0"], cv=3,
        random_state=0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SEARCHES)
def test_every_search_warns_of_a_step_size_that_is_not_read(name: str) -> None:
    """With learning_rate="optimal", the step size follows from alpha."""
    search = SEARCHES[name](SGD)
    # Members of a population are compared after one generation only.
    short = "had no effect within 1 training step.*may act later"
    match = f"'eta0' {short if name == 'pbt' else 'has no effect'}"
    with pytest.warns(NoEffectWarning, match=match) as seen:
        search.fit(X, Y)
    (warning,) = [w for w in seen if w.category is NoEffectWarning]
    assert warning.filename == __file__


@pytest.mark.parametrize("name", SEARCHES)
def test_no_search_warns_of_a_step_size_that_is_read(name: str) -> None:
    search = SEARCHES[name](SGDClassifier(learning_rate="constant", random_state=0))
    with warnings.catch_warnings():
        warnings.simplefilter("error", NoEffectWarning)
        search.fit(X, Y)


def test_heirs_of_one_state_are_compared_with_each_other_only() -> None:
    """Members with one parameter that moves: no two scores are alike by accident."""
    search = PBTSearch(
        SGD, {"alpha": uniform(0, 1)}, population_size=8, scoring="neg_log_loss",
        cv=ShuffleSplit(2, random_state=0), random_state=0,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error", NoEffectWarning)
        search.fit(X, Y)


def test_failed_fits_are_no_evidence() -> None:
    """A number as error_score is a score for ranking, not one that was reached."""
    space = {"alpha": [1e-4, 1e-2, 1.0], "l1_ratio": [-1.0, -2.0, 0.5]}
    search = GridSearch(SGDClassifier(random_state=0), space, cv=2, error_score=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", NoEffectWarning)
        search.fit(X, Y)
