"""What halving promises, in every search that has it.

Whole searches over a model whose score is a table of levels and rows, so that what is
to go on is known beforehand; and over boosters, which go on from their models.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from comparing import same
from scipy.stats import uniform
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_score,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skhpo import GridSearch, RandomSearch
from skhpo.exceptions import (
    AllFitsFailedError,
    InvalidSpaceError,
    SearchInterruptedWarning,
    SkhpoWarning,
)
from skhpo.search import _halving
from skhpo.space import Curve
from skhpo.stopping import TargetScore

pytestmark = pytest.mark.thinned

N_ROWS = 60
X = np.arange(float(N_ROWS))[:, np.newaxis]
Y = (np.arange(N_ROWS) % 3 == 0).astype(int)
CV = StratifiedKFold(3)
LEVELS = np.linspace(0, 1, 12)
WEIGHTS = np.arange(N_ROWS) / 7


class Given(ClassifierMixin, BaseEstimator):
    """Its score is of its level, with noise that fades with the rows.

    Parameters
    ----------
    level : float
        Of the score.
    depth : int
        Adds a bit to it.
    fail_above : float
        Fits of a higher level raise.
    """

    def __init__(self, level=0.5, depth=1, fail_above=2.0):
        self.level = level
        self.depth = depth
        self.fail_above = fail_above

    def fit(self, X, y, sample_weight=None):
        if self.level > self.fail_above:
            raise ValueError("no fit of this level")
        self.classes_ = np.unique(y)
        self.rows_ = np.asarray(X)[:, 0].astype(int)
        self.labels_ = np.asarray(y)
        self.weights_ = sample_weight
        return self

    def predict(self, X):
        return np.zeros(len(X), int)

    def score(self, X, y):
        seed = int(1e6 * self.level) + len(self.rows_)
        noise = np.random.default_rng(seed).normal() / len(self.rows_)
        return 1 - abs(self.level - 0.7) + noise + self.depth / 1000


class Breaking(Given):
    """Ends the process of the search, so to speak, at a fit."""

    n_left = 10**9

    def fit(self, X, y):
        if not Breaking.n_left:
            raise KeyboardInterrupt
        Breaking.n_left -= 1
        return super().fit(X, y)


BOOSTING = HistGradientBoostingClassifier(max_leaf_nodes=4, random_state=0)
DATA = make_classification(90, 4, flip_y=0.2, random_state=0)
ROWS = {"resource": "n_samples", "min_resources": 15, "factor": 2}
KINDS: dict[str, dict[str, Any]] = {
    "rows": ROWS,
    "brackets": {**ROWS, "n_brackets": 2},
    "a parameter": {"resource": "depth", "max_resources": 8},
}


def grid(estimator: Any = None, **options: Any) -> GridSearch:
    chosen = Given() if estimator is None else estimator
    return GridSearch(chosen, {"level": LEVELS}, **{"cv": CV, **options})


def random(**options: Any) -> RandomSearch:
    space = {"level": uniform(0, 1)}
    return RandomSearch(
        Given(), space, n_iter=12, random_state=0, **{"cv": CV, **options}
    )


def boosting(**options: Any) -> GridSearch:
    own = {"resource": "max_iter", "max_resources": 12, "scoring": "neg_log_loss"}
    space = options.pop("space", {"learning_rate": [0.01, 0.1, 0.3, 0.6, 1.0]})
    return GridSearch(BOOSTING, space, **{"cv": 2, **own, **options})


SEARCHES: dict[str, Callable[..., Any]] = {
    **{
        f"{name}, {kind}": functools.partial(search, **KINDS[kind])
        for name, search in (("grid", grid), ("random", random))
        for kind in KINDS
    },
    "boosting, iterations": boosting,
}
by_search = pytest.mark.parametrize("name", SEARCHES)
# One of each kind, where the search itself plays no part.
by_kind = pytest.mark.parametrize(
    "name",
    ["grid, rows", "random, brackets", "grid, a parameter", "boosting, iterations"],
)


def fitted(name: str, **options: Any) -> Any:
    data = DATA if "boosting" in name else (X, Y)
    return SEARCHES[name](**options).fit(*data)


@functools.cache
def plain(name: str) -> Any:
    return fitted(name)


def assert_same(found: Any, expected: Any) -> None:
    for attribute in ("best_index_", "n_resources_", "n_candidates_", "stop_reason_"):
        assert getattr(found, attribute) == getattr(expected, attribute)
    one, other = found.cv_results_, expected.cv_results_
    assert list(one) == list(other)
    for column in other:
        assert "_time" in column or same(one[column], other[column]), column


# --- what the results say -------------------------------------------------------------


@by_search
def test_rows_are_those_of_scikit_learn(name: str) -> None:
    """One for each candidate and iteration; the best one is in the last."""
    search = plain(name)
    results = search.cv_results_
    iteration = results["iter"]
    assert list(results)[:2] == ["iter", "n_resources"]
    assert iteration.tolist() == sorted(iteration)
    assert iteration.dtype == results["n_resources"].dtype == int
    counts = np.bincount(iteration).tolist()
    assert counts == search.n_candidates_
    assert len(counts) == search.n_iterations_ == len(search.n_resources_)
    amounts = np.array(search.n_resources_)[iteration]
    np.testing.assert_array_equal(results["n_resources"], amounts)
    assert search.n_resources_[0] == search.min_resources_
    assert search.n_resources_[-1] == search.max_resources_
    assert search.n_remaining_candidates_ == math.ceil(counts[-1] / 2)
    assert iteration[search.best_index_] == iteration.max()
    means = results["mean_test_score"]
    assert search.best_score_ == means[iteration == iteration.max()].max()
    order = np.lexsort([-means, -iteration])
    assert (np.diff(results["rank_test_score"][order]) >= 0).all()
    assert results["rank_test_score"][search.best_index_] == 1


@by_search
def test_the_best_of_each_iteration_go_on(name: str) -> None:
    search = plain(name)
    frame = pd.DataFrame(search.cv_results_)
    if "bracket" not in frame:
        frame["bracket"] = 0
    searched = [n for n in frame if n in ("param_level", "param_learning_rate")]
    for _, own in frame.groupby("bracket"):
        for rung in range(own["iter"].min(), own["iter"].max()):
            here, after = own[own["iter"] == rung], own[own["iter"] == rung + 1]
            n = math.ceil(len(here) / 2)
            best = here.sort_values("mean_test_score", kind="stable").tail(n)[::-1]
            for column in searched:
                assert best[column].tolist() == after[column].tolist()


def test_brackets_begin_at_different_iterations() -> None:
    """All candidates are in one of them, and the column says in which."""
    search = plain("grid, brackets")
    results = search.cv_results_
    bracket, iteration = results["bracket"], results["iter"]
    assert set(bracket) == {0, 1}
    assert iteration[bracket == 0].min() == 0
    assert iteration[bracket == 1].min() == 1
    first = {p["level"] for p in np.array(results["params"])[bracket == 0]}
    second = {p["level"] for p in np.array(results["params"])[bracket == 1]}
    assert sorted(first | second) == LEVELS.tolist()
    assert not first & second


def test_without_a_resource_nothing_is_new() -> None:
    found = grid().fit(X, Y)
    expected = GridSearchCV(Given(), {"level": LEVELS}, cv=CV).fit(X, Y)
    for name, column in expected.cv_results_.items():
        assert "_time" in name or same(found.cv_results_[name], column)
    assert list(found.cv_results_) == list(expected.cv_results_)
    assert not hasattr(found, "n_resources_")


@pytest.mark.parametrize("name", ["grid, rows", "random, brackets"])
def test_the_last_iteration_is_an_ordinary_one(name: str) -> None:
    """Its rows equal those of the search without halving."""
    search = plain(name)
    whole = fitted(name, **dict.fromkeys(["resource"]), **_halving.DEFAULTS)
    scores = dict(
        zip(
            [p["level"] for p in whole.cv_results_["params"]],
            whole.cv_results_["mean_test_score"],
            strict=True,
        )
    )
    last = np.flatnonzero(search.cv_results_["iter"] == search.n_iterations_ - 1)
    for row in last:
        level = search.cv_results_["params"][row]["level"]
        assert search.cv_results_["mean_test_score"][row] == scores[level]


def test_predictions_are_those_of_a_fit_on_all_rows() -> None:
    search = plain("grid, rows")
    assert len(search.best_estimator_.rows_) == N_ROWS


# --- rows -----------------------------------------------------------------------------


def seen(search: Any, *data: Any, **params: Any) -> list[tuple[Any, ...]]:
    """Return what the fits saw: rows, labels and weights, and the rows scored on."""
    found: list[tuple[Any, ...]] = []

    def scoring(estimator: Any, X: Any, y: Any) -> float:
        scored = np.asarray(X)[:, 0].astype(int)
        found.append(
            (estimator.rows_, estimator.labels_, estimator.weights_, scored)
        )  # fmt: skip
        return estimator.level

    search.set_params(scoring=scoring, refit=False, reuse=False).fit(*data, **params)
    return found


def test_parts_are_stratified_nested_and_scored_on_whole_splits() -> None:
    """Weights go with their rows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that scores have no weights
        fits = seen(grid(**ROWS), X, Y, sample_weight=WEIGHTS)
    splits = list(CV.split(X, Y))
    by_split: dict[int, set[frozenset[int]]] = {}
    for rows, labels, weights, scored in fits:
        (split,) = [i for i, (_, test) in enumerate(splits) if set(test) == set(scored)]
        np.testing.assert_array_equal(labels, Y[rows])
        np.testing.assert_array_equal(weights, WEIGHTS[rows])
        assert abs(labels.mean() - 1 / 3) <= 1 / len(rows)
        by_split.setdefault(split, set()).add(frozenset(rows.tolist()))
    for split, parts in by_split.items():
        small, middle, whole = sorted(parts, key=len)
        assert small < middle < whole
        assert whole == set(splits[split][0])
        assert (len(small), len(middle)) == (10, 20)


