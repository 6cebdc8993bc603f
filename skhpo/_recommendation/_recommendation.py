"""A search that is recommended, and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from skhpo._printable import html_box, literal, paragraph, printable
from skhpo._recommendation._rules import Facts, Reason, duration
from skhpo._words import counted

__all__ = ["Cost", "Recommendation"]

ITEM = "  - "


@dataclass(frozen=True)
class Cost:
    """What a search is expected to cost.

    Parameters
    ----------
    seconds_per_fit : float
        Of the estimator as given on one split, fitted and scored.
    n_splits : int
        Number of splits.
    n_affordable : int
        Candidates that the budget pays for, on all splits.
    n_candidates : int
        Candidates of the search that is recommended.
    seconds : float
        Of all of their fits on all splits, on the workers there are. A race takes less;
        other values of the parameters may take more.
    """

    seconds_per_fit: float
    n_splits: int
    n_affordable: int
    n_candidates: int
    seconds: float


@dataclass(frozen=True, eq=False)
class Recommendation:
    """The search to take, and why; :func:`skhpo.recommend_search` makes it.

    ``print`` it for the reasons.

    Parameters
    ----------
    search : estimator or None
        The search, ready for its ``fit``; None if there should be none.
    reasons : list of Reason
        Each with the number of its ``rule`` and its ``text``; 0 is none of the nine.
    cost : Cost
        What was measured, and what to expect.
    alternatives : list of Reason
        What else could be done.
    facts : Facts
        What the rules have looked at.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skhpo import recommend_search
    >>> X, y = load_iris(return_X_y=True)
    >>> found = recommend_search(SVC(), X, y, space={"C": [0.1, 1, 10]}, budget="1min")
    >>> type(found.search).__name__, found.reasons[0].rule
    ('GridSearch', 2)
    """

    search: Any
    reasons: list[Reason]
    cost: Cost
    alternatives: list[Reason]
    facts: Facts

    def to_dict(self) -> dict[str, Any]:
        """Return all but the search as plain Python objects.

        Returns
        -------
        dict
            The attributes by name; ``search`` is how one writes it, or None.
        """
        return {
            "search": None if self.search is None else self._written(),
            "reasons": [reason._asdict() for reason in self.reasons],
            "cost": asdict(self.cost),
            "alternatives": [reason._asdict() for reason in self.alternatives],
            "facts": asdict(self.facts),
        }

    def _written(self) -> str:
        """Return the search with what was set, but for the estimator and the space."""
        names = ("n_iter", "sampling", "n_pending", "cv", "race", "time_budget")
        defaults = type(self.search)(None, {}).get_params(deep=False)
        own = self.search.get_params(deep=False)
        shown = [
            f"{name}={own[name]!r}"
            for name in names
            if name in own and own[name] is not defaults[name]
        ]
        return (
            f"{type(self.search).__name__}({', '.join(['estimator', 'space', *shown])})"
        )

    def _title(self) -> str:
        if self.search is None:
            return "Do not search."
        return f"Take {self._written()}"

    def _expected(self) -> str:
        cost = self.cost
        fit = f"A fit and its score took {duration(cost.seconds_per_fit)} on one split."
        if self.search is None:
            return fit
        most = "at most " if self.search.race else ""
        candidates = counted(cost.n_candidates, "candidate")
        return (
            f"{fit} {candidates} on {counted(cost.n_splits, 'split')} are expected to "
            f"take {most}{duration(cost.seconds)}, if they take as long as the "
            "estimator as given."
        )

    def __str__(self) -> str:
        """Return the search and the reasons."""
        lines = [paragraph(_marked(reason), ITEM) for reason in self.reasons]
        lines.append(paragraph(self._expected(), ITEM))
        if self.alternatives:
            lines.append("Or:")
            lines += [paragraph(_marked(reason), ITEM) for reason in self.alternatives]
        return "\n".join([printable(self._title()), *lines])

    def _repr_html_(self) -> str:
        reasons = [*map(_marked, self.reasons), self._expected()]
        others = [f"Or: {_marked(reason)}" for reason in self.alternatives]
        items = "".join(f"<li>{literal(text)}</li>" for text in reasons + others)
        return html_box(f"<div><b>{literal(self._title())}</b></div><ul>{items}</ul>")


def _marked(reason: Reason) -> str:
    return f"{reason.text} (rule {reason.rule})" if reason.rule else reason.text
