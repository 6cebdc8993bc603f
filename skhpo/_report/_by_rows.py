"""The correction from responses: choose on rows that are drawn, score on the others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.model_selection import PredefinedSplit

from skhpo import _split_scores as split_scores
from skhpo._arithmetic import Array
from skhpo._report._bootstrap import (
    centered_interval,
    chosen_scores,
    draw_counts,
    optimism,
)
from skhpo._report._correction import LEAST_RISE, Correction, History, Index
from skhpo._report._reading import Reading
from skhpo._report._report import Report
from skhpo._report._row_scores import RowScores, find_row_scores
from skhpo._report._rows_tested import RowsTested
from skhpo._words import counted

__all__ = ["by_rows"]

# Responses are in single precision, which may turn two neighbors in a ranking.
TOLERANCE = 1e-3
FEW_GROUPS = 10
# Scores of the rows outside of a draw, a third of all, vary 1.31 times as much as those
# of all rows; models of other train rows would vary, too, which no draw knows of. As
# wide as the draws, intervals cover 0.93 to 1.00 of the truths in 14 settings (133 to
# 233 of each, `benchmarks/honest.py`), with this factor 0.92 to 0.99.
WIDTH = 0.93
INSTEAD = "so the report is from the scores of the splits."


def by_rows(
    search: Any,
    reading: Reading,
    start: Report,
    history: History,
    rng: np.random.Generator,
) -> Correction | None:
    """Return the correction from responses; None if there are none, or they do not do.

    Parameters
    ----------
    search : estimator
        Fitted.
    reading : Reading
        What is known of it; why its responses do not do is noted there.
    start : Report
        What is known without a correction.
    history : History
        Which candidates came first.
    rng : numpy.random.Generator
        Draws the rows.
    """
    oof = getattr(search, "oof_", None)
    if oof is None:
        return None
    reason = _why_not(oof, reading)
    if reason is not None:
        reading.notes.append(f"{reason}, {INSTEAD}")
        return None
    known = np.array([oof[row] is not None for row in reading.rows])
    rows = reading.rows[known]
    found = _row_scores(oof, reading, rows)
    if found is None:
        reading.notes.append(
            "The responses that were kept do not give the scores of the splits again, "
            f"{INSTEAD}"
        )
        return None
    units, strata, notes = _units(search, oof, by_split=found.by_split)
    if not known.all():
        candidates = counted(len(known), "candidate")
        notes.append(
            f"The responses of {np.sum(~known)} of {candidates} are not known: they "
            "are taken for candidates that could not have won."
        )
        history = History([], [])
    counts = draw_counts(strata, found.n_draws, rng)[:, units]
    inside, outside = found(counts), found(counts == 0)
    what = "Rows" if oof.groups is None else "Groups"
    method = (
        f"{what} were drawn with replacement, {len(counts)} times; candidates were "
        f"chosen on those drawn, and scored on the others (BBC-CV).{found.how}"
    )
    drawn = _corrected(reading, start, history, rows, inside, outside)
    return None if drawn is None else replace(drawn, method=method, notes=notes)


def _why_not(oof: Any, reading: Reading) -> str | None:
    """Return why responses do not tell what the winner was chosen by."""
    if oof.metric != reading.metric:
        return f"The responses are those of {oof.metric!r}"
    if reading.rule is not None:
        return "A callable 'refit' chooses by cv_results_, which no rows give anew"
    if reading.curves is not None:
        return (
            "Numbers of iterations were chosen by all rows, and responses are known at "
            "the numbers chosen only"
        )
    if reading.splitting.in_time:
        return "Rows that follow each other in time cannot be drawn one by one"
    needed = [reading.winner] + ([] if reading.given is None else [reading.given])
    if any(oof[row] is None for row in needed):
        return "The response of the winner, or of the estimator as given, is not known"
    return None


def _row_scores(oof: Any, reading: Reading, rows: Index) -> RowScores | None:
    """Return what scores rows, if it gives the scores of the splits again."""
    expected = reading.scores[rows].T
    scoring = oof.scoring
    of_splits = oof.splits == np.unique(oof.splits)[:, None]
    for weights in [None] if oof.sample_weight is None else [oof.sample_weight, None]:
        tested = RowsTested(
            oof.y[oof.rows],
            np.array([oof[row] for row in rows]),
            oof.splits,
            None if weights is None else weights[oof.rows].astype(float),
        )
        for way in find_row_scores(
            scoring.function,
            scoring.kwargs,
            scoring.sign,
            tested,
            predicts=scoring.predicts,
        ):
            if np.allclose(way(of_splits), expected, TOLERANCE, TOLERANCE):
                return way
    return None


def _units(search: Any, oof: Any, *, by_split: bool) -> tuple[Index, Index, list[str]]:
    """Return the unit of each tested row, the stratum of each unit, and notes.

    Units are what is drawn: rows of the data, or groups of them as a whole.
    """
    notes = []
    if oof.groups is not None:
        groups, units = np.unique(oof.groups[oof.rows], return_inverse=True)
        if len(groups) < FEW_GROUPS:
            notes.append(
                f"There are {len(groups)} groups only, which are drawn as a whole: "
                "intervals from so few are no more than a hint."
            )
        return units, np.zeros(len(groups), np.intp), notes
    if isinstance(search.cv, list | tuple | PredefinedSplit):
        notes.append(
            "Rows were drawn one by one. If some of them belong together, give fit "
            "their groups, whatever the splitter: without, intervals are too narrow."
        )
    rows, units = np.unique(oof.rows, return_inverse=True)
    strata = np.zeros(len(rows), np.intp)
    if by_split and len(rows) == len(units):
        strata[units] = oof.splits
    return units, strata, notes


def _corrected(
    reading: Reading,
    start: Report,
    history: History,
    rows: Index,
    inside: Array,
    outside: Array,
) -> Correction | None:
    """Return the correction from scores on drawn rows and on the others."""
    winner = int(np.flatnonzero(rows == reading.winner)[0])
    chosen = chosen_scores(inside, outside)
    score = start.best_score - optimism(chosen, outside, winner)
    if not np.isfinite(score):
        return None
    n_rows = split_scores.scored_rows(reading.scores[rows])
    z = split_scores.quantile_of(start.level)
    floor = split_scores.proportion_floor(score, n_rows)
    numbers, rising = _history(reading, history, inside, outside)
    likely = WIDTH * chosen
    found: dict[str, Any] = {
        "interval": centered_interval(likely, score, start.level, z * floor),
        "error": max(float(np.nanstd(likely)), floor),
        "history": numbers,
        "rising": rising,
        "method": "",
    }
    if reading.given is None or start.default_score is None:
        return Correction(score, **found)
    given = outside[:, int(np.flatnonzero(rows == reading.given)[0])]
    gain, default = score - start.default_score, start.default_score
    least = z * split_scores.proportion_floor(default, n_rows)
    found["default_interval"] = centered_interval(given, default, start.level, least)
    found["gain"] = gain
    least = z * split_scores.gain_floor(gain, n_rows)
    found["gain_interval"] = centered_interval(chosen - given, gain, start.level, least)
    return Correction(score, **found)


def _history(
    reading: Reading, history: History, inside: Array, outside: Array
) -> tuple[list[tuple[int, float]], bool | None]:
    """Return the corrected scores with fewer candidates; whether they still rise."""
    if not history.numbers:
        return [], None
    means = reading.means[reading.rows]
    scores, drawn = [], []
    for n in history.numbers:
        by_order = []
        of_draws = []
        for first in history.first(n, len(history.orders)):
            chosen = chosen_scores(inside, outside, first)
            winner = int(first[np.argmax(means[first])])
            by_order.append(means[winner] - optimism(chosen, outside, winner))
            of_draws.append(chosen)
        scores.append(float(np.mean(by_order)))
        drawn.append(np.mean(of_draws, axis=0))
    rise, doubt = drawn[-1] - drawn[-2], float(np.nanstd(drawn[-1]))
    error = float(np.nanstd(rise))
    rising = bool(scores[-1] - scores[-2] > max(error, LEAST_RISE * doubt))
    return list(zip(history.numbers, scores, strict=True)), rising
