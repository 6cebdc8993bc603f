"""Warnings that name the user's line, not one of ours."""

from __future__ import annotations

import sys
import warnings
from types import FrameType

__all__ = ["warn_user"]

# Packages and modules that stand between the user's line and ours: wrappers of `fit`,
# cross-validation around a search, context managers, and what runs a thread.
BETWEEN = {
    *("skhpo", "sklearn", "joblib"),
    *("concurrent", "contextlib", "multiprocessing", "threading"),
}


def warn_user(message: str, category: type[Warning]) -> None:
    """Warn in the name of the code that has called skhpo.

    The line is that of the innermost call from outside. In a thread or a process of a
    worker there is none; there it is the line in skhpo that warns.

    Parameters
    ----------
    message : str
        What to say.
    category : type
        The class of the warning.
    """
    caller = sys._getframe(1)
    frame: FrameType | None = caller
    while frame is not None and _module(frame).partition(".")[0] in BETWEEN:
        frame = frame.f_back
    frame = frame or caller
    file, line, names = frame.f_code.co_filename, frame.f_lineno, frame.f_globals
    registry = names.setdefault("__warningregistry__", {})
    warnings.warn_explicit(message, category, file, line, _module(frame), registry)


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))
