"""Adapters of scikit-learn's linear models: which minimum their fit is."""

from __future__ import annotations

import math
from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np
import scipy.sparse
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

from skhpo.evaluation.gradients._adapter import Adapter
from skhpo.evaluation.gradients._fold import Fold, Slopes
from skhpo.evaluation.gradients._kernel import kernel_ridge_slopes, why_no_kernel_slopes
from skhpo.evaluation.gradients._linear import LinearFit, at_minimum, penalty_slopes
from skhpo.evaluation.gradients._losses import (
    Array,
    Logistic,
    LogTweedie,
    Loss,
    Softmax,
    SquaredError,
    SquaredHinge,
    SquaredInsensitive,
    SquaredSide,
)

__all__ = ["SKLEARN_ADAPTERS"]


def _fit_of(
    model: Any, fold: Fold, loss: Loss, weights: Array, penalties: tuple[float, float]
) -> LinearFit:
    """Return a fitted model at its exact minimum."""
    V = np.atleast_2d(model.coef_).T
    if model.fit_intercept:
        V = np.vstack([V, np.ravel(model.intercept_)])
    target = _targets(model, fold.y_train, V.shape[1])
    Z = _design(model, fold.X_train)
    intercept = bool(model.fit_intercept)
    fit = LinearFit(Z, target, weights, loss, V, intercept, *penalties, np.sign(V))
    return at_minimum(fit)


def _design(model: Any, X: Any) -> Any:
    """Return the columns of a linear model, with one of ones for its intercept."""
    return _with_column(X, 1.0 if model.fit_intercept else None)


def _with_column(X: Any, value: float | None) -> Any:
    """Return the columns, and one that has a value in every row, if there is one."""
    if hasattr(X, "tocsr"):
        X = scipy.sparse.csr_matrix(X, dtype=float)
        if value is None:
            return X
        column = scipy.sparse.csr_matrix(np.full((X.shape[0], 1), value))
        return scipy.sparse.hstack([X, column], "csr")
    X = np.asarray(X, dtype=float)
    return X if value is None else np.hstack([X, np.full((len(X), 1), value)])


def _targets(model: Any, y: Any, n_outputs: int) -> Array:
    """Return what the loss of a model compares with, a column per output."""
    if not hasattr(model, "classes_"):
        return np.asarray(y, dtype=float).reshape(len(y), n_outputs)
    is_class = np.asarray(y).reshape(-1, 1) == model.classes_
    return is_class[:, -n_outputs:].astype(float)


def _weights(fold: Fold) -> Array:
    """Return the weights of the rows, as given."""
    if fold.sample_weight is None:
        return np.ones(fold.X_train.shape[0])
    return np.asarray(fold.sample_weight, dtype=float) * np.ones(fold.X_train.shape[0])


def _by_penalties(
    model: Any, fold: Fold, loss: Loss, weights: Array, penalties: tuple[float, float]
) -> tuple[float, float, Array]:
    fit = _fit_of(model, fold, loss, weights, penalties)
    return penalty_slopes(fit, _design(model, fold.X_test), fold.score_slopes)


# --- squared error --------------------------------------------------------------------


def _ridge_slopes(model: Any, fold: Fold) -> Slopes:
    alpha = float(model.alpha)
    _, slope, columns = _by_penalties(
        model, fold, SquaredError(), _weights(fold), (0.0, alpha)
    )
    return Slopes({"alpha": slope}, columns)


def _ridge_classifier_slopes(model: Any, fold: Fold) -> Slopes:
    by_class = compute_sample_weight(model.class_weight, fold.y_train)
    _, slope, columns = _by_penalties(
        model, fold, SquaredSide(), _weights(fold) * by_class, (0.0, float(model.alpha))
    )
    return Slopes({"alpha": slope}, columns)


def _why_no_ridge(model: Any) -> str | None:
    return "positive=True has no gradient" if model.positive else None


