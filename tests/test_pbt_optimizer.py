"""Population based training on problems whose answers are known.

The problems need no estimator: a state is a number, a training step is one line.
"""

from __future__ import annotations

import copy
import math
import pickle
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_equal
from scipy.stats import loguniform, uniform

from skhpo._trial import Candidate, Trial
from skhpo.exceptions import InvalidSpaceError
from skhpo.optimizers._base import Optimizer
from skhpo.optimizers._exploit import Tournament, Truncation, rank_members
from skhpo.optimizers._lineage import MemberRecord
from skhpo.optimizers._pbt import PBTOptimizer

State = Any
Step = Callable[[State, dict[str, Any]], State]


def train(
    optimizer: PBTOptimizer, birth: State, step: Step, score: Callable[[State], float]
) -> dict[int, State]:
    """Run the optimizer to its end; return the state after each trial."""
    states: dict[int, State] = {}
    had: dict[int, int] = {}  # steps in all
    while candidates := optimizer.ask(1000):
        trials = []
        for candidate in candidates:
            resumed = candidate.resume_from
            state = birth if resumed is None else states[resumed]
            before = 0 if resumed is None else had[resumed]
            for _ in range(before, candidate.resource or 0):
                state = step(state, dict(candidate.params))
            had[candidate.id] = candidate.resource or 0
            states[candidate.id] = state
            trials.append(Trial.from_scores(candidate, (score(state),)))
        optimizer.tell(trials)
    return states


def make(seed: int, space: Any = None, **options: Any) -> PBTOptimizer:
    space = {"eta": loguniform(1e-3, 2.0)} if space is None else space
    return PBTOptimizer(space, np.random.SeedSequence(seed), **options)


def last_generation(optimizer: PBTOptimizer) -> list[MemberRecord]:
    return optimizer.records[-optimizer.population_size :]


def fake_scores(optimizer: PBTOptimizer, scores: list[float]) -> None:
    candidates = optimizer.ask(len(scores))
    optimizer.tell(
        [Trial.from_scores(c, (s,)) for c, s in zip(candidates, scores, strict=True)]
    )


# --- the noisy quadratic: E[loss] under SGD with step size eta, in closed form ------


def quadratic_step(v: np.ndarray, params: dict[str, Any], h: np.ndarray) -> np.ndarray:
    """Expected squared error in each direction of curvature h, noise variance 1."""
    eta = params["eta"]
    return (1 - eta * h) ** 2 * v + (eta * h) ** 2


def run_quadratic(
    optimizer: PBTOptimizer, h: tuple[float, ...], v0: tuple[float, ...]
) -> dict[int, np.ndarray]:
    curvature = np.array(h)
    return train(
        optimizer,
        np.array(v0),
        lambda v, params: quadratic_step(v, params, curvature),
        lambda v: -0.5 * float(curvature @ v),
    )


def best_fixed_loss(h: tuple[float, ...], v0: tuple[float, ...], steps: int) -> float:
    eta = np.geomspace(1e-4, 2.0, 4000)[:, None]
    curvature, v = np.array(h), np.array(v0)
    for _ in range(steps):
        v = quadratic_step(v, {"eta": eta}, curvature)
    return float((0.5 * v @ curvature).min())


