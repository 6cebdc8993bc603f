# ruff: noqa: E402 - threads are set before NumPy is imported
"""What does ``race=True`` cost and lose, beside other ways to spend less?

    SKHPO_DATA=folder python -m benchmarks.cheaper --real
    SKHPO_DATA=folder python -m benchmarks.cheaper --halving

Each candidate is fitted once on each split, and its scores and CPU seconds are kept:
*recorded*. All ways are then replayed on the records, many times, with other candidates
and another order of the splits. The race that is replayed is that of the package.
``--real`` runs whole searches too, with and without the race in turn, and
scikit-learn's halving on the same candidates. ``--halving`` runs whole searches with
``resource=`` and nothing else: of iterations beside the same search with a `Curve`, and
of rows, of which there are 20,000 or more, beside the search on all of them; with
scikit-learn's halving, and with a third of the candidates. ``--halving --shared``, for
fits of half a minute: searches with half of the candidates, drawn by seed, take what is
evaluated from one journal, and recorded times are added up.

Costs are CPU seconds over those of the full search. "same" is how often the candidate
is chosen that the full search chooses, "regret" by how much its mean is lower, in
standard errors of a candidate's mean over its splits (the median over candidates).
"""

from __future__ import annotations

import argparse
import math
import os
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import numpy as np
import pandas as pd
from scipy.stats import loguniform, randint, uniform
from sklearn import datasets, ensemble, linear_model, neighbors, neural_network, svm
from sklearn.base import clone, is_classifier
from sklearn.metrics import get_scorer
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    ParameterSampler,
    StratifiedKFold,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skhpo import GridSearch, RandomSearch
from skhpo.optimizers._race import OrderedRace, SortedRace
from skhpo.space import Curve

FILES = {  # of the UCI repository; the columns of what is predicted
    "german": ("german.csv", 20),
    "adult": ("adult-train.csv", 14),
    "phoneme": ("phoneme.csv", 5),
    "abalone": ("abalone.csv", 8),
}


@cache
def load(name: str, n_rows: int) -> tuple[Any, Any]:
    """Return rows of a data set; of a generated one where its file is not there."""
    bundled = {"digits", "wine", "diabetes", "breast_cancer"}
    if name in bundled:
        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    else:
        X, y = _file(name)
    rows = np.random.default_rng(0).permutation(len(y))[:n_rows]
    return X[rows], y[rows]


def _file(name: str) -> tuple[Any, Any]:
    file, target = FILES[name]
    path = Path(os.environ.get("SKHPO_DATA", "."), file)
    if not path.exists():
        print(f"# {name}: generated, since there is no {path}")
        if name == "abalone":
            return datasets.make_friedman1(3000, noise=2.0, random_state=0)
        return datasets.make_classification(
            3000, 12, n_informative=6, flip_y=0.1, random_state=len(name)
        )
    table = pd.read_csv(path, header=None, skipinitialspace=True)
    y = table.pop(target)
    X = pd.get_dummies(table).to_numpy(float)
    return X, y.to_numpy(float) if name == "abalone" else pd.factorize(y)[0]


@dataclass(frozen=True)
class Problem:
    """A model family on data, with a space and the score that decides."""

    estimator: Any
    space: dict[str, Any]
    data: tuple[str, int]
    scoring: str = "neg_log_loss"
    n_splits: int = 5

    def splits(self) -> Any:
        kind = StratifiedKFold if is_classifier(self.estimator) else KFold
        return kind(self.n_splits, shuffle=True, random_state=0)


def scaled(model: Any) -> Any:
    return make_pipeline(StandardScaler(), model)


