"""Laws of populations: what is refused, what is resumed, what nobody may change."""

from __future__ import annotations

import contextlib
import functools
import sqlite3
import warnings
from contextlib import nullcontext
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from careless_estimators import (
    Labelless,
    Mortal,
    Shift,
    Stranger,
    Unreadable,
    WritingForest,
    WritingSGD,
    WritingShift,
    writing_metric,
    writing_scorer,
)
from hypothesis import given
from hypothesis import strategies as st
from pbt_estimators import Walker
from scipy import sparse
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import ShuffleSplit
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler, TargetEncoder

from skhpo import BayesSearch, GridSearch, PBTSearch, RandomSearch, ScheduledEstimator
from skhpo.evaluation import EvaluationSpec, Evaluator
from skhpo.evaluation.training._parts import replay
from skhpo.evaluation.training._target import check_target
from skhpo.evaluation.training._trainers import Training
from skhpo.evaluation.training._training import Train, TrainingPlan
from skhpo.evaluation.workers._workers import Workers
from skhpo.exceptions import AllFitsFailedError, JournalWarning, SkhpoWarning
from skhpo.optimizers import PBTOptimizer
from skhpo.optimizers._exploit import Tournament, Truncation
from skhpo.space import Choice, Real

pytestmark = pytest.mark.thinned

X, Y = make_classification(n_samples=80, n_features=4, random_state=0)
SGD = SGDClassifier(loss="log_loss", learning_rate="constant", eta0=0.1)
ALPHA = {"alpha": Real(1e-5, 1, log=True)}
ONE_SPLIT = ShuffleSplit(1, test_size=0.3, random_state=0)
TIMES = ("mean_fit_time", "std_fit_time", "mean_score_time", "std_score_time")


def make(estimator: Any = SGD, space: Any = ALPHA, **options: Any) -> PBTSearch:
    small = {"population_size": 3, "n_generations": 3, "cv": 2, "random_state": 0}
    return PBTSearch(estimator, space, **{**small, **options})


def results_of(search: Any) -> dict[str, str]:
    return {
        name: repr(np.ma.getdata(column).tolist())
        for name, column in search.cv_results_.items()
        if name not in TIMES
    }


# --- what is refused ------------------------------------------------------------------

