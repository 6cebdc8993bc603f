"""Stages: one fit gives, bit for bit, what fits with fewer iterations give.

For each class with stages: its outputs, and the rows of a search, which must be what
``cross_val_score`` gives for their params, alone and at the end of a pipeline.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin, clone, is_classifier
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skhpo import GridSearch, register_stages
from skhpo.evaluation.fitting._stages import stage_views
from skhpo.evaluation.paths._sklearn_stages import SKLEARN_STAGES
from skhpo.evaluation.paths._stage_registry import STAGES, find_stages
from skhpo.exceptions import InvalidSpaceError, SkhpoWarning
from skhpo.space import Curve

SEED = {"random_state": 0}
SMALL = {"max_depth": 2, **SEED}
X, Y = make_classification(120, 6, n_informative=4, random_state=0)
X3, Y3 = make_classification(120, 6, n_informative=4, n_classes=3, random_state=1)
X_REG, Y_REG = make_regression(120, 6, noise=5.0, random_state=0)
POSITIVE = np.abs(Y_REG) + 1.0
STUMP = DecisionTreeClassifier(max_depth=1)

CLASSIFIERS = [
    AdaBoostClassifier(**SEED),
    AdaBoostClassifier(STUMP, learning_rate=0.5, **SEED),
    BaggingClassifier(max_features=0.5, **SEED),
    BaggingClassifier(SVC(), max_samples=0.5, **SEED),
    BaggingClassifier(LogisticRegression(), bootstrap_features=True, **SEED),
    ExtraTreesClassifier(**SMALL),
    GradientBoostingClassifier(subsample=0.5, max_features=2, **SMALL),
    HistGradientBoostingClassifier(max_features=0.5, **SMALL),
    RandomForestClassifier(class_weight="balanced", **SMALL),
]
REGRESSORS = [
    (AdaBoostRegressor(**SEED), Y_REG),
    (BaggingRegressor(max_features=0.5, bootstrap=False, **SEED), Y_REG),
    (ExtraTreesRegressor(**SMALL), Y_REG),
    (GradientBoostingRegressor(loss="huber", **SMALL), Y_REG),
    (HistGradientBoostingRegressor(loss="poisson", **SMALL), POSITIVE),
    (RandomForestRegressor(**SMALL), Y_REG),
    (RandomForestRegressor(**SMALL), np.c_[Y_REG, POSITIVE]),
]
CASES = [
    *((classifier, X, Y) for classifier in CLASSIFIERS),
    *((classifier, X3, Y3) for classifier in CLASSIFIERS),
    (RandomForestClassifier(**SMALL), X, np.c_[Y, Y3]),
    (GradientBoostingClassifier(loss="exponential", **SMALL), X, Y),
    *((regressor, X_REG, y) for regressor, y in REGRESSORS),
]


def ids(case):
    """Return a name for a case of a parametrized test."""
    return type(case).__name__ if isinstance(case, BaseEstimator) else ""


def test_every_class_with_stages_is_tested():
    """A new entry needs a case."""
    tested = {type(estimator).__name__ for estimator, _, _ in CASES}
    assert tested == {name.rpartition(".")[2] for name in SKLEARN_STAGES}


@pytest.mark.thinned
@pytest.mark.parametrize(("estimator", "X", "y"), CASES, ids=ids)
def test_stages_equal_fits_with_fewer_iterations(estimator, X, y):
    """In all outputs, at any selection of stages."""
    counts = (1, 3, 4, 9)
    stages = find_stages(estimator)
    (name,) = stages.parameters
    whole = clone(estimator).set_params(**{name: counts[-1]}).fit(X[:80], y[:80])
    plain = [
        clone(estimator).set_params(**{name: count}).fit(X[:80], y[:80])
        for count in counts
    ]
    for method in ("predict", "predict_proba", "decision_function"):
        if hasattr(whole, method):
            outputs = stages.outputs(whole, X[80:], method, counts)
            for fitted, output in zip(plain, outputs, strict=True):
                expected = getattr(fitted, method)(X[80:])
                if not isinstance(expected, list):  # as it is of several targets
                    output, expected = [output], [expected]
                for one, other in zip(output, expected, strict=True):
                    np.testing.assert_array_equal(one, other, strict=True)


@pytest.mark.thinned
@pytest.mark.parametrize(
    ("estimator", "X", "y"),
    # No score of scikit-learn takes several targets that are classes.
    [case for case in CASES if not (is_classifier(case[0]) and case[2].ndim == 2)],
    ids=ids,
)
@pytest.mark.parametrize("in_pipeline", [False, True])
def test_a_row_is_what_cross_validation_gives(estimator, X, y, in_pipeline):
    """For the params that it shows: so refit and best_params_ need nothing more."""
    name = find_stages(estimator).parameters[0]
    scoring = "neg_log_loss" if is_classifier(estimator) else None
    if in_pipeline:
        estimator = make_pipeline(StandardScaler(), estimator)
        name = f"{estimator.steps[-1][0]}__{name}"
    cv = KFold(2)
    with warnings.catch_warnings():  # the best may well be the largest number here
        warnings.simplefilter("ignore", SkhpoWarning)
        search = GridSearch(estimator, {name: Curve(6)}, scoring=scoring, cv=cv)
        search.fit(X, y)
    (params,) = search.cv_results_["params"]
    chosen = clone(estimator).set_params(**params)
    expected = cross_val_score(chosen, X, y, cv=cv, scoring=scoring)
    scores = [search.cv_results_[f"split{i}_test_score"][0] for i in range(2)]
    assert scores == expected.tolist()
    assert search.best_estimator_.get_params()[name] == params[name]
    assert search.reuse_.n_fits == (4 if in_pipeline else 2)


def test_a_stage_knows_the_outputs_for_its_rows_only():
    """Whoever asks for others is refused, and not answered wrongly."""
    fitted = AdaBoostClassifier(n_estimators=3, **SEED).fit(X, Y)
    view = next(stage_views(fitted, X, [1, 3]))
    np.testing.assert_array_equal(view.classes_, fitted.classes_)
    assert not hasattr(view, "transform")
    with pytest.raises(ValueError, match="given rows only"):
        view.predict(X.copy())


class Ramp(RegressorMixin, BaseEstimator):
    """Predicts a multiple of the mean."""

    def __init__(self, n_steps=1):
        self.n_steps = n_steps

    def fit(self, X, y):
        self.step_ = np.mean(y) / 4
        return self

    def predict(self, X):
        return np.full(len(X), self.n_steps * self.step_)


def climb(fitted, X, method):
    """Yield the predictions of all stages, but for the last ones."""
    for n_steps in range(1, 9):
        yield np.full(len(X), n_steps * fitted.step_)


@pytest.fixture
def registry():
    """Forget what a test registers."""
    added = dict(STAGES.added)
    yield
    STAGES.added.clear()
    STAGES.added.update(added)


def test_users_teach_stages(registry):
    """Of a class of their own; a generator that ends early repeats its last output."""
    with pytest.raises(InvalidSpaceError, match="Ramp has no stages along it"):
        GridSearch(Ramp(), {"n_steps": Curve(20)}).fit(X_REG, POSITIVE)
    register_stages(Ramp, "n_steps", climb)
    search = GridSearch(Ramp(), {"n_steps": Curve(20)}, cv=2, n_jobs=2)
    search.fit(X_REG, POSITIVE)
    scores = search.curve_of(0).scores
    assert (scores[:, 8:] == scores[:, [7]]).all()
    one = cross_val_score(Ramp(2), X_REG, POSITIVE, cv=2)
    assert scores[:, 1].tolist() == one.tolist()


class Thrifty(Ramp):
    """Has a score of its own, which looks at more than the predictions."""

    def score(self, X, y):
        return super().score(X, y) - self.n_steps


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_an_estimator_with_a_score_of_its_own_is_fitted_for_each_number(
    registry, in_pipeline
):
    """A stage has outputs only; what else the score looks at is that of the fit."""
    register_stages(Thrifty, "n_steps", climb)
    make = (lambda n: make_pipeline(Thrifty(n))) if in_pipeline else Thrifty
    name = "thrifty__n_steps" if in_pipeline else "n_steps"
    search = GridSearch(make(1), {name: Curve(4)}, cv=2).fit(X_REG, POSITIVE)
    for n in range(1, 5):
        expected = cross_val_score(make(n), X_REG, POSITIVE, cv=2)
        assert search.curve_of(0).scores[:, n - 1].tolist() == expected.tolist()


def climb_twice(fitted, X, method):
    """Yield something else than `climb`."""
    for n_steps in range(1, 9):
        yield np.full(len(X), 2 * n_steps * fitted.step_)


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_a_journal_knows_by_which_stages_a_curve_was_scored(
    registry, tmp_path, in_pipeline
):
    """Those that users registered may be edited; it knows the same ones again."""
    estimator = make_pipeline(StandardScaler(), Ramp()) if in_pipeline else Ramp()
    space = {"ramp__n_steps" if in_pipeline else "n_steps": Curve(6)}
    n_fits = []
    for stages in (climb, climb_twice, climb):
        register_stages(Ramp, "n_steps", stages)
        search = GridSearch(estimator, space, cv=2, journal=tmp_path / "j.db")
        n_fits.append(search.fit(X_REG, POSITIVE).reuse_.n_fits)
    n = 4 if in_pipeline else 2
    assert n_fits == [n, n, 0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((Ramp(), "n_steps", climb), "must be a class"),
        ((Ramp, 3, climb), "parameter must be a str"),
        ((Ramp, "n_steps", None), "stages must be callable"),
    ],
)
def test_what_is_no_registration_is_refused(arguments, message):
    """With the name of the argument."""
    with pytest.raises(TypeError, match=message):
        register_stages(*arguments)
