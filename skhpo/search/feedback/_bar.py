"""A progress bar that knows the best score so far and how long the rest takes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from skhpo._trial import Trial

__all__ = ["progress_bar", "show_progress"]

# The options of the bars that were asked for; None where nobody did.
_options: ContextVar[Mapping[str, Any] | None] = ContextVar("options", default=None)


@contextmanager
def progress_bar(**options: Any) -> Iterator[None]:
    """Show a bar for every search that is fitted within this context.

    It shows how many candidates are complete, how long the rest will take, and the
    best score so far. Searches that are themselves candidates have no bars of their
    own. From scikit-learn 1.9 on there is also ``sklearn.callback.ProgressBar``, which
    shows nested levels, and knows no scores.

    Parameters
    ----------
    **options : dict of str to object
        For tqdm, such as ``leave=False`` or ``file=sys.stdout``.

    Yields
    ------
    None
        Nothing: whatever search is fitted meanwhile has a bar.

    Raises
    ------
    ImportError
        If tqdm is not installed.

    Examples
    --------
    >>> import sys
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skhpo import GridSearch
    >>> from skhpo.progress import progress_bar
    >>> search = GridSearch(DecisionTreeClassifier(), {"max_depth": [1, 2, 3]})
    >>> with progress_bar():
    ...     search = search.fit(*load_iris(return_X_y=True))
    """
    _import_tqdm()
    token = _options.set(options)
    try:
        yield
    finally:
        _options.reset(token)


@contextmanager
def show_progress(name: str, n_candidates: int | None) -> Iterator[Bar]:
    """Provide a `Bar`, which is shown if anybody asked.

    Parameters
    ----------
    name : str
        Of the search.
    n_candidates : int or None
        How many there will be, where that is known.
    """
    options = _options.get()
    if options is None:
        yield Bar()
        return
    tqdm = _import_tqdm()
    token = _options.set(None)  # for the searches within this one
    try:
        with tqdm(**{"desc": name, "total": n_candidates, **options}) as bar:
            yield Bar(bar)
    finally:
        _options.reset(token)


class Bar:
    """Tells a bar of complete candidates.

    Parameters
    ----------
    bar : tqdm.tqdm or None
        The bar; None shows nothing.
    """

    def __init__(self, bar: Any = None) -> None:
        self._bar = bar
        self._best = -math.inf

    def note(self, trial: Trial) -> None:
        """Take note of a complete candidate."""
        if self._bar is None:
            return
        if not trial.failed and trial.score > self._best:
            self._best = trial.score
            self._bar.set_postfix_str(f"best score {self._best:.4g}", refresh=False)
        if trial.done and all(evaluation.is_found for evaluation in trial.done):
            # What was found in a journal says nothing of how long others take.
            self._bar.initial += 1
            self._bar.last_print_n += 1
            self._bar.n += 1
            self._bar.refresh()
            return
        self._bar.update()


def _import_tqdm() -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        raise ImportError(
            "progress_bar needs tqdm: pip install 'skhpo[progress]'."
        ) from error
    return tqdm
