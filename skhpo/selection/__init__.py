"""Rules that choose the best candidate, for ``refit=``.

A rule takes ``cv_results_`` and returns a row, so it works in the searches of skhpo and
of scikit-learn alike. Candidates that failed are never chosen. Rules hold nothing but
their parameters, so a search can be cloned, pickled and fitted again. With a rule, as
with any callable `refit`, a search has no ``best_score_``.

Rules fit nothing. To evaluate the best candidates on fresh splits, and to choose among
them by all their splits, is what `finalists` of the searches is for; see
:ref:`finalists`.

The names in rules are those of parameters, of scores or of columns of ``cv_results_``.
"""

from skhpo._public import publish as _publish
from skhpo.selection._order import OneStandardError, WithinLoss
from skhpo.selection._rules import (
    Constrained,
    Fastest,
    Knee,
    Lexicographic,
    LowerBound,
)

__all__ = [
    "Constrained",
    "Fastest",
    "Knee",
    "Lexicographic",
    "LowerBound",
    "OneStandardError",
    "WithinLoss",
]

_publish(__name__)
