"""The names of parameters are strings."""

from __future__ import annotations

from typing import Any

from skhpo.exceptions import InvalidSpaceError

__all__ = ["check_name"]


def check_name(name: Any) -> None:
    """Raise if a key of a space is not the name of a parameter.

    Parameters
    ----------
    name : object
        The key.

    Raises
    ------
    InvalidSpaceError
        If it is no string.

    Examples
    --------
    >>> check_name("svc__C")
    >>> check_name(("svc", "C"))
    Traceback (most recent call last):
    skhpo.exceptions.InvalidSpaceError: Did you mean 'svc__C'? Parameter names must be \
strings. Got ('svc', 'C') instead.
    """
    if isinstance(name, str):
        return
    meant = ""
    if name and isinstance(name, tuple) and all(isinstance(n, str) for n in name):
        meant = f"Did you mean {'__'.join(name)!r}? "
    elif isinstance(name, bytes):
        meant = f"Did you mean {name.decode(errors='replace')!r}? "
    raise InvalidSpaceError(
        f"{meant}Parameter names must be strings. Got {name!r} instead."
    )
