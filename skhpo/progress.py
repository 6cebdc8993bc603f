"""A progress bar for searches, on every scikit-learn (extra ``progress``: tqdm)."""

from skhpo.search.feedback._bar import progress_bar

__all__ = ["progress_bar"]
