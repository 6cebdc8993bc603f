# ruff: noqa: E402 - threads are set before NumPy is imported
"""What does a ``Curve`` cost, beside a number of iterations that is searched?

    python -m benchmarks.curves

Three searches over the same candidates, in turn: with a `Curve`, with patience, with a
race. Their CPU seconds are measured. Searches with the number in the space are replayed
on the curves of the first one: each draws a candidate and a number, costs the share of
the fit that the number is of the largest, and none of the scoring, and ends when it has
found the score that the `Curve` has found with as many candidates.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import numpy as np
from scipy.stats import loguniform
from sklearn.datasets import load_breast_cancer, make_classification
from sklearn.ensemble import HistGradientBoostingClassifier

from skhpo import RandomSearch
from skhpo.space import Curve


def models() -> dict[str, tuple[Any, str, dict[str, Any]]]:
    """Return estimators, their numbers of iterations and what is searched."""
    rate = {"learning_rate": loguniform(0.02, 0.5)}
    found = {
        "HistGradientBoosting": (
            HistGradientBoostingClassifier(random_state=0),
            "max_iter",
            {**rate, "max_leaf_nodes": [4, 8, 16, 31]},
        )
    }
    try:
        from lightgbm import LGBMClassifier
    except ImportError:
        print("# without LightGBM, which is not installed")
        return found
    model = LGBMClassifier(n_jobs=1, verbose=-1)
    space = {**rate, "num_leaves": [4, 8, 16, 31]}
    return {**found, "LightGBM": (model, "n_estimators", space)}


def problems() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return data by name."""
    X, y = make_classification(
        1500, 12, n_informative=6, flip_y=0.1, class_sep=0.7, random_state=0
    )
    return {"breast_cancer": load_breast_cancer(return_X_y=True), "generated": (X, y)}


def searched(
    model: Any, space: dict[str, Any], data: tuple[Any, Any], options: Any, **more: Any
) -> tuple[RandomSearch, float]:
    """Return a fitted search and its CPU seconds, without a last fit."""
    search = RandomSearch(
        model,
        space,
        n_iter=options.candidates,
        scoring="neg_log_loss",
        cv=options.folds,
        refit=False,
        random_state=options.seed,
        **more,
    )
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(*data)
    return search, time.process_time() - start


def replayed(
    search: RandomSearch, high: int, rng: np.random.Generator, most: int = 2000
) -> float:
    """Return the seconds of fits until a number in the space has found as good a score.

    Numbers are drawn on a logarithmic scale from 5 on, as one would.
    """
    results = search.cv_results_
    curves = [search.curve_of(i)[1].mean(axis=0) for i in range(len(results["params"]))]
    wanted = max(curve.max() for curve in curves)
    close = wanted - 0.001 * abs(wanted)  # within a thousandth of it
    spent, seconds = 0.0, results["mean_fit_time"] * search.n_splits_
    for _ in range(most):
        i = rng.integers(len(curves))
        number = int(np.exp(rng.uniform(np.log(5), np.log(high))))
        spent += seconds[i] * number / high
        if curves[i][number - 1] >= close:
            break
    return spent


def main() -> None:
    """Print a table: CPU seconds, and their ratios to those of the plain `Curve`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=40)
    parser.add_argument("--high", type=int, default=300)
    parser.add_argument("--patience", type=int, default=20)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", default=[""], help="parts of names")
    options = parser.parse_args()
    print("| model | data | CPU, s | number in space | patience | race | both | same |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for model_name, (model, number, space) in models().items():
        for data_name, data in problems().items():
            if not any(part in f"{model_name} {data_name}" for part in options.only):
                continue
            whole = {**space, number: Curve(options.high)}
            cut = {**space, number: Curve(options.high, patience=options.patience)}
            plain, seconds = searched(model, whole, data, options)
            others = [
                searched(model, cut, data, options),
                searched(model, whole, data, options, race=True),
                searched(model, cut, data, options, race=True),
            ]
            rng = np.random.default_rng(0)
            replays = [replayed(plain, options.high, rng) for _ in range(200)]
            ratios = [spent / seconds for _, spent in others]
            same = [s.best_params_ == plain.best_params_ for s, _ in others]
            print(
                f"| {model_name} | {data_name} | {seconds:.1f} | "
                f"{np.mean(replays) / seconds:.2f} | "
                f"{' | '.join(f'{ratio:.2f}' for ratio in ratios)} | "
                f"{', '.join('yes' if s else 'no' for s in same)} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
