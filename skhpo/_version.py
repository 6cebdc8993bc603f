"""The version, which comes from the tag that was installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

__all__ = ["__version__"]

try:
    __version__ = version("skhpo")
except PackageNotFoundError:  # a checkout that is on the path, and not installed
    __version__ = "0+unknown"
