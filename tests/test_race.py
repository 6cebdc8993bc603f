"""The race, with numbers alone: who is dropped, who never is, and what decides it."""

from __future__ import annotations

import math
import random
import statistics
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from skhpo._trial import Estimate
from skhpo.optimizers._race import (
    FIRST_HEAT,
    FIRST_WAVE,
    OrderedRace,
    Race,
    Rival,
    SortedRace,
    probability_of_overtaking,
    typical_variance,
)

ALPHA = 0.05
Ends = dict[int, Estimate | None]


def run(race: Race, S: np.ndarray, shuffle: random.Random | None = None) -> Ends:
    """Return how all candidates end, evaluated one by one or in any other order."""
    ended: Ends = {}
    going: list[int] = []
    entered, n = 0, len(S)
    if isinstance(race, SortedRace):
        race.enter(range(n))
        entered = n
    while True:
        # Those that come one by one: two are under way at a time.
        while entered < n and all(id in ended for id in range(entered - 1)):
            race.enter([entered])
            entered += 1
        going += race.ask()
        ended.update(race.ended())
        if not going:
            if entered == n:
                return ended
            continue
        k = shuffle.randrange(len(going)) if shuffle else 0
        id = going.pop(k)
        race.tell(id, S[id, : len(race.scores[id]) + 1])
        ended.update(race.ended())


def sorted_race(S: np.ndarray, **options: Any) -> Ends:
    return run(SortedRace(S.shape[1], ALPHA), S, **options)


def ordered_race(S: np.ndarray, **options: Any) -> Ends:
    return run(OrderedRace(S.shape[1], ALPHA, 2), S, **options)


RACES = {"sorted": sorted_race, "ordered": ordered_race}
by_race = pytest.mark.parametrize("race", RACES.values(), ids=RACES)


def recorded(seed: int, n: int = 40, n_splits: int = 5) -> np.ndarray:
    """Scores as searches have them: split and candidate add up, with some noise."""
    rng = np.random.default_rng(seed)
    quality = -np.abs(rng.standard_t(3, size=(n, 1))) * 0.05
    split = rng.normal(scale=0.03, size=(1, n_splits))
    return 0.9 + quality + split + rng.normal(scale=0.01, size=(n, n_splits))


matrices = hnp.arrays(
    float,
    st.tuples(st.integers(1, 30), st.integers(2, 6)),
    elements=st.one_of(
        st.integers(-3, 3).map(float), st.floats(-1, 1), st.just(math.nan)
    ),
)
wild = hnp.arrays(
    float,
    st.tuples(st.integers(1, 20), st.integers(2, 5)),
    elements=st.floats(allow_nan=True, allow_infinity=True),
)
extreme = hnp.arrays(
    float,
    st.tuples(st.integers(1, 20), st.integers(2, 5)),
    elements=st.sampled_from([math.inf, -math.inf, math.nan, 1.7e308, -1.7e308, 0, 1]),
)


# --- the rule -------------------------------------------------------------------------


def test_the_probability_is_that_of_students_distribution() -> None:
    """Written out with scipy.stats, for one split and for three."""
    d, prior, n_splits = np.array([-0.02, 0.01, -0.05]), 4e-4, 5
    for m in (1, 3):
        own = d[:m].var(ddof=1) if m > 1 else 0.0
        s2 = (3 * prior + (m - 1) * own) / (m + 2)
        left = s2 * (n_splits - m) / (n_splits * m)
        expected = stats.t(m + 2).cdf(d[:m].mean() / math.sqrt(left))
        found = probability_of_overtaking(d[:m], prior, n_splits)
        assert found == pytest.approx(expected, rel=1e-12)


def test_where_nothing_varies_the_sign_decides() -> None:
    """Without any variance, the splits to come are like those that are known."""
    for m in (1, 2, 4):
        same = np.full(m, 0.0)
        assert probability_of_overtaking(same, 0.0, 5) == 1
        assert probability_of_overtaking(same + 0.5, 0.0, 5) == 1
        assert probability_of_overtaking(same - 0.5, 0.0, 5) == 0


