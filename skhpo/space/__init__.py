"""Search spaces: dimensions, conditions and constraints."""

from skhpo.space._convert import as_dimension
from skhpo.space._dimensions import Categorical, Choice, Dimension, Integer, Real
from skhpo.space._sampling import SobolSequence
from skhpo.space._space import Column, SearchSpace

__all__ = [
    "Categorical",
    "Choice",
    "Column",
    "Dimension",
    "Integer",
    "Real",
    "SearchSpace",
    "SobolSequence",
    "as_dimension",
]