SEARCHES = {
    "grid": lambda e, space, **o: GridSearch(e, space, cv=2, **o),
    "random": lambda e, space, **o: RandomSearch(
        e, space, n_iter=2, cv=2, random_state=0, **o
    ),
    "bayes": lambda e, space, **o: BayesSearch(
        e, space, n_iter=2, cv=2, random_state=0, **o
    ),
    "pbt": make,
}


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize(
    ("estimator", "space", "X", "y", "words"),
    [
        (SGD, {"alhpa": [1.0, 2.0]}, X, Y, "'alhpa'"),
        (SGD, {"penalty": ["l2", "l3"]}, X, Y, "'penalty'.*'l3'"),
        (SGD, {"alpha": [1.0, -1.0]}, X, Y, "'alpha'.*-1.0"),
        (SGD, {"alpha": [0.1, 1.0]}, X, Y[:-1], r"\[80, 79\]"),
        (SGD, {"alpha": [0.1, 1.0]}, X, None, "requires y to be passed"),
        (SGDRegressor(), {"alpha": [0.1, 1.0]}, X, X[:, :2], r"1d array.*\(\d0, 2\)"),
        (SGD, {"alpha": [0.1, 1.0]}, X, np.column_stack([Y, Y]), "1d array"),
        (SGD, {"alpha": [0.1, 1.0]}, X, X[:, 0], "Unknown label type"),
    ],
)
def test_what_cannot_be_searched_is_said_in_words(
    name: str, estimator: Any, space: Any, X: Any, y: Any, words: str
) -> None:
    """By all searches; by a population before it is trained, and without the data."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match=f"(?s){words}") as caught:
            SEARCHES[name](estimator, space).fit(X, y)
    if name == "pbt":
        assert not isinstance(caught.value, AllFitsFailedError)
        assert len(str(caught.value)) < 600


def test_a_target_is_refused_only_if_no_member_can_take_it() -> None:
    """The others fail by themselves, as candidates of any search do."""
    task = Training(X, X[:, :2], np.random.SeedSequence(0))
    whole = Pipeline([("model", SGDRegressor())])
    one, several = {"model": SGDRegressor()}, {"model": RandomForestRegressor()}
    with pytest.raises(ValueError, match="1d array"):
        check_target(whole, [one, one], task)
    check_target(whole, [one, several], task)


@pytest.mark.parametrize("name", ["bayes", "pbt"])
@pytest.mark.parametrize(
    ("space", "bad"),
    [
        (ALPHA, {"alpha": 2.0}),
        (ALPHA, {"alpha": "big"}),
        (ALPHA, {"alpha": np.nan}),
        (ALPHA, {"beta": 0.1}),
        ({"penalty": ["l1", "l2"]}, {"penalty": "elasticnet"}),
        ({"alpha": loguniform(1e-3, 1)}, {"alpha": 5}),
        ({"loss": Choice({"log_loss": None, "huber": ALPHA})}, {"loss": "hinge"}),
        (
            {"loss": Choice({"log_loss": None, "huber": ALPHA})},
            {"loss": "log_loss", "alpha": 0.1},
        ),
        (ALPHA, 0.1),
    ],
)
def test_first_candidates_are_in_the_space(name: str, space: Any, bad: Any) -> None:
    """Also those of a population; else they would win, and be reported as the best."""
    with pytest.raises(ValueError, match=r"space|must be|must hold") as caught:
        SEARCHES[name](SGD, space, initial_params=[bad]).fit(X, Y)
    assert len(str(caught.value)) < 600


def born(space: Any, *given: Any, size: int = 2) -> list[dict[str, Any]]:
    """Return what the members of a population are born with."""
    seed = np.random.SeedSequence(0)
    optimizer = PBTOptimizer(space, seed, population_size=size, initial_params=given)
    return [dict(record.params) for record in optimizer.records]


def test_every_member_may_be_given_and_each_is_looked_at() -> None:
    assert born({"a": [1, 2]}, {"a": 2}, {"a": 1}) == [{"a": 2}, {"a": 1}]
    with pytest.raises(ValueError, match=r"the 'a' 3 is not a value of \[1, 2\]"):
        born({"a": [1, 2]}, {"a": 2}, {"a": 3})
    with pytest.raises(ValueError, match="3 entries for a population_size of 2"):
        born({"a": [1, 2]}, {}, {}, {})


def test_what_is_wrong_is_said_of_the_nearest_branch() -> None:
    """And of several names the first."""
    space = [{"a": [1], "b": [1]}, {"c": [1], "d": [1]}]
    with pytest.raises(ValueError, match=r"since the 'a' 2 is not a value of \[1\]"):
        born(space, {"a": 2, "b": 1})
    with pytest.raises(ValueError, match="since parameter 'x' is unknown"):
        born(space, {"z": 1, "y": 1, "x": 1})


def test_what_can_only_be_drawn_is_taken_as_it_is_given() -> None:
    """Nobody knows which values it has."""

    class Drawn:
        def rvs(self, random_state: Any = None) -> float:
            return 0.5

        def ppf(self, q: float) -> float:
            return q

    assert born({"a": Drawn()}, {"a": 7.0}) == [{"a": 7.0}, {"a": 0.5}]


def test_members_are_born_in_a_branch_that_has_their_values() -> None:
    space = {"loss": Choice({"log_loss": None, "modified_huber": ALPHA})}
    for seed in range(4):
        search = make(
            SGD, space, initial_params={"loss": "modified_huber"}, random_state=seed
        ).fit(X, Y)
        first = search.cv_results_["params"][0]
        assert first.keys() == {"loss", "alpha"}
        assert first["loss"] == "modified_huber"


def test_a_list_may_repeat_its_values_and_hold_arrays() -> None:
    priors = [np.array([0.5, 0.5]), np.array([0.9, 0.1])]
    space = {"priors": priors, "var_smoothing": [1e-9, 1e-9, 1e-3]}
    given = {"priors": np.array([0.9, 0.1]), "var_smoothing": 1e-3}
    search = make(GaussianNB(), space, frozen=["priors"], initial_params=given)
    assert search.fit(X, Y).cv_results_["params"][0]["var_smoothing"] == 1e-3
    with pytest.raises(ValueError, match="priors") as caught:
        make(GaussianNB(), space, initial_params={"priors": np.ones(5000)}).fit(X, Y)
    assert len(str(caught.value)) < 600


def test_who_can_learn_more_than_the_tags_say_is_not_refused() -> None:
    """The tags of MLPRegressor know of one column only."""
    net = MLPRegressor(hidden_layer_sizes=(3,), random_state=0)
    space = {"alpha": [1e-3, 1e-2]}
    assert np.isfinite(make(net, space).fit(X, X[:, :2]).best_score_)
    assert make(Labelless(), {"rate": [0.1, 0.2]}).fit(X).best_score_ >= 0.1
    several = np.column_stack([Y, np.arange(80) % 3])

    def score(estimator: Any, X: Any, y: Any) -> float:
        return float((estimator.predict(X) == y).mean())

    forest = RandomForestClassifier(random_state=0)
    search = make(forest, {"max_depth": [1, 2, 3]}, scoring=score).fit(X, several)
    assert search.best_score_ > 0.3


def test_names_in_messages_are_sorted() -> None:
    names = ["zeta", "eta", "alpha", "beta"]
    space = {name: [0.1, 0.2] for name in names}
    with pytest.raises(ValueError, match="'alpha', 'beta', 'eta', 'zeta'"):
        PBTOptimizer(space, np.random.SeedSequence(0), initial_params=[{"nope": 1}])


# --- what the options say -------------------------------------------------------------


def test_every_option_reaches_the_population() -> None:
    """Those of numbers have their names there, or say what they are."""
    same = {
        "population_size": 5,
        "n_generations": 7,
        "steps_per_generation": 3,
        "resample_probability": 0.7,
        "burn_in": 2,
        "n_generations_no_change": 4,
        "tol": 0.5,
        "initial_params": [{"alpha": 0.1}],
    }
    search = PBTSearch(SGD, ALPHA, quantile=0.4, perturb_factors=(2.0,), **same)
    optimizer = search._make_optimizer(search._compile())
    assert {name: getattr(optimizer, name) for name in same} == same
    assert optimizer.exploit == Truncation(0.4)
    assert optimizer.factors == (2.0,)
    search.set_params(exploit="tournament", initial_params={"alpha": 0.1})
    optimizer = search._make_optimizer(search._compile())
    assert optimizer.exploit == Tournament()
    assert optimizer.initial_params == [{"alpha": 0.1}]


@pytest.mark.parametrize("row", [1, 4])
def test_the_last_training_is_as_long_as_that_of_the_row(row: int) -> None:
    search = make(Walker(), {"rate": [0.1, 0.2]}, steps_per_generation=2)
    search.set_params(refit=lambda results: row).fit(X, Y)
    n_steps = search.cv_results_["n_resources"][row]
    assert n_steps == 2 * (1 + row // 3)
    assert search.best_estimator_.n_steps_ == n_steps


def test_half_of_the_parameters_may_be_frozen_without_a_word() -> None:
    net = MLPRegressor(random_state=0)
    space = {"hidden_layer_sizes": [(3,), (5,)], "alpha": [0.1, 1.0]}
    with warnings.catch_warnings():
        warnings.simplefilter("error", SkhpoWarning)
        search = make(net, space, population_size=2, n_generations=1).fit(X, Y)
    assert search.frozen_params_ == ["hidden_layer_sizes"]


def test_a_resumed_population_has_the_train_scores_it_had(tmp_path: Any) -> None:
    search = make(return_train_score=True, refit=False, n_generations=2)
    plain = results_of(search.fit(X, Y))
    search.set_params(journal=tmp_path / "journal.db")
    assert results_of(search.fit(X, Y)) == plain
    assert results_of(search.fit(X, Y)) == plain
    search.set_params(return_train_score=False).fit(X, Y)
    assert "mean_train_score" not in search.cv_results_


# --- weights --------------------------------------------------------------------------


@given(
    weights=st.lists(st.sampled_from([0.0, 0.0, 1.0, 2.5]), min_size=40, max_size=40),
    batch_size=st.sampled_from([None, 1, 3, 7, 100]),
    kind=st.sampled_from([np.array, list, pd.Series]),
)
def test_a_row_of_weight_zero_is_as_good_as_removed(
    weights: list[float], batch_size: int | None, kind: Any
) -> None:
    kept = np.flatnonzero(weights)
    if not len(kept):
        return

    def train(rows: np.ndarray) -> Any:
        training = Training(
            X[rows],
            Y[rows],
            np.random.SeedSequence(0),
            n_steps=3,
            batch_size=batch_size,
            classes=np.unique(Y),
            fit_params={"sample_weight": kind([weights[i] for i in rows])},
        )
        return replay(SGD, [(0, {"alpha": 0.01})], training)

    np.testing.assert_array_equal(train(np.arange(40)).coef_, train(kept).coef_)


@pytest.mark.parametrize("name", [None, "sgdclassifier"])
def test_zero_weights_kill_nobody(name: str | None) -> None:
    """Whatever the batches are, and whatever the name of the weights."""
    weights = np.zeros(80)
    weights[::7] = 1.0
    model = SGD if name is None else make_pipeline(StandardScaler(), SGD)
    start = "" if name is None else f"{name}__"
    search = make(model, {f"{start}alpha": ALPHA["alpha"]}, batch_size=4)
    search.fit(X, Y, **{f"{start}sample_weight": weights})
    assert search.failures_ == []
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_no_weights_at_all_are_for_the_model_to_refuse() -> None:
    """Where its version of scikit-learn does."""
    weights = np.zeros(80)
    try:
        SGDClassifier(random_state=0).fit(X, Y, sample_weight=weights)
    except ValueError:
        refused = pytest.raises(AllFitsFailedError, match=r"(?i)weight")
    else:
        refused = nullcontext()
    with refused:
        make().fit(X, Y, sample_weight=weights)


# --- why it ended ---------------------------------------------------------------------


class LaterNaN:
    """Scores 0.5, and NaN after some calls."""

    def __init__(self, n_calls: int) -> None:
        self.n_left = n_calls

    def __call__(self, estimator: Any, X: Any, y: Any) -> float:
        self.n_left -= 1
        return 0.5 if self.n_left >= 0 else float("nan")


@pytest.mark.parametrize("refit", [True, False, "weights"])
def test_a_generation_without_scores_is_the_last_one(refit: Any) -> None:
    """What was complete before is kept, also the models."""
    scorer = LaterNaN(n_calls=6)
    search = make(scoring=scorer, refit=refit, cv=ONE_SPLIT, n_generations=4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(X, Y)
    assert search.stop_reason_ == "all_failed"
    assert list(search.cv_results_["generation"]) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert search.best_index_ == 3
    if refit:
        assert search.predict(X).shape == Y.shape


def test_what_ends_a_population_is_named() -> None:
    assert make().fit(X, Y).stop_reason_ == "completed"
    search = make(n_generations=9, n_generations_no_change=1, tol=9.0).fit(X, Y)
    assert search.stop_reason_ == "no_change"
    assert search.cv_results_["generation"].max() == 1
    search = make(scoring=LaterNaN(n_calls=12))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(X, Y)
    assert search.stop_reason_ == "completed"  # there are no generations to come


# --- resuming -------------------------------------------------------------------------

MODELS = {
    "model": (SGD, ALPHA),
    "pipeline": (
        make_pipeline(Shift(), SGD),
        {"sgdclassifier__alpha": ALPHA["alpha"], "shift__shift": [0.0, 1.0, 2.0]},
    ),
}
REFITS = {
    "weights": "weights",
    "true": True,
    "false": False,
    "callable": lambda results: int(np.argmax(results["mean_test_score"])),
}


# In other processes each model once, and all combinations in the slow tests.
RESUMED = [
    pytest.param(
        *(model, refit, backend, n_jobs),
        marks=[]
        if (backend, n_jobs) == ("loky", 1)
        or (model, refit) in (("model", "callable"), ("pipeline", "weights"))
        else [pytest.mark.slow],
    )
    for backend, n_jobs in [
        *(("loky", 1), ("threading", 2), ("loky", 2), ("multiprocessing", 2)),
    ]
    for refit in REFITS
    for model in MODELS
]


@pytest.mark.parametrize(("model", "refit", "backend", "n_jobs"), RESUMED)
def test_a_resumed_run_equals_one_that_was_not_interrupted(
    model: str, refit: str, backend: str, n_jobs: int, tmp_path: Any
) -> None:
    """Bit by bit; and what is in the journal is not trained again."""
    estimator, space = MODELS[model]
    options = {"refit": REFITS[refit], "cv": ONE_SPLIT}

    def search(n_generations: int = 3, **more: Any) -> PBTSearch:
        options_ = {**options, "n_generations": n_generations, **more}
        return make(estimator, space, **options_).fit(X, Y)

    with joblib.parallel_config(backend, n_jobs=n_jobs), warnings.catch_warnings():
        warnings.simplefilter("error", JournalWarning)
        plain = search()
        search(n_generations=2, journal=tmp_path / "search.db")
        resumed = search(journal=tmp_path / "search.db")
        again = search(journal=tmp_path / "search.db")
    needed = plain.reuse_.n_fits + plain.reuse_.n_saved
    for other in (resumed, again):
        assert results_of(other) == results_of(plain)
        assert other.reuse_.n_fits + other.reuse_.n_saved == needed
        assert other.best_index_ == plain.best_index_
        if refit != "false":
            np.testing.assert_array_equal(
                other.decision_function(X), plain.decision_function(X)
            )
    assert again.reuse_.n_fits == 0
    assert resumed.reuse_.n_fits < plain.reuse_.n_fits


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM model",
        "UPDATE model SET content = x'00'",
        "UPDATE evaluation SET seal = 'x'",
    ],
)
def test_models_that_are_gone_are_trained_again(
    model: str, n_jobs: int, damage: str, tmp_path: Any
) -> None:
    """To the same, with a warning; and what is done once more does not count as saved.

    Only what led to the best model is needed, if the scores are known.
    """
    path = tmp_path / "search.db"
    estimator, space = MODELS[model]
    options = {"refit": "weights", "cv": ONE_SPLIT, "n_jobs": n_jobs}
    plain = make(estimator, space, **options, journal=path).fit(X, Y)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(damage)
    with pytest.warns(JournalWarning, match=r"trained once more|done again"):
        again = make(estimator, space, **options, journal=path).fit(X, Y)
    assert results_of(again) == results_of(plain)
    np.testing.assert_array_equal(
        again.decision_function(X), plain.decision_function(X)
    )
    n_fits, n_saved = again.reuse_.n_fits, again.reuse_.n_saved
    assert n_fits + n_saved == plain.reuse_.n_fits + plain.reuse_.n_saved
    assert 1 <= n_fits <= plain.reuse_.n_fits
    if "evaluation" in damage:
        assert again.reuse_ == plain.reuse_


@pytest.mark.parametrize("model", MODELS)
def test_a_journal_without_transformers_gives_the_same_models(
    model: str, tmp_path: Any
) -> None:
    """One that was written for another refit has the models only."""
    estimator, space = MODELS[model]
    options = {"cv": ONE_SPLIT, "journal": tmp_path / "search.db"}
    make(estimator, space, refit=False, **options).fit(X, Y)
    resumed = make(estimator, space, refit="weights", **options).fit(X, Y)
    plain = make(estimator, space, refit="weights", cv=ONE_SPLIT).fit(X, Y)
    np.testing.assert_array_equal(
        resumed.decision_function(X), plain.decision_function(X)
    )


def test_a_resumed_search_without_scores_at_the_end_has_its_model(
    tmp_path: Any,
) -> None:
    """The best one is of the generation before the last, for who writes the journal
    and for who finds it."""
    members = [{"rate": 0.1 * (i + 1), "act": "fail"} for i in range(3)]
    options = {
        "space": {"rate": Real(0.0, 1.0), "act": ["go", "fail"]},
        "initial_params": members,
        "frozen": ["act"],
        "cv": ONE_SPLIT,
        "refit": "weights",
        "journal": tmp_path / "search.db",
        "resample_probability": 0.0,
    }
    found = []
    for _ in range(2):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", JournalWarning)
            search = make(Walker(after=2), n_generations=5, **options).fit(X, Y)
        assert search.stop_reason_ == "all_failed"
        assert search.cv_results_["generation"][search.best_index_] == 1
        found.append((results_of(search), search.best_estimator_.total_))
    assert found[0] == found[1]
    assert search.reuse_.n_fits == 0


def test_a_failed_member_has_no_weights_to_keep() -> None:
    """A number as error_score can make it the best one: that is said."""
    members = [{"rate": 0.1, "act": act} for act in ("go", "fail", "fail")]
    space = {"rate": Real(0.0, 1.0), "act": ["go", "fail"]}
    search = make(
        Walker(), space, initial_params=members, frozen=["act"], cv=ONE_SPLIT,
        refit="weights", error_score=99.0, n_generations=1,
    )  # fmt: skip
    with (
        pytest.warns(Warning, match="fits failed"),
        pytest.raises(ValueError, match=r"row 1 has failed.*error_score=99"),
    ):
        search.fit(X, Y)


# --- states that travel ---------------------------------------------------------------


def test_workers_are_closed_if_their_work_cannot_be_sent(monkeypatch: Any) -> None:
    closed = []
    close = Workers._close
    monkeypatch.setattr(
        Workers, "_close", lambda self, **o: (closed.append(1), close(self, **o))
    )

    class Unsendable(SGDClassifier):
        def __reduce__(self) -> Any:
            raise TypeError("not to be sent")

    splits = [(np.arange(40), np.arange(40, 80))]
    spec = EvaluationSpec(Unsendable(), X, Y, splits, accuracy_score)
    fitter = Train(TrainingPlan(np.random.SeedSequence(0)))
    evaluator = Evaluator(spec, n_jobs=2, pre_dispatch="2*n_jobs", fitter=fitter)
    with pytest.raises(TypeError, match="not to be sent"), evaluator:
        pass
    assert closed == [1]


# The search that raises ends its processes: those of loky would be new ones each time.
IN_PROCESSES = pytest.mark.parametrize(
    ("backend", "n_jobs"),
    [
        ("loky", 1),
        ("multiprocessing", 2),
        pytest.param("loky", 2, marks=pytest.mark.slow),
    ],
)


@IN_PROCESSES
@pytest.mark.parametrize("kind", ["state", "pickle"])
def test_a_state_that_does_not_travel_costs_its_member_only(
    kind: str, backend: str, n_jobs: int
) -> None:
    members = [{"alpha": 0.1, "kind": k} for k in ("good", kind, "good", "good")]
    space = {**ALPHA, "kind": ["good", kind]}
    search = make(
        Unreadable(), space, initial_params=members, frozen=["kind"], n_jobs=n_jobs,
        population_size=4, exploit=lambda scores, rng: range(4),
    )  # fmt: skip
    with (
        joblib.parallel_config(backend),
        pytest.warns(Warning, match="fits failed"),
    ):
        search.fit(X, Y)
    failed = np.isnan(search.cv_results_["mean_test_score"])
    # It is seen where it is read, a generation later, and replaced thereafter.
    assert list(np.flatnonzero(failed)) == [5 if kind == "state" else 1]
    (failure,) = search.failures_
    assert f"not to be {'un' if kind == 'state' else ''}pickled" in failure.message
    assert search.stop_reason_ == "completed"
    with (
        joblib.parallel_config(backend),
        pytest.raises((TypeError, ValueError), match="not to be"),
    ):
        clone(search).set_params(error_score="raise").fit(X, Y)


# --- who is called with what ----------------------------------------------------------


class Watcher:
    """A scorer that notes what it is called with."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, Any]] = []

    def __call__(self, estimator: Any, X: Any, y: Any) -> float:
        self.seen.append((estimator, X))
        return accuracy_score(y, estimator.predict(X))


