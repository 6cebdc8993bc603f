"""Failed fits, grouped by what went wrong."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from skhpo._trial import Candidate, Params, Trial
from skhpo._words import counted

__all__ = ["Failures", "cause_of", "group_failures", "summarize"]

# The line of a traceback that names the exception: not indented, as all others are.
_EXCEPTION = re.compile(r"^([A-Za-z_][\w.]*)(?:: (.*))?$", re.DOTALL)
# So many are shown in warnings.
SHOWN = 3


@dataclass(frozen=True)
class Failures:
    """Fits that failed in the same way.

    Parameters
    ----------
    kind : str
        Name of the exception's class.
    message : str
        What it said.
    n_fits : int
        How many fits, one for each candidate and split.
    n_candidates : int
        How many candidates.
    params : mapping of str to object
        Parameters of the first of them.
    split : int
        Number of the split on which it failed first.
    traceback : str
        Where; empty for what ended the fit from outside, such as a time limit.
    rows : tuple of int, default=()
        The candidates by their rows of ``cv_results_``; those that failed on the fresh
        splits of finalists only are not among them.
    """

    kind: str
    message: str
    n_fits: int
    n_candidates: int
    params: Params
    split: int
    traceback: str
    rows: tuple[int, ...] = ()


def group_failures(
    trials: Iterable[Trial], more: Iterable[Trial] = ()
) -> list[Failures]:
    """Return the failures among evaluations by kind and message, most frequent first.

    Parameters
    ----------
    trials : iterable of Trial
        The candidates and their evaluations, row by row.
    more : iterable of Trial, default=()
        Others that have no rows.

    Returns
    -------
    list of Failures
        Empty if every fit succeeded.
    """
    groups: dict[tuple[str, str], list[tuple[Candidate, int, str]]] = {}
    rows: dict[tuple[str, str], set[int]] = {}
    numbered = itertools.chain(enumerate(trials), ((-1, trial) for trial in more))
    for row, trial in numbered:
        for split, evaluation in enumerate(trial.evaluations):
            if evaluation is not None and evaluation.fit_error is not None:
                place = trial.candidate, split, evaluation.fit_error
                cause = cause_of(evaluation.fit_error)
                groups.setdefault(cause, []).append(place)
                rows.setdefault(cause, set()).add(row)
    failures = []
    for (kind, message), places in groups.items():
        candidate, split, text = places[0]
        traceback = text if text.startswith("Traceback") else ""
        n_candidates = len({candidate.id for candidate, *_ in places})
        failures.append(
            Failures(
                kind,
                message,
                len(places),
                n_candidates,
                candidate.params,
                split,
                traceback,
                tuple(sorted(rows[kind, message] - {-1})),
            )
        )
    return sorted(failures, key=lambda failure: -failure.n_fits)


def summarize(failures: list[Failures]) -> str:
    """Return a few lines on the most frequent failures."""
    lines = []
    for failure in failures[:SHOWN]:
        first_line = failure.message.partition("\n")[0]
        fits = counted(failure.n_fits, "fit")
        lines.append(
            f"{fits} of {counted(failure.n_candidates, 'candidate')}: {failure.kind}: "
            f"{first_line}\n    e.g. {dict(failure.params)!r}"
        )
    if len(failures) > SHOWN:
        lines.append(f"and {len(failures) - SHOWN} more: see failures_.")
    return "\n".join(lines)


def cause_of(text: str) -> tuple[str, str]:
    """Return kind and message of the exception that a traceback ends with."""
    *_, last = text.rpartition("Traceback (most recent call last):\n")
    lines = last.strip("\n").split("\n")
    for number, line in enumerate(lines):
        if line and not line[0].isspace():
            match = _EXCEPTION.match("\n".join(lines[number:]))
            if match:
                return match[1].rpartition(".")[2], match[2] or ""
            break
    return "Error", text.strip()
