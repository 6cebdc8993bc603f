"""Find the parameters that were varied and never changed a score.

``SGDClassifier`` does not read ``eta0`` under ``learning_rate="optimal"``, nor
``l1_ratio`` without ``penalty="elasticnet"``: a search over them tells nothing, and
does not look like it. The record shows it. Candidates that differ in one parameter only
are *compared*; a parameter is suspect if no comparison shows a difference, in any score
on any split.

That is no proof yet: a score that does not look at the model is equal for all, and
accuracies on few rows are equal by chance. So nothing is said

- of parameters with two values only: ``weights`` of ``KNeighborsClassifier`` changed no
  accuracy on 300 rows in a fifth of our trials;
- if all candidates have the same scores; unless only one parameter was searched, and
  scores differ between splits;
- if fewer than 100 rows were scored;
- unless each of its values was compared with another one;
- if `n` comparisons are ties by chance with a probability above 1 %. It is ``p**n``,
  where `p` is how often candidates tie that differ in other parameters. (So a single
  parameter must have eight values or more.)
- of a parameter with values that only candidates had which a race has dropped: it keeps
  those that score alike, and drops the trees of depth 1 that show what depth does;
- of a parameter of several branches of a conditional space, unless it was compared in
  each of them: ``C`` may not matter to a linear kernel, and to another one it does.

Values drawn from distributions are never drawn twice, so of two such parameters none is
ever varied alone. They are compared together: if that changes no score, none of them
has an effect; if it does, nothing is said about either.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from skhpo._keys import structural_key
from skhpo._trial import Candidate
from skhpo._warnings import warn_user
from skhpo.exceptions import NoEffectWarning
from skhpo.search._results import Record

__all__ = ["parameters_without_effect", "warn_of_no_effect"]

MIN_ROWS = 100
MIN_VALUES = 3
MAX_CHANCE = 0.01
ABSENT = -1


def warn_of_no_effect(record: Record, results: Mapping[str, Any]) -> None:
    """Warn of each parameter that was varied and changed no score.

    Parameters
    ----------
    record : Record
        The candidates and their evaluations.
    results : mapping of str to array
        ``cv_results_``.
    """
    columns = [name for name in results if re.match(r"split\d+_(test|train)_", name)]
    scores = np.column_stack([results[name] for name in columns])
    scores[record.failed] = np.nan
    names = parameters_without_effect(record.candidates, scores, record.n_test_rows)
    for name in names:
        known = _what_is_known(record.candidates, results)
        warn_user(
            f"{name!r} {known} Either it is not read with "
            "these settings of the estimator, or all its values amount to the same on "
            "these data. Leave it out of the search, or change what keeps it from "
            "acting.",
            NoEffectWarning,
        )


def _what_is_known(candidates: Sequence[Candidate], results: Mapping[str, Any]) -> str:
    """Return what was seen of a parameter without effect.

    Members of a population are compared after one generation from the same model: what
    they would have come to in the long run, nobody has seen.
    """
    n_steps = candidates[0].resource
    if "generation" not in results:
        return (
            "has no effect: all its values lead to the same scores on all splits, "
            "whatever the others are."
        )
    steps = "1 training step" if n_steps == 1 else f"{n_steps} training steps"
    return (
        f"had no effect within {steps}: members that went on from the same model with "
        "other values of it had the same scores on all splits after one generation. "
        "It may act later, and steps_per_generation can be larger."
    )


def parameters_without_effect(
    candidates: Sequence[Candidate], scores: np.ndarray, n_test_rows: Sequence[int]
) -> list[str]:
    """Return the parameters whose values were varied and changed no score.

    Parameters
    ----------
    candidates : sequence of Candidate
        Those of a search. Two that continue different trials, or have other resources,
        are not compared.
    scores : array of shape (n_candidates, n_scores)
        All scores of each, on each split. Rows with NaN are not compared: without any
        score the candidate failed, with some it was dropped by a race.
    n_test_rows : sequence of int
        The numbers of rows that were scored, of each split.

    Returns
    -------
    list of str
        Their names, sorted; none without the evidence that the module describes.

    Examples
    --------
    >>> grid = [{"a": a, "b": b} for a in (1, 2, 3) for b in (1, 2, 3)]
    >>> candidates = [Candidate(id, params) for id, params in enumerate(grid)]
    >>> scores = np.array([[1 / params["a"], 0.7] for params in grid])
    >>> parameters_without_effect(candidates, scores, [100, 100])
    ['b']
    """
    is_unknown = np.isnan(scores)
    is_known = ~is_unknown.any(axis=1)
    is_dropped = ~is_known & ~is_unknown.all(axis=1)
    unseen = _values_dropped(candidates, is_known, is_dropped)
    candidates = list(itertools.compress(candidates, is_known))
    scores = scores[is_known]
    if len(candidates) < MIN_VALUES or sum(n_test_rows) < MIN_ROWS:
        return []
    columns = _varied(candidates)
    outcomes = np.unique(scores, axis=0, return_inverse=True)[1].ravel()
    if outcomes.max() == 0 and (len(columns) > 1 or len(np.unique(scores)) == 1):
        return []
    surroundings = _surroundings(candidates, columns)
    branches = _codes([frozenset(c.params) for c in candidates])
    return [
        name
        for name, values in sorted(columns.items())
        if name not in unseen
        and _has_no_effect(values, surroundings[name], outcomes)
        and _is_compared_everywhere(values, surroundings[name], branches)
    ]


def _values_dropped(
    candidates: Sequence[Candidate], is_known: np.ndarray, is_dropped: np.ndarray
) -> set[str]:
    """Return the parameters with values that dropped candidates had, and no others."""
    if not is_dropped.any():
        return set()
    return {
        name
        for name, values in _varied(candidates).items()
        if not set(values[is_dropped]) <= {ABSENT, *values[is_known]}
    }


def _codes(values: Sequence[Any]) -> np.ndarray:
    """Return numbers that are equal where values are, from 0 on."""
    kinds = {type(value) for value in values}
    if kinds in ({float}, {int}):  # a tenth of the time and memory
        return np.unique(np.array(values), return_inverse=True)[1]
    numbers: dict[Hashable, int] = {}
    seen: dict[int, int] = {}  # most values of a grid are the same objects
    for value in values:
        if id(value) not in seen:
            key = structural_key(value)
            seen[id(value)] = numbers.setdefault(key, len(numbers))
    return np.array([seen[id(value)] for value in values])


def _varied(candidates: Sequence[Candidate]) -> dict[str, np.ndarray]:
    """Return the values, as numbers, of the parameters that have several."""
    names = {name for candidate in candidates for name in candidate.params}
    columns = {}
    for name in names:
        having = np.array([name in c.params for c in candidates])
        values = [c.params[name] for c in candidates if name in c.params]
        column = np.full(len(candidates), ABSENT)
        column[having] = _codes(values)
        if column.max() > 0:
            columns[name] = column
    return columns


def _surroundings(
    candidates: Sequence[Candidate], columns: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return, for each parameter, numbers that are equal where all else is.

    "All else" leaves out what no two candidates have in common. The numbers are sums of
    random ones, one for each value: two sums of different values are equal with
    probability 2**-64.
    """
    rng = np.random.default_rng(0)

    def mark(numbers: np.ndarray) -> np.ndarray:
        return rng.integers(2**64, size=numbers.max() + 2, dtype=np.uint64)[numbers]

    total = mark(_codes([c.resume_from for c in candidates]))
    total += mark(_codes([c.resource for c in candidates]))
    marks = {}
    for name, values in sorted(columns.items()):
        never_twice = len(np.unique(values)) == len(candidates)
        marks[name] = np.uint64(0) if never_twice else mark(values)
        total += marks[name]
    return {name: total - marks[name] for name in columns}


