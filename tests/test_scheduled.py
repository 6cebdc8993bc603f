"""Schedules as data, and the estimator that follows them."""

from __future__ import annotations

import json
import pickle
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import loguniform, uniform
from sklearn.base import clone
from sklearn.cluster import MiniBatchKMeans
from sklearn.datasets import make_classification
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skhpo import GridSearch, PBTSearch, ReduceOnPlateau, ScheduledEstimator
from skhpo._rng import seed_sequence
from skhpo.evaluation.incremental import Training
from skhpo.evaluation.training._training import TrainingPlan
from skhpo.schedules import TrainingState
from skhpo.schedules._forms import FORMS, change_points, values_of

pytestmark = pytest.mark.thinned

X, Y = make_classification(
    n_samples=150, n_features=8, n_informative=5, n_classes=3, random_state=0
)
SGD = SGDClassifier(loss="log_loss", learning_rate="constant", eta0=0.1)


def scheduled(schedule: Any, estimator: Any = SGD, **options: Any) -> Any:
    return ScheduledEstimator(estimator, schedule, random_state=0, **options)


def seen_rates(schedule: Any, n_steps: int = 5, **options: Any) -> list[float]:
    """The value of `eta0` in each step."""
    model = scheduled(schedule, n_steps=n_steps, **options).fit(X, Y)
    points = [(s, p["eta0"]) for s, p in model.schedule_ if "eta0" in p]
    return values_of(points, n_steps, None)


# --- schedules as data ----------------------------------------------------------------


@given(
    st.sampled_from(sorted(FORMS)),
    st.floats(1e-6, 10),
    st.floats(1e-6, 10),
    st.integers(1, 40),
)
def test_forms_go_from_start_to_end(
    form: str, start: float, end: float, n_steps: int
) -> None:
    values = values_of({"form": form, "start": start, "end": end}, n_steps, None)
    low, high = sorted((start, end))
    assert len(values) == n_steps
    assert values[0] == pytest.approx(start)
    if n_steps > 1:
        assert values[-1] == pytest.approx(end)
    assert all(low * (1 - 1e-9) <= value <= high * (1 + 1e-9) for value in values)
    steps = np.diff(values) * (1 if end > start else -1)
    assert (steps >= -1e-9).all()


def test_forms_are_the_formulas() -> None:
    def middle(form: str, **numbers: float) -> float:
        return values_of({"form": form, "start": 4.0, "end": 1.0, **numbers}, 5, None)[
            2
        ]

    assert middle("linear") == 2.5
    assert middle("exponential") == pytest.approx(2.0)
    assert middle("cosine") == pytest.approx(2.5)
    assert middle("hold_decay", hold=0.5) == 4.0
    assert middle("hold_decay", hold=0.0) == pytest.approx(2.0)


def test_ways_to_write_one_schedule() -> None:
    for spec in (
        [1.0, 1.0, 2.0],
        np.array([1.0, 1.0, 2.0]),
        [(0, 1.0), (2, 2.0)],
        [[0, 1.0], [2, 2.0]],  # as JSON gives it back
        lambda step, n_steps: 2.0 if step == n_steps - 1 else 1.0,
    ):
        values = values_of(spec, 3, None)
        assert values == [1.0, 1.0, 2.0]
        assert all(type(value) is float for value in values)


def test_forms_start_at_the_own_value_and_keep_integers() -> None:
    assert values_of("linear", 3, 2.0) == pytest.approx([2.0, 1.01, 0.02])
    assert values_of({"form": "linear", "start": 8, "end": 2}, 4, None) == [8, 6, 4, 2]


