"""Random forest regression with a variance (SMAC's surrogate).

Every tree t gives, at the leaf of x, a mean m_t and a variance v_t of the observations
in it. By the law of total variance over the trees (Hutter, Xu, Hoos & Leyton-Brown
2014, section 4.3.2)

    mean(x) = E_t[m_t],   var(x) = E_t[v_t] + Var_t[m_t].

Trees split on thresholds, so scores with cliffs and plateaus do them no harm, and
columns that do not matter are ignored. Splits are drawn at random between two
observations (extremely randomized trees, Geurts, Ernst & Wehenkel 2006), which makes
the mean continuous in the limit of many trees, and lets the variance grow with the
distance from the observations.
"""

from __future__ import annotations

import numpy as np

from skhpo._arithmetic import Array
from skhpo.space import SearchSpace
from skhpo.surrogates._embedding import Embedding

__all__ = ["RandomForest"]

# Rows that are embedded at once.
BLOCK = 1024


class RandomForest:
    """Random forest surrogate for a search space.

    Parameters
    ----------
    space : SearchSpace
        Where the points come from.
    n_trees : int, default=50
        Number of trees.
    seed : int, default=0
        Of the trees; the same for every fit, so that only the data count.

    Examples
    --------
    >>> import numpy as np
    >>> from skhpo.space import Real, SearchSpace
    >>> from skhpo.surrogates import RandomForest
    >>> X = np.linspace(0, 1, 20)[:, np.newaxis]
    >>> forest = RandomForest(SearchSpace({"x": Real(0, 1)})).fit(X, X[:, 0] > 0.5)
    >>> mean, std = forest.predict(np.array([[0.1], [0.9]]))
    >>> mean.round(1).tolist()
    [0.0, 1.0]
    """

    def __init__(self, space: SearchSpace, n_trees: int = 50, seed: int = 0) -> None:
        self.space = space
        self.n_trees = n_trees
        self.seed = seed

    def fit(self, X: Array, y: Array) -> RandomForest:
        """Learn from observations.

        Parameters
        ----------
        X : ndarray of shape (n, d)
            Encoded points, NaN where inactive.
        y : ndarray of shape (n,)
            Their values.

        Returns
        -------
        RandomForest
            This object.
        """
        # Here, because half of scikit-learn comes with it.
        from sklearn.ensemble import ExtraTreesRegressor

        forest = ExtraTreesRegressor(
            self.n_trees,
            min_samples_leaf=1,
            min_samples_split=3,
            bootstrap=True,
            max_features=5 / 6,
            random_state=self.seed,
        )
        self.embedding = Embedding(self.space, X)
        F = self._features(X)
        self._trees = forest.fit(F, np.asarray(y, dtype=float)).estimators_
        return self

    def predict(self, X: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation at some points.

        Parameters
        ----------
        X : ndarray of shape (m, d)
            Encoded points, NaN where inactive.

        Returns
        -------
        mean, std : ndarray of shape (m,)
            Mean and standard deviation of the value.
        """
        means, variances = np.empty((2, len(self._trees), len(X)))
        for i in range(0, len(X), BLOCK):
            rows = slice(i, i + BLOCK)
            F = self._features(X[rows]).astype(np.float32)
            for t, tree in enumerate(self._trees):
                leaves = tree.apply(F, check_input=False)
                means[t, rows] = tree.tree_.value[leaves, 0, 0]
                variances[t, rows] = tree.tree_.impurity[leaves]
        variance = variances.mean(axis=0) + means.var(axis=0)
        return means.mean(axis=0), np.sqrt(np.maximum(variance, 1e-12))

    def _features(self, X: Array) -> Array:
        """Return the embedded points, and a column of zeros: there may be no other."""
        return np.hstack([self.embedding(X), np.zeros((len(X), 1))])
