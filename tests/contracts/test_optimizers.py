"""What every optimizer promises, checked for all of them."""

from __future__ import annotations

import gc
import math
import pickle
import tracemalloc
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from threadpoolctl import threadpool_limits

from skhpo._trial import Candidate, Trial
from skhpo.optimizers import (
    AnnealOptimizer,
    BayesOptimizer,
    Optimizer,
    SamplingOptimizer,
)
from skhpo.space import Choice, Integer, Real, SearchSpace

pytestmark = [pytest.mark.usefixtures("few_trees"), pytest.mark.thinned]

SPACES: dict[str, Any] = {
    "real": {"x": Real(-1, 1), "y": Real(1e-3, 10, log=True)},
    "integer": {"n": Integer(1, 1000, log=True), "m": Integer(0, 3)},
    "lists": {"c": ["a", "b", None], "n": [1, 10, 100], "p": np.array([0.5, 2.0])},
    "scipy": {"x": stats.loguniform(0.1, 10), "k": stats.randint(0, 5)},
    "single": {"a": [3], "x": Real(0, 1)},
    "choice": {
        "kind": Choice({"p": {"x": Real(0, 1)}, "q": {"n": Integer(1, 9)}, "r": None})
    },
    "dicts": [
        {"k": ["rbf"], "C": Real(0.1, 10), "g": Real(0, 1)},
        ({"k": ["lin"], "C": Real(0.1, 10)}, 2.0),
    ],
}
OPTIMIZERS: dict[str, Any] = {
    "gp": BayesOptimizer,
    "forest": lambda space, **kw: BayesOptimizer(space, surrogate="forest", **kw),
    "tpe": lambda space, **kw: BayesOptimizer(space, surrogate="tpe", **kw),
    "anneal": AnnealOptimizer,
    "sobol": SamplingOptimizer,
    "random": lambda space, **kw: SamplingOptimizer(space, sampling="random", **kw),
}


LEARNING = ["gp", "forest", "tpe", "anneal"]
EVERY_MODEL = {name: OPTIMIZERS[name] for name in LEARNING} | {
    f"gp-{name}": lambda space, name=name, **kw: BayesOptimizer(
        space, acquisition=name, **kw
    )
    for name in ("log_ei", "pi", "ucb")
}


@pytest.fixture(params=OPTIMIZERS)
def make(request: pytest.FixtureRequest) -> Any:
    """Return the constructor of each optimizer."""
    return OPTIMIZERS[request.param]


def score_of(params: dict[str, Any]) -> float:
    """Return a deterministic score of any params."""
    numbers = [float(v) for v in params.values() if isinstance(v, int | float)]
    return -sum(abs(v - 0.3) for v in numbers) / 10 - 0.1 * len(params)


def trial(candidate: Candidate, score: float | None = None) -> Trial:
    """Return the trial of a candidate, three splits around its score."""
    score = score_of(dict(candidate.params)) if score is None else score
    return Trial.from_scores(candidate, (score - 0.01, score, score + 0.01))


def rows(candidates: list[Candidate]) -> list[Any]:
    """Return what candidates say, to compare them: objects are equal to themselves."""
    return [(c.id, dict(c.params), c.resource, c.resume_from) for c in candidates]


def drive(optimizer: Any, n: int, score: float | None = None) -> list[Candidate]:
    """Ask and tell `n` times."""
    asked = []
    for _ in range(n):
        for candidate in optimizer.ask(1):
            asked.append(candidate)
            optimizer.tell([trial(candidate, score)])
    return asked


@pytest.mark.parametrize("name", SPACES)
def test_stays_inside_the_space_with_native_values(make: Any, name: str) -> None:
    """Every candidate can be encoded, and holds no numpy scalar."""
    space = SearchSpace(SPACES[name])
    asked = drive(make(SPACES[name], random_state=0), 13)
    assert [candidate.id for candidate in asked] == list(range(len(asked)))
    for candidate in asked:
        space.encode(candidate.params)
        assert not any(isinstance(v, np.generic) for v in candidate.params.values())


def test_follows_the_protocol(make: Any) -> None:
    """It is an Optimizer, and asking for nothing gives nothing."""
    optimizer = make(SPACES["real"], random_state=0)
    assert isinstance(optimizer, Optimizer)
    assert optimizer.ask(0) == []
    optimizer.tell([])


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in ("real", "choice") else pytest.mark.slow)
        for name in SPACES
    ],
)
def test_same_seed_same_candidates(make: Any, name: str) -> None:
    """The sequence depends on the seed and on what was told, on nothing else."""
    first, second = (drive(make(SPACES[name], random_state=7), 13) for _ in "ab")
    assert rows(first) == rows(second)


def test_the_number_of_threads_changes_nothing(make: Any) -> None:
    """BLAS rounds otherwise when it divides the work otherwise."""
    runs = []
    for n_threads in (1, 2, 3):
        with threadpool_limits(n_threads):
            runs.append(rows(drive(make(SPACES["real"], random_state=0), 13)))
    assert runs[0] == runs[1] == runs[2]


