"""Search spaces: dimensions, conditions and constraints."""

from skhpo.space._categorical import Categorical, Choice
from skhpo.space._dimensions import Integer, Real
from skhpo.space._space import SearchSpace

__all__ = ["Categorical", "Choice", "Integer", "Real", "SearchSpace"]
