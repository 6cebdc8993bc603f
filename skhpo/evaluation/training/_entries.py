"""What is known about the estimators that can be trained a bit more.

Every entry was audited: train, copy, change a parameter on the copy, compare the
predictions at once (*retroactive*: what was learned already is reinterpreted) and
after more training (*no effect*: the change is ignored). The tests repeat the audit on
every supported version. Parameters that no entry mentions are probed at run time.
"""

from __future__ import annotations

from typing import Any

from skhpo.evaluation.training._mutators import set_on_optimizer
from skhpo.evaluation.training._rules import Effect, Incremental, Refusal, Rule
from skhpo.evaluation.training._trainers import BoosterFit, PartialFit, WarmStart

__all__ = ["ENTRIES"]


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


def _no_effect_unless(name: str, *values: Any) -> tuple[Rule, ...]:
    wanted = " or ".join(repr(value) for value in values)
    rule = Rule(
        Effect.NONE,
        f"It is read only with {name}={wanted}.",
        f"Set {name}={wanted}, or leave it out of the search.",
        when=lambda params: params.get(name) not in values,
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
_STOPPING = ("tol", "n_iter_no_change", "early_stopping", "validation_fraction")
_EARLY = dict.fromkeys(("max_iter", *_STOPPING), (_ONE_PASS,))
_STOPS_EARLY = "it would end before the steps that all members are compared after"
_STOP_THE_SEARCH = "What ends early is a whole PBTSearch, by n_generations_no_change."
_EARLY_STOPPING = Refusal(
    "early_stopping=True",
    _STOPS_EARLY,
    f"Set early_stopping=False. {_STOP_THE_SEARCH}",
    when=lambda params: params.get("early_stopping") is True,
)
_BALANCED = Refusal(
    "class_weight='balanced'",
    "partial_fit may not have seen all rows that it would count",
    "Pass the weights as a dict, from sklearn.utils.class_weight.compute_class_weight.",
    when=lambda params: params.get("class_weight") == "balanced",
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
    refusals=(_EARLY_STOPPING, _BALANCED),
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
        "warm_start": (_ONE_PASS,),
        **_EARLY,
    },
    refusals=(_EARLY_STOPPING, _BALANCED),
)
_ADAPTIVE = Rule(
    Effect.EFFECTIVE,
    "With learning_rate='adaptive' it tells when the step size is divided by 5.",
    when=lambda params: (
        (params["solver"], params["learning_rate"]) == ("sgd", "adaptive")
    ),
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
        **_EARLY,
        **dict.fromkeys(("tol", "n_iter_no_change"), (_ADAPTIVE, _ONE_PASS)),
    },
    mutate=set_on_optimizer,
    refusals=(
        _EARLY_STOPPING,
        Refusal(
            "solver='lbfgs'",
            "it has no steps in between",
            "Set solver='adam' or solver='sgd'.",
            when=lambda params: params["solver"] == "lbfgs",
        ),
    ),
)
_ALL_STEPS = Rule(
    Effect.NONE,
    "It rules when fit stops early, and here all steps are done.",
    f"Leave it out of the search. {_STOP_THE_SEARCH}",
)
_ALWAYS_WARM = Rule(
    Effect.NONE, "It is set whenever trees are added.", "Leave it out of the search."
)
_GROWING = {
    "warm_start": (_ALWAYS_WARM,),
    **dict.fromkeys((*_STOPPING, "scoring"), (_ALL_STEPS,)),
}
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
        **_GROWING,
    },
    refusals=(
        Refusal(
            "n_iter_no_change",
            _STOPS_EARLY,
            f"Set n_iter_no_change=None. {_STOP_THE_SEARCH}",
            when=lambda params: params["n_iter_no_change"] is not None,
        ),
    ),
)
_HIST_GRADIENT_BOOSTING = Incremental(
    # "auto" is True on more than 10,000 rows: a step is a step on those, too.
    WarmStart("max_iter", during={"early_stopping": False}),
    effective=_names(
        "learning_rate max_leaf_nodes max_depth min_samples_leaf l2_regularization "
        "max_features"
    ),
    rules={"max_iter": (_SIZE_IS_TIME,), **_GROWING},
    refusals=(_EARLY_STOPPING,),
)
_FOREST = Incremental(
    WarmStart("n_estimators"),
    effective=_TREE | {"criterion", "max_samples", "class_weight"},
    rules={"n_estimators": (_SIZE_IS_TIME,), "warm_start": (_ALWAYS_WARM,)},
)
_ROUNDS = ("early_stopping_rounds", "early_stopping_round", "n_iter_no_change")
_BOOSTER_EARLY_STOPPING = Refusal(
    "early stopping",
    _STOPS_EARLY,
    f"Leave early_stopping_rounds out. {_STOP_THE_SEARCH}",
    when=lambda params: any(params.get(name) for name in _ROUNDS),
)
_LIGHTGBM = Incremental(
    BoosterFit("init_model"),
    effective=_names(
        "learning_rate num_leaves max_depth min_child_samples min_child_weight "
        "subsample colsample_bytree reg_alpha reg_lambda min_split_gain"
    ),
    rules={
        "n_estimators": (_SIZE_IS_TIME,),
        "subsample": (
            Rule(
                Effect.NONE,
                "Rows are drawn every subsample_freq trees, and 0 is never.",
                "Set subsample_freq=1, or leave it out of the search.",
                when=lambda params: not params.get("subsample_freq"),
            ),
        ),
    },
    refusals=(
        _BOOSTER_EARLY_STOPPING,
        Refusal(
            "boosting_type='rf'",
            "LightGBM cannot continue a forest",
            "Trees of a forest know nothing of each other: RandomSearch is enough.",
            when=lambda params: params.get("boosting_type") == "rf",
        ),
    ),
)
_XGBOOST_TREE = _names(
    "max_depth max_leaves min_child_weight gamma subsample colsample_bytree "
    "colsample_bylevel"
)
_NO_TREES = Rule(
    Effect.NONE,
    "booster='gblinear' grows no trees.",
    "Leave it out of the search, or set booster='gbtree'.",
    when=lambda params: params.get("booster") == "gblinear",
)
_EXACT = Rule(
    Effect.NONE,
    "tree_method='exact' bounds the depth only.",
    "Search max_depth, or set tree_method='hist'.",
    when=lambda params: params.get("tree_method") == "exact",
)
_XGBOOST = Incremental(
    BoosterFit("xgb_model"),
    effective=_XGBOOST_TREE | {"learning_rate", "reg_alpha", "reg_lambda"},
    rules={
        "n_estimators": (_SIZE_IS_TIME,),
        **dict.fromkeys(_XGBOOST_TREE, (_NO_TREES,)),
        "max_leaves": (_NO_TREES, _EXACT),
    },
    refusals=(_BOOSTER_EARLY_STOPPING,),
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

_BY_MODULE = {
    "sklearn.linear_model": {
        "SGDClassifier SGDRegressor SGDOneClassSVM": _SGD,
        "Perceptron": _PERCEPTRON,
    },
    "sklearn.neural_network": {"MLPClassifier MLPRegressor": _MLP},
    "sklearn.ensemble": {
        "GradientBoostingClassifier GradientBoostingRegressor": _GRADIENT_BOOSTING,
        "HistGradientBoostingClassifier HistGradientBoostingRegressor": (
            _HIST_GRADIENT_BOOSTING
        ),
        "RandomForestClassifier RandomForestRegressor": _FOREST,
        "ExtraTreesClassifier ExtraTreesRegressor": _FOREST,
    },
    "sklearn.cluster": {"MiniBatchKMeans": _CLUSTERS},
    "sklearn.naive_bayes": {
        "BernoulliNB MultinomialNB ComplementNB CategoricalNB": _NAIVE_BAYES,
        "GaussianNB": Incremental(PartialFit()),
    },
    "sklearn.decomposition": {
        "IncrementalPCA LatentDirichletAllocation": _COMPONENTS,
        "MiniBatchDictionaryLearning MiniBatchNMF MiniBatchSparsePCA": _COMPONENTS,
    },
    "lightgbm": {"LGBMModel": _LIGHTGBM},
    "xgboost": {"XGBModel": _XGBOOST},
}

# By the names they are imported by: nothing is imported for the sake of this table.
ENTRIES: dict[str, Incremental] = {
    f"{module}.{name}": entry
    for module, classes in _BY_MODULE.items()
    for names, entry in classes.items()
    for name in names.split()
}