BOOSTING = ensemble.HistGradientBoostingClassifier(max_iter=30, random_state=0)
BOOSTING_SPACE = {
    "learning_rate": loguniform(0.01, 0.6),
    "max_leaf_nodes": randint(3, 40),
    "min_samples_leaf": randint(5, 60),
    "l2_regularization": loguniform(1e-4, 30),
}
LOGISTIC = scaled(linear_model.LogisticRegression(solver="saga", max_iter=150))
LOGISTIC_SPACE = {
    "logisticregression__C": loguniform(1e-3, 30),
    "logisticregression__l1_ratio": uniform(0, 1),
}
FOREST_SPACE = {
    "max_features": uniform(0.05, 0.95),
    "min_samples_leaf": randint(1, 25),
    "max_depth": randint(3, 20),
}
SVC_SPACE = {"svc__C": loguniform(0.1, 300), "svc__gamma": loguniform(1e-3, 10)}
MLP_SPACE = {
    "mlpclassifier__alpha": loguniform(1e-5, 3),
    "mlpclassifier__learning_rate_init": loguniform(5e-4, 0.1),
    "mlpclassifier__hidden_layer_sizes": [(8,), (16,), (32,), (16, 16)],
}
NEIGHBORS_SPACE = {
    "kneighborsclassifier__n_neighbors": randint(1, 60),
    "kneighborsclassifier__weights": ["uniform", "distance"],
    "kneighborsclassifier__p": uniform(1, 2),
}
FOREST = ensemble.RandomForestClassifier(25, random_state=0)

PROBLEMS = {
    "logistic/german": Problem(
        scaled(linear_model.LogisticRegression(solver="liblinear")),
        {
            "logisticregression__C": loguniform(1e-4, 100),
            "logisticregression__l1_ratio": [0.0, 1.0],
        },
        ("german", 1000),
    ),
    "forest/german": Problem(FOREST, FOREST_SPACE, ("german", 700)),
    "forest/adult acc": Problem(FOREST, FOREST_SPACE, ("adult", 1500), "accuracy"),
    "svc/phoneme acc": Problem(
        scaled(svm.SVC()), SVC_SPACE, ("phoneme", 1500), "accuracy"
    ),
    "svc/digits acc": Problem(
        scaled(svm.SVC()),
        {"svc__C": loguniform(0.1, 300), "svc__gamma": loguniform(1e-4, 0.3)},
        ("digits", 500),
        "accuracy",
    ),
    "boosting/adult": Problem(BOOSTING, BOOSTING_SPACE, ("adult", 1500)),
    "boosting/phoneme acc": Problem(
        BOOSTING, BOOSTING_SPACE, ("phoneme", 1500), "accuracy"
    ),
    "boosting/abalone r2": Problem(
        ensemble.HistGradientBoostingRegressor(max_iter=30, random_state=0),
        BOOSTING_SPACE,
        ("abalone", 1500),
        "r2",
    ),
    "svr/abalone mse": Problem(
        scaled(svm.SVR()),
        {
            "svr__C": loguniform(0.1, 100),
            "svr__gamma": loguniform(1e-3, 3),
            "svr__epsilon": loguniform(0.01, 2),
        },
        ("abalone", 1000),
        "neg_mean_squared_error",
    ),
    "ridge/diabetes r2": Problem(
        scaled(linear_model.ElasticNet(max_iter=300)),
        {
            "elasticnet__alpha": loguniform(1e-3, 10),
            "elasticnet__l1_ratio": uniform(0, 1),
        },
        ("diabetes", 442),
        "r2",
    ),
    "mlp/phoneme": Problem(
        scaled(neural_network.MLPClassifier(max_iter=12, random_state=0)),
        MLP_SPACE,
        ("phoneme", 1500),
    ),
    "k-nn/phoneme": Problem(
        scaled(neighbors.KNeighborsClassifier()), NEIGHBORS_SPACE, ("phoneme", 1500)
    ),
    "logistic/digits": Problem(
        scaled(linear_model.LogisticRegression(max_iter=60)),
        {"logisticregression__C": loguniform(1e-4, 100)},
        ("digits", 500),
    ),
    "10 forest/german": Problem(FOREST, FOREST_SPACE, ("german", 700), n_splits=10),
    "10 boosting/adult": Problem(
        BOOSTING, BOOSTING_SPACE, ("adult", 1500), n_splits=10
    ),
    "10 svc/phoneme acc": Problem(
        scaled(svm.SVC()), SVC_SPACE, ("phoneme", 1500), "accuracy", 10
    ),
    "3 forest/german": Problem(FOREST, FOREST_SPACE, ("german", 700), n_splits=3),
    "3 boosting/adult": Problem(BOOSTING, BOOSTING_SPACE, ("adult", 1500), n_splits=3),
    "3 svc/phoneme acc": Problem(
        scaled(svm.SVC()), SVC_SPACE, ("phoneme", 1500), "accuracy", 3
    ),
    "auc forest/german": Problem(FOREST, FOREST_SPACE, ("german", 700), "roc_auc"),
    "auc boosting/adult": Problem(BOOSTING, BOOSTING_SPACE, ("adult", 1500), "roc_auc"),
    "auc k-nn/phoneme": Problem(
        scaled(neighbors.KNeighborsClassifier()),
        NEIGHBORS_SPACE,
        ("phoneme", 1500),
        "roc_auc",
    ),
}


