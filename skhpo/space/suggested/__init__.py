"""Spaces suggested for known estimators, with ranges that suit the data."""

from skhpo.space.suggested._data import DataInfo
from skhpo.space.suggested._registry import register_space
from skhpo.space.suggested._rows import Suggested
from skhpo.space.suggested._space import SuggestedSpace
from skhpo.space.suggested._suggest import suggest_space

__all__ = ["DataInfo", "Suggested", "SuggestedSpace", "register_space", "suggest_space"]