def pbt_losses(
    seeds: range, h: Any, v0: Any, steps: int, **options: Any
) -> list[float]:
    interval = options.get("steps_per_generation", 1)
    losses = []
    for seed in seeds:
        optimizer = make(seed, n_generations=steps // interval, **options)
        run_quadratic(optimizer, h, v0)
        losses.append(-max(record.score for record in last_generation(optimizer)))
    return losses


@pytest.mark.slow
def test_noisy_quadratic_comes_close_to_the_closed_form_optimum() -> None:
    # With eta_t = v / (v + 1), 1/v grows by 1 per step: 0.5 / (1/10 + 100) = 0.004995
    fixed = best_fixed_loss((1.0,), (10.0,), 100)
    assert fixed == pytest.approx(0.01161, abs=1e-5)
    losses = pbt_losses(range(20), (1.0,), (10.0,), 100, population_size=16)
    assert min(losses) > 0.5 / (1 / 10 + 100)
    assert max(losses) < 0.006
    assert max(losses) < fixed


@pytest.mark.parametrize(
    "exploit",
    [
        pytest.param(Truncation(), marks=pytest.mark.slow),
        pytest.param(Truncation(0.5), marks=pytest.mark.slow),
        Tournament(),
    ],
)
def test_small_populations_beat_the_best_fixed_value(exploit: Any) -> None:
    losses = pbt_losses(
        range(20), (1.0,), (10.0,), 100, population_size=4, exploit=exploit
    )
    assert np.median(losses) < 0.0065
    assert max(losses) < 0.01161


def test_replay_of_the_schedule_gives_the_same_loss_exactly() -> None:
    optimizer = make(3, n_generations=20, steps_per_generation=5)
    states = run_quadratic(optimizer, (1.0,), (10.0,))
    for record in optimizer.records:
        schedule = dict(optimizer.schedule_of(record.id))
        v, params = np.array([10.0]), {}
        for step in range(record.n_resources):
            params = {**params, **schedule.get(step, {})}
            v = quadratic_step(v, params, np.array([1.0]))
        assert v == states[record.id]


def test_the_found_step_size_decays() -> None:
    optimizer = make(0, n_generations=100)
    run_quadratic(optimizer, (1.0,), (10.0,))
    best = max(last_generation(optimizer), key=lambda record: record.score)
    etas = [params["eta"] for _, params in optimizer.schedule_of(best.id)]
    assert etas[0] > 0.2
    assert etas[-1] < 0.03


@pytest.mark.slow  # forty populations
def test_short_horizon_trap_needs_a_longer_interval() -> None:
    # A direction of small curvature needs large steps, and at once they only hurt:
    # the documented advice is a longer generation (Wu et al., arXiv:1803.02021).
    h, v0 = (1.0, 0.01), (10.0, 1e4)
    fixed = best_fixed_loss(h, v0, 200)
    assert fixed == pytest.approx(1.150, abs=1e-3)
    myopic = pbt_losses(range(20), h, v0, 200, population_size=16)
    patient = pbt_losses(
        range(20), h, v0, 200, population_size=32, steps_per_generation=20
    )
    assert min(myopic) > fixed
    assert np.median(patient) < fixed
    assert sum(loss < fixed for loss in patient) >= 18


# --- figure 2 of the paper: two members, each blind in one direction ----------------


@dataclass
class Ablation(PBTOptimizer):
    """What the paper compares with: weights copied without h, survivors explored."""

    inherits: bool = True
    explores_survivors: bool = False

    def _next_params(
        self, old: Sequence[MemberRecord], member: int, parent: int
    ) -> dict[str, Any]:
        params = dict(old[parent if self.inherits else member].params)
        if parent == member and not self.explores_survivors:
            return params
        return self._explored(params, old[0].generation, member)


def stay(scores: np.ndarray, rng: np.random.Generator) -> list[int]:
    return list(range(len(scores)))


def keep(
    params: dict[str, Any], rng: np.random.Generator, history: Any
) -> dict[str, Any]:
    return params


def toy_score(seed: int, **options: Any) -> float:
    """Best Q = 1.2 - |theta|^2 after 200 steps on the surrogate 1.2 - h . theta^2."""
    optimizer = Ablation(
        {"h0": uniform(0, 1), "h1": uniform(0, 1)},
        np.random.SeedSequence(seed),
        population_size=2,
        n_generations=20,
        steps_per_generation=10,
        initial_params=[{"h0": 1.0, "h1": 0.0}, {"h0": 0.0, "h1": 1.0}],
        **options,
    )
    states = train(
        optimizer,
        np.array([0.9, 0.9]),
        lambda t, p: t - 0.01 * 2 * np.array([p["h0"], p["h1"]]) * t,
        lambda t: 1.2 - float(t @ t),
    )
    return max(1.2 - float(states[r.id] @ states[r.id]) for r in optimizer.records)


@pytest.mark.slow
def test_figure_2_ordering() -> None:
    seeds = range(20)
    grid = toy_score(0, exploit=stay, explore=keep)
    exploit_only = toy_score(0, explore=keep, inherits=False)
    exploit_both = toy_score(0, explore=keep)  # h copied too: nothing is gained
    explore = [toy_score(s, exploit=stay, explores_survivors=True) for s in seeds]
    both = [toy_score(s, inherits=False, explores_survivors=True) for s in seeds]
    assert grid == pytest.approx(0.390, abs=1e-3)
    assert exploit_both == pytest.approx(grid)
    assert exploit_only > 1.1
    assert grid < np.mean(explore) < np.mean(both)
    assert min(both) > 1.0
    assert np.mean(both) > 1.13


# --- laws -----------------------------------------------------------------------------


def test_it_is_an_optimizer_that_waits_and_finishes() -> None:
    optimizer = make(0, population_size=3, n_generations=2)
    assert isinstance(optimizer, Optimizer)
    assert optimizer.ask(0) == []
    first = optimizer.ask(2) + optimizer.ask(5)
    assert [c.id for c in first] == [0, 1, 2]
    assert all(c.resume_from is None and c.resource == 1 for c in first)
    optimizer.tell([Trial.from_scores(c, (0.0,)) for c in first[:2]])
    assert optimizer.ask(5) == []  # the third is pending
    optimizer.tell([Trial.from_scores(first[2], (1.0,))])
    second = optimizer.ask(5)
    assert [c.id for c in second] == [3, 4, 5]
    optimizer.tell([Trial.from_scores(c, (0.0,)) for c in second])
    assert optimizer.ask(5) == []


def test_ties_are_broken_by_rank_so_that_equal_members_move() -> None:
    optimizer = make(0, population_size=2, n_generations=2)
    fake_scores(optimizer, [0.5, 0.5])
    assert [c.resume_from for c in optimizer.ask(2)] == [0, 0]


def test_ranks_put_nan_last_and_keep_order() -> None:
    assert rank_members([math.nan, 1.0, math.inf, 1.0]).tolist() == [2, 1, 3, 0]


@pytest.mark.parametrize("exploit", [Truncation(), Tournament(), stay])
def test_failed_members_are_replaced_by_living_ones(exploit: Any) -> None:
    optimizer = make(0, population_size=5, n_generations=2, exploit=exploit, burn_in=9)
    candidates = optimizer.ask(5)
    bad = {0, 2, 4}
    trials = [Trial.from_scores(c, (9.0,), failed=c.id in bad) for c in candidates]
    optimizer.tell(trials)
    parents = [c.resume_from for c in optimizer.ask(5)]
    assert parents[1] == 1
    assert parents[3] == 3
    assert set(parents) <= {1, 3}


def test_the_search_ends_when_all_members_failed() -> None:
    optimizer = make(0, population_size=3)
    fake_scores(optimizer, [math.nan] * 3)
    assert optimizer.ask(3) == []


def test_burn_in_postpones_exploit() -> None:
    optimizer = make(0, population_size=4, n_generations=4, burn_in=2)
    for _ in range(4):
        fake_scores(optimizer, [1.0, 2.0, 3.0, 4.0])
    moved = {r.generation for r in optimizer.records if r.exploited}
    assert moved == {3}  # the exploits after generations 0 and 1 are skipped


def test_frozen_parameters_travel_with_the_state() -> None:
    space = {"width": [1, 2, 3, 4, 5, 6, 7, 8], "eta": loguniform(1e-3, 1)}
    optimizer = make(0, space, n_generations=8, frozen=["width"])
    for _ in range(8):
        widths = [r.params["width"] for r in last_generation(optimizer)]
        fake_scores(optimizer, widths)
    for record in optimizer.records[16:]:
        parent = optimizer.records[record.parent]
        assert record.params["width"] == parent.params["width"]
    survivors = {record.params["width"] for record in last_generation(optimizer)}
    born = {record.params["width"] for record in optimizer.records[:16]}
    assert max(survivors) == max(born)
    assert len(survivors) < len(born)


def test_lists_of_spaces_are_not_mixed() -> None:
    space = [{"a": [1, 2], "x": [0, 1]}, {"b": [1, 2]}]
    optimizer = make(0, space, n_generations=6)
    for _ in range(6):
        fake_scores(optimizer, list(np.random.default_rng(0).random(16)))
    for record in optimizer.records:
        assert record.params.keys() in ({"a", "x"}, {"b"})
        if record.parent >= 0:
            parent = optimizer.records[record.parent]
            assert parent.params.keys() == record.params.keys()


def test_lineage_is_a_forest_over_equal_resources() -> None:
    optimizer = make(1, population_size=6, n_generations=9, steps_per_generation=3)
    scores = np.random.default_rng(0)
    for _ in range(9):
        fake_scores(optimizer, list(scores.random(6)))
    for record in optimizer.records:
        assert record.id == record.generation * 6 + record.member
        assert record.n_resources == 3 * (record.generation + 1)
        if record.generation == 0:
            assert record.parent == -1
        else:
            parent = optimizer.records[record.parent]
            assert parent.generation == record.generation - 1
            assert record.exploited == (parent.member != record.member)
            if not record.exploited:
                assert record.params == parent.params


def test_it_stops_when_nothing_improves() -> None:
    optimizer = make(0, population_size=2, n_generations=50, n_generations_no_change=3)
    generations = 0
    while candidates := optimizer.ask(2):
        generations += 1
        optimizer.tell(
            [Trial.from_scores(c, (min(generations, 4) * 1.0,)) for c in candidates]
        )
    assert generations == 4 + 3


def test_each_choice_draws_for_itself() -> None:
    """Of each member in each generation; and what is seen of others has scores."""
    drawn = []

    def exploit(scores: np.ndarray, rng: np.random.Generator) -> list[int]:
        drawn.append(rng.random())
        return [0, 0, 0]

    def explore(
        params: dict[str, Any], rng: np.random.Generator, history: Any
    ) -> dict[str, Any]:
        drawn.append(rng.random())
        assert not any(math.isnan(record.score) for record in history)
        return params

    options = {"population_size": 3, "n_generations": 4}
    optimizer = make(0, exploit=exploit, explore=explore, **options)
    for _ in range(4):
        fake_scores(optimizer, [1.0, 2.0, 3.0])
    assert len(set(drawn)) == len(drawn) == 3 * (1 + 2)
    born = [record.params["eta"] for record in optimizer.records[:3]]
    assert len(set(born)) == 3


def test_what_is_given_is_what_members_are_born_with() -> None:
    """And the rest of it is drawn."""
    space = {"eta": loguniform(1e-3, 1), "width": [1, 2, 3, 4]}
    given = [{"eta": 0.25}, {"width": 4}]
    drawn, first = (
        make(0, space, population_size=4, initial_params=params).records
        for params in ((), given)
    )
    assert [record.params for record in first] == [
        record.params | own for record, own in zip(drawn, [*given, {}, {}], strict=True)
    ]


def test_the_number_of_candidates_is_known_unless_scores_decide_it() -> None:
    assert make(0, population_size=3, n_generations=4).n_candidates == 12
    assert make(0, n_generations_no_change=9).n_candidates is None


@pytest.mark.parametrize(
    ("best_scores", "tol", "n_generations"),
    [
        ([0.5, 0.5, 0.5, 0.9], 0.0, 3),  # to stay the same is no improvement
        ([5.0, 5.5, 6.0, 6.5], 0.5, 3),  # nor is to rise by no more than `tol`
        ([5.0, 1.0, 2.0, 3.0], 0.0, 3),  # nor to recover
        ([5.0, 1.0, 5.5, 1.0, 2.0], 0.0, 5),
    ],
)
def test_an_improvement_is_over_the_best_of_all_generations(
    best_scores: list[float], tol: float, n_generations: int
) -> None:
    optimizer = make(
        0, population_size=2, n_generations=9, n_generations_no_change=2, tol=tol
    )
    for best in best_scores[:n_generations]:
        assert optimizer.ended is None
        fake_scores(optimizer, [0.0, best])
    assert optimizer.ended == "no_change"


def test_pickling_in_mid_run_changes_nothing() -> None:
    one = make(0, population_size=4, n_generations=5)
    fake_scores(one, [1.0, 2.0, 3.0, 4.0])
    other = pickle.loads(pickle.dumps(one))
    for _ in range(3):
        for optimizer in (one, other):
            fake_scores(optimizer, [4.0, 1.0, 3.0, 2.0])
    assert [*map(vars, one.records)] == [*map(vars, other.records)]


def test_choices_do_not_depend_on_how_the_calls_are_cut() -> None:
    whole, parts = make(7, population_size=4), make(7, population_size=4)
    for _ in range(3):
        candidates = whole.ask(4)
        whole.tell([Trial.from_scores(c, (float(c.id % 3),)) for c in candidates])
        for _ in range(4):
            (candidate,) = parts.ask(1)
            parts.tell([Trial.from_scores(candidate, (float(candidate.id % 3),))])
    assert [*map(vars, whole.records)] == [*map(vars, parts.records)]


def test_a_callable_explore_sees_history_and_cannot_reach_back() -> None:
    seen = []

    def explore(
        params: dict[str, Any], rng: np.random.Generator, history: Any
    ) -> dict[str, Any]:
        seen.append(len(history))
        for record in history:
            record.params["eta"] = 99.0
        history.clear()
        params["eta"] = rng.uniform()
        return params

    optimizer = make(0, population_size=4, n_generations=3, explore=explore)
    born = [dict(record.params) for record in optimizer.records]
    fake_scores(optimizer, [1.0, 2.0, 3.0, 4.0])
    assert [record.params for record in optimizer.records[:4]] == born
    before = copy.deepcopy([*map(vars, optimizer.records[:4])])
    fake_scores(optimizer, [1.0, 2.0, 3.0, 4.0])
    assert [*map(vars, optimizer.records[:4])] == before
    assert seen == [4, 8]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"population_size": 1}, "at least 2.*ScheduledEstimator"),
        ({"n_generations": 0}, "n_generations must be at least 1. Got 0"),
        ({"factors": ()}, "perturb_factors"),
        ({"factors": (0.8, -1)}, "perturb_factors"),
        ({"initial_params": [{"nope": 1}]}, "initial_params.*eta.*nope"),
        ({"initial_params": [{"eta": 0.1}] * 17}, "17 entries.*16"),
    ],
)
def test_mistakes_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(0, **options)


