"""The records that travel between the floors: candidates, evaluations, trials.

Plain data: they know neither estimators nor joblib, so optimizers can be tested
with numbers alone. Scores are maximized everywhere, as in scikit-learn.

Candidates and trials are equal to themselves only, since values in their params may be
arrays, which answer ``==`` element by element.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Candidate", "Estimate", "Evaluation", "Gradient", "StageScores", "Trial"]

Params = Mapping[str, Any]
Scores = float | dict[str, float]
# One for each of several stages.
ManyScores = Sequence[float] | dict[str, Sequence[float]]


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """Parameters that an optimizer proposes, and how much of an evaluation they get.

    Parameters
    ----------
    id : int
        Position in the order of proposals, from 0; also the row in ``cv_results_``.
    params : mapping of str to object
        Parameter names and values, as ``set_params`` takes them. Never modified.
    resource : int or None, default=None
        How much training the candidate has had *in total* after this trial, in steps,
        as ``n_resources`` of scikit-learn's halving; None for an ordinary fit.
    resume_from : int or None, default=None
        Id of the trial from which this one goes on: from its models, with parameters
        that may be others, or from its finished splits. None to start afresh.
    splits : tuple of int or None, default=None
        The splits on which there are scores after this trial, those of the trial that
        it resumes among them; None for all.
    """

    id: int
    params: Params
    resource: int | None = None
    resume_from: int | None = None
    splits: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class StageScores:
    """What one fit scores after each of several numbers of iterations.

    Parameters
    ----------
    name : str
        The parameter that is the number of iterations.
    stages : sequence of int
        The numbers, ascending.
    test_scores : sequence of float, or dict of str to such
        The score at each of them on the test part; by metric for several metrics.
    train_scores : sequence, dict or None, default=None
        The same on the train part, None if not asked for.
    errors : mapping of int to str
        As ``score_error`` of `Evaluation`, by the numbers where there was one.
    """

    name: str
    stages: Sequence[int]
    test_scores: ManyScores
    train_scores: ManyScores | None = None
    errors: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gradient:
    """Derivatives of one score by hyperparameters.

    Parameters
    ----------
    slopes : mapping of str to float
        By name of the parameter; empty if there is a problem.
    problem : str or None, default=None
        Why there are none, in a line.
    """

    slopes: Mapping[str, float]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One candidate on one split: what scikit-learn keeps of a fit.

    Parameters
    ----------
    test_scores : float or dict of str to float
        The score on the test part; a dict by metric name for several metrics.
    train_scores : float, dict or None, default=None
        The same on the train part, None if not asked for.
    fit_time, score_time : float, default=0.0
        Seconds, as if this fit had been run alone.
    n_test_samples : int, default=0
        Number of rows in the test part.
    fit_error : str or None, default=None
        Traceback of the exception that ended the fit, None if it succeeded.
    ended_from_outside : bool, default=False
        Whether what ended the fit was not of its own making: the death of its worker,
        a limit of time or memory.
    score_error : str or None, default=None
        The exception of a scorer, in a line, where the scores are ``error_score`` for
        that reason; None if there was none, or where it is not known any more.
    curve : StageScores or None, default=None
        The scores after each number of iterations, of a candidate that leaves it open;
        `test_scores` and `train_scores` are those of one number.
    response : ndarray or None, default=None
        What the score that decides was computed from on the test part, if it is to be
        kept; of all stages, if there is a curve.
    is_found : bool, default=False
        Whether it was not made now, but found in a journal.
    gradient : Gradient or None, default=None
        Of the score on the test part, None if not asked for.
    """

    test_scores: Scores
    train_scores: Scores | None = None
    fit_time: float = 0.0
    score_time: float = 0.0
    n_test_samples: int = 0
    fit_error: str | None = None
    ended_from_outside: bool = False
    score_error: str | None = None
    curve: StageScores | None = None
    response: NDArray[Any] | None = field(default=None, compare=False, repr=False)
    is_found: bool = field(default=False, compare=False)
    gradient: Gradient | None = None

    def at_stage(self, stage: int) -> Evaluation:
        """Return the same with the scores of one number of iterations of its curve.

        Parameters
        ----------
        stage : int
            One of those of the curve.

        Returns
        -------
        Evaluation
            With the whole curve still there.
        """
        curve = self.curve
        assert curve is not None
        index = curve.stages.index(stage)
        train = None
        if self.train_scores is not None and curve.train_scores is not None:
            train = _item(curve.train_scores, index)
        return replace(
            self,
            test_scores=_item(curve.test_scores, index),
            train_scores=train,
            score_error=curve.errors.get(stage),
        )


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the mean score over all splits is expected to be, where some are missing.

    Parameters
    ----------
    score : float
        The expected mean over all splits.
    variance : float, default=nan
        Of what is missing: how far the mean itself may be from it. NaN if that is not
        known.
    """

    score: float
    variance: float = math.nan


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A candidate and what happened to it; what an optimizer is told.

    Parameters
    ----------
    candidate : Candidate
        What was asked for.
    evaluations : sequence of (Evaluation or None)
        What came of it on each split; None where there is nothing (yet).
    objective : str, default="score"
        Which of several scores the search maximizes.
    estimate : Estimate or None, default=None
        Of a candidate that was dropped, as it would hardly have become the best: what
        it would have scored. None of all others.

    Examples
    --------
    >>> from skhpo.optimizers import Candidate, Evaluation, Trial
    >>> candidate = Candidate(0, {"C": 1.0})
    >>> Trial(candidate, [Evaluation(0.5), None, Evaluation(1.0)]).score
    0.75
    >>> Trial.from_scores(candidate, [0.5, 1.0]).score  # with numbers alone
    0.75
    """

    candidate: Candidate
    evaluations: Sequence[Evaluation | None]
    objective: str = "score"
    estimate: Estimate | None = None

    @classmethod
    def from_scores(
        cls,
        candidate: Candidate,
        scores: Sequence[float],
        failed: bool = False,
        seconds: float = 0.0,
    ) -> Trial:
        """Return a trial of which the scores are known, and perhaps the time.

        Parameters
        ----------
        candidate : Candidate
            What was asked for.
        scores : sequence of float
            The score on each split, to be maximized.
        failed : bool, default=False
            Whether it failed. The scores are then what a failure is given.
        seconds : float, default=0.0
            What it took, of which each split is given the same share.

        Returns
        -------
        Trial
            To be told to an optimizer.

        Raises
        ------
        TypeError
            If it is a single number.
        """
        if np.ndim(scores) == 0:
            raise TypeError(
                "The scores of a trial must be a sequence of numbers, one per split. "
                f"Got {scores!r} instead; a single score is given as ({scores!r},)."
            )
        error = "it failed" if failed else None
        share = seconds / max(len(scores), 1)
        return cls(
            candidate,
            [Evaluation(s, fit_time=share, fit_error=error) for s in scores],
        )

    @property
    def done(self) -> list[Evaluation]:
        """The evaluations that there are, in the order of the splits."""
        return [e for e in self.evaluations if e is not None]

    @property
    def split_scores(self) -> tuple[float, ...]:
        """The score on each evaluated split, of the metric that is maximized.

        NaN (or the user's ``error_score``) where a fit or the scoring failed; NaN, too,
        where there are several scores and the objective is none of them.
        """
        return tuple(_score(e.test_scores, self.objective) for e in self.done)

    @property
    def score(self) -> float:
        """Mean of the split scores, which is finite if they are.

        It is infinite if some are, and NaN if any of them is, if there are infinite
        ones of both signs, or if there are none. Of a dropped candidate it is what is
        expected of all splits: the mean of some may be higher than that of the best.
        """
        if self.estimate is not None:
            return self.estimate.score
        scores = self.split_scores
        if not scores:
            return math.nan
        try:
            return math.fsum(scores) / len(scores)
        except (OverflowError, ValueError):  # a sum beyond the floats, or inf - inf
            return statistics.mean(map(float, scores))

    @property
    def dropped(self) -> bool:
        """Whether splits were skipped, since it would hardly have become the best."""
        return self.estimate is not None

    @property
    def failed(self) -> bool:
        """Whether at least one fit failed.

        The optimizer must not take the scores at face value then: ``error_score`` may
        be any number.
        """
        return any(e.fit_error is not None for e in self.done)

    @property
    def seconds(self) -> float:
        """What its fits and scores took in all, as if each had been run alone.

        NaN where that is not known, of a fit whose worker died. Times are to be
        reported; a decision that rests on them cannot be repeated.
        """
        return math.fsum(e.fit_time + e.score_time for e in self.done)


def _score(scores: Scores, objective: str) -> float:
    if not isinstance(scores, dict):
        return scores
    if len(scores) == 1:
        return next(iter(scores.values()))
    return scores.get(objective, math.nan)


def _item(scores: ManyScores, index: int) -> Scores:
    if not isinstance(scores, dict):
        return scores[index]
    return {name: column[index] for name, column in scores.items()}
