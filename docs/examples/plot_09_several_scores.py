"""
Compare several scores, and what they cost
==========================================

A forest is wanted that is right, sure of itself for good reason, and quick. All scores
are in the results; ``refit`` names the one that decides.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

from skhpo import GridSearch

X, y = load_digits(return_X_y=True)
X, y = X[:600], y[:600]
search = GridSearch(
    RandomForestClassifier(random_state=0),
    {"n_estimators": [5, 15, 40], "max_depth": [3, 6, None]},
    scoring=["accuracy", "neg_log_loss"],
    refit="neg_log_loss",
    cv=3,
).fit(X, y)

columns = ["param_n_estimators", "param_max_depth", "mean_test_accuracy"]
table = search.results_
table[[*columns, "mean_test_neg_log_loss", "mean_score_time"]].head().round(3)

# %%
# Five deep trees are right more often than fifteen shallow ones, and less often when
# they are sure: their probabilities are worse by far.
fig, ax = plt.subplots(figsize=(6, 3.8), layout="constrained")
for depth, rows in table.groupby(table["param_max_depth"].map(str)):
    x, y_ = rows["mean_test_accuracy"], rows["mean_test_neg_log_loss"]
    ax.scatter(x, y_, s=1.5 * rows["param_n_estimators"], label=f"max_depth {depth}")
ax.set(xlabel="accuracy", ylabel="negative log loss")
_ = ax.legend(title="size: n_estimators", loc="lower right")
