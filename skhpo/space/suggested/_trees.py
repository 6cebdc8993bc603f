"""Ranges of trees, forests and boosting.

Leaves and their sizes follow from the number of rows. The number of trees is never a
dimension: of a forest, more are better, and of boosting one fit tells of all numbers.
"""

from __future__ import annotations

import math

from skhpo.space.suggested._bounds import (
    Bound,
    Facts,
    N,
    P,
    at_least,
    at_most,
    root,
    rounds,
)
from skhpo.space.suggested._members import LEAST_SHARE
from skhpo.space.suggested._rows import Case, Ladder, Listed, Rounds, Row, Span

__all__ = ["TREES", "learning_rate"]

FEWER_FEATURES: dict[object, float | Bound] = {"sqrt": 1 / root(P), None: 1.0}
# That of absolute errors has the unit of y, and the others that of its square.
IMPURITY = Bound(
    "impurity of the root",
    lambda facts: (
        facts.data.y_std
        if facts.own.get("criterion") == "absolute_error"
        else facts.data.impurity
    ),
)
SCALED = Case(
    "no criterion='poisson'", lambda facts: facts.own.get("criterion") != "poisson"
)
WITHOUT_BOOTSTRAP = Case("no oob_score", lambda facts: not facts.own.get("oob_score"))
FOREST_WITHOUT_BOOTSTRAP = Case(
    "no oob_score and no max_samples of the user's",
    lambda facts: (
        not facts.own.get("oob_score") and facts.own.get("max_samples") is None
    ),
)
FEW_CATEGORIES = Case(
    "up to 63 categories in a column, of a dtype that tells",
    lambda facts: (
        facts.own.get("categorical_features") is None
        or (
            isinstance(facts.own["categorical_features"], str)
            and facts.data.n_categories <= 63
        )
    ),
)


def learning_rate(number: Bound) -> Row:
    """Return the row of a step of boosting, after so many rounds."""
    return Row(
        "learning_rate", 1, Span(at_least(0.01, 2 / number), 0.5, log=True),
        "slower than this, the rounds do not suffice", "auto-sklearn, FLAML, TabArena",
        default=0.3,
    )  # fmt: skip


def _leaf(low: int, most: int, share: int) -> Row:
    return Row(
        "min_samples_leaf", 1,
        Span(low, at_most(most, N / share), log=True, integer=True),
        "smooths", "auto-sklearn, TPOT, mlr3",
    )  # fmt: skip


CRITERION = Row(
    "criterion", 3, Listed(("gini", "entropy")), "of splits", "TPOT, PyCaret",
    case=Case("a classifier", lambda facts: facts.data.task == "classification"),
)  # fmt: skip
TREE = (
    _leaf(1, 64, 5),
    Row("ccp_alpha", 1, Ladder(1e-5, 5e-2, unit=IMPURITY),
        "cuts off what hardly helps", "mlr3 (Bischl 2023)", case=SCALED),
    Row("max_depth", 2, Ladder(2, 32, integer=True, means={None: math.inf}),
        "stops early", "auto-sklearn, TPOT, mlr3"),
    Row("max_features", 2,
        Ladder(0.3, 1.0, log=False, share=True, means=FEWER_FEATURES),
        "random subsets of features", "hyperopt-sklearn, TPOT"),
    CRITERION,
)  # fmt: skip
AROUND_ROOT = Ladder(
    Bound("p^-0.8", lambda facts: facts.data.n_features**-0.8), 1.0,
    share=True, means=FEWER_FEATURES,
)  # fmt: skip
OF_CLASSIFIER = Row(
    "max_features", 1, AROUND_ROOT, "around sqrt(p)/p: how different the trees are",
    "auto-sklearn p^0 ... p",
)  # fmt: skip
OF_REGRESSOR = Row(
    "max_features", 1, Span(0.2, 1.0, share=True), "how different the trees are",
    "auto-sklearn, TPOT, TabArena",
)  # fmt: skip
MORE_OF_FOREST = (
    _leaf(1, 50, 10),
    Row("max_samples", 2, Ladder(0.3, 1.0, log=False, share=True, means={None: 1.0}),
        "rows of each tree", "mlr3, TabArena", when=("bootstrap", (True,))),
    Row("bootstrap", 3, Listed((True, False)), "with or without repetitions", "TPOT",
        case=FOREST_WITHOUT_BOOTSTRAP),
    CRITERION,
    Row("min_impurity_decrease", 3, Ladder(1e-6, 1e-3, unit=IMPURITY),
        "no splits that hardly help", "TabArena", case=SCALED),
)  # fmt: skip
EXTRA = (
    _leaf(1, 50, 10),
    Row("min_samples_split", 2, Span(2, 32, log=True, integer=True), "smooths",
        "TabArena"),
    CRITERION,
)  # fmt: skip
TREES_OF_GRADIENT = rounds("n_estimators", 100)
GRADIENT = (
    Row("n_estimators", 1, Rounds(TREES_OF_GRADIENT), "one fit tells of all numbers",
        "skhpo", case=Case(
            "no early stopping of its own",
            lambda facts: _is_open(facts, "n_estimators", ("n_iter_no_change",)))),
    learning_rate(TREES_OF_GRADIENT),
    Row("max_depth", 1, Span(1, 10, log=True, integer=True),
        "how many features act together", "GAMA, PyCaret"),
    Row("subsample", 1, Span(0.4, 1.0), "rows of each tree", "TPOT"),
    Row("min_samples_leaf", 2, Span(1, at_most(100, N / 10), log=True, integer=True),
        "smooths", "TPOT"),
    Row("max_features", 2,
        Ladder(0.2, 1.0, log=False, share=True, means=FEWER_FEATURES),
        "how different the trees are", "TPOT, GAMA"),
)  # fmt: skip
ITERATIONS = rounds("max_iter", 100)


