"""What people registered in this process, as it travels to worker processes.

A worker imports skhpo anew and knows what is built in. What ``register_path`` and
``register_incremental`` added in a script, it learns with the work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from skhpo.evaluation.paths._registry import Path, adopt_paths, registered_paths
from skhpo.evaluation.training._registry import (
    Incremental,
    adopt_incremental,
    registered_incremental,
)

__all__ = ["Registrations"]


@dataclass(frozen=True)
class Registrations:
    """The registered paths and the registered ways to train a bit more.

    Parameters
    ----------
    paths : mapping
        By class.
    incremental : mapping
        By class.
    """

    paths: Mapping[Any, Path]
    incremental: Mapping[type, Incremental]

    @classmethod
    def capture(cls) -> Registrations:
        """Note what is registered in this process."""
        return cls(registered_paths(), registered_incremental())

    def adopt(self) -> None:
        """Register it here too."""
        adopt_paths(dict(self.paths))
        adopt_incremental(self.incremental)
