"""
Tune a schedule of your own
===========================

A step size that is held and then decays, as plain numbers that any search can tune; and
one that decays when the score stops rising.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier

from skhpo import GridSearch, ReduceOnPlateau, ScheduledEstimator

X, y = load_digits(return_X_y=True)
model = SGDClassifier(
    loss="log_loss", learning_rate="constant", eta0=0.01, random_state=0
)
cosine = {"eta0": {"form": "cosine", "start": 0.01, "end": 1e-4}}
search = GridSearch(
    ScheduledEstimator(model, cosine, n_steps=15, random_state=0),
    {
        "schedule__eta0__start": [1e-3, 1e-2, 1e-1],
        "schedule__eta0__end": [1e-5, 1e-3],
    },
    cv=3,
).fit(X, y)
search.best_params_

# %%
# A policy looks at the training and answers. What it did is a schedule as well:
policy = ReduceOnPlateau("eta0", factor=0.5, patience=2)
reacting = ScheduledEstimator(
    model, policy, n_steps=40, validation_fraction=0.2, random_state=0
).fit(X, y)
steps = np.array([step for step, _ in reacting.schedule_] + [40])
sizes = np.array([params["eta0"] for _, params in reacting.schedule_])

fig, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
ax.stairs(sizes, steps, baseline=None, color="#D55E00", lw=2)
ax.set(xlabel="training steps", ylabel="eta0", yscale="log")
_ = ax.set_title("what ReduceOnPlateau did", fontsize=10)
