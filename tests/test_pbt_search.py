"""PBTSearch: results, lineage, replay, failures, and the same for every backend."""

from __future__ import annotations

import json
import pickle
import time
import tracemalloc
import warnings
from typing import Any

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pbt_estimators import CountingScaler, Hoarder, LastLabels, Walker
from scipy.stats import loguniform, uniform
from sklearn import config_context
from sklearn.base import clone
from sklearn.cluster import MiniBatchKMeans
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import (
    BaggingClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import Perceptron, SGDClassifier, SGDRegressor
from sklearn.metrics import get_scorer, make_scorer, mean_squared_error
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    ShuffleSplit,
    cross_val_score,
    train_test_split,
)
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

from skhpo import GridSearch, PBTSearch, ScheduledEstimator, register_incremental
from skhpo._rng import seed_sequence
from skhpo._sklearn_compat import InvalidParameterError
from skhpo.evaluation._plan import BLOCK_TIME, split_into_blocks
from skhpo.evaluation.fitting._task import Task
from skhpo.evaluation.fitting._time_slice import TimeSlice
from skhpo.evaluation.incremental import WarmStart
from skhpo.evaluation.training._parts import replay
from skhpo.evaluation.training._registry import INCREMENTAL
from skhpo.evaluation.training._target import labels_of
from skhpo.evaluation.training._training import TrainingPlan
from skhpo.evaluation.workers._workers import Workers
from skhpo.exceptions import (
    AllFitsFailedError,
    SearchInterruptedWarning,
    SearchStoppedError,
    SkhpoWarning,
    WorkerDiedWarning,
)
from skhpo.search._base import BaseSearch
from skhpo.search._loop import Interrupts
from skhpo.space import Choice, Real

pytestmark = pytest.mark.thinned

X, Y = make_classification(
    n_samples=150, n_features=8, n_informative=5, n_classes=3, random_state=0
)
SGD = SGDClassifier(loss="log_loss", learning_rate="constant", eta0=0.1)
SPACE = {"eta0": loguniform(1e-4, 1), "alpha": loguniform(1e-6, 1e-1)}
SMALL: dict[str, Any] = {
    "population_size": 4,
    "n_generations": 4,
    "cv": 2,
    "random_state": 0,
}
TIMES = ("mean_fit_time", "std_fit_time", "mean_score_time", "std_score_time")


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(limits=1):
        yield


def make(estimator: Any = SGD, space: Any = SPACE, **options: Any) -> PBTSearch:
    return PBTSearch(estimator, space, **{**SMALL, **options})


def assert_equal_results(one: PBTSearch, two: PBTSearch) -> None:
    assert one.cv_results_.keys() == two.cv_results_.keys()
    for key in one.cv_results_.keys() - set(TIMES):
        np.testing.assert_array_equal(one.cv_results_[key], two.cv_results_[key], key)
    assert one.best_schedule_ == two.best_schedule_
    np.testing.assert_array_equal(one.predict(X), two.predict(X))


# --- results --------------------------------------------------------------------------


