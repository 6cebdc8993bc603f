"""
Train along a schedule, not with its end
========================================

What a population finds is a *schedule*: a step size that is large at first and small
later. Its last values alone are worth nothing. Here is a schedule, and what becomes of
three trainings on the same rows: along it, with the best of 24 constants, and from
scratch with the value at its end.
"""

import matplotlib.pyplot as plt
from scipy.stats import loguniform
from sklearn.datasets import load_diabetes
from sklearn.linear_model import SGDRegressor
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import ShuffleSplit, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skhpo import PBTSearch, RandomSearch, ScheduledEstimator

X, y = load_diabetes(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
model = make_pipeline(
    StandardScaler(), SGDRegressor(learning_rate="constant", penalty=None)
)
step_size = loguniform(1e-5, 1e-1)
options = {
    "cv": ShuffleSplit(3, test_size=0.25, random_state=0),
    "scoring": "neg_mean_squared_error",
    "random_state": 0,
}

# %%
# Twelve members, compared after every four passes over the rows:
search = PBTSearch(
    model,
    {"sgdregressor__eta0": step_size},
    population_size=12,
    n_generations=10,
    steps_per_generation=4,
    **options,
).fit(X_train, y_train)
search.best_schedule_

# %%
# The same number of passes with a constant, for twice as many of them:
N_STEPS = 40
constants = RandomSearch(
    ScheduledEstimator(model, None, N_STEPS, random_state=0),
    {"estimator__sgdregressor__eta0": step_size},
    n_iter=24,
    **options,
).fit(X_train, y_train)

# %%
# A schedule is data: `ScheduledEstimator` trains along it, for as many steps as it is
# told. So the three ways can be followed on the rows that no search has seen.
ways = {
    "along the schedule": search.best_schedule_,
    "the best of 24 constants": [
        (0, {"sgdregressor__eta0": constants.best_params_[name]})
        for name in constants.best_params_
    ],
    "with what the schedule ends with": [(0, search.best_params_)],
}


def error_after(schedule, n_steps):
    part = [(start, params) for start, params in schedule if start < n_steps]
    trained = ScheduledEstimator(model, part, n_steps, random_state=0)
    return root_mean_squared_error(
        y_test, trained.fit(X_train, y_train).predict(X_test)
    )


fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
steps = list(range(2, N_STEPS + 1, 2))
for (name, schedule), color in zip(
    ways.items(), ["#D55E00", "#0072B2", "#999999"], strict=True
):
    sizes = [params["sgdregressor__eta0"] for _, params in schedule]
    edges = [start for start, _ in schedule] + [N_STEPS]
    left.stairs(sizes, edges, baseline=None, color=color, lw=2)
    errors = [error_after(schedule, n_steps) for n_steps in steps]
    right.plot(steps, errors, color=color, lw=2, label=name)
left.set(xlabel="passes over the rows", ylabel="step size (eta0)", yscale="log")
right.set(xlabel="passes over the rows", ylabel="error on unseen rows")
_ = right.legend(frameon=False, fontsize=9)

# %%
# The constant is no worse in the end, at twice the price: see :doc:`/training` for what
# populations are good for. The gray line is where ``best_params_`` lead from scratch.
# ``refit=True``, the default, does not go there: ``best_estimator_`` is the end of the
# first line.