@pytest.mark.parametrize("as_frame", [False, True])
def test_groups_stay_whole(as_frame: bool) -> None:
    """If the splitter goes by them."""
    groups = np.repeat(np.arange(15), 4)
    data = (pd.DataFrame(X), pd.Series(Y)) if as_frame else (X, Y)
    for rows, *_ in seen(grid(cv=GroupKFold(3), **ROWS), *data, groups=groups):
        own = set(groups[rows])
        assert len(rows) == 4 * len(own)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the splitter says that it ignores them
        sizes = {len(f[0]) for f in seen(grid(**ROWS), *data, groups=groups)}
    assert sizes == {10, 20, 40}


def test_a_series_is_cut_at_its_beginning() -> None:
    """The most recent rows are the ones that count."""
    cv = TimeSeriesSplit(3)
    for rows, *_, scored in seen(grid(cv=cv, **ROWS), X, Y):
        assert rows.tolist() == list(range(scored[0] - len(rows), scored[0]))


class Level(RegressorMixin, Given):
    """The same for any target."""


def test_a_target_without_classes_is_drawn_from_at_random() -> None:
    sizes = {len(f[0]) for f in seen(grid(Level(), cv=KFold(3), **ROWS), X, X[:, 0])}
    assert sizes == {10, 20, 40}