def test_callables_that_answer_nonsense_are_named() -> None:
    optimizer = make(0, population_size=2, exploit=lambda scores, rng: [0, 7])
    with pytest.raises(ValueError, match="exploit must return"):
        fake_scores(optimizer, [0.0, 1.0])
    optimizer = make(0, population_size=2, explore=lambda p, rng, h: {"x": 1})
    with pytest.raises(ValueError, match="explore must return"):
        fake_scores(optimizer, [0.0, 1.0])
    optimizer = make(
        0, population_size=2, frozen=["eta"], explore=lambda p, rng, h: {"eta": 1.0}
    )
    with pytest.raises(ValueError, match=r"explore changed \['eta'\]"):
        fake_scores(optimizer, [0.0, 1.0])


def test_what_exploit_does_to_the_scores_stays_with_it() -> None:
    """It has an array of its own; who failed is not forgotten."""

    def in_place(scores: np.ndarray, rng: np.random.Generator) -> list[int]:
        np.nan_to_num(scores, copy=False, nan=9.0)
        scores[:] = 0.0
        return list(range(len(scores)))

    def keep(scores: np.ndarray, rng: np.random.Generator) -> list[int]:
        return list(range(len(scores)))

    runs = []
    for exploit in (in_place, keep):
        optimizer = make(0, population_size=4, n_generations=3, exploit=exploit)
        for _ in range(2):
            fake_scores(optimizer, [1.0, math.nan, 3.0, 4.0])
        runs.append([*map(vars, optimizer.records[4:])])
    assert_equal(*runs)
    assert runs[0][1]["exploited"]


