"""
Find out which parameters matter
================================

Of seven parameters of a boosted ensemble, a few decide. Knowing them, the next search
can be smaller.
"""

from scipy.stats import loguniform, randint, uniform
from sklearn.datasets import load_diabetes
from sklearn.ensemble import GradientBoostingRegressor

from skhpo import RandomSearch
from skhpo.plots import ImportanceDisplay, SliceDisplay

X, y = load_diabetes(return_X_y=True)
space = {
    "learning_rate": loguniform(1e-3, 1),
    "n_estimators": [5, 15, 50],
    "max_depth": randint(1, 7),
    "min_samples_leaf": randint(1, 40),
    "subsample": uniform(0.5, 0.5),
    "max_features": uniform(0.1, 0.9),
    "loss": ["squared_error", "absolute_error", "huber"],
}
search = RandomSearch(
    GradientBoostingRegressor(random_state=0), space, n_iter=50, cv=3, random_state=0
).fit(X, y)

# %%
# *main* is the share of the variance that a parameter explains alone, *total* its share
# with all interactions. The title says how well the model behind it predicts scores of
# candidates it has not seen.
display = ImportanceDisplay.from_search(search)

# %%
# The three that matter most:
_ = SliceDisplay.from_search(search, params=display.names[:3])
