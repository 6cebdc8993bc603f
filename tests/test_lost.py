"""Which candidates are tried alone after the death of a worker, and in which order."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from skhpo.evaluation._lost import LostBlocks
from skhpo.evaluation.fitting._task import Block, Task
from skhpo.evaluation.fitting._time_slice import TIME_SLICES


def block_of(numbers: list[int], split: int = 0) -> Block:
    tasks = tuple(Task(number, {}) for number in numbers)
    return Block(split, tasks, TIME_SLICES["sent"])


def numbers_of(block: Block | None) -> list[int]:
    return [] if block is None else [task.number for task in block.tasks]


def tried_and_released(
    lost: LostBlocks, seconds: dict[int, int], deadly: int | None
) -> tuple[list[int], list[int]]:
    """Run all of them, which take so long and of which one is deadly."""
    tried, released = [], []
    while lost:
        (number,) = numbers_of(lost.next_alone())
        assert lost.one_runs_alone
        tried.append(number)
        if number == deadly:
            released += numbers_of(lost.died_again())
        else:
            released += numbers_of(lost.survived(seconds[number]))
        assert not lost.one_runs_alone
    return tried, released


@settings(max_examples=30)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.data())
def test_those_that_had_begun_are_tried_alone(times: list[int], data: st.DataObject):
    """In their order, and those that had not are released as soon as that is known."""
    numbers = list(range(len(times)))
    dies = data.draw(st.sampled_from(numbers))
    begun, ended = sum(times[:dies]), sum(times[: dies + 1])
    lost = LostBlocks()
    lost.add(block_of(numbers), data.draw(st.integers(begun + 1, ended)))
    deadly = data.draw(st.sampled_from([dies, None]))
    tried, released = tried_and_released(
        lost, dict(zip(numbers, times, strict=True)), deadly
    )
    assert tried == numbers[: dies + 1]
    assert released == numbers[dies + 1 :]


def test_a_block_that_ended_with_a_candidate_had_not_begun_the_next_one():
    lost = LostBlocks()
    lost.add(block_of([0, 1, 2]), 5.0)
    assert tried_and_released(lost, {0: 2, 1: 3}, None) == ([0, 1], [2])


def test_a_block_is_looked_into_before_the_next_one():
    """The sooner the cause is found, the fewer candidates run alone."""
    lost = LostBlocks()
    lost.add(block_of([0, 1, 2]), 5.0)
    lost.add(block_of([3, 4]), 5.0)
    seconds = dict.fromkeys(range(5), 2)
    assert tried_and_released(lost, seconds, None) == ([0, 1, 2, 3, 4], [])


def test_who_died_twice_runs_alone_on_all_other_splits_and_nobody_else_does():
    lost = LostBlocks()
    lost.add(block_of([0, 1]), 1.0)
    assert tried_and_released(lost, {}, 0) == ([0], [1])
    assert lost.set_apart(block_of([0], split=1)) is None
    assert numbers_of(lost.set_apart(block_of([1, 0, 2], split=2))) == [1, 2]
    alone = [lost.next_alone()]
    assert lost.survived(0.1) is None
    alone.append(lost.next_alone())
    assert lost.died_again() is None
    assert [(numbers_of(b), b.split) for b in alone] == [([0], 1), ([0], 2)]
    assert not lost
