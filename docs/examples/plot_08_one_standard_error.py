"""
Choose the simplest of the good candidates
==========================================

The first few candidates differ by less than the splits do. With a rule as
``refit``, the search takes the simplest within one standard error of the best.
"""

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skhpo import GridSearch
from skhpo.plots import SplitScoresDisplay
from skhpo.selection import OneStandardError

X, y = load_breast_cancer(return_X_y=True)
search = GridSearch(
    make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
    {"logisticregression__C": np.logspace(-3, 2, 16)},
    refit=OneStandardError("logisticregression__C"),
    cv=5,
).fit(X, y)
search.best_params_

# %%
# Each thin line is one split. They run side by side: the splits differ more than the
# candidates do, and the order of the first ones is luck.
display = SplitScoresDisplay.from_search(search)

# %%
# The row that was taken, and how much mean score it gave away:
row = search.best_index_
row, display.means[0] - search.cv_results_["mean_test_score"][row]
