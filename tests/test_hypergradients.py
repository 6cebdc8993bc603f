"""Gradients by hyperparameters: each equals the central differences of its score."""

import pickle
import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import (
    ElasticNet,
    GammaRegressor,
    Lasso,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    TweedieRegressor,
)
from sklearn.metrics import (
    check_scoring,
    hinge_loss,
    make_scorer,
    mean_absolute_error,
    mean_tweedie_deviance,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC, LinearSVR
from sklearn.utils.estimator_checks import parametrize_with_checks

from skhpo import GroupScaler
from skhpo.evaluation.gradients import _linear, _sklearn
from skhpo.evaluation.gradients._hypergradient import (
    Hypergradient,
    differentiable,
    last_step,
    why_no_gradient,
)
from skhpo.evaluation.gradients._linear import at_minimum
from skhpo.evaluation.gradients._scores import find_smooth_score, why_flat

EXACT = {"tol": 1e-10, "max_iter": 1000}
NEWTON = {"solver": "newton-cholesky", "tol": 1e-9, "max_iter": 100}
ENET = {"solver": "saga", "tol": 1e-10, "max_iter": 10_000}
if "penalty" in LogisticRegression().get_params() and (
    LogisticRegression().penalty != "deprecated"
):  # scikit-learn <= 1.7
    ENET["penalty"] = "elasticnet"
HINGE = make_scorer(
    hinge_loss, greater_is_better=False, response_method="decision_function"
)
HINGE_OF_THREE = make_scorer(
    hinge_loss,
    greater_is_better=False,
    response_method="decision_function",
    labels=[0, 1, 2],
)
HINGES = (HINGE, HINGE_OF_THREE)
DUAL = {"dual": False, "tol": 1e-10, "max_iter": 10_000}
SVR = {"loss": "squared_epsilon_insensitive", **DUAL}

# Of each model: itself, its score, its target, and the parameters.
CASES = {
    "ridge": (Ridge(2.0, tol=1e-12), "neg_mean_squared_error", "real", ["alpha"]),
    "ridge-outputs": (Ridge(2.0, tol=1e-12), None, "outputs", ["alpha"]),
    "ridge-root": (
        *(Ridge(2.0, fit_intercept=False, tol=1e-12), "neg_root_mean_squared_error"),
        *("real", ["alpha"]),
    ),
    "lasso": (Lasso(0.2, tol=1e-12, max_iter=100_000), "r2", "real", ["alpha"]),
    "elastic-net": (
        *(
            ElasticNet(0.2, l1_ratio=0.6, tol=1e-12, max_iter=10**5),
            "neg_mean_squared_error",
        ),
        *("real", ["alpha", "l1_ratio"]),
    ),
    "logistic": (LogisticRegression(C=0.5, **NEWTON), "neg_log_loss", "binary", ["C"]),
    "softmax": (LogisticRegression(C=0.5, **NEWTON), "neg_log_loss", "classes", ["C"]),
    "softmax-balanced": (
        LogisticRegression(C=2.0, class_weight="balanced", **NEWTON),
        *("neg_log_loss", "classes", ["C"]),
    ),
    "logistic-plain": (
        LogisticRegression(C=3.0, fit_intercept=False, **NEWTON),
        *("neg_log_loss", "binary", ["C"]),
    ),
    "logistic-l1-l2": (
        LogisticRegression(C=0.5, l1_ratio=0.5, **ENET),
        *("neg_log_loss", "classes", ["C", "l1_ratio"]),
    ),
    "svc": (LinearSVC(C=0.05, **DUAL), HINGE, "binary", ["C"]),
    "svc-scaled": (
        LinearSVC(C=0.1, intercept_scaling=3.0, class_weight={"no": 2.0}, **DUAL),
        *(HINGE, "binary", ["C"]),
    ),
    "svc-classes": (
        LinearSVC(C=0.05, class_weight="balanced", **DUAL),
        *(HINGE_OF_THREE, "classes", ["C"]),
    ),
    "svc-plain": (
        LinearSVC(C=0.1, fit_intercept=False, **DUAL),
        *(HINGE_OF_THREE, "classes", ["C"]),
    ),
    "svc-l1": (
        LinearSVC(C=0.1, penalty="l1", dual=False, tol=1e-10, max_iter=10**5),
        *(HINGE_OF_THREE, "classes", ["C"]),
    ),
    "svr": (LinearSVR(C=0.1, **SVR), "neg_mean_squared_error", "real", ["C"]),
    "svr-scaled": (
        LinearSVR(C=0.1, epsilon=0.5, intercept_scaling=3.0, **SVR),
        *(None, "real", ["C"]),
    ),
    "ridge-classifier": (
        RidgeClassifier(2.0, class_weight="balanced", tol=1e-12),
        *(HINGE, "binary", ["alpha"]),
    ),
    "ridge-classes": (
        RidgeClassifier(2.0, tol=1e-12),
        HINGE_OF_THREE,
        "classes",
        ["alpha"],
    ),
    "poisson": (
        *(PoissonRegressor(alpha=0.3, **NEWTON), "neg_mean_poisson_deviance"),
        *("positive", ["alpha"]),
    ),
    "poisson-own": (PoissonRegressor(alpha=0.3, **NEWTON), None, "positive", ["alpha"]),
    "gamma": (
        *(GammaRegressor(alpha=0.3, **NEWTON), "neg_mean_gamma_deviance"),
        *("positive", ["alpha"]),
    ),
    "tweedie": (
        TweedieRegressor(power=1.5, alpha=0.3, **NEWTON),
        make_scorer(mean_tweedie_deviance, greater_is_better=False, power=1.5),
        *("positive", ["alpha"]),
    ),
    "tweedie-normal": (
        TweedieRegressor(power=0, alpha=0.3, **NEWTON),
        *(None, "real", ["alpha"]),
    ),
    "kernel-linear": (KernelRidge(alpha=0.3), None, "outputs", ["alpha"]),
    "kernel-rbf": (
        KernelRidge(alpha=0.3, kernel="rbf", gamma=0.1),
        *("neg_mean_squared_error", "real", ["alpha", "gamma"]),
    ),
    "kernel-poly": (
        KernelRidge(alpha=0.3, kernel="poly", gamma=0.1, degree=2),
        *("r2", "real", ["alpha", "gamma", "coef0"]),
    ),
}
SHAPES = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 1000),
        "n_columns": st.integers(1, 7),
        "weighted": st.booleans(),
        "is_sparse": st.booleans(),
        "collinear": st.booleans(),
    }
)


