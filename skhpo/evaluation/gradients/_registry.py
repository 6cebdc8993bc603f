"""Which classes have a gradient: built in, or registered by users."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from skhpo._registry import Registry, check_registration
from skhpo.evaluation.gradients._adapter import Adapter, has_no_objection
from skhpo.evaluation.gradients._fold import Fold, Slopes
from skhpo.evaluation.gradients._sklearn import SKLEARN_ADAPTERS

__all__ = ["GRADIENTS", "find_adapter", "register_hypergradient"]

GRADIENTS: Registry[Adapter] = Registry("gradients", SKLEARN_ADAPTERS)


def register_hypergradient(
    estimator_class: type | str,
    parameters: Mapping[str, bool],
    function: Callable[[Any, Fold], Slopes | Mapping[str, float]],
    why_not: Callable[[Any], str | None] | None = None,
) -> None:
    """Let :class:`GradientSearch` differentiate by hyperparameters of your estimator.

    Parameters
    ----------
    estimator_class : type or str
        The class, or the name it is imported by (``"package.Class"``). Subclasses are
        not meant: they may fit otherwise. A second registration replaces the first.
    parameters : mapping of str to bool
        Names of its hyperparameters that `function` differentiates by, and whether a
        pair of bounds for them is on a logarithmic scale.
    function : callable
        ``function(model, fold)`` returns a dict: for each of `parameters`, the
        derivative of the score on the test part of this split. `model` is fitted;
        `fold` has ``X_train``, ``y_train``, ``sample_weight`` (None if there is none)
        and ``X_test``, as the model has seen them behind all transformers, and
        ``score_slopes``: it takes the predictions for ``X_test`` (of a classifier, a
        probability per class, or its ``decision_function`` if it has none) and returns
        the derivative of the score by each of them. Change none of these. What you
        raise makes this evaluation one without a gradient, with a warning.
    why_not : callable, optional
        Takes an unfitted model, and returns a sentence part such as "positive=True has
        no gradient" if it has none with its settings, else None.

    Raises
    ------
    TypeError
        If an argument is not of these kinds.

    Notes
    -----
    Test it against central differences of the score. What is registered when a search
    starts is sent to its workers.

    Examples
    --------
    A mean that is shrunk to 0 by a factor; its derivative is known on paper:

    >>> import numpy as np
    >>> from sklearn.base import BaseEstimator, RegressorMixin
    >>> from skhpo import GradientSearch, register_hypergradient
    >>> class ShrunkMean(RegressorMixin, BaseEstimator):
    ...     def __init__(self, alpha=1.0):
    ...         self.alpha = alpha
    ...     def fit(self, X, y):
    ...         self.sum_, self.n_ = np.sum(y), len(y)
    ...         return self
    ...     def predict(self, X):
    ...         return np.full(len(X), self.sum_ / (self.n_ + self.alpha))
    >>> def slopes(model, fold):
    ...     by_prediction = fold.score_slopes(model.predict(fold.X_test))
    ...     by_alpha = -model.sum_ / (model.n_ + model.alpha) ** 2
    ...     return {"alpha": by_prediction.sum() * by_alpha}
    >>> register_hypergradient(ShrunkMean, {"alpha": True}, slopes)
    >>> y = np.random.default_rng(0).normal(0.3, 1.0, 20)
    >>> search = GradientSearch(
    ...     ShrunkMean(), {"alpha": (1e-2, 1e2)}, scoring="neg_mean_squared_error"
    ... ).fit(np.zeros((20, 1)), y)
    >>> 1e-2 <= search.best_params_["alpha"] <= 1e2
    True
    """
    is_table = isinstance(parameters, Mapping) and all(
        isinstance(k, str) and isinstance(v, bool) for k, v in parameters.items()
    )
    check_registration(
        estimator_class,
        (is_table, "parameters must be a dict of str to bool", parameters),
        (callable(function), "function must be callable", function),
        (why_not is None or callable(why_not), "why_not must be callable", why_not),
    )
    adapter = Adapter(dict(parameters), function, why_not or has_no_objection)
    GRADIENTS.add(estimator_class, adapter)


def find_adapter(model: Any) -> Adapter | None:
    """Return how a model is differentiated, None if nobody has said so."""
    return GRADIENTS.find(type(model))