def _is_open(facts: Facts, name: str, patience: tuple[str, ...]) -> bool:
    """Whether nothing else chooses the number of rounds: nor the user, nor a fit."""
    own, defaults = facts.own, facts.defaults
    untouched = own.get(name) == defaults.get(name)
    return (
        untouched
        and not any(own.get(other) for other in patience)
        and not own.get("warm_start")
    )


def _hist_is_open(facts: Facts) -> bool:
    own, n = facts.own, facts.data.n_samples
    stops = own.get("early_stopping")
    untouched = own.get("max_iter") == facts.defaults.get("max_iter")
    never = stops is False or (stops == "auto" and n <= 10_000)
    return untouched and never and not own.get("warm_start")


HIST = (
    Row("max_iter", 1, Rounds(ITERATIONS), "one fit tells of all numbers", "skhpo",
        case=Case("no early stopping of its own, and so up to 10,000 rows",
                  _hist_is_open)),
    learning_rate(ITERATIONS),
    Row("max_leaf_nodes", 1, Span(4, at_most(256, N / 4), log=True, integer=True),
        "size of the trees", "auto-sklearn, FLAML, TPOT"),
    _leaf(2, 100, 10),
    Row("l2_regularization", 2, Ladder(1e-3, 1e2), "shrinks small leaves",
        "auto-sklearn, TPOT, FLAML"),
    Row("max_features", 2, Span(0.3, 1.0), "how different the trees are",
        "TPOT, hyperopt-sklearn"),
    Row("max_bins", 3, Listed((63, 127, 255)), "resolution of the features", "FLAML",
        case=FEW_CATEGORIES),
)  # fmt: skip
ADA = (
    Row("n_estimators", 1, Rounds(rounds("n_estimators", 50)),
        "one fit tells of all numbers", "skhpo",
        case=Case("the number of the class", lambda facts: _is_open(
            facts, "n_estimators", ()))),
    Row("learning_rate", 1, Span(0.01, 2.0, log=True), "weight of each round",
        "auto-sklearn"),
)  # fmt: skip
BAGGING = (
    Row("max_samples", 1, Ladder(LEAST_SHARE, 1.0, log=False, share=True,
        means={None: 1.0}),
        "rows of each member", "TPOT"),
    Row("max_features", 1, Span(0.1, 1.0, share=True), "features of each member",
        "TPOT"),
    Row("bootstrap", 2, Listed((True, False)), "with or without repetitions", "TPOT",
        case=WITHOUT_BOOTSTRAP),
)  # fmt: skip
ISOLATION = (
    Row("max_samples", 1, Ladder(at_most(64 / N, 1.0), 1.0, share=True,
        means={"auto": at_most(256 / N, 1.0)}), "rows of each tree",
        "hyperopt-sklearn"),
    Row("max_features", 1, Span(0.3, 1.0, share=True), "features of each tree",
        "hyperopt-sklearn"),
)  # fmt: skip

_MODULE = "sklearn.ensemble."
TREES = {
    "sklearn.tree.DecisionTreeClassifier": TREE,
    "sklearn.tree.DecisionTreeRegressor": TREE,
    "sklearn.tree.ExtraTreeClassifier": TREE,
    "sklearn.tree.ExtraTreeRegressor": TREE,
    _MODULE + "RandomForestClassifier": (OF_CLASSIFIER, *MORE_OF_FOREST),
    _MODULE + "RandomForestRegressor": (OF_REGRESSOR, *MORE_OF_FOREST),
    _MODULE + "ExtraTreesClassifier": (OF_CLASSIFIER, *EXTRA),
    _MODULE + "ExtraTreesRegressor": (OF_REGRESSOR, *EXTRA),
    _MODULE + "GradientBoostingClassifier": GRADIENT,
    _MODULE + "GradientBoostingRegressor": GRADIENT,
    _MODULE + "HistGradientBoostingClassifier": HIST,
    _MODULE + "HistGradientBoostingRegressor": HIST,
    _MODULE + "AdaBoostClassifier": ADA,
    _MODULE + "AdaBoostRegressor": ADA,
    _MODULE + "BaggingClassifier": BAGGING,
    _MODULE + "BaggingRegressor": BAGGING,
    _MODULE + "IsolationForest": ISOLATION,
}
