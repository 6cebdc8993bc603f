"""How good are the candidates: regret and ranks of searches on many problems.

    python -m benchmarks.quality --methods random skhpo optuna-tpe --seeds 10
    python -m benchmarks.quality --suites real --table-only

Runs are kept in ``benchmarks/results/quality.sqlite``, evaluations of real models too,
so an interrupted comparison goes on where it stopped and another method costs only its
own evaluations.

Normalized regret of a run at a budget: 0 is the best score known for the problem, 1
the mean of random search's best at the same budget (values above 3 count as 3). Known
is whatever any run found that is kept; with ``--best-of 2``, what the methods compared
found within the budget on two seeds at a time. Seeds on which that is no better than
the mean of random search are left out. The more runs and methods, the better the best
known one, and the higher all regrets: comparisons of different sizes differ. Ranks
are among methods, per problem and seed; seeds that not all of the methods have run do
not count. Intervals (90 %) are bootstrapped over problems
and seeds. "Evaluations to random's 100" is the median number after which a run is as
good as the mean random search after 100.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import sqlite3
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata

from benchmarks.kinds import PROBLEMS as KINDS
from benchmarks.peers import PEERS
from benchmarks.problems import PROBLEMS as FOUR_SUITES
from benchmarks.problems import Problem

PROBLEMS = FOUR_SUITES | KINDS
RESULTS = Path(__file__).parent / "results" / "quality.sqlite"
SUITES = ["real", "synthetic", "conditional", "tables"]  # besides: smooth, plateau
SCHEMA = """
CREATE TABLE IF NOT EXISTS evaluations (
    problem TEXT, params TEXT, scores TEXT, PRIMARY KEY (problem, params));
CREATE TABLE IF NOT EXISTS runs (
    problem TEXT, method TEXT, seed INTEGER, budget INTEGER, scores TEXT, truths TEXT,
    seconds REAL, PRIMARY KEY (problem, method, seed));
