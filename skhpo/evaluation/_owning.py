"""Give copies to those who may write into what they are given.

A population is scored on the same rows after every generation, and a scorer or a model
of the user's may change them. Read-only data would make it fail, and doing it again
would call it twice; so it gets rows of its own.
"""

from __future__ import annotations

import copy
from types import FunctionType
from typing import Any

from skhpo._sklearn_compat import score_functions
from skhpo.evaluation._spec import SplitData

__all__ = ["may_write", "own", "own_split"]


def may_write(scorer: Any, estimator: Any) -> bool:
    """Whether somebody else's code sees the rows when `estimator` is scored."""
    nested = estimator.get_params().values()
    parts = [part for part in nested if hasattr(part, "get_params")]
    classes = [type(part) for part in (estimator, *parts)]
    code = [*classes, *map(_code_of, score_functions(scorer))]
    return any(part.__module__.partition(".")[0] != "sklearn" for part in code)


def _code_of(function: Any) -> Any:
    """Return a function, or the class of another callable."""
    return function if isinstance(function, FunctionType) else type(function)


def own(value: Any) -> Any:
    """Return a copy of data; what has no length is returned as it is."""
    return copy.deepcopy(value) if hasattr(value, "__len__") else value


def own_split(data: SplitData, *, train: bool) -> SplitData:
    """Return copies of what a scorer is given of a split.

    Parameters
    ----------
    data : SplitData
        The split.
    train : bool
        Whether the train part is scored as well.

    Returns
    -------
    SplitData
        The rest of it is shared.
    """
    copies = {
        "X_test": own(data.X_test),
        "y_test": own(data.y_test),
        "score_params_test": _own_params(data.score_params_test),
    }
    if train:
        copies["X_train"] = own(data.X_train)
        copies["y_train"] = own(data.y_train)
        copies["score_params_train"] = _own_params(data.score_params_train)
    return SplitData(**{**vars(data), **copies})


def _own_params(params: dict[str, Any]) -> dict[str, Any]:
    return {name: own(value) for name, value in params.items()}
