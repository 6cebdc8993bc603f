"""The table of values that a class inherits counts where its fits go by it."""

from numbers import Real
from typing import ClassVar

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.utils.discovery import all_estimators

from skhpo import BayesSearch, GridSearch, PBTSearch, RandomSearch
from skhpo._sklearn_compat import Interval, InvalidParameterError
from skhpo.search._check import _constraints

X = np.random.RandomState(0).normal(size=(40, 6))
Y = (X[:, 0] > 0).astype(int)


class ShareFit:
    """Takes `k` for a share of the columns."""

    def fit(self, X, y=None):
        k = max(1, round(self.k * X.shape[1]))
        self.inner_ = SelectKBest(self.score_func, k=k).fit(X, y)
        return self

    def _get_support_mask(self):
        return self.inner_._get_support_mask()

    def transform(self, X):
        return self.inner_.transform(X)


class OverridesFit(ShareFit, SelectKBest):
    """By a mixin that stands before the parent."""


class InheritsThat(OverridesFit):
    """Its own parent has overridden it."""


class OverridesBoth(SelectKBest):
    """In its own body; what a pipeline calls is `fit_transform`."""

    fit = ShareFit.fit
    _get_support_mask = ShareFit._get_support_mask

    def fit_transform(self, X, y=None):
        return self.fit(X, y).inner_.transform(X)


class OverridesTheCheck(SelectKBest):
    """And reads the parameter in its own way later on."""

    def _validate_params(self):
        """Accepts anything."""

    def _get_support_mask(self):
        k = max(1, round(self.k * len(self.scores_)))
        return self.scores_ >= np.sort(self.scores_)[-k]

    def _check_params(self, X, y):
        """Accepts anything."""


class OverridesTheSetting(SelectKBest):
    """Turns a share into a number as soon as it is set."""

    def set_params(self, **params):
        if "k" in params:
            params["k"] = max(1, round(params["k"] * 6))
        return super().set_params(**params)


OWN = [
    OverridesFit,
    InheritsThat,
    OverridesBoth,
    OverridesTheCheck,
    OverridesTheSetting,
]


@pytest.mark.parametrize("cls", OWN)
@pytest.mark.parametrize(
    "make",
    [
        GridSearch,
        lambda e, space, **k: RandomSearch(e, space, n_iter=2, **k),
        lambda e, space, **k: BayesSearch(e, space, n_iter=2, **k),
    ],
    ids=["grid", "random", "bayes"],
)
def test_a_meaning_of_its_own(cls, make):
    """The parent would refuse a share."""
    pipeline = make_pipeline(cls(), LogisticRegression())
    search = make(pipeline, {f"{cls.__name__.lower()}__k": [0.3, 0.6]}, cv=3)
    search.fit(X, Y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


class OnlyScores(SelectKBest):
    """Fits as its parent does, and so checks as that does."""

    def score(self, X, y=None):
        return 0.0

    def transform(self, X):
        return super().transform(X) * 2


class TableOfItsOwn(SelectKBest):
    """Fits as it likes, and says which values it takes."""

    _parameter_constraints: ClassVar[dict] = {
        **SelectKBest._parameter_constraints,
        "k": [Interval(Real, 0, 1, closed="both")],
    }
    fit = ShareFit.fit


class MoreParameters(LogisticRegression):
    """A parameter more, and the parent's fit."""

    def __init__(self, C=1.0, name=""):
        super().__init__(C=C)
        self.name = name


@pytest.mark.parametrize(
    ("estimator", "name", "value"),
    [
        (OnlyScores(), "k", 0.5),
        (TableOfItsOwn(), "k", 2.0),
        (MoreParameters(), "C", -1.0),
    ],
)
@pytest.mark.parametrize("make", [GridSearch, PBTSearch])
def test_a_table_that_holds_is_heeded(estimator, name, value, make):
    """Before the first fit, in the words of the estimator."""
    search = make(estimator, {name: [value, value * 2]}, scoring=lambda *_: 0.0)
    with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter of"):
        search.fit(X, Y)


@pytest.mark.parametrize(
    ("name", "cls"), all_estimators(), ids=lambda arg: str(arg)[:40]
)
def test_the_tables_of_scikit_learn_hold(name, cls):
    """Wherever in its house fit and table are defined."""
    table = getattr(cls, "_parameter_constraints", {})
    assert all(_constraints(cls, parameter) == table for parameter in table)


def test_without_a_table_nothing_is_checked():
    """Any value may be right."""
    assert _constraints(BaseEstimator, "a") == {}
    assert _constraints(ShareFit, "k") == {}


class Named(Ridge):
    """Its penalty may have a name: the setter knows the number."""

    @property
    def alpha(self):
        return self._alpha

    @alpha.setter
    def alpha(self, value):
        self._alpha = {"weak": 0.1, "strong": 10.0}.get(value, value)


def test_a_property_may_take_other_values():
    """What it is set to is for the property to judge."""
    search = GridSearch(Named(), {"alpha": ["weak", "strong"]}, cv=3, refit=False)
    scores = search.fit(X, Y).cv_results_["mean_test_score"]
    plain = GridSearch(Ridge(), {"alpha": [0.1, 10.0]}, cv=3, refit=False).fit(X, Y)
    np.testing.assert_array_equal(scores, plain.cv_results_["mean_test_score"])