@dataclass(frozen=True)
class Records:
    """Scores and CPU seconds of n candidates on K splits."""

    scores: np.ndarray
    seconds: np.ndarray


def record(
    name: str, problem: Problem, n_candidates: int, folder: Path | None
) -> Records:
    """Fit each candidate on each split, or read what was kept of that."""
    file = f"{name.translate({ord(c): '_' for c in ' /'})}-{n_candidates}.npz"
    path = folder / file if folder else None
    if path is not None and path.exists():
        kept = np.load(path)
        return Records(kept["scores"], kept["seconds"])
    X, y = load(*problem.data)
    scorer = get_scorer(problem.scoring)
    candidates = list(ParameterSampler(problem.space, n_candidates, random_state=0))
    shape = len(candidates), problem.n_splits
    scores, seconds = np.empty(shape), np.empty(shape)
    for split, (train, test) in enumerate(problem.splits().split(X, y)):
        for i, params in enumerate(candidates):
            start = time.process_time()
            model = clone(problem.estimator).set_params(**params)
            scores[i, split] = scorer(model.fit(X[train], y[train]), X[test], y[test])
            seconds[i, split] = time.process_time() - start
    if path is not None:
        np.savez(path, scores=scores, seconds=seconds)
    return Records(scores, seconds)


# -- ways: records -> what is chosen, and which evaluations that took ------------------

Way = Callable[[np.ndarray, np.random.Generator], tuple[int, np.ndarray]]


def full(S: np.ndarray, rng: np.random.Generator) -> tuple[int, np.ndarray]:
    return int(S.mean(axis=1).argmax()), np.full(len(S), S.shape[1])


def raced(alpha: float = 0.05, kind: str = "sorted") -> Way:
    def way(S: np.ndarray, rng: np.random.Generator) -> tuple[int, np.ndarray]:
        n, n_splits = S.shape
        race = SortedRace(n_splits, alpha)
        if kind == "ordered":
            race = OrderedRace(n_splits, alpha, 2)
        done = np.zeros(n, int)
        for batch in [range(n)] if kind == "sorted" else [[i] for i in range(n)]:
            race.enter(batch)
            while going := race.ask():
                for i in going:
                    done[i] += 1
                    race.tell(i, S[i, : done[i]])
        complete = np.where(done == n_splits, S.mean(axis=1), -np.inf)
        return int(complete.argmax()), done

    return way


def a_third(S: np.ndarray, rng: np.random.Generator) -> tuple[int, np.ndarray]:
    n = math.ceil(len(S) / 3)
    done = np.where(np.arange(len(S)) < n, S.shape[1], 0)
    return int(S[:n].mean(axis=1).argmax()), done


def fewer(S: np.ndarray, rng: np.random.Generator) -> tuple[int, np.ndarray]:
    """As many candidates as the race pays for."""
    n = max(1, round(raced()(S, rng)[1].sum() / S.shape[1]))
    done = np.where(np.arange(len(S)) < n, S.shape[1], 0)
    return int(S[:n].mean(axis=1).argmax()), done


