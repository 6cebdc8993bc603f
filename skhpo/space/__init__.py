"""What to search: dimensions, conditions and constraints, or lists as they are."""

from skhpo.space._categorical import Categorical, Choice
from skhpo.space._curve import Curve
from skhpo.space._dimensions import Integer, Real
from skhpo.space._space import SearchSpace

__all__ = ["Categorical", "Choice", "Curve", "Integer", "Real", "SearchSpace"]
