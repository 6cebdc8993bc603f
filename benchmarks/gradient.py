# ruff: noqa: E402 - threads are set before NumPy is imported
"""What does ``GradientSearch`` find, for how many fits and how much CPU?

    SKHPO_DATA=folder python -m benchmarks.gradient

One and two hyperparameters beside a fine grid; a penalty per column of credit data
(``german.csv`` in the folder) beside random and Bayesian candidates in the same space.
Each search sees two thirds of the rows and is scored on the rest: *outer*. One that
over-tunes has a low inner and a high outer loss. CPU is that of this process, where all
is done in one thread.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from pathlib import Path
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import ElasticNet, LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benchmarks._measure import print_table, versions
from skhpo import BayesSearch, GradientSearch, GridSearch, GroupScaler, RandomSearch
from skhpo.space import Real

HEADER = ("problem", "search", "fits", "CPU s", "inner loss", "outer loss")


def measure(name: str, kind: str, search: Any, data: Any, seed: int) -> list[Any]:
    """Return a row: what a search finds on two thirds of the data."""
    X, y = data
    X, X_test, y, y_test = train_test_split(X, y, test_size=1 / 3, random_state=seed)
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(X, y)
    seconds = time.process_time() - start
    outer = -get_scorer(search.scoring)(search.best_estimator_, X_test, y_test)
    fits = len(search.cv_results_["params"]) * search.n_splits_
    return [name, kind, fits, seconds, -search.best_score_, outer]


def searches(
    model: Any, bounds: dict[str, Real], scoring: str, sizes: dict[str, int], seed: int
) -> dict[str, Any]:
    """Return the searches of a space, by name."""
    common = {"scoring": scoring, "cv": 5}
    made: dict[str, Any] = {
        "gradient": GradientSearch(model, bounds, random_state=seed, **common)
    }
    if "grid" in sizes:
        lists = {
            name: (np.geomspace if r.log else np.linspace)(r.low, r.high, sizes["grid"])
            for name, r in bounds.items()
        }
        made["grid"] = GridSearch(model, lists, **common)
    for kind, cls in (("random", RandomSearch), ("bayes", BayesSearch)):
        if n_iter := sizes.get(kind):
            options = {"n_iter": n_iter, "random_state": seed, **common}
            made[f"{kind}, {n_iter}"] = cls(model, bounds, **options)
    return made


def log_range(low: float, high: float) -> Real:
    """Return a logarithmic range."""
    return Real(low, high, log=True)


def credit() -> tuple[Any, Any, Any, dict[str, Real]]:
    """Return credit data, and a logistic regression with a penalty per column."""
    data = pd.read_csv(Path(os.environ["SKHPO_DATA"]) / "german.csv", header=None)
    data.columns = [f"c{i}" for i in range(data.shape[1])]
    X, y = data.iloc[:, :-1], data.iloc[:, -1]
    parts = []
    for column in X.columns:
        is_number = pd.api.types.is_numeric_dtype(X[column])
        encoder = StandardScaler() if is_number else OneHotEncoder(drop="first")
        if not is_number:
            encoder.set_params(handle_unknown="ignore")
        parts.append((make_pipeline(encoder, GroupScaler()), [column]))
    model = make_pipeline(make_column_transformer(*parts), LogisticRegression())
    names = [n for n in model.get_params() if n.endswith("groupscaler__log_scale")]
    return X, y, model, {name: Real(-4, 2) for name in sorted(names)}


def problems(sizes: dict[str, int]) -> dict[str, Any]:
    """Return data, model, bounds, score and sizes of each problem, by name."""
    cancer, diabetes = (
        load_breast_cancer(return_X_y=True),
        load_diabetes(return_X_y=True),
    )
    logistic = make_pipeline(StandardScaler(), LogisticRegression(tol=1e-6))
    kernel = make_pipeline(StandardScaler(), KernelRidge(kernel="rbf", gamma=0.1))
    enet = make_pipeline(StandardScaler(), ElasticNet(tol=1e-6))
    squared, half = "neg_mean_squared_error", {"grid": 15, "random": 30, "bayes": 30}
    X, y, grouped, scales = credit()
    return {
        "1: C, cancer": (
            *(cancer, logistic, {"logisticregression__C": log_range(1e-4, 1e4)}),
            *("neg_log_loss", {"grid": 200, "random": 15, "bayes": 15}),
        ),
        "2: kernel ridge, diabetes": (
            *(diabetes, kernel),
            {
                "kernelridge__alpha": log_range(1e-3, 1e2),
                "kernelridge__gamma": log_range(1e-4, 1.0),
            },
            *(squared, half),
        ),
        "2: elastic net, diabetes": (
            *(diabetes, enet),
            {
                "elasticnet__alpha": log_range(1e-3, 1e2),
                "elasticnet__l1_ratio": Real(0.01, 1.0),
            },
            *(squared, half),
        ),
        f"{len(scales)}: penalties, credit": (
            *((X, y), grouped, scales, "neg_log_loss", sizes),
        ),
        "1: C, credit": (
            *((X, y), grouped, {"logisticregression__C": log_range(1e-4, 1e4)}),
            *("neg_log_loss", {}),
        ),
    }


def main() -> None:
    """Measure, and print a table of means over the seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--random", type=int, default=300)
    parser.add_argument("--bayes", type=int, default=0)
    parser.add_argument("--only", default="", help="beginning of the problem's name")
    arguments = parser.parse_args()
    sizes = {"random": arguments.random, "bayes": arguments.bayes}
    print(versions())
    rows = []
    for name, (data, model, bounds, scoring, some) in problems(sizes).items():
        if not name.startswith(arguments.only):
            continue
        found: dict[str, list[Any]] = {}
        for seed in range(arguments.seeds):
            for kind, search in searches(model, bounds, scoring, some, seed).items():
                row = measure(name, kind, search, data, seed)
                found.setdefault(kind, []).append(row[2:])
        for kind, figures in found.items():
            fits, cpu, inner, outer = np.mean(figures, axis=0)
            rows.append(
                [
                    name,
                    kind,
                    f"{fits:.0f}",
                    f"{cpu:.1f}",
                    f"{inner:.5g}",
                    f"{outer:.5g}",
                ]
            )
    print_table(HEADER, rows)


if __name__ == "__main__":
    main()
