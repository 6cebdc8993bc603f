"""A comparison in words: as lines of text, and as HTML."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from skhpo._candidates._axis import clipped
from skhpo._comparison._records import Pair, SearchSummary
from skhpo._printable import html_box, in_digits_of, literal, paragraph, printable
from skhpo._words import counted

__all__ = ["as_html", "as_text", "verdict"]

MAX_NAME = 30
UNKNOWN = "?"
Table = list[tuple[str, ...]]


def as_text(found: Any) -> str:
    """Return the summary, as it is printed; the verdict comes last."""
    lines = [_title(found)]
    for table in _tables(found):
        lines += ["", *_aligned(table)]
    said = [f"Note: {note}" for note in found.notes]
    said += [f"How: {_method(found)}", verdict(found)]
    return "\n".join([*map(printable, lines), "", *(paragraph(line) for line in said)])


def as_html(found: Any) -> str:
    """Return the summary as one ``div`` without scripts and styles."""
    tables = "".join(_html_table(table) for table in _tables(found))
    notes = "".join(f"<li>{literal(n)}</li>" for n in [*found.notes, _method(found)])
    return html_box(
        f"<div>{literal(_title(found))}</div>{tables}"
        f"<details><summary>Notes</summary><ul>{notes}</ul></details>"
        f"<div><b>{literal(verdict(found))}</b></div>"
    )


def verdict(found: Any) -> str:
    """Return the result in one sentence, with the doubt in it."""
    return f"{_result(found)}{_failed(found)}."


def _result(found: Any) -> str:
    known = [s for s in found.searches.values() if not math.isnan(s.score)]
    best, *others = sorted(known, key=lambda summary: -summary.score)
    if not others:
        return f"Only {best.name!r} has scores, so there is nothing to compare it with"
    if found.winner is not None:
        return _named(found, found.searches[found.winner])
    pairs = [_seen_from(best.name, pair) for pair in found.pairs if _is_in(best, pair)]
    if all(pair.same == 1 for pair in pairs):
        return "No winner: the models that were chosen score the same on every split"
    known_pairs = [pair for pair in pairs if not math.isnan(pair.better)]
    closest = min(known_pairs, key=lambda pair: pair.better, default=None)
    doubt = (
        "it has too few splits in common with the others"
        if closest is None
        else f"but {closest.second!r} is as good or better with a probability of "
        f"{_probability(1 - closest.better)}"
    )
    score = number(best.score, found)
    return f"No winner is shown: {best.name!r} has the highest mean, {score}, {doubt}"


def _named(found: Any, winner: SearchSummary) -> str:
    pairs = [
        _seen_from(winner.name, pair) for pair in found.pairs if _is_in(winner, pair)
    ]
    pairs = [pair for pair in pairs if not math.isnan(pair.better)]
    closest = min(pairs, key=lambda pair: pair.better)
    more = f" by more than {found.rope:g}" if found.rope else ""
    rest = "" if len(pairs) == 1 else f", the closest of {len(pairs)} others"
    return (
        f"{winner.name!r} is better than {closest.second!r}{rest}{more} on these data "
        f"with a probability of {_probability(closest.better)} "
        f"({number(winner.score, found)} against "
        f"{number(found.searches[closest.second].score, found)}), and with one of "
        f"{_probability(1 - closest.better)} it is not"
    )


def _failed(found: Any) -> str:
    failed = [s for s in found.searches.values() if s.n_failed]
    if not failed:
        return ""
    told = [
        f"{s.name!r} failed in {s.n_failed} of {counted(s.n_runs, 'run')}"
        for s in failed
    ]
    return "; " + ", ".join(told)


def _is_in(summary: SearchSummary, pair: Pair) -> bool:
    return summary.name in (pair.first, pair.second)


def _seen_from(name: str, pair: Pair) -> Pair:
    """Return the pair with this search first."""
    if pair.first == name:
        return pair
    low, high = pair.interval
    return Pair(
        *(pair.second, pair.first, -pair.difference, (-high, -low)),
        *(pair.worse, pair.same, pair.better),
    )


def _title(found: Any) -> str:
    splits, seeds = counted(found.n_splits, "split"), counted(found.n_seeds, "seed")
    return (
        f"{len(found.searches)} searches on {splits} of {found.n_rows} rows, "
        f"{seeds} each: {found.metric} on rows that no search has seen"
    )


def _tables(found: Any) -> list[Table]:
    summaries = list(found.searches.values())
    level = f"{100 * found.level:g} % interval"
    higher = "best_score_ above it"
    return [
        [
            ("", "score", level, higher, "sd of seeds", "sd of splits"),
            *(_quality(summary, found) for summary in summaries),
        ],
        [
            ("", "near the best after", "or", "never", "fits", "saved", "time", "set"),
            *(_cost(summary) for summary in summaries),
        ],
        [
            ("", "difference", level, "P(better)", "P(same)", "P(worse)"),
            *map(_pair, found.pairs),
        ],
    ]


def _quality(summary: SearchSummary, found: Any) -> tuple[str, ...]:
    return (
        clipped(summary.name, MAX_NAME),
        number(summary.score, found),
        " ... ".join(number(end, found) for end in summary.interval),
        number(summary.optimism, found),
        number(summary.sd_seeds, found),
        number(summary.sd_splits, found),
    )


def _cost(summary: SearchSummary) -> tuple[str, ...]:
    saved, n_done = summary.saved, summary.n_runs - summary.n_failed
    packages = [f", {package}" for package in summary.packages]
    is_told = not math.isnan(summary.candidates_to_best)
    never = f"{summary.n_not_reached} of {n_done}" if is_told else UNKNOWN
    return (
        clipped(summary.name, MAX_NAME),
        _amount(summary.candidates_to_best, ".0f", "candidates"),
        _amount(summary.seconds_to_best, ".3g", "s"),
        never,
        _amount(summary.n_fits, ".0f"),
        UNKNOWN if math.isnan(saved) else f"{100 * saved:.0f} %",
        _amount(summary.seconds, ".3g", "s"),
        f"{counted(summary.n_options, 'option')}, "
        + counted(summary.n_dimensions, "dimension")
        + "".join(packages),
    )


def _amount(value: float, how: str, unit: str = "") -> str:
    """Return a count or a time, as text."""
    if math.isnan(value):
        return UNKNOWN
    return "never" if value == math.inf else f"{value:{how}} {unit}".rstrip()


def number(value: float, found: Any) -> str:
    """Return a score with as many digits as scores of its size deserve."""
    if not math.isfinite(value):
        return UNKNOWN
    known = [abs(s.score) for s in found.searches.values() if math.isfinite(s.score)]
    size = max(known, default=0.0)
    return in_digits_of(size, value)


def _probability(value: float) -> str:
    """Return a probability that is never written as certain if it is not."""
    if 0 < value < 0.001:
        return "less than 0.001"
    return "more than 0.999" if 0.999 < value < 1 else f"{value:.3g}"


def _pair(pair: Pair) -> tuple[str, ...]:
    names = [clipped(name, MAX_NAME) for name in (pair.first, pair.second)]
    chances = (pair.better, pair.same, pair.worse)
    return (
        " over ".join(names),
        *([UNKNOWN] * 2 if math.isnan(pair.better) else _signed(pair)),
        *(UNKNOWN if math.isnan(p) else _probability(p) for p in chances),
    )


def _signed(pair: Pair) -> list[str]:
    low, high = pair.interval
    return [f"{pair.difference:+.3g}", f"{low:.3g} ... {high:.3g}"]


def _method(found: Any) -> str:
    return (
        "Each search was fitted on the train rows of every split, and its best model "
        "scored on the test rows. Probabilities are of the correlated t test (Corani "
        "and Benavoli, 2015), on means over the seeds, with a ratio of test to train "
        f"rows of {found.ratio:.2g}; a difference up to {found.rope:g} is none. "
        "Counts and times are medians of runs; near the best is within a standard "
        "error of the best inner score that any search reached on the same split."
    )


def _aligned(table: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table: names to the left, the rest to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = []
    for name, *cells in table:
        padded = [cell.rjust(w) for cell, w in zip(cells, widths[1:], strict=True)]
        lines.append("  " + "  ".join([name.ljust(widths[0]), *padded]).rstrip())
    return lines


def _html_table(table: Sequence[Sequence[str]]) -> str:
    rows = []
    for i, row in enumerate(table):
        tag = "td" if i else "th"
        cells = (f'<{tag} style="text-align:left">{literal(c)}</{tag}>' for c in row)
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table><tbody>{''.join(rows)}</tbody></table>"
