"""Fixtures that all tests share."""

from __future__ import annotations

import os

# Before NumPy: a second thread of BLAS or OpenMP waits for the first one on data as
# small as ours, and takes the processor from others meanwhile. Processes that tests
# start inherit it; tests of threads set their own number.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import time
from functools import partial
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from sklearn.datasets import make_classification, make_regression

from skhpo import _clock
from skhpo.evaluation.fitting._time_slice import TIME_SLICES, TimeSlice
from skhpo.search._budget import TimeBudget
from skhpo.surrogates import RandomForest
from skhpo.surrogates._base import SURROGATES

SEEDS_VARIABLE = "SKHPO_TESTS_GLOBAL_RANDOM_SEED"
DATA_VARIABLE = "SKHPO_DATA"

# How long it takes to draw or to try an example says how busy the machine is, not
# whether we are right.
ANY_SPEED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("skhpo", **ANY_SPEED, max_examples=30)
# Hypothesis draws the same examples each time where the variable CI is set: whether a
# change is merged is no matter of luck. The nightly run draws new ones, and many.
settings.register_profile(
    "new-examples", **ANY_SPEED, derandomize=False, max_examples=300
)
settings.load_profile("skhpo")


def _global_random_seeds() -> list[int]:
    value = os.environ.get(SEEDS_VARIABLE, "42")
    return list(range(100)) if value == "all" else [int(value)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `global_random_seed` with one seed, or with a hundred.

    A test that asks for it promises to pass with every seed from 0 to 99. By default
    it runs with 42; the environment variable holds another number, or "all".
    """
    if "global_random_seed" in metafunc.fixturenames:
        metafunc.parametrize("global_random_seed", _global_random_seeds())


@pytest.hookimpl(tryfirst=True)  # before the rest is left out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the tests that take minutes, so that no process waits for them.

    They, and the slow ones, have an hour before they count as hanging. Of the cases of
    a law that is marked as thinned the first one is run by default, and a third of the
    others, always the same; the rest is marked as such.
    """
    items.sort(key=lambda item: "test_sklearn_suite" not in item.nodeid)
    laws = set()
    for item in items:
        is_slow = item.get_closest_marker("slow")
        if item.get_closest_marker("thinned") and not is_slow:
            law = item.nodeid.partition("[")[0]
            if law in laws and crc32(item.nodeid.encode()) % 3:
                item.add_marker(pytest.mark.rest)
            laws.add(law)
        is_long = is_slow or "test_sklearn_suite" in item.nodeid
        if is_long and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(3600))


@pytest.fixture
def classification_data() -> tuple[np.ndarray, np.ndarray]:
    """120 rows, 6 columns, 3 classes; small enough to be fitted in a millisecond."""
    return make_classification(
        n_samples=120, n_features=6, n_informative=4, n_classes=3, random_state=0
    )


@pytest.fixture
def regression_data() -> tuple[np.ndarray, np.ndarray]:
    """120 rows, 6 columns, a linear target with noise."""
    return make_regression(n_samples=120, n_features=6, noise=10.0, random_state=0)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of real data sets, which the repository does not carry."""
    beside_the_repository = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get(DATA_VARIABLE, beside_the_repository))
    if not folder.is_dir():
        pytest.skip(f"no real data: set {DATA_VARIABLE} to their folder")
    return folder


@pytest.fixture
def an_hour_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock for time budgets: each candidate takes an hour, and what it takes here.

    So a budget is over after so many candidates, however slow or busy the machine is.
    """
    told: list[object] = []
    note = TimeBudget.note

    def note_and_count(budget: TimeBudget, trial: object, *args: object) -> None:
        told.append(trial)
        note(budget, trial, *args)

    def now() -> float:
        return time.perf_counter() + 3600 * len(told)

    monkeypatch.setattr(TimeBudget, "note", note_and_count)
    monkeypatch.setattr(_clock, "now", now)


@pytest.fixture
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the forest of a search few trees: it keeps all promises in less time."""
    monkeypatch.setitem(SURROGATES, "forest", partial(RandomForest, n_trees=8))


class Clock:
    """A clock that stands still unless it is moved."""

    seconds = 0.0

    def now(self) -> float:
        """What the search takes for the time."""
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock by which searches of this process decide; ``clock.seconds`` moves it.

    Not for what waits until a time has come, since that would never be.
    """
    own = Clock()
    monkeypatch.setattr(_clock, "now", own.now)
    return own


def _set_time_slices(monkeypatch: pytest.MonkeyPatch, time_slice: TimeSlice) -> None:
    for kind in TIME_SLICES:
        monkeypatch.setitem(TIME_SLICES, kind, time_slice)


@pytest.fixture
def never_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """No block is cut, in any process: the number of fits is that of the plan."""
    _set_time_slices(monkeypatch, TimeSlice(1e9))


@pytest.fixture
def always_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every block is cut wherever it may be, in any process."""
    _set_time_slices(monkeypatch, TimeSlice(-1, shared=-1, overheads=0))
