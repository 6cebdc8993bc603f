"""Does it pay to weigh promise against time, where fits take unequal time?

    SKHPO_DATA=folder python -m benchmarks.cost --record
    python -m benchmarks.cost --seeds 10

Nine problems of real tuning whose fit times vary tenfold and more over the space. Their
scores and CPU times are recorded once at uniform draws (about 8 minutes), in
``benchmarks/results/cost.json``. Searches then run on an emulator of both, by a virtual
clock: it advances by the emulated time of a candidate, with noise, and by `OVERHEAD`
for what a search does besides. The budget is so many mean times of uniform draws.

Normalized regret at the end of a budget: 0 is the best score known, 1 what random
search has then in the mean. A ratio is the mean regret of a variant over that of
``cost_aware=False``; intervals (90 %) are bootstrapped over seeds and problems.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import (
    datasets,
    ensemble,
    linear_model,
    neural_network,
    svm,
    tree,
)
from sklearn.kernel_approximation import Nystroem
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler, scale

from benchmarks.kinds import absolute, log_loss, squared
from benchmarks.problems import log
from benchmarks.quality import bootstrap, override
from skhpo.acquisition import Cooling
from skhpo.optimizers import BayesOptimizer, Trial
from skhpo.space import Categorical, Integer, Real, SearchSpace
from skhpo.surrogates import GaussianProcess

RESULTS = Path(__file__).parent / "results" / "cost.json"
RUNS = RESULTS.with_name("cost-runs.json")
OVERHEAD = 0.02  # seconds for each candidate, beside its fits
N_RECORDED, N_DEAR = 250, 150
DEAR = ("adaboost", "extra trees", "gradient boosting")
MAX_CANDIDATES = 250  # of a run
# Times of the same fit differ by this factor, up or down.
NOISE = 1.1


# -- what is tuned ---------------------------------------------------------------------


@cache
def load(name: str) -> tuple[Any, Any]:
    """Return some rows of a data set, scaled, and what is predicted."""
    if name in ("phoneme", "abalone", "german"):
        path = Path(os.environ.get("SKHPO_DATA", "."), f"{name}.csv")
        table = np.genfromtxt(path, delimiter=",", dtype=str)
        rows = np.random.default_rng(0).permutation(len(table))[:400]
        y = table[rows, -1].astype(float)
        columns = [numbers(column) for column in table[rows, :-1].T]
        X = scale(np.column_stack(columns))
        return X, scale(y) if name == "abalone" else (y > y.min()).astype(int)
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(y))[:350]
    X, y = scale(X[rows]), y[rows].astype(float)
    return X, scale(y) if name == "diabetes" else y.astype(int)


def numbers(column: Any) -> Any:
    """Return a column of text as numbers: as they are, or those of its values."""
    try:
        return column.astype(float)
    except ValueError:
        return np.unique(column, return_inverse=True)[1].astype(float)


def errors(model: Any, X: Any, y: Any) -> float:
    """Return the share of wrong predictions."""
    return float((model.predict(X) != y).mean())


def network(**params: Any) -> Any:
    """Return a classifier with one hidden layer or two."""
    width, n_layers = params.pop("width"), params.pop("n_layers")
    layers = (width,) * n_layers
    return neural_network.MLPClassifier(layers, random_state=0, **params)


def machine(**params: Any) -> Any:
    """Return a support vector classifier with probabilities by its decision."""
    return svm.SVC(max_iter=2_000_000, **params)


def approximate(**params: Any) -> Any:
    """Return a logistic regression on approximate kernel features."""
    last = {name: params.pop(name) for name in ("C",)}
    return make_pipeline(
        Nystroem(random_state=0, **params),
        linear_model.LogisticRegression(max_iter=300, **last),
    )


def polynomial(**params: Any) -> Any:
    """Return an elastic net of powers."""
    degree, mixed = params.pop("degree"), params.pop("interaction_only")
    return make_pipeline(
        PolynomialFeatures(degree, interaction_only=mixed, include_bias=False),
        StandardScaler(),
        linear_model.ElasticNet(max_iter=500, **params),
    )


def boosted(**params: Any) -> Any:
    """Return boosted trees of scikit-learn's AdaBoost."""
    base = tree.DecisionTreeClassifier(
        max_depth=params.pop("max_depth"),
        min_samples_leaf=params.pop("min_samples_leaf"),
        random_state=0,
    )
    return ensemble.AdaBoostClassifier(base, random_state=0, **params)


