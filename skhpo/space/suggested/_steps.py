"""Ranges of steps before the last one, and of clusters."""

from __future__ import annotations

import math

from skhpo.space.suggested._bounds import (
    N,
    P,
    at_least,
    at_most,
    cube_root,
    of_data,
    root,
)
from skhpo.space.suggested._kernels import SCALE
from skhpo.space.suggested._rows import Case, Ladder, Listed, Row, Span

__all__ = ["STEPS"]

LEAST = of_data("least_features", "the least p")
IMPUTER = (
    Row("strategy", 3, Listed(("mean", "median")), "what stands for a missing number",
        "auto-sklearn, TPOT", case=Case(
            "numbers", lambda facts: facts.data.is_numeric)),
)  # fmt: skip
PCA = (
    Row("n_components", 1,
        Listed((0.5, 0.7, 0.8, 0.9, 0.95, 0.99, None), ordered=True),
        "share of the variance that is kept", "auto-sklearn"),
)  # fmt: skip
TRUNCATED = (
    Row("n_components", 1, Ladder(2, at_most(N / 2, LEAST, 300), integer=True),
        "columns that are kept", "skhpo"),
)  # fmt: skip
K_BEST = (
    Row("k", 1, Ladder(cube_root(P), P, integer=True, means={"all": math.inf}),
        "columns that are kept", "measured; GAMA 1 to all"),
)  # fmt: skip
PERCENTILE = (
    Row("percentile", 1,
        Ladder(at_least(1, 100 * cube_root(P) / P), 100, integer=True),
        "columns that are kept", "as of SelectKBest"),
)  # fmt: skip
POLYNOMIAL = (
    Row("degree", 2, Listed((1, 2, 3), ordered=True), "of the products",
        "auto-sklearn", case=Case(
            "p^3 up to 5,000", lambda facts: facts.data.n_features**3 <= 5000)),
)  # fmt: skip
SPLINES = (Row("n_knots", 2, Span(3, 10, integer=True), "bends of a curve", "skhpo"),)
MAPS = (
    Row("gamma", 1, Ladder(1e-2, 10.0, unit=SCALE,
        means={"scale": SCALE, None: 1 / P}), "inverse of a squared distance",
        "as of SVC"),
    Row("n_components", 2, Ladder(50, at_most(1000, N), integer=True),
        "columns of the map", "skhpo"),
)  # fmt: skip
COUNTER = (
    Row("ngram_range", 1, Listed(((1, 1), (1, 2))), "words alone, or pairs too",
        "skhpo"),
    Row("min_df", 2, Listed((1, 2, 5), ordered=True), "leaves out rare words",
        "hyperopt-sklearn"),
    Row("max_df", 3, Span(0.5, 1.0), "leaves out frequent words", "hyperopt-sklearn"),
)  # fmt: skip
TFIDF = (
    *COUNTER,
    Row("sublinear_tf", 2, Listed((False, True)), "logarithms of counts",
        "hyperopt-sklearn"),
    Row("use_idf", 3, Listed((True, False)), "weight of rare words",
        "hyperopt-sklearn"),
)  # fmt: skip
K_MEANS = (
    Row("n_clusters", 1, Span(2, at_most(50, root(N)), log=True, integer=True),
        "number of groups", "hyperopt-sklearn", case=Case(
            "a score of the user's", lambda facts: facts.data.explicit_scoring)),
)  # fmt: skip
NOTHING: tuple[Row, ...] = ()

_TEXT = "sklearn.feature_extraction.text."
_PREPROCESSING = "sklearn.preprocessing."
STEPS = {
    "sklearn.impute.SimpleImputer": IMPUTER,
    "sklearn.decomposition.PCA": PCA,
    "sklearn.decomposition.TruncatedSVD": TRUNCATED,
    "sklearn.feature_selection.SelectKBest": K_BEST,
    "sklearn.feature_selection.SelectPercentile": PERCENTILE,
    _PREPROCESSING + "PolynomialFeatures": POLYNOMIAL,
    _PREPROCESSING + "SplineTransformer": SPLINES,
    "sklearn.kernel_approximation.Nystroem": MAPS,
    "sklearn.kernel_approximation.RBFSampler": MAPS,
    _TEXT + "CountVectorizer": COUNTER,
    _TEXT + "TfidfVectorizer": TFIDF,
    _TEXT + "TfidfTransformer": NOTHING,
    "sklearn.cluster.KMeans": K_MEANS,
    "sklearn.feature_selection.VarianceThreshold": NOTHING,
    **{
        _PREPROCESSING + name: NOTHING
        for name in (
            *("StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler"),
            *("Normalizer", "QuantileTransformer", "PowerTransformer", "Binarizer"),
            *("OneHotEncoder", "OrdinalEncoder", "TargetEncoder", "KBinsDiscretizer"),
            *("FunctionTransformer", "LabelBinarizer"),
        )
    },
}