@pytest.mark.parametrize(
    "parents",
    [None, 0, 0.4, "000", [0, 0.4, 1], [0, None, 1], [0, math.nan, 1], ["0", "1", "2"]],
)
def test_parents_are_numbers_of_members(parents: Any) -> None:
    optimizer = make(0, population_size=3, exploit=lambda scores, rng: parents)
    expected = re.escape(f"of the 3 members. Got {parents!r} instead")
    with pytest.raises(ValueError, match=f"exploit must return .*{expected}"):
        fake_scores(optimizer, [0.0, 1.0, 2.0])


@pytest.mark.parametrize("kind", [list, tuple, np.array, np.float64, iter])
def test_parents_may_come_as_any_numbers_in_any_order(kind: Any) -> None:
    optimizer = make(0, population_size=3, exploit=lambda scores, rng: kind([2, 2, 2]))
    fake_scores(optimizer, [0.0, 1.0, 2.0])
    assert [record.parent for record in optimizer.records[3:]] == [2, 2, 2]


@pytest.mark.parametrize("explored", [None, 0.5, ["eta"]])
def test_what_explore_returns_is_a_dict(explored: Any) -> None:
    optimizer = make(0, population_size=2, explore=lambda p, rng, h: explored)
    with pytest.raises(ValueError, match=r"explore must return a dict of .*\['eta'\]"):
        fake_scores(optimizer, [0.0, 1.0])