@pytest.mark.parametrize("others", [[], ["accuracy"], ["accuracy", "f1"]])
@pytest.mark.parametrize("first", [True, False])
def test_a_scorer_of_the_users_own_sees_the_pipeline_and_the_rows_of_the_split(
    others: list[str], first: bool
) -> None:
    """Whatever the other metrics are, and wherever it stands among them."""
    watcher = Watcher()
    mine = {"mine": watcher}
    rest = {name: name for name in others}
    scoring = (mine | rest) if first else (rest | mine)
    estimator, space = MODELS["pipeline"]
    search = make(estimator, space, scoring=scoring, refit="mine")
    search.fit(X, Y)
    splits = list(search._checked_cv_orig.split(X, Y))
    test_parts = [X[test] for _, test in splits]
    assert len(watcher.seen) == 3 * 3 * 2
    for scored, rows in watcher.seen:
        assert [name for name, _ in scored.steps] == ["shift", "sgdclassifier"]
        assert any(np.array_equal(rows, part) for part in test_parts)
    for name in others[:1]:
        np.testing.assert_array_equal(
            search.cv_results_[f"mean_test_{name}"],
            search.cv_results_["mean_test_mine"],
        )


def test_verbose_splits_are_numbered_from_one(capsys: pytest.CaptureFixture) -> None:
    make(verbose=3, cv=3, n_generations=1).fit(X, Y)
    printed = capsys.readouterr().out
    for split in (1, 2, 3):
        assert printed.count(f"CV {split}/3") == 3
    assert "CV 0/3" not in printed
    assert "CV 4/3" not in printed


