"""Does a search survive being killed, and does it go on where it stopped?

A process that runs a search with a journal is killed (SIGKILL) after a random number
of fits. The same call again must end with the results of an uninterrupted run, and
repeat at most what was in flight. One line per search and backend:

    python -m benchmarks.faults --kills 50

- **kills**: how many runs were killed before they were done;
- **different**: how many resumed runs ended with other results (must be 0);
- **repeated**: fits that were done twice, the mean and the most in one run;
- **in flight**: how many may be: fits that had begun and were not yet written down. One
  in the same process; with workers, the blocks that were sent to them; for a
  population, its generation;
- **left**: processes of killed runs that were still there a while later (must be 0).
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import uniform
from sklearn.base import BaseEstimator, RegressorMixin

from skhpo import BayesSearch, GridSearch, PBTSearch, RandomSearch, register_incremental
from skhpo.evaluation.incremental import PartialFit
from skhpo.space import Real

N_SPLITS = 2
N_CANDIDATES = 12
POPULATION, GENERATIONS = 4, 3
SECONDS = 0.03  # of a fit
# Blocks that are with the workers, and what fits into one of them.
IN_FLIGHT = {"grid": 4 * 3, "random": 4 * 3, "bayes": 2 * N_SPLITS}


class Logged(RegressorMixin, BaseEstimator):
    """Takes its time, writes a byte for each fit, and scores its level."""

    def __init__(self, level: float = 0.5, log: str = "", seconds: float = SECONDS):
        self.level = level
        self.log = log
        self.seconds = seconds

    def fit(self, X: Any, y: Any) -> Logged:
        self.total_ = 0.0
        return self.partial_fit(X, y)

    def partial_fit(self, X: Any, y: Any) -> Logged:
        with open(self.log, "ab") as log:
            log.write(b".")
        time.sleep(self.seconds)
        self.total_ = getattr(self, "total_", 0.0) + np.sin(7 * self.level) * y.mean()
        return self

    def predict(self, X: Any) -> np.ndarray:
        return np.full(len(X), self.total_)

    def score(self, X: Any, y: Any) -> float:
        return float(self.total_ + y.mean())


register_incremental(Logged, PartialFit(), effective=["level"])
DISTRIBUTION = {"level": uniform(0, 1)}
SEARCHES: dict[str, Callable[..., Any]] = {
    "grid": lambda e, **o: GridSearch(
        e, {"level": list(np.linspace(0, 1, N_CANDIDATES))}, **o
    ),
    "random": lambda e, **o: RandomSearch(
        e, DISTRIBUTION, n_iter=N_CANDIDATES, random_state=0, **o
    ),
    "bayes": lambda e, **o: BayesSearch(
        e, {"level": Real(0, 1)}, n_iter=N_CANDIDATES, random_state=0, **o
    ),
    "pbt": lambda e, **o: PBTSearch(
        e,
        DISTRIBUTION,
        population_size=POPULATION,
        n_generations=GENERATIONS,
        random_state=0,
        **o,
    ),
}


def in_flight(name: str, n_jobs: int) -> int:
    """Return how many fits may be lost by a kill."""
    if name == "pbt":
        return POPULATION * N_SPLITS
    return 1 if n_jobs == 1 else IN_FLIGHT[name]


def run_search(name: str, n_jobs: int, folder: Path) -> bytes:
    """Run a search with a journal; return its results, without the times."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 3)), rng.normal(size=40)
    search = SEARCHES[name](
        Logged(log=str(folder / "log")),
        journal=folder / "search.db",
        cv=N_SPLITS,
        n_jobs=n_jobs,
        refit=False,
    ).fit(X, y)
    results = search.cv_results_
    kept = {
        k: np.ma.getdata(v).tolist() for k, v in results.items() if "_time" not in k
    }
    return repr(sorted(kept.items())).encode()


class Run:
    """A search in a process of its own, forked: libraries need not be imported again.

    Parameters
    ----------
    name : str
        Of the search.
    n_jobs : int
        1, or the number of worker processes.
    folder : Path
        Where its files are.
    """

    def __init__(self, name: str, n_jobs: int, folder: Path) -> None:
        (folder / "log").touch()
        self._folder = folder
        sys.stdout.flush()
        self._pid = os.fork()
        if self._pid == 0:
            os.setsid()
            os.environ["LOKY_MAX_CPU_COUNT"] = str(n_jobs)
            code = 1
            try:
                warnings.simplefilter("ignore")
                results = run_search(name, n_jobs, folder)
                (folder / "results").write_bytes(results)
                code = 0
            finally:
                os._exit(code)  # not the exit handlers of the parent

    @property
    def n_fits(self) -> int:
        return (self._folder / "log").stat().st_size

    def kill_after(self, n_fits: int) -> bool:
        """Kill it once there are so many fits; False if it was done before."""
        while self.n_fits < n_fits:
            if os.waitpid(self._pid, os.WNOHANG)[0]:
                return False
            time.sleep(0.001)
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        return True

    def results(self) -> bytes:
        """Wait for the end; return the results."""
        _, status = os.waitpid(self._pid, 0)
        if status:
            raise RuntimeError("The search failed.")
        return (self._folder / "results").read_bytes()

    def is_gone(self, patience: float = 20.0) -> bool:
        """Whether no worker of it is left."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            try:
                os.killpg(self._pid, 0)
            except ProcessLookupError:
                return True
            time.sleep(0.05)
        return False


@dataclass
class Outcome:
    """What came of killing a search several times."""

    kills: int = 0
    different: int = 0
    left: int = 0
    repeated: list[int] = field(default_factory=list)


def kill_and_resume(name: str, n_jobs: int, n_kills: int, seed: int = 0) -> Outcome:
    """Kill a search at random moments, each time from the start; resume and compare.

    Parameters
    ----------
    name : str
        Of the search.
    n_jobs : int
        1, or the number of worker processes.
    n_kills : int
        How many runs to kill.
    seed : int, default=0
        Of the moments.

    Returns
    -------
    Outcome
        What came of it.
    """
    rng = np.random.default_rng(seed)
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as plain:
        run = Run(name, n_jobs, Path(plain))
        wanted, needed = run.results(), run.n_fits
    while outcome.kills < n_kills:
        with tempfile.TemporaryDirectory() as text:
            folder = Path(text)
            run = Run(name, n_jobs, folder)
            killed = run.kill_after(int(rng.integers(1, needed)))
            outcome.left += not run.is_gone()
            again = Run(name, n_jobs, folder)
            outcome.kills += killed
            outcome.different += again.results() != wanted
            outcome.repeated.append(again.n_fits - needed)
    return outcome


def main() -> None:
    """Kill, resume and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--searches", nargs="*", choices=SEARCHES, default=SEARCHES)
    parser.add_argument("--n-jobs", nargs="*", type=int, default=[1, 2])
    options = parser.parse_args()
    header = ("search", "jobs", "kills", "different", "repeated", "in flight", "left")
    print("{:8} {:>5} {:>6} {:>10} {:>14} {:>10} {:>5}".format(*header))
    for name in options.searches:
        for n_jobs in options.n_jobs:
            outcome = kill_and_resume(name, n_jobs, options.kills)
            mean, most = np.mean(outcome.repeated), max(outcome.repeated)
            print(
                f"{name:8} {n_jobs:5} {outcome.kills:6} {outcome.different:10} "
                f"{mean:8.1f} ({most:3}) {in_flight(name, n_jobs):10} "
                f"{outcome.left:5}",
                flush=True,
            )


if __name__ == "__main__":
    main()
