"""Scores with a slope: their derivative by what the model predicts.

Notations: ``y`` and ``p`` of shape (n, K), targets and predictions; of a classifier, y
is 1 for the class of a row and 0 for the others. ``w`` of shape (n, 1) are the weights
of the rows, of sum 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sklearn import metrics
from sklearn.base import RegressorMixin, is_classifier

from skhpo._registry import Registry
from skhpo._sklearn_compat import asks_for_score, is_multimetric, scorer_parts
from skhpo.evaluation.gradients._losses import Array

__all__ = [
    "SmoothScore",
    "find_smooth_score",
    "missing_method",
    "smooth_names",
    "why_flat",
]

Metric = Callable[[Array, Array, Array], Array]


def _squared_error(y: Array, p: Array, w: Array) -> Array:
    return 2 * w * (p - y) / y.shape[1]


def _root_squared_error(y: Array, p: Array, w: Array) -> Array:
    root = np.sqrt((w * (p - y) ** 2).sum(axis=0))
    return w * (p - y) / np.where(root > 0, root, 1.0) / y.shape[1]


def _r2(y: Array, p: Array, w: Array) -> Array:
    total = (w * (y - (w * y).sum(axis=0)) ** 2).sum(axis=0)
    slopes = -2 * w * (p - y) / np.where(total > 0, total, 1.0) / y.shape[1]
    return np.where(total > 0, slopes, 0.0)  # a constant target scores a constant


def _deviance(y: Array, p: Array, w: Array, *, power: float) -> Array:
    return 2 * w * (p ** (1 - power) - y * p**-power)


def _explained_deviance(y: Array, p: Array, w: Array, *, power: float) -> Array:
    mean = float((w * y).sum())
    null = metrics.mean_tweedie_deviance(
        y.ravel(), np.full(len(y), mean), sample_weight=w.ravel(), power=power
    )
    return -_deviance(y, p, w, power=power) / null


def _log_loss(y: Array, p: Array, w: Array) -> Array:
    is_clipped = p < np.finfo(p.dtype).eps
    return np.where(is_clipped, 0.0, -w * y / np.where(is_clipped, 1.0, p))


def _hinge_loss(y: Array, d: Array, w: Array) -> Array:
    """Return the derivative of the mean of what is missing to a margin of 1."""
    if d.shape[1] == 1:
        side = 2 * y[:, 1:] - 1
        return np.where(side * d < 1, -w * side, 0.0)
    others = np.where(y == 1, -np.inf, d)
    rival = np.arange(d.shape[1]) == others.argmax(axis=1)[:, None]
    margin = (y * d).sum(axis=1, keepdims=True) - others.max(axis=1, keepdims=True)
    return np.where(margin < 1, w * (rival - y), 0.0)


# By the metric; of each, the method that predicts, and the derivative.
SMOOTH: dict[Any, tuple[str, Metric]] = {
    metrics.log_loss: ("predict_proba", _log_loss),
    metrics.hinge_loss: ("decision_function", _hinge_loss),
    metrics.mean_squared_error: ("predict", _squared_error),
    metrics.root_mean_squared_error: ("predict", _root_squared_error),
    metrics.r2_score: ("predict", _r2),
    metrics.mean_poisson_deviance: ("predict", partial(_deviance, power=1.0)),
    metrics.mean_gamma_deviance: ("predict", partial(_deviance, power=2.0)),
}
OF_CLASSES = (metrics.log_loss, metrics.hinge_loss)
SMOOTH_NAMES = (
    *("neg_log_loss", "neg_mean_squared_error", "neg_root_mean_squared_error", "r2"),
    *("neg_mean_poisson_deviance", "neg_mean_gamma_deviance"),
)
# That of classifiers that have no probabilities: smooth but for rows at a margin of 1.
HINGE = (
    "make_scorer(hinge_loss, greater_is_better=False, "
    "response_method='decision_function')"
)
# They see the order of the predictions alone, or which class is the likeliest.
RANKS = (
    *(metrics.roc_auc_score, metrics.average_precision_score),
    *(metrics.top_k_accuracy_score, metrics.ndcg_score, metrics.dcg_score),
)

# Regressors whose score is the share of a deviance that they explain, and its power.
OWN_DEVIANCES: Registry[Callable[[Any], float]] = Registry(
    "deviances",
    {
        "sklearn.linear_model.PoissonRegressor": lambda model: 1.0,
        "sklearn.linear_model.GammaRegressor": lambda model: 2.0,
        "sklearn.linear_model.TweedieRegressor": lambda model: float(model.power),
    },
)


@dataclass(frozen=True)
class SmoothScore:
    """A score of which the derivative by the predictions is known.

    Parameters
    ----------
    metric : callable
        ``metric(y, p, w)`` returns the derivative, but for the sign.
    sign : float
        By which the metric is multiplied.
    """

    metric: Metric
    sign: float

    def slopes(self, model: Any, y: Any, weight: Any, prediction: Any) -> Array:
        """Return the derivative by predictions, in their shape.

        Parameters
        ----------
        model : estimator
            Fitted.
        y : array-like
            The targets.
        weight : array-like or None
            Weights of the rows in the score.
        prediction : array-like
            Means, or a probability per class.
        """
        p = np.asarray(prediction, dtype=float)
        rows = p.reshape(len(p), -1)
        if is_classifier(model):
            target = (np.asarray(y).reshape(-1, 1) == model.classes_).astype(float)
        else:
            target = np.asarray(y, dtype=float).reshape(rows.shape)
        w = np.ones(len(p)) if weight is None else np.asarray(weight, dtype=float)
        w = w.reshape(-1, 1) / w.sum()
        return self.sign * self.metric(target, rows, w).reshape(p.shape)


def find_smooth_score(scorer: Any, model: Any) -> SmoothScore | None:
    """Return the derivative of a score, None if it is not known.

    Parameters
    ----------
    scorer : callable
        As scikit-learn makes it of `scoring`.
    model : estimator
        The last step of what is scored, unfitted.
    """
    if is_multimetric(scorer):
        return None
    if asks_for_score(scorer):
        return _own_score(model)
    parts = scorer_parts(scorer)
    if parts is None:
        return None
    function, sign, keywords, method = parts
    if function is metrics.mean_tweedie_deviance and keywords.keys() == {"power"}:
        deviance = partial(_deviance, power=float(keywords["power"]))
        return SmoothScore(deviance, sign) if method == "predict" else None
    expected, metric = SMOOTH.get(function, (None, None))
    # Labels say which classes there are where the test part has not all of them.
    others = keywords.keys() - ({"labels"} if function in OF_CLASSES else set())
    if metric is None or others or method not in (expected, (expected,)):
        return None
    # A model with probabilities is differentiated by these.
    if method == "decision_function" and hasattr(model, "predict_proba"):
        return None
    return SmoothScore(metric, sign)


def smooth_names(model: Any) -> tuple[str, ...]:
    """Return the scores that a model can have a slope of."""
    is_bare = is_classifier(model) and not hasattr(model, "predict_proba")
    return (HINGE,) if is_bare else SMOOTH_NAMES


def missing_method(scorer: Any, model: Any) -> str | None:
    """Return the method that a smooth score asks a model for, None if it has it.

    Parameters
    ----------
    scorer, model : object
        As of `find_smooth_score`.
    """
    parts = None if is_multimetric(scorer) else scorer_parts(scorer)
    if parts is None or parts[0] not in SMOOTH:
        return None
    method = SMOOTH[parts[0]][0]
    return None if hasattr(model, method) else method


def _own_score(model: Any) -> SmoothScore | None:
    """Return the derivative of what `score` of a model returns."""
    power = OWN_DEVIANCES.find(type(model))
    if power is not None:
        metric = partial(_explained_deviance, power=power(model))
        return SmoothScore(metric, 1.0)
    if getattr(type(model), "score", None) is RegressorMixin.score:
        return SmoothScore(_r2, 1.0)
    return None


def why_flat(scorer: Any, model: Any) -> str | None:
    """Return what a score has no slope for, None if it may have one.

    Parameters
    ----------
    scorer, model : object
        As of `find_smooth_score`.
    """
    if is_multimetric(scorer):
        return None
    if asks_for_score(scorer):
        if is_classifier(model):
            return "the share of right classes, which the estimator's score is"
        return None
    parts = scorer_parts(scorer)
    if parts is None:
        return None
    function, _, _, method = parts
    if function in RANKS:
        return f"{function.__name__}, which sees the order of the predictions"
    if is_classifier(model) and method in ("predict", ("predict",)):
        return f"{function.__name__}, which sees predicted classes"
    return None
