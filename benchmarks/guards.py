"""What ``fit_timeout`` and ``memory_limit`` cost, per evaluation.

    python -m benchmarks.guards

Each row is a grid search whose fits do nothing, so that all its time is overhead. The
costs per evaluation come from searches of `--n` and of a few candidates, whose
difference leaves out what is paid once (a new interpreter that imports scikit-learn);
that stands in a column of its own. In the last row, every other fit ends its process,
which is then replaced.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from typing import Any

from benchmarks import _measure  # noqa: F401 - sets the number of threads first

import numpy as np  # isort: skip
from sklearn.base import BaseEstimator, ClassifierMixin  # isort: skip

from skhpo import GridSearch  # isort: skip

LIMITS: dict[str, dict[str, Any]] = {
    "without": {},
    "fit_timeout": {"fit_timeout": "10s"},
    "memory_limit": {"memory_limit": "1GB"},
    "both": {"fit_timeout": "10s", "memory_limit": "1GB"},
}
FEW = 10


class Idle(ClassifierMixin, BaseEstimator):
    """Does nothing; where `deadly`, ends its process at every other level."""

    def __init__(self, level: int = 0, deadly: bool = False) -> None:
        self.level = level
        self.deadly = deadly

    def fit(self, X: Any, y: Any) -> Idle:
        if self.deadly and self.level % 2:
            os._exit(1)
        self.classes_ = np.array([0, 1])
        return self

    def predict(self, X: Any) -> Any:
        return np.zeros(len(X), dtype=int)


def cost(n: int, n_rows: int, deadly: bool, options: dict[str, Any]) -> np.ndarray:
    """Return the seconds, on the clock and of all processors, of `n` candidates."""
    X = np.random.default_rng(0).normal(size=(n_rows, 20))
    y = np.arange(n_rows) % 2
    grid = {"level": range(n)}
    search = GridSearch(Idle(deadly=deadly), grid, cv=2, refit=False, **options)
    start = now()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(X, y)
    return now() - start


def now() -> np.ndarray:
    """Return the clock, and the CPU time of this process and those it has reaped."""
    return np.array([time.perf_counter(), sum(os.times()[:4])])


def row(name: str, n: int, n_rows: int, n_jobs: int, deadly: bool = False) -> str:
    """Measure a line of the table."""
    options = {"n_jobs": n_jobs, **LIMITS[name]}
    few, many = (cost(k, n_rows, deadly, options) for k in (FEW, n))
    each = (many - few) / (2 * (n - FEW))
    wall, cpu = 1e3 * each
    once = (few - 2 * FEW * each)[1]
    label = name + (", every other fit dies" if deadly else "")
    return f"{label:34}{n_rows:>9}{n_jobs:>8}{cpu:>12.2f}{wall:>12.2f}{once:>14.2f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--n", type=int, default=500, help="candidates (times 2 splits)"
    )
    n = parser.parse_args().n
    print(f"{'':51}{'ms per evaluation':>24}{'once':>14}")
    print(f"{'limits':34}{'rows':>9}{'n_jobs':>8}{'CPU':>12}{'clock':>12}{'CPU s':>14}")
    for n_rows in (100, 100_000):
        for name in LIMITS:
            print(row(name, n, n_rows, 1), flush=True)
    print(row("both", n, 100, 2), flush=True)
    print(row("both", max(n // 5, 2 * FEW), 100, 1, deadly=True), flush=True)


if __name__ == "__main__":
    main()
