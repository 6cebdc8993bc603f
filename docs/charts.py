"""Charts of published benchmarks, as HTML: of the theme's colors, without a network.

``{bar-chart} reuse`` draws the ratios of `reuse`, ``{bar-chart} regrets`` the regrets.
"""

import sys
from html import escape
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import figures


class BarChart(Directive):
    """Bars, each with its name and its figure."""

    required_arguments = 1

    def run(self):
        """Return the bars; those of several groups share a scale."""
        name = self.arguments[0]
        regrets = name == "regrets"
        groups = figures.regrets() if regrets else {"": figures.ratios(name)}
        most = max(_end(bar) for bars in groups.values() for bar in bars)
        mark = None if regrets else 1.0
        text = "".join(chart(title, bars, most, mark) for title, bars in groups.items())
        return [nodes.raw("", f'<div class="bar-charts">{text}</div>', format="html")]


def _end(bar):
    return bar.interval[1] if bar.interval else bar.value


def chart(title, bars, most, mark):
    """Return a figure; the mark is where nothing would be gained."""
    caption = f"<figcaption>{escape(title)}</figcaption>" if title else ""
    rows = "".join(row(bar, most, mark) for bar in bars)
    return f'<figure class="bar-chart">{caption}{rows}</figure>'


def row(bar, most, mark):
    """Return a bar between its name and its figure."""
    own = " own" if bar.name in ("BayesSearch", "GridSearch") else ""
    parts = [part(f"bar{own}", 0, bar.value / most)]
    if bar.interval:
        low, high = (end / most for end in bar.interval)
        parts.append(part("interval", low, high - low))
    if mark:
        parts.append(part("baseline", mark / most, 0))
    return (
        f'<span class="name">{escape(bar.name)}</span>'
        f'<span class="track">{"".join(parts)}</span>'
        f'<span class="value">{bar.value:.2f}</span>'
    )


def part(kind, left, width):
    """Return what is drawn between two shares of the width."""
    place = f"left:{left:.1%};width:{width:.1%}"
    return f'<span class="{kind}" style="{place}"></span>'


def setup(app):
    """Offer it to Sphinx."""
    app.add_directive("bar-chart", BarChart)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
