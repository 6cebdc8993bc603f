"""Collect the evaluations of a search, and hand them over in scikit-learn's shape."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import replace
from numbers import Real
from typing import Any

from sklearn.exceptions import FitFailedWarning

from skhpo._sklearn_compat import warn_or_raise_about_fit_failures
from skhpo._trial import Candidate, Evaluation, Params, Scores, Trial
from skhpo._warnings import warn_user
from skhpo.exceptions import AllFitsFailedError
from skhpo.search.feedback._failures import (
    SHOWN,
    Failures,
    cause_of,
    group_failures,
    summarize,
)

__all__ = ["Record"]


class Record:
    """The complete candidates of a running search and their evaluations.

    Attributes
    ----------
    stop_reason : str
        Why there are no more; "error" as long as nothing else is known.
    """

    def __init__(self) -> None:
        self.stop_reason = "error"
        self._first: Evaluation | None = None  # that succeeded
        self._rows: dict[int, Trial] = {}

    def add(self, trial: Trial) -> None:
        """Keep a complete candidate."""
        self._rows[trial.candidate.id] = trial
        if self._first is None:
            self._first = next(filter(_succeeded, trial.done), None)

    def check_scores(self, evaluations: Sequence[Evaluation]) -> None:
        """Raise ValueError if these scores have other names than those before.

        Only a callable can return such. scikit-learn ends with a KeyError, or drops
        what the first candidate did not have.
        """
        for odd in (e for e in evaluations if not self._agrees(e)):
            assert self._first is not None, "the first one agrees with itself"
            first, *others = map(_described, _scores_of(self._first) + _scores_of(odd))
            now = next((text for text in others if text != first), first)
            raise ValueError(
                "The scorer must return the same scores for every candidate and all "
                f"data. It returned {first} first, and now {now}."
            )

    def _agrees(self, evaluation: Evaluation) -> bool:
        """Whether scores have the names that those of the first success have."""
        if self._first is None or not _succeeded(evaluation):
            return True
        expected = _names(self._first.test_scores)
        return all(_names(s) == expected for s in _scores_of(evaluation))

    def drop_odd_ones(self) -> None:
        """Drop the candidates that `check_scores` would not let pass."""
        self.keep(lambda id: all(map(self._agrees, self._rows[id].done)))

    def keep(self, wanted: Callable[[int], bool]) -> None:
        """Drop the candidates whose ids are not wanted."""
        self._rows = {id: row for id, row in self._rows.items() if wanted(id)}

    def failures(self, more: Iterable[Trial] = ()) -> list[Failures]:
        """Return the failed fits, also those of others, grouped by what went wrong."""
        own = map(self._without_origin, self.trials)
        return group_failures(own, more)

    def _without_origin(self, trial: Trial) -> Trial:
        """Return a trial without the evaluations of the one whose splits it adds to."""
        number = trial.candidate.resume_from
        origin = None if number is None else self._rows.get(number)
        if origin is None:
            return trial
        pairs = zip(trial.evaluations, origin.evaluations, strict=True)
        own = [None if mine is before else mine for mine, before in pairs]
        return replace(trial, evaluations=own)

    @property
    def n_candidates(self) -> int:
        """How many are complete."""
        return len(self._rows)

    @property
    def trials(self) -> list[Trial]:
        """The complete candidates and their evaluations, in the order of their ids."""
        return [self._rows[id] for id in sorted(self._rows)]

    @property
    def candidates(self) -> list[Candidate]:
        """The complete candidates, in the order of their ids."""
        return [trial.candidate for trial in self.trials]

    @property
    def params(self) -> list[Params]:
        """Their parameters, in the same order."""
        return [candidate.params for candidate in self.candidates]

    @property
    def failed(self) -> list[bool]:
        """Whether a fit of each of them failed, in the same order."""
        return [trial.failed for trial in self.trials]

    @property
    def n_test_rows(self) -> list[int]:
        """The number of rows that were scored, of each split."""
        rows = zip(*(trial.evaluations for trial in self._rows.values()), strict=True)
        return [
            max((e.n_test_samples for e in row if e is not None), default=0)
            for row in rows
        ]

    @property
    def n_evaluations(self) -> tuple[int, int]:
        """How many of their evaluations were found in a journal, of how many."""
        done = [one for trial in self._rows.values() for one in trial.done]
        return sum(one.is_found for one in done), len(done)

    @property
    def all_failed(self) -> bool:
        """Whether no fit succeeded."""
        return all(
            evaluation.fit_error is not None
            for trial in self._rows.values()
            for evaluation in trial.done
        )

    @property
    def has_whole_row(self) -> bool:
        """Whether a candidate has been evaluated on all splits."""
        return any(None not in trial.evaluations for trial in self._rows.values())

    def evaluations(self, error_score: str | float) -> Evaluations:
        """Return all evaluations, row by row; NaN for those that nobody asked for.

        Raises
        ------
        ValueError
            If nothing was evaluated.
        """
        rows = [trial.evaluations for trial in self.trials]
        missing = self._missing if any(None in row for row in rows) else None
        return self._named([e or missing for row in rows for e in row], error_score)

    def _named(
        self, found: Iterable[Evaluation | None], error_score: str | float
    ) -> Evaluations:
        """Return evaluations that have a score for each name, also failed ones."""
        evaluations = Evaluations([e for e in found if e is not None])
        if not evaluations:
            raise ValueError(
                "No fits were performed. Was the CV iterator empty? "
                "Were there no candidates?"
            )
        if self._first is not None and isinstance(self._first.test_scores, dict):
            evaluations.name_failed_scores(list(self._first.test_scores), error_score)
        return evaluations

    @property
    def _missing(self) -> Evaluation:
        """What stands for an evaluation that nobody has asked for: NaN."""
        like = self._first or next(e for t in self._rows.values() for e in t.done)
        train = None if like.train_scores is None else _nan_like(like.train_scores)
        return Evaluation(_nan_like(like.test_scores), train, math.nan, math.nan)

    def report_failures(self, error_score: str | float) -> None:
        """Warn of failed fits, in scikit-learn's words unless these would be many.

        Raises
        ------
        AllFitsFailedError
            If every fit failed.
        """
        own = map(self._without_origin, self.trials)
        done = (evaluation for trial in own for evaluation in trial.done)
        evaluations = self._named(done, error_score)  # what is skipped cannot fail
        failures = self.failures()
        if len(failures) <= SHOWN:
            evaluations.merge_failures()
            try:
                warn_or_raise_about_fit_failures(evaluations, error_score)
            except ValueError as error:
                first = dict(failures[0].params)
                message = f"{error}\nThe first candidate that failed: {first!r}"
                raise AllFitsFailedError(message) from None
            return
        n_failed, n_fits = sum(f.n_fits for f in failures), len(evaluations)
        if n_failed == n_fits:
            raise AllFitsFailedError(
                f"All the {n_fits} fits failed. The most frequent reasons:\n"
                f"{summarize(failures)}\nWith error_score='raise', the first one ends "
                "the search, with its traceback."
            )
        warn_user(
            f"{n_failed} fits failed out of a total of {n_fits}, and score "
            f"{error_score!r}. The most frequent reasons:\n{summarize(failures)}",
            FitFailedWarning,
        )


class Evaluations:
    """Evaluations as the dicts that scikit-learn's helpers expect, made on demand.

    A dict per fit would take several times the memory of the numbers in it.
    """

    def __init__(self, evaluations: list[Evaluation]) -> None:
        self._evaluations = evaluations

    def __len__(self) -> int:
        return len(self._evaluations)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return _as_dict(self._evaluations[index])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return map(_as_dict, self._evaluations)

    def merge_failures(self) -> None:
        """Give those of one kind and message the traceback of the first one.

        scikit-learn counts equal tracebacks, but from where in this package a fit was
        called is a matter of how long the one before it took.
        """
        first: dict[tuple[str, str], str] = {}
        for i, evaluation in enumerate(self._evaluations):
            if (error := evaluation.fit_error) is not None:
                error = first.setdefault(cause_of(error), error)
                self._evaluations[i] = replace(evaluation, fit_error=error)

    def name_failed_scores(self, metrics: list[str], error_score: Any) -> None:
        """Give failed fits a score by metric, for a callable that returned dicts.

        And fits whose scoring failed.
        """
        scores = dict.fromkeys(metrics, error_score)
        for i, evaluation in enumerate(self._evaluations):
            test, train = evaluation.test_scores, evaluation.train_scores
            test = test if isinstance(test, dict) else scores
            train = scores if isinstance(train, Real) else train
            if test is not evaluation.test_scores or (
                train is not evaluation.train_scores
            ):
                self._evaluations[i] = replace(
                    evaluation, test_scores=test, train_scores=train
                )


def _nan_like(scores: Scores) -> Scores:
    return dict.fromkeys(scores, math.nan) if isinstance(scores, dict) else math.nan


def _succeeded(evaluation: Evaluation) -> bool:
    """Whether the scores are what a scorer has returned."""
    return evaluation.fit_error is None and evaluation.score_error is None


def _scores_of(evaluation: Evaluation) -> list[Scores]:
    """Return the scores of the test part, and those of the train part if any."""
    given = evaluation.test_scores, evaluation.train_scores
    return [scores for scores in given if scores is not None]


def _names(scores: Scores) -> Set[str] | None:
    return scores.keys() if isinstance(scores, dict) else None


def _described(scores: Scores) -> str:
    """Return the names of several scores, for a message."""
    if not isinstance(scores, dict):
        return "a number"
    return f"scores named {sorted(scores, key=str)}"


def _as_dict(evaluation: Evaluation) -> dict[str, Any]:
    row = {
        "fit_error": evaluation.fit_error,
        "test_scores": evaluation.test_scores,
        "n_test_samples": evaluation.n_test_samples,
        "fit_time": evaluation.fit_time,
        "score_time": evaluation.score_time,
    }
    if evaluation.train_scores is not None:
        row["train_scores"] = evaluation.train_scores
    return row
