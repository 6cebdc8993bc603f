"""A picture of a report: the scores as given and tuned, and how sure they are."""

from __future__ import annotations

from typing import Any

__all__ = ["plot_report"]

# Orange and blue of Okabe & Ito (2008), which color-blind people can tell apart.
TUNED, GIVEN = "#D55E00", "#0072B2"


def plot_report(report: Any, ax: Any = None) -> Any:
    """Draw intervals one above the other, and return the axes."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"Report.plot draws with matplotlib, which cannot be imported ({error}). "
            "Install it with: pip install matplotlib"
        ) from error
    if ax is None:
        _, ax = plt.subplots(figsize=(6.4, 1.8), layout="constrained")
    names: list[str] = []
    for name, score, interval, color in (
        ("tuned", report.corrected_score, report.interval, TUNED),
        ("as given", report.default_score, report.default_interval, GIVEN),
    ):
        if score is None:
            continue
        if interval is not None:
            ax.plot(interval, [len(names)] * 2, color=color, lw=2)
        ax.plot([score], [len(names)], "o", color=color)
        names.append(name)
    ax.axvline(report.best_score, color=TUNED, ls=":", label="best_score_")
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(-0.6, max(len(names), 1) - 0.4)
    metric = report.metric if len(report.metric) <= 40 else report.metric[:37] + "..."
    ax.set_xlabel(metric, parse_math=False, usetex=False)
    ax.legend(frameon=False)
    return ax
