"""Ranges of steps before the last one, and of clusters."""

from __future__ import annotations

import math
from numbers import Integral

from skhpo.space.suggested._bounds import (
    Bound,
    Facts,
    N,
    P,
    at_least,
    at_most,
    cube_root,
    root,
)
from skhpo.space.suggested._kernels import SCALE
from skhpo.space.suggested._rows import Case, Ladder, Listed, Row, Span

__all__ = ["STEPS"]

# Solvers of PCA that know the variance of all components.
SHARES = ("auto", "full", "covariance_eigh")
# Kernels that have a width.
WITH_GAMMA = ("rbf", "laplacian", "chi2", "sigmoid", "poly", "polynomial")
# With fewer documents, what is left out may be all.
N_DOCUMENTS = 200
COLUMNS = Bound(
    "the least p",  # of which ARPACK finds all but one
    lambda facts: (
        facts.data.least_features - int(facts.own.get("algorithm") == "arpack")
    ),
)

IMPUTER = (
    Row("strategy", 3, Listed(("mean", "median")), "what stands for a missing number",
        "auto-sklearn, TPOT", case=Case(
            "numbers", lambda facts: facts.data.is_numeric)),
)  # fmt: skip
PCA = (
    Row("n_components", 1, Listed((0.8, 0.9, 0.95, 0.99, None), ordered=True),
        "share of the variance that is kept", "measured; auto-sklearn 0.5 on",
        case=Case("dense X, and a solver that finds all components", lambda facts: (
            not facts.data.is_sparse and facts.own.get("svd_solver") in SHARES))),
)  # fmt: skip
TRUNCATED = (
    Row("n_components", 1, Ladder(2, at_most(N / 2, COLUMNS, 300), integer=True),
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
SPLINES = (
    Row("n_knots", 2, Span(3, 10, integer=True), "bends of a curve", "skhpo", case=Case(
        "no knots of the user's", lambda facts: isinstance(facts.own["knots"], str))),
)  # fmt: skip
MAPS = (
    Row("gamma", 1, Ladder(1e-2, 10.0, unit=SCALE,
        means={"scale": SCALE, None: 1 / P}), "inverse of a squared distance",
        "as of SVC", case=Case("a kernel that has one", lambda facts: (
            facts.own.get("kernel", "rbf") in WITH_GAMMA))),
    Row("n_components", 2, Ladder(50, at_most(1000, N), integer=True),
        "columns of the map", "skhpo", case=Case("no kernel='precomputed'",
            lambda facts: facts.own.get("kernel") != "precomputed")),
)  # fmt: skip


def _has_many(facts: Facts) -> bool:
    """Whether there are documents enough for words to be left out."""
    return facts.data.n_train >= N_DOCUMENTS and facts.own["vocabulary"] is None


def _documents(facts: Facts, name: str) -> float:
    """Return a number of documents that the estimator has as such or as a share."""
    own = facts.own[name]
    return float(own) * (1 if isinstance(own, Integral) else facts.data.n_train)


COUNTER = (
    Row("ngram_range", 1, Listed(((1, 1), (1, 2))), "words alone, or pairs too",
        "skhpo", case=Case("no analyzer of the user's", lambda facts: (
            isinstance(facts.own["analyzer"], str)))),
    Row("min_df", 2, Listed((1, 2, 5), ordered=True), "leaves out rare words",
        "hyperopt-sklearn", case=Case(
            "200 documents or more, no vocabulary", lambda facts: (
                _has_many(facts) and _documents(facts, "max_df") >= 5))),
    Row("max_df", 3, Span(0.5, 1.0, share=True), "leaves out frequent words",
        "hyperopt-sklearn", case=Case(
            "200 documents or more, no vocabulary", lambda facts: (
                _has_many(facts)
                and _documents(facts, "min_df") <= facts.data.n_train / 2))),
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
            "a score of the user's, and no centers", lambda facts: (
                facts.data.explicit_scoring
                and (callable(facts.own["init"])
                     or isinstance(facts.own["init"], str))))),
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
