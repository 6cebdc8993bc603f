# ruff: noqa: E402 - threads are set before NumPy is imported
"""What does ``BayesSearch(race=True)`` find for the CPU of ``BayesSearch``?

    python -m benchmarks.bayes_race
    python -m benchmarks.bayes_race --table-only

The real problems of `problems`, with five folds. `BayesSearch` evaluates 50 candidates;
its race, with room for 150, and Optuna's TPE go on until their fits and scores have
taken as many seconds of CPU. What they have found by then is compared on the means of
all five folds. The time between fits is left out: fits are of milliseconds here, so
that seeds are cheap, and would be of seconds where somebody races.

Regret is the distance to the best that any run has found, divided by that of what
`BayesSearch` has found after ten candidates (the mean over seeds): 1 is that, 0 the
best. Intervals (90 %) are bootstrapped over problems and seeds. Runs are kept in
``benchmarks/results/bayes_race.jsonl``.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.peers import Optuna
from benchmarks.problems import REAL, load
from skhpo import BayesSearch

RESULTS = Path(__file__).parent / "results" / "bayes_race.jsonl"
N_FIRST, N_PLAIN, N_RACED = 10, 50, 150
METHODS = ("BayesSearch", "race=True", "Optuna TPE")
Found = list[tuple[float, float]]  # CPU seconds so far, the best so far


def problem(name: str) -> tuple[Any, dict[str, Any], Any, Any, dict[str, Any]]:
    """Return a pipeline, its space, the data, and how it is scored."""
    make, space, data, scoring = REAL[name]
    pipeline = make_pipeline(StandardScaler(), make())
    step = pipeline.steps[-1][0]
    folds = KFold if data == "diabetes" else StratifiedKFold
    how = {"scoring": scoring, "cv": folds(5, shuffle=True, random_state=0)}
    own = {f"{step}__{key}": dimension for key, dimension in space.items()}
    return pipeline, own, *load(data), how


def searched(name: str, seed: int, n_iter: int, *, race: bool) -> Found:
    """Return what a search has found, after each candidate."""
    pipeline, space, X, y, how = problem(name)
    search = BayesSearch(
        pipeline, space, n_iter=n_iter, refit=False, random_state=seed, race=race, **how
    ).fit(X, y)
    results = search.cv_results_
    n_splits = results["n_splits"] if race else 5
    seconds = (results["mean_fit_time"] + results["mean_score_time"]) * n_splits
    return so_far(seconds, results["mean_test_score"])


def optuna(name: str, seed: int, seconds: float) -> Found:
    """Return what TPE has found until its fits have taken so long."""
    pipeline, space, X, y, how = problem(name)
    study = Optuna(space, seed, N_RACED, "TPESampler")
    spent: list[float] = []
    means: list[float] = []
    while sum(spent) < seconds and len(spent) < N_RACED:
        params = study.ask()
        start = time.perf_counter()
        scores = split_scores(clone(pipeline).set_params(**params), X, y, how)
        spent.append(time.perf_counter() - start)
        study.tell(params, scores)
        means.append(float(np.mean(scores)))
    return so_far(np.array(spent), np.array(means))


def split_scores(model: Any, X: Any, y: Any, how: dict[str, Any]) -> Any:
    """Return the scores on the folds; NaN, if all fits fail."""
    try:
        return cross_val_score(model, X, y, **how)
    except ValueError:
        return np.full(5, np.nan)


def so_far(seconds: np.ndarray, means: np.ndarray) -> Found:
    """Return the cumulative seconds, and the best mean of a complete candidate."""
    best = np.maximum.accumulate(np.where(np.isnan(means), -np.inf, means))
    return list(zip(np.cumsum(seconds).tolist(), best.tolist(), strict=True))


def best_within(found: Found, seconds: float) -> tuple[float, int]:
    """Return the best found in that time, and of how many candidates."""
    done = [score for end, score in found if end <= seconds * (1 + 1e-9)]
    return (done[-1], len(done)) if done else (-np.inf, 0)


def run(name: str, seed: int) -> dict[str, Any]:
    """Return the scores of all methods in the time that the plain search took."""
    plain = searched(name, seed, N_PLAIN, race=False)
    seconds = plain[-1][0]
    raced = searched(name, seed, N_RACED, race=True)
    ways = {
        "BayesSearch": plain,
        "race=True": raced,
        "Optuna TPE": optuna(name, seed, seconds),
    }
    row: dict[str, Any] = {
        "problem": name,
        "seed": seed,
        "first": plain[N_FIRST - 1][1],
    }
    for way, found in ways.items():
        row[way], row[f"n {way}"] = best_within(found, seconds)
    return row


def kept() -> list[dict[str, Any]]:
    """Return the runs that are known."""
    if not RESULTS.exists():
        return []
    lines = RESULTS.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def regrets() -> pd.DataFrame:
    """Return the regret of each method, problem and seed."""
    runs = pd.DataFrame(kept())
    parts = []
    for _, part in runs.groupby("problem"):
        best = part[list(METHODS)].max().max()
        unit = best - part["first"].mean()
        if unit > 0:
            scaled = (best - part[list(METHODS)]) / unit
            counts = part[["problem", "seed", "n race=True"]]
            parts.append(pd.concat([counts, scaled.clip(upper=3)], axis=1))
    return pd.concat(parts)


def interval(table: pd.DataFrame, column: pd.Series) -> str:
    """Return the mean over problems, and where it is likely to be."""
    values = [column[part.index].to_numpy() for _, part in table.groupby("problem")]
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(2000):
        chosen = rng.integers(len(values), size=len(values))
        draws.append(
            np.mean([rng.choice(values[i], len(values[i])).mean() for i in chosen])
        )
    low, high = np.quantile(draws, [0.05, 0.95])
    return f"{np.mean([v.mean() for v in values]):+.3f} [{low:+.3f} {high:+.3f}]"


def show() -> None:
    """Print the regrets by problem, their means and their differences."""
    table = regrets().reset_index(drop=True)
    print(
        table.groupby("problem")[["n race=True", *METHODS]].mean().round(3).to_string()
    )
    for way in METHODS:
        print(f"{way:14} {interval(table, table[way])}")
    for other in ("BayesSearch", "Optuna TPE"):
        difference = table["race=True"] - table[other]
        print(f"race=True less {other}: {interval(table, difference)}")


def missing(names: list[str], n_seeds: int) -> Iterator[tuple[str, int]]:
    """Yield what has not been run yet, one seed of every problem after the other."""
    done = {(row["problem"], row["seed"]) for row in kept()}
    for seed in range(n_seeds):
        yield from ((name, seed) for name in names if (name, seed) not in done)


def main() -> None:
    """Run what is missing, and print the table."""
    # All runs in this process and thread, so what a search reports is CPU time.
    time.perf_counter = time.process_time
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=[*REAL], default=[*REAL])
    parser.add_argument("--table-only", action="store_true")
    options = parser.parse_args()
    RESULTS.parent.mkdir(exist_ok=True)
    warnings.simplefilter("ignore")
    if not options.table_only:
        for name, seed in missing(options.only, options.seeds):
            row = run(name, seed)
            with RESULTS.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
    show()


if __name__ == "__main__":
    main()
