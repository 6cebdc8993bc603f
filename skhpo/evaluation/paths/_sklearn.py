"""The paths of scikit-learn's own classes.

The path of each entry equals plain fits bit for bit, in ``tests/test_paths.py`` and on
every supported version. Some parameters have no entry because their paths differ from
plain fits: ``max_iter`` of Lasso, LogisticRegression, SGD and MLP by warm starts (by
1e-4 to 1e-1), ``n_components`` of PCA (by 1e-16) and of the randomized decompositions.
``ccp_alpha`` of trees has none because no public verb prunes a fitted tree.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from numbers import Integral, Real
from typing import Any

from scipy.sparse import issparse
from sklearn.base import clone

from skhpo._sklearn_compat import num_samples
from skhpo.evaluation.paths._path import Path, plainly_seeded
from skhpo.evaluation.paths._strategies import Late, Prefix, Warm

__all__ = ["SKLEARN_PATHS", "counts"]

# The guards. A guard may be narrower than the constraints of an estimator and never
# wider: a value that a plain fit refuses must come to a plain fit.


def counts(values: Sequence[Any]) -> bool:
    """Whether all values are whole numbers from 1 on, NumPy's included."""
    return all(
        isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 1
        for value in values
    )


def _reals(values: Sequence[Any], low: float, high: float) -> bool:
    """Whether all values are real numbers in an interval, its ends included."""
    return all(
        isinstance(value, Real)
        and not isinstance(value, bool)
        and low <= float(value) <= high
        for value in values
    )


def _no_open_seed(estimator: Any) -> bool:
    """Whether the estimator's own ``random_state`` is set; it seeds what is inside."""
    return getattr(estimator, "random_state", None) is not None


def _ensemble(estimator: Any, values: Sequence[Any], X: Any, y: Any) -> bool:
    return (
        counts(values)
        and _no_open_seed(estimator)
        and not getattr(estimator, "warm_start", False)
        # Out-of-bag estimates are made of all members.
        and not getattr(estimator, "oob_score", False)
    )


def _boosting(estimator: Any, values: Sequence[Any], X: Any, y: Any) -> bool:
    # The estimator given as `init` is not seeded by the ensemble.
    return _ensemble(estimator, values, X, y) and plainly_seeded(estimator)


def _hist_boosting(estimator: Any, values: Sequence[Any], X: Any, y: Any) -> bool:
    if not counts(values) or estimator.warm_start:
        return False
    early = _hist_stops_early(estimator, X)
    if early and callable(estimator.scoring):
        return False  # it is called in a fit, and may do anything
    # The fit draws validation data, the features of each split, and, of more than
    # 200 000 samples, those to find bins with. The rest of it is deterministic.
    draws = early or estimator.max_features != 1.0 or num_samples(X) > 200_000
    return _no_open_seed(estimator) or not draws


def _hist_stops_early(estimator: Any, X: Any) -> bool:
    if estimator.early_stopping == "auto":
        return num_samples(X) > 10_000
    return bool(estimator.early_stopping)