def test_a_row_per_generation_and_member() -> None:
    search = make(steps_per_generation=3).fit(X, Y)
    results = search.cv_results_
    assert all(len(column) == 16 for column in results.values())
    np.testing.assert_array_equal(results["generation"], np.repeat(range(4), 4))
    np.testing.assert_array_equal(results["member"], np.tile(range(4), 4))
    np.testing.assert_array_equal(results["n_resources"], 3 * (np.arange(16) // 4 + 1))
    assert results["parent"].dtype == np.int64
    assert results["exploited"].dtype == bool
    assert (results["parent"][:4] == -1).all()
    assert results["exploited"].any()
    for row in range(4, 16):
        parent = results["parent"][row]
        assert results["generation"][parent] == results["generation"][row] - 1
        moved = results["member"][parent] != results["member"][row]
        assert results["exploited"][row] == moved
    assert search.cv_results_["params"][search.best_index_] == search.best_params_
    assert results["generation"][search.best_index_] == 3
    last = results["mean_test_score"][12:]
    assert search.best_score_ == last.max()


def test_the_history_tells_who_went_on_from_whom() -> None:
    search = make().fit(X, Y)
    assert len(search.history_) == search.cv_results_["exploited"].sum()
    event = search.history_[0]
    assert event.keys() == {"generation", "member", "donor", "donor_params", "params"}
    assert event["member"] != event["donor"]


@pytest.mark.parametrize(
    "estimator",
    [SGD, MLPClassifier((5,), batch_size=30)],
    ids=lambda estimator: type(estimator).__name__,
)
def test_every_row_is_the_replay_of_its_schedule(estimator: Any) -> None:
    """Same rows, same schedule, same score: nothing but the schedule matters."""
    space = {"alpha": loguniform(1e-6, 1e-1)}
    options = {"steps_per_generation": 2, "cv": KFold(2), "scoring": "neg_log_loss"}
    search = make(estimator, space, **options).fit(X, Y)
    scorer = get_scorer("neg_log_loss")  # which the smallest change changes
    plan = TrainingPlan(seed_sequence(0), labels=labels_of(Y, SGD))
    for row in range(16):
        for split, (train, test) in enumerate(KFold(2).split(X)):
            n_steps = int(search.cv_results_["n_resources"][row])
            training = plan.training(X[train], Y[train], split).portion(0, n_steps)
            model = replay(estimator, search.schedule_of(row), training)
            score = search.cv_results_[f"split{split}_test_score"][row]
            assert scorer(model, X[test], Y[test]) == score


def test_the_schedule_is_json_and_has_change_points_only() -> None:
    search = make(n_generations=8).fit(X, Y)
    schedule = search.best_schedule_
    assert schedule == search.schedule_of(search.best_index_)
    starts = [start for start, _ in schedule]
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    assert schedule[0][1].keys() == SPACE.keys()
    restored = [(start, params) for start, params in json.loads(json.dumps(schedule))]
    assert restored == schedule
    current: dict[str, Any] = {}
    for _, changes in schedule:
        assert all(current.get(name) != value for name, value in changes.items())
        current |= changes
    assert current == search.best_params_


def test_refit_replays_and_gives_an_ordinary_estimator() -> None:
    search = make().fit(X, Y)
    assert type(search.best_estimator_) is SGDClassifier
    plan = TrainingPlan(seed_sequence(0), labels=labels_of(Y, SGD))
    training = plan.training(X, Y, -1).portion(0, 4)
    again = replay(SGD, search.best_schedule_, training)
    np.testing.assert_array_equal(again.coef_, search.best_estimator_.coef_)
    assert search.n_features_in_ == 8
    assert search.classes_.tolist() == [0, 1, 2]
    assert search.refit_time_ > 0


def test_refit_may_keep_the_weights_of_one_split() -> None:
    cv = ShuffleSplit(1, random_state=0)
    search = make(cv=cv, refit="weights").fit(X, Y)
    _, test = next(cv.split(X))
    assert search.best_estimator_.score(X[test], Y[test]) == search.best_score_
    pipe = make_pipeline(StandardScaler(), SGD)
    space = {f"sgdclassifier__{name}": dist for name, dist in SPACE.items()}
    search = make(pipe, space, cv=cv, refit="weights").fit(X, Y)
    assert search.best_estimator_.score(X[test], Y[test]) == search.best_score_
    with pytest.raises(ValueError, match=r"each of 2 splits. Set cv=ShuffleSplit"):
        make(refit="weights").fit(X, Y)


def test_a_callable_refit_may_stop_early() -> None:
    search = make(refit=lambda results: 2).fit(X, Y)
    assert search.best_index_ == 2
    assert search.best_schedule_ == [(0, search.best_params_)]
    assert not hasattr(search, "best_score_")


def test_no_refit() -> None:
    search = make(refit=False).fit(X, Y)
    assert search.best_schedule_
    assert not hasattr(search, "best_estimator_")


# --- frozen ---------------------------------------------------------------------------


def test_shapes_and_transformers_travel_with_the_model() -> None:
    pipe = make_pipeline(StandardScaler(), MLPClassifier(batch_size=30))
    space = {
        "standardscaler__with_mean": [True, False],
        "mlpclassifier__hidden_layer_sizes": [(3,), (5,)],
        "mlpclassifier__learning_rate_init": loguniform(1e-4, 1),
        "mlpclassifier__alpha": loguniform(1e-6, 1),
    }
    search = make(pipe, space, error_score="raise").fit(X, Y)
    assert search.frozen_params_ == [
        "mlpclassifier__hidden_layer_sizes",
        "standardscaler__with_mean",
    ]
    results = search.cv_results_
    for row in range(4, 16):
        params, parent = (
            results["params"][row],
            results["params"][results["parent"][row]],
        )
        for name in search.frozen_params_:
            assert params[name] == parent[name]
    best = search.best_estimator_
    assert type(best) is Pipeline
    assert best[-1].hidden_layer_sizes == search.best_params_[search.frozen_params_[0]]


def test_the_user_may_freeze_and_thaw() -> None:
    assert make(frozen=["alpha"]).fit(X, Y).frozen_params_ == ["alpha"]
    assert make(mutable=["alpha"]).fit(X, Y).frozen_params_ == ["eta0"]


def test_most_parameters_frozen_is_worth_a_warning() -> None:
    space = {"hidden_layer_sizes": [(3,), (5,)]}
    model = MLPClassifier(batch_size=30)
    with pytest.warns(SkhpoWarning, match="1 of 1 parameters cannot change"):
        make(model, space).fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error", SkhpoWarning)
        make(model, space, frozen=["hidden_layer_sizes"]).fit(X, Y)


def test_transformers_are_fitted_once_per_split_and_setting(tmp_path: Any) -> None:
    log = tmp_path / "fits"
    pipe = make_pipeline(CountingScaler(str(log)), SGD)
    space = {
        "countingscaler__with_mean": [True, False],
        "sgdclassifier__eta0": loguniform(1e-4, 1),
        "sgdclassifier__alpha": loguniform(1e-6, 1e-1),
    }
    search = make(pipe, space, population_size=8, cv=3).fit(X, Y)
    settings = {p["countingscaler__with_mean"] for p in search.cv_results_["params"]}
    assert len(settings) == 2
    assert len(log.read_text().splitlines()) == 3 * 2 + 1  # and one for the refit


def test_the_last_step_may_be_searched_too() -> None:
    pipe = Pipeline([("scale", StandardScaler()), ("model", SGD)])
    space = [
        {"model": [SGD], "model__eta0": loguniform(1e-4, 1)},
        {"model": [Perceptron()], "model__eta0": loguniform(1e-4, 1)},
    ]
    search = make(pipe, space, population_size=6, frozen=["model"]).fit(X, Y)
    kinds = {type(p["model"]) for p in search.cv_results_["params"]}
    assert kinds == {SGDClassifier, Perceptron}
    assert search.predict(X).shape == Y.shape


def test_spaces_of_all_kinds() -> None:
    space = {
        "penalty": Choice({"l2": None, "elasticnet": {"l1_ratio": Real(0.1, 0.9)}}),
        "alpha": (1e-6, 1e-1, "log-uniform"),
        "eta0": Real(1e-4, 1, log=True),
    }
    search = make(space=space, population_size=8, frozen=["penalty"]).fit(X, Y)
    params = search.cv_results_["params"]
    assert all(("l1_ratio" in p) == (p["penalty"] == "elasticnet") for p in params)
    assert {p["penalty"] for p in params[:8]} == {"l2", "elasticnet"}
    assert all(1e-6 <= p["alpha"] <= 1e-1 for p in params)


# --- the same everywhere --------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_jobs", "backend"),
    [
        (2, "threading"),
        (4, "threading"),
        (2, "loky"),
        # Two processes more, which end thereafter, since others want two.
        pytest.param(4, "loky", marks=pytest.mark.slow),
    ],
)
def test_results_do_not_depend_on_the_workers(n_jobs: int, backend: str) -> None:
    pipe = make_pipeline(StandardScaler(), MLPClassifier((5,), batch_size=30))
    space = {
        "standardscaler__with_mean": [True, False],
        "mlpclassifier__learning_rate_init": loguniform(1e-4, 1),
        "mlpclassifier__alpha": loguniform(1e-6, 1),
    }
    alone = make(pipe, space).fit(X, Y)
    with joblib.parallel_config(backend):
        together = make(pipe, space, n_jobs=n_jobs).fit(X, Y)
    assert_equal_results(alone, together)


@pytest.mark.parametrize(
    ("estimator", "space"),
    [
        (
            HistGradientBoostingRegressor(max_leaf_nodes=4),
            {"learning_rate": loguniform(0.01, 1), "min_samples_leaf": [5, 10, 20]},
        ),
        (
            GradientBoostingClassifier(max_depth=2),
            {"subsample": uniform(0.3, 0.7), "max_features": [2, 4, 8]},
        ),
        (RandomForestClassifier(), {"max_depth": [1, 2, 4, 8]}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_growing_ensembles(estimator: Any, space: Any) -> None:
    search = make(estimator, space, steps_per_generation=2, n_generations=3).fit(X, Y)
    best = search.best_estimator_
    size = getattr(best, "n_estimators", None) or best.max_iter
    assert size == 6
    assert len(search.schedule_of(11)) <= 3
    again = make(estimator, space, steps_per_generation=2, n_generations=3, n_jobs=2)
    with joblib.parallel_config("threading"):
        assert_equal_results(search, again.fit(X, Y))


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_registered_classes_reach_the_workers(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Registered in this process, here and not in a module that workers import."""
    monkeypatch.setattr(INCREMENTAL, "added", {})
    bagging = BaggingClassifier(DecisionTreeClassifier(max_depth=2))
    trainer = WarmStart("n_estimators")
    register_incremental(BaggingClassifier, trainer, effective=["max_samples"])
    search = make(bagging, {"max_samples": uniform(0.3, 0.6)}, error_score="raise")
    alone = search.fit(X, Y)
    scheduled = ScheduledEstimator(bagging, None, n_steps=3, random_state=0)
    grid = {"estimator__max_samples": [0.3, 0.9]}
    with joblib.parallel_config(backend):
        assert_equal_results(alone, clone(search).set_params(n_jobs=2).fit(X, Y))
        GridSearch(scheduled, grid, cv=2, n_jobs=2, error_score="raise").fit(X, Y)


@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_boosting_libraries(library: str) -> None:
    """They grow tree by tree; the refit is the replay, in the same portions."""
    module = pytest.importorskip(library)
    model = (
        module.LGBMClassifier(num_leaves=4, n_jobs=1, verbose=-1)
        if library == "lightgbm"
        else module.XGBClassifier(max_depth=2, n_jobs=1)
    )
    space = {"learning_rate": loguniform(0.01, 1), "reg_lambda": uniform(0, 5)}
    options: dict[str, Any] = {"steps_per_generation": 3, "error_score": "raise"}
    search = make(model, space, **options).fit(X, Y)
    assert search.frozen_params_ == []
    assert search.best_estimator_.n_estimators == 12
    assert search.history_
    again = make(model, space, n_jobs=2, **options).fit(X, Y)
    for row in ("split0_test_score", "split1_test_score", "parent"):
        np.testing.assert_array_equal(search.cv_results_[row], again.cv_results_[row])
    np.testing.assert_array_equal(search.predict_proba(X), again.predict_proba(X))


def test_two_fits_are_equal_and_seeds_differ() -> None:
    search = make().fit(X, Y)
    assert_equal_results(search, clone(search).fit(X, Y))
    other = make(random_state=1).fit(X, Y)
    assert other.cv_results_["params"][0] != search.cv_results_["params"][0]
    rng = np.random.RandomState(0)
    one, two = (make(random_state=rng).fit(X, Y) for _ in range(2))
    assert one.best_params_ != two.best_params_


# --- what goes wrong ------------------------------------------------------------------


def walkers(*acts: str, **options: Any) -> PBTSearch:
    """A population with one member for each act, that is drawn nowhere else."""
    initial = [{"act": act, "rate": 0.5 + i / 10} for i, act in enumerate(acts)]
    estimator = Walker(after=options.pop("after", 0), lock=options.pop("lock", None))
    space = {"act": list(dict.fromkeys(acts)), "rate": uniform(0, 2)}
    defaults = {"population_size": len(acts), "frozen": ["act"], "cv": 2}
    options = {"n_generations": 3, "random_state": 0, **defaults, **options}
    return PBTSearch(estimator, space, initial_params=initial, **options)


@pytest.mark.parametrize("act", ["fail", "nan"])
def test_a_bad_member_is_replaced(act: str) -> None:
    search = walkers("go", act, "go", "go")
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        search.fit(X, Y)
    messages = " ".join(str(w.message) for w in seen)
    assert ("fits failed" in messages) == (act == "fail")
    scores = search.cv_results_["mean_test_score"]
    assert np.isnan(scores[1])
    assert not np.isnan(scores[4:]).any()
    assert search.cv_results_["parent"][5] != 1
    assert search.best_params_["act"] == "go"


def test_a_number_as_error_score_does_not_save_a_failed_member() -> None:
    search = walkers("go", "fail", "go", error_score=99.0)
    with pytest.warns(Warning, match="fits failed"):
        search.fit(X, Y)
    assert search.cv_results_["mean_test_score"][1] == 99.0
    assert (search.cv_results_["parent"][3:6] != 1).all()


def test_all_failed_raises() -> None:
    with pytest.raises(AllFitsFailedError, match="told to fail"):
        walkers("fail", "fail").fit(X, Y)
    with pytest.raises(ValueError, match="told to fail"):
        walkers("go", "fail", error_score="raise").fit(X, Y)


def test_when_all_fail_later_the_last_good_generation_counts() -> None:
    search = walkers("fail", "fail", "fail", after=2, n_generations=5, refit=False)
    with pytest.warns(Warning, match="fits failed"):
        search.fit(X, Y)
    assert search.cv_results_["generation"].max() == 2
    assert search.cv_results_["generation"][search.best_index_] == 1


# New processes of loky import everything anew, after each death.
MORTAL = pytest.mark.parametrize(
    "backend", ["multiprocessing", pytest.param("loky", marks=pytest.mark.slow)]
)


@MORTAL
def test_a_dead_worker_costs_nothing_if_it_dies_once(
    backend: str, tmp_path: Any
) -> None:
    lock = str(tmp_path / "once")
    search = walkers("die", "die", "die", after=1, lock=lock, n_jobs=2, refit=False)
    with warnings.catch_warnings(), joblib.parallel_config(backend):
        warnings.simplefilter("error", WorkerDiedWarning)
        search.fit(X, Y)
    calm = walkers("go", "go", "go", refit=False).fit(X, Y)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], calm.cv_results_["mean_test_score"]
    )


@MORTAL
def test_a_member_that_kills_its_workers_is_replaced(backend: str) -> None:
    cv = ShuffleSplit(1, random_state=0)  # two deaths
    search = walkers("go", "die", "go", n_generations=2, n_jobs=2, cv=cv, refit=False)
    with (
        joblib.parallel_config(backend),
        pytest.warns(Warning, match="fits failed|worker process died"),
    ):
        search.fit(X, Y)
    assert np.isnan(search.cv_results_["mean_test_score"][1])
    assert not np.isnan(search.cv_results_["mean_test_score"][3:]).any()


@MORTAL
def test_a_worker_may_die_while_tasks_are_sent(backend: str, monkeypatch: Any) -> None:
    submit = Workers.submit

    def submit_slowly(workers: Workers, *args: Any) -> int:
        number = submit(workers, *args)
        time.sleep(0.1)
        return number

    monkeypatch.setattr(Workers, "submit", submit_slowly)
    test_a_member_that_kills_its_workers_is_replaced(backend)


def test_an_interrupt_keeps_the_generations_done(monkeypatch: Any) -> None:
    monkeypatch.setattr(BaseSearch, "_interrupts", Interrupts())
    search = walkers("stop", "stop", after=3, n_generations=9, refit=False)
    with pytest.warns(SearchInterruptedWarning, match="6 of 18 candidates"):
        search.fit(X, Y)
    assert search.stop_reason_ == "interrupted"
    assert search.cv_results_["generation"].max() == 2
    with pytest.raises(KeyboardInterrupt):
        walkers("stop", "stop").fit(X, Y)


def test_the_time_budget_ends_with_a_generation(an_hour_each: None) -> None:
    """What runs when it is over is dropped: members are compared by generation."""
    budget = 4 * 3600 + 0.5  # for two generations, and less than one nap
    search = walkers("go", "sleep", after=2, n_generations=50, time_budget=budget)
    search = search.set_params(refit=False).fit(X, Y)
    assert search.stop_reason_ == "time_budget"
    assert list(search.cv_results_["generation"]) == [0, 0, 1, 1]
    with pytest.raises(SearchStoppedError, match="time budget of 1e-06"):
        make(time_budget=1e-6).fit(X, Y)


def test_it_stops_when_nothing_improves() -> None:
    search = walkers("go", "go", n_generations=50, n_generations_no_change=2, tol=1e9)
    assert search.fit(X, Y).cv_results_["generation"].max() == 2


# --- mistakes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimator", "space", "options", "message"),
    [
        (SVC(), {"C": [1.0, 2.0]}, {}, r"SVC cannot continue.*SGDClassifier"),
        (
            MLPClassifier(),
            {"hidden_layer_sizes": [(3,), (4,)], "alpha": [0.1, 1.0]},
            {"mutable": ["hidden_layer_sizes"]},
            r"'hidden_layer_sizes' of MLPClassifier.*cannot change.*frozen",
        ),
        (
            SGDClassifier(),
            {"eta0": loguniform(1e-4, 1)},
            {},
            r"'eta0'.*no effect.*alpha.*Search alpha, or set learning_rate='constant'",
        ),
        (
            GradientBoostingClassifier(),
            {"learning_rate": loguniform(1e-4, 1)},
            {},
            "'learning_rate'.*learned already.*HistGradientBoosting",
        ),
        (SGD, SPACE, {"population_size": 1}, "population_size must be at least 2"),
        (
            TransformedTargetRegressor(SGDRegressor()),
            {"regressor__alpha": [0.1, 1.0]},
            {},
            "put TransformedTargetRegressor around the search",
        ),
        (SGD, SPACE, {"frozen": ["eta"]}, r"frozen names \['eta'\]"),
        (SGD, SPACE, {"mutable": ["eta"]}, r"mutable names \['eta'\]"),
        (
            MLPClassifier(early_stopping=True),
            {"alpha": [0.1, 1.0]},
            {},
            "MLPClassifier with early_stopping=True.*n_generations_no_change",
        ),
        (
            make_pipeline(StandardScaler(), HistGradientBoostingRegressor()),
            {"histgradientboostingregressor__n_iter_no_change": [2, 5]},
            {},
            "'n_iter_no_change' of HistGradient.*no effect.*all steps are done",
        ),
        (SGD, {"aplha": [1.0]}, {}, "Did you mean 'alpha'.*aplha"),
        (SGD, SPACE, {"scoring": ["accuracy", "r2"], "refit": False}, "one score"),
        (SGD, SPACE, {"exploit": "ttest"}, "exploit"),
        (SGD, SPACE, {"quantile": 0.6}, "quantile"),
        (SGD, SPACE, {"resource": "max_iter"}, "SGDClassifier cannot continue"),
    ],
)
def test_mistakes_are_named_before_training(
    estimator: Any, space: Any, options: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make(estimator, space, **options).fit(X, Y)


def test_parameters_of_transformers_cannot_be_mutable() -> None:
    pipe = make_pipeline(StandardScaler(), SGD)
    space = {"standardscaler__with_mean": [True, False]}
    with pytest.raises(ValueError, match=r"cannot be mutable.*'sgdclassifier'.*once"):
        make(pipe, space, mutable=["standardscaler__with_mean"]).fit(X, Y)


# --- the contract of the other searches -----------------------------------------------


def test_nested_cross_validation_and_pickling() -> None:
    scores = cross_val_score(make(), X, Y, cv=2)
    assert scores.shape == (2,)
    search = make().fit(X, Y)
    again = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(search.predict(X), again.predict(X))
    assert again.schedule_of(5) == search.schedule_of(5)


def test_several_scores() -> None:
    search = make(scoring=["accuracy", "f1_macro"], refit="f1_macro").fit(X, Y)
    assert search.multimetric_
    assert "mean_test_accuracy" in search.cv_results_
    last = search.cv_results_["mean_test_f1_macro"][12:]
    assert search.best_score_ == last.max()

    def scoring(estimator: Any, X: Any, y: Any) -> dict[str, float]:
        return {"a": estimator.score(X, y), "b": 0.0}

    assert make(scoring=scoring, refit="a").fit(X, Y).best_score_ > 0
    with pytest.raises(ValueError, match="learns from one score"):
        make(scoring=scoring, refit=False).fit(X, Y)


def test_a_callable_scorer_sees_the_whole_pipeline() -> None:
    seen = set()

    def scoring(estimator: Any, X: Any, y: Any) -> float:
        seen.add((type(estimator), X.shape[1]))
        return estimator.score(X, y)

    pipe = make_pipeline(StandardScaler(), SGD)
    space = {f"sgdclassifier__{name}": dist for name, dist in SPACE.items()}
    by_function = make(pipe, space, scoring=scoring).fit(X, Y)
    assert seen == {(Pipeline, 8)}
    assert_equal_results(by_function, make(pipe, space).fit(X, Y))


def test_train_scores() -> None:
    pipe = make_pipeline(StandardScaler(), SGD)
    space = {f"sgdclassifier__{name}": dist for name, dist in SPACE.items()}
    search = make(pipe, space, return_train_score=True).fit(X, Y)
    assert (search.cv_results_["mean_train_score"][-4:] > 0.3).all()


def test_data_frames() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(8)])
    search = make().fit(frame, pd.Series(Y))
    assert search.feature_names_in_.tolist() == frame.columns.tolist()
    np.testing.assert_array_equal(search.predict(frame), make().fit(X, Y).predict(X))


def test_weights_go_with_their_rows() -> None:
    search = PBTSearch(Walker(), {"rate": uniform(0, 1)}, **SMALL)
    search.fit(X, Y, sample_weight=np.arange(150.0))
    assert search.best_estimator_.weight_ == np.arange(150).sum()
    labels = PBTSearch(LastLabels(), {"rate": uniform(0, 1)}, **SMALL)
    with pytest.raises(InvalidParameterError, match="has no parameter 'sample_weight'"):
        labels.fit(X, Y, sample_weight=np.ones(150))


def test_metadata_are_routed_inside_of_pipelines() -> None:
    weight = np.where(np.arange(150) % 2, 1.0, 0.0)
    flipped = np.where(np.arange(150) % 2, Y, 0)  # rows of weight 0 teach nothing
    space = {"sgdclassifier__alpha": loguniform(1e-6, 1e-1)}
    with config_context(enable_metadata_routing=True):
        model = clone(SGD).set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=False)
        scaler = StandardScaler().set_fit_request(sample_weight=True)
        pipe = make_pipeline(scaler, model)
        fits = [
            make(pipe, space, cv=KFold(2), scoring=lambda estimator, X, y: 0.0)
            .fit(X, target, sample_weight=weight)
            .best_estimator_
            for target in (Y, flipped)
        ]
    np.testing.assert_array_equal(fits[0][-1].coef_, fits[1][-1].coef_)
    np.testing.assert_allclose(fits[0][0].mean_, X[1::2].mean(axis=0))


def test_it_says_what_it_does(capsys: pytest.CaptureFixture) -> None:
    make(verbose=3, n_generations=2).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Fitting 2 folds for each of 8 candidates, totalling 16 fits"
    assert sum("END" in line for line in lines) == 16


def test_callbacks_hear_of_every_evaluation() -> None:
    pytest.importorskip("rich", reason="what the bar is drawn with")
    callback = pytest.importorskip("sklearn.callback", reason="scikit-learn >= 1.9")
    search = make(n_generations=2, verbose=0)
    search.set_callbacks(callback.ProgressBar()).fit(X, Y)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"],
        make(n_generations=2).fit(X, Y).cv_results_["mean_test_score"],
    )


def test_groups_go_to_the_splitter() -> None:
    groups = np.repeat(np.arange(5), 30)
    search = make(cv=GroupKFold(3)).fit(X, Y, groups=groups)
    assert search.n_splits_ == 3


def test_labels_that_a_fold_lacks() -> None:
    order = np.argsort(Y)
    space = {"rate": uniform(0, 1)}
    search = PBTSearch(LastLabels(), space, **{**SMALL, "cv": KFold(3)})
    search.fit(X[order], Y[order])
    assert search.classes_.tolist() == [0, 1, 2]


def test_without_a_target() -> None:
    space = {"reassignment_ratio": loguniform(1e-4, 1e-1)}
    search = make(MiniBatchKMeans(3), space).fit(X)
    assert search.predict(X).shape == (150,)


def test_nothing_changes_what_it_was_given() -> None:
    estimator = clone(SGD)
    space = {"alpha": [0.1, 0.01], "eta0": loguniform(1e-4, 1)}
    search = make(estimator, space)
    before = repr(search)
    search.fit(X, Y)
    assert repr(search) == before
    assert space["alpha"] == [0.1, 0.01]
    assert not hasattr(estimator, "coef_")


def memory_of_a_growing_ensemble(population_size: int, n_generations: int) -> float:
    """The most that a search holds at a time, in units of the models at its end."""
    hoard = Hoarder(n_bytes=100_000)
    space = {"rate": uniform(0, 1)}
    options = {**SMALL, "cv": ShuffleSplit(1, random_state=0), "refit": False}
    options |= {"population_size": population_size, "n_generations": n_generations}
    tracemalloc.start()
    PBTSearch(hoard, space, **options).fit(X, Y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / (population_size * n_generations * hoard.n_bytes)


def test_memory_is_linear_in_the_population() -> None:
    """Two generations are held at a time, and not all that were: these would be 5.5
    times the last one, if models grow for 10 generations."""
    memory_of_a_growing_ensemble(2, 2)  # imports
    assert memory_of_a_growing_ensemble(8, 10) < 3
    assert memory_of_a_growing_ensemble(16, 10) < 3


@given(st.integers(1, 200), st.integers(1, 5), st.integers(2, 64), st.floats(1e-5, 10))
def test_blocks_of_trainings_keep_all_workers_busy(
    n_tasks: int, n_splits: int, n_workers: int, seconds: float
) -> None:
    """And are worth sending: a generation is over when its last block is."""
    tasks = [Task(i, {}) for i in range(n_tasks)]
    blocks = split_into_blocks(tasks, range(n_splits), n_workers, TimeSlice(1), seconds)
    places = [(block.split, task.number) for block in blocks for task in block.tasks]
    assert sorted(places) == [(s, i) for s in range(n_splits) for i in range(n_tasks)]
    sizes = [len(block.tasks) for block in blocks]
    assert len(blocks) >= min(n_workers, n_splits * n_tasks)
    assert max(sizes) <= max(1, 2 * min(sizes))
    if len(blocks) > 2 * max(n_workers, n_splits):  # then there is a choice
        assert n_tasks * n_splits / len(blocks) * seconds >= BLOCK_TIME / 2


# --- on data --------------------------------------------------------------------------


def excess(model: Any, data: Any) -> float:
    """Test error beyond the noise."""
    _, X_test, _, y_test = data
    return mean_squared_error(y_test, model.predict(X_test)) - 1.0


def noisy_linear_data(seed: int) -> tuple:
    X, y = make_regression(
        n_samples=2600, n_features=20, n_informative=20, noise=0.0, random_state=seed
    )
    X[:, :10] *= 0.2  # directions that need large steps, and some that forbid them
    rng = np.random.default_rng(seed)
    target = y / y.std() * 3 + rng.normal(size=len(y))
    return train_test_split(X, target, train_size=600, random_state=seed)


@pytest.mark.slow
def test_replay_is_as_good_as_many_fixed_settings() -> None:
    """Excess error of a constant step size: a schedule decays, a constant cannot."""
    ratios, naive = [], []
    model = SGDRegressor(learning_rate="constant", alpha=0.0)
    space = {"eta0": loguniform(1e-4, 1e-1)}
    options: dict[str, Any] = {
        "scoring": make_scorer(mean_squared_error, greater_is_better=False),
        "cv": ShuffleSplit(1, test_size=0.25, random_state=0),
        "error_score": -np.inf,
    }
    for seed in range(10):
        data = noisy_linear_data(seed)
        X, _, y, _ = data
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pbt = PBTSearch(
                model, space, n_generations=10, steps_per_generation=2,
                random_state=seed, **options,
            ).fit(X, y)  # fmt: skip
            fixed = PBTSearch(
                model, space, population_size=30, n_generations=1,
                steps_per_generation=20, random_state=seed, **options,
            ).fit(X, y)  # fmt: skip
        plan = TrainingPlan(seed_sequence(seed))
        last = replay(
            model, [(0, pbt.best_params_)], plan.training(X, y, -1).portion(0, 20)
        )
        ratios.append(excess(pbt, data) / excess(fixed, data))
        naive.append(excess(last, data) / excess(pbt, data))
    assert np.median(ratios) <= 1.05
    assert np.median(naive) > 1.0
