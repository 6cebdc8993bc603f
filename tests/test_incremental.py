"""Training a bit more: continuation equals one long training, changes do what is said.

The audit runs the probe against the registry: what an entry says about a parameter is
what training with and without a change shows, on this version of scikit-learn.
"""

from __future__ import annotations

import copy
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.cluster import MiniBatchKMeans
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import (
    LogisticRegression,
    Perceptron,
    SGDClassifier,
    SGDOneClassSVM,
    SGDRegressor,
)
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, StandardScaler
from sklearn.svm import SVC
from sklearn.utils.multiclass import unique_labels

from skhpo.evaluation.incremental import (
    PartialFit,
    Training,
    WarmStart,
    register_incremental,
)
from skhpo.evaluation.training._mutability import (
    Birth,
    apply_params,
    frozen_parameters,
    probe,
)
from skhpo.evaluation.training._parts import replay, take_apart, train
from skhpo.evaluation.training._registry import INCREMENTAL
from skhpo.evaluation.training._rules import Effect
from skhpo.evaluation.training._trainers import takes_labels
from skhpo.exceptions import SkhpoWarning

X, Y = make_classification(
    n_samples=150, n_features=8, n_informative=5, n_classes=3, random_state=0
)
X_REG, Y_REG = make_regression(n_samples=150, n_features=8, noise=5.0, random_state=0)
Y_REG = Y_REG / Y_REG.std()


def training(model: Any, **options: Any) -> Training:
    regression = getattr(model, "_estimator_type", None) == "regressor" or (
        "Regressor" in type(model).__name__
    )
    rows, target = (X_REG, Y_REG) if regression else (X, Y)
    classes = None if regression else unique_labels(target)
    seed = np.random.SeedSequence(7)
    return Training(rows, target, seed, classes=classes, **options)


def grow(model: Any, *portions: int) -> Any:
    parts = take_apart(model)
    done, grown = 0, parts.model
    for n_steps in portions:
        task = training(grown).portion(done, n_steps)
        grown = train(grown, parts.entry, {}, task)
        done += n_steps
    return grown


def output(model: Any, rows: Any = X) -> np.ndarray:
    for name in ("decision_function", "predict_proba", "predict"):
        if hasattr(model, name):
            return getattr(model, name)(rows)
    raise AssertionError(model)


LEARNERS = [
    SGDClassifier(loss="log_loss"),
    SGDClassifier(random_state=3),
    SGDRegressor(),
    SGDOneClassSVM(),
    Perceptron(),
    MLPClassifier((5,), batch_size=30),
    MLPRegressor(hidden_layer_sizes=(5,), solver="sgd"),
    GaussianNB(),
    BernoulliNB(),
    MiniBatchKMeans(3),
    GradientBoostingClassifier(subsample=0.5, max_features=0.5),
    GradientBoostingRegressor(subsample=0.5),
    HistGradientBoostingClassifier(max_leaf_nodes=5),
    HistGradientBoostingRegressor(max_leaf_nodes=5),
    RandomForestClassifier(max_depth=3),
    RandomForestRegressor(max_depth=3, random_state=4),
    ExtraTreesClassifier(max_depth=3),
]


@pytest.mark.parametrize("model", LEARNERS, ids=repr)
def test_portions_do_not_matter(model: Any) -> None:
    """Steps 0-5 in one go, in pieces, and through copies give the same model."""
    whole = grow(model, 5)
    pieces = grow(model, 1, 3, 1)
    np.testing.assert_array_equal(output(whole), output(pieces))


@pytest.mark.parametrize("model", LEARNERS, ids=repr)
def test_parameters_are_given_back_as_they_were(model: Any) -> None:
    trained = grow(model, 2)
    before, after = model.get_params(), trained.get_params()
    assert {n for n in before if before[n] != after[n]} <= {"n_estimators", "max_iter"}


@pytest.mark.parametrize("model", LEARNERS, ids=repr)
def test_a_copy_trains_on_its_own(model: Any) -> None:
    donor = grow(model, 2)
    before = output(donor).copy()
    heir = copy.deepcopy(donor)
    entry = take_apart(model).entry
    train(heir, entry, {}, training(model).portion(2, 3))
    np.testing.assert_array_equal(output(donor), before)


