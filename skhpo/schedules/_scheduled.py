"""An estimator whose parameters follow a schedule while it is trained."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils import get_tags, indexable
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skhpo._rng import seed_sequence
from skhpo._sklearn_compat import (
    HasMethods,
    Interval,
    check_method_params,
    fit_context,
)
from skhpo.evaluation.training._target import labels_of
from skhpo.evaluation.training._training import TrainingPlan
from skhpo.schedules._forms import (
    change_points,
    complete_form,
    values_of,
)
from skhpo.schedules._run import ChangePoints, ScheduleRun

__all__ = ["ScheduledEstimator"]

_NUMBERS = ("form", "start", "end", "hold")


def _has(name: str) -> Callable[[Any], bool]:
    """Return a check for `available_if`: does the estimator have the method?"""

    def check(scheduled: Any) -> bool:
        getattr(getattr(scheduled, "estimator_", scheduled.estimator), name)
        return True

    return check


class ScheduledEstimator(MetaEstimatorMixin, BaseEstimator):
    """Train an estimator step by step, with parameters that change on the way.

    The schedule is a parameter like any other: it is cloned, written as JSON, and
    tuned by every search, number by number (``schedule__eta0__start``).

    Parameters
    ----------
    estimator : estimator object
        What to train: it has ``partial_fit``, or grows by warm start, or is known by
        `register_incremental`; or a pipeline that ends in such a one.
    schedule : dict, list, callable or None, default=None
        None changes nothing.

        - A dict of parameter name to a list of `n_steps` values; to a list of
          ``(step, value)``; to a form, as a name (``"cosine"``) or with its numbers
          (``{"form": "cosine", "start": 0.1, "end": 0.001}``); or to a function
          ``value(step, n_steps)``. The forms are "linear", "exponential", "cosine" and
          "hold_decay" (which has `hold`, the share of the steps before the decay). By
          default they start at the estimator's value and end at a hundredth of it.
        - A list of ``(step, {name: value})``, as ``PBTSearch.best_schedule_``.
        - A policy ``policy(state) -> params``, called after each step with a
          `TrainingState`, such as `ReduceOnPlateau`.
    n_steps : int, default=10
        Training steps: passes over the data, or units of the size parameter.
    resource : str or None, default=None
        The size parameter that grows by warm start; None for ``partial_fit``, or what
        is known of the class.
    batch_size : int or None, default=None
        Rows in each call of ``partial_fit``; None for all of them.
    validation_fraction : float or None, default=None
        Share of the rows that is set apart for the scores that a policy sees.
    scoring : str, callable or None, default=None
        These scores, as in scikit-learn.
    random_state : int, RandomState or None, default=None
        Seed of the order of the rows and of the estimator.

    Attributes
    ----------
    estimator_ : estimator
        The trained estimator.
    schedule_ : list of (int, dict)
        The change points that were gone through.
    classes_ : ndarray of shape (n_classes,)
        Class labels, of a classifier.
    n_features_in_ : int
        Number of features seen in ``fit``, if the estimator tells.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, if the estimator tells.

    See Also
    --------
    PBTSearch : Finds a schedule.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import SGDClassifier
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skhpo import ScheduledEstimator
    >>> X, y = load_iris(return_X_y=True)
    >>> sgd = SGDClassifier(learning_rate="constant", eta0=0.1)
    >>> model = ScheduledEstimator(sgd, {"eta0": "cosine"}, n_steps=20, random_state=0)
    >>> grid = {"schedule__eta0__start": [0.01, 0.1], "schedule__eta0__end": [1e-3]}
    >>> search = GridSearchCV(model, grid).fit(X, y)
    >>> round(search.score(X, y), 1)
    1.0
    """

    _parameter_constraints: ClassVar[dict] = {
        "estimator": [HasMethods(["fit"])],
        "schedule": [dict, list, tuple, callable, None],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
        "resource": [str, None],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither"), None],
        "scoring": [str, callable, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        schedule: Any = None,
        n_steps: int = 10,
        *,
        resource: str | None = None,
        batch_size: int | None = None,
        validation_fraction: float | None = None,
        scoring: Any = None,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.schedule = schedule
        self.n_steps = n_steps
        self.resource = resource
        self.batch_size = batch_size
        self.validation_fraction = validation_fraction
        self.scoring = scoring
        self.random_state = random_state

    # --- parameters -------------------------------------------------------------------

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters; with `deep`, also the numbers of named forms.

        Parameters
        ----------
        deep : bool, default=True
            Whether to return ``estimator__*`` and ``schedule__*`` as well.

        Returns
        -------
        dict
            Values by name.
        """
        params = super().get_params(deep=deep)
        if deep and isinstance(self.schedule, Mapping):
            for name, spec in self.schedule.items():
                if isinstance(spec, str | Mapping):
                    form = self._form(name, spec)
                    params |= {f"schedule__{name}__{key}": form[key] for key in form}
        return params

    def set_params(self, **params: Any) -> ScheduledEstimator:
        """Set parameters, also the numbers of named forms (``schedule__eta0__end``).

        Parameters
        ----------
        **params : dict
            Values by name.

        Returns
        -------
        self : object
            The estimator.
        """
        if "schedule" in params:
            self.schedule = params.pop("schedule")
        if not isinstance(self.schedule, Mapping):
            return super().set_params(**params)
        numbers = {n: v for n, v in params.items() if n.startswith("schedule__")}
        super().set_params(**{n: v for n, v in params.items() if n not in numbers})
        schedule = dict(self.schedule)
        for key, value in numbers.items():
            name, _, number = key.removeprefix("schedule__").rpartition("__")
            spec = schedule.get(name)
            if number not in _NUMBERS or not isinstance(spec, str | Mapping):
                raise ValueError(
                    f"Invalid parameter {key!r} for estimator {self}: a named form in "
                    f"the schedule of {name!r} has {list(_NUMBERS)}."
                )
            form = {"form": spec} if isinstance(spec, str) else dict(spec)
            schedule[name] = {**form, number: value}
        if numbers:
            self.schedule = schedule  # a new one: the old may be somebody else's
        return self

    def _form(self, name: str, spec: Any) -> dict[str, Any]:
        """Return the numbers of a form, as far as they make sense."""
        try:
            return complete_form(spec, self.estimator.get_params().get(name))
        except (ValueError, AttributeError):
            return {"form": spec} if isinstance(spec, str) else dict(spec)

    # --- training ---------------------------------------------------------------------

    @fit_context(prefer_skip_nested_validation=False)  # the inner one is not validated
    def fit(self, X: Any, y: Any = None, **fit_params: Any) -> ScheduledEstimator:
        """Train along the schedule.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Target.
        **fit_params : dict
            Sample weights and the like, for the estimator.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the estimator cannot be trained step by step, or if a change of the
            schedule would have no effect, or act on what has been learned already.
        """
        if y is None and get_tags(self.estimator).target_tags.required:
            raise ValueError(
                f"{type(self.estimator).__name__} requires y to be passed, but the "
                "target y is None"
            )
        X, y = indexable(X, y)
        fit_params = check_method_params(X, params=fit_params)
        plan = TrainingPlan(
            seed_sequence(self.random_state),
            self.resource,
            self.batch_size,
            labels_of(y, self.estimator),
        )
        training = plan.training(X, y, -1)
        run = ScheduleRun(
            self.estimator,
            replace(training, n_steps=self.n_steps, fit_params=fit_params),
            self._change_points(),
            policy=self.schedule if callable(self.schedule) else None,
            resource=self.resource,
            scoring=self.scoring,
            validation_fraction=self.validation_fraction,
        )
        self.estimator_ = run.train()
        self.schedule_ = run.schedule
        if hasattr(self.estimator_, "n_features_in_"):
            self.n_features_in_ = self.estimator_.n_features_in_
        if hasattr(self.estimator_, "feature_names_in_"):
            self.feature_names_in_ = self.estimator_.feature_names_in_
        return self

    def _change_points(self) -> ChangePoints:
        """Return the schedule as change points; none for a policy."""
        if self.schedule is None or callable(self.schedule):
            return []
        if not isinstance(self.schedule, Mapping):
            return [(int(step), dict(params)) for step, params in self.schedule]
        own = self.estimator.get_params()
        columns = {
            name: values_of(spec, self.n_steps, own.get(name))
            for name, spec in self.schedule.items()
        }
        return change_points(columns)

    # --- what the estimator does ------------------------------------------------------

    @property
    def classes_(self) -> np.ndarray:
        """Class labels, of a classifier."""
        check_is_fitted(self, "estimator_")
        return self.estimator_.classes_

    @available_if(_has("predict"))
    def predict(self, X: Any, **params: Any) -> Any:
        """Predict with the trained estimator."""
        check_is_fitted(self)
        return self.estimator_.predict(X, **params)

    @available_if(_has("predict_proba"))
    def predict_proba(self, X: Any, **params: Any) -> Any:
        """Predict probabilities with the trained estimator."""
        check_is_fitted(self)
        return self.estimator_.predict_proba(X, **params)

    @available_if(_has("predict_log_proba"))
    def predict_log_proba(self, X: Any, **params: Any) -> Any:
        """Predict logarithms of probabilities with the trained estimator."""
        check_is_fitted(self)
        return self.estimator_.predict_log_proba(X, **params)

    @available_if(_has("decision_function"))
    def decision_function(self, X: Any, **params: Any) -> Any:
        """Return the decision function of the trained estimator."""
        check_is_fitted(self)
        return self.estimator_.decision_function(X, **params)

    @available_if(_has("transform"))
    def transform(self, X: Any, **params: Any) -> Any:
        """Transform with the trained estimator."""
        check_is_fitted(self)
        return self.estimator_.transform(X, **params)

    @available_if(_has("transform"))
    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> Any:
        """Train along the schedule, then transform `X`."""
        return self.fit(X, y, **fit_params).transform(X)

    @available_if(_has("get_feature_names_out"))
    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Return the names of the columns that the trained estimator puts out."""
        check_is_fitted(self)
        return self.estimator_.get_feature_names_out(input_features)

    @available_if(_has("set_output"))
    def set_output(self, *, transform: str | None = None) -> ScheduledEstimator:
        """Choose the container of what the estimator returns, as in scikit-learn."""
        self.estimator.set_output(transform=transform)
        if hasattr(self, "estimator_"):
            self.estimator_.set_output(transform=transform)
        return self

    @available_if(_has("score"))
    def score(self, X: Any, y: Any = None, **params: Any) -> float:
        """Return the trained estimator's score."""
        check_is_fitted(self)
        return self.estimator_.score(X, y, **params)

    def __sklearn_is_fitted__(self) -> bool:
        """Whether ``fit`` has been called."""
        return hasattr(self, "estimator_")

    def __sklearn_tags__(self) -> Any:
        """Return the tags of the estimator inside."""
        tags = super().__sklearn_tags__()
        inner = copy.deepcopy(get_tags(self.estimator))
        tags.estimator_type = inner.estimator_type
        tags.classifier_tags = inner.classifier_tags
        tags.regressor_tags = inner.regressor_tags
        tags.transformer_tags = inner.transformer_tags
        tags.target_tags = inner.target_tags
        tags.input_tags = inner.input_tags
        return tags
