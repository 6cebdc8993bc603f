"""A pytest plugin: run a test module with scikit-learn's halving replaced by ours.

Loaded with ``-p halving_plugin`` before any test module is imported, so that every
``from sklearn.model_selection import HalvingGridSearchCV`` gets the classes here, which
have scikit-learn's parameters and defaults. Writes what became of each test as JSON.
"""

import json
import os
from pathlib import Path

import numpy as np
from sklearn import model_selection
from sklearn.base import is_classifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import check_cv
from suite_plugin import replace

from skhpo import GridSearch, RandomSearch

REPORT = "SUITE_REPORT"  # file for the report


class HalvingGridSearchCV(GridSearch):
    """`GridSearch` with the parameters of scikit-learn's class."""

    def __init__(
        self,
        estimator,
        param_grid,
        *,
        factor=3,
        resource="n_samples",
        max_resources="auto",
        min_resources="exhaust",
        aggressive_elimination=False,
        cv=5,
        scoring=None,
        refit=True,
        error_score=np.nan,
        return_train_score=True,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        given = {k: v for k, v in locals().items() if k not in ("self", "__class__")}
        self.random_state = given.pop("random_state")
        super().__init__(**given)


class HalvingRandomSearchCV(RandomSearch):
    """`RandomSearch` with the parameters of scikit-learn's class."""

    def __init__(
        self,
        estimator,
        param_distributions,
        *,
        n_candidates="exhaust",
        factor=3,
        resource="n_samples",
        max_resources="auto",
        min_resources="smallest",
        aggressive_elimination=False,
        cv=5,
        scoring=None,
        refit=True,
        error_score=np.nan,
        return_train_score=True,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        given = {k: v for k, v in locals().items() if k not in ("self", "__class__")}
        self.n_candidates = given.pop("n_candidates")
        super().__init__(**given)

    def fit(self, X, y=None, groups=None):
        """Search with as many candidates as the resources suffice for."""
        self.n_iter = self.n_candidates
        if self.n_candidates == "exhaust":
            if self.min_resources == "exhaust":
                raise ValueError(
                    "n_candidates and min_resources cannot be both set to 'exhaust'."
                )
            self.n_iter = max(1, self._most(X) // max(1, self._fewest(X, y, groups)))
        return super().fit(X, y, **({} if groups is None else {"groups": groups}))

    def _most(self, X):
        if not hasattr(X, "shape"):  # the problem, as our class asks for it
            return super()._most(X)
        return len(X) if self.max_resources == "auto" else self.max_resources

    def _fewest(self, X, y, groups):
        if self.min_resources != "smallest":
            return self.min_resources
        if self.resource != "n_samples":
            return 1
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        return 2 * cv.get_n_splits(X, y, groups) * len(np.unique(y))


class Recorder:
    """Keeps the outcome of each test, and the end of its traceback."""

    def __init__(self):
        self.tests = {}

    def pytest_runtest_logreport(self, report):
        name = report.nodeid.partition("::")[2]
        test = self.tests.setdefault(name, {"outcome": "passed"})
        if report.outcome != "passed":
            test |= {"outcome": report.outcome, "reason": report.longreprtext[-800:]}

    def pytest_sessionfinish(self):
        Path(os.environ[REPORT]).write_text(json.dumps(self.tests))


def pytest_configure(config):
    for mine in (HalvingGridSearchCV, HalvingRandomSearchCV):
        replace(getattr(model_selection, mine.__name__), mine)
    config.pluginmanager.register(Recorder())