@IN_PROCESSES
def test_a_failure_names_the_step_that_failed(backend: str, n_jobs: int) -> None:
    """Here it is the transformer, on the test part."""
    model = make_pipeline(Stranger(), SGD)
    cv = ShuffleSplit(2, test_size=0.3, random_state=0)
    search = make(model, {"sgdclassifier__alpha": [0.1, 1.0]}, cv=cv, n_jobs=n_jobs)
    with joblib.parallel_config(backend), warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        search.fit(X, Y)
    said = [str(w.message) for w in seen if "Scoring failed" in str(w.message)]
    if n_jobs == 1:  # workers warn in their own processes
        assert said
    assert all("these rows are unknown" in message for message in said)
    with (
        joblib.parallel_config(backend),
        pytest.raises(ValueError, match="these rows are unknown"),
    ):
        clone(search).set_params(error_score="raise").fit(X, Y)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_train_scores_are_those_of_the_fitted_pipeline() -> None:
    """A target encoder transforms the rows it was fitted on in another way."""
    codes = (np.arange(80) % 7 + 10 * Y).reshape(-1, 1).astype(str)
    noisy = np.where(np.arange(80) % 5 == 0, 1 - Y, Y)
    model = make_pipeline(TargetEncoder(random_state=0), SGD)

    def own(estimator: Any, X: Any, y: Any) -> float:
        return estimator.score(X, y)

    space = {"sgdclassifier__alpha": ALPHA["alpha"]}
    scored = [
        results_of(make(model, space, scoring=s, return_train_score=True).fit(
            codes, noisy
        ))
        for s in (None, own)
    ]  # fmt: skip
    assert scored[0] == scored[1]


