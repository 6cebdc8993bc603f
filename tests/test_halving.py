"""Who goes on in a halving, and on which rows: numbers in, decisions out."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skhpo.evaluation.fitting._subsets import Subsets, in_equal_shares
from skhpo.exceptions import AllFitsFailedError
from skhpo.optimizers import GridOptimizer, ResumingOptimizer, Trial
from skhpo.optimizers._halving import HalvingOptimizer
from skhpo.optimizers._halving_plan import (
    HalvingPlan,
    brackets_of,
    floor_log,
    plan_halving,
)
from skhpo.optimizers._resource import Iterations, Rows, Value
from skhpo.space import Curve

SEED = np.random.SeedSequence(0)

# --- how many -------------------------------------------------------------------------


def test_a_logarithm_is_one_of_whole_numbers() -> None:
    """Of floats, that of 243 by 3 is below 5, and that of 1000 by 10 below 3."""
    for base in (2, 3, 10):
        for power in range(30):
            assert floor_log(Fraction(base**power), Fraction(base)) == power
            below = floor_log(Fraction(base ** (power + 1) - 1), Fraction(base))
            assert below == power


@given(
    st.integers(1, 300),
    st.integers(1, 200),
    st.integers(0, 5000),
    st.one_of(st.integers(2, 7), st.floats(1.25, 7)),
    st.booleans(),
    st.booleans(),
)
def test_a_plan_ends_with_all_there_is(
    n: int, least: int, more: int, factor: float, exhaust: bool, aggressive: bool
) -> None:
    """Resources do not fall, are never below the least, and the last has all."""
    most = least + more
    plan = plan_halving(
        n, least, most, factor, exhaust=exhaust, aggressive=aggressive
    )  # fmt: skip
    rungs = list(plan.n_resources)
    assert rungs == sorted(rungs)
    assert rungs[-1] == most
    assert rungs[0] >= least
    n_rungs = min(plan.n_required_iterations, plan.n_possible_iterations)
    assert len(rungs) == (plan.n_required_iterations if aggressive else n_rungs)
    if len(rungs) == plan.n_required_iterations:
        for _ in rungs[1:]:
            n = plan.n_kept(n)
        assert n <= math.ceil(factor), "it was to be as few as that at the end"


def test_known_plans() -> None:
    """Those of scikit-learn, but for the last rung, which has all."""

    def rungs(n: int, least: int, most: int, **how: bool) -> list[int]:
        return list(
            plan_halving(n, least, most, 3, **{"exhaust": False, **how}).n_resources
        )

    assert rungs(6, 20, 1000) == [20, 1000]
    assert rungs(6, 20, 1000, exhaust=True) == [333, 1000]
    assert rungs(60, 20, 180) == [20, 60, 180]
    assert rungs(60, 20, 180, aggressive=True) == [20, 20, 60, 180]
    assert rungs(60, 20, 180, aggressive=True, exhaust=True) == [20, 20, 60, 180]
    assert rungs(1, 20, 180) == [180]


@given(st.integers(1, 200), st.integers(1, 6), st.integers(2, 4))
def test_brackets_share_the_candidates(n: int, n_brackets: int, factor: int) -> None:
    """All of them, at least one each, and the first ones most."""
    plan = HalvingPlan(
        [factor**i for i in range(6)], Fraction(factor), 6, 6
    )  # fmt: skip
    n = max(n, n_brackets)
    sizes = brackets_of(n, plan, n_brackets)
    assert sum(sizes) == n
    assert min(sizes) >= 1
    assert sizes == sorted(sizes, reverse=True)


# --- who ------------------------------------------------------------------------------


def halved(scores: dict[int, list[float]], **options: object) -> list[list[int]]:
    """Return the values of each rung, of candidates that score so on each rung."""
    source = GridOptimizer({"x": list(scores)})
    plan = plan_halving(len(scores), 1, 4, 2, exhaust=False)
    optimizer = HalvingOptimizer(source, Rows(4), lambda n: plan, **options)
    assert isinstance(optimizer, ResumingOptimizer)
    rungs: list[list[int]] = []
    released: list[int] = []
    while asked := optimizer.ask(100):
        rungs.append([candidate.params["x"] for candidate in asked])
        for candidate in asked:
            assert optimizer.ask(100) == [], "a rung is a barrier"
            x = candidate.params["x"]
            score = scores[x][len(rungs) - 1]
            optimizer.tell([Trial.from_scores(candidate, [score])])
        released += optimizer.released()
    released += optimizer.released()
    assert sorted(released) == list(range(len(optimizer.places)))
    counts = Counter(place.rung for place in optimizer.places)
    assert [counts[rung] for rung in range(len(rungs))] == list(map(len, rungs))
    return rungs


NAN = math.nan


def test_the_best_go_on_the_best_first() -> None:
    scores = {0: [1, 5, 1], 1: [4, 2, 0], 2: [3, 6, 9], 3: [2, 0, 0], 4: [5, 7, 1]}
    assert halved(scores) == [[0, 1, 2, 3, 4], [4, 1, 2], [4, 2]]


def test_of_equal_ones_the_first_go_on() -> None:
    assert halved({x: [1, 1, 1] for x in range(5)}) == [
        [0, 1, 2, 3, 4],
        [0, 1, 2],
        [0, 1],
    ]


def test_without_a_score_nobody_goes_on() -> None:
    """Also where fewer than the planned number are left."""
    scores = {0: [NAN] * 3, 1: [1, NAN, 1], 2: [NAN] * 3, 3: [0, 1, 2], 4: [NAN] * 3}
    assert halved(scores) == [[0, 1, 2, 3, 4], [1, 3], [3]]


@pytest.mark.parametrize("rung", [0, 1, 2])
def test_a_rung_without_a_score_is_an_error_that_names_it(rung: int) -> None:
    scores = {x: [1.0] * rung + [NAN] * (3 - rung) for x in range(5)}
    with pytest.raises(
        AllFitsFailedError, match=rf"iteration {rung}, with {[1, 2, 4][rung]} of 4 rows"
    ):
        halved(scores)


def test_brackets_begin_later_and_cut_for_themselves() -> None:
    """The second one has its candidates from the second rung on."""
    scores = {x: [x, x, x] for x in range(7)}
    first, second, last = halved(scores, n_brackets=2)
    n_first = len(first)
    assert first == list(range(n_first))
    assert second[-(7 - n_first) :] == list(range(n_first, 7))
    best_of_first = second[: -(7 - n_first)]
    assert best_of_first == first[::-1][: math.ceil(n_first / 2)]
    halves = best_of_first[: math.ceil(len(best_of_first) / 2)]
    assert (
        last == halves + list(range(6, n_first - 1, -1))[: math.ceil((7 - n_first) / 2)]
    )


@settings(max_examples=30)
@given(st.data())
def test_what_is_decided_does_not_depend_on_how_many_are_asked_for(
    data: st.DataObject,
) -> None:
    """Asked one by one or together, with any scores, also equal ones and NaN."""
    score = st.one_of(st.integers(0, 3), st.just(NAN))
    table = {x: [1.0] * 3 for x in range(3)} | {
        x: data.draw(st.lists(score, min_size=3, max_size=3)) for x in range(3, 9)
    }
    plan = plan_halving(9, 1, 4, 2, exhaust=False)

    def ids(most: int) -> list[tuple[int, int, int | None]]:
        source = GridOptimizer({"x": list(table)})
        optimizer = HalvingOptimizer(source, Rows(4), lambda n: plan, n_brackets=2)
        found, waiting = [], []
        while True:
            waiting += optimizer.ask(most)
            if not waiting:
                return found
            candidate = waiting.pop(0)
            found.append((candidate.id, candidate.params["x"], candidate.resource))
            rung = optimizer.places[candidate.id].rung
            score = table[candidate.params["x"]][rung]
            optimizer.tell([Trial.from_scores(candidate, [score])])

    assert ids(1) == ids(2) == ids(100)


def test_what_candidates_are_asked_with() -> None:
    """Rows as a resource; a value, or a curve up to it, among the params."""
    params = {"x": 1}
    before = Trial.from_scores(Rows(9).candidate(5, params, 3, None), [1.0])
    all_rows = Rows(9).candidate(0, params, 9, before)
    assert (all_rows.resource, all_rows.resume_from) == (None, None)
    assert Rows(9).candidate(0, params, 3, None).resource == 3
    assert Value("n").candidate(0, params, 3, before).params == {"x": 1, "n": 3}
    curved = Iterations("n", continues=True).candidate(6, params, 4, before)
    assert (curved.params["n"], curved.resource) == (Curve(4), 4)
    assert curved.resume_from == 5
    failed = Trial.from_scores(before.candidate, [0.0], failed=True)
    afresh = Iterations("n", continues=True).candidate(6, params, 4, failed)
    assert afresh.resume_from is None, "a failure has left no model"
    assert (
        Iterations("n", continues=False).candidate(6, params, 4, before).resource
        is None
    )
    assert (
        Iterations("n", continues=True).candidate(6, params, 1, None).params["n"] == 1
    )


# --- which rows -----------------------------------------------------------------------

SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=5)


@given(SIZES, st.integers(0, 5))
def test_each_beginning_has_the_shares_of_the_classes(
    sizes: list[int], seed: int
) -> None:
    """No class could give a row to another one and both be nearer to their shares."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    order = in_equal_shares(labels, len(labels), np.random.default_rng(seed))
    assert sorted(order) == list(range(len(labels)))
    counts = np.zeros(len(sizes))
    for label in labels[order]:
        counts[label] += 1
        assert ((counts - 0.5) / sizes).max() <= ((counts + 0.5) / sizes).min() + 1e-12


