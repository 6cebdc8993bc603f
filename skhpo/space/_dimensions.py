"""Dimensions: the values that one parameter can take, and their place in [0, 1].

Every dimension maps values to coordinates of the unit interval and back. Random
search draws the coordinate uniformly, so the map carries the distribution; the
surrogates see coordinates only. Dimensions with finitely many values cut the
interval into cells, and a value is encoded as the center of its cell::

    Integer(1, 4):   |  1  |  2  |  3  |  4  |
                     0   .25    .5   .75     1      encode(2) = 0.375

Notations: ``u`` is a coordinate, ``(n,)`` an array of n of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from numbers import Real as RealNumber
from typing import Any

import numpy as np

from skhpo._arithmetic import Array
from skhpo._rng import RandomState, seed_sequence

__all__ = ["RESOLUTION", "Array", "Dimension", "is_number"]

# Cells that are narrower than this are lost in the rounding of coordinates.
RESOLUTION = 2.0**-48


def is_number(value: object) -> bool:
    """Whether `value` is a real number; booleans are not."""
    return isinstance(value, RealNumber) and not isinstance(value, bool | np.bool_)


class Dimension(ABC):
    """What all dimensions share; not to be instantiated."""

    @property
    def is_categorical(self) -> bool:
        """Whether the values have no order."""
        return False

    @property
    @abstractmethod
    def n_values(self) -> int | None:
        """Number of distinct values, None if there is no end to them."""

    def from_unit(self, u: Array) -> list[Any]:
        """Return the values at some coordinates.

        Parameters
        ----------
        u : ndarray of shape (n,)
            Coordinates in [0, 1].

        Returns
        -------
        list
            The n values, of native Python types.
        """
        with np.errstate(all="ignore"):
            return self._from_unit(np.asarray(u, dtype=float))

    def to_unit(self, value: object) -> float:
        """Return the coordinate of a value.

        Parameters
        ----------
        value : object
            A value of the dimension.

        Returns
        -------
        float
            The center of its cell.

        Raises
        ------
        InvalidSpaceError
            If it is none of the values.
        """
        with np.errstate(all="ignore"):
            return self._to_unit(value)

    def snap(self, u: Array) -> Array:
        """Return the coordinates of the values at some coordinates.

        Parameters
        ----------
        u : ndarray of shape (n,)
            Coordinates in [0, 1].

        Returns
        -------
        ndarray of shape (n,)
            The centers of the cells; `u` itself where there are none, or where they
            are too narrow to be told apart.
        """
        with np.errstate(all="ignore"):
            return self._snap(np.asarray(u, dtype=float))

    def clip(self, value: object) -> Any:
        """Return the nearest value of the dimension.

        Parameters
        ----------
        value : object
            Any value.

        Returns
        -------
        object
            The nearest number of the dimension if `value` is a number, else `value`.
            An integer above a range of fractions is a count: the lowest fraction.
        """
        return self._clip(value)

    def levels(self, n: int) -> Array:
        """Return coordinates of distinct values, evenly spread.

        Parameters
        ----------
        n : int
            How many at the most; lists without an order give all of their values
            nevertheless.

        Returns
        -------
        ndarray of shape (m,)
            In ascending order.
        """
        with np.errstate(all="ignore"):
            return self._levels(n)

    def neighbors(self, u: float) -> Array:
        """Return coordinates of the values that are one or two places away.

        Parameters
        ----------
        u : float
            A coordinate.

        Returns
        -------
        ndarray of shape (m,)
            Up to two of values below and two above; none of a continuous dimension.
        """
        if self.n_values is None:
            return np.empty(0)
        with np.errstate(all="ignore"):
            cells = self._cells(np.array([u])) + np.array([-2.0, -1.0, 1.0, 2.0])
            return self._centers(cells[(cells >= 0) & (cells < self.n_values)])

    def rvs(self, size: int | None = None, random_state: RandomState = None) -> Any:
        """Draw values at random, as scipy's distributions do.

        With it, dimensions can stand in the ``param_distributions`` of
        :class:`sklearn.model_selection.RandomizedSearchCV`.

        Parameters
        ----------
        size : int or None, default=None
            How many; None for a single value that is not in a list.
        random_state : int, RandomState, Generator or None, default=None
            The source of randomness.

        Returns
        -------
        object or list
            One value, or a list of `size` values.
        """
        rng = np.random.default_rng(seed_sequence(random_state))
        values = self.from_unit(rng.random(1 if size is None else size))
        return values[0] if size is None else values

    @abstractmethod
    def _from_unit(self, u: Array) -> list[Any]: ...

    @abstractmethod
    def _to_unit(self, value: object) -> float: ...

    def _cells(self, u: Array) -> Array:
        """Return the positions, from 0, of the values at some coordinates."""
        raise NotImplementedError  # a continuous dimension has none

    def _centers(self, cells: Array) -> Array:
        """Return the coordinates of the values at some positions."""
        raise NotImplementedError  # likewise: discrete ones override both

    def _snap(self, u: Array) -> Array:
        return u

    def _clip(self, value: object) -> Any:
        return value

    def _levels(self, n: int) -> Array:
        first, last = self.snap(np.array([0.0, 1.0]))
        u = np.linspace(first, last, n) if n > 1 else np.array([0.5])
        if self.n_values is not None and self.n_values <= n:
            u = (np.arange(self.n_values) + 0.5) / self.n_values
        return np.unique(self.snap(u))