def one_fold(S: np.ndarray, rng: np.random.Generator) -> tuple[int, np.ndarray]:
    return int(S[:, 0].argmax()), np.ones(len(S), int)


def forgiving(S: np.ndarray, rng: np.random.Generator) -> tuple[int, np.ndarray]:
    """Bergman et al. 2024: stop below the worst fold of the best."""
    best, done = 0, np.full(len(S), S.shape[1])
    for i in range(1, len(S)):
        for m in range(1, S.shape[1]):
            if S[i, :m].mean() <= S[best].min():
                done[i] = m
                break
        else:
            best = i if S[i].mean() > S[best].mean() else best
    return best, done


def pruned(name: str) -> Way:
    def way(S: np.ndarray, rng: np.random.Generator) -> tuple[int, np.ndarray]:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        pruners = optuna.pruners
        pruner = pruners.MedianPruner()
        if name == "wilcoxon":
            pruner = pruners.WilcoxonPruner()
        sampler = optuna.samplers.RandomSampler(seed=0)
        study = optuna.create_study(
            direction="maximize", pruner=pruner, sampler=sampler
        )
        done = np.zeros(len(S), int)
        for i, scores in enumerate(S):
            trial = study.ask()
            for split, score in enumerate(scores):
                done[i] = split + 1
                mean = scores[: split + 1].mean()
                trial.report(score if name == "wilcoxon" else mean, split)
                if trial.should_prune():
                    break
            whole = done[i] == S.shape[1]
            state = optuna.trial.TrialState.COMPLETE
            if whole:
                study.tell(trial, scores.mean(), state=state)
            else:
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        complete = np.where(done == S.shape[1], S.mean(axis=1), -np.inf)
        return int(complete.argmax()), done

    return way


WAYS: dict[str, Way] = {
    "race=True": raced(),
    "race=0.01": raced(0.01),
    "race, in order": raced(kind="ordered"),
    "forgiving": forgiving,
    "as many as it pays": fewer,
    "a third": a_third,
    "one fold": one_fold,
}
PEERS = {
    "optuna Wilcoxon": pruned("wilcoxon"),
    "optuna Median": pruned("median"),
}


@dataclass(frozen=True)
class Row:
    """What came of a way on a problem, in the mean over replays."""

    cost: float
    same: float
    regret: float


def replay(records: Records, way: Way, n_candidates: int, n_replays: int) -> Row:
    """Replay a way with other candidates, and another order of them and of splits."""
    S, T = records.scores, records.seconds
    error = float(np.median(S.std(axis=1, ddof=1))) / math.sqrt(S.shape[1])
    costs, same, regrets = [], [], []
    for seed in range(n_replays):
        rng = np.random.default_rng(seed)
        rows = rng.permutation(len(S))[: min(n_candidates, len(S))]
        columns = rng.permutation(S.shape[1])
        drawn, taken = S[np.ix_(rows, columns)], T[np.ix_(rows, columns)]
        chosen, done = way(drawn, rng)
        means = drawn.mean(axis=1)
        is_done = np.arange(S.shape[1]) < done[:, np.newaxis]
        costs.append(taken[is_done].sum() / taken.sum())
        same.append(bool(means[chosen] == means.max()))
        regrets.append((means.max() - means[chosen]) / (error or 1.0))
    return Row(*(float(np.mean(x)) for x in (costs, same, regrets)))


# -- whole searches --------------------------------------------------------------------


def real(problem: Problem, n_candidates: int, seeds: range) -> list[tuple[float, ...]]:
    """Return (cost, same, regret) of the race and of halving, by seed."""
    X, y = load(*problem.data)
    found = []
    for seed in seeds:
        searches = {}
        for race in [False, True] if seed % 2 else [True, False]:
            search = RandomSearch(
                problem.estimator,
                problem.space,
                n_iter=n_candidates,
                cv=problem.splits(),
                scoring=problem.scoring,
                refit=False,
                random_state=seed,
                race=race,
            )
            start = time.process_time()
            searches[race] = search.fit(X, y), time.process_time() - start
        (plain, whole), (raced, part) = searches[False], searches[True]
        means = plain.cv_results_["mean_test_score"]
        spread = [plain.cv_results_[f"split{i}_test_score"] for i in range(5)]
        error = np.median(np.std(spread, axis=0, ddof=1)) / math.sqrt(5)
        regret = (plain.best_score_ - raced.best_score_) / error
        halved, seconds = halving(problem, plain.cv_results_["params"], X, y, seed)
        lost = (plain.best_score_ - means[halved]) / error
        found.append(
            (
                part / whole,
                raced.best_index_ == plain.best_index_,
                regret,
                seconds / whole,
                means[halved] == plain.best_score_,
                lost,
            )
        )
    return found


