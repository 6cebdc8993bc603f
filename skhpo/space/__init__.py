"""What to search: dimensions, conditions and constraints, or lists as they are."""

from skhpo._public import publish as _publish
from skhpo.space._categorical import Categorical, Choice
from skhpo.space._columns import Column
from skhpo.space._constraints import Constraints
from skhpo.space._curve import Curve
from skhpo.space._ranges import Integer, Real
from skhpo.space._space import SearchSpace
from skhpo.space.suggested import (
    DataInfo,
    Suggested,
    SuggestedSpace,
    register_space,
    suggest_space,
)

__all__ = [
    "Categorical",
    "Choice",
    "Column",
    "Constraints",
    "Curve",
    "DataInfo",
    "Integer",
    "Real",
    "SearchSpace",
    "Suggested",
    "SuggestedSpace",
    "register_space",
    "suggest_space",
]

_publish(__name__)
