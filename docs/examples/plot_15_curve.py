"""
Find the number of iterations from one fit
==========================================

A booster of 300 rounds contains all smaller ones. So its number of rounds needs no
search: a ``Curve`` scores each stage of one fit, and takes the best in the mean over
the splits. With ``patience``, training stops where the mean no longer rises.
"""

from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import HistGradientBoostingClassifier

from skhpo import GridSearch
from skhpo.plots import CurveDisplay
from skhpo.space import Curve

X, y = load_breast_cancer(return_X_y=True)
model = HistGradientBoostingClassifier(max_leaf_nodes=4, random_state=0)
space = {"learning_rate": [0.05, 0.2, 0.8], "max_iter": Curve(300)}
search = GridSearch(model, space, scoring="neg_log_loss", cv=3).fit(X, y)
search.best_params_

# %%
# The splits have their best at different numbers, and the mean has one of its own.
CurveDisplay.from_search(search)

# %%
# With patience, the same candidates, and each curve is cut 30 iterations behind its
# best so far. The smaller the learning rate, the longer is its curve. What would have
# come later is not seen, so that another one may be the best, by a hair.
space["max_iter"] = Curve(300, patience=30)
patient = GridSearch(model, space, scoring="neg_log_loss", cv=3).fit(X, y)
[(rate, len(patient.curve_of(row)[0])) for row, rate in enumerate([0.05, 0.2, 0.8])]

# %%
CurveDisplay.from_search(patient)
