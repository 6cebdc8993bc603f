"""The journal: finished evaluations in a file, so that nothing is done twice."""

from skhpo.journal._journal import Journal, Problem, read_journal

__all__ = ["Journal", "Problem", "read_journal"]
