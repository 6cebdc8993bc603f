"""Settings that belong to a thread or to a process, carried to where fits run."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sklearn import config_context, get_config

from skhpo.evaluation.workers import _private

__all__ = ["WorkerContext"]


@dataclass(frozen=True)
class WorkerContext:
    """Settings of the caller's thread that hold in a worker too.

    Parameters
    ----------
    config : dict
        scikit-learn's configuration, which is local to a thread.
    warning_filters : tuple
        Python's warning filters, which are local to a process.
    """

    config: dict[str, Any]
    warning_filters: tuple[Any, ...]

    @classmethod
    def capture(cls) -> WorkerContext:
        """Return the settings of the calling thread."""
        get_filters = _private.WARNING_FILTERS.of(warnings, lambda: warnings.filters)
        return cls(get_config(), tuple(get_filters()))

    @contextmanager
    def recreated(self) -> Iterator[None]:
        """Apply the settings in this thread or process, for as long as the block."""
        with warnings.catch_warnings(), config_context(**self.config):
            _set_warning_filters(self.warning_filters)
            yield


def _set_warning_filters(filters: tuple[Any, ...]) -> None:
    warnings.resetwarnings()
    for action, message, category, module, line in filters:
        # Both patterns are compiled in the filters, and taken as text by the verb.
        message, module = (getattr(part, "pattern", part) for part in (message, module))
        warnings.filterwarnings(
            action, message or "", category, module or "", line, append=True
        )
