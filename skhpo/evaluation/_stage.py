"""The number of iterations of a candidate that leaves it open: best in the mean.

One number for all splits. The best of each split, on the rows that it is scored by,
would flatter: by 0.14 standard errors of the mean for log loss, by 0.9 for accuracy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from skhpo._arithmetic import Array, largest
from skhpo._trial import ManyScores, StageScores, Trial
from skhpo.space._curve import curve_in

__all__ = ["at_best_stage", "best_stage", "end_of_patience", "mean_curve"]


def at_best_stage(trial: Trial) -> Trial:
    """Return a trial with the best number of iterations in the place of a curve.

    Parameters
    ----------
    trial : Trial
        Of any candidate.

    Returns
    -------
    Trial
        With the scores at this number; the largest one that was scored, if one of the
        fits failed. The trial itself if no parameter is a curve.

    Examples
    --------
    >>> from skhpo._trial import Candidate, Evaluation, StageScores
    >>> from skhpo.space import Curve
    >>> curves = [
    ...     StageScores("n", [1, 2, 3], scores) for scores in ([0, 2, 1], [0, 1, 1])
    ... ]
    >>> evaluations = [Evaluation(1, curve=curve) for curve in curves]
    >>> trial = at_best_stage(Trial(Candidate(0, {"n": Curve(3)}), evaluations))
    >>> trial.candidate.params, trial.split_scores
    ({'n': 2}, (2, 1))
    """
    found = curve_in(trial.candidate.params)
    if found is None:
        return trial
    name, curve = found
    curves = [evaluation.curve for evaluation in trial.done]
    known = [each for each in curves if each is not None]
    stage = known[0].stages[-1] if known else curve.high
    if len(known) == len(curves):
        stage = best_stage(trial)
    params = {**trial.candidate.params, name: stage}
    evaluations = [
        e if e is None or e.curve is None else e.at_stage(stage)
        for e in trial.evaluations
    ]
    candidate = replace(trial.candidate, params=params)
    return replace(trial, candidate=candidate, evaluations=evaluations)


def best_stage(trial: Trial) -> int:
    """Return the number with the best mean score; of equal ones, the smallest.

    Parameters
    ----------
    trial : Trial
        With a curve on each of its splits.

    Returns
    -------
    int
        The largest number if no mean is a number.
    """
    curves = [e.curve for e in trial.done if e.curve is not None]
    means = mean_curve(curves, trial.objective)
    stages = curves[0].stages
    if np.isnan(means).all():
        return stages[-1]
    return stages[largest(means)]


def mean_curve(curves: Sequence[StageScores], objective: str) -> Array:
    """Return the mean score over the splits at each number; they have the same.

    Parameters
    ----------
    curves : sequence of StageScores
        At least one.
    objective : str
        Which of several scores decides.

    Returns
    -------
    ndarray of shape (n_stages,)
        NaN where one of them is.
    """
    rows = [_column(curve.test_scores, objective) for curve in curves]
    with np.errstate(all="ignore"):
        return np.mean(np.array(rows, dtype=float), axis=0)


def end_of_patience(stages: Sequence[int], means: Array, patience: int) -> int | None:
    """Return the number of iterations at which patience ends.

    Parameters
    ----------
    stages : sequence of int
        The numbers that were scored, ascending.
    means : array-like of shape (n_stages,)
        The mean score at each. NaN is no improvement.
    patience : int
        Of how many iterations none has a score above the best one before them.

    Returns
    -------
    int or None
        The first of `stages` that is so far behind the best before it; None if there
        is none.

    Examples
    --------
    >>> end_of_patience([1, 2, 3, 4, 5], [0.1, 0.5, 0.4, 0.5, 0.9], patience=2)
    4
    """
    best, place = -np.inf, stages[0]
    for stage, mean in zip(stages, means, strict=True):
        if mean > best:
            best, place = mean, stage
        elif stage - place >= patience:
            return stage
    return None


def _column(scores: ManyScores, objective: str) -> Sequence[float]:
    if not isinstance(scores, dict):
        return scores
    if len(scores) == 1:
        return next(iter(scores.values()))
    if objective not in scores:
        raise ValueError(
            f"There are several scores, {sorted(scores)}, and a Curve needs to know "
            "which of them decides on the number of iterations: name it as 'refit'."
        )
    return scores[objective]
