"""Searches in MLflow: what was found is what can be read there."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from estimators import Failing, Threshold

from skhpo import GridSearch
from skhpo.tracking import log_to_mlflow

X = np.random.RandomState(0).normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)


@pytest.fixture
def client(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # instead of a data base
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
    return mlflow.MlflowClient()


def children(client, run_id):
    (experiment,) = {client.get_run(run_id).info.experiment_id}
    parent = f"tags.mlflow.parentRunId = '{run_id}'"
    return client.search_runs([experiment], filter_string=parent)


def test_each_candidate_is_a_run(client):
    """With its parameters and scores, inside of the run of the search."""
    search = GridSearch(Threshold(), {"level": [0.0, 0.5, 1.0]}, cv=2).fit(X, Y)
    run_id = log_to_mlflow(search, run_name="mine")
    run = client.get_run(run_id)
    assert run.info.run_name == "mine"
    assert run.data.params == {"best_level": str(search.best_params_["level"])}
    assert run.data.metrics == {"best_score": search.best_score_}
    logged = {
        float(child.data.params["level"]): child.data.metrics["mean_test_score"]
        for child in children(client, run_id)
    }
    means = search.cv_results_["mean_test_score"]
    assert logged == dict(zip([0.0, 0.5, 1.0], means, strict=True))


def test_a_failed_candidate_has_no_score(client):
    """And a run all the same."""
    search = GridSearch(Failing(fails="level"), {"level": [-1.0, 0.0]}, cv=2)
    with pytest.warns(Warning, match="fits failed"):
        search.fit(X, Y)
    runs = children(client, log_to_mlflow(search))
    assert len(runs) == 2
    assert sum("mean_test_score" in run.data.metrics for run in runs) == 1


def test_without_mlflow_the_error_says_what_to_install(monkeypatch):
    """Whatever the search."""
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ImportError, match="pip install mlflow-skinny"):
        log_to_mlflow(None)
