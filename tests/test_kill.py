"""A killed search goes on where it stopped; see also `benchmarks/faults.py`."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

import pytest

from benchmarks.faults import SEARCHES, in_flight, is_gone, kill_and_resume

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")


@pytest.fixture(scope="module")
def outcome_of():
    """`kill_and_resume`, in a new process: in those that are forked from one that has
    used loky or OpenMP, both hang."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as process:
        yield lambda *args: process.submit(kill_and_resume, *args).result()


# By default one that draws its candidates beforehand, and one that trains step by step.
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in ("grid", "pbt") else pytest.mark.slow)
        for name in SEARCHES
    ],
)
def test_killed_and_resumed(name, outcome_of):
    """With the same results, and nothing done twice but what was in flight."""
    outcome = outcome_of(name, 1, 3, 1)
    assert outcome.kills >= 3
    assert outcome.different == 0
    assert max(outcome.repeated) <= in_flight(name, 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", SEARCHES)
def test_killed_with_workers_and_resumed(name, outcome_of):
    """The workers of the killed process end as well."""
    outcome = outcome_of(name, 2, 2, 2)
    assert outcome.different == outcome.left == 0
    assert max(outcome.repeated) <= in_flight(name, 2)


ORPHANS = """
import os, signal, sys
sys.path[:0] = {path!r}
import joblib
from skhpo.evaluation.workers._workers import Workers

with joblib.parallel_config({backend!r}), Workers(2, "2*n_jobs") as workers:
    workers.submit(os.getpid)
    if {has_worked}:
        workers.fetch()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(
    ("backend", "has_worked"),
    [
        ("multiprocessing", True),
        pytest.param("loky", False, marks=pytest.mark.slow),
        pytest.param("loky", True, marks=pytest.mark.slow),
        pytest.param("multiprocessing", False, marks=pytest.mark.slow),
    ],
)
def test_workers_that_were_never_given_a_task_end_too(has_worked, backend):
    """Those that start while their parent dies, and those that wait for a task."""
    path = [entry for entry in sys.path if entry]
    code = ORPHANS.format(path=path, has_worked=has_worked, backend=backend)
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "LOKY_MAX_CPU_COUNT": "2"},
        start_new_session=True,
    )
    assert process.wait() == -9
    assert is_gone(process.pid)