def test_change_points_and_back() -> None:
    columns = {"a": [1, 1, 2, 2], "b": ["x", "y", "y", "y"]}
    points = change_points(columns)
    assert points == [(0, {"a": 1, "b": "x"}), (1, {"b": "y"}), (2, {"a": 2})]
    assert change_points({}) == []
    assert change_points({"w": [{0: 1}, {0: 1}]}) == [(0, {"w": {0: 1}})]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("sawtooth", "must be one of.*'cosine'.*Got 'sawtooth'"),
        ({"form": "linear", "stop": 1}, r"\['end', 'start'\]. Got \['stop'\]"),
        ({"form": "linear", "start": "x"}, "goes over numbers"),
        ({"form": "exponential", "end": 0.0}, "must be positive.*may reach 0"),
        ({"form": "hold_decay", "hold": 1.0}, r"'hold' must be in \[0, 1\). Got 1.0"),
        ([1.0, 2.0], "each of 5 steps. Got 2"),
        ([(1, 2.0)], "each of 5 steps. Got 1"),
        (3, "Got 3 instead"),
    ],
)
def test_schedules_that_make_no_sense(spec: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        values_of(spec, 5, 0.1)


# --- training -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "schedule", [None, {}, {"eta0": [0.1] * 5}, {"eta0": [(0, 0.1)]}, []]
)
def test_a_constant_schedule_is_plain_training(schedule: Any) -> None:
    model = scheduled(schedule, n_steps=5).fit(X, Y)
    seed = TrainingPlan(seed_sequence(0)).training(X, Y, -1).seed
    plain = SGDClassifier(loss="log_loss", learning_rate="constant", eta0=0.1)
    task = Training(X, Y, seed)
    for step in range(5):
        rng = task.rng(step)
        order = rng.permutation(len(X))
        plain.set_params(random_state=int(rng.integers(2**31 - 1)))
        plain.partial_fit(X[order], Y[order], classes=[0, 1, 2])
    np.testing.assert_array_equal(model.estimator_.coef_, plain.coef_)


def test_the_schedule_of_a_search_gives_its_best_estimator() -> None:
    space = {"eta0": loguniform(1e-4, 1), "alpha": loguniform(1e-6, 1e-1)}
    search = PBTSearch(SGD, space, population_size=4, cv=2, random_state=0).fit(X, Y)
    model = scheduled(search.best_schedule_, n_steps=10).fit(X, Y)
    np.testing.assert_array_equal(model.estimator_.coef_, search.best_estimator_.coef_)
    assert model.schedule_ == search.best_schedule_


def test_each_way_of_writing_trains() -> None:
    rates = [0.1, 0.1, 0.05, 0.05, 0.01]
    for spec in (rates, [(0, 0.1), (2, 0.05), (4, 0.01)], lambda t, n: rates[t]):
        assert seen_rates({"eta0": spec}) == rates
    assert seen_rates({"eta0": "cosine"})[-1] == pytest.approx(0.001)
    assert (
        seen_rates([(0, {"eta0": 0.1}), (2, {"eta0": 0.05, "alpha": 0.1})])[2] == 0.05
    )


def test_pipelines_and_ensembles() -> None:
    pipe = make_pipeline(StandardScaler(), MLPClassifier((5,), batch_size=30))
    schedule = {"mlpclassifier__learning_rate_init": "exponential"}
    model = scheduled(schedule, pipe).fit(X, Y)
    assert type(model.estimator_) is Pipeline
    rate = model.estimator_[-1]._optimizer.learning_rate_init
    assert rate == pytest.approx(1e-5)
    boosting = HistGradientBoostingClassifier(max_leaf_nodes=4)
    model = scheduled({"learning_rate": "linear"}, boosting, n_steps=7).fit(X, Y)
    assert model.estimator_.n_iter_ == 7


def test_without_a_target() -> None:
    model = scheduled({"reassignment_ratio": "cosine"}, MiniBatchKMeans(3)).fit(X)
    assert model.predict(X).shape == (150,)
    assert model.transform(X).shape == (150, 3)


def test_weights() -> None:
    weight = np.where(np.arange(150) < 75, 1.0, 0.0)
    changed = Y.copy()
    changed[75:] = 0
    one = scheduled({"eta0": "cosine"}, clone(SGD).set_params(alpha=0))
    two = clone(one)
    one.fit(X, Y, sample_weight=weight)
    two.fit(X, changed, sample_weight=weight)
    np.testing.assert_array_equal(one.estimator_.coef_, two.estimator_.coef_)


# --- policies -------------------------------------------------------------------------


def test_a_policy_sees_a_state_that_it_cannot_change() -> None:
    seen: list[TrainingState] = []

    def policy(state: TrainingState) -> dict[str, float]:
        seen.append(state)
        with pytest.raises(TypeError):
            state.params["eta0"] = 9.0  # type: ignore[index]
        with pytest.raises(AttributeError):
            state.step = 3  # type: ignore[misc]
        return {"eta0": state.params["eta0"] / 2}

    model = scheduled(policy, n_steps=4, validation_fraction=0.2).fit(X, Y)
    assert [state.step for state in seen] == [1, 2, 3, 4]
    assert [state.params["eta0"] for state in seen] == [0.1, 0.05, 0.025, 0.0125]
    assert all(state.n_steps == 4 for state in seen)
    assert all(0 < state.train_score <= 1 for state in seen)
    assert all(state.val_score is not None for state in seen)
    bests = [state.best for state in seen]
    assert bests == sorted(bests)
    assert model.schedule_ == [
        (1, {"eta0": 0.05}),
        (2, {"eta0": 0.025}),
        (3, {"eta0": 0.0125}),
    ]