def _elastic_net_slopes(model: Any, fold: Fold) -> Slopes:
    weights = _weights(fold)
    alpha, ratio = float(model.alpha), float(getattr(model, "l1_ratio", 1.0))
    penalties = alpha * ratio, alpha * (1 - ratio)
    by_l1, by_l2, columns = _by_penalties(
        model, fold, SquaredError(), weights / weights.sum(), penalties
    )
    slopes = {
        "alpha": ratio * by_l1 + (1 - ratio) * by_l2,
        "l1_ratio": alpha * (by_l1 - by_l2),
    }
    return Slopes(slopes, columns)


# --- log loss -------------------------------------------------------------------------

# Values of `penalty` that say how much of it is l1. From scikit-learn 1.8, none does.
PENALTIES = {"l1": 1.0, "l2": 0.0, None: math.nan}


def _logistic_slopes(model: Any, fold: Fold) -> Slopes:
    weights = _weights(fold) * _class_weights(model, fold)
    ratio, strength = _l1_ratio(model), 1 / float(model.C)
    loss: Loss = Softmax() if len(model.coef_) > 1 else Logistic()
    by_l1, by_l2, columns = _by_penalties(
        model, fold, loss, weights, (strength * ratio, strength * (1 - ratio))
    )
    slopes = {
        "C": -(ratio * by_l1 + (1 - ratio) * by_l2) * strength**2,
        "l1_ratio": strength * (by_l1 - by_l2),
    }
    if model.penalty in PENALTIES:  # which says the ratio in its place
        del slopes["l1_ratio"]
    return Slopes(slopes, columns)


def _class_weights(model: Any, fold: Fold) -> Array:
    """Return the weight that the class of each row has."""
    y = np.ravel(fold.y_train)
    if model.class_weight is None:
        return np.ones(len(y))
    more = {}
    if "sample_weight" in signature(compute_class_weight).parameters:
        more = {"sample_weight": fold.sample_weight}
    by_class = compute_class_weight(
        model.class_weight, classes=model.classes_, y=y, **more
    )
    weights: Array = by_class[np.searchsorted(model.classes_, y)]
    return weights


def _l1_ratio(model: Any) -> float:
    """Return the share of l1 in the penalty, nan where there is no penalty.

    Which it is, `penalty` says, up to scikit-learn 1.7; later, `l1_ratio` alone.
    """
    if model.penalty in PENALTIES:
        return PENALTIES[model.penalty]
    return float(model.l1_ratio or 0.0)


def _why_no_logistic(model: Any) -> str | None:
    if math.isnan(_l1_ratio(model)):
        return "penalty=None has no gradient: there is nothing to tune"
    if model.solver == "liblinear" and model.fit_intercept:
        return (
            "solver='liblinear' penalizes the intercept and has no gradient; "
            "solver='lbfgs' has one"
        )
    multi_class = getattr(model, "multi_class", "deprecated")
    if multi_class not in ("auto", "deprecated"):
        return f"multi_class={multi_class!r} has no gradient; 'auto' has one"
    return None


# --- support vectors ------------------------------------------------------------------

# What liblinear minimizes penalizes the intercept: it is `intercept_scaling` times the
# coefficient of a column that has this value in every row.


def _by_liblinear(
    model: Any, fold: Fold, loss: Loss, y: Array, weights: Array
) -> Slopes:
    """Return the derivatives of a fit of liblinear by C, and by scales of columns."""
    l1 = float(getattr(model, "penalty", "l2") == "l1")
    strength = 1 / float(model.C)
    V, scaling = np.atleast_2d(model.coef_).T, None
    if model.fit_intercept:
        scaling = float(model.intercept_scaling)
        V = np.vstack([V, np.ravel(model.intercept_) / scaling])
    penalties = strength * l1, strength * (1 - l1)
    Z = _with_column(fold.X_train, scaling)
    fit = at_minimum(
        LinearFit(Z, y, weights, loss, V, False, *penalties, np.sign(V)),
    )
    by_l1, by_l2, columns = penalty_slopes(
        fit, _with_column(fold.X_test, scaling), fold.score_slopes
    )
    slope = -(l1 * by_l1 + (1 - l1) * by_l2) * strength**2
    return Slopes({"C": slope}, columns[: fold.X_train.shape[1]])


