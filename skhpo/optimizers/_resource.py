"""What halved candidates get more of from rung to rung: rows, a value, iterations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Protocol

from skhpo._trial import Candidate, Params, Trial
from skhpo.space._curve import Curve

__all__ = ["Iterations", "Resource", "Rows", "Value"]


class Resource(Protocol):
    """What there is more of from rung to rung."""

    def candidate(
        self, id: int, params: Params, amount: int, origin: Trial | None
    ) -> Candidate:
        """Return what to ask for: a candidate with so much of it.

        `origin` is its trial of the rung before.
        """
        ...

    def describe(self, amount: int) -> str:
        """Return so much of it, for a message."""
        ...


@dataclass(frozen=True)
class Rows:
    """Rows to train on.

    Parameters
    ----------
    n_rows : int
        How many there are.
    """

    n_rows: int

    def candidate(
        self, id: int, params: Params, amount: int, origin: Trial | None
    ) -> Candidate:
        """Return a candidate on so many rows; on all, it is an ordinary one."""
        return Candidate(id, params, None if amount == self.n_rows else amount)

    def describe(self, amount: int) -> str:
        """Return the number of rows."""
        return f"{amount} of {self.n_rows} rows"


@dataclass(frozen=True)
class Value:
    """A parameter, of which each rung has another value.

    Parameters
    ----------
    name : str
        Its name.
    """

    name: str

    def candidate(
        self, id: int, params: Params, amount: int, origin: Trial | None
    ) -> Candidate:
        """Return a candidate with this value."""
        return Candidate(id, {**params, self.name: amount})

    def describe(self, amount: int) -> str:
        """Return the value with its name."""
        return f"{self.name}={amount}"


@dataclass(frozen=True)
class Iterations(Value):
    """A number of iterations of which one fit tells all smaller ones.

    So candidates are compared by the best so far along their curves.

    Parameters
    ----------
    name : str
        The parameter.
    continues : bool
        Whether training goes on from the models of the rung before.
    """

    continues: bool

    def candidate(
        self, id: int, params: Params, amount: int, origin: Trial | None
    ) -> Candidate:
        """Return a candidate with a curve up to so many iterations."""
        params = {**params, self.name: _up_to(amount)}
        if not self.continues:
            return Candidate(id, params)
        go_on = origin is not None and not origin.failed
        before = origin.candidate.id if origin is not None and go_on else None
        return Candidate(id, params, amount, before)


@cache
def _up_to(amount: int) -> Curve | int:
    """Return so many iterations, of which one fit tells all smaller numbers.

    It is the same object each time, by which the evaluator knows that a candidate of a
    rung with the resources of the one before is the same one, and not fitted again.
    """
    return Curve(amount) if amount > 1 else amount