def seeded(kind: type, **fixed: Any) -> Callable[..., Any]:
    """Return `kind` with a random state and other fixed values."""
    return lambda **params: kind(random_state=0, **fixed, **params)


TREES = {
    "n_estimators": Integer(5, 200),
    "max_depth": Integer(1, 20),
    "max_features": Real(0.05, 1.0),
    "min_samples_leaf": Integer(1, 20),
}
Entry = tuple[Callable[..., Any], dict[str, Any], str, Callable[..., float]]
PROBLEMS: dict[str, Entry] = {
    "histogram boosting": (
        seeded(ensemble.HistGradientBoostingClassifier),
        {
            "max_iter": Integer(10, 300, log=True),
            "max_leaf_nodes": Integer(2, 32, log=True),
            "learning_rate": log(0.01, 1.0),
            "l2_regularization": log(1e-3, 1e2),
            "min_samples_leaf": Integer(2, 60, log=True),
        },
        "phoneme",
        log_loss,
    ),
    "gradient boosting": (
        seeded(ensemble.GradientBoostingRegressor),
        {
            "n_estimators": Integer(10, 300),
            "max_depth": Integer(1, 8),
            "learning_rate": log(0.005, 1.0),
            "subsample": Real(0.3, 1.0),
            "max_features": Real(0.1, 1.0),
        },
        "diabetes",
        squared,
    ),
    "extra trees": (
        seeded(ensemble.ExtraTreesRegressor),
        TREES | {"n_estimators": Integer(10, 400, log=True)},
        "abalone",
        squared,
    ),
    "network": (
        network,
        {
            "width": Integer(4, 128, log=True),
            "n_layers": Integer(1, 2),
            "alpha": log(1e-5, 10),
            "batch_size": Integer(10, 200, log=True),
            "learning_rate_init": log(1e-4, 0.1),
            "max_iter": Integer(5, 60, log=True),
        },
        "digits",
        log_loss,
    ),
    "support vectors": (
        machine,
        {
            "C": log(1e-3, 1e4),
            "kernel": Categorical(["rbf", "poly", "linear"]),
            "gamma": log(1e-4, 1e1),
            "coef0": Real(0.0, 2.0),
        },
        "german",
        errors,
    ),
    "logistic": (
        seeded(linear_model.LogisticRegression, solver="saga", max_iter=400),
        {"C": log(1e-4, 1e4), "l1_ratio": Real(0.0, 1.0), "tol": log(1e-6, 1e-1)},
        "breast_cancer",
        log_loss,
    ),
    "nystroem": (
        approximate,
        {
            "n_components": Integer(5, 250),
            "gamma": log(1e-3, 1e1),
            "C": log(1e-3, 1e4),
        },
        "phoneme",
        log_loss,
    ),
    "polynomial": (
        polynomial,
        {
            "degree": Integer(1, 4),
            "interaction_only": Categorical([True, False]),
            "alpha": log(1e-4, 1.0),
            "l1_ratio": Real(0.05, 1.0),
        },
        "abalone",
        absolute,
    ),
    "adaboost": (
        boosted,
        {
            "n_estimators": Integer(5, 120),
            "max_depth": Integer(1, 8),
            "min_samples_leaf": Integer(1, 30),
            "learning_rate": log(0.01, 2.0),
        },
        "wine",
        log_loss,
    ),
}


def measured(name: str, params: dict[str, Any]) -> tuple[list[float], float]:
    """Return the scores on three folds, NaN where a fit fails, and the CPU time."""
    estimator, _, data, loss = PROBLEMS[name]
    X, y = load(data)
    kind = KFold if loss in (squared, absolute) else StratifiedKFold
    scores = []
    start = time.process_time()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for train, test in kind(3, shuffle=True, random_state=0).split(X, y):
            try:
                model = estimator(**params).fit(X[train], y[train])
                scores.append(-loss(model, X[test], y[test]))
            except ValueError:
                scores.append(np.nan)
    return scores, time.process_time() - start


def record(names: Sequence[str]) -> None:
    """Record scores and times of uniform draws; go on where there are some."""
    RESULTS.parent.mkdir(exist_ok=True)
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in names:
        space = SearchSpace(PROBLEMS[name][1])
        n = N_DEAR if name in DEAR else N_RECORDED
        points = np.random.default_rng(0).random((n, space.n_columns))
        load(PROBLEMS[name][2])
        rows = known.setdefault(name, [])
        for x in space.snap(points)[len(rows) :]:
            scores, seconds = measured(name, space.decode(x))
            rows.append([x.tolist(), scores, seconds])
        RESULTS.write_text(json.dumps(known))
        times = np.array([row[2] for row in rows])
        low, high = np.quantile(times, [0.05, 0.95])
        print(
            f"{name:20} {times.sum():6.0f} s in all, {low:.3f} to {high:.3f} s "
            f"(quantiles 0.05, 0.95), {high / low:.0f}-fold",
            flush=True,
        )