# --- what nobody may change -----------------------------------------------------------

WRITING = {
    "model": ((SGD, ALPHA), (WritingSGD(**SGD.get_params()), ALPHA)),
    "forest": (
        (RandomForestClassifier(max_depth=2), {"min_samples_leaf": [1, 5, 9]}),
        (WritingForest(max_depth=2), {"min_samples_leaf": [1, 5, 9]}),
    ),
    "transformer": (
        MODELS["pipeline"],
        (
            make_pipeline(WritingShift(), SGD),
            {
                "sgdclassifier__alpha": ALPHA["alpha"],
                "writingshift__shift": [0.0, 1.0, 2.0],
            },
        ),
    ),
    "in a pipeline": (
        (make_pipeline(StandardScaler(), SGD), {"sgdclassifier__alpha": [0.01, 0.1]}),
        (
            make_pipeline(StandardScaler(), WritingSGD(**SGD.get_params())),
            {"writingsgd__alpha": [0.01, 0.1]},
        ),
    ),
}
KINDS = {
    "array": np.array,
    "frame": pd.DataFrame,
    "sparse": sparse.csr_matrix,
}


def scores_of(search: PBTSearch) -> list[float]:
    columns = [c for c in search.cv_results_ if c.startswith("split")]
    return [search.cv_results_[c].tolist() for c in columns]