def test_what_a_policy_did_can_be_replayed() -> None:
    policy = ReduceOnPlateau(patience=1)
    model = scheduled(policy, n_steps=12).fit(X, Y)
    assert model.schedule_  # it did something
    again = scheduled(model.schedule_, n_steps=12).fit(X, Y)
    np.testing.assert_array_equal(model.estimator_.coef_, again.estimator_.coef_)


def test_reduce_on_plateau() -> None:
    policy = ReduceOnPlateau("eta0", factor=0.1, patience=2, min_value=0.05)

    def reaction(n_no_change: int, eta0: float = 1.0) -> dict[str, float]:
        params = MappingProxyType({"eta0": eta0})
        return policy(TrainingState(9, 20, 0.5, None, 0.6, n_no_change, params))

    assert [bool(reaction(n)) for n in range(5)] == [False, False, True, False, True]
    assert reaction(2) == {"eta0": 0.1}
    assert reaction(2, eta0=0.1) == {"eta0": 0.05}


def test_states_count_from_the_best() -> None:
    state = TrainingState(0, 9, -np.inf, None, -np.inf, 0, {})
    counts = []
    for score in (0.5, 0.7, 0.6, 0.7, 0.8):
        state = state.after(0.0, score, {})
        counts.append((state.best, state.n_no_change))
    assert counts == [(0.5, 0), (0.7, 0), (0.7, 1), (0.7, 2), (0.8, 0)]


# --- parameters -----------------------------------------------------------------------


def test_numbers_of_forms_are_parameters() -> None:
    model = scheduled({"eta0": "cosine", "alpha": [(0, 0.1)]})
    params = model.get_params()
    assert params["schedule__eta0__start"] == 0.1
    assert params["schedule__eta0__end"] == pytest.approx(0.001)
    assert params["schedule__eta0__form"] == "cosine"
    assert not any(name.startswith("schedule__alpha") for name in params)
    copied = clone(model).set_params(schedule__eta0__end=0.05)
    assert copied.schedule["eta0"] == {"form": "cosine", "end": 0.05}
    assert model.schedule["eta0"] == "cosine"
    copied.set_params(schedule__eta0__form="hold_decay", schedule__eta0__hold=0.2)
    assert copied.schedule["eta0"]["hold"] == 0.2
    copied.set_params(estimator__eta0=0.3)
    assert copied.get_params()["schedule__eta0__start"] == 0.3
    for name in ("schedule__eta0__slope", "schedule__alpha__end"):
        with pytest.raises(ValueError, match=f"Invalid parameter '{name}'"):
            model.set_params(**{name: 1})


def test_names_inside_pipelines() -> None:
    pipe = make_pipeline(StandardScaler(), SGD)
    model = scheduled({"sgdclassifier__eta0": "cosine"}, pipe)
    model.set_params(schedule__sgdclassifier__eta0__end=0.05)
    assert model.fit(X, Y).estimator_[-1].eta0 == pytest.approx(0.05)


def test_searches_tune_schedules() -> None:
    model = scheduled({"eta0": {"form": "hold_decay", "start": 0.1, "end": 0.01}})
    grid = {"schedule__eta0__hold": [0.2, 0.8], "schedule__eta0__end": [0.01, 0.001]}
    theirs = GridSearchCV(model, grid, cv=2).fit(X, Y)
    ours = GridSearch(model, grid, cv=2).fit(X, Y)
    np.testing.assert_array_equal(
        ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"]
    )
    policy = scheduled(ReduceOnPlateau())
    grid = {"schedule__factor": [0.1, 0.5], "schedule__patience": [1, 3]}
    search = GridSearchCV(policy, grid, cv=2).fit(X, Y)
    assert search.best_estimator_.schedule.factor in (0.1, 0.5)


