"""What the user should hear of while a search is young, and not at its end."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from skhpo._sklearn_compat import BaseSearchCV
from skhpo._trial import Evaluation, Trial
from skhpo._warnings import warn_user
from skhpo._words import counted, did_you_mean
from skhpo.exceptions import SkhpoWarning
from skhpo.search.feedback._failures import SHOWN, cause_of

__all__ = ["FirstFailures", "ScoreCheck"]

# So many candidates must have failed, and no other be complete, for a warning.
MANY = 10


@dataclass(frozen=True)
class ScoreCheck:
    """Checks the names of several scores against what the search makes of them.

    Those of a callable are known when it has been called. It goes to the workers, so
    that the first fit that succeeds tells, and not a night of fits.

    Parameters
    ----------
    name : str
        Of the search.
    refit : bool, str or None
        The parameter of the search; None for a callable, which may stay here.
    shown : str
        The same, for the message.
    wants_one : str or None
        What the search does with a single score, for the message; None if nothing.
    """

    name: str
    refit: bool | str | None
    shown: str
    wants_one: str | None

    def __call__(self, scores: Iterable[str]) -> None:
        """Raise ValueError if `refit` is none of the scores, or leaves open which."""
        if self.refit is not None:
            check_refit(self, scores)
        self.check_one(scores)

    def check_one(self, scores: Iterable[str]) -> None:
        """Raise ValueError if one score is wanted, and it is not said which one."""
        names = sorted(scores)
        if self.wants_one is None or len(names) < 2 or isinstance(self.refit, str):
            return
        raise ValueError(
            f"{self.name} {self.wants_one} one score: with several, the 'refit' "
            f"parameter must be the name of the one to maximize, one of {names}. Got "
            f"{self.shown} instead."
        )


class FirstFailures:
    """Warns, once, if all of the first candidates have failed; with the reason.

    Parameters
    ----------
    name : str
        Of the search.
    n_candidates : int or None
        How many there will be, where that is known.
    """

    def __init__(self, name: str, n_candidates: int | None) -> None:
        self._name = name
        self._is_over = n_candidates is not None and n_candidates <= MANY
        self._n_complete = 0
        self._reasons: Counter[str] = Counter()

    def note(self, trial: Trial) -> None:
        """Take note of a complete candidate."""
        if self._is_over:
            return
        reasons = [r for r in map(_reason, trial.done) if r is not None]
        self._n_complete += 1
        self._reasons.update(reasons)
        self._is_over = not reasons or self._n_complete == MANY
        if reasons and self._is_over:
            self._warn()

    def _warn(self) -> None:
        lines = [
            f"{counted(n, 'evaluation')}: {reason}"
            for reason, n in self._reasons.most_common(SHOWN)
        ]
        warn_user(
            f"The first {MANY} candidates of {self._name} have all failed. The most "
            "frequent reasons:\n" + "\n".join(lines) + "\nThe search goes on. If this "
            "is a mistake, interrupt it; error_score='raise' shows the first failure "
            "with its traceback.",
            SkhpoWarning,
        )


def check_refit(search: Any, scores: Iterable[str]) -> None:
    """Raise ValueError if `refit` is none of several scores.

    Parameters
    ----------
    search : object
        Its `refit` is the one.
    scores : iterable of str
        Their names.
    """
    check: Any = BaseSearchCV._check_refit_for_multimetric
    try:
        check(search, scores)  # in scikit-learn's words, which reads `refit` only
    except ValueError as error:
        hint = did_you_mean(search.refit, scores, "refit=")
        raise ValueError(f"{hint}{error}") from None


def _reason(evaluation: Evaluation) -> str | None:
    """Return why there is no score, in one line; None if there is one."""
    if evaluation.fit_error is not None:
        return f"the fit failed with {_line(evaluation.fit_error)}"
    given = evaluation.test_scores
    scores = list(given.values()) if isinstance(given, dict) else [given]
    known = {score for score in scores if math.isfinite(score)}
    if evaluation.score_error is not None:
        # Those that failed are all NaN, or all the same number, error_score.
        if len(known) > (0 if any(map(math.isnan, scores)) else 1):
            return None
        return f"the scorer failed with {_line(evaluation.score_error)}"
    if known:
        return None
    return f"the scorer returned {given!r}"


def _line(error: str) -> str:
    kind, message = cause_of(error)
    first_line = message.partition("\n")[0]
    return f"{kind}: {first_line}" if first_line else kind