@functools.cache
def where_nobody_writes(what: str, kind: str) -> PBTSearch:
    (plain, space), _ = WRITING[what]
    search = make(plain, space, return_train_score=True, n_generations=2)
    return search.fit(KINDS[kind](X), Y, **weights_for(what))


def weights_for(what: str) -> dict[str, np.ndarray]:
    return {"sample_weight": np.ones(80)} if what in ("model", "forest") else {}


@pytest.mark.parametrize(
    ("what", "kind", "backend", "n_jobs"),
    [
        pytest.param(
            *(what, kind, backend, n_jobs),
            # What another process gets is a copy: by default for one kind of rows.
            marks=[pytest.mark.slow]
            if (backend, n_jobs) == ("loky", 2) and kind != "array"
            else [],
        )
        for backend, n_jobs in (("loky", 1), ("threading", 2), ("loky", 2))
        for kind in KINDS
        for what in WRITING
    ],
)
def test_who_writes_into_the_data_changes_nothing_for_others(
    what: str, kind: str, backend: str, n_jobs: int
) -> None:
    """Fits, transformers and predictions; neither scores nor the caller's data."""
    if kind == "sparse" and what != "model":
        return
    rows, y, weights = KINDS[kind](X), Y.copy(), weights_for(what)
    _, (writing, space) = WRITING[what]
    expected = where_nobody_writes(what, kind)
    with joblib.parallel_config(backend, n_jobs=n_jobs):
        search = make(writing, space, return_train_score=True, n_generations=2)
        search.fit(rows, y, **weights)
    assert scores_of(search) == scores_of(expected)
    np.testing.assert_array_equal(search.predict(X.copy()), expected.predict(X))
    unchanged = rows.toarray() if kind == "sparse" else np.asarray(rows)
    np.testing.assert_array_equal(unchanged, X)
    np.testing.assert_array_equal(y, Y)
    assert all((weight == 1).all() for weight in weights.values())


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "scoring",
    [
        writing_scorer,
        make_scorer(writing_metric),
        {"accuracy": make_scorer(writing_metric)},
    ],
    ids=["scorer", "metric", "dict"],
)
def test_scorers_that_write_change_nothing(model: str, scoring: Any) -> None:
    estimator, space = MODELS[model]
    rows, y = X.copy(), Y.copy()
    refit = "accuracy" if isinstance(scoring, dict) else True
    options = {"return_train_score": True, "refit": refit}
    search = make(estimator, space, scoring=scoring, **options).fit(rows, y)
    plain = {"accuracy": "accuracy"} if isinstance(scoring, dict) else "accuracy"
    expected = make(estimator, space, scoring=plain, **options).fit(X, Y)
    assert scores_of(search) == scores_of(expected)
    np.testing.assert_array_equal(rows, X)
    np.testing.assert_array_equal(y, Y)


