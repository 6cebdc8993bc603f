"""Which classes have a suggested space: built in, or registered by users."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from skhpo._registry import Registry, check_registration
from skhpo.exceptions import InvalidSpaceError
from skhpo.space.suggested._boosters import BOOSTERS
from skhpo.space.suggested._bounds import Facts
from skhpo.space.suggested._data import DataInfo
from skhpo.space.suggested._kernels import KERNELS
from skhpo.space.suggested._linear import LINEAR
from skhpo.space.suggested._rows import Row, Suggested, suggestions
from skhpo.space.suggested._steps import STEPS
from skhpo.space.suggested._trees import TREES

__all__ = [
    "FAMILIES",
    "SPACES",
    "class_defaults",
    "is_known",
    "names_of_ranges",
    "register_space",
    "rows",
]

SpaceFunction = Callable[[Any, DataInfo], list[Suggested]]
FAMILIES: dict[str, Mapping[str, Sequence[Row]]] = {
    "Linear models and discriminants": LINEAR,
    "Kernels, neighbors, naive Bayes, networks": KERNELS,
    "Trees, forests, boosting": TREES,
    "Boosters of other packages": BOOSTERS,
    "Steps of a pipeline, clusters": STEPS,
}
SPACES: Registry[Sequence[Row] | SpaceFunction] = Registry(
    "spaces",
    {name: rows for family in FAMILIES.values() for name, rows in family.items()},
)


def register_space(estimator_class: type | str, function: SpaceFunction) -> None:
    """Let `suggest_space`, and searches over ``"auto"``, know your own estimator.

    Parameters
    ----------
    estimator_class : type or str
        The class, or the name it is imported by (``"package.Class"``). Subclasses are
        not meant. A second registration replaces the first, and also one that comes
        with this package.
    function : callable
        ``function(estimator, data)`` returns a list of `Suggested`; `data` is a
        `DataInfo`. Ranges should hold the values that the estimator has by itself.

    Raises
    ------
    TypeError
        If an argument is not of these kinds.

    Examples
    --------
    >>> from sklearn.dummy import DummyRegressor
    >>> from skhpo.space import Real, Suggested, register_space, suggest_space
    >>> class Quantile(DummyRegressor):
    ...     pass
    >>> def quantiles(estimator, data):
    ...     return [Suggested("quantile", Real(0, 1), why="of the target")]
    >>> register_space(Quantile, quantiles)
    >>> print(suggest_space(Quantile(), [[0]] * 9, range(9)).to_code())
    from skhpo.space import Real, SearchSpace
    <BLANKLINE>
    space = SearchSpace(
        {
            # of the target
            'quantile': Real(0, 1),
        }
    )
    initial_params = [
        {'quantile': 0.5},
    ]
    """
    check_registration(
        estimator_class, (callable(function), "function must be callable", function)
    )
    SPACES.add(estimator_class, function)


def is_known(estimator: Any) -> bool:
    """Whether there is a table, or a function, for the class of an estimator."""
    return SPACES.find(type(estimator)) is not None


def names_of_ranges(estimator: Any) -> list[str]:
    """Return the parameters that the table of a class has; none of a function."""
    entry = SPACES.find(type(estimator))
    return [] if entry is None or callable(entry) else [row.name for row in entry]


def rows(
    estimator: Any,
    data: DataInfo,
    fixed: Collection[str] = (),
    *,
    predicts: bool = True,
) -> tuple[list[Suggested], list[str]]:
    """Return what is suggested for one estimator, and what would be, but is fixed.

    Parameters
    ----------
    estimator : estimator
        Its parts are not looked at.
    data : DataInfo
        What it sees.
    fixed : collection of str, default=()
        Parameters that are not searched. No range is made for them: it would have to
        hold what the user has set, which may be anything.
    predicts : bool, default=True
        Whether it is what predicts; else it transforms.

    Returns
    -------
    suggested : list of Suggested
        One for each parameter that is not fixed.
    left : list of str
        The fixed parameters that have a range.

    Raises
    ------
    TypeError, InvalidSpaceError
        If a function that was registered returns anything else.
    """
    entry = SPACES.find(type(estimator))
    if entry is None:
        return [], []
    own = estimator.get_params(deep=False)
    if callable(entry):
        found = entry(estimator, data)
        _check(estimator, found)
        kept = [item for item in found if item.name not in fixed]
        return kept, [item.name for item in found if item.name in fixed]
    facts = Facts(data, own, class_defaults(type(estimator)), predicts)
    return suggestions(entry, facts, fixed)


def _check(estimator: Any, found: Any) -> None:
    name = type(estimator).__name__
    if not isinstance(found, list | tuple) or not all(
        isinstance(item, Suggested) for item in found
    ):
        raise TypeError(
            f"The function registered for {name} must return a list of Suggested. Got "
            f"{found!r} instead."
        )
    known = estimator.get_params(deep=True)
    for item in found:
        if item.name not in known:
            raise InvalidSpaceError(
                f"The function registered for {name} suggests {item.name!r}, which is "
                f"none of its parameters: {sorted(known)}."
            )
        _check_entry(name, item, known)


def _check_entry(name: str, item: Suggested, known: Collection[str]) -> None:
    """Raise if a suggestion would never enter, or could not be placed."""
    if item.tier not in (1, 2, 3, 4):
        raise InvalidSpaceError(
            f"The function registered for {name} suggests {item.name!r} with "
            f"tier={item.tier!r}; it is 1, 2, 3 or 4. The reason is why=..."
        )
    if item.when is None:
        return
    form = 'when=("kernel", ("poly",))'
    is_pair = isinstance(item.when, tuple) and len(item.when) == 2
    if not is_pair or item.when[0] not in known or isinstance(item.when[1], str):
        raise InvalidSpaceError(
            f"The function registered for {name} suggests {item.name!r} with "
            f"when={item.when!r}; it is one of the parameters {sorted(known)} and a "
            f"tuple of its values, such as {form}."
        )


def class_defaults(cls: Any) -> Mapping[str, Any]:
    """Return the values that parameters have where the user sets none."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if "__init__" in vars(base):
            parameters = inspect.signature(vars(base)["__init__"]).parameters.values()
            found |= {
                parameter.name: parameter.default
                for parameter in parameters
                if parameter.default is not inspect.Parameter.empty
            }
    return found
