"""What scores were computed from, as a fitted search keeps it for its report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhpo._sklearn_compat import (
    ScoreFunction,
    as_numpy,
    deciding_scorer,
    is_multimetric,
    score_function,
)
from skhpo._trial import Trial
from skhpo._warnings import warn_user
from skhpo.evaluation._response_store import MOST_BYTES, ResponseStore
from skhpo.evaluation.fitting._rows import row_numbers
from skhpo.evaluation.fitting._stages import final_step
from skhpo.exceptions import SkhpoWarning

__all__ = ["OutOfFold", "collect", "response_of", "warn_of_missing"]

WITHOUT = "skhpo.report works without them, from the scores of the splits."


@dataclass(frozen=True, eq=False)
class OutOfFold(Sequence):
    """The responses of all candidates to rows that they were not trained on.

    A sequence: item *i* is that of row *i* of ``cv_results_``, an array with an entry
    for each of `rows`; None if it is not known. Numbers are in single precision.

    Parameters
    ----------
    responses : list of (ndarray or None)
        The items.
    rows : ndarray of int, shape (n,)
        Rows of the data, of the test parts of all splits one after the other.
    splits : ndarray of int, shape (n,)
        The split in which each of them was tested.
    y : ndarray of shape (n_samples, ...)
        The target, of all rows of the data.
    sample_weight, groups : ndarray of shape (n_samples,) or None
        What the scorer and the splitter were given.
    metric : str
        The score that is computed from them.
    scoring : ScoreFunction
        How.
    n_missing : int
        Candidates that have all their scores, and no response here.
    """

    responses: list[NDArray[Any] | None]
    rows: NDArray[np.intp]
    splits: NDArray[np.intp]
    y: NDArray[Any]
    sample_weight: NDArray[Any] | None
    groups: NDArray[Any] | None
    metric: str
    scoring: ScoreFunction
    n_missing: int

    def __len__(self) -> int:
        return len(self.responses)

    def __getitem__(self, row: Any) -> Any:
        return self.responses[row]


def response_of(scorers: Any, refit: Any, estimator: Any, name: str) -> str:
    """Return the score that decides, whose responses are to be kept.

    Parameters
    ----------
    scorers : callable
        As scikit-learn made them.
    refit : object
        As the user gave it.
    estimator : estimator
        What is searched over.
    name : str
        Of the search, for messages.

    Raises
    ------
    ValueError
        If none is named, or nobody knows what it is computed from.
    """
    if is_multimetric(scorers) and refit not in list(scorers._scorers):
        raise ValueError(
            f"{name} with return_oof=True keeps what the deciding score is computed "
            f"from, and has several, {list(scorers._scorers)}, of which 'refit' names "
            f"none. Set 'refit' to one of them, or return_oof=False: {WITHOUT} Got "
            f"refit={refit!r}."
        )
    deciding = refit if is_multimetric(scorers) else "score"
    scorer = deciding_scorer(scorers, deciding)
    _, final = final_step(estimator)
    if score_function(scorer, final) is None:
        own = type(final).__name__
        raise ValueError(
            f"{name} with return_oof=True keeps what scores are computed from. That of "
            f"{scorer!r} cannot be seen: a callable, or the 'score' of {own}, may "
            "look at all of the model. Give the name of a score, or what make_scorer "
            f"makes of a function of y and predictions; or return_oof=False: {WITHOUT}"
        )
    return deciding


def collect(
    store: ResponseStore,
    trials: Sequence[Trial],
    splits: Sequence[tuple[Any, Any]],
    *,
    y: Any,
    groups: Any,
    score_params: Mapping[str, Any],
    scorers: Any,
    metric: str,
    estimator: Any,
) -> OutOfFold:
    """Return the responses of trials.

    Parameters
    ----------
    store : ResponseStore
        Where they are.
    trials : sequence of Trial
        Row by row of ``cv_results_``.
    splits : sequence of (train, test)
        The rows.
    y, groups : array-like or None
        Of the data.
    score_params : mapping of str to object
        What the scorer was given.
    scorers : callable
        As scikit-learn made them.
    metric : str
        The score that decides.
    estimator : estimator
        What was searched over.

    Returns
    -------
    OutOfFold
        With what a report needs of the data.
    """
    tests = [row_numbers(test).astype(np.intp) for _, test in splits]
    found = [store.of(trial.candidate.id) for trial in trials]
    n_missing = sum(
        parts is None and _has_all_scores(trial)
        for parts, trial in zip(found, trials, strict=True)
    )
    _, final = final_step(estimator)
    scoring = score_function(deciding_scorer(scorers, metric), final)
    assert scoring is not None, "it was checked before"
    return OutOfFold(
        [None if parts is None else np.concatenate(parts) for parts in found],
        np.concatenate(tests),
        np.repeat(np.arange(len(tests)), [len(test) for test in tests]),
        np.array(as_numpy(y)),
        _array(score_params.get("sample_weight")),
        _array(groups),
        metric,
        scoring,
        n_missing,
    )


def warn_of_missing(oof: OutOfFold) -> None:
    """Warn if there are candidates whose responses are not known."""
    if oof.n_missing:
        warn_user(
            f"return_oof=True: the responses of {oof.n_missing} of {len(oof)} "
            "candidates are not kept. There is room for those of the best, in "
            f"{MOST_BYTES >> 20} MB; there are none where a Curve has too many stages, "
            "where a model returns no array with an entry for each row, and where its "
            "own 'score' does not predict.",
            SkhpoWarning,
        )


def _has_all_scores(trial: Trial) -> bool:
    is_scored = all(e.fit_error is None and e.score_error is None for e in trial.done)
    return is_scored and None not in trial.evaluations and math.isfinite(trial.score)


def _array(values: Any) -> NDArray[Any] | None:
    return None if values is None else np.array(as_numpy(values))