def test_schedules_are_json() -> None:
    schedule = {
        "eta0": {"form": "cosine", "start": 0.1},
        "alpha": [(0, 1e-3), (5, 0.0)],
    }
    one = scheduled(schedule).fit(X, Y)
    two = scheduled(json.loads(json.dumps(schedule))).fit(X, Y)
    np.testing.assert_array_equal(one.estimator_.coef_, two.estimator_.coef_)
    three = scheduled(json.loads(json.dumps(one.schedule_))).fit(X, Y)
    np.testing.assert_array_equal(one.estimator_.coef_, three.estimator_.coef_)
    again = pickle.loads(pickle.dumps(one))
    np.testing.assert_array_equal(again.predict_proba(X), one.predict_proba(X))


# --- mistakes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimator", "schedule", "message"),
    [
        (SGDClassifier(), {"eta0": [(0, 0.1), (2, 0.2)]}, "Search alpha, or set"),
        (GradientBoostingClassifier(), {"learning_rate": "cosine"}, "HistGradient"),
        (
            MLPClassifier((5,)),
            {"hidden_layer_sizes": [(0, (5,)), (2, (6,))]},
            "cannot change after the first step",
        ),
        (
            make_pipeline(StandardScaler(), SGD),
            {"standardscaler__with_mean": [(0, True), (2, False)]},
            "fitted once",
        ),
        (SGD, ReduceOnPlateau("power_t", patience=1), "'power_t'.*no effect"),
        (SGDClassifier(early_stopping=True), None, "early_stopping=True is not tr"),
        (GradientBoostingClassifier(n_iter_no_change=2), None, "Set n_iter_no_change="),
        (SGD, {"eta0": "zigzag"}, "must be one of"),
        (SGD, 3, "schedule"),
    ],
)
def test_mistakes_are_named(estimator: Any, schedule: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        scheduled(schedule, estimator, n_steps=20).fit(X, Y)


@parametrize_with_checks(
    [
        scheduled({"alpha": "cosine"}, SGDClassifier(random_state=0), n_steps=3),
        scheduled({"alpha": [(0, 1e-3), (2, 1e-4)]}, SGDRegressor(random_state=0)),
        scheduled(None, GaussianNB(), n_steps=1),
        scheduled(
            {"reassignment_ratio": "cosine"},
            MiniBatchKMeans(2, n_init=1, random_state=0),
            n_steps=2,
        ),
        scheduled(
            {"sgdclassifier__alpha": "linear"},
            make_pipeline(StandardScaler(), SGDClassifier(random_state=0)),
            n_steps=3,
        ),
    ]
)
def test_estimator_checks(estimator: Any, check: Any) -> None:
    check(estimator)


# --- schedules beat fixed values ------------------------------------------------------


class NoisyQuadratic(SGDRegressor):
    """Expected loss of SGD with noise, in closed form; no data are looked at."""

    def __init__(self, eta0=0.1, h=(1.0,), v0=(10.0,)):
        super().__init__(eta0=eta0)
        self.h = h
        self.v0 = v0

    def partial_fit(self, X, y=None):
        h = np.array(self.h)
        v = getattr(self, "v_", np.array(self.v0))
        self.v_ = (1 - self.eta0 * h) ** 2 * v + (self.eta0 * h) ** 2
        return self

    def predict(self, X):
        return np.zeros(len(X))

    def score(self, X, y=None):
        return -0.5 * float(np.array(self.h) @ self.v_)


@pytest.mark.parametrize(
    ("h", "v0", "n_steps", "best_fixed"),
    [((1.0,), (10.0,), 100, 0.01161), ((1.0, 0.01), (10.0, 1e4), 200, 1.150)],
)
def test_a_tuned_schedule_beats_the_best_fixed_value(
    h: tuple, v0: tuple, n_steps: int, best_fixed: float
) -> None:
    """Also where population based training is trapped by its short horizon."""
    schedule = {"eta0": {"form": "hold_decay", "start": 1.0, "end": 0.01, "hold": 0.5}}
    model = ScheduledEstimator(NoisyQuadratic(h=h, v0=v0), schedule, n_steps)
    space = {
        "schedule__eta0__start": loguniform(0.1, 2),
        "schedule__eta0__end": loguniform(1e-3, 1e-1),
        "schedule__eta0__hold": uniform(0, 0.95),
    }
    search = RandomizedSearchCV(
        model, space, n_iter=25, cv=[([0, 1], [2, 3])], random_state=0
    ).fit(X[:4], Y[:4])
    assert -search.best_score_ < best_fixed / 1.3