"""


def connect(path: Path = RESULTS) -> sqlite3.Connection:
    """Return the open database of results."""
    path.parent.mkdir(exist_ok=True)
    database = sqlite3.connect(path, timeout=60)
    database.executescript(SCHEMA)
    return database


def evaluate(
    database: sqlite3.Connection, problem: Problem, params: Any, rng: Any
) -> list[float]:
    """Return the split scores, from the database if the problem has no noise."""
    if problem.truth is not None or problem.suite == "synthetic":
        return list(map(float, problem.evaluate(params, rng)))
    key = json.dumps(params, sort_keys=True)
    row = database.execute(
        "SELECT scores FROM evaluations WHERE problem = ? AND params = ?",
        (problem.name, key),
    ).fetchone()
    if row:
        return json.loads(row[0])
    scores = list(map(float, problem.evaluate(params, rng)))
    database.execute(
        "INSERT OR REPLACE INTO evaluations VALUES (?, ?, ?)",
        (problem.name, key, json.dumps(scores)),
    )
    database.commit()  # others may wait to write
    return scores


def run(
    database: sqlite3.Connection, problem: Problem, method: str, seed: int, budget: int
) -> tuple[list[float], list[float], float]:
    """Return the mean scores, the true scores, and the seconds spent asking."""
    make = PEERS[method.split(":")[0]]
    peer = make(problem.space, seed, budget, problem.own)
    rng = np.random.default_rng([seed, 1])
    scores: list[float] = []
    truths: list[float] = []
    seconds = 0.0
    for _ in range(budget):
        start = time.process_time()
        params = peer.ask()
        seconds += time.process_time() - start
        if params is None:  # exhausted: nothing better is to be found
            break
        split_scores = evaluate(database, problem, params, rng)
        scores.append(float(np.mean(split_scores)))
        truths.append(problem.truth(params) if problem.truth else scores[-1])
        start = time.process_time()
        peer.tell(params, split_scores)
        seconds += time.process_time() - start
    return scores, truths, seconds


def collect(args: argparse.Namespace, database: sqlite3.Connection) -> None:
    """Run whatever is missing."""
    for seed in seeds_of(args):
        for problem in selected(args):
            for method in args.methods:
                row = database.execute(
                    "SELECT budget FROM runs WHERE problem=? AND method=? AND seed=?",
                    (problem.name, method, seed),
                ).fetchone()
                if row and row[0] >= args.budget:
                    continue
                result = run(database, problem, method, seed, args.budget)
                scores, truths, seconds = result
                database.execute(
                    "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        problem.name,
                        method,
                        seed,
                        args.budget,
                        json.dumps(scores),
                        json.dumps(truths),
                        seconds,
                    ),
                )
                database.commit()
                if args.verbose:
                    found = found_within(truths, args.budget)
                    print(
                        f"{problem.name:24} {method:16} {seed:2} {found:12.6g} "
                        f"{seconds:7.2f} s",
                        flush=True,
                    )


def found_within(truths: list[float], budget: int) -> float:
    """Return the best true score among the candidates tried within the budget.

    Not that of the candidate which looked best: with noise, which one looks best is
    luck, the same for all methods.
    """
    head = np.array(truths[:budget], dtype=float)
    return float(np.nanmax(head, initial=-math.inf))


def seeds_of(args: argparse.Namespace) -> range:
    """Return the seeds asked for."""
    return range(args.first_seed, args.first_seed + args.seeds)


def selected(args: argparse.Namespace) -> list[Problem]:
    """Return the problems asked for."""
    chosen = [p for p in PROBLEMS.values() if p.suite in args.suites]
    return [p for p in chosen if not args.problems or p.name in args.problems]


def regrets(
    database: sqlite3.Connection,
    problem: Problem,
    methods: list[str],
    seeds: range,
    budget: int,
    best_of: int | None = None,
) -> np.ndarray:
    """Return normalized regrets, shape (methods, seeds).

    NaN where not run so long, or where the best one is no better than random search.
    """
    found: dict[tuple[str, int], float] = {}
    known = -math.inf
    rows = database.execute(
        "SELECT method, seed, truths, budget FROM runs WHERE problem = ?",
        (problem.name,),
    )
    for method, seed, truths, length in rows:
        truths = json.loads(truths)
        if length >= budget:
            found[method, seed] = found_within(truths, budget)
        known = max(known, np.nanmax([*truths, -math.inf]))
    table = np.array([[found.get((m, s), np.nan) for s in seeds] for m in methods])
    best = np.full(len(seeds), known if problem.best is None else problem.best)
    if problem.best is None and best_of is not None:
        for i in range(0, len(seeds), best_of):
            group = table[:, i : i + best_of]
            best[i : i + best_of] = np.nanmax(group, initial=-math.inf)
    random = [value for (method, _), value in found.items() if method == "random"]
    scale = best - (np.mean(random) if random else math.nan)
    return (best - table) / np.where(scale > 0, scale, np.nan)


def evaluations_to_reach(
    database: sqlite3.Connection, problem: Problem, methods: list[str], seeds: range
) -> np.ndarray:
    """Return after how many evaluations each run is as good as random search after 100.

    Shape (methods, seeds); infinite where it is not, NaN where not run or unknown.
    """
    runs = {
        (method, seed): np.fmax.accumulate(json.loads(truths))
        for method, seed, truths in database.execute(
            "SELECT method, seed, truths FROM runs WHERE problem = ?", (problem.name,)
        )
    }
    random = [
        found[99]
        for (method, _), found in runs.items()
        if method == "random" and len(found) >= 100
    ]
    table = np.full((len(methods), len(seeds)), np.nan)
    for i, method in enumerate(methods):
        for j, seed in enumerate(seeds):
            if random and (method, seed) in runs:
                reached = np.flatnonzero(runs[method, seed] >= np.mean(random))
                table[i, j] = reached[0] + 1 if reached.size else math.inf
    return table


def bootstrap(values: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    """Return a 90 % interval of the mean over problems of (problems, seeds) values."""
    n, m = values.shape
    means = []
    for _ in range(500):
        rows = values[rng.integers(n, size=n)]
        columns = rng.integers(m, size=(n, m))
        means.append(float(np.nanmean(np.take_along_axis(rows, columns, axis=1))))
    return float(np.quantile(means, 0.05)), float(np.quantile(means, 0.95))


def seconds_per_ask(database: sqlite3.Connection, method: str) -> float:
    """Return the mean CPU time of one ask + tell, in milliseconds."""
    rows = database.execute(
        "SELECT SUM(seconds), SUM(budget) FROM runs WHERE method = ?", (method,)
    ).fetchone()
    return 1e3 * rows[0] / rows[1] if rows[1] else math.nan


def print_tables(args: argparse.Namespace, database: sqlite3.Connection) -> None:
    """Print regret and rank, per problem and per suite."""
    rng = np.random.default_rng(0)
    for suite in args.suites:
        problems = [p for p in selected(args) if p.suite == suite]
        if not problems:
            continue
        tables = np.array(
            [
                regrets(
                    database,
                    p,
                    args.methods,
                    seeds_of(args),
                    args.budget,
                    args.best_of,
                )
                for p in problems
            ]
        )  # (problems, methods, seeds)
        complete = ~np.isnan(tables).any(axis=1, keepdims=True)
        tables = np.where(complete, tables, np.nan)
        clipped = np.minimum(tables, 3.0)
        ranks = np.apply_along_axis(rankdata, 1, tables, nan_policy="omit")
        print(f"\n{suite}: normalized regret after {args.budget} evaluations")
        print(" " * 24 + "".join(f"{method[-16:]:>17}" for method in args.methods))
        for p, table in zip(problems, clipped, strict=True):
            row = "".join(f"{value:17.3f}" for value in np.nanmean(table, axis=1))
            print(f"{p.name:24}{row}")
        for name, values in (("mean regret", clipped), ("mean rank", ranks)):
            cells = []
            for i in range(len(args.methods)):
                low, high = bootstrap(values[:, i], rng)
                mean = np.nanmean(values[:, i])
                cells.append(f"{f'{mean:.2f} [{low:.2f} {high:.2f}]':>17}")
            print(f"{name:24}{''.join(cells)}")
        reached = np.stack(
            [
                evaluations_to_reach(database, p, args.methods, seeds_of(args))
                for p in problems
            ],
            axis=1,
        )  # (methods, problems, seeds)
        medians = [np.nanmedian(values) for values in reached]
        print(f"{'to random 100, median':24}" + "".join(f"{n:17.0f}" for n in medians))
        for p in problems:
            if p.plateau is not None:
                print_leaves(args, database, p)
        times = [seconds_per_ask(database, method) for method in args.methods]
        print(f"{'ms per ask + tell':24}" + "".join(f"{ms:17.1f}" for ms in times))


def steps_to_leave(truths: list[float], plateau: float, budget: int) -> float:
    """Return the number of the first candidate that is better, inf if none is."""
    better = np.flatnonzero(np.array(truths[:budget], dtype=float) > plateau)
    return int(better[0]) + 1 if better.size else math.inf


def print_leaves(
    args: argparse.Namespace, database: sqlite3.Connection, problem: Problem
) -> None:
    """Print how many runs leave the plateau, and at what rate per step on it."""
    assert problem.plateau is not None
    cells = []
    for method in args.methods:
        rows = database.execute(
            "SELECT seed, truths FROM runs WHERE problem = ? AND method = ?",
            (problem.name, method),
        )
        steps = np.array(
            [
                steps_to_leave(json.loads(truths), problem.plateau, args.budget)
                for seed, truths in rows
                if seed in seeds_of(args)
            ]
        )
        left, spent = np.isfinite(steps).sum(), np.minimum(steps, args.budget).sum()
        cells.append(f"{f'{left}/{len(steps)}, {left / max(spent, 1):.1%}':>17}")
    print(f"{'leave ' + problem.name:24}{''.join(cells)}")


def override(settings: list[str]) -> None:
    """Set module constants, as in ``skhpo.optimizers._bayes.EXPLORATION=0.2``."""
    for setting in settings:
        path, value = setting.split("=")
        module, name = path.rsplit(".", 1)
        setattr(importlib.import_module(module), name, json.loads(value))


def main() -> None:
    """Collect runs and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add(
        "--methods",
        nargs="+",
        default=["random", "skhpo", "optuna-tpe"],
        help=f"of {list(PEERS)}; 'name:label' is a variant with a row of its own",
    )
    add("--suites", nargs="+", default=SUITES)
    add("--problems", nargs="+", default=[])
    add("--budget", type=int, default=50)
    add("--seeds", type=int, default=10)
    add("--first-seed", type=int, default=0)
    add("--best-of", type=int, help="best known of so many seeds, not of all runs")
    add("--set", nargs="+", default=[], help="constants of modules, for ablations")
    add("--table-only", action="store_true")
    add("--verbose", action="store_true")
    args = parser.parse_args()
    override(args.set)
    with connect() as database:
        if not args.table_only:
            collect(args, database)
        print_tables(args, database)


if __name__ == "__main__":
    main()
