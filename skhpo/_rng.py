"""Randomness: one seed per search, one independent stream per role and task.

Users pass ``random_state`` as to scikit-learn; inside, everything draws from
``numpy.random.Generator`` objects (called ``rng``) that are derived from one
``SeedSequence`` by name and number. So a stream never depends on how many draws
another one made, on worker or on completion order.
"""

from __future__ import annotations

import zlib

import numpy as np

__all__ = ["child_rng", "draw_below", "seed_sequence"]

RandomState = int | np.random.RandomState | np.random.Generator | None


def seed_sequence(random_state: RandomState) -> np.random.SeedSequence:
    """Return the root of all randomness of one ``fit``.

    Parameters
    ----------
    random_state : int, RandomState, Generator or None
        As in scikit-learn: an int gives the same sequence at every call, a
        generator object is advanced by one draw (so two fits differ), None is
        seeded by the operating system.

    Returns
    -------
    numpy.random.SeedSequence
        The root sequence.

    Raises
    ------
    ValueError
        If `random_state` is none of these.
    """
    if random_state is None:
        return np.random.SeedSequence()
    if isinstance(random_state, int | np.integer) and not isinstance(
        random_state, bool
    ):
        return np.random.SeedSequence(int(random_state))
    if isinstance(random_state, np.random.RandomState):
        return np.random.SeedSequence(int(random_state.randint(2**31 - 1)))
    if isinstance(random_state, np.random.Generator):
        return np.random.SeedSequence(int(random_state.integers(2**63 - 1)))
    raise ValueError(
        "random_state must be None, a non-negative integer, a numpy RandomState or a "
        f"numpy Generator. Got {random_state!r} instead."
    )


def child_rng(
    root: np.random.SeedSequence, role: str, *key: int
) -> np.random.Generator:
    """Return the generator for one role and task, independent of all the others.

    Parameters
    ----------
    root : numpy.random.SeedSequence
        The sequence of the search.
    role : str
        What the numbers are for, such as ``"explore"``.
    *key : int
        Numbers that single out the task, such as trial and split.

    Returns
    -------
    numpy.random.Generator
        The same one for the same arguments, in every process (names are hashed
        by CRC-32, since ``hash(str)`` differs between interpreters).

    Examples
    --------
    >>> root = seed_sequence(0)
    >>> a = child_rng(root, "explore", 3).random()
    >>> a == child_rng(root, "explore", 3).random()
    True
    >>> a == child_rng(root, "explore", 4).random()
    False
    """
    spawn_key = (*root.spawn_key, zlib.crc32(role.encode()), *key)
    sequence = np.random.SeedSequence(root.entropy, spawn_key=spawn_key)
    return np.random.default_rng(sequence)


def draw_below(n: int, rng: np.random.Generator | np.random.RandomState) -> int:
    """Return one of the integers from 0 to n - 1, however large `n` is.

    Parameters
    ----------
    n : int
        How many there are.
    rng : numpy.random.Generator or RandomState
        Draws its bits.

    Returns
    -------
    int
        Each with the same probability.

    Examples
    --------
    >>> 0 <= draw_below(10**30, np.random.default_rng(0)) < 10**30
    True
    """
    n_bits = (n - 1).bit_length()
    n_bytes = -(-n_bits // 8)
    while True:  # at least every second time, it is below
        number = int.from_bytes(rng.bytes(n_bytes), "little") >> (8 * n_bytes - n_bits)
        if number < n:
            return number
