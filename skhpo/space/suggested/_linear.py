"""Ranges of linear models.

What penalizes coefficients has the unit of the data: of a Lasso, alpha lies below the
value at which no coefficient is left, of a Ridge it goes with the variance of columns.
"""

from __future__ import annotations

from skhpo.space.suggested._bounds import at_least, of_data, own
from skhpo.space.suggested._rows import Case, Ladder, Listed, Row, Span

__all__ = ["LINEAR"]

SCORED = Case(
    "a score of the user's that needs no probabilities",
    lambda facts: (
        facts.data.explicit_scoring
        and not facts.data.needs_probabilities
        and facts.data.task == "classification"
    ),
)
SCORED_REGRESSION = Case(
    "a score of the user's",
    lambda facts: facts.data.explicit_scoring and facts.data.task == "regression",
)
UNBALANCED = Case(
    "more than 75 % in one class, a score of the user's",
    lambda facts: facts.data.explicit_scoring and facts.data.majority > 0.75,
)
# Until scikit-learn 1.8, l1_ratio counts with penalty="elasticnet" only.
MIXES = Case(
    "solver='saga' (before scikit-learn 1.8, and penalty='elasticnet')",
    lambda facts: (
        facts.own.get("solver") == "saga"
        and facts.own.get("penalty") in ("elasticnet", "deprecated")
    ),
)

CLASS_WEIGHT = Row(
    "class_weight", 2, Listed((None, "balanced")),
    "classes of different size", "TPOT, PyCaret", case=UNBALANCED,
)  # fmt: skip
VARIANCE = of_data("column_variance", "var(X)")

