"""Is a time budget kept?

Fits that sleep for a log-normal time (median 0.3 s, sigma 0.8), a budget of some
seconds, and how much longer ``fit`` took than that. It may be one evaluation (the last
one, in this process), or two seconds with workers, which are killed:

    python -m benchmarks.budget

- **over**: seconds of ``fit`` beyond the budget, negative if it ended before; the last
  fit, on all the data, included;
- **longest**: the longest evaluation that was possible;
- **complete**: candidates that count.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import uniform
from sklearn.base import BaseEstimator, RegressorMixin

from skhpo import BayesSearch, GridSearch, PBTSearch, RandomSearch, register_incremental
from skhpo.evaluation.incremental import PartialFit
from skhpo.space import Real

SLEEPS = np.random.default_rng(0).lognormal(np.log(0.3), 0.8, size=200)


class Sleeper(RegressorMixin, BaseEstimator):
    """Sleeps for a time that its level decides."""

    def __init__(self, level: float = 0.5):
        self.level = level

    def fit(self, X: Any, y: Any) -> Sleeper:
        return self.partial_fit(X, y)

    def partial_fit(self, X: Any, y: Any) -> Sleeper:
        time.sleep(SLEEPS[int(self.level * len(SLEEPS)) % len(SLEEPS)])
        self.mean_ = float(np.mean(y))
        return self

    def predict(self, X: Any) -> np.ndarray:
        return np.full(len(X), self.mean_ + self.level)


register_incremental(Sleeper, PartialFit(), effective=["level"])
SEARCHES: dict[str, Callable[..., Any]] = {
    "grid": lambda **o: GridSearch(
        Sleeper(), {"level": list(np.linspace(0, 0.999, 200))}, **o
    ),
    "random": lambda **o: RandomSearch(
        Sleeper(), {"level": uniform(0, 1)}, n_iter=200, random_state=0, **o
    ),
    "bayes": lambda **o: BayesSearch(
        Sleeper(), {"level": Real(0, 1)}, n_iter=200, random_state=0, **o
    ),
    "pbt": lambda **o: PBTSearch(
        Sleeper(),
        {"level": uniform(0, 1)},
        population_size=3,
        n_generations=50,
        random_state=0,
        **o,
    ),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 3)), rng.normal(size=60)
    print("search   backend     over s  last fit s  longest s  complete")
    for name, make in SEARCHES.items():
        for backend, n_jobs in (("sequential", 1), ("loky", 2)):
            search = make(time_budget=options.seconds, cv=2, n_jobs=n_jobs)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                # Starts workers, which import scikit-learn.
                GridSearch(Sleeper(), {"level": [0.1, 0.2]}, cv=2, n_jobs=n_jobs).fit(
                    X, y
                )
                start = time.perf_counter()
                search.fit(X, y)
            over = time.perf_counter() - start - options.seconds
            assert search.stop_reason_ == "time_budget"
            n = len(search.cv_results_["params"])
            print(
                f"{name:8} {backend:10} {over:7.2f} {search.refit_time_:11.2f} "
                f"{SLEEPS.max():10.2f} {n:9}"
            )


if __name__ == "__main__":
    main()