def test_steps_are_shared_among_those_on_the_same_rows() -> None:
    """And not with others: each iteration scales its own rows."""
    model = make_pipeline(StandardScaler(), KNeighborsClassifier())
    space = {"kneighborsclassifier__n_neighbors": [1, 2, 3, 4]}
    search = GridSearch(model, space, cv=2, **ROWS, max_resources=60).fit(*DATA)
    assert search.n_candidates_ == [4, 2, 1]
    last = search.cv_results_["mean_test_score"][-1]
    one_by_one = clone(search).set_params(reuse=False).fit(*DATA)
    assert same(
        one_by_one.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"]
    )
    assert search.reuse_.n_fits < one_by_one.reuse_.n_fits
    assert last == search.best_score_


def test_a_curve_is_chosen_anew_on_each_part() -> None:
    """And the last iteration has that of all rows."""
    space = {"learning_rate": [0.1, 0.5, 1.0], "max_iter": Curve(4)}
    search = GridSearch(BOOSTING, space, cv=2, **{**ROWS, "min_resources": 45})
    search.fit(*DATA)
    model = clone(BOOSTING).set_params(**search.best_params_)
    assert cross_val_score(model, *DATA, cv=2).mean() == search.best_score_


# --- iterations -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "model",
    [
        BOOSTING,
        GradientBoostingClassifier(random_state=0, subsample=0.6),
        RandomForestClassifier(random_state=0),
        Pipeline([("scale", StandardScaler()), ("model", BOOSTING)]),
    ],
    ids=["boosting", "old boosting", "forest", "pipeline"],
)
@pytest.mark.filterwarnings("ignore:The best candidate has")
def test_to_go_on_is_to_begin_afresh(
    model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last bit, for less; and a row is a cross-validation with its params."""
    last = model[-1] if isinstance(model, Pipeline) else model
    prefix = "model__" if isinstance(model, Pipeline) else ""
    name = "max_iter" if hasattr(last, "max_iter") else "n_estimators"
    search = GridSearch(
        model, {f"{prefix}max_depth": [1, 2, 3, 4]}, cv=2, scoring="neg_log_loss",
        resource=prefix + name, max_resources=4, refit=False, return_train_score=True,
    )  # fmt: skip
    found = search.fit(*DATA)
    assert found.n_resources_ == [1, 2, 4]
    results = found.cv_results_
    row = found.best_index_
    own = clone(model).set_params(**results["params"][row])
    scores = cross_val_score(own, *DATA, cv=2, scoring="neg_log_loss")
    assert [results[f"split{i}_test_score"][row] for i in range(2)] == scores.tolist()
    stages, curve, _ = found.curve_of(row)
    assert stages[-1] == 4
    assert curve.mean(axis=0).max() == found.best_score_
    monkeypatch.setattr(_halving, "goes_on", lambda *args: False)
    afresh = clone(search).fit(*DATA)
    assert_same(found, afresh)


@pytest.mark.parametrize(
    "plan",
    [
        {"min_resources": 4, "aggressive_elimination": True},
        {"min_resources": 1, "aggressive_elimination": True, "factor": 1.5},
        {"min_resources": 1, "factor": 1.2},
        {"factor": 1.1},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "model",
    [
        BOOSTING,
        GradientBoostingClassifier(random_state=0, subsample=0.6),
        RandomForestClassifier(random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.filterwarnings("ignore:The best candidate has")
def test_a_repeated_iteration_repeats_its_scores(
    model: Any, plan: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And training goes on from it, as if each iteration began afresh."""
    name = "max_iter" if hasattr(model, "max_iter") else "n_estimators"
    search = GridSearch(
        model, {"max_depth": [1, 2, 3, 4]}, cv=2, scoring="neg_log_loss",
        resource=name, max_resources=6, refit=False, **plan,
    )  # fmt: skip
    found = clone(search).fit(*DATA)
    assert len(set(found.n_resources_)) < len(found.n_resources_)
    results = found.cv_results_
    seen: dict[Any, float] = {}
    rows = zip(
        results["param_max_depth"],
        results["n_resources"],
        results["mean_test_score"],
        strict=True,
    )
    for depth, amount, score in rows:
        assert seen.setdefault((depth, amount), score) == score
    assert found.reuse_.n_fits == 2 * len(seen)
    monkeypatch.setattr(_halving, "goes_on", lambda *args: False)
    assert_same(found, clone(search).fit(*DATA))


DRAWING = [
    RandomForestClassifier(),
    ExtraTreesClassifier(max_features=1),
    GradientBoostingClassifier(subsample=0.5),
    HistGradientBoostingClassifier(max_leaf_nodes=4, max_features=0.5),
]


def seed_of(kind: str) -> Any:
    return {"int": 3, "generator": np.random.RandomState(3)}[kind]


def assert_rows_of_the_last_are_validations(search: Any, model: Any) -> None:
    results = search.cv_results_
    rows = np.flatnonzero(results["iter"] == results["iter"].max())
    for row in rows.tolist():
        own = clone(model).set_params(**clone(results["params"][row], safe=False))
        scores = cross_val_score(own, *DATA, cv=2, scoring="neg_log_loss")
        found = [results[f"split{i}_test_score"][row] for i in range(2)]
        assert found == scores.tolist()


@pytest.mark.parametrize("model", DRAWING, ids=lambda model: type(model).__name__)
@pytest.mark.parametrize(
    ("given", "searched"),
    [
        ("int", []),
        ("generator", []),
        ("int", ["int", "generator"]),
        ("generator", ["int"]),
    ],
)
@pytest.mark.filterwarnings("ignore:The best candidate has", "error:.*warm_start")
def test_rows_are_validations_whatever_draws(
    model: Any, given: str, searched: list[str]
) -> None:
    """From a number or a generator, of the estimator or among what is searched."""
    model = clone(model).set_params(random_state=seed_of(given))
    space: dict[str, Any] = {"max_depth": [1, 2, 3]}
    if searched:
        space["random_state"] = [seed_of(kind) for kind in searched]
    name = "max_iter" if hasattr(model, "max_iter") else "n_estimators"
    search = GridSearch(
        model, space, cv=2, scoring="neg_log_loss", refit=False,
        resource=name, max_resources=6, min_resources=3,
    ).fit(*DATA)  # fmt: skip
    assert_rows_of_the_last_are_validations(search, model)


@pytest.mark.parametrize("seed", ["int", "generator"])
@pytest.mark.filterwarnings("ignore:The best candidate has")
def test_rows_are_validations_behind_a_transformer_that_draws(seed: str) -> None:
    """Its rows are the same in each iteration, as in each fit of a clone."""
    pca = PCA(2, svd_solver="randomized", random_state=seed_of(seed))
    model = make_pipeline(pca, BOOSTING)
    prefix = "histgradientboostingclassifier__"
    search = GridSearch(
        model, {f"{prefix}max_depth": [1, 2, 3]}, cv=2, scoring="neg_log_loss",
        refit=False, resource=f"{prefix}max_iter", max_resources=6, min_resources=3,
    ).fit(*DATA)  # fmt: skip
    assert_rows_of_the_last_are_validations(search, model)


@pytest.mark.parametrize("weights", ["balanced", "balanced_subsample"])
@pytest.mark.parametrize("is_searched", [False, True])
@pytest.mark.filterwarnings("ignore:The best candidate has", "error:.*warm_start")
def test_weights_of_a_forest_are_no_reason_to_warn(
    weights: str, is_searched: bool
) -> None:
    """Those that warn of a warm start, which is nothing that the user has done."""
    model = RandomForestClassifier(random_state=0)
    space: dict[str, Any] = {"max_depth": [1, 2, 3, 4]}
    if is_searched:
        space["class_weight"] = [None, weights]
    else:
        model.set_params(class_weight=weights)
    search = GridSearch(
        model, space, cv=2, scoring="neg_log_loss", refit=False,
        resource="n_estimators", max_resources=4, min_resources=2,
        error_score="raise",
    ).fit(*DATA)  # fmt: skip
    assert_rows_of_the_last_are_validations(search, model)


def test_iterations_without_stages_are_fitted_with_each_value() -> None:
    search = plain("grid, a parameter")
    results = search.cv_results_
    assert search.n_resources_ == [1, 2, 4, 8]
    assert results["param_depth"].tolist() == results["n_resources"].tolist()
    assert search.best_params_["depth"] == 8


def test_more_iterations_may_be_better() -> None:
    """If the best one has all that it may have."""
    with pytest.warns(SkhpoWarning, match="the most that max_resources allows"):
        boosting(space={"learning_rate": [0.01]}, max_resources=4).fit(*DATA)


# --- determinism ----------------------------------------------------------------------


@by_kind
@pytest.mark.parametrize("n_jobs", [2, 4])
def test_the_workers_change_nothing(name: str, n_jobs: int) -> None:
    with joblib.parallel_config("threading", n_jobs=n_jobs):
        assert_same(fitted(name), plain(name))


@pytest.mark.parametrize(
    ("name", "n_jobs"),
    [
        ("random, brackets", 2),
        pytest.param("random, brackets", 4, marks=pytest.mark.slow),
        pytest.param("boosting, iterations", 2, marks=pytest.mark.slow),
    ],
)
def test_processes_change_nothing(name: str, n_jobs: int) -> None:
    with joblib.parallel_config("loky", n_jobs=n_jobs):
        assert_same(fitted(name), plain(name))


class Stop(Exception):
    """What ends a search in the middle."""


@by_kind
@pytest.mark.parametrize("n_left", [7])
def test_an_interrupted_halving_goes_on_from_its_journal(
    name: str, n_left: int, tmp_path: Path
) -> None:
    """To the same end, and without the fits that were done."""

    def stop(progress: Any) -> None:
        if len(progress.trials) == n_left:
            raise Stop

    path = tmp_path / "halving.db"
    with pytest.raises(Stop):
        fitted(name, journal=path, stop=stop)
    resumed = fitted(name, journal=path)
    assert_same(resumed, plain(name))
    assert resumed.reuse_.n_fits < plain(name).reuse_.n_fits
    again = fitted(name, journal=path)
    assert_same(again, plain(name))
    assert again.reuse_.n_fits == 0


def test_a_halving_may_be_killed_at_any_evaluation(tmp_path: Path) -> None:
    """Whatever the journal has, the rest leads to the same result."""
    expected = plain("grid, rows")
    for k in (1, 20, 37, 50):
        search = grid(Breaking(), journal=tmp_path / f"{k}.db", refit=False, **ROWS)
        Breaking.n_left = k
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SearchInterruptedWarning)
            try:
                search.fit(X, Y)
            except KeyboardInterrupt:
                assert not hasattr(search, "cv_results_")
            Breaking.n_left = 10**9
            search._interrupts._last = -np.inf  # none of these is a second one
            assert_same(search.fit(X, Y), expected)
        n_left = search.reuse_.n_fits  # what was in a block with the kill is lost
        assert expected.reuse_.n_fits - k <= n_left <= expected.reuse_.n_fits


