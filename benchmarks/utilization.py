"""How busy does a search that learns keep its workers?

    python -m benchmarks.utilization

Fits sleep for a log-normal time, so any machine has as many workers as it likes. A
candidate is asked for when those `n_pending` before it have been told, in order: a slow
one holds back all that come after it. The comparison is a plain queue that takes the
same sleeps in the same order and waits for nobody, as fits that nobody learns from.

Utilization is the time slept over (workers x wall time). "per candidate" costs are the
same for all splits of a candidate, as if parameters alone decided; "per fit" costs are
all independent, the worst case for whoever waits for whole candidates.
"""

from __future__ import annotations

import argparse
import math
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import joblib
import numpy as np
from scipy.special import ndtri
from sklearn.base import BaseEstimator
from sklearn.model_selection import KFold

from skhpo import BayesSearch, RandomSearch
from skhpo.space import Real

N_SPLITS = 5
X = np.arange(4.0 * N_SPLITS)[:, np.newaxis]
# Workers: candidates, and the share of the queue's utilization to be reached.
SIZES = {2: (60, 0.85), 8: (120, 0.8), 32: (240, 0.6)}


class Sleeper(BaseEstimator):
    """Sleeps for a log-normal time in `fit`, and scores by `x`."""

    def __init__(
        self,
        x: float = 0.5,
        sigma: float = 0.7,
        mean: float = 0.05,
        per_fit: bool = False,
    ) -> None:
        self.x, self.sigma, self.mean, self.per_fit = x, sigma, mean, per_fit

    def seconds(self, X: Any) -> float:
        """Return how long a fit takes: a draw that depends on `x` (and the split)."""
        drawn_for = (self.x, float(X.sum())) if self.per_fit else self.x
        u = (zlib.crc32(repr(drawn_for).encode()) + 0.5) / 2**32
        return self.mean * math.exp(self.sigma * ndtri(u) - self.sigma**2 / 2)

    def fit(self, X: Any, y: Any = None) -> Sleeper:
        """Sleep."""
        time.sleep(self.seconds(X))
        return self

    def score(self, X: Any, y: Any = None) -> float:
        """Return the height of a hill over `x`."""
        return -((self.x - 0.3) ** 2)


def make_search(kind: str, sleeper: Sleeper, n_candidates: int, **keywords: Any) -> Any:
    """Return the search to be measured; annealing has nothing to think about."""
    space, cv = {"x": Real(0, 1)}, KFold(N_SPLITS)
    keywords |= {"n_iter": n_candidates, "cv": cv, "random_state": 0, "refit": False}
    if kind == "bayes":
        return BayesSearch(sleeper, space, **keywords)
    return RandomSearch(sleeper, space, strategy="anneal", **keywords)


def run_search(search: Any, n_workers: int) -> tuple[float, list[float]]:
    """Return the wall time of a search, and what its fits slept."""
    search.set_params(n_jobs=n_workers)
    start = time.perf_counter()
    with joblib.parallel_config("threading"):
        search.fit(X)
    wall = time.perf_counter() - start
    parts = [X[train] for train, _ in KFold(N_SPLITS).split(X)]
    sleeper = search.estimator
    return wall, [
        sleeper.set_params(**params).seconds(part)
        for params in search.cv_results_["params"]
        for part in parts
    ]


def run_queue(sleeps: list[float], n_workers: int) -> float:
    """Return the wall time of the same sleeps without an order."""
    start = time.perf_counter()
    with ThreadPoolExecutor(n_workers) as pool:
        list(pool.map(time.sleep, sleeps))
    return time.perf_counter() - start


def matching(n_workers: int, pending_fits: float) -> int:
    """Return the `n_pending` that is so many fits per worker, and one candidate."""
    return 1 + math.ceil(pending_fits * n_workers / N_SPLITS)


def main() -> None:
    """Print one row per number of workers, spread and kind of cost."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--search", choices=["anneal", "bayes"], default="anneal")
    parser.add_argument("--workers", nargs="+", type=int, default=list(SIZES))
    parser.add_argument("--sigma", nargs="+", type=float, default=[0.7, 1.2])
    parser.add_argument("--mean", type=float, default=0.05, help="seconds of a fit")
    parser.add_argument(
        "--pending-fits", type=float, default=6.0, help="pending fits per worker"
    )
    args = parser.parse_args()
    print("costs          sigma  workers  n_pending  search  queue  ratio  mark")
    for per_fit in (False, True):
        for sigma in args.sigma:
            for n_workers in args.workers:
                n_candidates, mark = SIZES.get(n_workers, (8 * n_workers, math.nan))
                n_pending = matching(n_workers, args.pending_fits)
                sleeper = Sleeper(sigma=sigma, mean=args.mean, per_fit=per_fit)
                search = make_search(
                    args.search, sleeper, n_candidates, n_pending=n_pending
                )
                wall, sleeps = run_search(search, n_workers)
                queue = run_queue(sleeps, n_workers)
                work = sum(sleeps) / n_workers
                print(
                    f"{'per fit' if per_fit else 'per candidate':14} {sigma:5}"
                    f"{n_workers:9}{n_pending:11}{work / wall:8.2f}{work / queue:7.2f}"
                    f"{queue / wall:7.2f}{mark:6.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