def halving(
    problem: Problem, candidates: list[Any], X: Any, y: Any, seed: int
) -> tuple[int, float]:
    """Return which one scikit-learn's halving chooses, and its CPU seconds."""
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import HalvingGridSearchCV

    lists = [{k: [v] for k, v in params.items()} for params in candidates]
    search: GridSearchCV = HalvingGridSearchCV(
        problem.estimator,
        lists,
        cv=problem.splits(),
        scoring=problem.scoring,
        refit=False,
        min_resources="exhaust",
        random_state=seed,
        return_train_score=False,
    )
    start = time.process_time()
    search.fit(X, y)
    seconds = time.process_time() - start
    keys = [sorted(map(repr, params.items())) for params in candidates]
    return keys.index(sorted(map(repr, search.best_params_.items()))), seconds


# -- halving ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Halved:
    """A problem to be halved, with the resource and as many of it as there are."""

    problem: Problem
    resource: str
    most: int
    n_candidates: int = 40

    @property
    def space(self) -> dict[str, Any]:
        """The space of the search that spares nothing."""
        if self.resource == "n_samples":
            return self.problem.space
        return {**self.problem.space, self.resource: Curve(self.most)}

    def candidates(self, seed: int) -> list[Any]:
        return list(
            ParameterSampler(self.problem.space, self.n_candidates, random_state=seed)
        )


def many_rows(n: int) -> tuple[Any, Any]:
    return datasets.make_classification(
        n, 20, n_informative=8, n_clusters_per_class=4, flip_y=0.1, random_state=0
    )


FIXED = ensemble.HistGradientBoostingClassifier(early_stopping=False, random_state=0)
HALVED = {
    "iterations, boosting/adult": Halved(
        Problem(FIXED, BOOSTING_SPACE, ("adult", 1500)), "max_iter", 120
    ),
    "iterations, boosting/phoneme": Halved(
        Problem(FIXED, BOOSTING_SPACE, ("phoneme", 1500)), "max_iter", 120
    ),
    "iterations, boosting/german": Halved(
        Problem(FIXED, BOOSTING_SPACE, ("german", 1000)), "max_iter", 120
    ),
    "rows, boosting": Halved(
        Problem(clone(FIXED).set_params(max_iter=30), BOOSTING_SPACE, ("made", 20_000)),
        *("n_samples", 20_000),
    ),
    "rows, svc acc": Halved(
        Problem(scaled(svm.SVC()), SVC_SPACE, ("made", 20_000), "accuracy", 3),
        *("n_samples", 20_000),
    ),
}


def halve(case: Halved, seed: int, *, peer: bool) -> dict[str, tuple[float, ...]]:
    """Return (cost, same, regret) of each way, by CPU time of whole searches."""
    problem = case.problem
    name, n_rows = problem.data
    X, y = many_rows(n_rows) if name == "made" else load(name, n_rows)
    lists = [{k: [v] for k, v in p.items()} for p in case.candidates(seed)]
    shared = {"cv": problem.splits(), "scoring": problem.scoring, "refit": False}
    curve = {k: v for k, v in case.space.items() if k == case.resource}
    whole = GridSearch(problem.estimator, [{**one, **curve} for one in lists], **shared)
    resource: dict[str, Any] = {"resource": case.resource}
    if case.resource != "n_samples":
        resource["max_resources"] = case.most
    own = GridSearch(problem.estimator, lists, **resource, **shared)
    searches: dict[str, Any] = {"whole": whole, "halving": own}
    if peer:
        searches["HalvingGridSearchCV"] = _their_halving(case, lists, shared, seed)
    seconds = {}
    for way in searches if seed % 2 else reversed(searches):
        start = time.process_time()
        searches[way].fit(X, y)
        seconds[way] = time.process_time() - start
    return _compared(case, searches, seconds)


