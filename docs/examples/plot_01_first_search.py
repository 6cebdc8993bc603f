"""
Tune a pipeline: a first search
===============================

A pipeline, two ranges, forty candidates: what was found, how it was found, and what it
is worth. On these data, whose defaults are good, that is next to nothing.
"""

from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skhpo import RandomSearch, report

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

search = RandomSearch(
    make_pipeline(StandardScaler(), SVC()),
    {"svc__C": loguniform(1e-2, 1e3), "svc__gamma": loguniform(1e-5, 1e1)},
    n_iter=40,
    random_state=0,
).fit(X_train, y_train)

# %%
# In a notebook, the search shows the best parameters, their score and its history:
search

# %%
# It predicts like the pipeline it found. On 143 rows that the search never saw, this is
# *worse* than the pipeline as it was, by two rows:
untuned = clone(search.estimator).fit(X_train, y_train)
search.score(X_test, y_test), untuned.score(X_test, y_test)

# %%
# Two rows may be chance. But the rows of the search do not show a gain either: the
# pipeline as it was scores 0.972 on the same splits, within the interval of *tuned*.
print(report(search))
print("as given:", cross_val_score(search.estimator, X_train, y_train).mean().round(3))

# %%
# So these values of ``C`` and ``gamma`` are not to be recommended over the defaults.
# What follows shows how one looks at a search; :doc:`/worth` tells what to believe.
#
# The table has a row for every candidate, best first.
search.results_[["param_svc__C", "param_svc__gamma", "mean_test_score"]].head()

# %%
# Pictures take one line. Here is the score of each candidate, and the best so far:
from skhpo.plots import HistoryDisplay, SliceDisplay

_ = HistoryDisplay.from_search(search)

# %%
# And here the score by each parameter. The range of ``gamma`` is wider than it need be:
# above 1 nothing good is to be found.
_ = SliceDisplay.from_search(search)
