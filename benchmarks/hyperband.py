# ruff: noqa: E402 - threads are set before NumPy is imported
"""What do a race and dask-ml's Hyperband cost and lose, for models with partial_fit?

    SKHPO_DATA=folder python -m benchmarks.hyperband

dask-ml 2025.1 needs ``dask==2025.1`` and ``distributed==2025.1``: with newer ones its
searches end in a RuntimeError about an asynchronous client.

Hyperband trains 49 models for up to 27 passes and scores them on one split; random
search trains 40 for 27 passes on five, with and without a race. All runs in this
process and by one thread, so that CPU time counts everything. Regret is by how much the
mean over the five splits of what is chosen is below that of the best of the 40, in
standard errors of a candidate's mean over its splits (the median over candidates), and
below 0 where Hyperband's own draws were better.
"""

from __future__ import annotations

import argparse
import logging
import math
import os
import time
import warnings
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import numpy as np
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from benchmarks.cheaper import load
from skhpo import RandomSearch

N_PASSES, N_CANDIDATES, SCORING = 27, 40, "neg_log_loss"
NETWORK = MLPClassifier(max_iter=N_PASSES, n_iter_no_change=N_PASSES, random_state=0)
NETWORK_SPACE = {
    "alpha": loguniform(1e-5, 3),
    "learning_rate_init": loguniform(5e-4, 0.1),
    "hidden_layer_sizes": [8, 16, 24, 32],  # dask-ml fails with tuples of two lengths
}
SGD = SGDClassifier(loss="log_loss", max_iter=N_PASSES, tol=None, random_state=0)
SGD_SPACE = {
    "alpha": loguniform(1e-6, 1e-1),
    "eta0": loguniform(1e-3, 1),
    "learning_rate": ["constant", "invscaling", "adaptive"],
}
CASES: dict[str, tuple[Any, dict[str, Any], tuple[str, int]]] = {
    "network/phoneme": (NETWORK, NETWORK_SPACE, ("phoneme", 1500)),
    "SGD/adult": (SGD, SGD_SPACE, ("adult", 1500)),
    "SGD/german": (SGD, SGD_SPACE, ("german", 1000)),
}


def timed(search: Any, *data: Any, **params: Any) -> float:
    """Fit and return the CPU seconds."""
    start = time.process_time()
    search.fit(*data, **params)
    return time.process_time() - start


def compared(name: str, seed: int) -> dict[str, tuple[float, float]]:
    """Return cost and regret of the race and of Hyperband."""
    from dask_ml.model_selection import HyperbandSearchCV

    model, space, data = CASES[name]
    X, y = load(*data)
    X, y = StandardScaler().fit_transform(np.asarray(X, float)), np.asarray(y)
    shared: dict[str, Any] = {"scoring": SCORING, "random_state": seed}
    cv = StratifiedKFold(5, shuffle=True, random_state=0)
    whole = RandomSearch(
        model, space, n_iter=N_CANDIDATES, cv=cv, refit=False, **shared
    )
    raced = clone(whole).set_params(race=True)
    hyperband = HyperbandSearchCV(
        model, space, max_iter=N_PASSES, test_size=0.2, **shared
    )
    seconds = timed(whole, X, y)
    costs = timed(raced, X, y), timed(hyperband, X, y, classes=np.unique(y))
    chosen = clone(model).set_params(**hyperband.best_params_)
    found = (
        raced.best_score_,
        cross_val_score(chosen, X, y, cv=cv, scoring=SCORING).mean(),
    )
    splits = [whole.cv_results_[f"split{i}_test_score"] for i in range(5)]
    error = np.median(np.std(splits, axis=0, ddof=1)) / math.sqrt(5)
    best = whole.cv_results_["mean_test_score"].max()
    return {
        way: (cost / seconds, (best - score) / error)
        for way, cost, score in zip(("race", "Hyperband"), costs, found, strict=True)
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    from distributed import Client

    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    client = Client(
        processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None
    )
    for name in CASES:
        for seed in range(options.seeds):
            for way, (cost, regret) in compared(name, seed).items():
                print(f"{name:16} {seed} {way:10} cost {cost:.2f} regret {regret:+.2f}")
    client.close()


if __name__ == "__main__":
    main()
