"""The stages of scikit-learn's classes.

Each entry is here because its stages equal fits with fewer iterations bit for bit, in
``tests/test_stages.py``. The ``staged_*`` methods of AdaBoost do not (an order of
1e-16): they sum weights in another order than its ``predict``.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from skhpo.evaluation.paths._stages import EachStage, Stages

__all__ = ["SKLEARN_STAGES", "warm_start"]


def _staged(fitted: Any, X: Any, method: str) -> Iterator[Any]:
    """Yield the outputs of a class that has methods such as ``staged_predict``."""
    for output in getattr(fitted, f"staged_{method}")(X):
        # GradientBoostingClassifier keeps a column here, and not in the plain method.
        is_column = method == "decision_function" and output.shape[1:] == (1,)
        yield output.ravel() if is_column else output


@dataclass(frozen=True)
class MeanOfMembers:
    """Members that are averaged: forests and bagging.

    Parameters
    ----------
    members : tuple of str
        The fitted attributes with one entry per member.
    """

    members: tuple[str, ...]

    def __call__(
        self, fitted: Any, X: Any, method: str, counts: Sequence[int]
    ) -> Iterator[Any]:
        """Yield means of more and more members, added in the order of a fit."""
        if method == "predict" and hasattr(fitted, "predict_proba"):
            for proba in self(fitted, X, "predict_proba", counts):
                yield _answering(fitted, "predict_proba", proba).predict(X)
            return
        total, n_done = None, 0
        for count in counts:
            for number in range(n_done, count):
                output = getattr(self._alone(fitted, number), method)(X)
                total = output if total is None else _sum(total, output)
            n_done = count
            yield _divided(total, count)

    def _alone(self, fitted: Any, number: int) -> Any:
        """Return an ensemble of one member."""
        alone = copy.copy(fitted).set_params(n_estimators=1)
        for name in self.members:
            setattr(alone, name, getattr(fitted, name)[number : number + 1])
        return alone


def _sum(total: Any, output: Any) -> Any:
    if isinstance(total, list):  # of several targets
        return [one + other for one, other in zip(total, output, strict=True)]
    return total + output


def _divided(total: Any, count: int) -> Any:
    if isinstance(total, list):
        return [one / count for one in total]
    return total / count


def _answering(fitted: Any, method: str, output: Any) -> Any:
    """Return the estimator with a method whose output is known."""
    answering = copy.copy(fitted)
    setattr(answering, method, lambda X, **params: output)
    return answering


class Remembered:
    """A member that predicts once, and is asked for it by many ensembles."""

    def __init__(self, member: Any) -> None:
        self._member = member
        self._output: Any = None

    def predict(self, X: Any) -> Any:
        """Return the prediction for the only `X` there is."""
        if self._output is None:
            self._output = self._member.predict(X)
        return self._output


def _weighted(fitted: Any, X: Any, method: str, counts: Sequence[int]) -> Iterator[Any]:
    """Yield the outputs of AdaBoost with its first members, each predicting once."""
    members = [Remembered(member) for member in fitted.estimators_]
    for count in counts:
        first = copy.copy(fitted)
        first.estimators_ = members[:count]
        first.estimator_weights_ = fitted.estimator_weights_[:count]
        yield getattr(first, method)(X)


def warm_start(estimator: Any, n_rows: int) -> str | None:
    """Say why the fit of an estimator that goes on from an earlier one is refused."""
    if not getattr(estimator, "warm_start", False):
        return None
    return "With warm_start=True, a fit goes on from an earlier one. Set it to False."


def _hist_boosting(estimator: Any, n_rows: int) -> str | None:
    if estimator.early_stopping == "auto" and n_rows > 10_000:
        return (
            "early_stopping='auto' stops early by itself on more than 10000 rows, and "
            "the Curve does so better, by the held-out rows of all splits. Set "
            "early_stopping=False."
        )
    if estimator.early_stopping not in (False, "auto"):
        return (
            f"early_stopping={estimator.early_stopping!r} would be a second way to "
            "choose the number of iterations. Set early_stopping=False."
        )
    return warm_start(estimator, n_rows)


def _boosting(estimator: Any, n_rows: int) -> str | None:
    if estimator.n_iter_no_change is not None:
        return (
            f"n_iter_no_change={estimator.n_iter_no_change!r} would be a second way to "
            "choose the number of iterations. Set n_iter_no_change=None."
        )
    return warm_start(estimator, n_rows)


@dataclass(frozen=True)
class WarmStart:
    """To go on by ``warm_start=True``.

    Parameters
    ----------
    parameter : str
        The number of iterations.
    """

    parameter: str

    def applies(self, estimator: Any) -> bool:
        """Whether a warm start draws what one fit draws, and says nothing."""
        params = estimator.get_params(deep=False)
        has_seed = params["random_state"] is None or isinstance(
            params["random_state"], Integral
        )  # a generator would be further on
        # Forests warn of such weights, and Bagging refuses such scores.
        return has_seed and not (
            isinstance(params.get("class_weight"), str) or params.get("oob_score")
        )

    def prepare(self, model: Any, count: int) -> None:
        """Have the next fit add what is missing."""
        model.set_params(warm_start=True, **{self.parameter: count})


_MEMBERS = WarmStart("n_estimators")
_FOREST = Stages(
    ("n_estimators",), MeanOfMembers(("estimators_",)), warm_start, _MEMBERS
)
_BAGGING = Stages(
    ("n_estimators",),
    MeanOfMembers(("estimators_", "estimators_features_")),
    warm_start,
    _MEMBERS,
)
_ADA_BOOST = Stages(("n_estimators",), _weighted, warm_start)
_BOOSTING = Stages(("n_estimators",), EachStage(_staged), _boosting, _MEMBERS)
_HIST_BOOSTING = Stages(
    ("max_iter",), EachStage(_staged), _hist_boosting, WarmStart("max_iter")
)

SKLEARN_STAGES: dict[str, Stages] = {
    "sklearn.ensemble.AdaBoostClassifier": _ADA_BOOST,
    "sklearn.ensemble.AdaBoostRegressor": _ADA_BOOST,
    "sklearn.ensemble.BaggingClassifier": _BAGGING,
    "sklearn.ensemble.BaggingRegressor": _BAGGING,
    "sklearn.ensemble.ExtraTreesClassifier": _FOREST,
    "sklearn.ensemble.ExtraTreesRegressor": _FOREST,
    "sklearn.ensemble.GradientBoostingClassifier": _BOOSTING,
    "sklearn.ensemble.GradientBoostingRegressor": _BOOSTING,
    "sklearn.ensemble.HistGradientBoostingClassifier": _HIST_BOOSTING,
    "sklearn.ensemble.HistGradientBoostingRegressor": _HIST_BOOSTING,
    "sklearn.ensemble.RandomForestClassifier": _FOREST,
    "sklearn.ensemble.RandomForestRegressor": _FOREST,
}
