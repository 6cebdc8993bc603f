"""What holds on every cluster engine, whatever its name.

A file of `tests/clusters` starts a real local cluster of two worker processes, and has
a class that inherits these tests and says by a fixture how joblib is told of it.
"""

from __future__ import annotations

import os
import warnings

import joblib
import numpy as np
import pytest
from estimators import Dying, Failing, Slow, Threshold
from pbt_estimators import Walker
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skhpo import BayesSearch, GridSearch, PBTSearch, RandomSearch
from skhpo.evaluation.workers import _clusters, _shipping
from skhpo.exceptions import WorkerDiedWarning
from skhpo.space import Real

RANDOM = np.random.RandomState(0)
X = RANDOM.normal(size=(90, 6))
Y = (X[:, 0] + 0.5 * X[:, 1] + RANDOM.normal(scale=0.3, size=90) > 0).astype(int)
PIPELINE = make_pipeline(StandardScaler(), SelectKBest(), SVC())
SPACE = {"svc__C": Real(1e-2, 1e2, log=True), "selectkbest__k": [2, 4, 6]}
SGD = SGDClassifier(loss="log_loss", learning_rate="constant", eta0=0.1)
ETA = {"sgdclassifier__eta0": Real(1e-4, 1, log=True)}
LEVELS = {"level": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]}
SMALL = {"cv": 2, "random_state": 0}
POPULATION = {"population_size": 4, "n_generations": 3, **SMALL}

SEARCHES = {
    "grid": GridSearch(PIPELINE, {**SPACE, "svc__C": [0.1, 1.0]}, cv=2),
    "random": RandomSearch(PIPELINE, SPACE, n_iter=8, **SMALL),
    "bayes": BayesSearch(PIPELINE, SPACE, n_iter=8, **SMALL),
    "pbt": PBTSearch(make_pipeline(StandardScaler(), SGD), ETA, **POPULATION),
    "forest": GridSearch(  # it has a use for workers itself
        RandomForestClassifier(n_estimators=5, random_state=0),
        {"max_depth": [1, 2]},
        cv=2,
    ),
}
TIMES = ("mean_fit_time", "std_fit_time", "mean_score_time", "std_score_time")


def assert_same_results(one, two):
    """The same rows, bit by bit, but for how long they took."""
    assert one.cv_results_.keys() == two.cv_results_.keys()
    for name in one.cv_results_.keys() - set(TIMES):
        np.testing.assert_array_equal(
            one.cv_results_[name], two.cv_results_[name], err_msg=name, strict=True
        )
    np.testing.assert_array_equal(one.predict(X), two.predict(X))


def fit(search, cluster, X=X, **params):
    """Fit a copy of a search on the workers that `cluster` tells joblib of."""
    with joblib.parallel_config(**cluster):
        return clone(search).set_params(**params).fit(X, Y)


def process_id(estimator, X, y):
    """Return the number of the process that scores."""
    return float(os.getpid())


class Laws:
    """The fixture `cluster` returns the keywords of ``joblib.parallel_config``."""

    @pytest.fixture
    def mortal_cluster(self, cluster):
        """One whose workers are killed."""
        return cluster

    @pytest.mark.parametrize("name", SEARCHES)
    def test_a_search_finds_what_it_finds_here(self, name, cluster):
        """Bit by bit what it finds on the processes of loky."""
        here = fit(SEARCHES[name], {"backend": "loky", "n_jobs": 2})
        assert_same_results(fit(SEARCHES[name], cluster), here)

    def test_fits_run_on_the_cluster(self, cluster):
        """All workers have their part in it, and this process has none."""
        search = GridSearch(Slow(seconds=0.05), LEVELS, cv=3, scoring=process_id)
        search = fit(search, cluster)
        scores = [search.cv_results_[f"split{i}_test_score"] for i in range(3)]
        ids = set(np.concatenate(scores))
        assert len(ids) == 2
        assert os.getpid() not in ids

    def test_data_travel_once(self, cluster, monkeypatch):
        """A message is small, whatever the data weigh."""
        sizes = []

        def weighed(make_call):
            def weigh(*args):
                call = make_call(*args)
                sizes.append(len(_shipping.cloudpickle.dumps(call)))
                return call

            return weigh

        for kind in (_clusters.Dask, _clusters.Ray, _clusters.Spark):
            monkeypatch.setattr(kind, "make_call", weighed(kind.make_call))
        big = np.hstack([X, np.zeros((len(X), 10_000))])
        search = fit(GridSearch(Threshold(), LEVELS, cv=2), cluster, X=big)
        here = GridSearch(Threshold(), LEVELS, cv=2).fit(big, Y)
        np.testing.assert_array_equal(
            search.cv_results_["mean_test_score"], here.cv_results_["mean_test_score"]
        )
        assert max(sizes) < 10_000 < big.nbytes

    @pytest.mark.parametrize("name", ["grid", "pbt"])
    def test_a_killed_worker_costs_nothing(self, name, mortal_cluster, tmp_path):
        """What it was doing is done again; no row is lost, and no other one changed."""
        walk = {"rate": [0.1, 0.2, 0.3, 0.4]}
        make = {
            "grid": lambda walker: GridSearch(walker, walk, cv=2),
            "pbt": lambda walker: PBTSearch(walker, walk, **POPULATION),
        }[name]
        killed = Walker(act="die", lock=str(tmp_path / "lock"))
        search = fit(make(killed), mortal_cluster)
        assert (tmp_path / "lock").exists()
        assert_same_results(search, make(Walker()).fit(X, Y))

    def test_a_deadly_candidate_costs_one_candidate(self, mortal_cluster):
        """The culprit is found and named; all others have their scores."""
        alive = GridSearch(Threshold(), LEVELS, cv=2).fit(X, Y).cv_results_
        # It lives for a while: dask's nanny gives up on who dies as soon as it is born.
        dying = Dying(deadly=0.3, spared=os.getpid(), seconds=1.0)
        deadly = GridSearch(dying, LEVELS, cv=2)
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            search = fit(deadly, mortal_cluster)
        died = [w.message for w in heard if isinstance(w.message, WorkerDiedWarning)]
        assert len(died) == 2  # once on each split
        assert all("{'level': 0.3}" in str(message) for message in died)
        scores = search.cv_results_["mean_test_score"]
        expected = np.where(np.arange(6) == 3, np.nan, alive["mean_test_score"])
        np.testing.assert_array_equal(scores, expected)

    def test_an_exception_ends_the_search_and_not_the_cluster(self, cluster):
        """What a fit raises reaches the user as it is, and the next search works."""
        grid = {"level": [0.0, -1.0, 0.2]}
        search = GridSearch(Failing(fails="level"), grid, error_score="raise", cv=2)
        with pytest.raises(ValueError, match="No level below 0"):
            fit(search, cluster)
        fit(GridSearch(Threshold(), LEVELS, cv=2), cluster)

    def test_a_search_in_a_task_of_the_cluster(self, cluster):
        """A search that is cross-validated on the cluster does not wait for itself."""
        search = GridSearch(Threshold(), LEVELS, cv=2)
        with joblib.parallel_config(**cluster):
            scores = cross_val_score(search, X, Y, cv=4, error_score="raise")
        np.testing.assert_array_equal(scores, cross_val_score(search, X, Y, cv=4))
