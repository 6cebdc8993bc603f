"""The rows of a journal: evaluations as numbers and text, bit for bit, and sealed."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Sequence
from typing import Any

from skhpo._trial import Evaluation, Params, Scores

__all__ = ["COLUMNS", "seal_of", "to_columns", "to_evaluation"]

# Of the table ``evaluation``: what `to_columns` gives, in its order.
COLUMNS = (
    "params, test_scores, train_scores, fit_time, score_time, n_test_samples, "
    "fit_error, finished"
)


def to_columns(params: Params, evaluation: Evaluation) -> tuple[Any, ...]:
    """Return an evaluation as the values of `COLUMNS`, finished now."""
    train, error = evaluation.train_scores, evaluation.fit_error
    if error is not None:  # what SQLite cannot encode is written as "\\udc80"
        error = error.encode("utf-8", "backslashreplace").decode()
    return (
        json.dumps({name: repr(params[name]) for name in sorted(params)}),
        _scores_as_text(evaluation.test_scores),
        None if train is None else _scores_as_text(train),
        _number(evaluation.fit_time),
        _number(evaluation.score_time),
        int(evaluation.n_test_samples),
        error,
        time.time(),
    )


def _scores_as_text(scores: Scores) -> str:
    """Return scores so that they come back bit for bit: JSON, with Python's NaN."""
    return json.dumps(scores, default=lambda number: number.item())


def to_evaluation(content: Sequence[Any]) -> Evaluation:
    """Return the evaluation that `to_columns` was given."""
    _, test, train, fit_time, score_time, n_test_samples, fit_error, _ = content
    train_scores: Scores | None = None if train is None else json.loads(train)
    return Evaluation(
        json.loads(test),
        train_scores,
        math.nan if fit_time is None else fit_time,
        math.nan if score_time is None else score_time,
        n_test_samples,
        fit_error,
    )


def _number(value: float) -> float | None:
    """SQLite has no NaN, which is stored as NULL, and no -0.0."""
    return None if math.isnan(value) else float(value) + 0.0


def seal_of(*content: Any) -> str:
    """Return a digest that tells whether any part, or the place of one, has changed."""
    digest = hashlib.blake2b(digest_size=8)
    for part in content:
        data = part if isinstance(part, bytes) else repr(part).encode()
        digest.update(b"%d;" % len(data))
        digest.update(data)
    return digest.hexdigest()