@pytest.mark.parametrize("name", ["real", "choice"])
def test_pickled_in_mid_run_goes_on_identically(make: Any, name: str) -> None:
    """A copy made with trials pending asks for the same candidates."""
    optimizer = make(SPACES[name], random_state=1)
    drive(optimizer, 12)
    pending = optimizer.ask(2)
    copy = pickle.loads(pickle.dumps(optimizer))
    for each in (optimizer, copy):
        each.tell([trial(candidate) for candidate in pending])
    assert rows(drive(optimizer, 4)) == rows(drive(copy, 4))


def test_ask_many_before_telling(make: Any) -> None:
    """Pending candidates are not proposed again."""
    optimizer = make(SPACES["real"], random_state=2)
    drive(optimizer, 11)
    pending = optimizer.ask(3) + optimizer.ask(3)
    assert len({repr(candidate.params) for candidate in pending}) == 6
    optimizer.tell([trial(candidate) for candidate in pending])
    assert len(optimizer.ask(1)) == 1


@pytest.mark.parametrize("score", [0.0, math.nan, math.inf, -math.inf, 1e300, -1e300])
def test_constant_and_broken_scores(make: Any, score: float) -> None:
    """Constant, missing, infinite and huge scores stop nothing."""
    asked = drive(make(SPACES["real"], random_state=3), 12, score)
    assert len({repr(candidate.params) for candidate in asked}) == 12


@pytest.mark.parametrize("bad", [math.nan, -math.inf, -1e30])
def test_some_scores_broken(make: Any, bad: float) -> None:
    """Scores that are good in half of the space and broken in the other."""
    optimizer = make({"x": Real(0, 1), "y": Real(0, 1)}, random_state=0)
    scores = []
    for _ in range(24):
        (candidate,) = optimizer.ask(1)
        x, y = candidate.params["x"], candidate.params["y"]
        scores.append(bad if x > 0.5 else -((x - 0.4) ** 2) - (y - 0.6) ** 2)
        optimizer.tell([trial(candidate, scores[-1])])
    assert max(s for s in scores if math.isfinite(s)) > -0.05


FLOATS = st.floats() | st.sampled_from(
    [1.7e308, -1.7e308, 1e250, -1e250, 5e-324, math.inf, -math.inf, math.nan]
)


@pytest.mark.parametrize("name", EVERY_MODEL)
@given(st.lists(st.tuples(FLOATS, FLOATS), min_size=3, max_size=9))
@settings(max_examples=4)
def test_any_scores_are_followed_by_a_candidate(name: str, scores: Any) -> None:
    """One in the space, and always the same; NumPy may be told to raise."""
    space = SearchSpace(SPACES["real"])
    asked = []
    for _ in "ab":
        optimizer = EVERY_MODEL[name](space, random_state=0)
        with warnings.catch_warnings(), np.errstate(all="raise"):
            warnings.simplefilter("error")
            for i, row in enumerate(scores):
                params = {"x": i / 10, "y": 0.01 * (i + 1)}
                optimizer.tell([Trial.from_scores(Candidate(-1 - i, params), row)])
            asked.append(rows(drive(optimizer, 3)))
    assert asked[0] == asked[1]
    for _, params, *_ in asked[0]:
        assert -1 <= params["x"] <= 1
        assert 1e-3 <= params["y"] <= 10


def unevenly_noisy(params: Any) -> np.ndarray:
    """Return four scores that are multiples of 2^-20, more spread for larger x."""
    x, y = params["x"], math.log10(params["y"])
    mean = -((x - 0.3) ** 2) - math.exp(2 * y) / 50
    noise = np.array([-3, 1, 2, 0]) * (0.01 + 0.1 * (x + 1) ** 2)
    return np.round((mean + noise) * 2**20) / 2**20


UNITS = {
    "kilo": (2.0**10, 0.0),
    "tiny": (2.0**-900, 3 * 2.0**-900),
    "huge": (2.0**990, 0),
}


# Acquisitions see scores in units of their own: one of these tells for all.
@pytest.mark.parametrize(
    ("name", "unit"),
    [
        pytest.param(
            *(name, unit),
            marks=[] if name in LEARNING or unit == "tiny" else pytest.mark.slow,
        )
        for name in EVERY_MODEL
        for unit in UNITS
    ],
)
def test_the_unit_of_the_scores_does_not_matter(name: str, unit: str) -> None:
    """a x score + b, with a > 0, leads to the same candidates, to the bit.

    All numbers here are such that a and b change no digit; the splits are unequally
    noisy, and some trials fail.
    """

    def run(a: float, b: float) -> list[Any]:
        optimizer = EVERY_MODEL[name](SPACES["real"], random_state=0, **few)
        asked = []
        for i in range(13):
            (candidate,) = optimizer.ask(1)
            asked.append(candidate)
            scores = (a * unevenly_noisy(candidate.params) + b).tolist()
            optimizer.tell([Trial.from_scores(candidate, tuple(scores), failed=i == 2)])
        return rows(asked)

    few = {} if name == "anneal" else {"n_initial": 6}
    assert run(*UNITS[unit]) == run(1.0, 0.0)


