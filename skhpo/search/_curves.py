"""Numbers of iterations that a search leaves open: what is checked, what is shown."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from skhpo._sklearn_compat import is_multimetric
from skhpo._trial import Evaluation, Trial
from skhpo._warnings import warn_user
from skhpo.evaluation.fitting._stages import final_step
from skhpo.evaluation.paths._booster_stages import needs_validation_rows
from skhpo.evaluation.paths._stage_registry import STAGES, find_stages
from skhpo.exceptions import InvalidSpaceError, SkhpoWarning
from skhpo.search._check import assemblies, samples
from skhpo.space._curve import Curve, curve_in
from skhpo.space._plain import is_distribution

__all__ = [
    "StageCurve",
    "check_curves",
    "check_early_stopping",
    "check_no_listed_curves",
    "curves_by_metric",
    "own_ways",
    "warn_of_highest",
]


# What is given to ``fit`` for an early stopping of the estimator's own.
OWN_WAYS = (
    *("callbacks", "early_stopping_rounds", "eval_set", "eval_X", "X_val"),
    *("monitor", "use_best_model"),
)
# What is given to ``fit`` for it to have validation rows.
VALIDATION_ROWS = ("eval_set", "eval_X")
# What is given to ``fit`` to go on from a model, whose iterations come first then.
BEGINNINGS = ("init_model", "xgb_model")

# Fewer iterations without progress are no sign that there will be none.
LITTLE_PATIENCE = 10


class StageCurve(NamedTuple):
    """The scores of a candidate along its number of iterations.

    Parameters
    ----------
    stages : ndarray of int, shape (n_stages,)
        The numbers.
    scores : ndarray of float, shape (n_splits, n_stages)
        The test score at each of them, on each split. Where a fit failed, it is what a
        failure scores.
    parameter : str
        Their name in the params of the candidate.
    """

    stages: np.ndarray
    scores: np.ndarray
    parameter: str


def check_no_listed_curves(subspaces: Sequence[Mapping[str, Any]]) -> None:
    """Raise InvalidSpaceError if a curve is one of several values of a parameter.

    Such a candidate would escape what is checked of those with a curve.
    """
    for subspace in subspaces:
        for name, values in subspace.items():
            if isinstance(values, Curve) or is_distribution(values):
                continue
            listed = next((v for v in samples(values) if isinstance(v, Curve)), None)
            if listed is not None:
                raise InvalidSpaceError(
                    f"Parameter {name!r} lists {listed!r} among its values. A Curve "
                    f"is no value in a list: write {{{name!r}: {listed!r}}}, and for "
                    "other numbers a second dict."
                )


def check_curves(
    estimator: Any,
    subspaces: Sequence[Mapping[str, Any]],
    n_rows: int,
    *,
    scorers: Any,
    refit: Any,
    fit_params: Mapping[str, Any],
) -> None:
    """Raise if a curve is the value of what no single fit can tell of.

    Parameters
    ----------
    estimator : estimator
        What is searched over.
    subspaces : sequence of mapping
        Values by parameter name.
    n_rows : int
        Of the data.
    scorers : object
        How candidates are scored.
    refit : object
        As the user gave it.
    fit_params : mapping of str to object
        Those of ``fit``.

    Raises
    ------
    InvalidSpaceError
        Says what would work.
    ValueError
        If there are several scores and none is named to decide, or fits are given
        validation rows for another way to choose the number, or a model to go on from.
    """
    for subspace in subspaces:
        found = curve_in(subspace)
        if found is None:
            continue
        name, curve = found
        _warn_of_little_patience(curve)
        if is_multimetric(scorers) and not isinstance(refit, str):
            raise ValueError(
                f"With several scores, {list(scorers._scorers)}, a Curve needs to know "
                "which of them decides on the number of iterations: set 'refit' to "
                f"its name. Got refit={refit!r}."
            )
        _check_fit_params(name, fit_params)
        for assembled in assemblies(estimator, subspace):
            _check_parameter(assembled, name)
            _check_neighbors(assembled, name, subspace, n_rows)


def _check_fit_params(name: str, fit_params: Mapping[str, Any]) -> None:
    """Raise ValueError if a fit is given what makes another number of iterations."""
    for given in own_ways(fit_params):
        raise ValueError(
            f"The fit parameter {given!r} lets the estimator choose its number of "
            f"iterations, and so does the Curve of {name!r}, by the held-out rows of "
            "all splits. Leave one of them out."
        )
    for given in fit_params:
        if given.rpartition("__")[2] in BEGINNINGS:
            raise ValueError(
                f"The fit parameter {given!r} puts the iterations of another model "
                f"before those that the Curve of {name!r} counts. Leave it out, or "
                "list numbers of iterations."
            )


def own_ways(fit_params: Mapping[str, Any]) -> list[str]:
    """Return what lets an estimator choose its number of iterations, of these.

    Parameters
    ----------
    fit_params : mapping of str to object
        Those of ``fit``.

    Returns
    -------
    list of str
        Their names.
    """
    return [
        name
        for name, value in fit_params.items()
        if name.rpartition("__")[2] in OWN_WAYS and not _only_log(value)
    ]


def _only_log(callbacks: Any) -> bool:
    """Whether these are callbacks of LightGBM's log_evaluation: they print, at most."""
    log_evaluation = getattr(sys.modules.get("lightgbm"), "log_evaluation", None)
    if log_evaluation is None or not isinstance(callbacks, list | tuple):
        return False
    kind = type(log_evaluation())
    is_known = kind.__module__ == "lightgbm.callback"  # a function might do anything
    return is_known and {type(c) for c in callbacks} == {kind}


