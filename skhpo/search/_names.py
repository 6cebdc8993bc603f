"""Names: parameters of other libraries, misspelt ones; methods nobody calls."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Sequence

__all__ = ["check_overrides", "hint_of_option", "near_names", "signature_of"]

# What other searches, ours among them, call parameters; of several, the first that a
# search has.
N_CANDIDATES = ("n_iter", "n_generations", "max_iter")
SPACE = ("param_distributions", "param_grid")
STOP = ("stop",)
CHEAPER = ("resource", "race")
ELSEWHERE: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("n_trials", "n_calls", "max_evals", "num_samples"), N_CANDIDATES),
    **dict.fromkeys(("n_iter", "max_iter", "max_trials", "n_candidates"), N_CANDIDATES),
    **dict.fromkeys(("timeout", "max_time", "time_budget_s"), ("time_budget",)),
    **dict.fromkeys(("search_spaces", "search_space", "dimensions", *SPACE), SPACE),
    **dict.fromkeys(("space", "param_space", "params", "parameters"), SPACE),
    **dict.fromkeys(("storage", "checkpoint", "resume"), ("journal",)),
    **dict.fromkeys(("cache", "memory"), ("reuse",)),
    **dict.fromkeys(("n_points",), ("n_pending",)),
    **dict.fromkeys(("n_workers", "num_workers"), ("n_jobs",)),
    **dict.fromkeys(("folds", "n_folds", "n_splits"), ("cv",)),
    **dict.fromkeys(("metric", "metrics"), ("scoring",)),
    **dict.fromkeys(("callback", "callbacks", "patience"), STOP),
    **dict.fromkeys(("early_stopping", "early_stop"), STOP),
    **dict.fromkeys(("racing", "pruner", "pruning", "enable_pruning"), ("race",)),
    **dict.fromkeys(("halving", "hyperband", "resource", "budget"), CHEAPER),
    **dict.fromkeys(("x0", "points_to_evaluate", "defaults"), ("initial_params",)),
    **dict.fromkeys(("n_startup_trials", "n_initial_points"), ("n_initial",)),
    **dict.fromkeys(("acq_func", "acquisition_function"), ("acquisition",)),
    **dict.fromkeys(("sampler", "algo", "base_estimator"), ("surrogate", "sampling")),
    **dict.fromkeys(("seed", "rng"), ("random_state",)),
}
# What is no parameter of any search, and what to do.
INSTEAD = {
    "fit_params": "Give them to fit, by name: fit(X, y, **fit_params).",
    **dict.fromkeys(
        ("direction", "directions", "greater_is_better", "maximize", "mode"),
        "Scores are maximized: choose a scoring such as 'neg_log_loss'.",
    ),
}

# What a subclass of scikit-learn's searches overrides to propose its own candidates.
NEVER_CALLED = ("_run_search", "_generate_candidate_params")

# What estimators call the same thing.
SAME = (
    {"n_estimators", "max_iter", "iterations", "num_iterations", "num_boost_round"},
    {"learning_rate_init", "learning_rate", "eta0", "eta", "lr"},
    {"l2_regularization", "reg_lambda", "lambda", "alpha", "C"},
    {"max_leaf_nodes", "num_leaves"},
    {"min_samples_leaf", "min_child_samples", "min_data_in_leaf"},
)


def signature_of(cls: type) -> inspect.Signature:
    """Return the parameters of the constructor of a class."""
    own = inspect.signature(cls.__init__)  # type: ignore[misc]
    return own.replace(
        parameters=list(own.parameters.values())[1:],
        return_annotation=inspect.Signature.empty,
    )


def check_overrides(cls: type, base: type) -> None:
    """Raise TypeError if a class overrides what the ``fit`` of its base never calls.

    Parameters
    ----------
    cls : type
        A search.
    base : type
        The class whose ``fit`` it has.
    """
    for name in NEVER_CALLED:
        if getattr(cls, name, None) is not getattr(base, name, None):
            raise TypeError(
                "Override _make_optimizer(self, space), and let it return an optimizer "
                "with ask and tell, such as those of skhpo.optimizers. "
                f"{cls.__name__} has the method {name} of scikit-learn's searches, "
                "which those of skhpo never call. To keep it, derive from "
                "scikit-learn's BaseSearchCV."
            )


def hint_of_option(name: str, known: Sequence[str]) -> str | None:
    """Return what is meant by a parameter that does not exist.

    Parameters
    ----------
    name : str
        What was given.
    known : sequence of str
        The parameters that there are.

    Returns
    -------
    str or None
        A sentence; None if there is such a parameter, or if none is like it.

    Examples
    --------
    >>> hint_of_option("n_trials", ["estimator", "n_iter"])
    "Did you mean 'n_iter'?"
    >>> hint_of_option("njobs", ["estimator", "n_jobs"])
    "Did you mean 'n_jobs'?"
    >>> hint_of_option("fit_params", ["estimator", "initial_params"])
    'Give them to fit, by name: fit(X, y, **fit_params).'
    """
    if name in known:
        return None
    if name in INSTEAD:
        return INSTEAD[name]
    if name in ELSEWHERE:
        meant = [ours for ours in ELSEWHERE[name] if ours in known]
    else:
        meant = difflib.get_close_matches(name, known, 1)
    return f"Did you mean {meant[0]!r}?" if meant else None


def near_names(name: str, known: Sequence[str]) -> list[str]:
    """Return names that may be meant: of the same thing, or spelt almost the same.

    Parameters
    ----------
    name : str
        Of a parameter that an estimator does not have.
    known : sequence of str
        Of those that it has.

    Returns
    -------
    list of str
        Three at the most.

    Examples
    --------
    >>> near_names("n_estimators", ["max_iter", "warm_start"])
    ['max_iter']
    >>> near_names("num_leafs", ["num_leaves", "max_depth"])
    ['num_leaves']
    """
    same = [
        other for group in SAME if name in group for other in known if other in group
    ]
    by_lower = {other.lower(): other for other in known}
    close = difflib.get_close_matches(name.lower(), by_lower, n=3)
    return list(dict.fromkeys([*same, *(by_lower[other] for other in close)]))[:3]
