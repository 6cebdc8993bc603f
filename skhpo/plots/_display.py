"""What all displays share: where the data come from, and where they are drawn.

Any text is literal in pictures, whatever matplotlib takes for mathematics and whoever
else has TeX write his. So all that is written is given `LITERAL`, but for numbers at
ticks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skhpo._candidates._axis import MAX_NAME, Axis, clipped, short_names
from skhpo._candidates._read import Candidates, read, read_search
from skhpo._docstrings import inherit_docs

__all__ = [
    "BEST",
    "LITERAL",
    "OTHERS",
    "WORSE",
    "Display",
    "figure_legend",
    "import_pyplot",
    "legend_above",
    "locator",
    "one_panel",
    "set_axis",
    "shown_metric",
    "shown_score",
    "written_names",
]

# Blue, orange and gray of Okabe & Ito (2008), which color-blind people can tell apart.
OTHERS, BEST, WORSE = "#0072B2", "#D55E00", "#999999"
# Of every text that is no number at a tick.
LITERAL = {"parse_math": False, "usetex": False}
MAX_METRIC = 40


class Display(ABC):
    """Base class of the displays; not to be used directly.

    What all displays have is described here, and taken over into their own docstrings.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was drawn.
    figure_ : matplotlib Figure
        The figure around it.
    """

    ax_: Any
    figure_: Any

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        inherit_docs(Display)(cls)
        inherit_docs(Display.plot)(cls.plot)
        inherit_docs(Display.from_cv_results)(cls.from_cv_results.__func__)  # type: ignore[attr-defined]

    @classmethod
    def from_search(
        cls, search: Any, *, metric: str | None = None, ax: Any = None, **options: Any
    ) -> Self:
        """Draw a fitted search.

        Parameters
        ----------
        search : estimator
            A fitted search, of skhpo or of scikit-learn.
        metric : str or None, default=None
            Which of several scores; None for the one that `refit` names.
        ax : matplotlib Axes, array of Axes or None, default=None
            Where to draw, as for `plot`.
        **options : dict of str to object
            As for `from_cv_results`.

        Returns
        -------
        object
            The display, drawn.

        Raises
        ------
        ImportError
            If matplotlib is missing.
        NotFittedError
            If the search is not fitted.
        ValueError
            If there are several scores and it is not said which one.
        """
        import_pyplot(cls.__name__)
        arguments = read_search(search, metric) | options
        return cls.from_cv_results(**arguments, ax=ax)

    @classmethod
    @abstractmethod
    def from_cv_results(
        cls,
        cv_results: Mapping[str, Any],
        *,
        metric: str = "score",
        log: Collection[str] | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw what stands in ``cv_results_``.

        Parameters
        ----------
        cv_results : mapping of str to array-like
            ``cv_results_`` of a search, also as a data frame.
        metric : str, default="score"
            Which of several scores.
        log : collection of str or None, default=None
            Parameters with a logarithmic axis; None to judge by their values.
        ax : matplotlib Axes, array of Axes or None, default=None
            Where to draw, as for `plot`.

        Returns
        -------
        object
            The display, drawn.
        """

    @classmethod
    def _read(
        cls, cv_results: Mapping[str, Any], metric: str, log: Collection[str] | None
    ) -> Candidates:
        """Return the candidates; without matplotlib, raise ImportError before."""
        import_pyplot(cls.__name__)
        return read(cv_results, metric, log)

    @abstractmethod
    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None for a new figure.

        Returns
        -------
        object
            This display.
        """

    def _ipython_display_(self) -> None:  # noqa: B027 - for all displays
        """Show nothing in a notebook, which shows the figure by itself."""

    def _one_panel(self, ax: Any, size: tuple[float, float]) -> Any:
        """Return the axes to draw on; for None, of a new figure of a size in inches."""
        ax = one_panel(type(self).__name__, ax, size)
        self.ax_, self.figure_ = ax, ax.figure
        return ax

    def _panels(
        self, ax: Any, n_rows: int, n_columns: int, size: tuple[float, float]
    ) -> NDArray[Any]:
        """Return several axes in rows and columns.

        Parameters
        ----------
        ax : matplotlib Axes, array of Axes or None
            As many axes as there are panels; or one, whose place they share; or None
            for a new figure.
        n_rows, n_columns : int
            Their arrangement.
        size : (float, float)
            Of one panel of a new figure, in inches.
        """
        plt = import_pyplot(type(self).__name__)
        shape = n_rows, n_columns
        if ax is None:
            width, height = size[0] * n_columns, size[1] * n_rows
            figure = plt.figure(figsize=(width, height), layout="constrained")
            axes = figure.subplots(*shape, squeeze=False)
        elif isinstance(ax, list | tuple | np.ndarray):
            axes = np.array(ax, dtype=object)
            if axes.size != n_rows * n_columns:
                raise ValueError(
                    f"{type(self).__name__} has {n_rows} x {n_columns} panels here: "
                    f"'ax' must be one Axes or {n_rows * n_columns}. Got {axes.size}."
                )
            axes = axes.reshape(shape)
        else:
            ax.set_axis_off()
            grid = ax.get_subplotspec().subgridspec(*shape)
            axes = grid.subplots(squeeze=False)
        self.ax_, self.figure_ = axes, axes.flat[0].figure
        return axes

    def _rows_of_panels(
        self, ax: Any, n: int, n_columns: int, size: tuple[float, float]
    ) -> NDArray[Any]:
        """Return `n` panels in rows; the last ones of an unfilled row stay empty."""
        n_columns = min(n, n_columns)
        panels = self._panels(ax, -(-n // n_columns), n_columns, size)
        for panel in panels.flat[n:]:
            panel.set_axis_off()
        return panels


def one_panel(needed_by: str, ax: Any, size: tuple[float, float]) -> Any:
    """Return the axes to draw on; for None, of a new figure of a size in inches."""
    plt = import_pyplot(needed_by)
    if ax is None:
        _, ax = plt.subplots(figsize=size, layout="constrained")
    return ax


def import_pyplot(needed_by: str) -> Any:
    """Return ``matplotlib.pyplot``, or raise ImportError with the remedy."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{needed_by} draws with matplotlib, which cannot be imported ({error}). "
            "Install it with: pip install matplotlib"
        ) from error
    return plt


