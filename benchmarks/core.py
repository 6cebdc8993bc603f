"""What does the evaluation core cost where nothing can be shared?

Ratios of scikit-learn's time over ours, measured alternately in one run. Above 1, we
are faster. See README.md beside this file.
"""

from __future__ import annotations

from _measure import (  # before NumPy, which reads the number of threads once
    LIBRARIES,
    Ratio,
    Timing,
    Workload,
    alternate,
    largest_difference,
    median_seconds,
    print_table,
    report_alone,
    require_equal,
    run_alone,
    scores_of,
    versions,
    warm_up,
)

# isort: split
import argparse
import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from joblib import parallel_config
from sklearn.base import BaseEstimator
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC

HEADER = (
    "workload",
    "jobs",
    "fits",
    "scikit-learn s",
    "skhpo s",
    "CPU ratio (min-max)",
    "wall ratio (min-max)",
    "peak MB",
    "skhpo MB",
    "ratio",
    "max |d|",
)


class Trivial(BaseEstimator):
    """Does next to nothing, so that the search itself is all there is to measure."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def fit(self, X: Any, y: Any = None) -> Trivial:
        """Learn nothing."""
        self.fitted_ = True
        return self

    def score(self, X: Any, y: Any = None) -> float:
        """Return a number that depends on the candidate."""
        return -((self.value - 0.3) ** 2)


class Silent:
    """A callback that hears everything and does nothing."""

    def setup(self, estimator: Any, context: Any) -> None:
        """Do nothing."""

    def teardown(self, estimator: Any, context: Any) -> None:
        """Do nothing."""

    def on_fit_task_begin(self, estimator: Any, context: Any, **data: Any) -> None:
        """Do nothing."""

    def on_fit_task_end(self, estimator: Any, context: Any, **data: Any) -> bool:
        """Do nothing, and let the search go on."""
        return False


def _ridge_rows(quick: bool) -> Workload:
    X, y = _big_data(100_000 if quick else 1_000_000)
    return Workload(Ridge(), {"alpha": np.logspace(-3, 3, 10)}, X, y)


def _frame_rows(quick: bool) -> Workload:
    X, y = _big_data(50_000 if quick else 500_000)
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])
    return Workload(Ridge(), {"alpha": np.logspace(-3, 3, 10)}, frame, pd.Series(y))


def _big_data(n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, 20))
    return X, X @ rng.standard_normal(20) + rng.standard_normal(n_rows)


def _frame_small(quick: bool) -> Workload:
    X, y = load_iris(return_X_y=True, as_frame=True)
    return Workload(GaussianNB(), _smoothings(100 if quick else 200), X, y)


def _naive_bayes(quick: bool) -> Workload:
    X, y = load_iris(return_X_y=True)
    return Workload(GaussianNB(), _smoothings(100 if quick else 400), X, y)


def _smoothings(n: int) -> dict[str, Any]:
    return {"var_smoothing": np.logspace(-12, 0, n)}


def _ridge_small(quick: bool) -> Workload:
    X, y = load_diabetes(return_X_y=True)
    space = {"alpha": np.logspace(-3, 3, 100 if quick else 400)}
    return Workload(Ridge(), space, X, y)


def _dummy(quick: bool) -> Workload:
    X, y = load_iris(return_X_y=True)
    # A value that `fit` ignores with this strategy, so that candidates are distinct.
    space = {"constant": list(range(200 if quick else 1000))}
    return Workload(DummyClassifier(strategy="most_frequent"), space, X, y)


def _svc_digits(quick: bool) -> Workload:
    X, y = load_digits(return_X_y=True)
    n = 600 if quick else len(X)
    space = {"C": [0.1, 1, 10, 100], "gamma": [1e-4, 1e-3, 1e-2]}
    return Workload(SVC(), space, X[:n], y[:n])


def _many(n_candidates: int) -> Callable[[bool], Workload]:
    def make(quick: bool) -> Workload:
        X, y = np.zeros((10, 1)), np.arange(10.0)
        n = n_candidates // 10 if quick else n_candidates
        return Workload(Trivial(), {"value": np.linspace(0, 1, n)}, X, y, cv=2)

    return make


@dataclass(frozen=True)
class Row:
    """A line of the table: a workload, and how it is run.

    `backend` None is sequential, otherwise there are two workers; `in_process` False
    measures the time, too, in processes of their own, so that no memory of earlier
    runs is at hand.
    """

    make: Callable[[bool], Workload]
    backend: str | None = None
    weighed: bool = False
    in_process: bool = True
    callback: bool = False

    def fit(self, workload: Workload, library: str) -> Any:
        """Search with one of the libraries."""
        workers = contextlib.nullcontext()
        if self.backend is not None:
            workers = parallel_config(self.backend, n_jobs=2)
        search = workload.search(library)
        if self.callback:
            search.set_callbacks(Silent())
        with workers:
            search.fit(workload.X, workload.y)
        return scores_of(search)


ROWS = {
    "ridge_rows": Row(_ridge_rows, weighed=True),
    "ridge_rows_threading": Row(_ridge_rows, "threading", weighed=True),
    "ridge_rows_loky": Row(_ridge_rows, "loky", weighed=True),
    "frame_rows": Row(_frame_rows, weighed=True),
    "frame_rows_loky": Row(_frame_rows, "loky", weighed=True),
    "frame_small": Row(_frame_small),
    "naive_bayes": Row(_naive_bayes),
    "naive_bayes_loky": Row(_naive_bayes, "loky"),
    "ridge_small": Row(_ridge_small),
    "ridge_small_loky": Row(_ridge_small, "loky"),
    "dummy": Row(_dummy),
    "dummy_threading": Row(_dummy, "threading"),
    "dummy_loky": Row(_dummy, "loky"),
    "svc_digits": Row(_svc_digits),
    "svc_digits_loky": Row(_svc_digits, "loky"),
    "callback": Row(_dummy, callback=True),
    "callback_loky": Row(_dummy, "loky", callback=True),
    "many_10k": Row(_many(10_000), weighed=True, in_process=False),
    "many_50k": Row(_many(50_000), weighed=True, in_process=False),
    "many_100k": Row(_many(100_000), weighed=True, in_process=False),
}


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the work")
    parser.add_argument("--repeat", type=int, default=5, help="pairs of runs")
    parser.add_argument("--only", nargs="*", choices=ROWS, help="these lines only")
    parser.add_argument("--alone", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        name, library = options.alone
        workload = ROWS[name].make(options.quick)
        report_alone(lambda: ROWS[name].fit(workload, library))
        return
    _report(options.only or list(ROWS), options.quick, options.repeat)


def _report(names: list[str], quick: bool, repeat: int) -> None:
    print(versions())
    if not hasattr(GridSearchCV, "set_callbacks"):  # scikit-learn < 1.9
        names = [name for name in names if not ROWS[name].callback]
    lines, differences, growth = [], {}, []
    for name in names:
        measured = _measure_row(name, quick, repeat)
        lines.append(measured.line(name))
        differences[name] = measured.difference
        if not ROWS[name].in_process:
            growth.append(measured.growth(name))
        print(f"{name} done", file=sys.stderr, flush=True)
    print_table(HEADER, lines)
    if growth:
        print("\nPer candidate of the trivial estimator (2 splits):")
        print_table(
            ("", *(f"{lib} {unit}" for unit in UNITS for lib in LIBRARIES)), growth
        )
    require_equal(differences)


UNITS = ("us", "KB")


@dataclass(frozen=True)
class Measured:
    """All numbers of a row."""

    row: Row
    n_fits: int
    timings: dict[str, list[Timing]]
    difference: float
    alone: dict[str, dict[str, Any]]

    def line(self, name: str) -> list[Any]:
        """Return the cells of the table."""
        theirs, ours = (self.timings[library] for library in LIBRARIES)
        clock = "cpu" if self.row.backend is None else "wall"
        return [
            name,
            2 if self.row.backend else 1,
            self.n_fits,
            median_seconds(theirs, clock),
            median_seconds(ours, clock),
            # Elsewhere the CPU time is spent in other processes.
            Ratio.of(theirs, ours, "cpu") if clock == "cpu" else "",
            Ratio.of(theirs, ours, "wall"),
            *self._memory(),
            f"{self.difference:.0e}" if self.difference else "0",
        ]

    def _memory(self) -> list[str]:
        if not self.alone:
            return ["", "", ""]
        theirs, ours = (self.alone[library]["peak"] for library in LIBRARIES)
        return [f"{theirs:.0f}", f"{ours:.0f}", f"{ours / theirs:.2f}"]

    def growth(self, name: str) -> list[str]:
        """Return microseconds and kilobytes per candidate, which show how it grows."""
        n = self.n_fits / 2
        alone = [self.alone[library] for library in LIBRARIES]
        times = [f"{report['cpu'] / n * 1e6:.0f}" for report in alone]
        sizes = [f"{(r['peak'] - r['start']) / n * 1e3:.2f}" for r in alone]
        return [name, *times, *sizes]


def _measure_row(name: str, quick: bool, repeat: int) -> Measured:
    row = ROWS[name]
    workload = row.make(quick)
    flags = ["--quick"] if quick else []
    if not row.in_process:
        return _measure_alone(name, workload.n_fits, flags, max(1, repeat // 2))
    if row.backend is not None:
        warm_up(2, row.backend)
    runs = {library: _run(row, workload, library) for library in LIBRARIES}
    timings, results = alternate(runs, repeat)
    alone = {}
    if row.weighed:
        for library in LIBRARIES:
            alone[library] = run_alone("core.py", "--alone", name, library, *flags)
    difference = largest_difference(*results.values())
    return Measured(row, workload.n_fits, timings, difference, alone)


def _run(row: Row, workload: Workload, library: str) -> Callable[[], Any]:
    return lambda: row.fit(workload, library)


def _measure_alone(name: str, n_fits: int, flags: list[str], repeat: int) -> Measured:
    timings: dict[str, list[Timing]] = {library: [] for library in LIBRARIES}
    alone = {}
    for _ in range(repeat):
        for library in LIBRARIES:
            report = run_alone("core.py", "--alone", name, library, *flags)
            timings[library].append(Timing(report["cpu"], report["wall"]))
            alone[library] = report
    digests = {report["digest"] for report in alone.values()}
    difference = 0.0 if len(digests) == 1 else float("inf")
    return Measured(ROWS[name], n_fits, timings, difference, alone)


if __name__ == "__main__":
    main()
