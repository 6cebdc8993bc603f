"""Estimators that count, fail, wait or die, for tests.

They live in an importable module and not beside the tests, so that worker processes
can unpickle them.
"""

from sklearn.model_selection import GridSearchCV


class AlwaysTransforms(GridSearchCV):
    """A search with a mistake: it has `transform`, whatever it searches over."""

    def transform(self, X):
        return self.best_estimator_.transform(X)
