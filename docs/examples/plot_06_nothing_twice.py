"""
Save time: fit nothing twice
============================

Twenty candidates of a pipeline have their first steps in common, and a forest of 200
trees contains the smaller ones. How many fits are left, and what does it save?
"""

from time import process_time

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skhpo import GridSearch

X, y = load_digits(return_X_y=True)
X, y = X[:500], y[:500]
forest = RandomForestClassifier(random_state=0)
pipeline = Pipeline(
    [("scale", StandardScaler()), ("pca", PCA(svd_solver="full")), ("forest", forest)]
)
grid = {"pca__n_components": [10, 30], "forest__n_estimators": [10, 20, 40, 60]}

seconds, searches = {}, {}
for reuse in (False, True):
    start = process_time()
    searches[reuse] = GridSearch(pipeline, grid, cv=3, reuse=reuse).fit(X, y)
    seconds[reuse] = process_time() - start

# %%
# The scores are the same to the last bit:
same = (
    searches[True].cv_results_["mean_test_score"]
    == searches[False].cv_results_["mean_test_score"]
)
assert same.all()
searches[True].reuse_

# %%
# Processor time, the last fit on all the data included:
fig, ax = plt.subplots(figsize=(6, 1.8), layout="constrained")
ax.barh(["one by one", "shared"], [seconds[False], seconds[True]], color="#0072B2")
ax.invert_yaxis()
_ = ax.set_xlabel("seconds")
