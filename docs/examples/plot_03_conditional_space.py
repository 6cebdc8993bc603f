"""
Search parameters that only some models have
============================================

A linear kernel has no ``gamma``, and only the polynomial one has a ``degree``. A
``Choice`` says so, and :class:`~skhpo.BayesSearch` spends no candidate on what has no
effect.
"""

from sklearn.datasets import load_breast_cancer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skhpo import BayesSearch
from skhpo.space import Choice, Integer, Real

X, y = load_breast_cancer(return_X_y=True)
gamma = Real(1e-4, 1e1, log=True)
space = {
    "svc__C": Real(1e-3, 1e3, log=True),
    "svc__kernel": Choice(
        {
            "linear": None,
            "rbf": {"svc__gamma": gamma},
            "poly": {"svc__gamma": gamma, "svc__degree": Integer(2, 4)},
        }
    ),
}
pipeline = make_pipeline(StandardScaler(), SVC())
search = BayesSearch(pipeline, space, n_iter=40, random_state=0).fit(X, y)
search.best_params_

# %%
# Every line is a candidate, and the dark ones are the best. Where a parameter does not
# exist, the line passes below its axis.
from skhpo.plots import ContourDisplay, ParallelDisplay

_ = ParallelDisplay.from_search(search)

# %%
# Contours are drawn for the parameters that candidates have together.
_ = ContourDisplay.from_search(search, params=["svc__C", "svc__gamma"])
