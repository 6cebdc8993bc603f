"""What the user wants of a space, and why it may be refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from skhpo._keys import is_estimator
from skhpo._words import did_you_mean
from skhpo.space._dimensions import is_number
from skhpo.space.suggested._data import n_rows
from skhpo.space.suggested._registry import SPACES, is_known
from skhpo.space.suggested._walk import Part

__all__ = ["Request", "check_data", "check_known", "check_target", "nothing_left"]

TEMPLATE = """
    def suggest(estimator, data):
        return [Suggested({name!r}, Real(0.01, 100, log=True), why="...")]

    register_space({cls}, suggest)
"""


@dataclass(frozen=True)
class Request:
    """What the user wants of a space.

    Parameters
    ----------
    n_iter : int
        Number of candidates.
    effort : {"auto", 1, 2, 3}
        The highest tier.
    include : mapping of str to object
        Names that are searched in any case; None, or values for them.
    exclude : frozenset of str
        Names that are not, nor what is inside of them.
    curves : bool
        Whether numbers of rounds may be left to one fit.
    within : str
        The prefix of the only parameters that count: of one of several models, the
        others are suggested for already.
    """

    n_iter: int = 50
    effort: int | str = "auto"
    include: Mapping[str, Any] = field(default_factory=dict)
    exclude: frozenset[str] = frozenset()
    curves: bool = True
    within: str = ""

    @classmethod
    def of(cls, n_iter: Any, effort: Any, include: Any, exclude: Any) -> Request:
        """Return what the arguments of `suggest_space` ask for; raise if it is odd."""
        if isinstance(n_iter, bool) or not isinstance(n_iter, Integral) or n_iter < 1:
            raise ValueError(f"n_iter must be a positive integer. Got {n_iter!r}.")
        if effort not in ("auto", 1, 2, 3) or isinstance(effort, bool):
            hint = did_you_mean(effort, ["auto"])
            raise ValueError(f"{hint}effort must be 'auto', 1, 2 or 3. Got {effort!r}.")
        for option, value in (("include", include), ("exclude", exclude)):
            if isinstance(value, str) or not isinstance(value, Iterable | None):
                raise ValueError(f"{option} must be a list of names. Got {value!r}.")
        if not isinstance(include, Mapping):
            include = dict.fromkeys(include or ())
        return cls(int(n_iter), effort, dict(include), frozenset(exclude or ()))


def check_data(estimator: Any, X: Any, y: Any) -> None:
    """Raise if there is no estimator, or no data that belong together."""
    if not is_estimator(estimator):
        kind = estimator.__name__ if isinstance(estimator, type) else None
        hint = (
            f"Write {kind}()." if kind else "Of several, Choice({'svc': SVC(), ...})."
        )
        raise TypeError(f"{hint} estimator must be an estimator. Got {estimator!r}.")
    if X is None:
        raise ValueError("Pass X: the ranges follow from the data. Got X=None.")
    n, n_targets = n_rows(X), n_rows(X if y is None else y)
    if not n or n != n_targets:
        raise ValueError(
            "X and y must have the same number of rows, which is not 0. Got "
            f"{n} and {n_targets}."
        )


def check_target(estimator: Any, y: Any) -> None:
    """Raise if the target that the estimator needs is not there."""
    if y is None and get_tags(estimator).target_tags.required:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is "
            "None. The ranges of its parameters follow from it, too."
        )


def check_known(estimator: Any, found: Sequence[Part], request: Request) -> None:
    """Raise if nothing is known of what predicts."""
    final = [part for part in found if part.is_final]
    given = any(value is not None for value in request.include.values())
    if given or any(is_known(part.estimator) for part in final):
        return
    if not final and request.within:
        return
    if isinstance(estimator, Pipeline) and not is_estimator(estimator.steps[-1][1]):
        name, last = estimator.steps[-1]
        raise ValueError(
            f"The last step of {type(estimator).__name__}, {name!r}, is {last!r}, "
            "which is no estimator. Put one in its place, or several that are to be "
            f"searched: include={{{name!r}: [...]}}."
        )
    unknown = final[0].estimator if final else estimator
    own = sorted(unknown.get_params(deep=False))
    cls = type(unknown).__name__
    raise ValueError(
        f"Nothing is known of {cls}, which has the parameters {own}. Give a space of "
        "your own; or teach it once, with Suggested, register_space and Real of "
        "skhpo.space:\n"
        + TEMPLATE.format(name=_number_of(unknown), cls=cls)
        + f"\nThese are known: {', '.join(SPACES.class_names())}."
    )


def _number_of(estimator: Any) -> str:
    """Return a parameter that a range may be for: a float, if there is one."""
    own = estimator.get_params(deep=False)
    numbers = [name for name, value in own.items() if isinstance(value, float)]
    others = [name for name, value in own.items() if is_number(value)]
    return next(iter([*numbers, *others, *own]), "name")


def nothing_left(estimator: Any, users: Sequence[str], request: Request) -> str:
    """Return why there is nothing to search, and what to do about it."""
    name = type(estimator).__name__
    if users:
        return (
            f"Every parameter of {name} that has a range was set: {users}. What you "
            f"set stays as it is; to search some of them, include={users[:1]}."
        )
    if request.exclude:
        return (
            f"Nothing of {name} is left to search: exclude={sorted(request.exclude)}."
        )
    return f"{name} has no parameter that is worth a search."
