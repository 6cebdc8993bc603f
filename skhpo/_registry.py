"""What is known of classes: tables that come with skhpo, and what users add to them.

Nothing is imported for the sake of a table. Its keys are the names that classes are
imported by, and whoever has an instance has imported its package.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

__all__ = ["Registrations", "Registry", "check_registration"]

T = TypeVar("T")


class Registry(Generic[T]):
    """Values by class; what users add goes before what is built in.

    Parameters
    ----------
    name : str
        Its own, by which a worker process finds its registry of the same kind.
    built_in : mapping of str to object
        Values by the name that a class is imported by, such as ``"package.Class"``.
    inherited : bool, default=False
        Whether subclasses have the value of the nearest class above them. Else the
        exact class counts, as a subclass may do things otherwise.

    Attributes
    ----------
    added : dict
        What users added, by class or by the name that it is imported by.
    """

    def __init__(
        self, name: str, built_in: Mapping[str, T], *, inherited: bool = False
    ) -> None:
        self.added: dict[type | str, T] = {}
        self._built_in = built_in
        self._inherited = inherited
        _registries[name] = self

    def add(self, key: type | str, value: T) -> None:
        """Add the value of a class, in the place of one that is known already."""
        self.added[key] = value

    def find(self, cls: type) -> T | None:
        """Return the value of a class, None if nothing is known of it."""
        for base in cls.__mro__ if self._inherited else (cls,):
            if base in self.added:
                return self.added[base]
            for table in (self.added, self._built_in):
                for key, value in table.items():
                    if isinstance(key, str) and _is_imported_as(base, key):
                        return value
        return None

    def find_added(self, cls: type) -> T | None:
        """Return the value of a class if users added it, else None."""
        value = self.find(cls)
        return value if any(value is one for one in self.added.values()) else None

    def class_names(self) -> list[str]:
        """Return the names of the classes that something is known of, sorted."""
        keys = [*self.added, *self._built_in]
        names = (key if isinstance(key, str) else key.__name__ for key in keys)
        return sorted({name.rpartition(".")[2] for name in names})


def check_registration(
    estimator_class: object, *others: tuple[bool, str, object]
) -> None:
    """Raise TypeError if an argument of a registration is not of its kind.

    Parameters
    ----------
    estimator_class : object
        A class, or the name that it is imported by.
    *others : tuple of (bool, str, object)
        Of each other argument: whether it is valid, what it must be, and its value.
    """
    is_name = isinstance(estimator_class, str) and "." in estimator_class
    first = (
        isinstance(estimator_class, type) or is_name,
        "estimator_class must be a class or a name like 'package.Class'",
        estimator_class,
    )
    for valid, sentence, value in (first, *others):
        if not valid:
            raise TypeError(f"{sentence}. Got {value!r}.")


# The registries of this process, each owned by the module that makes it.
_registries: WeakValueDictionary[str, Registry[Any]] = WeakValueDictionary()


@dataclass(frozen=True)
class Registrations:
    """What users added to all registries, as it travels to worker processes.

    A worker imports skhpo anew and knows what is built in. What was added in a script,
    it learns with the work.

    Parameters
    ----------
    added : mapping
        By the name of the registry, and then by class.
    """

    added: Mapping[str, Mapping[type | str, Any]]

    @classmethod
    def capture(cls) -> Registrations:
        """Return what is added in this process."""
        return cls({name: dict(one.added) for name, one in _registries.items()})

    def adopt(self) -> None:
        """Add it in this process too."""
        for name, added in self.added.items():
            _registries[name].added.update(added)


def _is_imported_as(cls: type, name: str) -> bool:
    """Whether a class is imported by this name, wherever it is defined."""
    module, _, attribute = name.rpartition(".")
    return (
        cls.__name__ == attribute
        and getattr(sys.modules.get(module), attribute, None) is cls
    )
