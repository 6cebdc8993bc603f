"""How many rungs a halving has, with what resources, and how many brackets.

Only whole numbers and fractions are counted with, so that 243 candidates by 3 are six
rungs: the logarithm of floats makes five of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["HalvingPlan", "brackets_of", "floor_log", "plan_halving"]


@dataclass(frozen=True)
class HalvingPlan:
    """What each rung is given.

    Parameters
    ----------
    n_resources : sequence of int
        Of each rung; the last one has all there are.
    factor : Fraction
        Of a rung, the best one in so many goes on.
    n_required_iterations : int
        How many rungs it takes until no more than `factor` candidates are left.
    n_possible_iterations : int
        How many there can be between the least and the most resources.
    """

    n_resources: Sequence[int]
    factor: Fraction
    n_required_iterations: int
    n_possible_iterations: int

    def n_kept(self, n: int) -> int:
        """Return how many of `n` candidates go on to the next rung."""
        return math.ceil(n / self.factor)


def plan_halving(
    n_candidates: int,
    least: int,
    most: int,
    factor: float,
    *,
    exhaust: bool,
    aggressive: bool = False,
) -> HalvingPlan:
    """Return the rungs for so many candidates.

    Parameters
    ----------
    n_candidates : int
        How many there are at the beginning.
    least, most : int
        Resources that the first rung has at least, and the last one has.
    factor : float
        Above 1: by how much fewer candidates, and more resources, from rung to rung.
    exhaust : bool
        Whether resources are divided from the last rung down, and `least` is a bound
        only; else they are multiplied from `least` up.
    aggressive : bool, default=False
        Whether further rungs come first, with the resources of the first one, until no
        more than `factor` candidates are left for the last one.

    Returns
    -------
    HalvingPlan
        At least one rung.

    Examples
    --------
    >>> plan_halving(60, 20, 1000, 3, exhaust=True).n_resources
    [37, 111, 333, 1000]
    >>> plan_halving(60, 20, 180, 3, exhaust=False, aggressive=True).n_resources
    [20, 20, 60, 180]
    """
    ratio = Fraction(float(factor))
    n_required = 1 + floor_log(Fraction(n_candidates), ratio)
    if exhaust:
        least = max(least, int(most / ratio ** (n_required - 1)))
    n_possible = 1 + floor_log(Fraction(most // least), ratio)
    n_rungs = min(n_required, n_possible)
    if exhaust:
        rungs = [int(most / ratio**i) for i in reversed(range(n_rungs))]
    else:
        rungs = [int(least * ratio**i) for i in range(n_rungs - 1)] + [most]
    if aggressive:
        rungs = rungs[:1] * (n_required - n_rungs) + rungs
    return HalvingPlan(rungs, ratio, n_required, n_possible)


def floor_log(x: Fraction, base: Fraction) -> int:
    """Return the largest whole power of `base` that is not above `x`, itself 1 or more.

    Examples
    --------
    >>> floor_log(Fraction(243), Fraction(3))
    5
    """
    power, value = 0, base
    while value <= x:
        power, value = power + 1, value * base
    return power


def brackets_of(n_candidates: int, plan: HalvingPlan, n_brackets: int) -> list[int]:
    """Return how many candidates each bracket begins with.

    Bracket b begins at rung b. As of Hyperband, all cost about the same: the number of
    candidates is in proportion to ``1 / (n_rungs * n_resources)``, of the rungs of the
    bracket and of the resources of the first of them. The largest remainders are
    rounded up, and each bracket has a candidate.

    Parameters
    ----------
    n_candidates : int
        How many there are, at least one for each bracket.
    plan : HalvingPlan
        The rungs.
    n_brackets : int
        How many brackets.

    Returns
    -------
    list of int
        Their sum is `n_candidates`.

    Examples
    --------
    >>> plan = plan_halving(81, 1, 81, 3, exhaust=True)
    >>> brackets_of(81, plan, 3)
    [50, 21, 10]
    """
    rungs = plan.n_resources
    costs = [(len(rungs) - b) * rungs[b] for b in range(n_brackets)]
    total = sum(Fraction(1, cost) for cost in costs)
    left = n_candidates - n_brackets
    shares = [left / cost / total for cost in map(Fraction, costs)]
    sizes = [1 + math.floor(share) for share in shares]
    by_remainder = sorted(
        range(n_brackets), key=lambda b: (math.floor(shares[b]) - shares[b], b)
    )
    for b in by_remainder[: n_candidates - sum(sizes)]:
        sizes[b] += 1
    return sizes
