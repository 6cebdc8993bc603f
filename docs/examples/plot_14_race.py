"""
Save time: skip what cannot win
===============================

With ``race=True`` a candidate gets its next split only as long as it may still become
the best one. The best one is the same, for a part of the fits.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import loguniform
from sklearn.datasets import load_breast_cancer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skhpo import RandomSearch

X, y = load_breast_cancer(return_X_y=True)
pipeline = make_pipeline(StandardScaler(), SVC())
space = {"svc__C": loguniform(1e-3, 1e4), "svc__gamma": loguniform(1e-5, 10)}
whole = RandomSearch(pipeline, space, n_iter=40, random_state=0).fit(X, y)
raced = RandomSearch(pipeline, space, n_iter=40, race=True, random_state=0).fit(X, y)
whole.best_params_ == raced.best_params_, whole.reuse_.n_fits, raced.reuse_.n_fits

# %%
# How many splits each candidate was given, the best first. Those that were dropped have
# no mean score, but one that was expected.
results = raced.cv_results_
order = np.argsort(results["rank_test_score"])
colors = np.where(results["dropped"][order], "lightgray", "C0")
fig, ax = plt.subplots(layout="constrained")
ax.bar(range(1, 41), results["n_splits"][order], color=colors)
ax.set(xlabel="rank", ylabel="splits that were evaluated")

# %%
# What was expected of a dropped candidate, and what it would have scored. Each is below
# the best one, the line.
dropped = results["dropped"]
fig, ax = plt.subplots(layout="constrained")
ax.scatter(
    results["estimated_test_score"][dropped],
    whole.cv_results_["mean_test_score"][dropped],
    facecolors="none",
    edgecolors="C0",
)
ax.axhline(raced.best_score_, color="C1", linestyle="--")
ax.set(xlabel="expected mean score", ylabel="mean score over all splits")
