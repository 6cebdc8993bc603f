"""Pictures of a fitted search, in scikit-learn's Display convention.

Each takes one line, ``HistoryDisplay.from_search(search)``, and computes before it
draws: the numbers of the picture are attributes of the display. They read
``cv_results_`` only, so scikit-learn's own searches can be drawn as well (all but
`CurveDisplay`). Drawing needs
matplotlib (``pip install matplotlib``), and nothing else in skhpo does.
"""

from skhpo._public import publish as _publish
from skhpo.plots._contour import ContourDisplay
from skhpo.plots._curve import CurveDisplay
from skhpo.plots._history import HistoryDisplay
from skhpo.plots._importance import ImportanceDisplay
from skhpo.plots._parallel import ParallelDisplay
from skhpo.plots._population import PopulationDisplay
from skhpo.plots._slice import SliceDisplay
from skhpo.plots._splits import SplitScoresDisplay

__all__ = [
    "ContourDisplay",
    "CurveDisplay",
    "HistoryDisplay",
    "ImportanceDisplay",
    "ParallelDisplay",
    "PopulationDisplay",
    "SliceDisplay",
    "SplitScoresDisplay",
]

_publish(__name__)
