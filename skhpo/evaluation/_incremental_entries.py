"""What is known about the estimators that can be trained a bit more.

Every entry was audited: train, copy, change a parameter on the copy, compare the
predictions at once (*retroactive*: what was learned already is reinterpreted) and
after more training (*no effect*: the change is ignored). The tests repeat the audit on
every supported version. Parameters that no entry mentions are probed at run time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import (
    IncrementalPCA,
    LatentDirichletAllocation,
    MiniBatchDictionaryLearning,
    MiniBatchNMF,
    MiniBatchSparsePCA,
)
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import Perceptron, SGDClassifier, SGDOneClassSVM, SGDRegressor
from sklearn.naive_bayes import (
    BernoulliNB,
    CategoricalNB,
    ComplementNB,
    GaussianNB,
    MultinomialNB,
)
from sklearn.neural_network import MLPClassifier, MLPRegressor

from skhpo.evaluation._incremental_registry import (
    Effect,
    Incremental,
    Rule,
    add_entry,
)
from skhpo.evaluation._mutators import set_on_optimizer
from skhpo.evaluation._trainers import BoosterFit, PartialFit, WarmStart

__all__: list[str] = []  # importing this module fills the registry


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SIZE_IS_TIME = Rule(
    Effect.NONE,
    "It is the resource that grows by one with every step.",
    "Leave it out of the search and set the number of steps.",
)
_ONE_PASS = Rule(
    Effect.NONE,
    "It rules when fit stops; partial_fit makes one pass and reads it never.",
    "Leave it out of the search and set the number of steps.",
)
_SHAPE = Rule(
    Effect.FROZEN,
    "The shapes of what has been learned depend on it.",
    "Declare it in frozen=[...]: it is drawn at birth, and travels with the model.",
)


def _unless(name: str, *values: Any) -> Callable[[Mapping[str, Any]], bool]:
    return lambda params: params.get(name) not in values


def _no_effect_unless(name: str, *values: Any, remedy: str = "") -> tuple[Rule, ...]:
    wanted = " or ".join(repr(value) for value in values)
    rule = Rule(
        Effect.NONE,
        f"It is read only with {name}={wanted}.",
        remedy or f"Set {name}={wanted}, or leave it out of the search.",
        when=_unless(name, *values),
    )
    return (rule,)


_ETA0 = (
    Rule(
        Effect.NONE,
        "With learning_rate='optimal' the step size is 1 / (alpha * (t0 + t)).",
        "Search alpha, or set learning_rate='constant' ('invscaling', 'adaptive').",
        when=lambda params: params.get("learning_rate") == "optimal",
    ),
)
_EARLY = dict.fromkeys(
    ("max_iter", "tol", "n_iter_no_change", "early_stopping", "validation_fraction"),
    (_ONE_PASS,),
)
_AVERAGE = Rule(Effect.FROZEN, "Averages are kept from the first step on or never.")
_SGD = Incremental(
    PartialFit(),
    effective=_names(
        "alpha penalty loss learning_rate eta0 power_t l1_ratio epsilon fit_intercept "
        "class_weight nu shuffle"
    ),
    rules={
        "eta0": _ETA0,
        "power_t": _no_effect_unless("learning_rate", "invscaling"),
        "l1_ratio": _no_effect_unless("penalty", "elasticnet"),
        "epsilon": _no_effect_unless(
            "loss", "huber", "epsilon_insensitive", "squared_epsilon_insensitive"
        ),
        "average": (_AVERAGE,),
        "warm_start": (_ONE_PASS,),
        **_EARLY,
    },
)
_PERCEPTRON = Incremental(
    PartialFit(),
    effective=frozenset({"alpha", "eta0", "penalty", "l1_ratio", "fit_intercept"}),
    rules={
        "alpha": (
            Rule(
                Effect.NONE,
                "It is read only with a penalty.",
                "Set penalty='l2', or leave it out of the search.",
                when=lambda params: params.get("penalty") is None,
            ),
        ),
        "l1_ratio": _no_effect_unless("penalty", "elasticnet"),
        **_EARLY,
    },
)
_MLP = Incremental(
    PartialFit(),
    effective=_names(
        "alpha batch_size shuffle learning_rate_init learning_rate power_t momentum "
        "nesterovs_momentum beta_1 beta_2 epsilon"
    ),
    rules={
        "hidden_layer_sizes": (_SHAPE,),
        "activation": (
            Rule(Effect.FROZEN, "The weights were learned for it.", _SHAPE.remedy),
        ),
        "solver": (Rule(Effect.FROZEN, "The optimizer is built once.", _SHAPE.remedy),),
        **{
            name: _no_effect_unless("solver", "sgd")
            for name in ("learning_rate", "momentum", "nesterovs_momentum")
        },
        "power_t": (
            *_no_effect_unless("solver", "sgd"),
            *_no_effect_unless("learning_rate", "invscaling"),
        ),
        **{
            name: _no_effect_unless("solver", "adam")
            for name in ("beta_1", "beta_2", "epsilon")
        },
        "max_fun": (_ONE_PASS,),
        "warm_start": (_ONE_PASS,),
        **{name: rules for name, rules in _EARLY.items() if name != "early_stopping"},
    },
    mutate=set_on_optimizer,
)
_GB_RATE = Rule(
    Effect.RETROACTIVE,
    "Predictions multiply all trees, also the old ones, by its current value.",
    "Use HistGradientBoosting, which keeps it in the leaves, or declare it in "
    "frozen=[...].",
)
_TREE = _names(
    "max_depth min_samples_split min_samples_leaf min_weight_fraction_leaf "
    "max_features max_leaf_nodes min_impurity_decrease ccp_alpha"
)
_GRADIENT_BOOSTING = Incremental(
    WarmStart("n_estimators"),
    effective=_TREE | {"subsample"},
    rules={
        "learning_rate": (_GB_RATE,),
        "n_estimators": (_SIZE_IS_TIME,),
        "init": (Rule(Effect.FROZEN, "The first prediction is made once."),),
    },
)
_HIST_GRADIENT_BOOSTING = Incremental(
    WarmStart("max_iter"),
    effective=_names(
        "learning_rate max_leaf_nodes max_depth min_samples_leaf l2_regularization "
        "max_features"
    ),
    rules={"max_iter": (_SIZE_IS_TIME,)},
)
_FOREST = Incremental(
    WarmStart("n_estimators"),
    effective=_TREE | {"criterion", "max_samples", "class_weight"},
    rules={"n_estimators": (_SIZE_IS_TIME,)},
)
_LIGHTGBM = Incremental(
    BoosterFit("init_model"),
    effective=_names(
        "learning_rate num_leaves max_depth min_child_samples min_child_weight "
        "subsample colsample_bytree reg_alpha reg_lambda min_split_gain"
    ),
    rules={"n_estimators": (_SIZE_IS_TIME,)},
)
_XGBOOST = Incremental(
    BoosterFit("xgb_model"),
    effective=_names(
        "learning_rate max_depth max_leaves min_child_weight gamma subsample "
        "colsample_bytree colsample_bylevel reg_alpha reg_lambda"
    ),
    rules={"n_estimators": (_SIZE_IS_TIME,)},
)
_CLUSTERS = Incremental(
    PartialFit(),
    effective=frozenset({"reassignment_ratio"}),
    rules={"n_clusters": (_SHAPE,), "batch_size": (_ONE_PASS,), **_EARLY},
)
_COMPONENTS = Incremental(PartialFit(), rules={"n_components": (_SHAPE,)})
_COUNTS = Rule(
    Effect.RETROACTIVE,
    "Predictions are made from counts and its current value.",
    "Declare it in frozen=[...], or search it with RandomSearch: counts do not forget, "
    "so there is nothing to schedule.",
)
_NAIVE_BAYES = Incremental(
    PartialFit(), rules={"alpha": (_COUNTS,), "fit_prior": (_COUNTS,)}
)

for _classes, _entry in (
    ((SGDClassifier, SGDRegressor, SGDOneClassSVM), _SGD),
    ((Perceptron,), _PERCEPTRON),
    ((MLPClassifier, MLPRegressor), _MLP),
    ((GradientBoostingClassifier, GradientBoostingRegressor), _GRADIENT_BOOSTING),
    (
        (HistGradientBoostingClassifier, HistGradientBoostingRegressor),
        _HIST_GRADIENT_BOOSTING,
    ),
    (
        (
            RandomForestClassifier,
            RandomForestRegressor,
            ExtraTreesClassifier,
            ExtraTreesRegressor,
        ),
        _FOREST,
    ),
    ((MiniBatchKMeans,), _CLUSTERS),
    ((BernoulliNB, MultinomialNB, ComplementNB, CategoricalNB), _NAIVE_BAYES),
    ((GaussianNB,), Incremental(PartialFit())),
    (
        (
            IncrementalPCA,
            LatentDirichletAllocation,
            MiniBatchDictionaryLearning,
            MiniBatchNMF,
            MiniBatchSparsePCA,
        ),
        _COMPONENTS,
    ),
):
    for _class in _classes:
        add_entry(_class, _entry)
add_entry(("lightgbm", "LGBMModel"), _LIGHTGBM)
add_entry(("xgboost", "XGBModel"), _XGBOOST)
