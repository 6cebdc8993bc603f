"""The rows of a journal: evaluations as numbers and text, bit for bit, and sealed."""

from __future__ import annotations

import ast
import hashlib
import json
import math
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from skhpo._trial import Evaluation, Gradient, ManyScores, Params, Scores, StageScores

__all__ = ["COLUMNS", "param_columns", "seal_of", "to_columns", "to_evaluation"]

# A number as NumPy 2 writes it.
_OF_NUMPY = re.compile(r"np\.(?:float|int|uint|bool|str)\w*\((.*)\)", re.DOTALL)
# Of the table ``evaluation``: what `to_columns` gives, in its order.
COLUMNS = (
    "params, test_scores, train_scores, fit_time, score_time, n_test_samples, "
    "fit_error, finished"
)


def to_columns(params: Params, evaluation: Evaluation) -> tuple[Any, ...]:
    """Return an evaluation as the values of `COLUMNS`, finished now."""
    test: Any = evaluation.test_scores
    train: Any = evaluation.train_scores
    curve, error = evaluation.curve, evaluation.fit_error
    if curve is not None:
        test = _as_table(curve, curve.test_scores)
        train = None if train is None else _as_table(curve, curve.train_scores)
    if evaluation.gradient is not None:
        slopes, problem = dict(evaluation.gradient.slopes), evaluation.gradient.problem
        test = {"score": test, "gradient": slopes, "problem": problem}
    if error is not None:  # what SQLite cannot encode is written as "\\udc80"
        error = error.encode("utf-8", "backslashreplace").decode()
    return (
        json.dumps({name: repr(params[name]) for name in sorted(params)}),
        _scores_as_text(test),
        None if train is None else _scores_as_text(train),
        _number(evaluation.fit_time),
        _number(evaluation.score_time),
        int(evaluation.n_test_samples),
        error,
        time.time(),
    )


def _as_table(curve: StageScores, scores: ManyScores | None) -> dict[str, Any]:
    """Return the scores of all stages, which no dict of scores can be taken for."""
    return {"parameter": curve.name, "stages": curve.stages, "scores": scores}


def _scores_as_text(scores: Scores | dict[str, Any]) -> str:
    """Return scores so that they come back bit for bit: JSON, with Python's NaN."""
    return json.dumps(scores, default=lambda number: number.item())


def _scores_of(text: str) -> Any:
    """Return what `_scores_as_text` was given; JSON takes six times as long for one."""
    return float(text) if "." in text and text[0] != "{" else json.loads(text)


def to_evaluation(content: Sequence[Any]) -> Evaluation:
    """Return the evaluation that `to_columns` was given, as one that was found."""
    _, test, train, fit_time, score_time, n_test_samples, fit_error, _ = content
    test_scores = _scores_of(test)
    train_scores = None if train is None else _scores_of(train)
    curve = gradient = None
    if isinstance(test_scores, dict) and isinstance(test_scores.get("gradient"), dict):
        test_scores, slopes, problem = test_scores.values()
        gradient = Gradient(slopes, problem)
    if isinstance(test_scores, dict) and isinstance(test_scores.get("stages"), list):
        name, stages, columns = test_scores.values()
        curve = StageScores(name, stages, columns, (train_scores or {}).get("scores"))
    evaluation = Evaluation(
        test_scores,
        train_scores,
        math.nan if fit_time is None else fit_time,
        math.nan if score_time is None else score_time,
        n_test_samples,
        fit_error,
        curve=curve,
        gradient=gradient,
        is_found=True,
    )
    return evaluation if curve is None else evaluation.at_stage(curve.stages[-1])


def param_columns(params: Sequence[Mapping[str, str]]) -> dict[str, list[Any]]:
    """Return a column ``param_<name>`` for each parameter, from values as text.

    Examples
    --------
    >>> param_columns([{"C": "np.float64(0.5)", "kernel": "'rbf'"}, {"C": "2"}])
    {'param_C': [0.5, 2], 'param_kernel': ['rbf', None]}
    """
    names = sorted({name for row in params for name in row})
    return {
        f"param_{name}": [_value(row[name]) if name in row else None for row in params]
        for name in names
    }


def _value(text: str) -> Any:
    """Return a number, a boolean, a string or None from its text; others as text."""
    match = _OF_NUMPY.fullmatch(text)
    plain = match[1] if match else text
    if plain.lstrip("-") in ("nan", "inf"):
        return float(plain)
    try:
        value = ast.literal_eval(plain)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    is_one = value is None or isinstance(value, bool | int | float | str)
    return value if is_one else text


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
