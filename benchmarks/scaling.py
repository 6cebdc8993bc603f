"""What does a search cost on up to 1,000 workers? A simulation with real times.

The plan is the one that searches make, the times of the fits are measured here, and so
is what a message costs the searching process, if dask is installed. What is simulated
is the rest: workers, who get their tasks from one process that can do one thing at a
time. See README.md beside this file.
"""

from __future__ import annotations

import _measure  # noqa: F401 - before NumPy, which reads the number of threads once

# isort: split
import argparse
import heapq
import time
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import loguniform
from sklearn.datasets import load_digits
from sklearn.svm import SVC

from skhpo import RandomSearch
from skhpo.evaluation._plan import in_tree_order, split_into_blocks
from skhpo.evaluation.fitting._task import Block, Task
from skhpo.evaluation.fitting._time_slice import TIME_SLICES, TimeSlice

N_SPLITS = 5
TIME_SLICE = TIME_SLICES["sent"]


@dataclass(frozen=True)
class Costs:
    """Seconds: to send a task and to take its result, in the searching process; and
    for a message to arrive."""

    submit: float
    collect: float
    latency: float


@dataclass(frozen=True)
class Outcome:
    """What a simulated search took."""

    seconds: float
    busy: float
    n_messages: int


def simulate(
    times: np.ndarray, n_workers: int, costs: Costs, time_slice: TimeSlice = TIME_SLICE
) -> Outcome:
    """Run a search of candidates with known times.

    Parameters
    ----------
    times : array of shape (n_candidates, n_splits)
        Seconds of each fit.
    n_workers : int
        How many there are. As many tasks again wait behind those that run, as on dask.
    costs : Costs
        What messages cost.
    time_slice : TimeSlice, default=TIME_SLICE
        After which a worker returns what it has.

    Returns
    -------
    Outcome
        Seconds; how many of them the searching process was busy; and the messages.
    """
    tasks = in_tree_order([Task(i, {}) for i in range(len(times))], start=0)
    waiting = [
        (block.tasks[0].order, block.split, block)
        for block in split_into_blocks(tasks, times.shape[1], n_workers, time_slice)
    ]
    heapq.heapify(waiting)
    free = [0.0] * n_workers  # when each worker will have nothing to do
    results: list[tuple[float, int, int, Block]] = []
    now = busy = 0.0
    n_messages = 0
    while waiting or results:
        while waiting and len(results) < 2 * n_workers:
            *_, block = heapq.heappop(waiting)
            now += costs.submit
            busy += costs.submit
            n_messages += 1
            n_done, seconds = _work(block, times)
            start = max(heapq.heappop(free), now + costs.latency)
            heapq.heappush(free, start + seconds)
            arrival = start + seconds + costs.latency
            heapq.heappush(results, (arrival, n_messages, n_done, block))
        arrival, _, n_done, block = heapq.heappop(results)
        now = max(now, arrival) + costs.collect
        busy += costs.collect
        rest = replace(block, tasks=block.tasks[n_done:])
        if rest.tasks:
            heapq.heappush(waiting, (rest.tasks[0].order, rest.split, rest))
    return Outcome(now, busy, n_messages)


def _work(block: Block, times: np.ndarray) -> tuple[int, float]:
    """Return how many candidates a worker evaluates before it returns, and how long."""
    seconds = 0.0
    for n_done, task in enumerate(block.tasks, start=1):  # noqa: B007 - it is returned
        seconds += float(times[task.number, block.split])
        if seconds > block.time_slice.seconds:
            break
    return n_done, seconds


def measure_times(n_iter: int) -> np.ndarray:
    """Fit support vector machines on digits; return the seconds of each candidate."""
    X, y = load_digits(return_X_y=True)
    space = {"C": loguniform(1e-3, 1e3), "gamma": loguniform(1e-5, 1e-1)}
    search = RandomSearch(SVC(), space, n_iter=n_iter, cv=N_SPLITS, random_state=0)
    results = search.set_params(refit=False).fit(X, y).cv_results_
    return results["mean_fit_time"] + results["mean_score_time"]


def measure_costs(n_messages: int = 300) -> Costs:
    """Send small tasks to a worker of dask; return what one costs here.

    CPU time of this process, which holds the scheduler as well, a cluster of one's own
    does not: so it is rather too much. Latency is that of a data center, which one
    machine does not have.
    """
    try:
        from distributed import Client
    except ImportError:
        print("dask is missing: costs of messages are those of an earlier run.\n")
        return Costs(submit=0.0010, collect=0.0020, latency=0.001)
    with Client(n_workers=1, threads_per_worker=1, dashboard_address=None) as client:
        client.submit(abs, 0).result()
        start = time.process_time()
        futures = [client.submit(abs, i, pure=False) for i in range(n_messages)]
        middle = time.process_time()
        for future in futures:
            future.result()
        end = time.process_time()
    submit, collect = (middle - start) / n_messages, (end - middle) / n_messages
    return Costs(submit, collect, latency=0.001)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=5_000)
    parser.add_argument("--measured", type=int, default=40, help="candidates to fit")
    parser.add_argument("--scale", type=float, nargs="+", default=[0.01, 1.0, 100.0])
    arguments = parser.parse_args()
    costs = measure_costs()
    measured = measure_times(arguments.measured)
    shape = (arguments.candidates, N_SPLITS)
    times = np.random.default_rng(0).choice(measured, shape)
    print(
        f"{arguments.candidates:,} candidates on {N_SPLITS} splits; a fit takes "
        f"{times.mean():.3f} s ({times.min():.3f} to {times.max():.3f}).\n"
        f"A task costs {1e3 * costs.submit:.2f} ms to send and "
        f"{1e3 * costs.collect:.2f} ms to collect, and {1e3 * costs.latency:.0f} ms on "
        "the way.\n"
    )
    print("| fit | workers | time | efficiency | main process busy | messages |")
    print("|---|---|---|---|---|---|")
    for scale in arguments.scale:
        for n_workers in (1, 10, 100, 300, 1000):
            outcome = simulate(scale * times, n_workers, costs)
            efficiency = scale * times.sum() / n_workers / outcome.seconds
            print(
                f"| {scale * times.mean():.3g} s | {n_workers} "
                f"| {outcome.seconds:,.0f} s | {efficiency:.0%} "
                f"| {outcome.busy / outcome.seconds:.0%} | {outcome.n_messages:,} |"
            )


if __name__ == "__main__":
    main()