def _linear_svc_slopes(model: Any, fold: Fold) -> Slopes:
    """Return the derivatives of one class against the others.

    The weight of a class is that of its rows against the others; those of two classes
    weigh both sides.
    """
    K = len(model.coef_)
    side = 2 * _targets(model, fold.y_train, K) - 1
    by_class = _class_weights(model, fold)[:, None]
    y = side * (np.where(side > 0, by_class, 1.0) if K > 1 else by_class)
    return _by_liblinear(model, fold, SquaredHinge(), y, _weights(fold))


def _linear_svr_slopes(model: Any, fold: Fold) -> Slopes:
    loss = SquaredInsensitive(float(model.epsilon))
    y = _targets(model, fold.y_train, 1)
    return _by_liblinear(model, fold, loss, y, _weights(fold))


def _why_no_linear_svc(model: Any) -> str | None:
    if model.multi_class != "ovr":
        return f"multi_class={model.multi_class!r} has no gradient; 'ovr' has one"
    if model.loss != "squared_hinge":
        return f"loss={model.loss!r} has no gradient; 'squared_hinge' has one"
    return None


def _why_no_linear_svr(model: Any) -> str | None:
    wanted = "squared_epsilon_insensitive"
    if model.loss != wanted:
        return f"loss={model.loss!r} has no gradient; {wanted!r} has one"
    return None


# --- deviances ------------------------------------------------------------------------


class _TweedieSlopes:
    """The gradient of generalized linear models, by the power of their deviance."""

    def __init__(self, power_of: Callable[[Any], float]) -> None:
        self._power_of = power_of

    def __call__(self, model: Any, fold: Fold) -> Slopes:
        weights = _weights(fold)
        power = self._power_of(model)
        loss: Loss = SquaredError() if _is_identity(model) else LogTweedie(power)
        _, slope, columns = _by_penalties(
            model, fold, loss, weights / weights.sum(), (0.0, float(model.alpha))
        )
        return Slopes({"alpha": slope}, columns)


def _is_identity(model: Any) -> bool:
    """Whether predictions are the linear form itself."""
    link = getattr(model, "link", "log")
    return link == "identity" or (link == "auto" and model.power <= 0)


def _why_no_tweedie(model: Any) -> str | None:
    if _is_identity(model) and model.power != 0:
        return "link='identity' has a gradient with power=0 only; link='log' has one"
    return None


def _poisson(model: Any) -> float:
    return 1.0


def _gamma(model: Any) -> float:
    return 2.0


def _own_power(model: Any) -> float:
    return float(model.power)


SKLEARN_ADAPTERS = {
    "sklearn.linear_model.Ridge": Adapter(
        {"alpha": True}, _ridge_slopes, _why_no_ridge
    ),
    "sklearn.linear_model.RidgeClassifier": Adapter(
        {"alpha": True}, _ridge_classifier_slopes, _why_no_ridge
    ),
    "sklearn.linear_model.Lasso": Adapter({"alpha": True}, _elastic_net_slopes),
    "sklearn.linear_model.ElasticNet": Adapter(
        {"alpha": True, "l1_ratio": False}, _elastic_net_slopes
    ),
    "sklearn.linear_model.LogisticRegression": Adapter(
        {"C": True, "l1_ratio": False}, _logistic_slopes, _why_no_logistic
    ),
    "sklearn.linear_model.PoissonRegressor": Adapter(
        {"alpha": True}, _TweedieSlopes(_poisson)
    ),
    "sklearn.linear_model.GammaRegressor": Adapter(
        {"alpha": True}, _TweedieSlopes(_gamma)
    ),
    "sklearn.linear_model.TweedieRegressor": Adapter(
        {"alpha": True}, _TweedieSlopes(_own_power), _why_no_tweedie
    ),
    "sklearn.svm.LinearSVC": Adapter(
        {"C": True}, _linear_svc_slopes, _why_no_linear_svc
    ),
    "sklearn.svm.LinearSVR": Adapter(
        {"C": True}, _linear_svr_slopes, _why_no_linear_svr
    ),
    "sklearn.kernel_ridge.KernelRidge": Adapter(
        {"alpha": True, "gamma": True, "coef0": False},
        kernel_ridge_slopes,
        why_no_kernel_slopes,
    ),
}
