"""Parts of the train rows of each split, nested in one another.

The rows are put in an order once, and a part is the beginning of it: of a class as many
rows as is its share, whole groups, or the most recent rows. The test rows are always
all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skhpo._rng import child_rng
from skhpo.evaluation.fitting._rows import row_numbers

__all__ = ["Subsets", "in_equal_shares", "whole_groups"]

Rows = np.ndarray


@dataclass(frozen=True, eq=False)
class Subsets:
    """Which rows a split is trained on, where it gets a part of them.

    Parameters
    ----------
    n_rows : int
        How many there are in all. A number of rows out of these stands for the same
        share of the train rows of each split, rounded down, and at least one.
    seed : numpy.random.SeedSequence
        Of the order.
    labels : ndarray of int of shape (n_rows,) or None, default=None
        Numbers of the classes, whose shares are kept.
    groups : ndarray of int of shape (n_rows,) or None, default=None
        Numbers of groups that stay together: a part has as few of them as have so many
        rows. Shares of classes are left to chance then.
    latest : bool, default=False
        Whether a part is the last rows, of a series.
    """

    n_rows: int
    seed: np.random.SeedSequence
    labels: np.ndarray | None = None
    groups: np.ndarray | None = None
    latest: bool = False

    @property
    def identity(self) -> Any:
        """What decides about the parts beside data and splits, for a journal."""
        how = self.labels is not None, self.latest
        return "rows", self.n_rows, self.seed.entropy, self.seed.spawn_key, how, (
            None if self.groups is None else self.groups.tobytes()
        )  # fmt: skip

    def rows(self, train: Rows, split: int, n: int) -> Rows:
        """Return the rows to train on, in the order of the whole train part.

        Parameters
        ----------
        train : array-like of int
            The train rows of the split.
        split : int
            Its number.
        n : int
            How many of all rows its part stands for.

        Returns
        -------
        ndarray of int
            Some of `train`; those of a smaller number are among them.
        """
        train = row_numbers(train)
        wanted = max(1, len(train) * n // self.n_rows)
        if self.latest:
            return train[len(train) - wanted :]
        rng = child_rng(self.seed, "rows", split)
        if self.groups is not None:
            order, n_taken = whole_groups(self.groups[train], wanted, rng)
        else:
            labels = None if self.labels is None else self.labels[train]
            order, n_taken = in_equal_shares(labels, len(train), rng), wanted
        return train[np.sort(order[:n_taken])]


def in_equal_shares(
    labels: np.ndarray | None, n: int, rng: np.random.Generator
) -> np.ndarray:
    """Return a random order in which each beginning has the shares of the classes.

    Row number r of a class with c rows (from 0) comes at (r + 1/2) / c, as parliaments
    deal out seats by the method of Sainte-Lague.

    Parameters
    ----------
    labels : ndarray of shape (n,) or None
        The classes; None for a random order.
    n : int
        How many rows.
    rng : numpy.random.Generator
        Draws it.

    Returns
    -------
    ndarray of int of shape (n,)
        Positions.

    Examples
    --------
    >>> labels = np.array([0] * 6 + [1] * 3)
    >>> labels[in_equal_shares(labels, 9, np.random.default_rng(0))].tolist()
    [0, 1, 0, 0, 1, 0, 0, 1, 0]
    """
    order = rng.permutation(n)
    if labels is None:
        return order
    found, codes = np.unique(labels[order], return_inverse=True)
    place = np.empty(n)
    for code in range(len(found)):
        own = np.flatnonzero(codes == code)
        place[own] = (np.arange(len(own)) + 0.5) / len(own)
    return order[np.lexsort((codes, place))]


def whole_groups(
    groups: np.ndarray, wanted: int, rng: np.random.Generator
) -> tuple[np.ndarray, int]:
    """Return an order of the rows by group, and how many are whole groups.

    Parameters
    ----------
    groups : ndarray of shape (n,)
        Of each row.
    wanted : int
        How many rows there are to be at least.
    rng : numpy.random.Generator
        Draws the order of the groups.

    Returns
    -------
    order : ndarray of int of shape (n,)
        Positions.
    n : int
        How many of them the fewest groups have that are enough.
    """
    _, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    turn = rng.permutation(len(sizes))
    ends = np.cumsum(sizes[turn])
    n = int(ends[np.searchsorted(ends, wanted)])
    rank = np.empty(len(turn), dtype=int)
    rank[turn] = np.arange(len(turn))
    return np.argsort(rank[codes], kind="stable"), n
