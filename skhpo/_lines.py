"""Lines that are printed while a search runs."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["print_line"]


def print_line(line: str) -> None:
    """Print a line on its own, above the bars of tqdm where there are any.

    Parameters
    ----------
    line : str
        What to print.
    """
    tqdm: Any = getattr(sys.modules.get("tqdm.std"), "tqdm", None)
    if tqdm is None or not getattr(tqdm, "_instances", ()):
        print(line)
    else:
        tqdm.write(line)
