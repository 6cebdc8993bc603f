"""The rules by which a search is recommended: from a few facts to a decision.

They know no estimator and fit nothing. `RULES` is what :doc:`/which_search` prints.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from skhpo._words import counted

__all__ = ["RULES", "Decision", "Facts", "Reason", "Rule", "decide", "duration"]

LEAST = 5  # candidates; fewer are no search
LEAST_TO_LEARN, MOST_TO_LEARN = 10, 500
MOST_GRID_DIMENSIONS, MOST_MODEL_DIMENSIONS = 3, 30
MANY_WORKERS = 10
CHEAP = 0.05  # seconds of a candidate
LEAST_SLOPES = 2  # with one, a grid does as well
FEW_ROWS, MANY_ROWS, VERY_MANY_ROWS = 1_000, 20_000, 100_000
N_FOLDS, N_REPEATS = 5, 3
# With repeated folds, so many candidates must still be affordable.
ENOUGH = 50
# So many draws find one of the best 0.2 % with a probability of 0.98.
MOST_DRAWS = 2048
CANDIDATES_PER_DIMENSION = 10
# Twice the rows must take so many times as long, for few rows to be worth a try.
RISING = 1.5
# docs/race.md: the share of the CPU that a race took.
RACE_CPU, RACE_SAME = 0.45, 0.96


class Rule(NamedTuple):
    """One rule in words: its number, the case, what to take, and why."""

    number: int
    case: str
    take: str
    why: str


RULES = (
    Rule(
        1,
        f"fewer than {LEAST} candidates are affordable",
        "no search: the estimator as given, fewer splits, fewer rows, or more time",
        "the best of so few is luck",
    ),
    Rule(
        2,
        f"all combinations of at most {MOST_GRID_DIMENSIONS} parameters are affordable",
        "`GridSearch`",
        "one can be sure, and show a table",
    ),
    Rule(
        3,
        f"a candidate takes less than {1000 * CHEAP:.0f} ms on all splits",
        '`RandomSearch(sampling="sobol")`',
        "a model would think for as long as that",
    ),
    Rule(
        4,
        f"{LEAST_TO_LEARN} to {MOST_TO_LEARN} candidates are affordable, at most "
        f"{MOST_MODEL_DIMENSIONS} parameters, fewer than {MANY_WORKERS} workers",
        "`BayesSearch`",
        "it learns from each candidate, and needs the result before the next one",
    ),
    Rule(
        5,
        "any other case: more candidates, more parameters, or more workers",
        "`RandomSearch`",
        f"draws keep all workers busy; above {MANY_ROWS:,} rows, if more rows take "
        "longer, begin on few of them",
    ),
    Rule(
        6,
        "the model learns step by step, and a step size is searched",
        "`PBTSearch`, as the alternative",
        "it finds a schedule in place of a value, for more thought",
    ),
    Rule(
        7,
        f"fewer than {FEW_ROWS:,} rows; more than {VERY_MANY_ROWS:,}",
        f"{N_FOLDS} folds repeated {N_REPEATS} times, if {ENOUGH} candidates remain "
        "affordable; one split",
        "few rows leave much doubt; of many rows, one part is enough",
    ),
    Rule(
        8,
        f"more than one parameter for {CANDIDATES_PER_DIMENSION} candidates",
        "fewer parameters",
        "each one costs candidates",
    ),
    Rule(
        9,
        f"{LEAST_SLOPES} or more parameters, all with a slope of the score",
        "`GradientSearch`, as the alternative",
        "one fit tells the slopes by all of them; it is experimental",
    ),
)


@dataclass(frozen=True)
class Facts:
    """What the rules look at.

    Parameters
    ----------
    budget : float
        Seconds for the search.
    seconds : float
        Of fitting and scoring the estimator as given on one split.
    n_rows : int
        Rows of the data.
    dimensions : tuple of str
        Parameters of the space that have more than one value.
    size : float
        Combinations of their values; infinite for ranges.
    n_workers : int
        Fits at a time.
    n_splits : int or None
        Those that the user has asked for; None if the rules are to say.
    step_sizes : tuple of str
        The dimensions that are step sizes of a model that learns step by step.
    counts : tuple of str
        The dimensions that are numbers of iterations, of which one fit tells.
    growth : float or None
        How many times as long twice the rows take; None if it was not measured.
    slopes : tuple of str
        The dimensions by which the score has a derivative that one fit tells.
    """

    budget: float
    seconds: float
    n_rows: int
    dimensions: tuple[str, ...] = ()
    size: float = math.inf
    n_workers: int = 1
    n_splits: int | None = None
    step_sizes: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()
    growth: float | None = None
    slopes: tuple[str, ...] = ()

    def affordable(self, n_splits: int) -> int:
        """Return how many candidates the budget pays for."""
        n = self.budget * self.n_workers / (max(self.seconds, 1e-9) * n_splits)
        return int(min(n, 1e12))


class Reason(NamedTuple):
    """Why: the number of a rule, 0 for what is none of them, and a sentence."""

    rule: int
    text: str


@dataclass(frozen=True)
class Decision:
    """What the rules say.

    Parameters
    ----------
    kind : {"none", "grid", "sobol", "bayes", "random"}
        Which search.
    splitting : {"given", "folds", "repeated", "one"}
        How to split.
    n_splits : int
        Number of splits.
    n_affordable : int
        Candidates that the budget pays for, with all their splits.
    n_candidates : int
        Candidates to try; 0 if none.
    race : bool
        Whether to skip splits of hopeless candidates.
    reasons : tuple of Reason
        Why.
    alternatives : tuple of Reason
        What else could be done.
    """

    kind: str
    splitting: str
    n_splits: int
    n_affordable: int
    n_candidates: int
    race: bool
    reasons: tuple[Reason, ...]
    alternatives: tuple[Reason, ...]


def decide(facts: Facts) -> Decision:
    """Return what the rules say of some facts.

    Examples
    --------
    >>> facts = Facts(budget=600, seconds=0.5, n_rows=5000, dimensions=("C", "gamma"))
    >>> decision = decide(facts)
    >>> decision.kind, decision.n_candidates
    ('bayes', 240)
    """
    splitting, n_splits, why_split = _splitting(facts)
    m = facts.affordable(n_splits)
    kind, why = _kind(facts, m, n_splits)
    race = kind != "none" and n_splits > 1
    n_candidates = _n_candidates(kind, facts, m)
    return Decision(
        kind,
        splitting,
        n_splits,
        m,
        n_candidates,
        race,
        (why, *why_split, *([RACE] if race else ()), *_too_many(facts, m, kind)),
        tuple(_alternatives(facts, kind, m, n_splits)),
    )


RACE = Reason(
    0,
    f"race=True skips splits of hopeless candidates: it took {RACE_CPU} of the CPU on "
    f"13 recorded problems, and chose the same best in {100 * RACE_SAME:.0f} % of "
    "the replays.",
)


def _splitting(facts: Facts) -> tuple[str, int, tuple[Reason, ...]]:
    """Rule 7: return how to split, into how many, and why."""
    if facts.n_splits is not None:
        return "given", facts.n_splits, ()
    n = facts.n_rows
    repeated = N_FOLDS * N_REPEATS
    m = facts.affordable(repeated)
    if n > VERY_MANY_ROWS:
        text = f"{n:,} rows are more than {VERY_MANY_ROWS:,}: one split is enough."
        return "one", 1, (Reason(7, text),)
    if n >= FEW_ROWS:
        return "folds", N_FOLDS, ()
    doubt = (
        f"{n:,} rows are fewer than {FEW_ROWS:,}: best_score_ will be too high, and "
        "most candidates will not be told apart; ask skhpo.report."
    )
    if m >= ENOUGH:
        more = f" {N_FOLDS} folds are repeated {N_REPEATS} times, for less doubt."
        return "repeated", repeated, (Reason(7, doubt + more),)
    fewer = (
        f" With {N_FOLDS} folds repeated {N_REPEATS} times, only "
        f"{counted(m, 'candidate')} would be affordable, so it is {N_FOLDS} folds."
    )
    return "folds", N_FOLDS, (Reason(7, doubt + fewer),)


def _kind(facts: Facts, m: int, n_splits: int) -> tuple[str, Reason]:
    """Rules 1 to 5: return which search, and why."""
    d, cost = len(facts.dimensions), facts.seconds * n_splits
    if m < LEAST:
        return "none", Reason(
            1,
            f"{duration(facts.budget)} pays for {counted(m, 'candidate')} of "
            f"{duration(cost)} on {counted(n_splits, 'split')}, and the best of fewer "
            f"than {LEAST} is luck: keep the estimator as given.",
        )
    if facts.size <= m and d <= MOST_GRID_DIMENSIONS:
        return "grid", Reason(
            2,
            f"The space has {counted(int(facts.size), 'combination')} of "
            f"{counted(d, 'parameter')}, and {m:,} candidates are affordable: try "
            "them all, and be sure.",
        )
    if cost < CHEAP:
        return "sobol", Reason(
            3,
            f"A candidate takes {duration(cost)} on all splits. A model would think "
            f"for as long as that ({1000 * CHEAP:.0f} ms); the same time buys more "
            "draws, spread evenly.",
        )
    if (
        LEAST_TO_LEARN <= m <= MOST_TO_LEARN
        and d <= MOST_MODEL_DIMENSIONS
        and facts.n_workers < MANY_WORKERS
    ):
        return "bayes", Reason(
            4,
            f"{m} candidates of {duration(cost)} are affordable: enough to learn from "
            f"({LEAST_TO_LEARN} to {MOST_TO_LEARN}), and dear enough to think before "
            f"each. {counted(d, 'parameter')} and "
            f"{counted(facts.n_workers, 'worker')} are few enough (at most "
            f"{MOST_MODEL_DIMENSIONS}; fewer than {MANY_WORKERS}).",
        )
    return "random", Reason(5, _why_random(facts, m))


def _why_random(facts: Facts, m: int) -> str:
    if m > MOST_TO_LEARN:
        return (
            f"{m:,} candidates are affordable, more than {MOST_TO_LEARN}: random draws "
            "find what there is, and need no model."
        )
    if m < LEAST_TO_LEARN:
        return (
            f"{m} candidates are affordable, fewer than {LEAST_TO_LEARN}: too few for "
            "a model to learn from."
        )
    if facts.n_workers >= MANY_WORKERS:
        return (
            f"{facts.n_workers} workers are {MANY_WORKERS} or more: what learns from "
            f"{m} candidates would wait for results, and draws keep all of them busy."
        )
    return (
        f"{len(facts.dimensions)} parameters are more than {MOST_MODEL_DIMENSIONS}: "
        f"{m} candidates do not teach a model much about so many."
    )


def _n_candidates(kind: str, facts: Facts, m: int) -> int:
    """Return how many candidates to try."""
    if kind == "none":
        return 0
    n = int(min(m, facts.size))
    if kind in ("grid", "bayes"):
        return n
    n = min(n, MOST_DRAWS)
    # Sobol points are even in powers of two.
    return 2 ** (n.bit_length() - 1) if kind == "sobol" and n < facts.size else n


def _too_many(facts: Facts, m: int, kind: str) -> Iterator[Reason]:
    """Rule 8."""
    d, keep = len(facts.dimensions), max(m // CANDIDATES_PER_DIMENSION, 1)
    if kind in ("none", "grid") or d <= m / CANDIDATES_PER_DIMENSION or d <= keep:
        return
    yield Reason(
        8,
        f"{d} parameters are more than a tenth of {m} candidates. Keep the {keep} that "
        f"you expect to matter most, of {', '.join(facts.dimensions)}; "
        "ImportanceDisplay of a first search tells.",
    )


def _alternatives(facts: Facts, kind: str, m: int, n_splits: int) -> Iterator[Reason]:
    if kind == "none":
        yield from _instead_of_a_search(facts, n_splits)
        return
    if facts.counts:
        names = ", ".join(facts.counts)
        yield Reason(
            0,
            f"{names}: a Curve in place of its values takes the number that is best in "
            "the mean over the splits, by one fit per split.",
        )
    if facts.n_rows > MANY_ROWS and (facts.growth or 0) >= RISING:
        yield Reason(
            5,
            f"{facts.n_rows:,} rows are more than {MANY_ROWS:,}, and twice as many "
            f"take {facts.growth:.1f} times as long: successive halving begins on few "
            'of them, with resource="n_samples".',
        )
    if facts.step_sizes:
        yield Reason(
            6,
            f"{', '.join(facts.step_sizes)}: the model learns step by step, so "
            "PBTSearch could find a schedule in place of a value.",
        )
    if LEAST_SLOPES <= len(facts.slopes) == len(facts.dimensions):
        yield Reason(
            9,
            f"{', '.join(facts.slopes)}: the score has a slope by all "
            f"{len(facts.slopes)} of them, which one fit tells, so GradientSearch, "
            "which is experimental, could climb it.",
        )
    if kind == "random" and LEAST_TO_LEARN <= m <= MOST_TO_LEARN:
        yield Reason(
            4,
            f"BayesSearch with n_pending={pending(facts, n_splits)} keeps "
            f"{counted(facts.n_workers, 'worker')} busy, and learns from fewer "
            "results.",
        )
    if kind == "bayes":
        yield Reason(
            5,
            "RandomSearch, for a first look at which parameters and ranges matter.",
        )


def _instead_of_a_search(facts: Facts, n_splits: int) -> Iterator[Reason]:
    """Rule 1: return what would make a search of 20 candidates, with numbers."""
    wanted = 4 * LEAST
    needed = wanted * facts.seconds * n_splits / facts.n_workers
    yield Reason(1, f"More time: {duration(needed)} pay for {wanted} candidates.")
    if n_splits > 1:
        m = facts.affordable(1)
        yield Reason(
            1,
            f"Fewer splits: with one, {counted(m, 'candidate')} would be affordable.",
        )
    share = facts.budget / needed
    yield Reason(
        1,
        f"Fewer rows: if time grows with them, {share:.2g} of {facts.n_rows:,} rows "
        f"allow {wanted} candidates.",
    )


def pending(facts: Facts, n_splits: int) -> int:
    """Return how many candidates under way give each worker two fits."""
    return max(2, math.ceil(2 * facts.n_workers / n_splits))


def duration(seconds: float) -> str:
    """Return a time as people write it.

    Examples
    --------
    >>> duration(0.0123), duration(5), duration(600), duration(9000)
    ('12.3 ms', '5 s', '10 min', '2.5 h')
    """
    for limit, unit, name in ((1, 1e-3, "ms"), (120, 1, "s"), (7200, 60, "min")):
        if seconds < limit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds / 3600:.3g} h"