def _warn_of_little_patience(curve: Curve) -> None:
    if curve.patience is not None and curve.patience < LITTLE_PATIENCE:
        warn_user(
            f"patience={curve.patience} of a Curve is little: a single bump of the "
            f"mean score ends it. From {LITTLE_PATIENCE} on it is safer.",
            SkhpoWarning,
        )


def _check_parameter(estimator: Any, name: str) -> None:
    prefix, final = final_step(estimator)
    stages = find_stages(final)
    if stages is not None and name in [prefix + p for p in stages.parameters]:
        return
    what = f"{type(final).__name__} has no stages along it"
    hint = ""
    if stages is not None:
        hint = " or ".join(repr(prefix + p) for p in stages.parameters)
        hint = f"Did you mean {hint}? "
    if not name.startswith(prefix) or "__" in name.removeprefix(prefix):
        what = "it is no parameter of the last step"
    raise InvalidSpaceError(
        f"{hint}Parameter {name!r} cannot be a Curve: {what}. These have stages: "
        f"{', '.join(STAGES.class_names())}. register_stages teaches others; or list "
        "numbers."
    )


def _check_neighbors(
    estimator: Any, name: str, subspace: Mapping[str, Any], n_rows: int
) -> None:
    """Raise if a value of another parameter of the last step forbids the curve."""
    prefix, final = final_step(estimator)
    stages = find_stages(final)
    assert stages is not None
    others = {
        other.removeprefix(prefix): list(samples(values))
        for other, values in subspace.items()
        if other != name and other.startswith(prefix) and other != prefix[:-2]
    }
    first = {other: values[0] for other, values in others.items()}
    for other, values in [("", [None]), *others.items()]:
        for value in values:
            params = {**first, other: value} if other else first
            reason = stages.refuses(_Overridden(final, params), n_rows)
            if reason is not None:
                raise InvalidSpaceError(
                    f"Parameter {name!r} cannot be a Curve here. {reason}"
                )


class _Overridden:
    """The parameters of an estimator, some of which have other values."""

    def __init__(self, estimator: Any, params: Mapping[str, Any]) -> None:
        self._params = {**estimator.get_params(deep=False), **params}

    def get_params(self) -> dict[str, Any]:
        return dict(self._params)

    def __getattr__(self, name: str) -> Any:
        try:
            return self._params[name]
        except KeyError:
            raise AttributeError(name) from None


def check_early_stopping(
    estimator: Any,
    subspaces: Sequence[Mapping[str, Any]],
    fit_params: Mapping[str, Any],
    *,
    check_values: bool,
) -> None:
    """Raise if a candidate would miss validation rows for a booster's early stopping.

    Parameters
    ----------
    estimator : estimator
        What is searched over.
    subspaces : sequence of mapping
        Values by parameter name.
    fit_params : mapping of str to object
        Those of ``fit``.
    check_values : bool
        Whether to check what is searched too.

    Raises
    ------
    ValueError
        Says what would work.
    """
    if any(name.rpartition("__")[2] in VALIDATION_ROWS for name in fit_params):
        return
    for subspace in subspaces:
        if curve_in(subspace) is not None:
            continue  # where it is a second way to choose the number
        for assembled in assemblies(estimator, subspace):
            prefix, final = final_step(assembled)
            searched = {
                name.removeprefix(prefix): samples(values)
                for name, values in subspace.items()
                if name.startswith(prefix)
            }
            found = needs_validation_rows(final, searched)
            if found is None:
                continue
            parameter, value = found
            is_searched = {prefix + parameter, prefix[:-2]} & set(subspace)
            if is_searched and not check_values:
                continue
            raise ValueError(
                f"{type(final).__name__} with {parameter}={value!r} needs validation "
                "rows in every fit, which a search does not give it. Leave it out, and "
                "let the search choose the number of iterations by the held-out rows "
                f"of all splits: {{{prefix + 'n_estimators'!r}: Curve(1000)}} in the "
                "space, with Curve of skhpo.space."
            )


def curves_by_metric(trial: Trial) -> dict[str, StageCurve]:
    """Return the curves of a trial by the name of the score; {} if there are none.

    Parameters
    ----------
    trial : Trial
        Complete.

    Returns
    -------
    dict of str to StageCurve
        "score" is the name of a single one.
    """
    known = next((e.curve for e in trial.done if e.curve is not None), None)
    if known is None:
        return {}
    names = known.test_scores if isinstance(known.test_scores, dict) else ["score"]
    stages = np.array(known.stages)
    return {
        name: StageCurve(
            stages,
            np.array([_row(e, name, len(stages)) for e in trial.evaluations], float),
            known.name,
        )
        for name in names
    }


def _row(evaluation: Evaluation | None, name: str, n_stages: int) -> Any:
    if evaluation is None:
        return np.full(n_stages, np.nan)
    curve = evaluation.curve
    scores: Any = evaluation.test_scores if curve is None else curve.test_scores
    scores = scores[name] if isinstance(scores, dict) else scores
    return np.broadcast_to(np.asarray(scores, dtype=float), (n_stages,))


def warn_of_highest(
    trial: Trial, limit: str = "its Curve", remedy: str = "Raise 'high'."
) -> None:
    """Warn if the best candidate has the largest number of its curve: more may help.

    Parameters
    ----------
    trial : Trial
        The best one.
    limit : str
        What allows no more.
    remedy : str
        A sentence: how to allow it.
    """
    curve = next((e.curve for e in trial.done if e.curve is not None), None)
    if curve is None or trial.failed:
        return
    chosen, high = trial.candidate.params[curve.name], curve.stages[-1]
    if chosen == high:
        warn_user(
            f"The best candidate has {curve.name}={high}, the most that {limit} "
            f"allows; with more it may be better. {remedy}",
            SkhpoWarning,
        )
