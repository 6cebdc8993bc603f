"""What a comparison of searches has found."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from skhpo._comparison._records import Pair, SearchRun, SearchSummary
from skhpo._comparison._text import as_html, as_text, verdict

__all__ = ["Comparison"]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Searches compared on rows that none of them has seen.

    :func:`skhpo.compare_searches` makes it. ``print`` it for a summary that ends in one
    sentence; notebooks show it as a table. What is not known is NaN.

    Parameters
    ----------
    metric : str
        The outer score.
    searches : dict of str to SearchSummary
        The five metrics of each search, by its name: how soon it was near the best
        (``candidates_to_best``, ``seconds_to_best``, ``n_not_reached``), the outer
        score of what it chose (``score``, ``interval``, ``optimism``), what it took
        (``n_candidates``, ``n_fits``, ``saved``, ``seconds``, ``cpu_seconds``,
        ``fit_seconds``, ``overhead_seconds``), how much of it was luck (``sd_seeds``,
        ``sd_splits``, ``params_distance``), and what its user had to write
        (``n_options``, ``n_dimensions``, ``packages``).
    pairs : list of Pair
        Any two of them: ``first``, ``second``, ``difference``, ``interval``, and the
        probabilities ``better``, ``same`` and ``worse``.
    winner : str or None
        The search that is better than each of the others with a probability of
        ``(1 + level) / 2`` or more, and never failed.
    runs : list of SearchRun
        All that was run: ``search``, ``split``, ``seed``, ``score``, ``seconds``,
        ``failure`` and more.
    n_splits : int
        Number of outer splits.
    n_seeds : int
        Number of seeds per split.
    n_rows : int
        Rows of the data.
    ratio : float
        Test rows over train rows.
    rope : float
        A difference up to this counts as none.
    level : float
        Of the intervals.
    notes : list of str
        What cannot be said, and why.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skhpo import compare_searches
    >>> X, y = load_wine(return_X_y=True)
    >>> tree = DecisionTreeClassifier(random_state=0)
    >>> found = compare_searches(
    ...     {
    ...         "stumps": GridSearchCV(tree, {"max_depth": [1], "max_features": [1]}),
    ...         "trees": GridSearchCV(tree, {"max_depth": [2, 4]}),
    ...     },
    ...     X,
    ...     y,
    ... )
    >>> found.winner
    'trees'
    """

    metric: str
    searches: dict[str, SearchSummary]
    pairs: list[Pair]
    winner: str | None
    runs: list[SearchRun] = field(repr=False)
    n_splits: int
    n_seeds: int
    n_rows: int
    ratio: float
    rope: float
    level: float
    notes: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """The result in one sentence, with the doubt in it."""
        return verdict(self)

    @property
    def frame(self) -> Any:
        """A row per search with its metrics, as a data frame of pandas."""
        try:
            import pandas as pd
        except ImportError as reason:
            raise ImportError(
                "'frame' is a data frame of pandas, which cannot be imported "
                f"({reason}). Install it with: pip install pandas. 'searches' has the "
                "same numbers."
            ) from None
        return pd.DataFrame(self._rows()).set_index("name")

    def _rows(self) -> list[dict[str, Any]]:
        rows = []
        for summary in self.searches.values():
            row = asdict(summary)
            row["low"], row["high"] = row.pop("interval")
            row["packages"] = ", ".join(row["packages"])
            rows.append(row)
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Return all that is known as plain Python objects.

        Returns
        -------
        dict
            The attributes by name, which can be written as JSON: None stands for what
            is not known, and for an infinite number.
        """
        plain = {
            "metric": self.metric,
            "searches": {name: asdict(found) for name, found in self.searches.items()},
            "pairs": [asdict(pair) for pair in self.pairs],
            "winner": self.winner,
            "sentence": self.sentence,
            "runs": [_plain_run(run) for run in self.runs],
            **{"n_splits": self.n_splits, "n_seeds": self.n_seeds},
            **{"n_rows": self.n_rows, "ratio": self.ratio},
            **{"rope": self.rope, "level": self.level, "notes": list(self.notes)},
        }
        return _finite(plain)

    def plot(self, ax: Any = None) -> Any:
        """Draw the outer scores of each search on each split, and their means.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None for a new figure.

        Returns
        -------
        matplotlib Axes
            Where it was drawn.
        """
        from skhpo._comparison._plot import plot_comparison

        return plot_comparison(self, ax)

    def __str__(self) -> str:
        """Return the summary."""
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)


def _plain_run(run: SearchRun) -> dict[str, Any]:
    told = run.told
    plain = {name: value for name, value in vars(run).items() if name != "told"}
    names = ("best_score", "n_candidates", "n_fits", "saved", "fit_seconds")
    return plain | {name: getattr(told, name) for name in names}


def _finite(value: Any) -> Any:
    """Return the same with None in the place of NaN and infinity."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
