"""The records that travel between the floors: candidates, evaluations, trials.

Plain data: they know neither estimators nor joblib, so optimizers can be tested
with numbers alone. Scores are maximized everywhere, as in scikit-learn.

Candidates and trials are equal to themselves only, since values in their params may be
arrays, which answer ``==`` element by element.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Candidate", "Evaluation", "Trial"]

Params = Mapping[str, Any]
Scores = float | dict[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """Parameters that an optimizer proposes.

    Parameters
    ----------
    id : int
        Position in the order of proposals, from 0; also the row in ``cv_results_``.
    params : mapping of str to object
        Parameter names and values, as ``set_params`` takes them. Never modified.
    n_resources : int or None, default=None
        How much training the candidate gets *in addition* to that of the trial
        it resumes; None where training is not split into resources.
    resume_from : int or None, default=None
        Id of the trial whose fitted state this candidate continues; None to
        start afresh.
    """

    id: int
    params: Params
    n_resources: int | None = None
    resume_from: int | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One candidate on one split: what scikit-learn keeps of a fit.

    Parameters
    ----------
    test_scores : float or dict of str to float
        The score on the test part; a dict by metric name for several metrics.
    train_scores : float, dict or None
        The same on the train part, None if not asked for.
    fit_time, score_time : float
        Seconds, as if this fit had been run alone.
    n_test_samples : int
        Number of rows in the test part.
    fit_error : str or None, default=None
        Traceback of the exception that ended the fit, None if it succeeded.
    ended_from_outside : bool, default=False
        Whether what ended the fit was not of its own making: the death of its worker,
        a limit of time or memory.
    score_error : str or None, default=None
        The exception of a scorer, in a line, where the scores are ``error_score`` for
        that reason; None if there was none, or where it is not known any more.
    """

    test_scores: Scores
    train_scores: Scores | None
    fit_time: float
    score_time: float
    n_test_samples: int
    fit_error: str | None = None
    ended_from_outside: bool = False
    score_error: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A candidate and what happened to it; what an optimizer is told.

    Parameters
    ----------
    candidate : Candidate
        What was asked for.
    split_scores : tuple of float
        The test score on each split, of the metric that the search optimizes;
        NaN (or the user's ``error_score``) where a fit or the scoring failed.
    failed : bool, default=False
        Whether at least one split failed. The optimizer must not take the
        scores at face value then: ``error_score`` may be any number.
    """

    candidate: Candidate
    split_scores: tuple[float, ...]
    failed: bool = False

    @property
    def score(self) -> float:
        """Mean of the split scores, which is finite if they are.

        It is infinite if some are, and NaN if any of them is, if there are infinite
        ones of both signs, or if there are none.
        """
        if not self.split_scores:
            return math.nan
        try:
            return math.fsum(self.split_scores) / len(self.split_scores)
        except (OverflowError, ValueError):  # a sum beyond the floats, or inf - inf
            return statistics.mean(map(float, self.split_scores))