# -- replay ----------------------------------------------------------------------------


class Emulator:
    """Scores and times of any point of a problem, from those recorded.

    Both are the means of Gaussian processes, of the logarithm of the gap to the best
    and of the time: on what is left out they predict better than trees do. Times are in
    units of their mean over uniform draws, as if the data had as many rows as make it a
    second.
    """

    def __init__(self, name: str) -> None:
        known = json.loads(RESULTS.read_text())[name]
        rows = [row for row in known if np.isfinite(row[1]).all()]
        self.space = SearchSpace(PROBLEMS[name][1])
        X = np.array([row[0] for row in rows], dtype=float)
        scores = np.array([np.mean(row[1]) for row in rows])
        self.top, gap = scores.max(), scores.max() - scores
        self.delta = 0.1 * float(np.median(gap))
        self.score_model = fitted(self.space, X, -np.log(gap + self.delta))
        self.time_model = fitted(self.space, X, np.log([row[2] for row in rows]))
        self.unit = 1.0
        uniform = np.random.default_rng(1).random((5000, self.space.n_columns))
        self.draws = self(self.space.snap(uniform))
        self.unit = float(self.draws[1].mean())
        self.draws = self.draws[0], self.draws[1] / self.unit

    def __call__(self, X: Any) -> Any:
        """Return the scores and the seconds at encoded points."""
        scores = self.top + self.delta - np.exp(-self.score_model(X))
        return scores, np.exp(self.time_model(X)) / self.unit

    def random(self, budget: float, n: int = 300) -> float:
        """Return the mean of what random search finds within a budget."""
        scores, seconds = self.draws
        rng = np.random.default_rng(2)
        found = []
        for _ in range(n):
            order = rng.permutation(len(seconds))
            in_time = np.cumsum(seconds[order] + OVERHEAD) <= budget
            if in_time[0]:  # else there is no result
                found.append(scores[order[in_time]].max())
        return float(np.mean(found))


def fitted(space: SearchSpace, X: Any, y: Any) -> Callable[[Any], Any]:
    """Return the mean of a Gaussian process as a function of points."""
    center, scale = y.mean(), y.std()
    model = GaussianProcess(space).fit(X, (y - center) / scale)
    return lambda X: center + scale * model.predict(X)[0]


def replay(
    emulator: Emulator, exponent: Any, budget: float, seed: int
) -> tuple[float, int]:
    """Return the best score within a budget, and the number of candidates."""
    optimizer = BayesOptimizer(
        emulator.space, random_state=seed, cost_exponent=exponent
    )
    rng = np.random.default_rng([seed, 1])
    best, clock, n = -np.inf, 0.0, 0
    while n < MAX_CANDIDATES and (asked := optimizer.ask(1)):
        [candidate] = asked
        x = emulator.space.encode(candidate.params)
        [score], [seconds] = emulator(x[np.newaxis])
        took = float(seconds) * NOISE ** rng.normal()
        clock += took + OVERHEAD
        if clock > budget:
            break
        optimizer.tell([Trial.from_scores(candidate, [float(score)], seconds=took)])
        best, n = max(best, float(score)), n + 1
    return best, n


class Halved(Cooling):
    """Half of the exponent."""

    def __call__(self, spent: Sequence[float], n_initial: int) -> float:
        return 0.5 * super().__call__(spent, n_initial)


METHODS: dict[str, Callable[[float], Any]] = {
    "unaware": lambda budget: 0.0,
    "aware": Cooling,
    "per second": lambda budget: 1.0,
    "half": lambda budget: Halved(budget),
}


def run(name: str, method: str, budget: float, seed: int) -> tuple[float, int]:
    """Return the best score of a run, and the number of its candidates."""
    return replay(emulator_of(name), METHODS[method](budget), budget, seed)


@cache
def emulator_of(name: str) -> Emulator:
    """Return the emulator of a problem."""
    return Emulator(name)


