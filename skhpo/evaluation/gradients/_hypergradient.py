"""The gradient of a score on one split, through a pipeline to its parameters."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.pipeline import Pipeline

from skhpo._printable import printable
from skhpo._trial import Gradient
from skhpo.evaluation.gradients._adapter import Adapter
from skhpo.evaluation.gradients._fold import Fold, Slopes
from skhpo.evaluation.gradients._group_scaler import PREFIX, GroupScaler
from skhpo.evaluation.gradients._registry import find_adapter
from skhpo.evaluation.gradients._scores import SmoothScore

__all__ = ["Hypergradient", "differentiable", "last_step", "why_no_gradient"]

# Of classes that have no gradient here, why.
LIKELIHOOD = (
    ": its fit climbs the marginal likelihood of its kernel's parameters by gradients "
    "itself (optimizer='fmin_l_bfgs_b')"
)
ELSEWHERE = dict.fromkeys(
    ("GaussianProcessRegressor", "GaussianProcessClassifier"), LIKELIHOOD
)

Steps = list[tuple[str, Any]]


def steps_of(estimator: Any, prefix: str = "") -> Steps:
    """Return the steps of a pipeline, by the prefix of their parameters."""
    if type(estimator) is not Pipeline:
        return [(prefix, estimator)]
    steps: Steps = []
    for name, step in estimator.steps:
        if step is not None and step != "passthrough":
            steps += steps_of(step, f"{prefix}{name}__")
    return steps


def last_step(estimator: Any) -> Any:
    """Return the model at the end of an estimator, whatever is before it."""
    return steps_of(estimator)[-1][1]


def why_no_gradient(estimator: Any) -> str | None:
    """Return why an unfitted estimator has no gradient, None if it has."""
    model = last_step(estimator)
    adapter = find_adapter(model)
    if adapter is None:
        name = type(model).__name__
        return f"{name} has no gradient" + ELSEWHERE.get(name, "")
    reason = adapter.why_not(model)
    return None if reason is None else f"{type(model).__name__}: {reason}"


def differentiable(estimator: Any) -> dict[str, bool]:
    """Return the parameters with a derivative, and whether each has a log scale.

    Parameters
    ----------
    estimator : estimator
        Unfitted, with a gradient.
    """
    *before, (prefix, model) = steps_of(estimator)
    adapter = find_adapter(model)
    assert adapter is not None, "there would be nothing to ask for"
    found = {prefix + name: is_log for name, is_log in adapter.parameters.items()}
    return found | {name: False for name, _ in _scales(before, fitted=False)}


@dataclass(frozen=True)
class Hypergradient:
    """Differentiates the score of a candidate on a split.

    Parameters
    ----------
    score : SmoothScore
        What is differentiated.
    names : tuple of str
        By which parameters.
    identity : object, default=None
        What else decides it, for a journal: an adapter that users registered.
    """

    score: SmoothScore
    names: tuple[str, ...]
    identity: Any = None

    def __call__(self, estimator: Any, data: Any) -> Gradient:
        """Return the gradient of a fitted estimator; what went wrong, if it did.

        Parameters
        ----------
        estimator : estimator
            Fitted.
        data : SplitData
            The split.
        """
        try:
            slopes = self._slopes(estimator, data)
        except Exception as error:
            return Gradient({}, printable(f"{type(error).__name__}: {error}"))
        if not np.isfinite(list(slopes.values())).all():
            return Gradient({}, "Its derivatives are not finite.")
        return Gradient(slopes)

    def _slopes(self, estimator: Any, data: Any) -> dict[str, float]:
        *before, (prefix, model) = steps_of(estimator)
        adapter = find_adapter(model)
        assert adapter is not None, "it was there when the search began"
        given = _as_slopes(adapter, model, self._fold(estimator, data, before, model))
        found = {prefix + name: float(v) for name, v in given.params.items()}
        for name, columns in _scales(before, fitted=True):
            if name in self.names:
                if given.columns is None:
                    raise ValueError(
                        f"The gradient of {type(model).__name__} says nothing of the "
                        "scales of columns."
                    )
                found[name] = float(np.sum(np.asarray(given.columns)[columns]))
        missing = [name for name in self.names if name not in found]
        if missing:
            raise ValueError(
                f"{missing} have no effect with the other settings of {model!r}."
            )
        return {name: found[name] for name in self.names}

    def _fold(self, estimator: Any, data: Any, before: Steps, model: Any) -> Fold:
        X_train, X_test = data.X_train, data.X_test
        for _, step in before:
            X_train, X_test = step.transform(X_train), step.transform(X_test)
        weight = data.score_params_test.get("sample_weight")

        def score_slopes(prediction: Any) -> Any:
            return self.score.slopes(model, data.y_test, weight, prediction)

        own = _sample_weight(estimator, data.fit_params)
        return Fold(X_train, data.y_train, own, X_test, score_slopes)


def _as_slopes(adapter: Adapter, model: Any, fold: Fold) -> Slopes:
    given = adapter.slopes(model, fold)
    return given if isinstance(given, Slopes) else Slopes(given)


def _sample_weight(estimator: Any, fit_params: Mapping[str, Any]) -> Any:
    """Return the weights that the last step was fitted with, None for none."""
    if not hasattr(estimator, "steps"):
        return fit_params.get("sample_weight")
    if not get_config()["enable_metadata_routing"]:
        name, last = estimator.steps[-1]
        start = name + "__"
        own = {
            k.removeprefix(start): v
            for k, v in fit_params.items()
            if k.startswith(start)
        }
        return _sample_weight(last, own)
    request = last_step(estimator).get_metadata_routing().fit.requests
    asked = request.get("sample_weight")
    if isinstance(asked, str):
        return fit_params.get(asked)
    return fit_params.get("sample_weight") if asked is True else None


def _scales(before: Steps, *, fitted: bool) -> Iterator[tuple[str, Any]]:
    """Yield the logarithms of scales that nothing but the last step sees.

    Parameters
    ----------
    before : list of (str, estimator)
        The steps before the last one.
    fitted : bool
        Whether to give the columns of each, which are known after the fit.

    Yields
    ------
    name : str
        Of the parameter.
    columns : ndarray, slice or None
        Those of the last step's data that are scaled by it.
    """
    for prefix, step in reversed(before):
        if _is_column_transformer(step):
            yield from _scales_of_parts(prefix, step, fitted=fitted)
        if not isinstance(step, GroupScaler):
            return
        yield from _scales_of_groups(prefix, step, fitted=fitted)


def _scales_of_groups(
    prefix: str, step: GroupScaler, *, fitted: bool
) -> Iterator[tuple[str, Any]]:
    by_group = step.columns_of_groups() if fitted else dict.fromkeys(step._logs())
    if step.groups is not None:
        for name, columns in by_group.items():
            yield f"{prefix}{PREFIX}{name}", columns
    if isinstance(step.log_scale, int | float):
        every = np.concatenate(list(by_group.values())) if fitted else None
        yield f"{prefix}{PREFIX.removesuffix('__')}", every


def _scales_of_parts(
    prefix: str, step: Any, *, fitted: bool
) -> Iterator[tuple[str, Any]]:
    """Yield the scales at the ends of the parts of a ColumnTransformer."""
    parts = step.transformers_ if fitted else step.transformers
    for part, transformer, _ in parts:
        if isinstance(transformer, str):  # "drop" or "passthrough"
            continue
        inner = steps_of(transformer, f"{prefix}{part}__")
        for name, columns in _scales(inner, fitted=fitted):
            if fitted:
                columns = columns + step.output_indices_[part].start
            yield name, columns


def _is_column_transformer(step: Any) -> bool:
    """Whether it is one; whoever has one has imported its module."""
    module = sys.modules.get("sklearn.compose")
    return module is not None and type(step) is module.ColumnTransformer
