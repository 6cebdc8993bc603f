"""A killed search goes on where it stopped; see also `benchmarks/faults.py`."""

from __future__ import annotations

import os

import pytest

from benchmarks.faults import SEARCHES, in_flight, kill_and_resume

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")


@pytest.mark.parametrize("name", SEARCHES)
def test_killed_and_resumed(name):
    """With the same results, and nothing done twice but what was in flight."""
    outcome = kill_and_resume(name, 1, n_kills=3, seed=1)
    assert outcome.different == 0
    assert max(outcome.repeated) <= in_flight(name, 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", SEARCHES)
def test_killed_with_workers_and_resumed(name):
    """The workers of the killed process end as well."""
    outcome = kill_and_resume(name, 2, n_kills=2, seed=2)
    assert outcome.different == outcome.left == 0
    assert max(outcome.repeated) <= in_flight(name, 2)