def collect(args: argparse.Namespace) -> dict[str, Any]:
    """Return the runs, by method, problem, budget and seed; do missing ones."""
    known = json.loads(RUNS.read_text()) if RUNS.exists() else {}
    for name in args.problems:
        for budget in args.budgets:
            key = f"random|{name}|{budget:g}"
            if key not in known:
                emulator = emulator_of(name)
                known[key] = emulator.random(budget), float(emulator.draws[0].max())
        for method in args.methods:
            for seed in range(args.first_seed, args.first_seed + args.seeds):
                for budget in args.budgets:
                    key = f"{method}|{name}|{budget:g}|{seed}"
                    if key not in known:
                        known[key] = run(name, method.split(":")[0], budget, seed)
            # Others may have written meanwhile.
            known = (json.loads(RUNS.read_text()) if RUNS.exists() else {}) | known
            written = RUNS.with_suffix(f".{os.getpid()}")
            written.write_text(json.dumps(known))
            os.replace(written, RUNS)
    return known


def regrets(args: argparse.Namespace, known: dict[str, Any], budget: float) -> Any:
    """Return normalized regrets and numbers of candidates, (problems, methods, seeds).

    The best score is that of 5000 uniform draws, or of all runs if one is better.
    """
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    regret, count = np.empty((2, len(args.problems), len(args.methods), len(seeds)))
    for i, name in enumerate(args.problems):
        random, drawn = known[f"random|{name}|{budget:g}"]
        runs = [
            row[0]
            for key, row in known.items()
            if key.split("|")[1] == name and not key.startswith("random")
        ]
        best = max(drawn, *runs)
        scale = best - random
        for j, method in enumerate(args.methods):
            rows = [known[f"{method}|{name}|{budget:g}|{seed}"] for seed in seeds]
            regret[i, j] = [(best - row[0]) / scale for row in rows]
            count[i, j] = [row[1] for row in rows]
    return np.minimum(regret, 3.0), count


def tabulate(args: argparse.Namespace, known: dict[str, Any], budget: float) -> None:
    """Print regrets and ratios by problem, and of all."""
    regret, count = regrets(args, known, budget)
    rng = np.random.default_rng(0)
    print(f"\nbudget: {budget:g} mean times")
    print(f"{'':20}" + "".join(f"{m[-20:]:>22}" for m in args.methods))
    for name, values, counts in zip(args.problems, regret, count, strict=True):
        cells = [f"{values[0].mean():.3f} ({counts[0].mean():.0f})"]
        for row, n in zip(values[1:], counts[1:], strict=True):
            ratio = row.mean() / max(values[0].mean(), 1e-3)
            cells.append(f"{row.mean():.3f} ({n.mean():.0f}) x{ratio:.2f}")
        print(f"{name:20}" + "".join(f"{cell:>22}" for cell in cells))
    base = regret[:, 0]
    print(f"{'mean':20}{base.mean():22.3f}")
    for i, method in enumerate(args.methods[1:], 1):
        difference = regret[:, i] - base
        low, high = bootstrap(difference, rng)
        ratios = bootstrap_ratio(regret[:, i], base, rng)
        print(
            f"{method}: {regret[:, i].mean():.3f}, difference {difference.mean():+.3f} "
            f"[{low:+.3f} {high:+.3f}], ratio of the means "
            f"{regret[:, i].mean() / base.mean():.2f} [{ratios[0]:.2f} {ratios[1]:.2f}]"
        )


def bootstrap_ratio(a: Any, b: Any, rng: np.random.Generator) -> tuple[float, float]:
    """Return a 90 % interval of mean(a) / mean(b) over problems and seeds."""
    n, m = a.shape
    ratios = []
    for _ in range(500):
        rows, columns = rng.integers(n, size=n), rng.integers(m, size=(n, m))
        top, bottom = (np.take_along_axis(v[rows], columns, axis=1) for v in (a, b))
        ratios.append(top.mean() / bottom.mean())
    return float(np.quantile(ratios, 0.05)), float(np.quantile(ratios, 0.95))


def main() -> None:
    """Record or replay, and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--record", action="store_true")
    add("--problems", nargs="+", default=list(PROBLEMS))
    add("--methods", nargs="+", default=["unaware", "aware"], help=f"{list(METHODS)}")
    add("--budgets", nargs="+", type=float, default=[20.0, 50.0])
    add("--seeds", type=int, default=10)
    add("--first-seed", type=int, default=0)
    add("--set", nargs="+", default=[], help="constants of modules, for ablations")
    args = parser.parse_args()
    if args.record:
        record(args.problems)
        return
    override(args.set)
    known = collect(args)
    for budget in args.budgets:
        tabulate(args, known, budget)


if __name__ == "__main__":
    main()
