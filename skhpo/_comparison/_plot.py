"""A picture of a comparison: outer scores by search, split by split."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from skhpo._candidates._axis import short_names
from skhpo._comparison._metrics import by_split, seeds_by_split
from skhpo.plots._display import BEST, LITERAL, OTHERS, legend_above, one_panel

__all__ = ["plot_comparison"]


def plot_comparison(found: Any, ax: Any = None) -> Any:
    """Draw a line per split over the searches, and means with their intervals.

    Where the lines run in parallel, splits differ and searches do not; where they
    cross, which search is better is luck.
    """
    names = list(found.searches)
    ax = one_panel("Comparison.plot", ax, (max(4.0, 1.5 + 1.2 * len(names)), 4.0))
    runs = {name: [run for run in found.runs if run.search == name] for name in names}
    scores = {n: by_split(seeds_by_split(runs[n], found.n_splits)) for n in names}
    place = np.arange(len(names))
    for split in range(found.n_splits):
        label = "a split" if split == 0 else None
        style = {"c": OTHERS, "lw": 0.8, "alpha": 0.6, "marker": "o", "ms": 3}
        ax.plot(place, [scores[n][split] for n in names], label=label, **style)
    for i, name in enumerate(names):
        summary = found.searches[name]
        if math.isnan(summary.score):
            continue
        low, high = summary.interval
        bars = [[summary.score - low], [high - summary.score]]
        label = f"mean and {100 * found.level:g} % interval" if i == 0 else None
        style = {"fmt": "D", "c": BEST, "ms": 5, "capsize": 3, "zorder": 3}
        ax.errorbar([i], [summary.score], yerr=bars, label=label, **style)
    ax.set_xticks(place, short_names(names), **LITERAL)
    ax.set_xlim(-0.5, len(names) - 0.5)
    ax.set_ylabel(f"outer {found.metric}", **LITERAL)
    legend_above(ax)
    return ax
