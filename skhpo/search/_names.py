"""Names of parameters: those of other libraries, and misspelt ones."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Sequence

__all__ = ["near_names", "signature_of", "unknown_option"]

# What other searches, ours among them, call parameters; of several, the first that a
# search has.
N_CANDIDATES = ("n_iter", "n_generations", "max_iter")
SPACE = ("param_distributions", "param_grid")
ELSEWHERE: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("n_trials", "n_calls", "max_evals", "num_samples"), N_CANDIDATES),
    **dict.fromkeys(("n_iter", "max_iter", "max_trials", "n_candidates"), N_CANDIDATES),
    **dict.fromkeys(("timeout", "max_time", "time_budget_s"), ("time_budget",)),
    **dict.fromkeys(("search_spaces", "dimensions", *SPACE), SPACE),
    **dict.fromkeys(("storage", "checkpoint"), ("journal",)),
    **dict.fromkeys(("n_points",), ("n_pending",)),
    **dict.fromkeys(("n_workers", "num_workers"), ("n_jobs",)),
    **dict.fromkeys(("folds", "n_folds", "n_splits"), ("cv",)),
    **dict.fromkeys(("metric", "metrics"), ("scoring",)),
    **dict.fromkeys(("callbacks", "patience", "early_stopping"), ("stop",)),
    "seed": ("random_state",),
}

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


def unknown_option(name: str, known: Sequence[str]) -> str | None:
    """Return the parameter that is meant by one that does not exist.

    Parameters
    ----------
    name : str
        What was given.
    known : sequence of str
        The parameters that there are.

    Returns
    -------
    str or None
        None if there is such a parameter, or if none is like it.

    Examples
    --------
    >>> unknown_option("n_trials", ["estimator", "n_iter"])
    'n_iter'
    >>> unknown_option("njobs", ["estimator", "n_jobs"])
    'n_jobs'
    """
    if name in known:
        return None
    meant = [ours for ours in ELSEWHERE.get(name, ()) if ours in known]
    return next(iter(meant or difflib.get_close_matches(name, known, 1)), None)


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
