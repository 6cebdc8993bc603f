"""The lineage of a population in ``cv_results_``, and what is read off it.

A row is a member in one generation; its parent is the row whose models it continued.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from skhpo._arithmetic import largest
from skhpo._trial import Candidate
from skhpo.optimizers._lineage import MemberRecord, Schedule, schedule_from_lineage

__all__ = ["best_row", "exploit_events", "lineage_columns", "schedule_of"]

Results = Mapping[str, Any]


def lineage_columns(
    candidates: Sequence[Candidate], population_size: int
) -> dict[str, np.ndarray]:
    """Return the columns that tell where each row comes from.

    Parameters
    ----------
    candidates : sequence of Candidate
        All members of all generations, by id.
    population_size : int
        How many of them are a generation.

    Returns
    -------
    dict of str to array
        ``generation``, ``member``, ``parent`` (a row, -1 at birth), ``n_resources``
        (steps behind it) and ``exploited`` (whether the parent is another member).
    """
    generations, members = np.divmod(np.arange(len(candidates)), population_size)
    born = -1
    parents = np.array(
        [born if c.resume_from is None else c.resume_from for c in candidates]
    )
    return {
        "generation": generations,
        "member": members,
        "parent": parents,
        "n_resources": np.array([c.resource for c in candidates]),
        "exploited": (parents != born) & (parents % population_size != members),
    }


def schedule_of(results: Results, row: int) -> Schedule:
    """Return the parameters over time of the training that led to a row."""
    columns = ("generation", "member", "parent", "n_resources", "exploited")
    rows = zip(*(results[name] for name in columns), results["params"], strict=True)
    records = [
        MemberRecord(i, int(g), int(m), int(parent), int(n), bool(e), params)
        for i, (g, m, parent, n, e, params) in enumerate(rows)
    ]
    return schedule_from_lineage(records, row)


def exploit_events(results: Results) -> list[dict[str, Any]]:
    """Return who went on from whose state, and with what, in the order of time."""
    return [
        {
            "generation": int(results["generation"][row]),
            "member": int(results["member"][row]),
            "donor": int(results["member"][results["parent"][row]]),
            "donor_params": results["params"][results["parent"][row]],
            "params": results["params"][row],
        }
        for row in np.flatnonzero(results["exploited"])
    ]


def best_row(results: Results, scores: np.ndarray) -> int:
    """Return the best row of the last generation in which a member has a score.

    Rows of other generations had another amount of training.
    """
    generations = results["generation"]
    scored = ~np.isnan(scores)
    last = generations[scored].max() if scored.any() else generations.max()
    rows = np.flatnonzero(generations == last)
    if not scored.any():
        return int(rows[0])
    return int(rows[largest(scores[rows])])
