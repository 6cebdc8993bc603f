"""Can `report` be trusted: bias, coverage and false gains on untouched rows.

    SKHPO_DATA=... python -m benchmarks.honest
    SKHPO_DATA=... python -m benchmarks.honest --quick
    SKHPO_DATA=... python -m benchmarks.honest --first 1000 --splits 30
    python -m benchmarks.honest --table-only

Of each setting, a few hundred rows are drawn, a search chooses among 20 to 50
candidates by 5 folds, the first of which is the estimator as given; each candidate is
then fitted on all of these rows and scored on the rows that were not drawn: that is its
truth. Rows are drawn as they come: a user's sample has no share of each class that is
set beforehand, and a draw that fixes it takes away part of the doubt. Runs are kept in
``benchmarks/results/honest.jsonl``, so an interrupted measurement goes on where it
stopped; splits are done in turn for all settings.

Columns: *naive* and *left* are the biases of ``best_score_`` and of the corrected score
for the truth of the winner; *size* is how much better it is than the same candidate as
trained on the splits, which a correction of luck cannot know; *cover* is how often the
truth of the winner is inside the interval, *cover gain* that of its gain over the
estimator as given; *gain* is the true one, *worse* how often it is below 0; *shown* is
how often the report shows one, *false* how often there is none in truth; *equal* is the
share of candidates that cannot be told from the winner, *has best* how often the truly
best is one of them; *rise* is the growth from a quarter of the candidates to all, of
``best_score_`` and of the corrected score; *ms* is the CPU time of the report. Columns
with *bbc* are those of the report from out-of-fold responses (``return_oof=True``), the
others are from split scores.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import loguniform, randint, uniform
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import (
    KFold,
    ParameterSampler,
    StratifiedKFold,
    train_test_split,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skhpo import BayesSearch, GridSearch, report

RESULTS = Path(__file__).parent / "results" / "honest.jsonl"
MOST_TEST_ROWS = 5000

TREE = {
    "max_depth": randint(1, 20),
    "min_samples_leaf": randint(1, 60),
    "max_features": uniform(0.1, 0.9),
    "ccp_alpha": loguniform(1e-5, 5e-2),
}
KERNEL = {"svc__C": loguniform(1e-2, 1e3), "svc__gamma": loguniform(1e-3, 1e1)}
STEPS = {
    "learning_rate": loguniform(1e-2, 1),
    "max_depth": randint(1, 7),
    "subsample": uniform(0.5, 0.5),
}
NEIGHBORS = {
    "kneighborsclassifier__n_neighbors": randint(1, 40),
    "kneighborsclassifier__weights": ["uniform", "distance"],
    "kneighborsclassifier__p": [1, 2],
}
SVM = make_pipeline(StandardScaler(), SVC())
KNN = make_pipeline(StandardScaler(), KNeighborsClassifier())
BOOSTING = GradientBoostingClassifier(n_estimators=20, random_state=0)


@dataclass(frozen=True)
class Setting:
    """What is tuned on what."""

    data: str
    n_rows: int
    estimator: Any
    space: dict[str, Any]
    scoring: str
    n_candidates: int = 50
    permuted: bool = False
    bayes: bool = False


SETTINGS = {
    "noise tree 150 accuracy": Setting(
        "german",
        150,
        DecisionTreeClassifier(random_state=0),
        TREE,
        "accuracy",
        permuted=True,
    ),
    "equal tree 200 accuracy": Setting(
        "german",
        200,
        DecisionTreeClassifier(max_depth=4, max_features=0.5, random_state=0),
        {"random_state": list(range(1, 2000))},
        "accuracy",
    ),
    "german tree 200 accuracy": Setting(
        "german", 200, DecisionTreeClassifier(random_state=0), TREE, "accuracy"
    ),
    "german tree 200 roc_auc": Setting(
        "german", 200, DecisionTreeClassifier(random_state=0), TREE, "roc_auc"
    ),
    "phoneme svc 150 accuracy": Setting("phoneme", 150, SVM, KERNEL, "accuracy"),
    "phoneme svc 150 roc_auc": Setting("phoneme", 150, SVM, KERNEL, "roc_auc"),
    "phoneme svc 300 accuracy": Setting("phoneme", 300, SVM, KERNEL, "accuracy"),
    "adult tree 500 accuracy": Setting(
        "adult", 500, DecisionTreeClassifier(random_state=0), TREE, "accuracy"
    ),
    "cancer tree 150 accuracy": Setting(
        "cancer", 150, DecisionTreeClassifier(random_state=0), TREE, "accuracy"
    ),
    "digits knn 200 accuracy": Setting("digits", 200, KNN, NEIGHBORS, "accuracy"),
    "phoneme boosting 200 accuracy": Setting(
        "phoneme", 200, BOOSTING, STEPS, "accuracy", 20
    ),
    "german bayes tree 200 accuracy": Setting(
        "german",
        200,
        DecisionTreeClassifier(random_state=0),
        TREE,
        "accuracy",
        25,
        bayes=True,
    ),
    "phoneme bayes svc 150 accuracy": Setting(
        "phoneme", 150, SVM, KERNEL, "accuracy", 25, bayes=True
    ),
    "abalone tree 300 r2": Setting(
        "abalone", 300, DecisionTreeRegressor(random_state=0), TREE, "r2"
    ),
}


@cache
def load(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers and a target."""
    if name == "digits":
        return load_digits(return_X_y=True)
    if name == "cancer":
        return load_breast_cancer(return_X_y=True)
    folder = os.environ.get("SKHPO_DATA")
    if folder is None:
        raise SystemExit("SKHPO_DATA must name the folder with the data sets.")
    file = {"adult": "adult-train"}.get(name, name)
    frame = pd.read_csv(Path(folder) / f"{file}.csv", header=None)
    X, y = frame.iloc[:, :-1], frame.iloc[:, -1]
    texts = [column for column in X if not pd.api.types.is_numeric_dtype(X[column])]
    if texts:
        X = X.copy()
        X[texts] = OrdinalEncoder().fit_transform(X[texts])
    y = y.to_numpy() if name == "abalone" else np.unique(y, return_inverse=True)[1]
    return X.to_numpy(float), y


