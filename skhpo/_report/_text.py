"""A report in words: as lines of text, and as HTML."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from skhpo._candidates._axis import short
from skhpo._printable import html_box, in_digits_of, literal, paragraph, printable
from skhpo._words import counted

__all__ = ["as_html", "as_text"]

# A parameter of this share is decisive, and one of less than that is not needed.
DECISIVE, NEEDLESS = 0.1, 0.02
# Below this share of the variance of unseen scores, the model knows nothing.
LEAST_EXPLAINED = 0.2
MOST_NAMED = 4

GAPS = {
    "overfits": "It overfits: a simpler model, or more rows.",
    "underfits": "It underfits: a larger model may do better.",
    "fits": "",
}


def as_text(report: Any) -> str:
    """Return the summary, as it is printed."""
    rows = _table(report)
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    lines = [_title(report)]
    for name, score, interval, remark in rows:
        cells = f"  {name:<{widths[0]}}  {score:>{widths[1]}}"
        lines.append(f"{cells}   {interval:<{widths[2]}}   {remark}".rstrip())
    sentences = _findings(report) + [f"Note: {note}" for note in report.notes]
    if report.method:
        sentences.append(f"How: {report.method}")
    lines = [printable(line) for line in lines]
    return "\n".join([*lines, *(paragraph(line) for line in sentences)])


def as_html(report: Any) -> str:
    """Return the summary as one ``div`` without scripts and styles."""
    head, *rows = (
        "".join(f'<{tag} style="text-align:left">{literal(c)}</{tag}>' for c in row)
        for tag, row in zip(["th", *["td"] * 9], _table(report), strict=False)
    )
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    notes = [*report.notes, *([report.method] if report.method else [])]
    found = "".join(f"<li>{literal(line)}</li>" for line in _findings(report))
    small = "".join(f"<li>{literal(note)}</li>" for note in notes)
    return html_box(
        f"<div>{literal(_title(report))}</div>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"<ul>{found}</ul><details><summary>Notes</summary><ul>{small}</ul></details>"
    )


def _title(report: Any) -> str:
    candidates = counted(report.n_tried, "candidate")
    if report.n_tried > report.n_candidates:
        candidates = f"{report.n_candidates} of {candidates}"
    splits = counted(report.n_splits, "split")
    return f"{report.search}: {candidates} on {splits}, {report.metric}"


def _table(report: Any) -> list[tuple[str, str, str, str]]:
    """Return the rows of the table: name, score, interval, remark."""

    def score(value: float | None) -> str:
        return "" if value is None else number(value, report)

    rows = [("", "score", f"{100 * report.level:g} % interval", "")]
    if report.default_score is not None:
        interval = _between(report.default_interval, report)
        rows.append(("as given", score(report.default_score), interval, ""))
    if report.corrected_score is not None:
        interval = _between(report.interval, report)
        n = report.n_candidates
        remark = f"corrected for being chosen of {n}" if n > 1 else ""
        rows.append(("tuned", score(report.corrected_score), interval, remark))
    # With a callable refit, a search has no best_score_.
    best = "best_score_" if report.chosen_by is None else "its mean"
    rows.append((best, score(report.best_score), "", _luck(report)))
    if report.gain is not None:
        interval = _between(report.gain_interval, report)
        sign = "+" if report.gain >= 0 else ""
        rows.append(("gain", sign + score(report.gain), interval, _gain(report)))
    return rows


def number(value: float, report: Any) -> str:
    """Return a score with as many digits as scores of its size deserve."""
    return in_digits_of(abs(report.best_score), value)


def _between(interval: tuple[float, float] | None, report: Any) -> str:
    if interval is None:
        return ""
    return " ... ".join(number(end, report) for end in interval)


def _luck(report: Any) -> str:
    if report.optimism is None:
        return "how much of it is luck is not known"
    if report.n_candidates == 1 and report.optimism == 0:
        return "of the only candidate"
    luck = number(report.optimism, report)
    if report.optimism <= 0 or float(luck) == 0:
        return "not too high, as far as can be told"
    return f"too high by about {luck}"


def _gain(report: Any) -> str:
    assert report.gain is not None
    assert report.gain_interval is not None
    if report.gain_shown:
        return "shown"
    if report.gain_interval[1] < 0:
        return "it is worse: take the estimator as it was given"
    if report.best_index == report.default_index:
        return "not shown: the winner is the estimator as given"
    if report.gain <= report.rope:
        return "not shown: the estimator as given is as good"
    return "not shown: it may well be nothing"


def _findings(report: Any) -> list[str]:
    """Return the sentences below the table."""
    found = [
        _choice(report),
        _equals(report),
        _more(report),
        *map(_edge, report.at_edge),
        *_decisive(report),
        _gap(report),
        _splits(report),
        _cost(report),
    ]
    return [line for line in found if line]


def _choice(report: Any) -> str:
    return "" if report.chosen_by is None else f"chosen by refit={report.chosen_by}"


def _equals(report: Any) -> str:
    n = len(report.indistinguishable)
    if report.n_candidates == 1 or not n:
        return ""
    text = (
        f"as good as the winner, as far as {counted(report.n_splits, 'split')} can "
        f"tell: {n} of {report.n_candidates}"
    )
    if n == 1:
        return text
    if report.simplest is not None:
        text += f"; the simplest: {_row(report, report.simplest)}"
    if report.fastest is not None:
        same = report.fastest == report.simplest
        text += f"; the fastest: {'the same' if same else _row(report, report.fastest)}"
    return text


def _row(report: Any, row: int) -> str:
    return f"{_shown(report.params(row))} (row {row})"


def _shown(params: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={short(value)}" for name, value in params.items())


def _more(report: Any) -> str:
    if not report.corrected_history:
        return ""
    numbers = ", ".join(str(n) for n, _ in report.corrected_history)
    scores = ", ".join(number(s, report) for _, s in report.corrected_history)
    end = (
        "It still rises: more of them may help."
        if report.still_rising
        else "More of them are not what is missing; more rows or splits may be."
    )
    return f"more candidates: after {numbers}, the corrected score was {scores}. {end}"


def _edge(edge: Any) -> str:
    way = "up" if edge.end == "upper" else "down"
    return (
        f"{edge.name}={edge.value:.4g} is at the {edge.end} end of its range "
        f"({edge.bound:.4g}): try {way} to {edge.suggested:.4g}."
    )


def _decisive(report: Any) -> list[str]:
    shares, explained = report.importance, report.explained
    if explained is None or len(shares) < 2:
        return []
    if explained < LEAST_EXPLAINED:
        return ["Which parameters are decisive, these scores do not tell."]
    decisive = [f"{n} ({s:.0%})" for n, s in shares.items() if s >= DECISIVE]
    text = f"decisive: {', '.join(decisive[:MOST_NAMED])}."
    needless = [name for name, share in shares.items() if share < NEEDLESS]
    if needless:
        text += f" Could be left alone: {', '.join(needless)}."
    return [text]


def _gap(report: Any) -> str:
    if report.gap is None or report.corrected_score is None:
        return ""
    train = number(report.gap.train_score, report)
    size = number(report.gap.size, report)
    text = f"on the rows it was trained on it scores {train}, {size} more."
    return f"{text} {GAPS[report.gap.verdict]}".rstrip()


def _splits(report: Any) -> str:
    if not report.outlying_splits:
        return ""
    *most, last = map(str, report.outlying_splits)
    which = f"splits {', '.join(most)} and {last} are" if most else f"split {last} is"
    return f"{which} much worse than the others for most candidates: look at the rows."


def _cost(report: Any) -> str:
    if not math.isfinite(report.seconds_per_candidate):
        return ""
    failed = f"; {report.n_failed} failed" if report.n_failed else ""
    return (
        f"all fits and scores took {report.seconds:.3g} s, one more candidate takes "
        f"{report.seconds_per_candidate:.2g} s{failed}"
    )