def test_an_empty_space_is_refused() -> None:
    with pytest.raises(InvalidSpaceError, match="empty list"):
        make(0, [])


# --- what it is told ------------------------------------------------------------------


@pytest.mark.parametrize("id", [-1, -7, 4, 99])
def test_trials_that_were_not_asked_for_are_refused(id: int) -> None:
    """Neither does one of them take the place of a member, nor is anything learned."""
    optimizer = make(0, population_size=4)
    candidates = optimizer.ask(4)
    before = copy.deepcopy(optimizer)
    foreign = Trial.from_scores(Candidate(id, {"eta": 0.1}), (9.0,))
    with pytest.raises(ValueError, match=rf"the id {id}, .*: 0, 1, 2, 3\.") as caught:
        optimizer.tell(
            [*(Trial.from_scores(c, (0.5,)) for c in candidates[:3]), foreign]
        )
    assert "initial_params" in str(caught.value)
    assert list(map(vars, optimizer.records)) == list(map(vars, before.records))
    optimizer.tell([Trial.from_scores(c, (0.5,)) for c in candidates])
    assert [c.id for c in optimizer.ask(9)] == [4, 5, 6, 7]


def test_a_trial_counts_once() -> None:
    """Repeated ones do not breed early, in one call or in several."""
    optimizer = make(0, population_size=2)
    first, second = optimizer.ask(2)
    with pytest.raises(ValueError, match=r"the id 0, .*: 0, 1\."):
        optimizer.tell([Trial.from_scores(first, (0.5,))] * 2)
    optimizer.tell([Trial.from_scores(first, (0.5,))])
    with pytest.raises(ValueError, match=r"the id 0, .*: 1\."):
        optimizer.tell([Trial.from_scores(first, (0.7,))])
    assert optimizer.ask(9) == []
    optimizer.tell([Trial.from_scores(second, (0.6,))])
    assert [record.score for record in optimizer.records[:2]] == [0.5, 0.6]
    with pytest.raises(ValueError, match=r"the id 1, .*: none\."):
        optimizer.tell([Trial.from_scores(second, (0.6,))])
    assert len(optimizer.ask(9)) == 2


