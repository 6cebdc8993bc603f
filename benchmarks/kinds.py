"""Real tuning problems of two kinds, on which searches fail for opposite reasons.

- "smooth": losses that hardly ever repeat a value (under 2 % of the better half of
  what uniform draws give): boosting in seven numeric parameters of which few matter,
  networks trained by SGD, whose good strip lies at the edge of divergence, kernels.
  What does not follow a model is wasted there.
- "plateau": trees with five or six limits that regularize, and log loss or Poisson
  deviance: over 10 % of the better half repeat a value, most of the space is the
  constant predictor, and what is better lies in thin strips. The overfitted corner is
  worse than the constant. Outcomes are all or nothing, so what counts is how many runs
  leave the plateau.

`python -m benchmarks.kinds` prints, for each, the share of repeats, the plateau's level
and its share, and the share of uniform draws that are better.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from sklearn import (
    config_context,
    datasets,
    ensemble,
    kernel_ridge,
    linear_model,
    neural_network,
    svm,
    tree,
)
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.preprocessing import scale

from benchmarks.problems import Problem, log, own_values
from skhpo.optimizers._belief import repeated_share
from skhpo.space import Integer, Real, SearchSpace

__all__ = ["PROBLEMS"]

# name: bundled data, what is predicted (a column, or the target), into how many classes
# of equal size it is cut (0: none), and the number of rows.
DATA: dict[str, tuple[str, int | None, int, int]] = {
    "diabetes": ("diabetes", None, 0, 200),
    "diabetes-halves": ("diabetes", None, 2, 200),
    "diabetes-thirds": ("diabetes", None, 3, 200),
    "diabetes-pressure": ("diabetes", 3, 2, 200),
    "diabetes-sex": ("diabetes", 1, 2, 200),
    "cancer-smoothness": ("breast_cancer", 4, 0, 150),
    "cancer-symmetry": ("breast_cancer", 8, 2, 200),
    "wine-alcohol": ("wine", 0, 0, 178),
    "wine-magnesium": ("wine", 4, 2, 178),
    "wine-hue": ("wine", 10, 2, 178),
    "digits-odd": ("digits", None, 2, 150),
}


@cache
def load(name: str) -> tuple[Any, Any]:
    """Return the rows of a bundled data set with what is predicted from them."""
    source, column, n_classes, n_rows = DATA[name]
    X, y = getattr(datasets, f"load_{source}")(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(y))[:n_rows]
    X, y = X[rows], y[rows].astype(float)
    if column is not None:
        X, y = np.delete(X, column, axis=1), X[:, column]
    X = scale(X)
    if source == "digits":
        return X, (y % 2).astype(int)
    if not n_classes:
        return X, scale(y)
    cuts = np.quantile(y, np.arange(1, n_classes) / n_classes)
    return X, np.searchsorted(cuts, y)


@cache
def folds(name: str) -> list[tuple[Any, Any]]:
    """Return three folds of a data set."""
    X, y = load(name)
    kind = StratifiedKFold if DATA[name][2] else KFold
    return list(kind(3, shuffle=True, random_state=0).split(X, y))


def log_loss(model: Any, X: Any, y: Any) -> float:
    """Return the mean log loss of the classes 0, 1, ..., as scikit-learn has it."""
    p = model.predict_proba(X)[np.arange(len(y)), y]
    return -float(np.log(np.maximum(p, np.finfo(float).eps)).mean())


def squared(model: Any, X: Any, y: Any) -> float:
    """Return the mean squared error."""
    return float(((model.predict(X) - y) ** 2).mean())


def absolute(model: Any, X: Any, y: Any) -> float:
    """Return the mean absolute error."""
    return float(np.abs(model.predict(X) - y).mean())


Loss = Callable[[Any, Any, Any], float]


def evaluated(
    estimator: Callable[..., Any], data: str, loss: Loss
) -> Callable[[dict[str, Any], Any], Any]:
    """Return params -> the scores of three folds, NaN where a fit diverges.

    Without scikit-learn's scorers and checks, which take most of the time of a tree.
    """

    def evaluate(params: dict[str, Any], rng: Any = None) -> Any:
        X, y = load(data)
        scores = []
        unchecked = config_context(assume_finite=True, skip_parameter_validation=True)
        with warnings.catch_warnings(), np.errstate(all="ignore"), unchecked:
            warnings.simplefilter("ignore")
            for train, test in folds(data):
                try:
                    model = estimator(**params).fit(X[train], y[train])
                    scores.append(-loss(model, X[test], y[test]))
                except ValueError:  # weights are infinite
                    scores.append(np.nan)
        return scores

    return evaluate


def limits(impurity: float, pruning: float | None = None) -> dict[str, Any]:
    """Return the limits of a tree; the two ends decide how much is the constant."""
    space = {
        "max_depth": Integer(1, 15),
        "min_samples_split": Real(0.01, 0.99),
        "min_samples_leaf": Real(0.01, 0.49),
        "min_weight_fraction_leaf": Real(0.01, 0.49),
        "min_impurity_decrease": Real(0.0, impurity),
    }
    return space if pruning is None else space | {"ccp_alpha": Real(0.0, pruning)}


BOOST = {
    "learning_rate": log(1e-3, 1.0),
    "n_estimators": Integer(5, 25),
    "max_depth": Integer(1, 6),
    "subsample": Real(0.2, 1.0),
    "min_samples_leaf": Integer(1, 30),
    "max_features": Real(0.1, 1.0),
    "min_impurity_decrease": Real(0.0, 0.05),
}
SGD_NET = {
    "hidden_layer_sizes": Integer(5, 40),
    "alpha": log(1e-5, 10),
    "batch_size": Integer(20, 100),
    "learning_rate_init": log(1e-5, 1.0),
    "momentum": Real(0.1, 0.99),
    "power_t": Real(0.1, 0.9),
}
SVR = {
    "C": log(1e-3, 1e3),
    "gamma": log(1e-5, 1.0),
    "epsilon": log(1e-3, 1.0),
    "coef0": Real(0.0, 3.0),
}
RIDGE = {
    "alpha": log(1e-5, 1e2),
    "gamma": log(1e-5, 1.0),
    "coef0": log(1e-2, 1e1),
    "degree": Real(1.0, 6.0),
}
LINEAR = {
    "alpha": log(1e-7, 10),
    "eta0": log(1e-5, 10),
    "l1_ratio": Real(0, 1),
    "power_t": Real(0.0, 1.0),
    "epsilon": log(1e-3, 1.0),
}

Entry = tuple[Callable[..., Any], dict[str, Any], str, Loss]


def seeded(kind: type, **fixed: Any) -> Callable[..., Any]:
    """Return `kind` with a random state and other fixed values."""
    return lambda **params: kind(random_state=0, **fixed, **params)


def net(kind: type) -> Callable[..., Any]:
    """Return a network trained by SGD for few steps, so that its rate matters."""
    return seeded(kind, solver="sgd", learning_rate="invscaling", max_iter=12)


CART = seeded(tree.DecisionTreeClassifier)
EXTRA = seeded(tree.ExtraTreeClassifier)
SMOOTH: dict[str, Entry] = {
    "boost-halves": (
        seeded(ensemble.GradientBoostingClassifier),
        BOOST,
        "diabetes-halves",
        log_loss,
    ),
    "boost-smoothness": (
        seeded(ensemble.GradientBoostingRegressor),
        BOOST,
        "cancer-smoothness",
        squared,
    ),
    "boost-alcohol": (
        seeded(ensemble.GradientBoostingRegressor),
        BOOST,
        "wine-alcohol",
        squared,
    ),
    "net-alcohol": (
        net(neural_network.MLPRegressor),
        SGD_NET,
        "wine-alcohol",
        squared,
    ),
    "net-odd": (
        net(neural_network.MLPClassifier),
        SGD_NET,
        "digits-odd",
        log_loss,
    ),
    "svr-smoothness": (
        lambda **p: svm.SVR(kernel="sigmoid", **p),
        SVR,
        "cancer-smoothness",
        squared,
    ),
    "ridge-diabetes": (
        lambda **p: kernel_ridge.KernelRidge(kernel="polynomial", **p),
        RIDGE,
        "diabetes",
        squared,
    ),
    "linear-diabetes": (
        seeded(
            linear_model.SGDRegressor,
            loss="huber",
            penalty="elasticnet",
            max_iter=20,
            tol=None,
        ),
        LINEAR,
        "diabetes",
        absolute,
    ),
}
PLATEAU: dict[str, Entry] = {
    "tree-thirds": (CART, limits(0.5, 0.2), "diabetes-thirds", log_loss),
    "tree-pressure": (CART, limits(0.5, 0.2), "diabetes-pressure", log_loss),
    "tree-sex": (CART, limits(0.2, 0.2), "diabetes-sex", log_loss),
    "tree-symmetry": (CART, limits(0.5, 0.5), "cancer-symmetry", log_loss),
    "tree-hue": (CART, limits(0.5, 0.5), "wine-hue", log_loss),
    "tree-magnesium": (CART, limits(0.2, 0.2), "wine-magnesium", log_loss),
    "extra-magnesium": (EXTRA, limits(0.1), "wine-magnesium", log_loss),
}
# The scores of the constant predictor or of the one stump that hide what is better, of
# 3 to 8 % of uniform draws. In the last digit they are rounded up.
LEVELS = {
    "tree-thirds": -1.08300,
    "tree-pressure": -0.69072,
    "tree-sex": -0.67924,
    "tree-symmetry": -0.56704,
    "tree-hue": -0.56172,
    "tree-magnesium": -0.59843,
    "extra-magnesium": -0.69008,
}


def problems(suite: str, entries: dict[str, Entry]) -> list[Problem]:
    """Return the problems of a kind."""
    return [
        Problem(
            suite,
            name,
            space,
            evaluated(estimator, data, loss),
            own=(own_values(estimator(), space),),
            plateau=LEVELS.get(name),
        )
        for name, (estimator, space, data, loss) in entries.items()
    ]


PROBLEMS = {
    problem.name: problem
    for problem in [*problems("smooth", SMOOTH), *problems("plateau", PLATEAU)]
}


def describe(problem: Problem, n: int = 400) -> str:
    """Return what uniform draws tell of a problem."""
    rng = np.random.default_rng(0)
    space = SearchSpace(problem.space)
    draws = [space.decode(rng.random(space.n_columns)) for _ in range(n)]
    scores = np.array([np.mean(problem.evaluate(params, rng)) for params in draws])
    ok = np.sort(scores[np.isfinite(scores)])
    values, counts = np.unique(ok, return_counts=True)
    parts = [f"{problem.name:18} repeats {repeated_share(ok[len(ok) // 2 :]):5.2f}"]
    if problem.plateau is not None:
        parts.append(f"better than {problem.plateau}: {np.mean(ok > problem.plateau)}")
    for i in np.argsort(-counts, kind="stable")[:2]:
        parts.append(f"{counts[i] / n:.2f} at {values[i]:.5f}")
    return ", ".join(parts)


if __name__ == "__main__":
    for problem in PROBLEMS.values():
        print(describe(problem), flush=True)
