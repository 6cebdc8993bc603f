"""New estimators are what `clone` and `set_params` would have made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.linear_model import Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import all_estimators

from skhpo.evaluation.fitting import _prototype
from skhpo.evaluation.fitting._prototype import Prototype


def made_by_scikit_learn(estimator: Any, params: dict[str, Any]) -> Any:
    return clone(estimator).set_params(**params)


def buildable() -> list[Any]:
    made = []
    for _, kind in all_estimators():
        try:
            made.append(kind())
        except TypeError:  # asks for another estimator
            continue
    return made


@pytest.mark.parametrize("estimator", buildable(), ids=lambda e: type(e).__name__)
def test_as_scikit_learn_makes_them(estimator: Any) -> None:
    prototype = Prototype(estimator)
    for name, value in estimator.get_params(deep=False).items():
        made = prototype.make({name: value})
        assert type(made) is type(estimator)
        assert repr(vars(made)) == repr(vars(made_by_scikit_learn(estimator, {})))
        made.is_new_ = True
    assert not hasattr(prototype.make({}), "is_new_")


@pytest.mark.parametrize("value", [0.5, np.float64(0.5), np.linspace(0, 1, 3), [1.0]])
def test_values_arrive_and_are_not_shared(value: Any) -> None:
    made = Prototype(Ridge()).make({"alpha": value})
    expected = made_by_scikit_learn(Ridge(), {"alpha": clone(value, safe=False)})
    assert type(made.alpha) is type(expected.alpha)
    np.testing.assert_array_equal(made.alpha, expected.alpha)
    if isinstance(value, (list, np.ndarray)):
        assert made.alpha is not value


def test_a_fitted_prototype_makes_unfitted_estimators() -> None:
    fitted = GaussianNB().fit([[0.0], [1.0]], [0, 1])
    assert vars(Prototype(fitted).make({})) == vars(GaussianNB())


def test_what_is_plain_is_cloned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    prototype = Prototype(GaussianNB())
    prototype.make({})
    cloned = []
    monkeypatch.setattr(_prototype, "clone", lambda X, safe: cloned.append(X) or X)
    prototype.make({"var_smoothing": 0.5})
    assert cloned == [0.5]


def test_generators_and_nested_estimators_are_copied() -> None:
    numbers = np.random.RandomState(0)
    prototype = Prototype(RandomForestClassifier(random_state=numbers))
    first, second = prototype.make({}), prototype.make({"max_depth": 2})
    assert first.random_state is not second.random_state
    assert first.random_state is not numbers
    nested = Prototype(BaggingClassifier(DecisionTreeClassifier()))
    made = nested.make({"estimator__max_depth": 3})
    assert made.estimator.max_depth == 3
    assert nested.make({}).estimator.max_depth is None
    tree = DecisionTreeClassifier()
    assert (
        Prototype(BaggingClassifier()).make({"estimator": tree}).estimator is not tree
    )


class Doubling(BaseEstimator):
    """Does something of its own when parameters are set."""

    def __init__(self, value: float = 1.0) -> None:
        self.value = value

    def set_params(self, **params: Any) -> Any:
        """Set twice as much."""
        return super().set_params(**{k: 2 * v for k, v in params.items()})


def test_methods_of_their_own_are_called() -> None:
    assert Prototype(Doubling()).make({"value": 3.0}).value == 6.0


def test_unknown_parameters_are_errors_as_in_scikit_learn() -> None:
    with pytest.raises(ValueError, match="Invalid parameter 'gama'"):
        Prototype(SVC()).make({"gama": 1})