def test_not_yet_asked_for_is_not_asked_for() -> None:
    optimizer = make(0, population_size=4)
    optimizer.ask(2)
    params = optimizer.records[3].params
    with pytest.raises(ValueError, match=r"the id 3, .*: 0, 1\."):
        optimizer.tell([Trial.from_scores(Candidate(3, params), (0.5,))])


@pytest.mark.parametrize("nonsense", [[(0, 0.5)], 3, None])
def test_what_is_no_trial_is_refused_without_false_promises(nonsense: Any) -> None:
    """A population knows no params of others, so none are recommended."""
    with pytest.raises(TypeError, match="tell takes a list of Trial") as caught:
        make(0).tell(nonsense)
    assert "Candidate(-1" not in str(caught.value)


def test_the_order_of_the_trials_is_irrelevant() -> None:
    def run(order: list[int]) -> list[dict[str, Any]]:
        optimizer = make(0, population_size=4, n_generations=2)
        candidates = optimizer.ask(4)
        for i in order:
            optimizer.tell(
                [Trial.from_scores(candidates[i], (candidates[i].params["eta"],))]
            )
        return list(map(vars, optimizer.records))

    assert run([0, 1, 2, 3]) == run([2, 0, 3, 1])


@pytest.mark.parametrize(
    ("scores", "options", "ended"),
    [
        ([[0.1, 0.2], [0.3, 0.4]], {}, "completed"),
        ([[math.nan, math.nan]], {}, "all_failed"),
        ([[0.1, 0.2], [math.nan, math.nan]], {}, "completed"),
        ([[0.1, 0.2], [math.nan, 0.1]], {}, "completed"),
        ([[0.1, 0.2], [0.2, 0.2]], {"n_generations_no_change": 1}, "no_change"),
    ],
)
def test_why_there_are_no_further_generations(
    scores: list[list[float]], options: Any, ended: str
) -> None:
    n_generations = 9 if ended == "no_change" else 2
    optimizer = make(0, population_size=2, n_generations=n_generations, **options)
    for generation in scores:
        assert optimizer.ended is None
        fake_scores(optimizer, generation)
    assert optimizer.ended == ended
    assert optimizer.ask(9) == []


@pytest.mark.parametrize("factors", [(math.nan,), (math.inf, 0.8), (0.0,)])
def test_factors_are_finite_and_positive(factors: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="perturb_factors"):
        make(0, factors=factors)


def test_a_failed_member_continues_from_the_better_half() -> None:
    """Whoever that is by chance: never from one of the worse half."""
    donors = set()
    for seed in range(30):
        optimizer = make(seed, population_size=8, exploit=lambda scores, rng: range(8))
        fake_scores(optimizer, [0.6, 0.1, 0.5, 0.2, 0.4, 0.3, math.nan, math.nan])
        donors |= {record.parent for record in optimizer.records[8:][-2:]}
    assert donors == {0, 2, 4}
