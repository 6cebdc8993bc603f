"""The spaces of other packages, as tables of ranges.

Read in their files: auto-sklearn ``pipeline/components``, hyperopt-sklearn
``hpsklearn/components``, FLAML ``automl/model.py`` and ``contrib/histgb.py``, PyCaret
``containers/models``. What they fix beside (early stopping, scaling) is as of
scikit-learn; values that scikit-learn no longer takes are left out.

Notations: ``n`` training rows, ``p`` features.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from skhpo.space import Categorical, Integer, Real

__all__ = ["PEERS"]


def log(low: float, high: float) -> Real:
    """Return a range of orders of magnitude."""
    return Real(low, high, log=True)


def count(low: int, high: float) -> Integer:
    """Return integers."""
    return Integer(low, max(low + 1, int(high)))


def counts(low: int, high: float) -> Integer:
    """Return integers by their orders of magnitude."""
    return Integer(low, max(low + 1, int(high)), log=True)


TWO = 2.0
# hyperopt-sklearn limits the depth of three trees in ten.
SHALLOW = Categorical([None, 2, 3, 4], ordered=False, weights=[7, 1, 1, 1])
Table = dict[str, Callable[[int, int], dict[str, Any]]]
AUTO_SKLEARN: Table = {
    "tree": lambda n, p: {
        "max_depth": count(1, 2 * p),
        "min_samples_split": count(2, 20),
        "min_samples_leaf": count(1, 20),
    },
    "forest": lambda n, p: {
        "max_features": [float(p ** (u - 1)) for u in np.linspace(0, 1, 11)],
        "min_samples_split": count(2, 20),
        "min_samples_leaf": count(1, 20),
        "bootstrap": [True, False],
    },
    "hist": lambda n, p: {
        "learning_rate": log(0.01, 1),
        "max_leaf_nodes": counts(3, 2047),
        "min_samples_leaf": counts(1, 200),
        "l2_regularization": log(1e-10, 1),
    },
    "knn": lambda n, p: {
        "n_neighbors": counts(1, 100),
        "weights": ["uniform", "distance"],
        "p": [1, 2],
    },
    "linear": lambda n, p: {"C": log(TWO**-5, TWO**15)},
    "kernel": lambda n, p: {
        "C": log(TWO**-5, TWO**15),
        "gamma": log(TWO**-15, 8),
        "kernel": ["rbf", "poly", "sigmoid"],
        "coef0": Real(-1, 1),
        "degree": count(2, 5),
    },
    "sgd": lambda n, p: {
        "alpha": log(1e-7, 1e-1),
        "loss": ["hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron"],
        "penalty": ["l2", "l1", "elasticnet"],
        "learning_rate": ["optimal", "invscaling", "constant"],
        "eta0": log(1e-7, 1e-1),
    },
    "network": lambda n, p: {
        "alpha": log(1e-7, 1e-1),
        "learning_rate_init": log(1e-4, 0.5),
        "hidden_layer_sizes": [
            (w,) * d for d in (1, 2, 3) for w in (16, 32, 64, 128, 264)
        ],
        "activation": ["tanh", "relu"],
    },
}
HYPEROPT: Table = {
    "tree": lambda n, p: {
        "criterion": ["gini", "entropy"],
        "max_depth": SHALLOW,
        "min_samples_split": counts(2, 10),
        "min_samples_leaf": counts(1, 50),
        "max_features": ["sqrt", "log2", None],
    },
    "forest": lambda n, p: {
        "criterion": ["gini", "entropy"],
        "max_features": ["sqrt", "log2", 0.3, 0.6, 1.0],
        "min_samples_leaf": counts(1, 50),
        "bootstrap": [True, False],
        "max_depth": SHALLOW,
    },
    "hist": lambda n, p: {
        "learning_rate": log(0.0001, 1),
        "max_leaf_nodes": count(21, 41),
        "min_samples_leaf": count(16, 24),
        "max_features": Real(0.5, 1),
    },
    "knn": lambda n, p: {
        "n_neighbors": count(1, 15),
        "weights": ["uniform", "distance"],
        "p": [1, 2, 3],
    },
    "linear": lambda n, p: {"C": Real(0.1, 2)},
    "kernel": lambda n, p: {
        "C": Real(0.5, 1.5),
        "gamma": ["auto", "scale"],
        "kernel": ["linear", "rbf", "poly", "sigmoid"],
        "degree": count(1, 5),
        "shrinking": [True, False],
    },
    "sgd": lambda n, p: {
        "alpha": log(1e-6, 0.1),
        "penalty": ["l2", "l1", "elasticnet"],
        "learning_rate": ["optimal", "invscaling", "constant"],
        "eta0": log(1e-5, 0.1),
    },
    "network": lambda n, p: {
        "alpha": Real(1e-4, 1e-2),
        "learning_rate_init": Real(1e-4, 0.1),
        "activation": ["identity", "logistic", "tanh", "relu"],
        "solver": ["lbfgs", "sgd", "adam"],
    },
}
FLAML: Table = {
    "forest": lambda n, p: {
        "max_features": log(min(0.1, 1 / np.sqrt(p)), 1),
        "max_leaf_nodes": counts(4, n),
        "criterion": ["gini", "entropy"],
    },
    "hist": lambda n, p: {
        "learning_rate": log(TWO**-10, 1),
        "max_leaf_nodes": counts(4, n),
        "min_samples_leaf": counts(2, 129),
        "l2_regularization": log(TWO**-10, TWO**10),
    },
    "knn": lambda n, p: {"n_neighbors": counts(1, min(512, n / 2))},
    "linear": lambda n, p: {"C": log(TWO**-5, TWO**15)},
    "kernel": lambda n, p: {"C": log(TWO**-5, TWO**15), "gamma": log(TWO**-15, 8)},
    "sgd": lambda n, p: {
        "alpha": log(1e-7, 1e-1),
        "loss": ["log_loss", "modified_huber"],
        "penalty": ["l2", "l1", "elasticnet"],
    },
}
PYCARET: Table = {
    "tree": lambda n, p: {
        "max_depth": count(1, 16),
        "max_features": Real(0.4, 1),
        "min_samples_leaf": count(2, 6),
        "criterion": ["gini", "entropy"],
        "min_impurity_decrease": log(1e-9, 0.5),
    },
    "forest": lambda n, p: {
        "max_depth": count(1, 11),
        "max_features": Real(0.4, 1),
        "min_samples_leaf": count(2, 6),
        "criterion": ["gini", "entropy"],
        "bootstrap": [True, False],
    },
    "knn": lambda n, p: {
        "n_neighbors": count(1, 50),
        "weights": ["uniform", "distance"],
        "metric": ["minkowski", "euclidean", "manhattan"],
    },
    "linear": lambda n, p: {"C": Real(1e-3, 10), "class_weight": ["balanced", None]},
    "kernel": lambda n, p: {
        "C": Real(1e-3, 50),
        "gamma": ["auto"],
        "class_weight": ["balanced", None],
    },
    "sgd": lambda n, p: {
        "alpha": log(1e-10, 0.9),
        "penalty": ["elasticnet", "l2", "l1"],
        "l1_ratio": Real(1e-7, 1),
        "learning_rate": ["constant", "invscaling", "adaptive", "optimal"],
        "eta0": Real(1e-3, 0.5),
    },
    "network": lambda n, p: {
        "alpha": log(1e-10, 0.9),
        "learning_rate": ["constant", "invscaling", "adaptive"],
        "hidden_layer_sizes": [(50,), (100,), (50, 50), (100, 100)],
        "activation": ["tanh", "identity", "logistic", "relu"],
    },
}
PEERS: dict[str, Table] = {
    "auto-sklearn": AUTO_SKLEARN,
    "hyperopt-sklearn": HYPEROPT,
    "FLAML": FLAML,
    "PyCaret": PYCARET,
}
