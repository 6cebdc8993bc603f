"""What to search: lists, arrays, ranges, scipy distributions, lists of dicts."""

from skhpo.space._check import check_space

__all__ = ["check_space"]
