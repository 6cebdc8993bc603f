"""
Find a schedule by a population
===============================

Eight linear models learn side by side. After each generation the worst go on from
the best, with slightly other parameters. What comes out is a *schedule*.
"""

from scipy.stats import loguniform
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import ShuffleSplit

from skhpo import PBTSearch
from skhpo.plots import PopulationDisplay

X, y = load_digits(return_X_y=True)
model = SGDClassifier(loss="log_loss", learning_rate="constant", eta0=0.01)
search = PBTSearch(
    model,
    {"eta0": loguniform(1e-6, 1e-1), "alpha": loguniform(1e-4, 1e1)},
    population_size=8,
    n_generations=12,
    cv=ShuffleSplit(1, test_size=0.25, random_state=0),
    random_state=0,
).fit(X, y)

# %%
# Thin lines are members, dashed where one went on from another; the thick one is the
# line of the winner.
_ = PopulationDisplay.from_search(search)

# %%
# ``refit`` has trained ``best_estimator_`` along this schedule, on all the data:
search.best_schedule_