def run(setting: Setting, seed: int) -> dict[str, Any]:
    """Search on rows that are drawn by the seed, and compare with the others."""
    rng = np.random.default_rng([seed, 7])
    X, y = load(setting.data)
    if setting.permuted:
        y = rng.permutation(y)
    is_regression = setting.scoring == "r2"
    X, X_test, y, y_test = train_test_split(
        X,
        y,
        train_size=setting.n_rows,
        test_size=min(MOST_TEST_ROWS, len(y) - setting.n_rows),
        random_state=seed,
    )
    folds = KFold if is_regression else StratifiedKFold
    cv = folds(5, shuffle=True, random_state=seed)
    search = make_search(setting, cv, seed).fit(X, y)
    scorer = check_scoring(setting.estimator, scoring=setting.scoring)
    params = search.cv_results_["params"]
    truths = np.array(
        [
            scorer(clone(setting.estimator).set_params(**p).fit(X, y), X_test, y_test)
            for p in params
        ]
    )
    start = time.process_time()
    by_rows = report(search)
    seconds_by_rows = time.process_time() - start
    assert "BBC-CV" in by_rows.method, by_rows.notes
    del search.oof_
    start = time.process_time()
    found = report(search)
    seconds = time.process_time() - start
    best, given = found.best_index, found.default_index
    means = search.cv_results_["mean_test_score"]
    quarter = means[: -(-len(means) // 4)].max()
    assert given is not None, setting
    winner = clone(setting.estimator).set_params(**params[best])
    of_splits = [
        scorer(clone(winner).fit(X[train], y[train]), X_test, y_test)
        for train, _ in cv.split(X, y)
    ]
    return {
        "size": truths[best] - np.mean(of_splits),
        "naive": found.best_score - truths[best],
        "left": found.corrected_score - truths[best],
        "interval": [end - truths[best] for end in found.interval],
        "gain": truths[best] - truths[given],
        "gain_interval": list(found.gain_interval),
        "gain_interval_90": list(report(search, level=0.9).gain_interval),
        "equal": len(found.indistinguishable) / len(means),
        "has_best": bool(truths[found.indistinguishable].max() >= truths.max()),
        "rise_naive": float(means.max() - quarter),
        "rise_corrected": (
            found.corrected_history[-1][1] - found.corrected_history[0][1]
        ),
        "seconds": seconds,
        "bbc_left": by_rows.corrected_score - truths[best],
        "bbc_interval": [end - truths[best] for end in by_rows.interval],
        "bbc_gain_interval": list(by_rows.gain_interval),
        "bbc_rise": (
            by_rows.corrected_history[-1][1] - by_rows.corrected_history[0][1]
        ),
        "bbc_seconds": seconds_by_rows,
    }


def make_search(setting: Setting, cv: Any, seed: int) -> Any:
    """Return the search; the estimator as given is its first candidate."""
    if setting.bayes:
        from skhpo.space import Real

        # The own values must be in the space.
        space = {
            **{"max_depth": [None, *range(1, 20)], "min_samples_leaf": range(1, 60)},
            **{"max_features": [None, 0.2, 0.4, 0.6, 0.8]},
            "ccp_alpha": Real(0.0, 0.05),
        }
        if setting.data == "phoneme":
            space = {
                "svc__C": Real(1e-2, 1e3, log=True),
                "svc__gamma": ["scale", *np.logspace(-3, 1, 20)],
            }
        return BayesSearch(
            setting.estimator,
            space,
            n_iter=setting.n_candidates,
            scoring=setting.scoring,
            cv=cv,
            random_state=seed,
            return_oof=True,
        )
    drawn = ParameterSampler(setting.space, setting.n_candidates - 1, random_state=seed)
    grid: list[dict[str, Any]] = [{}]
    grid += [{name: [value] for name, value in p.items()} for p in drawn]
    return GridSearch(
        setting.estimator, grid, scoring=setting.scoring, cv=cv, return_oof=True
    )


def missing(names: list[str], seeds: range) -> Iterator[tuple[str, int]]:
    """Yield what has not been run yet, one split of every setting after the other."""
    done = {(row["setting"], row["seed"]) for row in results()}
    for seed in seeds:
        yield from ((name, seed) for name in names if (name, seed) not in done)


def results() -> list[dict[str, Any]]:
    """Return the runs that are kept."""
    if not RESULTS.exists():
        return []
    lines = RESULTS.read_text(encoding="utf-8").splitlines()
    return list(map(json.loads, lines))


COLUMNS: dict[str, Callable[[pd.DataFrame], float]] = {
    "n": len,
    "naive": lambda f: f["naive"].mean(),
    "left": lambda f: f["left"].mean(),
    "+-": lambda f: f["left"].std() / len(f) ** 0.5,
    "left bbc": lambda f: f["bbc_left"].mean(),
    "size": lambda f: f["size"].mean() if "size" in f else np.nan,
    "cover": lambda f: covered(f, "interval", 0).mean(),
    "cover bbc": lambda f: covered(f, "bbc_interval", 0).mean(),
    "width": lambda f: np.mean([hi - lo for lo, hi in f["interval"]]),
    "width bbc": lambda f: np.mean([hi - lo for lo, hi in f["bbc_interval"]]),
    "cover gain": lambda f: covered(f, "gain_interval", f["gain"]).mean(),
    "cover gain bbc": lambda f: covered(f, "bbc_gain_interval", f["gain"]).mean(),
    "gain": lambda f: f["gain"].mean(),
    "worse": lambda f: (f["gain"] < 0).mean(),
    "shown": lambda f: shown(f, "gain_interval").mean(),
    "false": lambda f: (shown(f, "gain_interval") & (f["gain"] <= 0)).mean(),
    "shown bbc": lambda f: shown(f, "bbc_gain_interval").mean(),
    "false bbc": lambda f: (shown(f, "bbc_gain_interval") & (f["gain"] <= 0)).mean(),
    "shown 90": lambda f: shown(f, "gain_interval_90").mean(),
    "false 90": lambda f: (shown(f, "gain_interval_90") & (f["gain"] <= 0)).mean(),
    "equal": lambda f: f["equal"].mean(),
    "has best": lambda f: f["has_best"].mean(),
    "rise": lambda f: f["rise_naive"].mean(),
    "rise c.": lambda f: f["rise_corrected"].mean(),
    "rise bbc": lambda f: f["bbc_rise"].mean(),
    "ms bbc": lambda f: 1000 * f["bbc_seconds"].median(),
    "ms": lambda f: 1000 * f["seconds"].median(),
}


def covered(frame: pd.DataFrame, column: str, truth: Any) -> pd.Series:
    """Return whether the truth is in the interval."""
    ends = np.array(frame[column].to_list())
    return (ends[:, 0] <= truth) & (truth <= ends[:, 1])


def shown(frame: pd.DataFrame, column: str) -> pd.Series:
    """Return whether the whole interval is above 0."""
    return frame[column].map(lambda interval: interval[0] > 0)


def print_table(names: list[str]) -> None:
    """Print a line per setting."""
    frame = pd.DataFrame(results())
    rows = {
        name: {title: column(group) for title, column in COLUMNS.items()}
        for name in names
        if len(group := frame[frame["setting"] == name])
    }
    table = pd.DataFrame(rows).T
    print(table.to_string(float_format=lambda value: f"{value:.3f}"))


def main() -> None:
    """Run what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--splits", type=int, default=40)
    parser.add_argument("--first", type=int, default=0, help="seed of the first split")
    parser.add_argument("--only", nargs="+", choices=[*SETTINGS], default=[*SETTINGS])
    parser.add_argument("--quick", action="store_true", help="2 splits of each")
    parser.add_argument("--table-only", action="store_true")
    args = parser.parse_args()
    RESULTS.parent.mkdir(exist_ok=True)
    warnings.simplefilter("ignore")
    if not args.table_only:
        n_splits = 2 if args.quick else args.splits
        seeds = range(args.first, args.first + n_splits)
        for name, seed in missing(args.only, seeds):
            row = {"setting": name, "seed": seed} | run(SETTINGS[name], seed)
            with RESULTS.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
    print_table(args.only)


if __name__ == "__main__":
    main()