@given(st.integers(1, 4), st.floats(0, 10), st.floats(0, 10))
def test_a_tie_is_never_dropped(m: int, mean: float, prior: float) -> None:
    """Who is as good as the rival, or better, has a chance of a half or more."""
    assert probability_of_overtaking(np.full(m, mean), prior, 5) >= 0.5


def test_the_variance_of_others_is_their_median() -> None:
    """Rows with one number do not count; below three others there is none."""
    D = np.array([[1, 2, 3], [1, 5, np.nan], [0, 0, 0], [7, np.nan, np.nan]], float)
    assert typical_variance(D) == 1.0
    assert typical_variance(D[1:]) is None


def test_the_rival_is_the_best_complete_one() -> None:
    """Of equal ones the first; without a complete one there is none."""
    known = [[1.0, 2.0], [9.0], [2.0, 1.0], [0.0, 0.0]]
    rival = Rival.among(known, 2, ALPHA)
    assert rival is not None
    assert rival.scores.tolist() == [1, 2]
    assert Rival.among([[9.0], []], 2, ALPHA) is None
    assert Rival.among([], 2, ALPHA) is None
    alone = Rival.among([[1.0, 3.0]], 2, ALPHA)
    assert alone is not None
    assert alone.prior == 2 * np.var([1.0, 3.0], ddof=1)


def test_an_estimate_is_the_rival_and_the_difference() -> None:
    """And so it is below the rival, of whoever is dropped."""
    rival = Rival(np.array([0.9, 0.8, 0.7]), 1e-4, ALPHA)
    estimate = rival.estimate([0.6])
    assert estimate.score == pytest.approx(0.8 - 0.3)
    assert estimate.variance == pytest.approx(1e-4 * 2 / 3)


def test_against_an_infinite_rival_scores_speak_for_themselves() -> None:
    """There is no difference to it; also if it is infinite elsewhere only."""
    for scores in ([math.inf, 1.0, 1.0], [1.0, math.inf, 1.0]):
        estimate = Rival(np.array(scores), 1e-4, ALPHA).estimate([0.6, 0.2])
        assert estimate.score == pytest.approx(0.4)
        assert math.isnan(estimate.variance)


# --- the order ------------------------------------------------------------------------


@by_race
@given(S=matrices)
def test_everybody_ends_once(race: Any, S: np.ndarray) -> None:
    """Complete, failed at the first NaN, or dropped below the best complete one."""
    ended = race(S)
    assert sorted(ended) == list(range(len(S)))
    complete = [i for i in ended if ended[i] is None and not np.isnan(S[i]).any()]
    best = max((S[i].mean() for i in complete), default=-math.inf)
    for estimate in ended.values():
        assert estimate is None or estimate.score <= best + 1e-12


@by_race
@given(S=matrices, seed=st.integers(0, 5))
def test_the_order_of_completion_decides_nothing(
    race: Any, S: np.ndarray, seed: int
) -> None:
    """Whatever ends first, the same are dropped, with the same estimates."""
    assert race(S, shuffle=random.Random(seed)) == race(S)


@by_race
@given(S=matrices, data=st.data())
def test_identical_splits_never_drop_the_best(
    race: Any, S: np.ndarray, data: Any
) -> None:
    """If all splits are the same one, the first split tells it all."""
    S = np.repeat(S[:, :1], S.shape[1], axis=1)
    ended = race(S)
    alive = [i for i in ended if not np.isnan(S[i, 0])]
    if alive:
        best = max(S[i, 0] for i in alive)
        assert all(ended[i] is None for i in alive if S[i, 0] == best)


@by_race
@given(S=wild)
def test_scores_of_any_size_are_decided(race: Any, S: np.ndarray) -> None:
    """Without a warning, also where they are infinite or their squares are."""
    with np.errstate(all="raise"):
        assert len(race(S)) == len(S)


@by_race
@given(S=extreme | wild)
@example(
    S=np.array([[math.inf, -math.inf], *[[-1.7e308, -1.7e308]] * 9, [-math.inf, 0]])
)
def test_whoever_is_dropped_is_expected_to_have_a_number(
    race: Any, S: np.ndarray
) -> None:
    """Below plus infinity, and below the best complete one; there is such a one."""
    with np.errstate(all="raise"):
        ended = race(S)
    dropped = [estimate.score for estimate in ended.values() if estimate is not None]
    complete = S[[i for i in ended if ended[i] is None]]
    with np.errstate(all="ignore"):
        means = [*complete.mean(axis=1)]
    # The sum of two finite scores may be infinite, where their mean is not.
    finite = complete[np.isfinite(complete).all(axis=1)]
    means += map(statistics.mean, finite.tolist())
    for score in dropped:
        assert score < math.inf
        assert score <= np.nanmax(means)


