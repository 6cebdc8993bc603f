"""Does a search survive being killed, and does it go on where it stopped?

A process that runs a search with a journal is killed (SIGKILL) after a random number
of fits, and so is the same call that goes on, again and again until one is done. That
must end with the results of an uninterrupted run, and no kill may cost more than what
was in flight. One line per search and number of workers:

    python -m benchmarks.faults --kills 50

- **kills**: how many runs were killed before they were done;
- **ends**: how many were not, and went on after the last kill;
- **different**: how many of these ended with other results (must be 0);
- **repeated**: fits that were done twice because of one kill, the mean and the most;
- **in flight**: how many may be: fits that had begun and were not yet written down. One
  in the same process; with workers, the blocks that were sent to them; for a
  population, its generation;
- **left**: after how many kills a process was still there a while later (must be 0).
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

from skhpo import (
    BayesSearch,
    GridSearch,
    PBTSearch,
    RandomSearch,
    read_journal,
    register_incremental,
)
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
        self._n_before = self.n_fits
        self._status: int | None = None
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
        """How many were begun in this folder."""
        return (self._folder / "log").stat().st_size

    @property
    def n_kept(self) -> int:
        """How many of them need not be done again."""
        return len(read_journal(self._folder / "search.db")["split"])

    def kill_after(self, n_fits: int) -> bool:
        """Kill it once it has begun so many fits; False if it was done before."""
        end = self._n_before + n_fits
        while self.n_fits < end:
            if self._has_ended(os.WNOHANG):
                return False
            time.sleep(SECONDS / 10)
        os.kill(self._pid, signal.SIGKILL)
        return self._has_ended()

    def results(self) -> bytes:
        """Wait for the end; return the results."""
        if self._status is None:
            self._has_ended()
        if self._status:
            raise RuntimeError("The search failed.")
        return (self._folder / "results").read_bytes()

    def _has_ended(self, options: int = 0) -> bool:
        """Ask, or wait without options; a process says only once how it ended."""
        pid, status = os.waitpid(self._pid, options)
        if pid:
            self._status = status
        return bool(pid)

    def is_gone(self) -> bool:
        """Wait for its workers; return whether none is left."""
        return is_gone(self._pid)


def is_gone(group: int, patience: float = 200.0) -> bool:
    """Whether no process of a group is left, soon; the dead take a while to be buried.

    Parameters
    ----------
    group : int
        Number of the group.
    patience : float, default=200.0
        Seconds to wait: a worker that has just been started may first import what it
        was to work with. Loky's idle workers end by themselves after 300.

    Returns
    -------
    bool
        False if one is there after that.
    """
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@dataclass
class Outcome:
    """What came of killing a search several times."""

    kills: int = 0
    ends: int = 0
    different: int = 0
    left: int = 0
    repeated: list[int] = field(default_factory=list)


def kill_and_resume(name: str, n_jobs: int, n_kills: int, seed: int = 0) -> Outcome:
    """Kill a search at random moments, until it is done; compare; do so again.

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
            folder, n_lost = Path(text), 0
            # Early, so that it takes several to get to the end: to start workers takes
            # far longer than all the fits.
            while (run := Run(name, n_jobs, folder)).kill_after(
                int(rng.integers(1, needed // 2))
            ):
                outcome.kills += 1
                outcome.left += not run.is_gone()
                before, n_lost = n_lost, run.n_fits - run.n_kept
                outcome.repeated.append(n_lost - before)
            outcome.ends += 1
            outcome.different += run.results() != wanted
            # What was written down, and done again all the same.
            if outcome.repeated:  # else the first one was done before it was killed
                outcome.repeated[-1] += run.n_fits - needed - n_lost
    return outcome


def main() -> None:
    """Kill, resume and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--searches", nargs="*", choices=SEARCHES, default=SEARCHES)
    parser.add_argument("--n-jobs", nargs="*", type=int, default=[1, 2])
    options = parser.parse_args()
    header = "search", "jobs", "kills", "ends", "different", "repeated", "in flight"
    print("{:8} {:>5} {:>6} {:>5} {:>10} {:>14} {:>10} {:>5}".format(*header, "left"))
    for name in options.searches:
        for n_jobs in options.n_jobs:
            outcome = kill_and_resume(name, n_jobs, options.kills)
            mean, most = np.mean(outcome.repeated), max(outcome.repeated)
            print(
                f"{name:8} {n_jobs:5} {outcome.kills:6} {outcome.ends:5} "
                f"{outcome.different:10} "
                f"{mean:8.1f} ({most:3}) {in_flight(name, n_jobs):10} "
                f"{outcome.left:5}",
                flush=True,
            )


if __name__ == "__main__":
    main()
