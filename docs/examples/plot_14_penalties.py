"""
=====================================
Tune ten penalties by their gradients
=====================================

A linear model with one penalty shrinks all of its coefficients alike. Where groups of
columns differ in how much they tell, a penalty per group does better, and is out of
reach of a grid: ten values for each of ten penalties are as many candidates as there
are seconds in three centuries. :class:`~skhpo.GradientSearch` learns from every fit in
which direction each penalty should change.
"""

# %%
# Ten groups of ten columns. The first tells a lot, the next less, the last nothing.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline

from skhpo import GradientSearch, GroupScaler, RandomSearch
from skhpo.space import Real

rng = np.random.default_rng(0)
X = rng.normal(size=(2000, 100))
strength = np.repeat(np.linspace(1, 0, 10) ** 3, 10)
y = X @ (strength * rng.normal(size=100)) + rng.logistic(size=2000) > 0
X, X_test, y, y_test = X[:600], X[600:], y[:600], y[600:]

groups = {f"g{i}": range(10 * i, 10 * i + 10) for i in range(10)}
model = make_pipeline(GroupScaler(groups), LogisticRegression())
common = {"scoring": "neg_log_loss", "random_state": 0}

# %%
# One penalty for all, and one for each. ``groupscaler__log_scale`` stands for the
# parameters of all groups.
single = GradientSearch(model, {"logisticregression__C": (1e-4, 1e2)}, **common)
several = GradientSearch(model, {"groupscaler__log_scale": (-5, 1)}, **common)
space = {f"groupscaler__log_scale__g{i}": Real(-5, 1) for i in range(10)}
random = RandomSearch(model, space, n_iter=135, **common)
searches = {"one penalty": single, "ten, gradient": several, "ten, random": random}
for name, search in searches.items():
    search.fit(X, y)
    outer = log_loss(y_test, search.predict_proba(X_test))
    n = len(search.cv_results_["params"])
    print(f"{name:14} {n:3} candidates, {-search.best_score_:.4f}, outer {outer:.4f}")

# %%
# The best score so far, by the number of candidates, and the scales that were found:
# groups that tell nothing are scaled down.
figure, (left, right) = plt.subplots(ncols=2, figsize=(9, 3.5), layout="constrained")
for name, search in searches.items():
    scores = search.cv_results_["mean_test_score"]
    left.plot(-np.maximum.accumulate(scores), label=name)
left.set(xlabel="candidate", ylabel="best log loss in cross-validation")
left.legend()
right.bar(list(groups), [several.best_params_[name] for name in space])
right.set(xlabel="group", ylabel="log_scale")
plt.show()