@pytest.mark.parametrize(
    "model",
    [
        GradientBoostingClassifier(n_estimators=6, subsample=0.5, random_state=1),
        HistGradientBoostingClassifier(max_iter=6, random_state=1),
        RandomForestClassifier(n_estimators=6, random_state=1),
        ExtraTreesClassifier(n_estimators=6, random_state=1),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_growing_ensemble_is_the_ensemble_fitted_at_once(model: Any) -> None:
    at_once = clone(model).fit(X, Y)
    np.testing.assert_array_equal(output(at_once), output(grow(model, 2, 1, 3)))
    assert grow(model, 2, 1, 3).get_params() == model.get_params()


def test_partial_fits_are_those_of_a_loop_written_by_hand() -> None:
    task = training(SGDClassifier(), n_steps=3, batch_size=40)
    by_hand = SGDClassifier(shuffle=False)
    for step in range(3):
        order = task.rng(step).permutation(len(X))
        for start in range(0, len(X), 40):
            rows = order[start : start + 40]
            by_hand.partial_fit(X[rows], Y[rows], classes=[0, 1, 2])
    ours = PartialFit()(SGDClassifier(shuffle=False), task)
    np.testing.assert_array_equal(by_hand.coef_, ours.coef_)


def test_every_step_has_another_order_and_seeds_matter() -> None:
    task = training(SGDClassifier())
    orders = [task.rng(step).permutation(20).tolist() for step in range(3)]
    assert orders[0] != orders[1] != orders[2]
    one, two = (grow(SGDClassifier(random_state=s), 2).coef_ for s in (1, 2))
    assert not np.array_equal(one, two)


# --- the audit ------------------------------------------------------------------------

EFFECTIVE = [
    (SGDClassifier(), "alpha", [0.1]),
    (SGDClassifier(), "penalty", ["l1"]),
    (SGDClassifier(), "loss", ["log_loss"]),
    (SGDClassifier(), "class_weight", [{0: 5.0}]),
    (SGDClassifier(eta0=0.1), "learning_rate", ["constant"]),
    (SGDClassifier(eta0=0.1, learning_rate="constant"), "eta0", [0.5]),
    (SGDClassifier(eta0=0.1, learning_rate="adaptive"), "eta0", [0.5]),
    (SGDClassifier(eta0=0.1, learning_rate="invscaling"), "power_t", [0.1]),
    (SGDClassifier(penalty="elasticnet"), "l1_ratio", [0.9]),
    (SGDClassifier(), "fit_intercept", [False]),
    (SGDRegressor(loss="huber"), "epsilon", [1.0]),
    (SGDRegressor(), "alpha", [1.0]),
    (SGDRegressor(), "eta0", [0.1]),
    (SGDOneClassSVM(), "nu", [0.1]),
    (Perceptron(penalty="l2"), "alpha", [0.1]),
    (Perceptron(), "eta0", [0.1]),
    *[
        (MLPClassifier((5,), batch_size=30), name, values)
        for name, values in {
            "alpha": [1.0],
            "batch_size": [50],
            "learning_rate_init": [0.1],
            "beta_1": [0.5],
            "beta_2": [0.5],
            "epsilon": [0.1],
            "shuffle": [False],
        }.items()
    ],
    *[
        (
            MLPRegressor(hidden_layer_sizes=(5,), solver="sgd", batch_size=30),
            name,
            values,
        )
        for name, values in {
            "learning_rate_init": [0.1],
            "momentum": [0.1],
            "nesterovs_momentum": [False],
            "learning_rate": ["invscaling"],
        }.items()
    ],
    (MLPClassifier((5,), solver="sgd", learning_rate="invscaling"), "power_t", [2.0]),
    *[
        (GradientBoostingClassifier(), name, values)
        for name, values in {
            "max_depth": [1],
            "subsample": [0.5],
            "min_samples_leaf": [20],
            "min_samples_split": [50],
            "min_weight_fraction_leaf": [0.2],
            "max_features": [1],
            "max_leaf_nodes": [2],
            "min_impurity_decrease": [0.5],
            "ccp_alpha": [0.5],
        }.items()
    ],
    *[
        (HistGradientBoostingRegressor(), name, values)
        for name, values in {
            "learning_rate": [0.5],
            "max_leaf_nodes": [3],
            "max_depth": [1],
            "min_samples_leaf": [50],
            "l2_regularization": [10.0],
            "max_features": [0.2],
        }.items()
    ],
    *[
        (RandomForestClassifier(random_state=0), name, values)
        for name, values in {
            "max_depth": [1],
            "min_samples_leaf": [20],
            "max_features": [1],
            "max_samples": [0.2],
            "criterion": ["entropy"],
            "class_weight": [{0: 5.0}],
        }.items()
    ],
    (MiniBatchKMeans(3), "reassignment_ratio", [0.9]),
    (
        MLPClassifier((5,), solver="sgd", learning_rate="adaptive", tol=10.0),
        "n_iter_no_change",
        [1],
    ),
    (
        MLPClassifier((5,), solver="sgd", learning_rate="adaptive", n_iter_no_change=1),
        "tol",
        [10.0],
    ),
]
NO_EFFECT = [
    (SGDClassifier(), "eta0", [0.1]),
    (SGDClassifier(), "power_t", [0.1]),
    (SGDClassifier(), "l1_ratio", [0.9]),
    (SGDClassifier(), "epsilon", [0.9]),
    (SGDClassifier(), "max_iter", [5]),
    (SGDClassifier(), "tol", [1.0]),
    (Perceptron(), "alpha", [0.1]),
    (MLPClassifier((5,)), "momentum", [0.1]),
    (MLPClassifier((5,)), "power_t", [0.1]),
    (MLPClassifier((5,)), "max_iter", [5]),
    (MLPClassifier((5,), solver="sgd"), "beta_1", [0.1]),
    (MLPClassifier((5,), solver="sgd"), "power_t", [0.1]),
    (MLPClassifier((5,), solver="sgd"), "n_iter_no_change", [1]),
    (MLPClassifier((5,)), "tol", [10.0]),
    *[
        (model, name, values)
        for model in (
            GradientBoostingClassifier(subsample=0.5),
            HistGradientBoostingRegressor(max_leaf_nodes=5),
            RandomForestClassifier(max_depth=3),
        )
        for name, values in {
            "warm_start": [True],
            "tol": [10.0],
            "validation_fraction": [0.5],
        }.items()
        if name in model.get_params()
    ],
    (HistGradientBoostingClassifier(max_leaf_nodes=5), "n_iter_no_change", [1]),
    (HistGradientBoostingClassifier(max_leaf_nodes=5), "scoring", ["accuracy"]),
]
RETROACTIVE = [
    (GradientBoostingClassifier(), "learning_rate", [0.5]),
    (GradientBoostingRegressor(), "learning_rate", [0.5]),
]


def birth_of(model: Any, params: dict[str, Any]) -> Birth:
    parts = take_apart(model, params)
    return Birth(parts.model, parts.entry, params)


def case_id(value: Any) -> str | None:
    return repr(value) if isinstance(value, BaseEstimator) else None


@pytest.mark.parametrize(("model", "name", "values"), EFFECTIVE, ids=case_id)
def test_audit_effective(model: Any, name: str, values: list[Any]) -> None:
    birth = birth_of(model, {})
    rule = birth.entry.rule(name, model.get_params())
    assert rule is not None
    assert rule.effect is Effect.EFFECTIVE
    assert probe(birth, name, values, training(model)) is Effect.EFFECTIVE


@pytest.mark.parametrize(
    ("model", "name", "values", "effect"),
    [
        *[(*case, Effect.NONE) for case in NO_EFFECT],
        *[(*case, Effect.RETROACTIVE) for case in RETROACTIVE],
    ],
    ids=case_id,
)
def test_audit_mistakes(model: Any, name: str, values: list, effect: Effect) -> None:
    births = [birth_of(model, {name: v}) for v in (model.get_params()[name], *values)]
    assert probe(births[0], name, values, training(model)) is effect
    with pytest.raises(ValueError, match=f"change of '{name}'.*{effect.value}"):
        frozen_parameters(births)
    assert frozen_parameters(births, frozen=[name]) == {name}


@pytest.mark.parametrize(
    ("model", "name", "value"),
    [
        (MLPClassifier((5,)), "hidden_layer_sizes", (7,)),
        (MLPClassifier((5,)), "activation", "tanh"),
        (MLPClassifier((5,)), "solver", "sgd"),
        (MiniBatchKMeans(3), "n_clusters", 5),
        (SGDClassifier(), "average", True),
    ],
    ids=case_id,
)
def test_shapes_are_frozen_unless_declared_mutable(
    model: Any, name: str, value: Any
) -> None:
    births = [birth_of(model, {name: v}) for v in (model.get_params()[name], value)]
    assert frozen_parameters(births) == {name}
    with pytest.raises(ValueError, match=f"'{name}'.*cannot change after the first"):
        frozen_parameters(births, mutable=[name])


def test_other_parameters_may_decide_whether_one_has_an_effect() -> None:
    births = [
        birth_of(SGDClassifier(), {"eta0": 0.1, "learning_rate": kind})
        for kind in ("optimal", "constant")
    ]
    assert frozen_parameters(births) == set()


def test_messages_name_the_remedy() -> None:
    with pytest.raises(ValueError, match="Search alpha, or set learning_rate='const"):
        frozen_parameters([birth_of(SGDClassifier(), {"eta0": 0.1})])
    births = [birth_of(GradientBoostingClassifier(), {"learning_rate": 0.1})]
    with pytest.raises(ValueError, match="Use HistGradientBoosting"):
        frozen_parameters(births)
    with pytest.raises(ValueError, match="resource that grows"):
        frozen_parameters([birth_of(RandomForestClassifier(), {"n_estimators": 3})])


def test_the_network_keeps_its_moments_when_its_step_size_changes() -> None:
    model = grow(MLPClassifier((5,), batch_size=30), 3)
    optimizer = model._optimizer
    moments = [m.copy() for m in optimizer.ms]
    apply_params(model, take_apart(model).entry, {"learning_rate_init": 0.05})
    assert model._optimizer is optimizer
    assert optimizer.learning_rate_init == 0.05
    assert all(np.array_equal(a, b) for a, b in zip(moments, optimizer.ms, strict=True))
    assert any(np.abs(m).max() > 0 for m in moments)


def test_a_network_without_a_known_optimizer_is_refused() -> None:
    model = grow(MLPClassifier((5,)), 1)
    del model._optimizer
    with pytest.raises(RuntimeError, match=r"learning_rate_init.*frozen"):
        apply_params(model, take_apart(model).entry, {"learning_rate_init": 0.05})


# --- unknown classes are probed -------------------------------------------------------


class Mean(ClassifierMixin, BaseEstimator):
    """Has one parameter of each kind; predicts by a running mean."""

    def __init__(self, rate=0.5, shift=0.0, dead=1, size=2):
        self.rate = rate
        self.shift = shift
        self.dead = dead
        self.size = size

    def partial_fit(self, X, y, classes=None):
        if not hasattr(self, "mean_"):
            self.mean_ = np.zeros((self.size, X.shape[1]))
            self.classes_ = np.asarray(classes)
        if len(self.mean_) != self.size:
            raise ValueError("another size")
        self.mean_ += self.rate * (X.mean(axis=0) - self.mean_)
        return self

    def decision_function(self, X):
        return X @ self.mean_.sum(axis=0) + self.shift

    def predict(self, X):
        return self.classes_[(self.decision_function(X) > 0).astype(int)]


def probe_births(name: str, *values: Any) -> list[Birth]:
    return [birth_of(Mean(), {name: value}) for value in values]


def few_rows(birth: Birth) -> Training:
    return training(birth.model)


def test_a_class_with_partial_fit_needs_no_entry() -> None:
    births = probe_births("rate", 0.5, 0.1)
    assert frozen_parameters(births, training=few_rows) == set()


def test_the_probe_finds_what_acts_backwards() -> None:
    with pytest.raises(ValueError, match=r"'shift' of Mean.*learned already"):
        frozen_parameters(probe_births("shift", 0.0, 1.0), training=few_rows)


def test_the_probe_warns_of_what_has_no_effect() -> None:
    with pytest.warns(SkhpoWarning, match="'dead' of Mean.*had no effect"):
        assert not frozen_parameters(probe_births("dead", 1, 2), training=few_rows)


def test_the_probe_freezes_what_cannot_change() -> None:
    with pytest.warns(SkhpoWarning, match="'size' of Mean cannot change"):
        frozen = frozen_parameters(probe_births("size", 2, 3), training=few_rows)
    assert frozen == {"size"}


def test_the_probe_is_silent_about_models_that_cannot_train() -> None:
    births = probe_births("size", "x", "y")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert frozen_parameters(births, training=few_rows) == set()


# --- pipelines ------------------------------------------------------------------------


def test_a_pipeline_is_trained_on_transformed_rows_and_put_together_again() -> None:
    pipe = make_pipeline(StandardScaler(), SelectKBest(k=4), SGDClassifier())
    fitted = replay(pipe, [(0, {"selectkbest__k": 3})], training(SGDClassifier()))
    assert type(fitted) is Pipeline
    assert fitted[1].k == 3
    assert fitted.n_features_in_ == 8
    Xt = StandardScaler().fit_transform(X)
    Xt = SelectKBest(k=3).fit_transform(Xt, Y)
    task = training(SGDClassifier())
    alone = replay(SGDClassifier(), [], Training(Xt, Y, task.seed, classes=[0, 1, 2]))
    np.testing.assert_array_equal(fitted[-1].coef_, alone.coef_)
    np.testing.assert_array_equal(fitted.predict(X), alone.predict(Xt))


def test_random_prefixes_are_seeded_and_keep_their_parameters() -> None:
    binning = (
        KBinsDiscretizer(subsample=50, quantile_method="averaged_inverted_cdf")
        if "quantile_method" in KBinsDiscretizer().get_params()
        else KBinsDiscretizer(subsample=50)
    )
    pipe = make_pipeline(binning, SGDClassifier())
    one, two = (replay(pipe, [], training(SGDClassifier())) for _ in range(2))
    np.testing.assert_array_equal(one.decision_function(X), two.decision_function(X))
    assert one[0].random_state is None


def test_the_last_step_may_be_replaced_as_a_whole() -> None:
    pipe = Pipeline([("scale", StandardScaler()), ("model", SGDClassifier())])
    network = MLPClassifier((3,))
    fitted = replay(pipe, [(0, {"model": network})], training(network))
    assert isinstance(fitted[-1], MLPClassifier)
    assert not hasattr(network, "coefs_")


def test_a_pipeline_of_one_step() -> None:
    fitted = replay(make_pipeline(SGDClassifier()), [], training(SGDClassifier()))
    assert fitted.predict(X).shape == (150,)


def test_a_schedule_acts_from_its_steps_on() -> None:
    schedule = [(0, {"alpha": 1e-2}), (4, {"alpha": 1e-5})]
    task = training(SGDClassifier(), n_steps=6)
    entry = take_apart(SGDClassifier()).entry
    by_hand = train(SGDClassifier(alpha=1e-2), entry, {}, task.portion(0, 4))
    by_hand = train(by_hand, entry, {"alpha": 1e-5}, task.portion(4, 2))
    ours = replay(SGDClassifier(), schedule, task)
    np.testing.assert_array_equal(by_hand.coef_, ours.coef_)
    seen: list[int] = []
    replay(
        SGDClassifier(),
        schedule,
        task,
        portion=3,
        after_step=lambda m, n: seen.append(n),
    )
    assert seen == [3, 4, 6]


# --- data of all kinds ----------------------------------------------------------------


def test_sample_weights_go_with_their_rows() -> None:
    weight = np.where(np.arange(len(X)) < 75, 1.0, 0.0)
    task = training(SGDClassifier(), n_steps=2, fit_params={"sample_weight": weight})
    weighted = replay(SGDClassifier(alpha=1e-9), [], task)
    zeroed = Y.copy()
    zeroed[75:] = 0  # rows of weight 0 teach nothing, whatever their label
    other = Training(
        X, zeroed, task.seed, n_steps=2, classes=task.classes,
        fit_params={"sample_weight": weight},
    )  # fmt: skip
    same = replay(SGDClassifier(alpha=1e-9), [], other)
    np.testing.assert_array_equal(weighted.coef_, same.coef_)


def test_fit_parameters_of_a_pipeline_name_their_step() -> None:
    pipe = Pipeline([("scale", StandardScaler()), ("sgd", SGDClassifier())])
    weight = np.ones(len(X))
    parts = take_apart(pipe)
    fit_params = {"scale__sample_weight": weight, "sgd__sample_weight": weight}
    prefix, model = parts.fit_params_of(fit_params)
    assert list(prefix) == ["scale__sample_weight"]
    assert list(model) == ["sample_weight"]
    with pytest.raises(ValueError, match="'sgd__sample_weight'"):
        parts.fit_params_of({"sample_weight": weight})


def test_rows_of_sparse_matrices_and_data_frames() -> None:
    pd = pytest.importorskip("pandas")
    task = training(MLPClassifier(), n_steps=2, batch_size=64)
    model = MLPClassifier((4,))
    dense = replay(model, [], task)
    for rows in (sparse.csr_matrix(X), pd.DataFrame(X)):
        target = pd.Series(Y, index=np.arange(len(Y))[::-1])
        other = replay(model, [], replace(task, X=rows, y=target))
        np.testing.assert_allclose(dense.coefs_[0], other.coefs_[0], rtol=1e-9)


def test_labels_that_the_rows_lack_are_known() -> None:
    labels = unique_labels(Y)
    task = Training(X[Y < 2], Y[Y < 2], np.random.SeedSequence(0), classes=labels)
    assert replay(SGDClassifier(), [], task).classes_.tolist() == [0, 1, 2]
    assert takes_labels(SGDClassifier.partial_fit)
    assert not takes_labels(SGDRegressor.partial_fit)


def test_several_labels_per_row() -> None:
    target = np.stack([Y == 0, Y == 1], axis=1).astype(int)
    task = Training(
        X,
        target,
        np.random.SeedSequence(0),
        classes=unique_labels(target),
    )
    assert replay(MLPClassifier((4,)), [], task).predict(X).shape == (150, 2)


# --- mistakes -------------------------------------------------------------------------


def test_an_estimator_that_cannot_continue_is_told_what_can() -> None:
    with pytest.raises(ValueError, match=r"SVC cannot.*SGDClassifier.*register_increm"):
        take_apart(SVC())
    with pytest.raises(ValueError, match="LogisticRegression cannot"):
        take_apart(make_pipeline(StandardScaler(), LogisticRegression()))
    with pytest.raises(ValueError, match=r"cannot continue.*resource='max_iter'"):
        take_apart(MLPClassifier(), resource="max_iter")
    with pytest.raises(ValueError, match="str cannot continue"):
        take_apart(make_pipeline(StandardScaler(), "passthrough"))


@pytest.mark.parametrize(
    ("model", "setting", "remedy"),
    [
        (SGDClassifier(early_stopping=True), "early_stopping=True", "=False"),
        (SGDRegressor(early_stopping=True), "early_stopping=True", "=False"),
        (Perceptron(early_stopping=True), "early_stopping=True", "=False"),
        (MLPClassifier(early_stopping=True), "early_stopping=True", "=False"),
        (MLPRegressor(solver="lbfgs"), "solver='lbfgs'", "solver='adam'"),
        (SGDClassifier(class_weight="balanced"), "class_weight='balanced'", "a dict"),
        (
            HistGradientBoostingClassifier(early_stopping=True),
            "early_stopping=True",
            "n_generations_no_change",
        ),
        (
            GradientBoostingClassifier(n_iter_no_change=3),
            "n_iter_no_change",
            "n_iter_no_change=None",
        ),
    ],
    ids=repr,
)
def test_settings_that_rule_out_steps_are_named(
    model: Any, setting: str, remedy: str
) -> None:
    """Else all fits would fail one by one, or end before their steps are done."""
    message = f"{type(model).__name__} with {setting} is not trained.*{remedy}"
    with pytest.raises(ValueError, match=message):
        take_apart(model)
    name = setting.partition("=")[0]
    other = clone(model).set_params(**{name: None})
    with pytest.raises(ValueError, match=message):
        take_apart(other, {name: getattr(model, name)})


def test_all_steps_are_done_on_many_rows_too() -> None:
    """There, early_stopping="auto" would mean True."""
    rows = np.random.default_rng(0).normal(size=(10_001, 1))
    task = Training(rows, np.zeros(len(rows)), np.random.SeedSequence(0), n_steps=15)
    model = HistGradientBoostingRegressor(max_leaf_nodes=2)
    grown = take_apart(model).entry.trainer(clone(model), task)
    assert grown.n_iter_ == 15
    assert clone(model).fit(rows, np.zeros(len(rows))).n_iter_ < 15
    assert grown.early_stopping == "auto"


def test_a_meta_estimator_is_told_to_go_outside() -> None:
    meta = TransformedTargetRegressor(SGDRegressor())
    with pytest.raises(ValueError, match="put TransformedTargetRegressor around"):
        take_apart(meta)


def test_other_pipelines_are_refused() -> None:
    class MyPipeline(Pipeline):
        pass

    with pytest.raises(ValueError, match="MyPipeline is not trained step by step"):
        take_apart(MyPipeline([("model", SGDClassifier())]))


def test_a_size_parameter_may_be_named() -> None:
    parts = take_apart(BaggingClassifier(), resource="n_estimators")
    assert parts.entry.trainer == WarmStart("n_estimators")
    grown = parts.entry.trainer(parts.model, training(parts.model, n_steps=3))
    assert len(grown.estimators_) == 3


def test_a_growing_ensemble_takes_no_batches() -> None:
    task = training(RandomForestClassifier(), batch_size=10)
    with pytest.raises(ValueError, match=r"batch_size must be None\. Got 10"):
        replay(RandomForestClassifier(), [], task)


def test_registering_a_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(INCREMENTAL, "added", {})
    trainer = WarmStart("n_estimators")
    register_incremental(BaggingClassifier, trainer, effective=["max_samples"],
                         frozen=["bootstrap"])  # fmt: skip

    class Child(BaggingClassifier):
        pass

    entry = take_apart(Child()).entry
    assert entry.trainer is trainer
    births = [birth_of(Child(), {"max_samples": 0.5, "bootstrap": True})]
    assert frozen_parameters(births) == {"bootstrap"}
    with pytest.raises(TypeError, match="must be a class"):
        register_incremental("Bagging", trainer)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="must be callable"):
        register_incremental(Child, "partial_fit")  # type: ignore[arg-type]


# --- boosting libraries ---------------------------------------------------------------


def lightgbm_model(**params: Any) -> Any:
    library = pytest.importorskip("lightgbm")
    options = {"num_leaves": 4, "n_jobs": 1, "verbose": -1, "random_state": 0}
    return library.LGBMClassifier(**{**options, **params})


def xgboost_model(**params: Any) -> Any:
    library = pytest.importorskip("xgboost")
    options = {"max_depth": 2, "n_jobs": 1, "random_state": 0}
    return library.XGBClassifier(**{**options, **params})


@pytest.mark.parametrize("make", [lightgbm_model, xgboost_model])
def test_boosters_continue(make: Any) -> None:
    model = make(n_estimators=6)
    grown = grow(model, 2, 1, 3)
    np.testing.assert_allclose(
        clone(model).fit(X, Y).predict_proba(X), grown.predict_proba(X), rtol=1e-5
    )
    assert grown.n_estimators == 6
    assert grown.random_state == 0


@pytest.mark.parametrize("make", [lightgbm_model, xgboost_model])
def test_audit_of_boosters(make: Any) -> None:
    """Every parameter that is said to act does, and those under a condition do not."""
    model = make()
    library = type(model).__module__.partition(".")[0]
    values = {
        "learning_rate": 0.9, "num_leaves": 2, "max_depth": 1, "min_child_samples": 60,
        "min_child_weight": 30.0, "colsample_bytree": 0.3, "reg_alpha": 5.0,
        "reg_lambda": 50.0, "min_split_gain": 5.0, "gamma": 5.0, "max_leaves": 2,
        "colsample_bylevel": 0.3, "subsample": 0.3,
    }  # fmt: skip
    settings: dict[str, list[dict[str, Any]]] = {
        "lightgbm": [{}, {"subsample_freq": 1}, {"boosting_type": "dart"}],
        "xgboost": [{}, {"tree_method": "exact"}, {"booster": "gblinear"}],
    }
    for setting in settings[library]:
        model = make(**setting)
        birth = birth_of(model, {})
        assert birth.entry.effective <= values.keys()
        for name in birth.entry.effective:
            rule = birth.entry.rule(name, model.get_params())
            assert rule is not None
            seen = probe(birth, name, [values[name]], training(model))
            assert seen is rule.effect, (setting, name)


@pytest.mark.parametrize(
    ("make", "params", "setting"),
    [
        (lightgbm_model, {"early_stopping_round": 2}, "early stopping"),
        (lightgbm_model, {"early_stopping_rounds": 2}, "early stopping"),
        (lightgbm_model, {"boosting_type": "rf"}, "boosting_type='rf'"),
        (xgboost_model, {"early_stopping_rounds": 2}, "early stopping"),
    ],
)
def test_settings_of_boosters_that_rule_out_steps_are_named(
    make: Any, params: dict[str, Any], setting: str
) -> None:
    with pytest.raises(ValueError, match=f"with {setting} is not trained"):
        take_apart(make(**params))
