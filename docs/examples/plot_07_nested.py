"""
Measure what tuning is worth: nested cross-validation
=====================================================

The best of many scores was chosen for being high. On labels that are pure chance, 0.5
is all there is; the best score promises more, the more candidates there were. A search
is an estimator, so ``cross_val_score`` tells the truth.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import loguniform
from sklearn.model_selection import cross_val_score
from sklearn.svm import SVC

from skhpo import RandomSearch

rng = np.random.default_rng(0)
X, y = rng.normal(size=(80, 10)), rng.integers(0, 2, 80)
space = {"C": loguniform(1e-2, 1e3), "gamma": loguniform(1e-3, 1e1)}

sizes = [1, 3, 10, 30]
best, nested = [], []
for n_iter in sizes:
    search = RandomSearch(SVC(), space, n_iter=n_iter, cv=3, random_state=0)
    best.append(search.fit(X, y).best_score_)
    nested.append(cross_val_score(search, X, y, cv=5).mean())

fig, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
ax.semilogx(sizes, best, "o-", color="#D55E00", label="best_score_")
ax.semilogx(sizes, nested, "s-", color="#0072B2", label="cross_val_score of the search")
ax.axhline(0.5, color="0.5", lw=1)
ax.set(xlabel="candidates", ylabel="accuracy on random labels")
_ = ax.legend()
