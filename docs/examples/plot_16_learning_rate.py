"""
Tune the learning rate of a network by finite differences
=========================================================

A schedule of the learning rate has a few numbers, and the log loss of a network that
starts from the same weights every time changes smoothly with them, more or less. So its
slope can be had from neighbors: each step costs one more candidate per number.
"""

# %%
# The learning rate falls from one number to another along a cosine, in 10 passes.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skhpo import BayesSearch, GradientSearch, ScheduledEstimator
from skhpo.space import Real

X, y = load_digits(return_X_y=True)
X, y = X[:600], y[:600]
network = MLPClassifier(hidden_layer_sizes=(20,), random_state=0)
cosine = {"learning_rate_init": {"form": "cosine", "start": 1e-3, "end": 1e-4}}
model = make_pipeline(
    StandardScaler(), ScheduledEstimator(network, cosine, n_steps=10, random_state=0)
)
prefix = "scheduledestimator__schedule__learning_rate_init__"
ranges = {
    f"{prefix}start": Real(1e-4, 1e-1, log=True),
    f"{prefix}end": Real(1e-5, 1e-1, log=True),
}
common = {"scoring": "neg_log_loss", "cv": 3, "random_state": 0}
gradient = GradientSearch(
    model, ranges, method="finite_difference", n_restarts=1, max_iter=8, **common
).fit(X, y)
n = len(gradient.cv_results_["params"])
bayes = BayesSearch(model, ranges, n_iter=n, **common).fit(X, y)
for name, search in {"gradient": gradient, "bayes": bayes}.items():
    start, end = (search.best_params_[prefix + part] for part in ("start", "end"))
    loss = -search.best_score_
    print(f"{name:8} {n} candidates, log loss {loss:.3f}: {start:.2g} to {end:.2g}")

# %%
# Differences follow the slope from where they are; a model of the scores looks around
# first. Neither is misled by chance here, as all weights start alike. Take
# :class:`~skhpo.BayesSearch` where scores are noisy or there may be several hills, and
# :class:`~skhpo.PBTSearch` where the learning rate shall follow the training itself,
# and enough members can be trained side by side.
figure, axes = plt.subplots(figsize=(6, 3.4), layout="constrained")
for name, search in {"finite differences": gradient, "BayesSearch": bayes}.items():
    best = np.maximum.accumulate(search.cv_results_["mean_test_score"])
    axes.plot(np.arange(1, n + 1), -best, label=name)
axes.set(xlabel="candidate", ylabel="best log loss so far", yscale="log")
axes.xaxis.get_major_locator().set_params(integer=True)
axes.legend()
plt.show()
