"""What the benchmarks share: runs in alternation, peak memory, workloads, tables.

To be imported before anything that imports NumPy, which reads the number of threads
only once. With several BLAS or OpenMP threads, the CPU time of a run depends on what
else the machine does: waiting threads spin.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

LIBRARIES = ("scikit-learn", "skhpo")


@dataclass(frozen=True)
class Workload:
    """A search: an estimator, what is searched, and the data.

    `n_iter` makes it a random search; `space` is then sampled from.
    """

    estimator: Any
    space: Any
    X: Any
    y: Any
    cv: int = 5
    n_iter: int | None = None

    def search(self, library: str, **options: Any) -> Any:
        """Return the search of `library`, one of `LIBRARIES`, not fitted yet."""
        from sklearn.model_selection import GridSearchCV, RandomizedSearchCV

        from skhpo import GridSearch, RandomSearch

        kinds = {
            "scikit-learn": (GridSearchCV, RandomizedSearchCV),
            "skhpo": (GridSearch, RandomSearch),
        }
        grid, random = kinds[library]
        options = {"cv": self.cv, **options}
        if self.n_iter is None:
            return grid(self.estimator, self.space, **options)
        options |= {"n_iter": self.n_iter, "random_state": 0}
        return random(self.estimator, self.space, **options)

    def fit(self, library: str, **options: Any) -> Scores:
        """Search, and return what is to be compared."""
        return scores_of(self.search(library, **options).fit(self.X, self.y))

    @property
    def n_fits(self) -> int:
        """Number of fits that one by one are needed, but for the last of all."""
        from sklearn.model_selection import ParameterGrid

        n_candidates = self.n_iter or len(ParameterGrid(self.space))
        return n_candidates * self.cv


Scores = dict[str, Any]


def scores_of(search: Any) -> Scores:
    """Return the score of every candidate on every split."""
    results = search.cv_results_
    return {k: v for k, v in results.items() if k.startswith("split")}


def largest_difference(one: Scores, other: Scores) -> float:
    """Return the largest |difference|; infinite if they can't be compared."""
    import numpy as np

    if one.keys() != other.keys():
        return float("inf")
    differences = [0.0]
    for name in one:
        a, b = (np.asarray(scores[name], dtype=float) for scores in (one, other))
        if a.shape != b.shape or (np.isnan(a) != np.isnan(b)).any():
            return float("inf")
        differences.append(float(np.nanmax(np.abs(a - b), initial=0.0)))
    return max(differences)


def require_equal(differences: Mapping[str, float]) -> None:
    """Raise if a search gave other scores than scikit-learn's."""
    wrong = {name: d for name, d in differences.items() if d != 0}
    assert not wrong, f"The scores differ from scikit-learn's: {wrong}"


@dataclass(frozen=True)
class Timing:
    """Seconds that a run took, of the processor (all threads) and of the clock."""

    cpu: float
    wall: float


def timed(function: Callable[[], Any]) -> tuple[Timing, Any]:
    """Call `function`; return how long it took, and its result."""
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of convergence, say: both sides warn alike
        result = function()
    return Timing(time.process_time() - cpu, time.perf_counter() - wall), result


def alternate(
    functions: Mapping[str, Callable[[], Any]], repeat: int
) -> tuple[dict[str, list[Timing]], dict[str, Any]]:
    """Run all functions in turn, `repeat` times, and every other time backwards.

    So whatever slows the machine for a while slows all of them, and none of them has
    the better place. Returns their timings, and their last results.
    """
    timings: dict[str, list[Timing]] = {name: [] for name in functions}
    results = {}
    for i in range(repeat):
        names = list(functions) if i % 2 == 0 else list(functions)[::-1]
        for name in names:
            timing, results[name] = timed(functions[name])
            timings[name].append(timing)
    return timings, results


@dataclass(frozen=True)
class Ratio:
    """Ratios of the pairs of runs that followed upon each other."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, one: Sequence[Timing], other: Sequence[Timing], clock: str) -> Ratio:
        """Compare by ``clock="cpu"`` or ``"wall"``."""
        pairs = zip(one, other, strict=True)
        ratios = [getattr(a, clock) / getattr(b, clock) for a, b in pairs]
        return cls(statistics.median(ratios), min(ratios), max(ratios))

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}-{self.high:.2f})"


def median_seconds(timings: Sequence[Timing], clock: str) -> str:
    """Return the median time, as text."""
    return f"{statistics.median(getattr(t, clock) for t in timings):.2f}"


def run_alone(script: str, *arguments: str) -> dict[str, Any]:
    """Run a script in a process of its own; return what its `report_alone` reports.

    Peak memory is the maximum since a process was started, so that two searches can't
    be told apart within one process.
    """
    process = subprocess.run(
        [sys.executable, str(Path(__file__).parent / script), *arguments],
        # It imports what this process imports, wherever that was started.
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(process.stdout.splitlines()[-1])


def report_alone(function: Callable[[], Scores]) -> None:
    """Run `function`; print its times, its peak memory in MB, a digest of its scores.

    ``start`` is the peak before it, with its data in memory.
    """
    start = peak_memory()
    timing, scores = timed(function)
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(scores):
        digest.update(name.encode() + scores[name].tobytes())
    report = {
        "cpu": timing.cpu,
        "wall": timing.wall,
        "start": start,
        "peak": peak_memory(),
        "digest": digest.hexdigest(),
    }
    print(json.dumps(report))


def peak_memory() -> float:
    """Return the peak of the resident memory of this process and its children, in MB.

    Pages that they share are counted for each of them.
    """
    pids = [os.getpid(), *_children(os.getpid())]
    return sum(_peak_kilobytes(pid) for pid in pids) / 1000


def _peak_kilobytes(pid: int) -> float:
    # Not getrusage, where the kernel knows better: Linux hands its maximum down from
    # parent to child, even to one that runs another program.
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        (line,) = (ln for ln in status.splitlines() if ln.startswith("VmHWM:"))
        return float(line.split()[1])
    except (OSError, ValueError):
        if pid != os.getpid():
            return 0.0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1000 if sys.platform == "darwin" else float(peak)


def _children(pid: int) -> list[int]:
    try:
        lists = Path(f"/proc/{pid}/task").glob("*/children")
        return [int(child) for text in lists for child in text.read_text().split()]
    except OSError:
        return []


def warm_up(n_jobs: int, backend: str) -> None:
    """Start the workers, and let both libraries import what they need."""
    from joblib import parallel_config
    from sklearn.datasets import load_iris
    from sklearn.naive_bayes import GaussianNB

    X, y = load_iris(return_X_y=True)
    space = {"var_smoothing": [1e-9, 1e-8, 1e-7, 1e-6]}
    workload = Workload(GaussianNB(), space, X, y)
    with parallel_config(backend, n_jobs=n_jobs):
        for library in LIBRARIES:
            workload.fit(library)


def print_table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table; the first column to the left, numbers to the right."""
    lines = [list(header)] + [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        first, *others = zip(line, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(cell.rjust(n) for cell, n in others)]
        print("  ".join(cells), flush=True)


def versions() -> str:
    """Return what was measured, for the first line of a report."""
    import joblib
    import numpy as np
    import sklearn

    return (
        f"scikit-learn {sklearn.__version__}, NumPy {np.__version__}, "
        f"joblib {joblib.__version__}, Python {sys.version.split()[0]}, "
        f"{os.cpu_count()} processors, "
        f"OMP_NUM_THREADS={os.environ['OMP_NUM_THREADS']}"
    )
