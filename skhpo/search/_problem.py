"""What a search is of, as its journal recognizes it; what it never will."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sklearn import get_config

from skhpo._fingerprint import fingerprint, steady_fingerprint
from skhpo._sklearn_compat import without_estimator
from skhpo._warnings import warn_user
from skhpo.evaluation import EvaluationSpec
from skhpo.exceptions import JournalError, JournalWarning
from skhpo.journal import Journal, Problem

__all__ = ["open_journal", "warn_of_redraws"]

# Part of all that is recognized. Another one whenever fingerprints come to see more, so
# that what was kept by those that saw less is never taken for the same.
KEY_VERSION = 3


@contextmanager
def open_journal(
    path: str | os.PathLike[str] | None, spec: EvaluationSpec
) -> Iterator[Journal | None]:
    """Open the journal of a search, None if there is to be none."""
    if path is None:
        yield None
        return
    with Journal(path, describe(spec)) as journal:
        yield journal


def describe(spec: EvaluationSpec) -> Problem:
    """Return what evaluations of a search are of.

    Raises
    ------
    JournalError
        If something of it could not be recognized in another process.
    """
    scorer = without_estimator(spec.scorer)
    parts = {
        "estimator": (True, spec.estimator),
        "settings of scikit-learn": (False, _settings()),
        "data": (False, (spec.X, spec.y, spec.fit_params)),
        "splits": (False, list(spec.splits)),
        "scoring": (False, (scorer, spec.score_params, spec.error_score)),
    }
    digests = [_digest(name, part, cloned) for name, (cloned, part) in parts.items()]
    y = "" if spec.y is None else f", y {_shape(spec.y)}"
    return Problem(
        fingerprint(KEY_VERSION, *digests),
        repr(spec.estimator),
        f"X {_shape(spec.X)}{y}, {len(spec.splits)} splits",
        repr(spec.scorer),
    )


def draws_anew(cv: Any) -> bool:
    """Whether a splitter gives other splits each time it is asked.

    Parameters
    ----------
    cv : int, splitter, iterable or None
        What the user gave as `cv`.

    Examples
    --------
    >>> from sklearn.model_selection import KFold, ShuffleSplit
    >>> [draws_anew(cv) for cv in (5, KFold(), KFold(shuffle=True), ShuffleSplit())]
    [False, False, True, True]
    """
    return getattr(cv, "shuffle", True) and getattr(cv, "random_state", 0) is None


def warn_of_redraws(search: Any) -> None:
    """Warn if a journal can hardly help: candidates or splits will be others."""
    if search.journal is None:
        return
    if draws_anew(search.cv):
        warn_user(
            f"{search.cv!r} splits in another way at every fit, so that nothing is "
            "found in the journal. Set its random_state to an integer, so that a "
            "run can be resumed.",
            JournalWarning,
        )
    is_random = "random_state" in search._get_param_names()
    if is_random and search.random_state is None:
        warn_user(
            f"With random_state=None, {type(search).__name__} proposes other "
            "candidates at every fit, and hardly finds them in its journal. Set "
            "random_state to an integer, so that a run can be resumed.",
            JournalWarning,
        )


def _settings() -> dict[str, Any]:
    """Return those settings of scikit-learn that may decide what a fit gives."""
    of_display = ("display", "print_changed_only")
    return {k: v for k, v in sorted(get_config().items()) if k not in of_display}


def _digest(name: str, part: object, cloned: bool) -> str:
    # A look at data takes as long as they are large, and they keep still.
    read = fingerprint if name == "data" else steady_fingerprint
    try:
        return read(part, cloned=cloned)
    except Exception as error:
        raise JournalError(
            f"A journal recognizes what it is of by its content, and the {name} of "
            "this search has something that another process could not recognize: "
            f"{error}. Run this search without a journal, or give it another {name}."
        ) from error


def _shape(data: Any) -> str:
    shape = getattr(data, "shape", None)
    return f"{type(data).__name__} {shape if shape else f'({len(data)},)'}"
