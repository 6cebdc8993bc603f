"""What skhpo raises and warns about.

The tree, with the builtin that each one also is, so that code written against
scikit-learn keeps catching what it caught::

    SkhpoError
    ├── InvalidSpaceError (ValueError)      the space cannot be searched as written
    ├── AllFitsFailedError (ValueError)     no candidate gave a score on any split
    ├── FitTimeoutError (TimeoutError)      a fit passed its ``fit_timeout``
    ├── FitMemoryError (MemoryError)        a fit passed its ``memory_limit``
    ├── FitLostError (RuntimeError)         a fit ended its process, or tried to
    ├── SearchStoppedError (RuntimeError)   stopped before one candidate was complete
    └── JournalError (RuntimeError)         a file that cannot serve as a journal
    SkhpoWarning (UserWarning)
    ├── NoEffectWarning                     a parameter was varied and changed no score
    ├── WorkerDiedWarning                   a worker died, and which fit killed it
    ├── JournalWarning                      a journal that does not keep everything
    └── SearchInterruptedWarning            Ctrl-C: the search ends with what it has
"""

__all__ = [
    "AllFitsFailedError",
    "FitLostError",
    "FitMemoryError",
    "FitTimeoutError",
    "InvalidSpaceError",
    "JournalError",
    "JournalWarning",
    "NoEffectWarning",
    "SearchInterruptedWarning",
    "SearchStoppedError",
    "SkhpoError",
    "SkhpoWarning",
    "WorkerDiedWarning",
]


class SkhpoError(Exception):
    """Base class of every error that skhpo itself raises."""


class InvalidSpaceError(SkhpoError, ValueError):
    """The search space is not one that can be searched: says which entry and why."""


class AllFitsFailedError(SkhpoError, ValueError):
    """Every fit of the search failed; the message groups the failures by kind."""


class FitTimeoutError(SkhpoError, TimeoutError):
    """An evaluation took longer than ``fit_timeout`` and was stopped."""


class FitMemoryError(SkhpoError, MemoryError):
    """An evaluation asked for more memory than ``memory_limit``."""


class FitLostError(SkhpoError, RuntimeError):
    """An evaluation ended without a result.

    It called ``sys.exit``, or its process died, or what came of it cannot be pickled.
    """


class SearchStoppedError(SkhpoError, RuntimeError):
    """The search was stopped before a single candidate was complete."""


class JournalError(SkhpoError, RuntimeError):
    """A file that cannot serve as a journal; it was left as it is."""


class SkhpoWarning(UserWarning):
    """Base class of every warning that skhpo itself issues."""


class NoEffectWarning(SkhpoWarning):
    """A parameter was varied, and no score of the search depends on it; names it."""


class WorkerDiedWarning(SkhpoWarning):
    """A worker process died; names the fit that killed it."""


class JournalWarning(SkhpoWarning):
    """A journal that does not keep, or has not kept, everything."""


class SearchInterruptedWarning(SkhpoWarning):
    """The user pressed Ctrl-C: the search ends with its complete candidates."""