def halve_shared(
    case: Halved, seed: int, journal: Path
) -> dict[str, tuple[float, ...]]:
    """Return (cost, same, regret) for half of the candidates, by recorded times."""
    problem = case.problem
    name, n_rows = problem.data
    X, y = many_rows(n_rows) if name == "made" else load(name, n_rows)
    drawn = case.candidates(0)
    chosen = np.random.default_rng(seed).permutation(len(drawn))[: len(drawn) // 2]
    lists = [{k: [v] for k, v in drawn[i].items()} for i in chosen]
    curve = {k: v for k, v in case.space.items() if k == case.resource}
    resource: dict[str, Any] = {"resource": case.resource}
    if case.resource != "n_samples":
        resource["max_resources"] = case.most
    shared = {"cv": problem.splits(), "scoring": problem.scoring, "refit": False}
    grid = [{**one, **curve} for one in lists]
    searches: dict[str, Any] = {
        "whole": GridSearch(problem.estimator, grid, journal=journal, **shared),
        "halving": GridSearch(
            problem.estimator, lists, journal=journal, **resource, **shared
        ),
    }
    seconds = {}
    for way, search in searches.items():
        rows = search.fit(X, y).cv_results_
        seconds[way] = float(np.sum(rows["mean_fit_time"] + rows["mean_score_time"]))
    return _compared(case, searches, seconds)


def _their_halving(case: Halved, lists: Any, shared: Any, seed: int) -> Any:
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import HalvingGridSearchCV

    most: Any = "auto" if case.resource == "n_samples" else case.most
    return HalvingGridSearchCV(
        case.problem.estimator,
        lists,
        resource=case.resource,
        max_resources=most,
        return_train_score=False,
        random_state=seed,
        **shared,
    )


def _compared(
    case: Halved, searches: dict[str, Any], seconds: dict[str, float]
) -> dict[str, tuple[float, ...]]:
    """Compare what ways choose by the means of the search that spares nothing."""

    def key(params: dict[str, Any]) -> list[str]:
        return sorted(repr(i) for i in params.items() if i[0] != case.resource)

    whole = searches["whole"].cv_results_
    means, keys = whole["mean_test_score"], list(map(key, whole["params"]))
    spread = [whole[f"split{i}_test_score"] for i in range(case.problem.n_splits)]
    error = np.median(np.std(spread, axis=0, ddof=1)) / math.sqrt(len(spread))
    n_third = math.ceil(len(means) / 3)
    found = {"a third": (n_third / len(means), int(means[:n_third].argmax()))}
    for way, search in searches.items():
        chosen = keys.index(key(search.best_params_))
        found[way] = seconds[way] / seconds["whole"], chosen
    return {
        way: (cost, means[row] == means.max(), (means.max() - means[row]) / error)
        for way, (cost, row) in found.items()
    }


def halved(
    case: Halved, options: argparse.Namespace
) -> Iterator[dict[str, tuple[float, ...]]]:
    """Yield what halving costs and loses, seed by seed."""
    with TemporaryDirectory() as folder:
        journal = (options.keep or Path(folder)) / "halved.jsonl"
        for seed in range(options.seeds):
            if options.shared:
                yield halve_shared(case, seed, journal)
            else:
                yield halve(case, seed, peer=options.peers)


def show_halving(options: argparse.Namespace) -> None:
    """Print what halving costs and loses, problem by problem."""
    print("\nwhole searches: cost of CPU, same best, regret in standard errors")
    for name, case in HALVED.items():
        if options.only and not any(part in name for part in options.only):
            continue
        n = 12 if options.quick else options.candidates
        chosen = Halved(case.problem, case.resource, case.most, n)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rows = list(halved(chosen, options))
        print(name)
        for way in rows[0]:
            costs, same, regrets = zip(*(row[way] for row in rows), strict=True)
            print(
                f"  {way:20} {geometric(list(costs)):6.3f} "
                f"({min(costs):.2f}-{max(costs):.2f}) {sum(same)}/{len(rows)} "
                f"{np.mean(regrets):8.4f}",
                flush=True,
            )


# -- tables ----------------------------------------------------------------------------


def geometric(values: list[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))


def show(title: str, table: dict[str, dict[str, Row]]) -> None:
    """Print a row per way: the geometric mean of costs, the worst, how much is lost."""
    print(f"\n{title} ({len(next(iter(table.values())))} problems)")
    print(
        f"{'':20} {'cost':>6} {'worst':>6} {'same %':>7} {'least':>6} {'regret se':>10}"
    )
    for name, rows in table.items():
        costs = [row.cost for row in rows.values()]
        same = [100 * row.same for row in rows.values()]
        regret = np.mean([row.regret for row in rows.values()])
        print(
            f"{name:20} {geometric(costs):6.3f} {max(costs):6.3f} "
            f"{np.mean(same):7.1f} {min(same):6.1f} {regret:10.4f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work")
    parser.add_argument("--only", nargs="+", default=None, help="parts of names")
    parser.add_argument("--candidates", type=int, default=40)
    parser.add_argument("--replays", type=int, default=100)
    parser.add_argument("--real", action="store_true", help="whole searches, too")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="a folder for records")
    parser.add_argument("--peers", action="store_true", help="other packages, too")
    parser.add_argument("--halving", action="store_true", help="resource=, only")
    parser.add_argument("--shared", action="store_true", help="see --halving")
    options = parser.parse_args()
    if options.halving:
        show_halving(options)
        return
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    n_recorded = 20 if options.quick else 5 * options.candidates // 4
    n_replays = 10 if options.quick else options.replays
    ways = WAYS | (PEERS if options.peers else {})
    groups: dict[str, dict[str, dict[str, Row]]] = {}
    for name, problem in PROBLEMS.items():
        if options.only and not any(part in name for part in options.only):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            records = record(name, problem, n_recorded, options.keep)
        first = name.split()[0]
        group = first if first in ("10", "3", "auc") else "5"
        for way in ways:
            n_times = min(n_replays, 10) if way in PEERS else n_replays
            row = replay(records, ways[way], options.candidates, n_times)
            groups.setdefault(group, {}).setdefault(way, {})[name] = row
        row = groups[group]["race=True"][name]
        print(
            f"{name:24} {records.seconds.sum():7.1f} s: race costs {row.cost:.3f}, "
            f"same {100 * row.same:.0f} %, regret {row.regret:.4f} se",
            flush=True,
        )
    titles = {"5": "5 splits", "10": "10 splits", "3": "3 splits", "auc": "AUC"}
    for group, table in groups.items():
        show(titles[group], table)
    if options.real:
        show_real(options)


def show_real(options: argparse.Namespace) -> None:
    """Print what whole searches cost, with the race and with halving."""
    print("\nwhole searches: race / HalvingGridSearchCV on the same candidates")
    n = 12 if options.quick else options.candidates
    for name, problem in PROBLEMS.items():
        if problem.n_splits != 5 or problem.scoring == "roc_auc":
            continue
        if options.only and not any(part in name for part in options.only):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rows = np.array(real(problem, n, range(options.seeds)), dtype=float)
        print(
            f"{name:24} cost {np.median(rows[:, 0]):.3f} ({rows[:, 0].min():.2f}-"
            f"{rows[:, 0].max():.2f}), same {rows[:, 1].sum():.0f}/{len(rows)}, regret "
            f"{rows[:, 2].mean():.4f} | halving cost {np.median(rows[:, 3]):.3f}, same "
            f"{rows[:, 4].sum():.0f}/{len(rows)}, regret {rows[:, 5].mean():.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
