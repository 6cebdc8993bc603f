"""What does it gain to fit nothing twice, and how far is it from the limit?

scikit-learn's search, the same with ``Pipeline(memory=...)``, and ours, measured
alternately in one run. Above 1, ours (or ``memory=``) is faster than scikit-learn's.
See README.md beside this file.
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
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from _limit import run_limit
from _reuse_workloads import WORKLOADS
from joblib import parallel_config
from sklearn.base import clone
from sklearn.pipeline import Pipeline


@dataclass(frozen=True)
class Measured:
    """All numbers of a workload; `peaks` are in MB, by library."""

    n_fits: int
    timings: dict[str, list[Timing]]
    difference: float
    peaks: dict[str, float]
    saved: str

    def ratio(self, name: str, clock: str) -> Ratio | None:
        """Return how often scikit-learn's time is that of `name`."""
        if name not in self.timings:
            return None
        return Ratio.of(self.timings["scikit-learn"], self.timings[name], clock)

    @property
    def over_limit(self) -> Ratio | None:
        """How often our time is that of the distinct fits and scores alone."""
        if "limit" not in self.timings:
            return None
        return Ratio.of(self.timings["skhpo"], self.timings["limit"], "cpu")

    @property
    def memory(self) -> float | None:
        """How often our peak memory is that of scikit-learn."""
        if not self.peaks:
            return None
        return self.peaks["skhpo"] / self.peaks["scikit-learn"]


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small data and grids")
    parser.add_argument("--repeat", type=int, default=3, help="rounds of runs")
    parser.add_argument("--n-jobs", type=int, default=1, help="workers (loky)")
    parser.add_argument("--only", nargs="*", choices=WORKLOADS, help="these only")
    parser.add_argument("--alone", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        name, library = options.alone
        workload = WORKLOADS[name](options.quick)
        report_alone(lambda: scores_of(_fit(workload, library, options.n_jobs)))
        return
    print(versions())
    if options.n_jobs > 1:
        warm_up(options.n_jobs, "loky")
    measured = {}
    for name in options.only or WORKLOADS:
        measured[name] = _measure(name, options)
        print(f"{name} done", file=sys.stderr, flush=True)
    _report(measured, "cpu" if options.n_jobs == 1 else "wall")


def _measure(name: str, options: argparse.Namespace) -> Measured:
    workload = WORKLOADS[name](options.quick)
    n_jobs = options.n_jobs
    fitted: list[Any] = []
    runs: dict[str, Callable[[], Any]] = {
        library: _run(workload, library, n_jobs, fitted) for library in LIBRARIES
    }
    if isinstance(workload.estimator, Pipeline):
        runs["memory="] = lambda: _fit_with_memory(workload, n_jobs)
    if n_jobs == 1:
        runs["limit"] = lambda: run_limit(workload)
    timings, scores = alternate(runs, options.repeat)
    theirs = scores.pop("scikit-learn")
    difference = max(largest_difference(theirs, other) for other in scores.values())
    reuse = fitted[-1].reuse_
    saved = f"{reuse.n_fits}/{reuse.n_fits + reuse.n_saved}"
    return Measured(workload.n_fits, timings, difference, _peaks(name, options), saved)


def _run(
    workload: Workload, library: str, n_jobs: int, fitted: list[Any]
) -> Callable[[], Any]:
    """Return a search to be run; ours are kept, as they know what they saved."""

    def run() -> Any:
        search = _fit(workload, library, n_jobs)
        if library == "skhpo":
            fitted[:] = [search]
        return scores_of(search)

    return run


def _fit(workload: Workload, library: str, n_jobs: int) -> Any:
    with parallel_config("loky", n_jobs=n_jobs):
        return workload.search(library).fit(workload.X, workload.y)


def _fit_with_memory(workload: Workload, n_jobs: int) -> Any:
    # A new folder each time: what an earlier run has left there would be no fit.
    with tempfile.TemporaryDirectory() as folder:
        estimator = clone(workload.estimator).set_params(memory=folder)
        cached = replace(workload, estimator=estimator)
        return scores_of(_fit(cached, "scikit-learn", n_jobs))


def _peaks(name: str, options: argparse.Namespace) -> dict[str, float]:
    flags = ["--quick"] if options.quick else []
    flags += ["--n-jobs", str(options.n_jobs)]
    return {
        library: run_alone("reuse.py", *flags, "--alone", name, library)["peak"]
        for library in LIBRARIES
    }


def _report(measured: dict[str, Measured], clock: str) -> None:
    header = ("workload", "fits", "step fits", "scikit-learn s", "skhpo s")
    header += (f"{clock} ratio (min-max)", "memory= (min-max)", "skhpo/limit (min-max)")
    header += ("peak MB ratio", "max |d|")
    lines = [_line(name, m, clock) for name, m in measured.items()]
    print_table(header, lines)
    for name in ("skhpo", "memory="):
        ratios = [m.ratio(name, clock) for m in measured.values()]
        medians = [ratio.median for ratio in ratios if ratio is not None]
        if medians:
            mean = statistics.geometric_mean(medians)
            print(f"{name}: geometric mean {mean:.2f}, lowest {min(medians):.2f}")
    require_equal({name: m.difference for name, m in measured.items()})


def _line(name: str, measured: Measured, clock: str) -> list[Any]:
    timings = measured.timings
    return [
        name,
        measured.n_fits,
        measured.saved,
        *(median_seconds(timings[library], clock) for library in LIBRARIES),
        measured.ratio("skhpo", clock),
        measured.ratio("memory=", clock) or "",
        measured.over_limit or "",
        f"{measured.memory:.2f}",
        f"{measured.difference:.0e}" if measured.difference else "0",
    ]


if __name__ == "__main__":
    main()