def test_a_policy_may_be_scored_by_who_writes() -> None:
    """The scores that it sees, and all further steps, are those of the plain scorer."""
    seen: dict[str, list[float]] = {"accuracy": [], "writing": []}

    def train(name: str, scoring: Any) -> Any:
        def policy(state: Any) -> dict[str, float]:
            seen[name].extend([state.train_score, state.val_score])
            return {}

        scheduled = ScheduledEstimator(
            SGD, policy, n_steps=4, scoring=scoring, validation_fraction=0.3,
            random_state=0,
        )  # fmt: skip
        return scheduled.fit(X, Y).estimator_.coef_

    plain = train("accuracy", "accuracy")
    np.testing.assert_array_equal(plain, train("writing", writing_scorer))
    assert seen["accuracy"] == seen["writing"]


# --- what is trained ------------------------------------------------------------------


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_members_train_with_the_parameters_that_the_results_name(
    in_pipeline: bool,
) -> None:
    """The walker's score is the sum of the rates that it was trained with."""
    model = make_pipeline(StandardScaler(), Walker()) if in_pipeline else Walker()
    name = "walker__rate" if in_pipeline else "rate"
    search = make(
        model, {name: Real(0.1, 1.0)}, n_generations=4, steps_per_generation=2
    )
    results = search.fit(X, Y).cv_results_
    assert results["exploited"].sum() >= 2
    for row in range(len(results["params"])):
        line = [row]
        while results["parent"][line[-1]] >= 0:
            line.append(results["parent"][line[-1]])
        total = 0.0
        for ancestor in line[::-1]:
            for _ in range(2):
                total += results["params"][ancestor][name]
        assert results["mean_test_score"][row] == total


