"""A progress bar that knows the best score so far and how long the rest takes."""

from __future__ import annotations

import math
import multiprocessing
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Self

from skhpo._trial import Trial

__all__ = ["Bar", "progress_bar", "search_bar"]

# The options of the bars that were asked for; None where nobody did.
_options: ContextVar[Mapping[str, Any] | None] = ContextVar("options", default=None)
# Whether this is within another search.
_is_inner: ContextVar[bool] = ContextVar("is_inner", default=False)
# Seconds until a search has a bar that nobody asked for, and between its movements.
DELAY, PERIOD = 5.0, 1.0


@contextmanager
def progress_bar(**options: Any) -> Iterator[None]:
    """Show a bar for every search that is fitted within this context.

    It shows how many candidates are complete, how long the rest will take, the best
    score so far, how many candidates were dropped, and how many were found in a
    journal. Searches that are themselves candidates have no bars of their own.

    On a terminal and in a notebook, searches that take longer than some seconds have a
    bar without being asked, if tqdm is installed and `verbose` is 0; ``verbose=-1`` is
    silence. This context shows it from the start, wherever the output goes, and takes
    options. From scikit-learn 1.9 on there is also ``sklearn.callback.ProgressBar``,
    which shows nested levels, and knows no scores.

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
def search_bar(name: str, *, by_default: bool) -> Iterator[Bar]:
    """Provide the bar of a search, which is shown if anybody asked, or sees it.

    Parameters
    ----------
    name : str
        Of the search.
    by_default : bool
        Whether to show one after some seconds to who sits at a terminal or a notebook.
    """
    options, is_inner = _options.get(), _is_inner.get()
    tokens = _options.set(None), _is_inner.set(True)  # for the searches within
    make, delay = None, 0.0
    if options is not None:
        make = _maker(_import_tqdm(), desc=name, **options)
    elif by_default and not is_inner and _is_seen():
        with suppress(ImportError):
            tqdm = _import_tqdm()
            make, delay = _maker(tqdm, desc=name, dynamic_ncols=True), DELAY
    try:
        with Bar(make, delay) as bar:
            yield bar
    finally:
        _options.reset(tokens[0])
        _is_inner.reset(tokens[1])


def _maker(tqdm: Any, **options: Any) -> Callable[[int | None], Any]:
    return lambda total: tqdm(**{"total": total, **options})


def _is_seen() -> bool:
    """Whether a person looks at what this thread writes: no pipe, no worker."""
    if multiprocessing.current_process().name != "MainProcess":
        return False
    if threading.current_thread() is not threading.main_thread():
        return False
    with suppress(Exception):  # whatever takes the place of the stream
        return bool(sys.stderr.isatty()) or _is_notebook()
    return False


def _is_notebook() -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and "IPKernelApp" in shell.config


class Bar:
    """Tells a bar of complete candidates; a context manager.

    Parameters
    ----------
    make : callable or None
        Returns a bar of tqdm, given how many candidates there will be; None shows
        nothing.
    delay : float, default=0.0
        Seconds until it is shown. If there are any, a thread shows it and moves its
        clock, also while no candidate is complete.

    Attributes
    ----------
    total : int or None
        How many candidates there will be, where that is known.
    """

    def __init__(
        self, make: Callable[[int | None], Any] | None = None, delay: float = 0.0
    ) -> None:
        self.total: int | None = None
        self._make = make
        self._delay = delay
        self._bar: Any = None
        self._n = self._n_found = self._n_dropped = 0
        self._best = -math.inf
        self._remark = ""
        self._start = time.time()  # as tqdm measures
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)

    def __enter__(self) -> Self:
        if self._make is not None and self._delay:
            self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._bar is not None:
            self._remark = ""
            self._bar.set_postfix_str(self._told(), refresh=False)
            self._bar.close()

    def begin(self, total: int | None) -> None:
        """Take note of how many candidates there will be; show it, unless later."""
        with self._lock:
            self.total = total
            if self._bar is not None:
                self._bar.total = total
            elif self._make is not None and not self._delay:
                self._open()

    def note(self, trial: Trial) -> None:
        """Take note of a complete candidate."""
        if self._make is None:
            return
        with self._lock:
            if not trial.failed and trial.score > self._best:
                self._best = trial.score
            found = bool(trial.done) and all(e.is_found for e in trial.done)
            self._n += 1
            self._n_found += found
            self._n_dropped += trial.dropped
            if self._bar is not None:
                self._move(found)

    def say(self, remark: str) -> None:
        """Show what the search does beside its candidates."""
        with self._lock:
            self._remark = remark
            if self._bar is not None:
                self._bar.set_postfix_str(self._told())

    def _move(self, found: bool) -> None:
        self._bar.set_postfix_str(self._told(), refresh=False)
        if not found:
            self._bar.update()
            return
        # What was found in a journal says nothing of how long others take.
        self._bar.initial += 1
        self._bar.last_print_n += 1
        self._bar.n += 1
        self._bar.refresh()

    def _told(self) -> str:
        parts = [f"best score {self._best:.4g}"] * math.isfinite(self._best)
        parts += [f"{self._n_dropped} dropped"] * bool(self._n_dropped)
        parts += [f"{self._n_found} found in the journal"] * bool(self._n_found)
        return ", ".join(parts + [self._remark] * bool(self._remark))

    def _live(self) -> None:
        """Show the bar when it is time, and have its clock go on."""
        if self._over.wait(self._delay):
            return
        with suppress(OSError, ValueError):  # of a stream that was closed meanwhile
            with self._lock:
                self._open()
            while not self._over.wait(PERIOD):
                with self._lock:
                    self._bar.refresh()

    def _open(self) -> None:
        assert self._make is not None, "somebody wants it"
        bar = self._make(self.total)
        bar.start_t = self._start
        bar.initial = self._n_found
        bar.n = bar.last_print_n = self._n
        self._bar = bar
        if self._n or self._remark:
            bar.set_postfix_str(self._told())


def _import_tqdm() -> Any:
    try:
        with warnings.catch_warnings():
            # Without ipywidgets, a notebook has the bar of a terminal.
            warnings.simplefilter("ignore")
            from tqdm.auto import tqdm
    except ImportError as error:
        raise ImportError(
            f"progress_bar needs tqdm, which cannot be imported ({error}). Install it "
            "with: pip install tqdm"
        ) from error
    return tqdm
