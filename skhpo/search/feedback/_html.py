"""A fitted search in a notebook: what won, and how it was found."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from skhpo._arithmetic import Array
from skhpo._fence import drawing_unit, in_unit, lower_fence
from skhpo._printable import html_box, literal
from skhpo._trial import Params

__all__ = ["history_svg", "schedule_text", "summary_html"]

MOST_CHANGES = 5  # of a schedule that are shown
WIDTH, HEIGHT, MARGIN = 280, 84, 5
# The text color of the page, so that it is seen on dark ones as well; blue and orange
# of Okabe & Ito (2008), which color-blind people can tell apart.
DOT, LINE = "#0072B2", "#D55E00"


def summary_html(
    results: Mapping[str, Any],
    metric: str,
    best_params: Params,
    best_index: int,
    remarks: Sequence[str] = (),
    *,
    shown_as: str | None = None,
    what: str = "candidate",
) -> str:
    """Return the best candidate and the history of the search as HTML.

    Parameters
    ----------
    results : mapping of str to array-like
        ``cv_results_``.
    metric : str
        The score that decided.
    best_params : mapping of str to object
        The best parameters.
    best_index : int
        Their row.
    remarks : sequence of str, default=()
        What else is to be said.
    shown_as : str or None, default=None
        What the score is called, if not by its name in ``cv_results_``.
    what : str, default="candidate"
        What a row is.

    Returns
    -------
    str
        One ``div``, which needs neither scripts nor styles.
    """
    scores = np.asarray(results[f"mean_test_{metric}"], dtype=float)
    several = f"split1_test_{metric}" in results
    spread = float(results[f"std_test_{metric}"][best_index])
    spread_text = f" ± {spread:.2g}" if several else ""  # one split has no spread
    rows = "".join(
        f'<tr><td style="text-align:left">{literal(name)}</td>'
        f'<td style="text-align:left"><code>{literal(_short(value))}</code></td></tr>'
        for name, value in best_params.items()
    )
    return html_box(
        f'<div style="min-width:{WIDTH}px"><div>best mean test '
        f"{literal(shown_as or metric)} <b>{scores[best_index]:.4g}</b>{spread_text}"
        f", {what} {best_index} of {len(scores)} (from 0){_dropped(results)}</div>"
        f"{history_svg(scores)}"
        f"{''.join(f'<div>{literal(text)}</div>' for text in remarks)}</div>"
        f'<table style="margin:0"><tbody>{rows}</tbody></table>',
        "display:flex;flex-wrap:wrap;gap:1.5em;align-items:flex-start;"
        "margin:0.5em 0;overflow-wrap:anywhere",
    )


def _dropped(results: Mapping[str, Any]) -> str:
    """Return how many candidates a race dropped, if there was one."""
    return f", {sum(results['dropped'])} dropped" if "dropped" in results else ""


def history_svg(scores: Array) -> str:
    """Return a small picture of the scores, in order, and of the best so far.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        NaN where a fit failed, or the candidate was dropped.

    Returns
    -------
    str
        An ``svg`` element; empty if there is no score.
    """
    if not np.isfinite(scores).any():
        return ""
    scores = np.where(np.isfinite(scores), scores, np.nan)
    shown = np.flatnonzero(scores >= lower_fence(scores))
    scores = in_unit(scores, drawing_unit(scores[shown]))
    low, high = scores[shown].min(), scores[shown].max()
    # A thousand dots say as much as a hundred thousand, in a hundredth of the bytes.
    shown = shown[np.unique(np.linspace(0, len(shown) - 1, 1000).astype(int))]
    x = MARGIN + (WIDTH - 2 * MARGIN) * (np.arange(len(scores)) + 0.5) / len(scores)
    y = MARGIN + (HEIGHT - 2 * MARGIN) * (high - scores) / (high - low or 1.0)
    dots = "".join(f'<circle cx="{x[i]:.1f}" cy="{y[i]:.1f}" r="2"/>' for i in shown)
    best = np.fmin.accumulate(np.where(scores >= low, y, np.nan))
    steps = np.flatnonzero(np.diff(best, prepend=np.inf) != 0)
    steps = steps[np.isfinite(best[steps])]
    path = f"M{x[steps[0]]:.1f} {best[steps[0]]:.1f}"
    path += "".join(f"H{x[i]:.1f}V{best[i]:.1f}" for i in steps[1:])
    return (
        f'<svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'role="img" aria-label="score of each candidate and best so far">'
        f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{HEIGHT - 1}" fill="none" '
        'stroke="currentColor" stroke-opacity="0.3"/>'
        f'<g fill="{DOT}">{dots}</g>'
        f'<path d="{path}H{WIDTH - MARGIN}" fill="none" stroke="{LINE}" '
        'stroke-width="2"/></svg>'
    )


class _Text(str):
    """Text that is shown as it is, not as Python writes a string."""

    __slots__ = ()


def schedule_text(stages: Sequence[tuple[int, Any]]) -> str:
    """Return what `summary_html` shows of a value that changes during training.

    Parameters
    ----------
    stages : sequence of (int, object)
        From which step on it has which value.

    Returns
    -------
    str
        The first ones and the last.

    Examples
    --------
    >>> schedule_text([(0, 0.5), (3, 0.5), (6, 0.25)])
    '0.5, from step 6 on 0.25'
    """
    changes = [
        f"from step {step} on {_short(value)}" if i else _short(value)
        for i, (step, value) in enumerate(stages)
        if not i or _short(value) != _short(stages[i - 1][1])
    ]
    if len(changes) > MOST_CHANGES:
        left_out = len(changes) - MOST_CHANGES
        changes[MOST_CHANGES - 1 : -1] = [f"{left_out} more"]
    return _Text(", ".join(changes))


def _short(value: object) -> str:
    """Return the beginning of what Python shows for a value; floats with 4 digits."""
    if isinstance(value, _Text):
        return str(value)
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    return reprlib.repr(value)