@settings(max_examples=50)
@given(st.data())
def test_parts_are_nested_and_as_large_as_asked_for(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, 60))
    train = np.array(
        data.draw(st.lists(st.integers(0, n - 1), min_size=1, unique=True))
    )
    numbers = st.lists(st.integers(0, 3), min_size=n, max_size=n)
    kind = data.draw(st.sampled_from(["random", "labels", "groups", "latest"]))
    more: dict = {"latest": True} if kind == "latest" else {}
    if kind in ("labels", "groups"):
        more = {kind: np.array(data.draw(numbers))}
    subsets = Subsets(n, SEED, **more)
    before: set[int] = set()
    for size in range(1, n + 1):
        part = subsets.rows(train, 1, size)
        positions = [list(train).index(row) for row in part]
        assert positions == sorted(positions), "in the order of the whole"
        assert before <= set(part.tolist())
        before = set(part.tolist())
        wanted = max(1, len(train) * size // n)
        if kind == "groups":
            own = more["groups"]
            assert len(part) >= wanted
            assert set(own[part]).isdisjoint(own[list(set(train) - before)])
        else:
            assert len(part) == wanted
    assert len(part) == len(train)
    if kind == "latest":
        assert subsets.rows(train, 1, 1)[-1] == train[-1]


def test_the_order_is_one_of_the_seed_and_the_split() -> None:
    def rows(seed: int, split: int) -> list[int]:
        subsets = Subsets(100, np.random.SeedSequence(seed))
        return subsets.rows(np.arange(100), split, 20).tolist()

    assert rows(0, 1) == rows(0, 1)
    assert rows(0, 1) != rows(0, 2)
    assert rows(0, 1) != rows(1, 1)
    mask = np.arange(100) % 2 == 0
    found = Subsets(100, SEED).rows(mask, 0, 20)
    assert len(found) == 10
    assert set(found % 2) == {0}
