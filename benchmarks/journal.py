"""What does a journal cost?

Evaluations that do nothing, with and without a journal, alternately in one run; then
the time of a lookup in files of different sizes:

    python -m benchmarks.journal
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.dummy import DummyClassifier

from skhpo import GridSearch
from skhpo._trial import Evaluation
from skhpo.journal import Journal, Problem

PROBLEM = Problem("0" * 32, "an estimator", "some data", "a scorer")


def seconds_per_evaluation(n: int, journal: Path | None) -> float:
    """Return the time of each of `n` evaluations that do nothing."""
    X, y = np.zeros((20, 1)), np.arange(20) % 2
    grid = {"random_state": range(n // 2)}
    search = GridSearch(DummyClassifier(), grid, cv=2, refit=False, journal=journal)
    start = time.perf_counter()
    search.fit(X, y)
    return (time.perf_counter() - start) / n


def lookup_seconds(path: Path, n_rows: int, n_lookups: int = 2000) -> float:
    """Return the time of a lookup among `n_rows`."""
    evaluation = Evaluation(0.5, None, 0.1, 0.1, 10)
    keys = [f"{i:032x}" for i in range(n_rows // 5)]
    with Journal(path, PROBLEM) as journal:
        journal.add((k, {"C": 1}, s, evaluation) for k in keys for s in range(5))
        wanted = np.random.default_rng(0).choice(keys, n_lookups)
        start = time.perf_counter()
        found = [journal.find(str(key)) for key in wanted]
        seconds = (time.perf_counter() - start) / n_lookups
    assert all(len(evaluations) == 5 for evaluations in found)
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=4000, help="evaluations")
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    without, writing, reading = [], [], []
    for _ in range(options.repeat):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "search.db"
            without.append(seconds_per_evaluation(options.n, None))
            writing.append(seconds_per_evaluation(options.n, path))
            reading.append(seconds_per_evaluation(options.n, path))
    plain = statistics.median(without)
    print("an evaluation that does nothing, us (beyond that without a journal)")
    for name, times in (
        ("no journal", without),
        ("written", writing),
        ("looked up", reading),
    ):
        us = 1e6 * statistics.median(times)
        print(f"  {name:12} {us:8.0f} ({us - 1e6 * plain:+.0f})")
    print("a lookup of five splits, us")
    for n_rows in (1000, 10_000, 100_000):
        with tempfile.TemporaryDirectory() as folder:
            us = 1e6 * lookup_seconds(Path(folder) / "a.db", n_rows)
        print(f"  {n_rows:7} rows {us:8.0f}")


if __name__ == "__main__":
    main()
