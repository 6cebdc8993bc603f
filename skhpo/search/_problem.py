"""What a search is of, as its journal recognizes it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sklearn import get_config

from skhpo._fingerprint import fingerprint, steady_fingerprint
from skhpo._sklearn_compat import without_estimator
from skhpo.evaluation import EvaluationSpec
from skhpo.exceptions import JournalError
from skhpo.journal import Journal, Problem

__all__ = ["open_journal"]

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
