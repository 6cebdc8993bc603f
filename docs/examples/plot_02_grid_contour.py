"""
See how two parameters act together
===================================

``C`` and ``gamma`` of a support vector machine act together. A model of the scores on
a coarse grid shows the ridge between them.
"""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.svm import SVC

from skhpo import GridSearch
from skhpo.plots import ContourDisplay

X, y = load_digits(return_X_y=True)
X, y = X[:600], y[:600]
grid = {"C": np.logspace(-2, 3, 6), "gamma": np.logspace(-5, -1, 6)}
search = GridSearch(SVC(), grid, cv=3).fit(X, y)
search.best_params_, search.best_score_

# %%
# The dots are the 36 candidates. Between them, a Gaussian process tells what to expect.
_ = ContourDisplay.from_search(search)

# %%
# A pivot table of the same numbers:
search.results_.pivot(
    index="param_C", columns="param_gamma", values="mean_test_score"
).round(2)
