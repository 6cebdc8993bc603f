"""The same value, recognized in another process and on another day."""

from skhpo._fingerprint._digest import UnreadableError
from skhpo._fingerprint._read import fingerprint, steady_fingerprint

__all__ = ["UnreadableError", "fingerprint", "steady_fingerprint"]
