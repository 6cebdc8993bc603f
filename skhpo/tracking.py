"""Fitted searches in MLflow (extra ``mlflow``), whose autologging knows only
scikit-learn's own two searches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

__all__ = ["log_to_mlflow"]

# MLflow's own limit.
LONGEST_VALUE = 500
# How the names of columns begin that are metrics of a candidate.
LOGGED = (
    *("mean_", "std_", "rank_test_", "estimated_test_"),
    *("fresh_mean_", "fresh_std_", "pooled_mean_"),
)


def log_to_mlflow(search: Any, *, run_name: str | None = None) -> str:
    """Log a fitted search to MLflow: one run, and in it a run for each candidate.

    The run of the search has the best parameters, as ``best_<name>``, and the best
    score. The run of a candidate has its parameters, and as metrics the means and the
    standard deviations of its scores and times; failed ones have no scores. Those that
    a race dropped have an estimate in place of a score, and the tag ``dropped``. Runs
    go to MLflow's active experiment, within the active run if there is one.

    Parameters
    ----------
    search : BaseSearch or scikit-learn's BaseSearchCV
        Fitted.
    run_name : str or None, default=None
        Of the run; the class of the search by default.

    Returns
    -------
    str
        The id of the run.

    Raises
    ------
    ImportError
        If MLflow is not installed.
    sklearn.exceptions.NotFittedError
        If the search is not fitted.

    Examples
    --------
    >>> from skhpo.tracking import log_to_mlflow
    >>> log_to_mlflow(search)  # doctest: +SKIP
    '0f3c4d...'
    """
    try:
        import mlflow
    except ImportError as error:
        raise ImportError(
            "log_to_mlflow needs MLflow: pip install mlflow-skinny."
        ) from error
    check_is_fitted(search, "cv_results_")
    results, name = search.cv_results_, type(search).__name__
    nested = mlflow.active_run() is not None
    with mlflow.start_run(run_name=run_name or name, nested=nested) as run:
        mlflow.set_tag("search", name)
        mlflow.set_tag("estimator", type(search.estimator).__name__)
        best = getattr(search, "best_params_", {})
        mlflow.log_params({f"best_{key}": _text(best[key]) for key in best})
        if hasattr(search, "best_score_"):
            mlflow.log_metric("best_score", float(search.best_score_))
        for number, params in enumerate(results["params"]):
            with mlflow.start_run(run_name=f"candidate {number}", nested=True):
                mlflow.log_params({key: _text(params[key]) for key in params})
                mlflow.log_metrics(_metrics(results, number))
                if "dropped" in results and results["dropped"][number]:
                    mlflow.set_tag("dropped", "true")
    return run.info.run_id


def _text(value: object) -> str:
    return str(value)[:LONGEST_VALUE]


def _metrics(results: Mapping[str, Any], number: int) -> dict[str, float]:
    """Return what is known of the scores and times of a candidate."""
    values = {
        key: float(results[key][number]) for key in results if key.startswith(LOGGED)
    }
    return {key: value for key, value in values.items() if np.isfinite(value)}