def make_data(kind, seed=0, n_columns=4, weighted=False, collinear=False, n=60):
    """Return 60 rows with a target of some kind, and their weights if any."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, n_columns))
    if collinear and n_columns > 1:
        X[:, -1] = X[:, 0] + 1e-3 * rng.normal(size=n)
    signal = X @ rng.normal(size=n_columns) + rng.normal(size=n)
    y = {
        "real": signal + 3,
        "outputs": np.c_[signal, -(signal**2)],
        "binary": np.array(["no", "yes"])[(signal > 0).astype(int)],
        "classes": np.digitize(signal, [-0.5, 0.5]),
        "positive": np.exp(np.clip(signal, -3, 3) / 3),
    }[kind]
    return X, y, rng.uniform(0.5, 2.0, n) if weighted else None


def split_of(X, y, weights=None, *, key="sample_weight"):
    """Return what the evaluator hands over of a split: two thirds to train on."""
    n = 2 * len(y) // 3
    return SimpleNamespace(
        X_train=X[:n],
        y_train=y[:n],
        X_test=X[n:],
        y_test=y[n:],
        fit_params={} if weights is None else {key: weights[:n]},
        score_params_test={} if weights is None else {"sample_weight": weights[n:]},
    )


def slopes_and_differences(model, scoring, data, names, step=1e-4):
    """Return the gradient of a score, and its central differences."""
    scorer = check_scoring(model, scoring)
    score = find_smooth_score(scorer, last_step(model))
    hypergradient = Hypergradient(score, tuple(names))

    def fit(**params):
        own = clone(model).set_params(**params)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            own.fit(data.X_train, data.y_train, **data.fit_params)
        is_noisy = has_margin(model)
        return polish(own, lambda one: hypergradient(one, data)) if is_noisy else own

    def score_at(name, value):
        fitted = fit(**{name: value})
        return scorer(fitted, data.X_test, data.y_test, **data.score_params_test)

    gradient = hypergradient(fit(), data)
    differences = {}
    for name in names:
        value = float(model.get_params()[name])
        h = step * max(abs(value), 0.1)
        both = score_at(name, value + h) - score_at(name, value - h)
        differences[name] = both / (2 * h)
    return gradient, differences


def check(model, scoring, data, names):
    # The shorter the step, the fewer rows cross their margin in it, where slopes jump.
    step = 1e-5 if scoring in HINGES or has_margin(model) else 1e-4
    gradient, differences = slopes_and_differences(model, scoring, data, names, step)
    assert gradient.problem is None, gradient.problem
    for name in names:
        assert gradient.slopes[name] == pytest.approx(
            differences[name], rel=1e-4, abs=1e-7
        ), name


def has_margin(model):
    return type(last_step(model)).__module__.startswith("sklearn.svm")


def polish(estimator, gradient):
    """Move a fit of liblinear, whose last digits are noise, to the minimum nearby."""
    model, kept = last_step(estimator), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            _sklearn, "at_minimum", lambda fit: kept.append(at_minimum(fit)) or kept[0]
        )
        patch.setattr(_linear, "TOLERANCE", 1e-12)
        gradient(estimator)
    model.coef_ = kept[0].V[: model.coef_.shape[-1]].T.reshape(model.coef_.shape)
    if model.fit_intercept:
        model.intercept_ = kept[0].V[-1] * model.intercept_scaling
    return estimator


@pytest.mark.parametrize("name", [name for name in CASES if name != "logistic-l1-l2"])
@settings(max_examples=2, phases=[Phase.explicit, Phase.generate])
@given(shape=SHAPES)
def test_a_gradient_is_what_central_differences_give(name, shape):
    """To four digits: weights, intercepts, classes, sparse and collinear columns."""
    model, scoring, kind, names = CASES[name]
    is_sparse = shape["is_sparse"]
    X, y, weights = make_data(
        kind, **{k: v for k, v in shape.items() if k != "is_sparse"}
    )
    assume(kind != "classes" or len(set(y[: 2 * len(y) // 3])) == 3)
    X = sparse.csr_matrix(X) if is_sparse else X
    check(model, scoring, split_of(X, y, weights), names)


@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_an_l1_penalty_on_several_classes(l1_ratio):
    """Each class has a support of its own."""
    model, scoring, kind, names = CASES["logistic-l1-l2"]
    model = clone(model).set_params(l1_ratio=l1_ratio)
    # At the end of its range, a ratio has a slope to one side only.
    names = names if l1_ratio < 1 else ["C"]
    check(model, scoring, split_of(*make_data(kind, seed=1, weighted=True)), names)


@pytest.mark.parametrize("name", ["ridge", "softmax", "poisson"])
def test_conjugate_gradients_give_the_same(name, monkeypatch):
    """Where there are many unknowns, the Hessian is never written out."""
    model, scoring, kind, names = CASES[name]
    X, y, weights = make_data(kind, weighted=True)
    for rows in (X, sparse.csr_matrix(X)):
        data = split_of(rows, y, weights)
        with monkeypatch.context() as patch:
            patch.setattr(_linear, "MAX_DENSE", 0)
            check(model, scoring, data, names)


@pytest.mark.parametrize(
    "name",
    [
        *("ridge", "elastic-net", "softmax", "gamma", "svc-classes", "svr"),
        *("kernel-linear", "kernel-rbf", "kernel-poly"),
    ],
)
def test_a_scale_of_a_group_is_differentiated_through_a_pipeline(name):
    """The groups of a GroupScaler have slopes with every adapter, one and all."""
    model, scoring, kind, names = CASES[name]
    X, y, _ = make_data(kind)
    logs = {"a": 0.3, "b": -0.2}
    groups = {"a": [0, 2], "b": slice(3, 4)}
    step = type(model).__name__.lower()
    pipeline = make_pipeline(StandardScaler(), GroupScaler(groups, logs), model)
    all_names = [f"{step}__{n}" for n in names]
    all_names += [f"groupscaler__log_scale__{g}" for g in groups]
    assert set(all_names) <= differentiable(pipeline).keys()
    check(pipeline, scoring, split_of(X, y), all_names)
    for rows in (X, sparse.csr_matrix(X)):
        common = make_pipeline(GroupScaler(groups, 0.2), model)
        check(common, scoring, split_of(rows, y), ["groupscaler__log_scale"])


def test_parts_of_a_column_transformer_are_groups():
    """A GroupScaler at the end of a part scales the columns that the part gives."""
    X, y, _ = make_data("classes")
    frame = pd.DataFrame(X[:, :2], columns=["one", "two"])
    frame["color"] = np.array(["red", "green", "blue"])[np.digitize(X[:, 2], [-1, 1])]
    parts = make_column_transformer(
        (make_pipeline(StandardScaler(), GroupScaler()), ["one", "two"]),
        (make_pipeline(OneHotEncoder(), GroupScaler()), ["color"]),
    )
    model = make_pipeline(parts, LogisticRegression(**NEWTON))
    names = [f"columntransformer__pipeline-{i}__groupscaler__log_scale" for i in (1, 2)]
    check(model, "neg_log_loss", split_of(frame, y), names)


def test_scales_that_other_steps_see_have_no_slope():
    """A StandardScaler behind them would undo them."""
    hidden = make_pipeline(GroupScaler(), StandardScaler(), Ridge())
    assert differentiable(hidden) == {"ridge__alpha": True}


def test_weights_reach_the_last_step():
    """Of a pipeline, those that its last step was given count."""
    X, y, weights = make_data("real", weighted=True)
    data = split_of(X, y, weights, key="ridge__sample_weight")
    check(make_pipeline(StandardScaler(), Ridge()), "r2", data, ["ridge__alpha"])


def test_a_solver_that_ended_too_early_is_made_exact():
    """With a loose tolerance, the gradient is that of the exact minimum."""
    X, y, _ = make_data("binary")
    data = split_of(X, y)
    loose = LogisticRegression(C=0.5, tol=1e-3)
    exact = LogisticRegression(C=0.5, **NEWTON)
    given_, _ = slopes_and_differences(loose, "neg_log_loss", data, ["C"])
    wanted, _ = slopes_and_differences(exact, "neg_log_loss", data, ["C"])
    assert given_.slopes["C"] == pytest.approx(wanted.slopes["C"], rel=1e-6)


@pytest.mark.parametrize(
    ("model", "kind", "scoring"),
    [
        (LogisticRegression(C=100.0, max_iter=1), "binary", "neg_log_loss"),
        (PoissonRegressor(alpha=1e-3, max_iter=1), "positive", None),
    ],
)
def test_a_fit_far_from_its_minimum_has_no_gradient(model, kind, scoring):
    """Its score is not that of the minimum, and the gradient says so."""
    X, y, _ = make_data(kind, collinear=True)
    gradient, _ = slopes_and_differences(model, scoring, split_of(X, y), [])
    assert "minimum" in gradient.problem
    assert gradient.slopes == {}


def test_what_has_no_gradient_says_why():
    """A class that nobody knows, and settings that an adapter does not cover."""
    assert "StandardScaler has no gradient" in why_no_gradient(StandardScaler())
    assert "positive=True" in why_no_gradient(Ridge(positive=True))
    assert "liblinear" in why_no_gradient(LogisticRegression(solver="liblinear"))
    assert "squared_hinge" in why_no_gradient(LinearSVC(loss="hinge"))
    assert "'ovr' has one" in why_no_gradient(LinearSVC(multi_class="crammer_singer"))
    assert "squared_epsilon_insensitive" in why_no_gradient(LinearSVR())
    assert "GaussianProcessRegressor has no" in why_no_gradient(
        GaussianProcessRegressor()
    )
    assert "laplacian" in why_no_gradient(KernelRidge(kernel="laplacian"))
    assert why_no_gradient(make_pipeline(StandardScaler(), Ridge())) is None


def test_scores_without_a_slope_are_told_apart():
    """Classes and ranks are flat; an absolute error is not, but has no formula."""
    classifier, regressor = LogisticRegression(), Ridge()
    for name in ("accuracy", "f1", "roc_auc"):
        assert why_flat(check_scoring(classifier, name), classifier), name
        assert find_smooth_score(check_scoring(classifier, name), classifier) is None
    assert why_flat(check_scoring(classifier), classifier)
    assert why_flat(check_scoring(regressor), regressor) is None
    # A model with probabilities is differentiated by these alone.
    assert find_smooth_score(HINGE, LinearSVC()) is not None
    assert find_smooth_score(HINGE, classifier) is None
    assert why_flat(HINGE, classifier) is None
    absolute = make_scorer(mean_absolute_error, greater_is_better=False)
    assert why_flat(absolute, regressor) is None
    assert find_smooth_score(absolute, regressor) is None


# GroupScaler


@parametrize_with_checks([GroupScaler(), GroupScaler([[0]])])
def test_a_group_scaler_is_a_transformer_like_any_other(estimator, check):
    """It passes the checks of scikit-learn."""
    check(estimator)


def test_a_scale_is_a_penalty():
    """Scaling a group by 1/sqrt(alpha) is a ridge penalty alpha on its coefficients."""
    X, y, _ = make_data("real")
    alphas = np.array([4.0, 4.0, 1.0, 0.25])
    groups = {"strong": [0, 1], "weak": [3]}
    logs = {"strong": -np.log(4) / 2, "weak": np.log(4) / 2}
    model = make_pipeline(GroupScaler(groups, logs), Ridge(1.0, fit_intercept=False))
    by_hand = np.linalg.solve(X.T @ X + np.diag(alphas), X.T @ y)
    np.testing.assert_allclose(model.fit(X, y).predict(X), X @ by_hand)


def test_groups_are_columns_by_place_name_slice_or_mask():
    """All of these are the same two columns."""
    X = pd.DataFrame(np.ones((3, 3)), columns=["a", "b", "c"])
    for columns in (
        [1, 2],
        ["b", "c"],
        slice(1, None),
        [False, True, True],
        range(1, 3),
    ):
        scaler = GroupScaler({"g": columns}, 1.0).fit(X)
        np.testing.assert_allclose(scaler.scale_, [1, np.e, np.e])
    back = scaler.inverse_transform(scaler.transform(X))
    np.testing.assert_allclose(back, X)
    assert pickle.loads(pickle.dumps(scaler)).get_params() == scaler.get_params()


@pytest.mark.parametrize(
    ("scaler", "message"),
    [
        (GroupScaler({"g": [7]}), "Group 'g' must be positions of the 3 columns"),
        (GroupScaler({"g": ["a"]}), "Group 'g' must be"),
        (GroupScaler({"g": [0], "h": [0, 1]}), "Column 0 is in group 'g' and in"),
        (GroupScaler({"g": [0]}, {"h": 1.0}), "groups that are none: \\['h'\\]"),
        (GroupScaler({"g": [0]}, {"g": 1e3}), "log_scale of group 'g' must be"),
        (GroupScaler({"g": [0]}, {"g": "1"}), "log_scale of group 'g' must be"),
    ],
)
def test_bad_groups_are_refused(scaler, message):
    """Each in a sentence that names the group."""
    with pytest.raises(ValueError, match=message):
        scaler.fit(np.ones((3, 3)))


def test_a_group_that_is_none_cannot_be_set():
    """And says which there are."""
    with pytest.raises(ValueError, match=r"Its groups are \['g'\]"):
        GroupScaler({"g": [0]}).set_params(log_scale__h=1.0)