def test_no_rival_has_no_mean() -> None:
    """Where others have minus infinity, which is a number."""
    known = [[math.inf, -math.inf], [-math.inf, 0.0], [-math.inf, -math.inf]]
    rival = Rival.among(known, 2, ALPHA)
    assert rival is not None
    assert [*rival.scores] == known[1]


@by_race
def test_the_best_of_recorded_scores_survives(race: Any) -> None:
    """Nearly always; and a third of the candidates or more are dropped."""
    n_same = n_dropped = 0
    matrices = [recorded(seed, n_splits=k) for seed in range(8) for k in (2, 3, 5, 10)]
    for S in matrices:
        ended = race(S)
        complete = [i for i in ended if ended[i] is None]
        found, best = S[complete].mean(axis=1).max(), S.mean(axis=1).max()
        n_same += found == best
        n_dropped += len(S) - len(complete)
        assert found > best - 0.01 / math.sqrt(S.shape[1])  # a standard error
    assert n_same >= len(matrices) - 2
    assert n_dropped > 40 * len(matrices) / 3


def test_the_ids_of_equal_scores_decide() -> None:
    """So that equal candidates are completed in their order; none is dropped."""
    race = SortedRace(3, ALPHA)
    S = np.ones((20, 3))
    assert set(run(race, S).values()) == {None}
    assert list(race.turns) == list(range(20))


def test_the_first_wave_is_completed_and_the_rest_waits() -> None:
    """All have one split, then eight have all, whatever their scores are."""
    S = np.arange(30.0)[::-1, np.newaxis] + np.zeros((30, 4))
    race = SortedRace(4, ALPHA)
    race.enter(range(30))
    assert race.ask() == list(range(30))
    assert race.ask() == []
    for id in range(30):
        race.tell(id, S[id, :1])
    assert race.ask() == list(range(FIRST_WAVE))
    for id in range(FIRST_WAVE):
        for m in (1, 2, 3):
            race.tell(id, S[id, : m + 1])
            assert race.ask() == ([id] if m < 3 else [])
            if id == FIRST_WAVE - 1 and m == 2:
                break
    race.tell(FIRST_WAVE - 1, S[FIRST_WAVE - 1])
    assert race.ask() == []
    assert len(race.ended()) == 30


def test_very_many_candidates_are_raced_in_parts() -> None:
    """So that there are complete ones before all have had their first split."""
    S = recorded(0, n=5 * FIRST_HEAT)
    race = SortedRace(5, ALPHA)
    race.enter(range(len(S)))
    assert race.ask() == list(range(FIRST_HEAT))
    ended = sorted_race(S)
    assert ended[int(S.mean(axis=1).argmax())] is None


def test_whoever_comes_later_is_compared_with_those_that_are_told() -> None:
    """The rival of a candidate has an id of up to its own minus `n_pending`."""
    race = OrderedRace(2, ALPHA, 2)
    for id, scores in enumerate([(0.5, 0.5), (0.9, 0.9), (0.7, 0.7), (0.7, 0.7)]):
        race.enter([id])
        for m in (1, 2):
            if race.ask():
                race.tell(id, scores[:m])
    ended = dict(race.ended())
    # Number 2 sees number 0 only, which it overtakes; number 3 sees number 1.
    assert ended[2] is None
    assert ended[3] is not None
    assert ended[3].score == pytest.approx(0.7)


@by_race
def test_a_failed_split_ends_a_candidate(race: Any) -> None:
    """It cannot become the best, even if it had been; and it is not dropped either."""
    S = recorded(0)
    best = int(S.mean(axis=1).argmax())
    S[5, 0] = S[best, 3] = np.nan
    ended = race(S)
    assert ended[5] is None
    assert ended[best] is None
    others = [i for i in ended if ended[i] is None and not np.isnan(S[i]).any()]
    assert others, "the rival of all others was complete"