# --- a journal and what ends from outside ---------------------------------------------


@pytest.mark.slow  # of a grid, in test_journal.py
def test_what_a_limit_ended_is_tried_again_by_the_next_search(tmp_path: Any) -> None:
    """As in other searches; all that came of it is trained again."""
    flag = tmp_path / "deadly"
    options = {
        "initial_params": [{"alpha": 0.5}],
        "cv": ONE_SPLIT,
        "frozen": ["alpha"],
    }
    model = Mortal(flag=str(flag))
    plain = make(model, **options).fit(X, Y)
    flag.touch()
    limited = {**options, "fit_timeout": 600.0, "journal": tmp_path / "search.db"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = make(model, **limited).fit(X, Y)
        assert np.isnan(first.cv_results_["mean_test_score"][0])
        flag.unlink()
        again = make(model, **limited).fit(X, Y)
    assert results_of(again) == results_of(plain)


@pytest.mark.slow  # each death costs a process, and there are many
def test_after_a_crash_a_lost_member_is_tried_again(tmp_path: Any) -> None:
    """If it is lost again, the resumed search ends where the other one would have."""
    flag = tmp_path / "deadly"
    flag.touch()
    options = {
        "initial_params": [{"alpha": 0.5}],
        "cv": ONE_SPLIT,
        "frozen": ["alpha"],
        "fit_timeout": 600.0,
        "refit": False,
    }
    model = Mortal(flag=str(flag))

    scored: list[Any] = []

    def crash(scores: Any, rng: Any) -> list[int]:
        scored.append(scores)
        if len(scored) == 2:
            raise RuntimeError("crash")
        return Truncation()(scores, rng)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = make(model, **options).fit(X, Y)
        path = tmp_path / "search.db"
        with pytest.raises(RuntimeError, match="crash"):
            make(model, journal=path, exploit=crash, **options).fit(X, Y)
        resumed = make(model, journal=path, **options).fit(X, Y)
    assert results_of(resumed) == results_of(whole)