def test_failed_trials_are_not_taken_at_face_value(make: Any) -> None:
    """A huge ``error_score`` attracts nobody."""
    optimizer = make({"x": Real(0, 1)}, random_state=0)
    tried = []
    for _ in range(30):
        (candidate,) = optimizer.ask(1)
        x = candidate.params["x"]
        tried.append(x)
        failed = x > 0.7
        optimizer.tell([Trial.from_scores(candidate, (1e6 if failed else -x,), failed)])
    assert np.mean(np.array(tried[15:]) > 0.7) < 0.5


def test_never_mutates_its_input(make: Any) -> None:
    """Space and trials are left as they were."""
    space = {"x": [1, 2, 3, 4], "k": Choice({"a": {"y": Real(0, 1)}, "b": None})}
    before = repr(space)
    optimizer = make(space, random_state=0)
    candidates = optimizer.ask(3)
    trials = [trial(candidate) for candidate in candidates]
    kept = repr(trials)
    optimizer.tell(trials)
    optimizer.ask(2)
    assert repr(space) == before
    assert repr(trials) == kept


@pytest.mark.parametrize("name", ["gp", pytest.param("anneal", marks=pytest.mark.slow)])
def test_a_step_leaves_behind_what_was_observed(name: str) -> None:
    """In memory and in the pickled state: about 1 kB, and not what was looked at."""
    rng = np.random.default_rng(0)
    space = SearchSpace({f"x{i}": Real(0, 1) for i in range(5)})
    optimizer = OPTIMIZERS[name](space, random_state=0)
    for i, x in enumerate(rng.random((520, 5))):  # models keep 500 at the most
        optimizer.tell([trial(Candidate(-1 - i, space.decode(x)))])
    drive(optimizer, 1)  # the model is made, and belongs to the state
    pickled, in_use = [len(pickle.dumps(optimizer))], []
    # Nothing is pickled while memory is traced: NumPy then looks up attributes by new
    # strings, which CPython's method cache keeps, up to 20 kB more or less.
    tracemalloc.start()
    for _ in range(8):
        drive(optimizer, 1)
        gc.collect()
        in_use.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    pickled.append(len(pickle.dumps(optimizer)))
    assert (np.median(in_use[5:8]) - np.median(in_use[1:4])) / 4 < 4_000
    assert (pickled[1] - pickled[0]) / 8 < 4_000


def test_told_in_any_grouping(make: Any) -> None:
    """One tell of three trials is three tells of one."""
    one, three = (make(SPACES["real"], random_state=4) for _ in "ab")
    a, b = one.ask(3), three.ask(3)
    assert rows(a) == rows(b)
    one.tell([trial(candidate) for candidate in a])
    for candidate in b:
        three.tell([trial(candidate)])
    assert rows(drive(one, 9)) == rows(drive(three, 9))


def test_constraints_are_kept(make: Any) -> None:
    """No candidate violates a predicate."""
    optimizer = make(
        {"x": Real(0, 1), "y": Real(0, 1)},
        constraints=lambda params: params["x"] + params["y"] < 0.8,
        random_state=0,
    )
    for candidate in drive(optimizer, 25):
        assert candidate.params["x"] + candidate.params["y"] < 0.8


@pytest.mark.parametrize("space", ["lists", "single-only"])
def test_finite_spaces_are_enumerated_to_the_end(make: Any, space: str) -> None:
    """Every point once, then nothing."""
    spaces = {**SPACES, "single-only": {"a": ["x"], "b": [None]}}
    size = int(SearchSpace(spaces[space]).size)
    optimizer = make(spaces[space], random_state=0)
    asked = drive(optimizer, size + 3)
    assert len(asked) == size
    assert len({repr(candidate.params) for candidate in asked}) == size
    assert optimizer.ask(2) == []


@pytest.mark.parametrize("name", LEARNING)
def test_beats_random_search(name: str) -> None:
    """On a smooth function, on average over seeds, with the same evaluations."""

    def loss(params: Any) -> float:
        return (params["x"] - 0.7) ** 2 + (params["y"] - 0.2) ** 2

    space = {"x": Real(0, 1), "y": Real(0, 1)}
    ours, randoms = [], []
    for seed in range(4):
        optimizer = OPTIMIZERS[name](space, random_state=seed)
        losses = []
        for _ in range(30):
            (candidate,) = optimizer.ask(1)
            losses.append(loss(candidate.params))
            optimizer.tell([Trial.from_scores(candidate, (-losses[-1],))])
        ours.append(min(losses))
        drawn = np.random.default_rng(seed).random((30, 2))
        randoms.append(min(loss({"x": x, "y": y}) for x, y in drawn))
    assert np.mean(ours) < np.mean(randoms)
