"""
Forbid combinations: constraints
================================

A constraint is a function of the parameters that says yes or no. Here, the two layers
of a network may not have more than 60 units together.
"""

import warnings

import matplotlib.pyplot as plt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from skhpo import BayesSearch
from skhpo.space import Integer

warnings.simplefilter("ignore", ConvergenceWarning)


class TwoLayers(ClassifierMixin, BaseEstimator):
    """A network whose layers are parameters of their own."""

    def __init__(self, first=20, second=10):
        self.first = first
        self.second = second

    def fit(self, X, y):
        """Train for 40 passes over the data."""
        layers = self.first, self.second
        self.model_ = MLPClassifier(layers, max_iter=40)
        self.model_.set_params(random_state=0, learning_rate_init=0.01).fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        """Return the most probable classes."""
        return self.model_.predict(X)


X, y = load_digits(return_X_y=True)
X, y = X[:500] / 16, y[:500]
search = BayesSearch(
    TwoLayers(),
    {"first": Integer(1, 60), "second": Integer(1, 60)},
    constraints=lambda params: params["first"] + params["second"] <= 60,
    n_iter=30,
    cv=3,
    random_state=0,
).fit(X, y)
search.best_params_

# %%
# No candidate is above the line:
table = search.results_
fig, ax = plt.subplots(figsize=(5, 4), layout="constrained")
dots = ax.scatter(
    table["param_first"], table["param_second"], c=table["mean_test_score"], s=40
)
ax.plot([1, 59], [59, 1], color="0.4", lw=1)
ax.set(xlabel="first", ylabel="second", aspect="equal")
_ = fig.colorbar(dots, label="mean test score")
