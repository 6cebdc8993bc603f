"""Which search is recommended, for which reason; no test fits anything for long."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Clock
from scipy.stats import loguniform, randint
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import KMeans
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import (
    GroupKFold,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    StratifiedShuffleSplit,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skhpo import (
    BayesSearch,
    GridSearch,
    GroupScaler,
    RandomSearch,
    recommend_search,
)
from skhpo._recommendation._measure import facts_of, with_space
from skhpo._recommendation._rules import RULES, Facts, decide, duration, pending
from skhpo.exceptions import InvalidSpaceError
from skhpo.space import Curve, Integer, Real, SearchSpace, SuggestedSpace

ROOT = Path(__file__).parents[1]
HOUR = 3600.0
X = np.random.RandomState(0).normal(size=(60, 3))
Y = (X[:, 0] > 0).astype(int)


def facts(n: int = 2, **options: Any) -> Facts:
    """Ten minutes, a second per fit, 5,000 rows, `n` ranges, one worker: m is 120."""
    names = tuple(f"p{i}" for i in range(n))
    given = {"budget": 600.0, "seconds": 1.0, "n_rows": 5000, "dimensions": names}
    return Facts(**given | options)


# Facts, the search, its number of candidates, the rules of the reasons, and those of
# the alternatives.
SITUATIONS = {
    "a fit of a second": (facts(), "bayes", 120, [4], [5]),
    "a fit of a minute": (facts(seconds=60), "none", 0, [1], [1, 1, 1]),
    "a fit of a minute on one split": (
        facts(seconds=60, n_splits=1),
        *("bayes", 10, [4, 8], [5]),
    ),
    "nine candidates": (facts(seconds=13), "random", 9, [5, 8], []),
    "a small grid": (facts(size=30), "grid", 30, [2], []),
    "a grid that is too large": (facts(size=121), "bayes", 120, [4], [5]),
    "a small grid of four parameters": (facts(4, size=30), "bayes", 30, [4], [5]),
    "nothing varies": (facts(0, size=1), "grid", 1, [2], []),
    "a cheap fit": (facts(seconds=0.001), "sobol", 2048, [3], []),
    "a cheap fit and a small space": (
        facts(4, seconds=0.001, size=100),
        *("sobol", 100, [3], []),
    ),
    "a cheap fit and little time": (
        facts(seconds=0.009, budget=4.5),
        *("sobol", 64, [3], []),
    ),
    "more candidates than a model needs": (
        facts(budget=HOUR),
        *("random", 720, [5], []),
    ),
    "more than can be of use": (
        facts(budget=24 * HOUR),
        *("random", 2048, [5], []),
    ),
    "sixteen workers": (
        facts(seconds=10.0, n_workers=16),
        *("random", 192, [5], [4]),
    ),
    "four workers": (facts(seconds=10.0, n_workers=4), "bayes", 48, [4], [5]),
    "too many parameters": (facts(40), "random", 120, [5, 8], [4]),
    "more parameters than candidates for them": (
        facts(13),
        *("bayes", 120, [4, 8], [5]),
    ),
    "few rows": (facts(n_rows=300), "bayes", 120, [4, 7], [5]),
    "few rows and cheap fits": (
        facts(n_rows=300, seconds=0.1),
        *("bayes", 400, [4, 7], [5]),
    ),
    "few rows and splits of one's own": (
        facts(n_rows=300, seconds=0.1, n_splits=10),
        *("random", 600, [5], []),
    ),
    "very many rows": (
        facts(n_rows=200_000, seconds=30, growth=2.0),
        *("bayes", 20, [4, 7], [5, 5]),
    ),
    "many rows, and time does not grow": (
        facts(n_rows=50_000, growth=1.1),
        *("bayes", 120, [4], [5]),
    ),
    "a step size": (
        facts(step_sizes=("eta0",)),
        *("bayes", 120, [4], [6, 5]),
    ),
    "slopes by all parameters": (
        facts(slopes=("p0", "p1")),
        *("bayes", 120, [4], [9, 5]),
    ),
    "slopes and cheap fits": (
        facts(seconds=0.001, slopes=("p0", "p1")),
        *("sobol", 2048, [3], [9]),
    ),
    "slopes by more parameters than a model learns": (
        facts(40, slopes=tuple(f"p{i}" for i in range(40))),
        *("random", 120, [5, 8], [9, 4]),
    ),
    "a slope by one of two": (facts(slopes=("p0",)), "bayes", 120, [4], [5]),
    "one parameter, and a slope": (
        facts(1, slopes=("p0",)),
        *("bayes", 120, [4], [5]),
    ),
    "a number of iterations": (
        facts(counts=("max_iter",)),
        *("bayes", 120, [4], [0, 5]),
    ),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_situations_and_what_is_recommended(name: str) -> None:
    given, kind, n_candidates, rules, others = SITUATIONS[name]
    decision = decide(given)
    assert (decision.kind, decision.n_candidates) == (kind, n_candidates)
    assert sorted(reason.rule for reason in decision.reasons if reason.rule) == rules
    assert [reason.rule for reason in decision.alternatives] == others


@pytest.mark.parametrize("name", SITUATIONS)
def test_every_reason_quotes_a_number(name: str) -> None:
    decision = decide(SITUATIONS[name][0])
    for reason in decision.reasons:
        assert any(character.isdigit() for character in reason.text), reason


def test_the_splits_follow_the_rows_and_a_race_needs_two() -> None:
    def splits(**options: Any) -> tuple[str, int, bool]:
        decision = decide(facts(**options))
        return decision.splitting, decision.n_splits, decision.race

    assert splits() == ("folds", 5, True)
    assert splits(n_rows=999, seconds=0.1) == ("repeated", 15, True)
    assert splits(n_rows=999, seconds=1) == ("folds", 5, True)
    assert splits(n_rows=1000, seconds=0.1) == ("folds", 5, True)
    assert splits(n_rows=100_001) == ("one", 1, False)
    assert splits(n_rows=100_001, n_splits=3) == ("given", 3, True)
    assert splits(seconds=1000) == ("folds", 5, False)


def test_rules_begin_and_end_where_they_say() -> None:
    """Fewer than 10 workers learn; more than 100,000 rows need one split only."""
    kinds = [decide(facts(n_workers=n, seconds=10)).kind for n in (9, 10)]
    assert kinds == ["bayes", "random"]
    splits = [decide(facts(n_rows=n, seconds=1)).splitting for n in (100_000, 100_001)]
    assert splits == ["folds", "one"]


@pytest.mark.parametrize("n_workers", [1, 10, 16, 33])
@pytest.mark.parametrize("n_splits", [1, 3, 5, 40])
def test_candidates_under_way_give_each_worker_two_fits(
    n_workers: int, n_splits: int
) -> None:
    """And no more of them than that takes, but for two."""
    n = pending(facts(n_workers=n_workers), n_splits)
    assert n * n_splits >= 2 * n_workers
    assert n == 2 or (n - 1) * n_splits < 2 * n_workers


def test_a_race_is_recommended_with_what_it_took() -> None:
    (race,) = [r.text for r in decide(facts()).reasons if r.rule == 0]
    assert "0.45 of the CPU" in race
    assert "96 %" in race
    page = (ROOT / "docs" / "which_search.md").read_text(encoding="utf-8")
    assert "0.45 of the CPU" in page


def test_what_would_make_a_search_of_too_few_candidates_is_said_in_numbers() -> None:
    texts = [reason.text for reason in decide(facts(seconds=60)).alternatives]
    assert "100 min pay for 20 candidates" in texts[0]
    assert "10 candidates would be affordable" in texts[1]
    assert "0.1 of 5,000 rows" in texts[2]


def test_the_page_has_the_rules() -> None:
    page = (ROOT / "docs" / "which_search.md").read_text(encoding="utf-8")
    table = [
        f"| {rule.number} | {rule.case} | {rule.take} | {rule.why} |" for rule in RULES
    ]
    assert "\n".join(table) in page
    assert [rule.number for rule in RULES] == list(range(1, 10))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1e-5, "0.01 ms"),
        (0.05, "50 ms"),
        (119, "119 s"),
        (120, "2 min"),
        (86400, "24 h"),
    ],
)
def test_durations_as_people_write_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


# -- measuring ---------------------------------------------------------------------


class Slow(ClassifierMixin, BaseEstimator):
    """Takes as many seconds of the clock as it has rows, and 100 at first."""

    clock: Clock
    n_fits = 0

    def __init__(self, a: float = 0.0, b: float = 0.0) -> None:
        self.a = a
        self.b = b

    def fit(self, X: Any, y: Any) -> Slow:
        Slow.n_fits += 1
        Slow.clock.seconds += len(X) + 100 * (Slow.n_fits == 1)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        Slow.clock.seconds += 1
        return np.full(len(X), self.classes_[0])


@pytest.fixture
def slow(clock: Clock) -> Slow:
    Slow.clock, Slow.n_fits = clock, 0
    return Slow()


def measured(
    estimator: Any, X: Any, y: Any, budget: float = 1e9, **options: Any
) -> Facts:
    given = {"n_jobs": None, "scoring": None, "cv": None, "groups": None}
    space = SearchSpace({"a": [1, 2, 3], "b": Real(0, 1)})
    found = facts_of(estimator, X, y, budget=budget, **given | options)
    return with_space(found, estimator, space)


def test_the_second_fit_and_its_score_are_timed(slow: Slow) -> None:
    found = measured(slow, X, Y)
    assert (found.seconds, Slow.n_fits) == (48 + 1, 2)
    assert (found.dimensions, found.size) == (("a", "b"), math.inf)
    assert (found.n_splits, found.n_workers, found.growth) == (None, 1, None)


def test_a_dear_fit_is_not_repeated(slow: Slow) -> None:
    assert measured(slow, X, Y, budget=600).seconds == 149
    assert Slow.n_fits == 1


def test_of_many_rows_half_of_them_are_timed_too(slow: Slow) -> None:
    many = np.zeros((25_000, 1))
    found = measured(slow, many, np.arange(25_000) % 2)
    assert found.growth == pytest.approx(2, abs=0.001)
    assert Slow.n_fits == 3


def test_splits_of_ones_own_are_counted(slow: Slow) -> None:
    groups = np.arange(60) // 10
    assert measured(slow, X, Y, cv=GroupKFold(3), groups=groups).n_splits == 3
    assert measured(slow, X, Y, cv=4, n_jobs=3).n_workers == 3


def test_step_sizes_and_numbers_of_iterations_are_known_by_class() -> None:
    pipeline = make_pipeline(StandardScaler(), SGDClassifier())
    space = {"sgdclassifier__eta0": Real(0.01, 1), "sgdclassifier__alpha": [1.0]}
    found = with_space(facts(), pipeline, SearchSpace(space))
    assert found.step_sizes == found.dimensions == ("sgdclassifier__eta0",)
    boosting = GradientBoostingClassifier()
    for value, counts in (([1, 2], ("n_estimators",)), (Curve(5), ())):
        found = with_space(facts(), boosting, SearchSpace({"n_estimators": value}))
        assert found.counts == counts


def test_slopes_are_known_by_class_and_score() -> None:
    groups = GroupScaler({"a": [0], "b": [1, 2]})
    model = make_pipeline(StandardScaler(), groups, LogisticRegression())
    names = [f"groupscaler__log_scale__{group}" for group in "ab"]
    space = SearchSpace({name: Real(-5, 5) for name in names})

    def slopes(space: SearchSpace, **options: Any) -> tuple[str, ...]:
        return with_space(facts(), model, space, **options).slopes

    assert slopes(space, scoring="neg_log_loss") == tuple(names)
    assert slopes(space, scoring="accuracy") == slopes(space) == ()
    lists = SearchSpace({names[0]: [-1.0, 1.0], "logisticregression__C": Real(0.1, 1)})
    assert slopes(lists, scoring="neg_log_loss") == ("logisticregression__C",)
    forest = GradientBoostingClassifier()
    space = SearchSpace({"learning_rate": Real(0.1, 1)})
    assert with_space(facts(), forest, space, "neg_log_loss").slopes == ()


# -- the search --------------------------------------------------------------------


def test_the_search_is_ready_to_be_fitted(slow: Slow) -> None:
    space = {"a": [1, 2, 3], "b": (0.0, 1.0)}
    found = recommend_search(
        *(slow, X, Y),
        space=space,
        budget=49 * 5 * 20.0,
        scoring="f1",
        random_state=0,
    )
    search = found.search
    assert type(search) is BayesSearch
    assert (search.n_iter, search.race, search.cv, search.n_pending) == (20, True, 5, 2)
    assert (search.time_budget, search.scoring, search.random_state) == (4900, "f1", 0)
    assert search.param_distributions is space
    assert found.cost.seconds == 4900
    assert found.cost.n_candidates == 20
    assert str(found).startswith(
        "Take BayesSearch(estimator, space, n_iter=20, cv=5, race"
    )
    assert "at most" not in str(found).splitlines()[0]
    assert "rule 4" in found._repr_html_()
    json.dumps(found.to_dict())


def test_a_grid_tries_all_integers_of_a_range(slow: Slow) -> None:
    space = {"a": Integer(1, 8), "b": randint(0, 3)}
    found = recommend_search(slow, X, Y, space=space, budget="300h", cv=2)
    assert found.cost.n_candidates == 24
    found.search.set_params(time_budget=None).fit(X, Y)
    assert len(found.search.cv_results_["params"]) == 24


def test_a_pair_of_numbers_is_a_range_in_every_search(clock: Clock) -> None:
    found = recommend_search(Ridge(), X, Y, space={"alpha": (0.1, 10.0)}, cv=2)
    assert type(found.search) is RandomSearch  # nothing takes time by this clock
    assert found.search.sampling == "sobol"
    search = found.search.set_params(n_iter=8, time_budget=None).fit(X, Y)
    assert len({params["alpha"] for params in search.cv_results_["params"]}) == 8


def test_the_splitter_fits_the_target(clock: Clock) -> None:
    space = {"alpha": loguniform(0.1, 10)}
    found = recommend_search(Ridge(), X, Y, space=space)
    assert isinstance(found.search.cv, RepeatedKFold)
    found = recommend_search(SGDClassifier(), X, Y, space={"alpha": [1, 2]})
    assert type(found.search) is GridSearch
    assert isinstance(found.search.cv, RepeatedStratifiedKFold)
    many = np.zeros((100_002, 1)), np.arange(100_002) % 2
    found = recommend_search(SGDClassifier(), *many, space={"alpha": [1, 2]})
    assert isinstance(found.search.cv, StratifiedShuffleSplit)
    assert found.search.race is False


def test_a_space_is_suggested_where_none_is_given(clock: Clock) -> None:
    found = recommend_search(Ridge(), X, Y, cv=2)
    assert found.facts.dimensions == ("alpha",)
    assert type(found.search) is GridSearch  # 33 values
    assert isinstance(found.search.param_grid, SuggestedSpace)


def test_no_search_is_recommended_where_the_best_would_be_luck(slow: Slow) -> None:
    found = recommend_search(slow, X, Y, space={"a": Real(0, 1)}, budget="1 min")
    assert found.search is None
    assert str(found).startswith("Do not search.")
    assert "Or:" in str(found)
    assert found._repr_html_()
    assert found.to_dict()["search"] is None


def test_unsupervised_estimators_are_searched_too(clock: Clock) -> None:
    space = {"n_clusters": range(2, 5)}
    found = recommend_search(KMeans(n_init=1), X, space=space)
    assert type(found.search) is GridSearch


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"space": "none"}, ValueError, "'space' must be a dict"),
        ({"estimator": Slow()}, ValueError, "register_space"),
        ({"space": {}}, InvalidSpaceError, "nothing to search"),
        ({"space": {"aa": [1]}}, ValueError, "aa"),
        ({"space": {"alpha": [-1.0]}}, ValueError, "alpha"),
        ({"space": {"alpha": [1]}, "budget": "soon"}, ValueError, "budget must be"),
        ({"space": {"alpha": [1]}, "budget": -1}, ValueError, "budget must be"),
        ({"space": {"alpha": [1]}, "budget": None}, TypeError, "budget must be"),
        ({"space": {"alpha": [1]}, "scoring": ["r2"]}, TypeError, "one score"),
        ({"space": {"alpha": [1]}, "y": None}, ValueError, "requires y"),
        ({"space": {"alpha": [1]}, "estimator": Ridge}, TypeError, "an object"),
    ],
)
def test_what_cannot_be_recommended_for_is_said_before_a_fit(
    options: dict[str, Any], error: type[Exception], says: str
) -> None:
    given = {"estimator": Ridge(), "X": X, "y": Y} | options
    with pytest.raises(error, match=says):
        recommend_search(**given)
