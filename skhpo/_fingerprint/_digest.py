"""A hash that is fed with values, and knows where it is in them."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = [
    "NOTES",
    "SCALARS",
    "Digest",
    "UnreadableError",
    "add_attributes",
    "add_put_on",
]

SCALARS = (bool, int, str, bytes, complex, type(None), type(Ellipsis))
# What classes and objects carry for people, or as notes of the interpreter.
NOTES = {
    *("__dict__", "__weakref__", "__doc__", "__module__", "__qualname__"),
    *("__annotations__", "__annotate__", "__annotate_func__", "__annotations_cache__"),
    *("__firstlineno__", "__static_attributes__", "__slotnames__", "_abc_impl"),
    *("__abstractmethods__", "__orig_bases__", "__parameters__", "__type_params__"),
    *("__dataclass_fields__", "__dataclass_params__"),
}


class UnreadableError(TypeError):
    """Something has no content that another process could recognize.

    Parameters
    ----------
    what : str
        What it is, and why.

    Attributes
    ----------
    where : list of str
        The way to it, from the outside.
    """

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.where: list[str] = []

    def __str__(self) -> str:
        """Return the way to it, and what it is."""
        return ": ".join([*filter(None, [", ".join(self.where)]), *self.args])


class Digest(ABC):
    """Feeds values to a hash, each with its type and length, so that none run on.

    Parameters
    ----------
    is_marked : bool, default=False
        Whether to take note of the digest after each named part, in `marks`.
    """

    def __init__(self, is_marked: bool = False) -> None:
        self._hash = hashlib.blake2b(digest_size=16)
        self._seen: dict[int, tuple[int, Any]] = {}
        self._is_marked = is_marked
        self.marks: list[tuple[str, bytes]] = []  # after each named part

    def hexdigest(self) -> str:
        return self._hash.hexdigest()

    def put(self, tag: str, content: Any = b"") -> None:
        """Feed bytes, or a text, under a name."""
        if isinstance(content, str):
            content = content.encode("utf-8", "surrogatepass")
        is_bytes = type(content) is bytes
        size = len(content) if is_bytes else memoryview(content).nbytes
        self._hash.update(f"{tag}:{size};".encode())
        self._hash.update(content)

    def is_again(self, value: object) -> bool:
        """Whether an object was read before: feed its number, since it may recur."""
        if id(value) in self._seen:
            self.put("again", str(self._seen[id(value)][0]))
            return True
        self._seen[id(value)] = len(self._seen), value  # so that its id stays its own
        return False

    def of_item(self, item: object, cloned: bool) -> str:
        """Return the digest of an item, whichever items were read before it."""
        one = type(self)()
        one._seen = self._seen
        n_before = len(self._seen)
        one.add_all("values", (item,), cloned)
        while len(self._seen) > n_before:
            self._seen.popitem()
        return one.hexdigest()

    def forget(self, value: object) -> None:
        """Let a value be read in full where it comes again."""
        del self._seen[id(value)]

    def add_all(self, tag: str, values: Iterable[Any], cloned: bool = False) -> None:
        values = list(values)
        self.put(tag, str(len(values)))
        for value in values:
            self.add(value, cloned)

    def add_named(self, name: str, value: object, cloned: bool = False) -> None:
        """Feed a part, and say which one it is if it cannot be read."""
        try:
            self.add(value, cloned)
        except UnreadableError as error:
            error.where.insert(0, name)
            raise
        if self._is_marked:
            self.marks.append((name, self._hash.digest()))

    @abstractmethod
    def add(self, value: Any, cloned: bool = False) -> None:
        """Feed a value of any kind: whole, or as far as a clone has it."""


def add_attributes(digest: Digest, state: Mapping[str, Any]) -> None:
    names = sorted(name for name in state if name not in NOTES)
    digest.put("attributes", str(len(names)))
    for name in names:
        digest.put("attribute", name)
        digest.add_named(f"attribute {name!r}", state[name])


def add_put_on(digest: Digest, value: object, known: set[str]) -> None:
    """Feed the attributes that a user has put on something that has its own."""
    state = {name: vars(value)[name] for name in vars(value).keys() - known - NOTES}
    if state and not digest.is_again(value):
        add_attributes(digest, state)