def test_a_journal_that_knows_more_changes_nothing(tmp_path: Path) -> None:
    """All candidates on all rows are in it, and only those of the last are taken."""
    path = tmp_path / "whole.db"
    grid(journal=path).fit(X, Y)
    found = grid(journal=path, **ROWS).fit(X, Y)
    assert_same(found, plain("grid, rows"))
    n_last = found.n_candidates_[-1]
    assert found.reuse_.n_fits == plain("grid, rows").reuse_.n_fits - 3 * n_last
    assert grid(journal=path).fit(X, Y).reuse_.n_fits == 0


def test_other_rows_are_another_evaluation(tmp_path: Path) -> None:
    """A journal tells the order of the rows by its seed."""
    path = tmp_path / "rows.db"
    for seed in (0, 1):
        search = RandomSearch(
            Given(), {"level": LEVELS}, n_iter=12, random_state=seed, cv=CV,
            journal=path, **ROWS,
        ).fit(X, Y)  # fmt: skip
    assert search.reuse_.n_fits == 3 * sum(search.n_candidates_[:2])


# --- failures, ends, several scores ---------------------------------------------------


def test_a_failure_does_not_go_on() -> None:
    """It is ranked last, in whatever iteration."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the failures
        search = grid(Given(fail_above=0.4), **ROWS).fit(X, Y)
    assert search.n_candidates_ == [12, 5, 3]
    results = search.cv_results_
    failed = np.isnan(results["mean_test_score"])
    assert failed.sum() == 7
    assert set(results["rank_test_score"][failed]) == {14}


def test_an_iteration_without_a_score_is_an_error() -> None:
    """With its number and rows; what was done is kept."""
    search = grid(Given(fail_above=-1), **ROWS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(
            AllFitsFailedError,
            match=r"All 12 candidates of iteration 0, with 15 of 60 rows, .*\n?.*"
            "36 fits failed; the first one with: ValueError: no fit of this level",
        ):
            search.fit(X, Y)
    assert len(search.cv_results_["params"]) == 12


def test_a_number_as_error_score_is_a_score_like_any_other() -> None:
    """And of a failure no training goes on."""
    search = boosting(
        space={"learning_rate": [0.1, -1.0]}, error_score=1.0, refit=False
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the failures
        search.fit(*DATA)
    assert search.best_params_["learning_rate"] == -1.0


def test_of_several_scores_the_named_one_decides() -> None:
    def both(estimator: Any, X: Any, y: Any) -> dict[str, float]:
        score = estimator.score(X, y)
        return {"good": score, "bad": -score}

    found = grid(scoring=both, refit="good", **ROWS).fit(X, Y)
    expected = plain("grid, rows")
    assert found.best_index_ == expected.best_index_
    for name in ("good", "bad"):
        ranks = found.cv_results_[f"rank_test_{name}"]
        assert set(ranks[found.cv_results_["iter"] == 2]) == {1, 2, 3}


def test_who_ends_early_has_the_best_of_the_highest_iteration() -> None:
    """The best ones go first there."""
    search = random(stop=lambda progress: len(progress.trials) == 13, **ROWS)
    search.fit(X, Y)
    assert search.n_candidates_[0] == 12
    assert search.best_index_ == 12
    first = search.cv_results_["mean_test_score"][:12]
    level = search.cv_results_["params"][int(first.argmax())]["level"]
    assert search.best_params_["level"] == level
    assert grid(stop=TargetScore(0.1), **ROWS).fit(X, Y).stop_reason_ != "completed"


@pytest.mark.parametrize("n", [1, 5, 12, 13, 16, 18, 20])
def test_what_ends_early_counts_the_candidates_with_rows(n: int) -> None:
    """In each iteration that has one, and not those that were lined up."""
    search = grid(stop=lambda progress: len(progress.trials) == n, **ROWS).fit(X, Y)
    results = search.cv_results_
    assert len(results["iter"]) == n
    assert search.n_candidates_ == np.bincount(results["iter"]).tolist()
    assert len(search.n_resources_) == len(search.n_candidates_)
    assert search.n_remaining_candidates_ == math.ceil(search.n_candidates_[-1] / 2)


def test_a_budget_keeps_the_rows_in_mind(an_hour_each: None) -> None:
    search = random(time_budget="13.5h", **ROWS).fit(X, Y)
    assert search.stop_reason_ == "time_budget"
    assert search.cv_results_["iter"][search.best_index_] >= 0


# --- what cannot be done is said ------------------------------------------------------

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "too few rows": ({"resource": "n_samples"}, "60 are too few.*race=True"),
    "a number without a resource": ({"min_resources": 5}, "set resource='n_samples'"),
    "a factor without a resource": ({"factor": 2}, "set resource='n_samples'"),
    "a race": ({**ROWS, "race": True}, "nothing to race for"),
    "a choice of one's own": ({**ROWS, "refit": lambda results: 0}, "refit=True"),
    "several scores": (
        {**ROWS, "scoring": ["accuracy", "f1"], "refit": False},
        "with 'resource' compares",
    ),
    "an unknown parameter": (
        {"resource": "depht", "max_resources": 4},
        "Cannot use resource=depht which is not supported by estimator Given",
    ),
    "a parameter that is searched": (
        {"resource": "level", "max_resources": 4},
        "Cannot use parameter level as the resource since it is part of the searched",
    ),
    "no largest value": ({"resource": "depth"}, "when max_resources='auto'"),
    "more rows than there are": ({**ROWS, "max_resources": 61}, "than the 60 rows"),
    "more than the most": (
        {**ROWS, "max_resources": 14},
        "min_resources_=15 is greater than max_resources_=14",
    ),
    "a lost class": ({**ROWS, "min_resources": 1}, "1 of 2 classes have none"),
    "too many brackets": ({**ROWS, "n_brackets": 4}, "Set it to 3 or less"),
    "brackets and a repeated one": (
        {**ROWS, "n_brackets": 2, "aggressive_elimination": True},
        "one of them only",
    ),
    "no growth": ({**ROWS, "factor": 1}, "'factor' parameter of GridSearch"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_makes_no_sense_is_refused(what: str) -> None:
    """Before the first fit, and with what would work."""
    options, message = REFUSED[what]
    with pytest.raises(ValueError, match=message):
        grid(**options).fit(X, Y)


def test_two_numbers_of_iterations_are_refused() -> None:
    """Of which one fit tells, and of which an estimator has its own."""
    space = {"max_iter": Curve(9)}
    with pytest.raises(InvalidSpaceError, match="is a Curve, and resource='max_leaf"):
        boosting(space=space, resource="max_leaf_nodes").fit(*DATA)
    own = {"estimator__early_stopping": True}
    with pytest.raises(InvalidSpaceError, match=r"best so far.*early_stopping=True"):
        boosting().set_params(**own).fit(*DATA)


def test_nothing_to_halve_is_said() -> None:
    """Where resources cannot grow by the factor."""
    with pytest.warns(SkhpoWarning, match="one iteration only, and all 12 candidates"):
        search = grid(**{**ROWS, "min_resources": 40}).fit(X, Y)
    assert search.n_resources_ == [60]


def test_one_after_the_other_cannot_be_halved() -> None:
    search = random(strategy="anneal", **ROWS)
    with pytest.raises(ValueError, match="must be None with strategy='anneal'"):
        search.fit(X, Y)


def test_what_is_reasonable_is_1000_rows_and_20_of_each_class() -> None:
    """And an eighth of the iterations, for as many iterations as there are."""
    y = (np.arange(9000) % 100 == 0).astype(int)
    rows = np.zeros((9000, 1))
    auto = {"resource": "n_samples", "cv": 2}
    assert grid(**auto).fit(rows, np.arange(9000) % 2).n_resources_ == [
        *(1000, 3000, 9000),
    ]
    assert grid(**auto).fit(rows, y).n_resources_ == [3000, 9000]
    iterations = grid(resource="depth", max_resources=100).fit(X, Y)
    assert iterations.n_resources_ == [12, 25, 50, 100]