def _neighbors(estimator: Any, values: Sequence[Any], X: Any, y: Any) -> bool:
    if not counts(values) or not hasattr(X, "shape"):
        return False
    # "auto" takes brute force, whose distances differ in the last bits, from half of
    # the samples on; and always for sparse data and more than 15 features.
    n_samples, n_features = X.shape
    one_side = (values[0] >= n_samples // 2) == (values[-1] >= n_samples // 2)
    chosen = estimator.algorithm != "auto" or issparse(X) or n_features > 15
    return one_side or chosen


def _radius(estimator: Any, values: Sequence[Any], X: Any, y: Any) -> bool:
    return _reals(values, 0, math.inf)


def _k_best(estimator: Any, values: Sequence[Any], X: Any, y: Any) -> bool:
    # A plain fit warns if it is to keep more features than there are.
    return (
        counts(values)
        and hasattr(X, "shape")
        and values[-1] <= X.shape[1]
        and _seeded_score(estimator.score_func)
    )


def _levels(
    estimator: Any, values: Sequence[Any], X: Any, y: Any, *, high: float
) -> bool:
    return _reals(values, 0, high) and _seeded_score(estimator.score_func)


def _generic(estimator: Any, values: Sequence[Any], X: Any, y: Any) -> bool:
    if estimator.mode == "k_best":
        return _k_best(estimator, values, X, y)
    high = 100 if estimator.mode == "percentile" else 1
    return _levels(estimator, values, X, y, high=high)


def _seeded_score(score_func: Any) -> bool:
    # Of scikit-learn's score functions, two draw random numbers unless they are bound
    # to a seed: those for mutual information.
    function = getattr(score_func, "func", score_func)
    if not getattr(function, "__name__", "").startswith("mutual_info_"):
        return True
    return getattr(score_func, "keywords", {}).get("random_state") is not None


def _variance(estimator: Any, values: Sequence[Any], X: Any, y: Any) -> bool:
    # For zero, and only then, the fit also looks at the range of each feature.
    return _reals(values, 0, math.inf) and values[0] > 0


def _from_model(estimator: Any, values: Sequence[Any], X: Any, y: Any) -> bool:
    # Texts are allowed values ("median", "1.5*mean"); they are read in `transform`.
    known = _reals(values, -math.inf, math.inf) or all(
        isinstance(value, str) for value in values
    )
    return known and not estimator.prefit and plainly_seeded(estimator)


def _threshold(estimator: Any, values: Sequence[Any], X: Any, y: Any) -> bool:
    return _reals(values, -math.inf, math.inf) and plainly_seeded(estimator)


# These set the attributes that follow from the sliced ones.


def _finish_boosting(fitted: Any, X: Any) -> None:
    fitted.n_estimators_ = len(fitted.estimators_)
    if hasattr(fitted, "oob_scores_"):
        fitted.oob_score_ = fitted.oob_scores_[-1]


def _finish_embedding(fitted: Any, X: Any) -> None:
    # Its own fit ends in the same way. This costs as much as one `transform`.
    fitted.one_hot_encoder_ = clone(fitted.one_hot_encoder_).fit(fitted.apply(X))


_FOREST = Path("n_estimators", Prefix(("estimators_",)), _ensemble)
_EMBEDDING = Path(
    "n_estimators", Prefix(("estimators_",), _finish_embedding), _ensemble
)
# `estimators_samples_` is worked out from `_seeds`, which is private. If scikit-learn
# renames it, the samples of too many members are listed, and our test says so.
_BAGGING = Path(
    "n_estimators",
    Prefix(("estimators_", "estimators_features_", "_seeds")),
    _ensemble,
)
_ADA_BOOST = Path(
    "n_estimators",
    Prefix(("estimators_", "estimator_weights_", "estimator_errors_")),
    _ensemble,
)
_BOOSTING = Path(
    "n_estimators",
    Prefix(
        ("estimators_", "train_score_", "oob_improvement_", "oob_scores_"),
        _finish_boosting,
    ),
    _boosting,
)
_HIST_BOOSTING = Path("max_iter", Warm("n_iter_", _hist_stops_early), _hist_boosting)
_NEIGHBORS = Path("n_neighbors", Late(), _neighbors)
_RADIUS = Path("radius", Late(), _radius)
_ALPHA = Path("alpha", Late(), partial(_levels, high=1))

# By the names they are imported by: nothing is imported for the sake of this table.
SKLEARN_PATHS: dict[str, Path] = {
    "sklearn.ensemble.AdaBoostClassifier": _ADA_BOOST,
    "sklearn.ensemble.AdaBoostRegressor": _ADA_BOOST,
    "sklearn.ensemble.BaggingClassifier": _BAGGING,
    "sklearn.ensemble.BaggingRegressor": _BAGGING,
    "sklearn.ensemble.ExtraTreesClassifier": _FOREST,
    "sklearn.ensemble.ExtraTreesRegressor": _FOREST,
    "sklearn.ensemble.GradientBoostingClassifier": _BOOSTING,
    "sklearn.ensemble.GradientBoostingRegressor": _BOOSTING,
    "sklearn.ensemble.HistGradientBoostingClassifier": _HIST_BOOSTING,
    "sklearn.ensemble.HistGradientBoostingRegressor": _HIST_BOOSTING,
    "sklearn.ensemble.RandomForestClassifier": _FOREST,
    "sklearn.ensemble.RandomForestRegressor": _FOREST,
    "sklearn.ensemble.RandomTreesEmbedding": _EMBEDDING,
    "sklearn.feature_selection.GenericUnivariateSelect": Path(
        "param", Late(), _generic
    ),
    "sklearn.feature_selection.SelectFdr": _ALPHA,
    "sklearn.feature_selection.SelectFpr": _ALPHA,
    "sklearn.feature_selection.SelectFromModel": Path("threshold", Late(), _from_model),
    "sklearn.feature_selection.SelectFwe": _ALPHA,
    "sklearn.feature_selection.SelectKBest": Path("k", Late(), _k_best),
    "sklearn.feature_selection.SelectPercentile": Path(
        "percentile", Late(), partial(_levels, high=100)
    ),
    "sklearn.feature_selection.VarianceThreshold": Path("threshold", Late(), _variance),
    "sklearn.model_selection.FixedThresholdClassifier": Path(
        "threshold", Late(), _threshold
    ),
    "sklearn.neighbors.KNeighborsClassifier": _NEIGHBORS,
    "sklearn.neighbors.KNeighborsRegressor": _NEIGHBORS,
    "sklearn.neighbors.KNeighborsTransformer": _NEIGHBORS,
    "sklearn.neighbors.RadiusNeighborsClassifier": _RADIUS,
    "sklearn.neighbors.RadiusNeighborsRegressor": _RADIUS,
    "sklearn.neighbors.RadiusNeighborsTransformer": _RADIUS,
}
