"""A `scoring` that can never give a score: what is meant instead."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer_names
from sklearn.utils.multiclass import type_of_target

from skhpo._sklearn_compat import InvalidParameterError
from skhpo._warnings import warn_user
from skhpo._words import did_you_mean
from skhpo.exceptions import SkhpoWarning

__all__ = ["check_score_name", "warn_of_labels", "warn_of_metrics", "warn_of_refit"]

# What people call scores, and what is in the name of a scorer for it.
ELSEWHERE = {
    "rmse": "neg_root_mean_squared_error",
    "mse": "neg_mean_squared_error",
    "mae": "neg_mean_absolute_error",
    "mape": "neg_mean_absolute_percentage_error",
    "acc": "accuracy",
    "auc": "roc_auc",
    "auroc": "roc_auc",
    "logloss": "neg_log_loss",
    "log_loss": "neg_log_loss",
    "cross_entropy": "neg_log_loss",
    "brier": "neg_brier_score",
    "rsquared": "r2",
}

# How near a name is to that of any score, from 0 to 1, for this one to be meant.
NEAR = 0.8

# The scores, by name, that take the class 1 for the positive one, and fail without it.
OF_CLASS_1 = ("average_precision", "f1", "jaccard", "precision", "recall")
# Those that are of two classes, and what there is of more.
OF_TWO_CLASSES = {
    **{name: f"{name}_macro" for name in ("f1", "jaccard", "precision", "recall")},
    "roc_auc": "roc_auc_ovr",
}


def check_score_name(name: str, scoring: Any) -> None:
    """Raise InvalidParameterError for a string that is the name of no score.

    Parameters
    ----------
    name : str
        Of the search.
    scoring : object
        As the user gave it.
    """
    names = get_scorer_names()
    if not isinstance(scoring, str) or scoring in names:
        return
    key = scoring.lower().replace("-", "_").replace(" ", "_")
    near = [ELSEWHERE[key]] if key in ELSEWHERE else []
    near += difflib.get_close_matches(key, names, n=3)
    near = list(dict.fromkeys(near))[:3]
    hint = f"Did you mean {' or '.join(map(repr, near))}? " if near else ""
    raise InvalidParameterError(
        f"{hint}The 'scoring' parameter of {name} must be the name of a score, of "
        "which sklearn.metrics.get_scorer_names() has all, a callable (estimator, X, "
        f"y) -> float, several of these, or None. Got {scoring!r} instead."
    )


def warn_of_metrics(name: str, scoring: Any, y: Any) -> None:
    """Warn of a callable that takes no estimator and data, as a metric.

    It will fail for every candidate, and every score be NaN. That is no error, since
    scikit-learn's searches go on to their end.

    Parameters
    ----------
    name : str
        Of the search.
    scoring : object
        As the user gave it.
    y : array-like or None
        The target.
    """
    given = ("estimator", "X") if y is None else ("estimator", "X", "y")
    for scorer in scoring.values() if isinstance(scoring, Mapping) else [scoring]:
        if not callable(scorer):
            continue
        try:
            needed = inspect.signature(scorer)
        except (TypeError, ValueError):  # not every callable tells
            continue
        try:
            needed.bind(*given)
        except TypeError as error:
            shown = getattr(scorer, "__name__", repr(scorer))
            warn_user(
                f"Did you mean make_scorer({shown}), of sklearn.metrics? A callable "
                f"'scoring' of {name} is called with ({', '.join(given)}), and {shown} "
                f"takes {needed}: {error}. So no candidate will have this score.",
                SkhpoWarning,
            )


def warn_of_labels(name: str, scoring: Any, y: Any) -> None:
    """Warn of scores, by name, that these classes do not have.

    Either there are two, and none is 1, or there are more than two. Such scores fail
    for every candidate, and are NaN, as in scikit-learn's searches.

    Parameters
    ----------
    name : str
        Of the search.
    scoring : object
        As the user gave it.
    y : array-like or None
        The target.
    """
    given = scoring.values() if isinstance(scoring, Mapping) else scoring
    given = [scoring] if isinstance(scoring, str) or callable(scoring) else given
    names = [one for one in given or () if isinstance(one, str)]
    classes = _classes(y) if {*OF_CLASS_1, *OF_TWO_CLASSES} & set(names) else []
    if len(classes) > 2:
        score = next((one for one in names if one in OF_TWO_CLASSES), None)
        meant = repr(OF_TWO_CLASSES[score]) if score else ""
        reason = f"is of two classes, and y has {len(classes)}"
    elif classes and 1 not in classes:
        score = next((one for one in names if one in OF_CLASS_1), None)
        meant = _with_label(score, classes[0]) if score else ""
        reason = f"looks for the class 1, and y has the classes {classes}"
    else:
        return
    if score:
        warn_user(
            f"Did you mean {meant}? The 'scoring' of {name} is {score!r}, which "
            f"{reason}. So no candidate will have this score.",
            SkhpoWarning,
        )


def warn_of_refit(name: str, scoring: Any, refit: Any) -> None:
    """Warn of a `refit` that names another score than the only one there is.

    As in scikit-learn's searches, it is taken for True.

    Parameters
    ----------
    name : str
        Of the search.
    scoring, refit : object
        As the user gave them.
    """
    is_one = scoring is None or isinstance(scoring, str)
    if is_one and isinstance(refit, str) and refit not in (scoring, "score"):
        only = "that of the estimator" if scoring is None else repr(scoring)
        names = get_scorer_names()
        meant = "" if refit in names else did_you_mean(refit, [scoring], "refit=")
        meant = meant or did_you_mean(refit, names, "scoring=", NEAR)
        warn_user(
            f"{meant}The 'refit' of {name} is {refit!r}, and there is one score only, "
            f"{only}, which the best candidate is chosen by.",
            SkhpoWarning,
        )


def _with_label(score: str, label: Any) -> str:
    """Return what makes a scorer of a class that is not 1."""
    response = (
        ", response_method=('decision_function', 'predict_proba')"
        if score == "average_precision"
        else ""
    )
    scorer = f"make_scorer({score}_score{response}, pos_label={label!r})"
    return f"{scorer}, of sklearn.metrics"


def _classes(y: Any) -> list[Any]:
    """Return the classes of a target, the rarest one first; none if it has none."""
    with suppress(Exception):  # what is no target is said elsewhere
        if type_of_target(y) in ("binary", "multiclass"):
            classes, counts = np.unique(np.asarray(y), return_counts=True)
            return list(classes[np.argsort(counts, kind="stable")].tolist())
    return []