def shown_metric(metric: str, unit: float = 1.0) -> str:
    """Return what is written for a metric, and for the unit if it is not 1."""
    return clipped(metric, MAX_METRIC) + ("" if unit == 1 else f" / {unit:g}")


def shown_score(metric: str, unit: float = 1.0) -> str:
    """Return what is written at an axis of mean scores."""
    return f"mean test {shown_metric(metric, unit)}"


def _spans_decades(axis: Axis) -> bool:
    low, high = axis.limits
    return bool(high >= 100 * low)


def locator(axis: Axis, n: int) -> Any:
    """Return what finds about `n` round numbers on the axis of a parameter."""
    from matplotlib.ticker import LogLocator, MaxNLocator

    if axis.is_log:
        low, high = axis.limits
        within = (1, 3) if high >= 10 * low else (1, 2, 3, 5)
        subs = (1,) if _spans_decades(axis) else within
        return LogLocator(subs=subs, numticks=n + 1)
    whole = bool(np.all(np.mod(axis.positions[~np.isnan(axis.positions)], 1) == 0))
    return MaxNLocator(n, integer=whole)


def written_names(names: Sequence[str], ax: Any, room: int) -> list[str]:
    """Return what is written for names.

    Parameters
    ----------
    names : sequence of str
        All that are in the picture.
    ax : matplotlib Axes, array of Axes or None
        Where the user wants it, of any size; None for a new figure.
    room : int
        How many characters fit in a new figure.
    """
    return short_names(names, room if ax is None else min(room, MAX_NAME))


def legend_above(ax: Any) -> None:
    """Put the legend above the axes, where it hides nothing."""
    legend(ax, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False)


def figure_legend(
    figure: Any, marks: Mapping[str, Mapping[str, Any]], n_columns: int
) -> None:
    """Say above the panels of a new figure what is drawn in all of them.

    Parameters
    ----------
    figure : matplotlib Figure
        With a constrained layout, which makes room.
    marks : mapping of str to mapping
        What is said, and the options of the `Line2D` that stands for it.
    n_columns : int
        How many panels are beside each other; there is room for two marks above each.
    """
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], label=text, **style) for text, style in marks.items()]
    options = {"ncols": min(len(marks), 2 * n_columns), "frameon": False}
    made = figure.legend(handles=handles, loc="outside upper left", **options)
    for text in made.get_texts():
        text.set(fontsize=9, **LITERAL)


def legend(ax: Any, **options: Any) -> None:
    """Write the legend."""
    for text in ax.legend(**options).get_texts():
        text.set(**LITERAL)


def set_axis(ax: Any, which: str, axis: Axis, label: str = "") -> None:
    """Give the x or the y axis the scale, the ticks and the name of a parameter.

    Parameters
    ----------
    ax : matplotlib Axes
        Where.
    which : {"x", "y"}
        Which axis.
    axis : Axis
        The parameter, as it is drawable.
    label : str, default=""
        What is written for its name.
    """
    mine = ax.xaxis if which == "x" else ax.yaxis
    if axis.categories is not None:
        crowded = which == "x" and sum(map(len, axis.categories)) > 20
        turned = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"}
        mine.set_ticks(
            range(len(axis.categories)),
            axis.categories,
            **LITERAL,
            **(turned if crowded else {}),
        )
        getattr(ax, f"set_{which}lim")(*axis.limits)
    elif axis.is_log:
        getattr(ax, f"set_{which}scale")("log")
        mine.set_minor_formatter("")
        mine.set_major_locator(locator(axis, 4))
        if not _spans_decades(axis):
            mine.set_major_formatter("{x:g}")
    else:
        mine.set_major_locator(locator(axis, 4))
    getattr(ax, f"set_{which}label")(label, fontsize=9, **LITERAL)
