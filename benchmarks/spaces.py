"""Are the ranges of `suggest_space` good: gains over the defaults on untouched rows.

    SKHPO_DATA=... python -m benchmarks.spaces
    SKHPO_DATA=... python -m benchmarks.spaces --data german phoneme --models tree knn
    SKHPO_DATA=... python -m benchmarks.spaces --models forest --race
    python -m benchmarks.spaces --table-only

Of each data set, up to 1,000 rows are drawn as often as there are splits, and up to
5,000 of the others are the outer test rows. The candidates are the estimator as it is
and 24 draws from a space, evenly spread; the one with the best mean of five folds is
fitted on all the rows, and its *outer* score less that of the estimator as it is, is
the gain. The spaces of other packages are tables of ranges in `_peer_spaces`. Runs are
kept in ``benchmarks/results/spaces.jsonl``, so an interrupted measurement goes on where
it stopped; splits are done in turn for all cells. With ``--race``, candidates that will
hardly be the best are not fitted on all folds, and count as they are estimated.

Columns: the mean and the median *gain* (accuracy, or R2), its standard error over the
runs; *worse*, the share of runs that lose more than 0.005; *middle*, the median over
the runs of the cross-validated score of the median candidate less that of the estimator
as it is; *failed*, the share of candidates that did not fit; *CPU* seconds of a run.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets, ensemble, linear_model, neighbors, svm, tree
from sklearn.base import clone, is_regressor
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.kernel_approximation import Nystroem
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

from benchmarks._peer_spaces import PEERS
from skhpo import RandomSearch
from skhpo.space import suggest_space

RESULTS = Path(__file__).parent / "results" / "spaces.jsonl"
N_ROWS, N_TEST = 1000, 5000
OURS = "suggested"
OF_CLASSES = {"criterion", "class_weight"}


def read(name: str) -> pd.DataFrame:
    """Return a table of the folder that SKHPO_DATA names."""
    folder = Path(os.environ["SKHPO_DATA"])
    return pd.read_csv(folder / name, header=None, na_values="?", skipinitialspace=True)


def numbered(table: pd.DataFrame, target: int) -> tuple[Any, Any]:
    """Return numbers for words and medians for what is missing, and the target."""
    y = table.pop(table.columns[target])
    table = table.fillna(table.median(numeric_only=True)).fillna("none")
    words = table.select_dtypes(exclude="number").columns
    if len(words):
        table[words] = OrdinalEncoder().fit_transform(table[words].astype(str))
    known = y.notna().to_numpy()
    return table.to_numpy(float)[known], y.to_numpy()[known]


def bundled(name: str) -> tuple[Any, Any]:
    """Return a data set of scikit-learn."""
    return getattr(datasets, f"load_{name}")(return_X_y=True)


def parity() -> tuple[Any, Any]:
    """Return whether digits are even."""
    X, y = bundled("digits")
    return X, y % 2


def old() -> tuple[Any, Any]:
    """Return whether abalones are old."""
    X, y = numbered(read("abalone.csv"), -1)
    return X, (y > 9).astype(int)


def age() -> tuple[Any, Any]:
    """Return the age of the people of adult."""
    X, y = numbered(read("adult-train.csv"), 0)
    return X, y.astype(float)


def hours() -> tuple[Any, Any]:
    """Return how much the people of adult work."""
    X, y = numbered(read("adult-train.csv"), 12)
    return X, y.astype(float)


DATA: dict[str, Callable[[], tuple[Any, Any]]] = {
    "cancer": lambda: bundled("breast_cancer"),
    "wine": lambda: bundled("wine"),
    "digits": lambda: bundled("digits"),
    "parity": parity,
    "german": lambda: numbered(read("german.csv"), -1),
    "phoneme": lambda: numbered(read("phoneme.csv"), -1),
    "adult": lambda: numbered(read("adult-train.csv"), -1),
    "horse": lambda: numbered(read("horse-colic.csv"), 23),
    "old": old,
    "diabetes": lambda: bundled("diabetes"),
    "abalone": lambda: numbered(read("abalone.csv"), -1),
    "age": age,
    "hours": hours,
}
REGRESSION = {"diabetes", "abalone", "age", "hours"}
load = cache(lambda name: DATA[name]())

LOGISTIC = linear_model.LogisticRegression(max_iter=1000)
MODELS: dict[str, tuple[Any, Any]] = {  # for classes, for numbers
    "tree": (
        tree.DecisionTreeClassifier(random_state=0),
        tree.DecisionTreeRegressor(random_state=0),
    ),
    "forest": (
        ensemble.RandomForestClassifier(random_state=0),
        ensemble.RandomForestRegressor(random_state=0),
    ),
    "hist": (
        ensemble.HistGradientBoostingClassifier(random_state=0),
        ensemble.HistGradientBoostingRegressor(random_state=0),
    ),
    "knn": (neighbors.KNeighborsClassifier(), neighbors.KNeighborsRegressor()),
    "linear": (LOGISTIC, None),
    # Wide spaces have polynomials that would take minutes.
    "kernel": (svm.SVC(max_iter=100_000), svm.SVR(max_iter=100_000)),
    "sgd": (linear_model.SGDClassifier(random_state=0), None),
    "network": (
        MLPClassifier(early_stopping=True, random_state=0),
        MLPRegressor(early_stopping=True, random_state=0),
    ),
    "pca logistic": (make_pipeline(StandardScaler(), PCA(), LOGISTIC), None),
    "best knn": (
        make_pipeline(
            StandardScaler(), SelectKBest(), neighbors.KNeighborsClassifier()
        ),
        None,
    ),
    "map ridge": (
        make_pipeline(
            StandardScaler(), Nystroem(random_state=0), linear_model.RidgeClassifier()
        ),
        make_pipeline(StandardScaler(), Nystroem(random_state=0), linear_model.Ridge()),
    ),
}


def splits(name: str, seed: int) -> tuple[Any, Any, Any, Any]:
    """Return training and test rows, in units of the training rows."""
    X, y = load(name)
    rows = np.arange(len(y))
    n_train = min(N_ROWS, int(0.7 * len(y)))
    train, test = train_test_split(
        rows,
        train_size=n_train,
        random_state=seed,
        stratify=None if name in REGRESSION else y,
    )
    scale = StandardScaler().fit(X[train])
    test = test[:N_TEST]
    return scale.transform(X[train]), y[train], scale.transform(X[test]), y[test]


def space_of(
    kind: str, name: str, model: Any, X: Any, y: Any, n: int
) -> tuple[Any, float]:
    """Return a space, and the CPU seconds it took."""
    start = time.process_time()
    if kind == OURS:
        space: Any = suggest_space(model, X, y, n_iter=n)
    else:
        space = PEERS[kind][name](int(0.8 * len(X)), X.shape[1])
        if is_regressor(model):
            space = {k: v for k, v in space.items() if k not in OF_CLASSES}
    return space, time.process_time() - start


def run(
    kind: str, data: str, name: str, seed: int, n: int, race: bool
) -> dict[str, Any]:
    """Return what one search gains."""
    X, y, X_test, y_test = splits(data, seed)
    model = MODELS[name][data in REGRESSION]
    start = time.process_time()
    own = float(np.mean(cross_val_score(model, X, y, cv=5)))
    default = float(clone(model).fit(X, y).score(X_test, y_test))
    space, seconds = space_of(kind, name, model, X, y, n)
    n_drawn = n if kind == OURS else n - 1  # which has the default among them
    search = RandomSearch(
        model,
        space,
        n_iter=n_drawn,
        sampling="sobol",
        cv=5,
        race=race,
        random_state=seed,
    ).fit(X, y)
    column = "estimated_test_score" if race else "mean_test_score"
    scores = search.cv_results_[column]
    failed = int(np.isnan(scores).sum())
    better = search.best_score_ > own
    outer = float(search.best_estimator_.score(X_test, y_test)) if better else default
    drawn = np.where(np.isnan(scores), -1.0, scores)[1 if kind == OURS else 0 :]
    return {
        "space": kind,
        "data": data,
        "model": name,
        "seed": seed,
        "n": n,
        "default": default,
        "gain": outer - default,
        "middle": float(np.median(drawn)) - own,
        "failed": failed / len(scores),
        "suggest": seconds,
        "cpu": time.process_time() - start,
    }


def cells(args: argparse.Namespace) -> Iterator[tuple[str, str, str, int]]:
    """Yield what is to be measured; splits outermost, so that all cells advance."""
    for seed in range(args.splits):
        for data in args.data:
            for name in args.models:
                if MODELS[name][data in REGRESSION] is None:
                    continue
                for kind in args.spaces:
                    if kind == OURS or name in PEERS[kind]:
                        yield kind, data, name, seed


def measure(args: argparse.Namespace) -> None:
    """Run what is not known yet."""
    RESULTS.parent.mkdir(exist_ok=True)
    done = {(r["space"], r["data"], r["model"], r["seed"]) for r in kept()}
    for cell in cells(args):
        if cell in done:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            row = run(*cell, args.candidates, args.race)
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        print(f"{cell}: gain {row['gain']:+.4f}", flush=True)


def kept() -> list[dict[str, Any]]:
    """Return the runs that are known."""
    if not RESULTS.exists():
        return []
    lines = RESULTS.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def table() -> str:
    """Return a row per model and space, over the runs that all spaces have."""
    head = (
        "| model | space | runs | gain | median | +- | worse | middle | failed | CPU |"
    )
    lines = [head, "| --- " * 10 + "|"]
    runs = pd.DataFrame(kept())
    n_spaces = runs.groupby("model")["space"].transform("nunique")
    n_runs = runs.groupby(["model", "data", "seed"])["space"].transform("nunique")
    runs = runs[n_runs == n_spaces]
    for (model, space), part in runs.groupby(["model", "space"], sort=False):
        gain = part["gain"]
        error = gain.std() / math.sqrt(len(part)) if len(part) > 1 else math.nan
        lines.append(
            f"| {model} | {space} | {len(part)} | {gain.mean():+.4f} | "
            f"{gain.median():+.4f} | {error:.4f} | {(gain < -0.005).mean():.0%} | "
            f"{part['middle'].median():+.4f} | {part['failed'].mean():.1%} | "
            f"{part['cpu'].mean():.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="*", default=list(DATA), choices=DATA)
    parser.add_argument("--models", nargs="*", default=list(MODELS), choices=MODELS)
    spaces = [OURS, *PEERS]
    parser.add_argument("--spaces", nargs="*", default=spaces, choices=spaces)
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--candidates", type=int, default=25)
    parser.add_argument("--race", action="store_true", help="drop early what is worse")
    parser.add_argument("--table-only", action="store_true")
    args = parser.parse_args()
    if not args.table_only:
        measure(args)
    print(table())


if __name__ == "__main__":
    main()