def _has_no_effect(
    values: np.ndarray, surroundings: np.ndarray, outcomes: np.ndarray
) -> bool:
    """Whether candidates in the same surroundings tie, and not by chance."""
    having = values != ABSENT
    values, outcomes = values[having], outcomes[having]
    _, first, groups = np.unique(
        surroundings[having], return_index=True, return_inverse=True
    )
    outcome_of_group = outcomes[first]
    if (outcomes != outcome_of_group[groups]).any():
        return False
    distinct = np.unique(np.column_stack([groups, values]), axis=0)
    n_in_group = np.bincount(distinct[:, 0])
    compared = np.unique(distinct[n_in_group[distinct[:, 0]] > 1, 1])
    if len(compared) < MIN_VALUES or len(compared) < len(np.unique(values)):
        return False
    n_comparisons = len(distinct) - len(first)
    return _tie_rate(outcome_of_group) ** n_comparisons <= MAX_CHANCE


def _is_compared_everywhere(
    values: np.ndarray, surroundings: np.ndarray, branches: np.ndarray
) -> bool:
    """Whether each branch that has the parameter has two candidates to compare."""
    having = values != ABSENT
    groups = np.unique(surroundings[having], return_inverse=True)[1]
    places = np.column_stack([branches[having], groups])
    places, place = np.unique(places, axis=0, return_inverse=True)
    pairs = np.unique(np.column_stack([place.ravel(), values[having]]), axis=0)
    compared = np.bincount(pairs[:, 0]) > 1
    branch = places[:, 0]
    return set(branch) == set(branch[compared])


def _tie_rate(outcomes: np.ndarray) -> float:
    """Return how often two of these are equal, by Laplace's rule of succession."""
    _, counts = np.unique(outcomes, return_counts=True)
    n_ties = int((counts * (counts - 1)).sum()) / 2  # powers of Python's floats vanish
    n_pairs = len(outcomes) * (len(outcomes) - 1) / 2
    return (n_ties + 1) / (n_pairs + 2)
