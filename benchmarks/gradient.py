# ruff: noqa: E402 - threads are set before NumPy is imported
"""What does ``GradientSearch`` find, for how many fits and how much CPU?

    SKHPO_DATA=folder python -m benchmarks.gradient

One and two hyperparameters beside a fine grid; a penalty per column of real data
(``german.csv`` and ``adult-train.csv`` in the folder) beside random and Bayesian
candidates in the same space. Each search sees two thirds of the rows and is scored on
the rest: *outer*. One that over-tunes has a low inner and a high outer loss. CPU is
that of this process, where all is done in one thread; that of fits is all but what the
optimizer takes to propose. A row is printed as soon as it is known, so that parts can
be run by themselves (``--only``, ``--first-seed``).
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import ElasticNet, LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks._measure import print_table, versions
from skhpo import BayesSearch, GradientSearch, GridSearch, GroupScaler, RandomSearch
from skhpo.space import Real

HEADER = (
    *("problem", "search", "fits", "most fits", "CPU s of fits", "CPU s"),
    *("inner loss", "outer loss"),
)


def measure(search: Any, data: Any, seed: int) -> list[float]:
    """Return what a search finds on two thirds of the data, and what it takes."""
    X, y = data
    X, X_test, y, y_test = train_test_split(X, y, test_size=1 / 3, random_state=seed)
    proposals = timed_proposals(search)
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(X, y)
    cpu = time.process_time() - start
    outer = -get_scorer(search.scoring)(search.best_estimator_, X_test, y_test)
    fits = len(search.cv_results_["params"]) * search.n_splits_
    return [fits, cpu - sum(proposals), cpu, -search.best_score_, outer]


def timed_proposals(search: Any) -> list[float]:
    """Have a search note in a list the CPU that its optimizer takes."""
    seconds: list[float] = []
    make = search._make_optimizer

    def timed(function: Any) -> Any:
        def call(*arguments: Any) -> Any:
            start = time.process_time()
            try:
                return function(*arguments)
            finally:
                seconds.append(time.process_time() - start)

        return call

    def made(space: Any) -> Any:
        optimizer = make(space)
        optimizer.ask, optimizer.tell = timed(optimizer.ask), timed(optimizer.tell)
        return optimizer

    search._make_optimizer = made
    return seconds


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


def read(name: str, n_rows: int) -> tuple[Any, Any]:
    """Return some rows of a table without a header, and its last column."""
    path = Path(os.environ["SKHPO_DATA"]) / name
    data = pd.read_csv(path, header=None, skipinitialspace=True)
    data = data.sample(min(n_rows, len(data)), random_state=0)
    return data.iloc[:, :-1], data.iloc[:, -1].to_numpy()


def per_column(table: Any) -> tuple[Any, Any, dict[str, Real]]:
    """Return a table as numbers, a model with a penalty per column, and its space."""
    groups, parts = {}, []
    for column, values in table.items():
        is_number = pd.api.types.is_numeric_dtype(values)
        part = values.to_frame() if is_number else pd.get_dummies(values, dtype=float)
        first = sum(p.shape[1] for p in parts)
        groups[f"c{column}"] = range(first, first + part.shape[1])
        parts.append(part.to_numpy(dtype=float))
    model = make_pipeline(StandardScaler(), GroupScaler(groups), LogisticRegression())
    scales = {f"groupscaler__log_scale__{name}": Real(-5, 1) for name in groups}
    return np.hstack(parts), model, scales


Problem = tuple[Any, Any, dict[str, Real], str, dict[str, int]]


def few() -> Iterator[tuple[str, Problem]]:
    """Yield problems of one and two hyperparameters."""
    cancer, diabetes = (
        load_breast_cancer(return_X_y=True),
        load_diabetes(return_X_y=True),
    )
    logistic = make_pipeline(StandardScaler(), LogisticRegression(tol=1e-6))
    kernel = make_pipeline(StandardScaler(), KernelRidge(kernel="rbf", gamma=0.1))
    enet = make_pipeline(StandardScaler(), ElasticNet(tol=1e-6))
    squared, half = "neg_mean_squared_error", {"grid": 15, "random": 30, "bayes": 30}
    bounds = {"logisticregression__C": log_range(1e-4, 1e4)}
    line = {"grid": 200, "random": 15, "bayes": 15}
    yield "C, cancer", (cancer, logistic, bounds, "neg_log_loss", line)
    bounds = {
        "kernelridge__alpha": log_range(1e-3, 1e2),
        "kernelridge__gamma": log_range(1e-4, 1.0),
    }
    yield "kernel ridge, diabetes", (diabetes, kernel, bounds, squared, half)
    bounds = {
        "elasticnet__alpha": log_range(1e-3, 1e2),
        "elasticnet__l1_ratio": Real(0.01, 1.0),
    }
    yield "elastic net, diabetes", (diabetes, enet, bounds, squared, half)


def many(sizes: dict[str, int]) -> Iterator[tuple[str, Problem]]:
    """Yield problems with a penalty per column, and with one for all."""
    for name, n_rows in (("german", 1000), ("adult", 3000)):
        file = "german.csv" if name == "german" else "adult-train.csv"
        table, y = read(file, n_rows)
        X, model, scales = per_column(table)
        single = {"logisticregression__C": log_range(1e-4, 1e4)}
        title = f"{len(scales)} penalties, {name}"
        yield title, ((X, y), model, scales, "neg_log_loss", sizes)
        yield f"one penalty, {name}", ((X, y), model, single, "neg_log_loss", {})


def main() -> None:
    """Measure, and print a table of means over the seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--random", type=int, default=300)
    parser.add_argument("--bayes", type=int, default=300)
    parser.add_argument("--only", default="", help="part of the problem's name")
    arguments = parser.parse_args()
    sizes = {"random": arguments.random, "bayes": arguments.bayes}
    print(versions())
    rows = []
    for name, problem in [*few(), *many(sizes)]:
        if arguments.only in name:
            data, model, bounds, scoring, some = problem
            found: dict[str, list[Any]] = {}
            for seed in range(
                arguments.first_seed, arguments.first_seed + arguments.seeds
            ):
                made = searches(model, bounds, scoring, some, seed)
                for kind, search in made.items():
                    figures = measure(search, data, seed)
                    print(name, kind, seed, *figures, sep=", ", flush=True)
                    found.setdefault(kind, []).append(figures)
            rows += [[name, kind, *written(found[kind])] for kind in found]
    print_table(HEADER, rows)


def written(figures: list[list[float]]) -> list[str]:
    """Return the means of some figures, and the most fits."""
    fits, fitting, cpu, inner, outer = np.mean(figures, axis=0)
    most = max(fits for fits, *_ in figures)
    numbers = f"{fits:.0f}", f"{most:.0f}", f"{fitting:.1f}", f"{cpu:.1f}"
    return [*numbers, f"{inner:.5g}", f"{outer:.5g}"]


if __name__ == "__main__":
    main()
