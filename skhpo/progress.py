"""A progress bar for searches, on every scikit-learn (extra ``progress``: tqdm)."""

from skhpo._public import publish as _publish
from skhpo.search.feedback._bar import progress_bar

__all__ = ["progress_bar"]

_publish(__name__)