LOGISTIC = (
    Row("C", 1, Span(1e-4, 1e4, log=True),
        "inverse strength of the penalty", "mlr3 (Bischl 2023), auto-sklearn",
        case=Case("a penalty", lambda facts: facts.own.get("penalty", "") is not None)),
    Row("l1_ratio", 2, Span(0.0, 1.0),
        "share of the l1 penalty", "mlr3 (Bischl 2023), TPOT", case=MIXES),
    CLASS_WEIGHT,
)  # fmt: skip
RIDGE = (
    Row("alpha", 1, Ladder(1e-4, 1e4, unit=VARIANCE),
        "strength of the penalty", "skhpo; hyperopt-sklearn 1e-3 ... 1e3"),
)  # fmt: skip
# A tiny share of the l1 penalty counts as 0.001, as glmnet has it.
LARGEST = of_data("correlation", "max|X'y|/n") / at_least(1e-3, own("l1_ratio", 1.0))
LASSO = (
    Row("alpha", 1, Ladder(1e-4, 1.0, unit=LARGEST),
        "from nearly none to all coefficients at 0", "glmnet; FLAML 1e-4 ... 1"),
)  # fmt: skip
ELASTIC_NET = (
    *LASSO,
    Row("l1_ratio", 2, Span(0.05, 1.0), "share of the l1 penalty", "FLAML, TPOT"),
)
SGD = (
    Row("alpha", 1, Span(1e-7, 1e-1, log=True),
        "strength of the penalty, for scaled X", "auto-sklearn, FLAML, TPOT"),
    Row("loss", 2, Listed(("hinge", "log_loss", "modified_huber")),
        "what a mistake costs", "auto-sklearn, FLAML", case=SCORED),
    Row("loss", 2, Listed(("squared_error", "huber")),
        "what a mistake costs", "auto-sklearn", case=SCORED_REGRESSION),
    Row("learning_rate", 1, Listed(("optimal", "invscaling", "adaptive")),
        "how steps shrink", "measured; auto-sklearn", case=Case(
            "a classifier", lambda facts: facts.data.task == "classification")),
    Row("learning_rate", 1, Listed(("invscaling", "adaptive")),
        "how steps shrink", "auto-sklearn", case=Case(
            "a regressor", lambda facts: facts.data.task == "regression")),
    # 0 is what "optimal" comes with before scikit-learn 1.8, and the others refuse.
    Row("eta0", 1, Span(1e-4, 1.0, log=True, never=(0.0,)),
        "first step", "measured; auto-sklearn, hyperopt-sklearn",
        when=("learning_rate", ("constant", "invscaling", "adaptive"))),
    Row("penalty", 2, Listed(("l2", "l1", "elasticnet")),
        "kind of the penalty", "auto-sklearn, FLAML, TPOT"),
    Row("l1_ratio", 3, Span(0.0, 1.0), "share of the l1 penalty", "auto-sklearn, TPOT",
        when=("penalty", ("elasticnet",))),
)  # fmt: skip
LINEAR_SVC = (
    Row("C", 1, Span(1e-4, 1e3, log=True),
        "inverse strength of the penalty", "auto-sklearn, FLAML, TPOT"),
    CLASS_WEIGHT,
)  # fmt: skip
Y_STD = of_data("y_std", "std(y)")
LINEAR_SVR = (
    Row("C", 1, Ladder(1e-4, 1e3, unit=Y_STD),
        "inverse strength of the penalty", "auto-sklearn, FLAML, TPOT"),
    Row("epsilon", 2, Ladder(1e-3, 1.0, unit=Y_STD),
        "errors that cost nothing", "auto-sklearn"),
)  # fmt: skip
GENERALIZED = (
    Row("alpha", 1, Span(1e-5, 1e2, log=True),
        "strength of the penalty, for scaled X", "hyperopt-sklearn"),
)  # fmt: skip
HUBER = (
    Row("alpha", 1, Ladder(1e-6, 1e2, unit=VARIANCE),
        "strength of the penalty", "hyperopt-sklearn"),
    Row("epsilon", 1, Span(1.01, 3.0), "where errors count linearly", "scikit-learn"),
)  # fmt: skip
# "lsqr" cannot transform, and "svd" refuses every shrinkage.
PREDICTS = Case(
    "as the last step, and no shrinkage of the user's",
    lambda facts: (
        facts.predicts
        and facts.own.get("shrinkage") is None
        and facts.own.get("covariance_estimator") is None
    ),
)
LDA = (
    Row("solver", 1, Listed(("svd", "lsqr")),
        "without and with shrinkage", "auto-sklearn, TPOT", case=PREDICTS),
    Row("shrinkage", 1,
        Listed((None, "auto", 0.01, 0.03, 0.1, 0.3, 1.0), ordered=False),
        "of the covariance", "auto-sklearn, TPOT", when=("solver", ("lsqr", "eigen")),
        case=Case("no covariance_estimator", lambda facts: (
            facts.own.get("covariance_estimator") is None))),
)  # fmt: skip
QDA = (
    Row("reg_param", 1, Ladder(1e-4, 1.0),
        "of the covariance", "auto-sklearn, TPOT, PyCaret"),
)  # fmt: skip

_MODULE = "sklearn.linear_model."
LINEAR = {
    _MODULE + "LogisticRegression": LOGISTIC,
    _MODULE + "Ridge": RIDGE,
    _MODULE + "RidgeClassifier": (*RIDGE, CLASS_WEIGHT),
    _MODULE + "Lasso": LASSO,
    _MODULE + "ElasticNet": ELASTIC_NET,
    _MODULE + "SGDClassifier": SGD,
    _MODULE + "SGDRegressor": SGD,
    _MODULE + "HuberRegressor": HUBER,
    _MODULE + "PoissonRegressor": GENERALIZED,
    _MODULE + "GammaRegressor": GENERALIZED,
    _MODULE + "TweedieRegressor": GENERALIZED,
    "sklearn.svm.LinearSVC": LINEAR_SVC,
    "sklearn.svm.LinearSVR": LINEAR_SVR,
    "sklearn.discriminant_analysis.LinearDiscriminantAnalysis": LDA,
    "sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis": QDA,
}
