"""The journal: finished evaluations in a file, so that nothing is done twice."""

from skhpo._public import publish as _publish
from skhpo.journal._journal import Journal, Problem, read_journal

__all__ = ["Journal", "Problem", "read_journal"]

_publish(__name__)
