"""The searches that `reuse.py` measures: what people tune, on data that come along."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from _measure import Workload
from scipy.stats import loguniform
from sklearn.compose import ColumnTransformer
from sklearn.datasets import (
    load_breast_cancer,
    load_digits,
    load_iris,
    make_classification,
    make_regression,
)
from sklearn.decomposition import NMF, PCA
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    OneHotEncoder,
    PolynomialFeatures,
    StandardScaler,
)
from sklearn.svm import SVC, LinearSVC

__all__ = ["WORKLOADS"]


def _text_logistic(quick: bool) -> Workload:
    X, y = _docstrings(400 if quick else 1200)
    pipe = Pipeline(
        [
            ("text", TfidfVectorizer(ngram_range=(1, 2), min_df=2)),
            ("model", LogisticRegression(max_iter=200)),
        ]
    )
    space = {"model__C": np.logspace(-2, 2, 3 if quick else 6)}
    return Workload(pipe, space, X, y, cv=3)


def _text_svc(quick: bool) -> Workload:
    X, y = _docstrings(400 if quick else 1200)
    pipe = Pipeline([("text", TfidfVectorizer()), ("model", LinearSVC(random_state=0))])
    space = {
        "text__ngram_range": [(1, 1), (1, 2)],
        "text__min_df": [1, 3],
        "model__C": np.logspace(-2, 1, 3 if quick else 6),
    }
    return Workload(pipe, space, X, y, cv=3)


def _docstrings(n: int) -> tuple[list[str], np.ndarray]:
    """Return real text: documentation, and which package it is from."""
    packages = {
        "numpy": ["numpy", "numpy.linalg", "numpy.ma", "numpy.fft"],
        "scipy": ["scipy.stats", "scipy.signal", "scipy.special", "scipy.optimize"],
        "sklearn": ["sklearn.metrics", "sklearn.linear_model", "sklearn.ensemble"],
        "pandas": ["pandas", "pandas.DataFrame", "pandas.Series"],
    }
    texts: dict[str, str] = {}
    for label, names in packages.items():
        for text in filter(None, map(inspect.getdoc, _members(names))):
            if len(text) > 200:
                texts.setdefault(text, label)
    order = np.random.default_rng(0).permutation(len(texts))[:n]
    documents, labels = list(texts), np.array(list(texts.values()))
    return [documents[i] for i in order], labels[order]


def _members(names: list[str]) -> list[Any]:
    members = []
    for name in names:
        try:
            home = importlib.import_module(name)
        except ModuleNotFoundError:  # a class
            module, _, attribute = name.rpartition(".")
            home = getattr(importlib.import_module(module), attribute)
        public = [member for member in sorted(dir(home)) if member[0] != "_"]
        members += [getattr(home, member, None) for member in public]
    return [member for member in members if callable(member)]


def _mixed_columns(quick: bool) -> Workload:
    X, y, numeric, categories = _mixed_frame(800 if quick else 4000)
    scale = make_pipeline(SimpleImputer(), StandardScaler())
    encode = OneHotEncoder(handle_unknown="ignore")
    columns = [("number", scale, numeric), ("category", encode, categories)]
    pipe = Pipeline(
        [
            ("columns", ColumnTransformer(columns)),
            ("select", SelectKBest()),
            ("model", LogisticRegression(max_iter=300)),
        ]
    )
    space = {
        "columns__number__simpleimputer__strategy": ["mean", "median"],
        "select__k": [5, 10, 20],
        "model__C": [0.01, 0.1, 1, 10],
    }
    return Workload(pipe, space, X, y)


def _mixed_frame(n: int) -> tuple[pd.DataFrame, np.ndarray, list[str], list[str]]:
    rng = np.random.default_rng(0)
    numbers = rng.standard_normal((n, 8))
    codes = rng.integers(0, [3, 5, 8, 20], size=(n, 4))
    signal = numbers[:, :3].sum(axis=1) + codes[:, 0] - 0.3 * codes[:, 1]
    y = (signal + rng.standard_normal(n) > np.median(signal)).astype(int)
    numbers[rng.random(numbers.shape) < 0.1] = np.nan
    frame = pd.DataFrame(numbers, columns=[f"number{i}" for i in range(8)])
    for i in range(4):
        frame[f"category{i}"] = [f"level{code}" for code in codes[:, i]]
    names = list(frame)
    return frame, y, names[:8], names[8:]


def _pca_svc(quick: bool) -> Workload:
    X, y = _digits(500 if quick else 1797)
    pipe = Pipeline(
        [("scale", StandardScaler()), ("pca", PCA(random_state=0)), ("svc", SVC())]
    )
    space = {
        "pca__n_components": [10, 20, 30, 40],
        "svc__C": [1, 10] if quick else [0.1, 1, 10, 100],
    }
    return Workload(pipe, space, X, y)


def _forest(quick: bool) -> Workload:
    X, y = _digits(400 if quick else 1200)
    space = {
        "n_estimators": [10, 20, 40] if quick else [25, 50, 100, 150, 200],
        "max_features": ["sqrt", 0.3],
    }
    return Workload(RandomForestClassifier(random_state=0), space, X, y, cv=3)


def _boosting(quick: bool) -> Workload:
    X, y = make_regression(300 if quick else 1500, 12, noise=10, random_state=0)
    space = {
        "n_estimators": [10, 20, 40] if quick else [25, 50, 100, 200],
        "learning_rate": [0.05, 0.1],
    }
    return Workload(GradientBoostingRegressor(random_state=0), space, X, y, cv=3)


def _hist_boosting(quick: bool) -> Workload:
    X, y = make_classification(600 if quick else 3000, 20, random_state=0)
    space = {
        "max_iter": [10, 20, 30] if quick else [20, 40, 60, 80],
        "max_leaf_nodes": [7, 15],
    }
    model = HistGradientBoostingClassifier(random_state=0)
    return Workload(model, space, X, y, cv=3)


def _neighbors(quick: bool) -> Workload:
    X, y = _digits(500 if quick else 1797)
    pipe = Pipeline([("scale", StandardScaler()), ("knn", KNeighborsClassifier())])
    space = {
        "knn__n_neighbors": list(range(1, 10 if quick else 16)),
        "knn__weights": ["uniform", "distance"],
    }
    return Workload(pipe, space, X, y)


def _polynomials(quick: bool) -> Workload:
    X, y = make_regression(1000 if quick else 4000, 12, noise=5, random_state=0)
    pipe = Pipeline(
        [
            ("poly", PolynomialFeatures(include_bias=False)),
            ("scale", StandardScaler()),
            ("ridge", Ridge()),
        ]
    )
    space = {
        "poly__degree": [1, 2, 3],
        "ridge__alpha": np.logspace(-3, 3, 5 if quick else 10),
    }
    return Workload(pipe, space, X, y, cv=3)


def _topics(quick: bool) -> Workload:
    X, y = _digits(300 if quick else 1200)
    pipe = Pipeline(
        [
            ("nmf", NMF(init="nndsvda", random_state=0, max_iter=80)),
            ("knn", KNeighborsClassifier()),
        ]
    )
    space = {"nmf__n_components": [8, 16], "knn__n_neighbors": [1, 3, 5, 7, 9]}
    return Workload(pipe, space, X, y, cv=3)


def _bins(quick: bool) -> Workload:
    X, y = load_breast_cancer(return_X_y=True)
    bins = KBinsDiscretizer(quantile_method="linear", random_state=0)
    if "quantile_method" not in inspect.signature(KBinsDiscretizer).parameters:
        bins = KBinsDiscretizer(random_state=0)  # scikit-learn < 1.7
    model = LogisticRegression(max_iter=200)
    pipe = Pipeline([("bins", bins), ("model", model)])
    space = {
        "bins__n_bins": [3, 5, 8],
        "model__C": np.logspace(-2, 1, 3 if quick else 8),
    }
    return Workload(pipe, space, X, y)


def _random_prefix(quick: bool) -> Workload:
    X, y = _digits(500 if quick else 1797)
    pipe = Pipeline(
        [
            ("poly", PolynomialFeatures(interaction_only=True)),
            ("select", SelectKBest()),
            ("model", LinearSVC(random_state=0, max_iter=200)),
        ]
    )
    space = {"select__k": [100, 200, 400], "model__C": loguniform(1e-6, 1e-3)}
    return Workload(pipe, space, X, y, cv=3, n_iter=6 if quick else 20)


def _tiny_models(quick: bool) -> Workload:
    X, y = load_iris(return_X_y=True)
    pipe = Pipeline([("scale", StandardScaler()), ("model", GaussianNB())])
    space = {"model__var_smoothing": np.logspace(-12, 0, 50 if quick else 200)}
    return Workload(pipe, space, X, y)


def _big_rows(quick: bool) -> Workload:
    n = 50_000 if quick else 400_000
    X, y = make_regression(n, 20, noise=10, random_state=0)
    pipe = Pipeline([("scale", StandardScaler()), ("ridge", Ridge())])
    return Workload(pipe, {"ridge__alpha": np.logspace(-3, 3, 10)}, X, y)


def _svc_alone(quick: bool) -> Workload:
    X, y = _digits(600 if quick else 1797)
    space = {"C": [0.1, 1, 10, 100], "gamma": [1e-4, 1e-3, 1e-2]}
    return Workload(SVC(), space, X, y)


def _random_forests(quick: bool) -> Workload:
    X, y = _digits(400 if quick else 1200)
    space = {"max_features": np.linspace(0.05, 0.5, 50), "min_samples_leaf": [1, 2, 4]}
    model = RandomForestClassifier(20 if quick else 50, random_state=0)
    return Workload(model, space, X, y, cv=3, n_iter=8 if quick else 20)


def _digits(n: int) -> tuple[np.ndarray, np.ndarray]:
    X, y = load_digits(return_X_y=True)
    return X[:n], y[:n]


# In the last two, nothing can be shared.
WORKLOADS: dict[str, Callable[[bool], Workload]] = {
    "text_logistic": _text_logistic,
    "text_svc": _text_svc,
    "mixed_columns": _mixed_columns,
    "pca_svc": _pca_svc,
    "forest": _forest,
    "boosting": _boosting,
    "hist_boosting": _hist_boosting,
    "neighbors": _neighbors,
    "polynomials": _polynomials,
    "topics": _topics,
    "bins": _bins,
    "random_prefix": _random_prefix,
    "tiny_models": _tiny_models,
    "big_rows": _big_rows,
    "svc_alone": _svc_alone,
    "random_forests": _random_forests,
}
