"""Which candidates are tried alone after the death of a worker, and in which order."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from skhpo.evaluation._quarantine import Quarantine
from skhpo.evaluation._task import Block, Task
from skhpo.evaluation._time_slice import TIME_SLICES


def block_of(numbers: list[int], split: int = 0) -> Block:
    tasks = tuple(Task(number, {}) for number in numbers)
    return Block(split, tasks, TIME_SLICES["sent"])


def numbers_of(block: Block | None) -> list[int]:
    return [] if block is None else [task.number for task in block.tasks]


def tried_and_released(
    quarantine: Quarantine, seconds: dict[int, int], deadly: int | None
) -> tuple[list[int], list[int]]:
    """Run all suspects, which take so long and of which one is deadly."""
    tried, released = [], []
    while quarantine:
        (number,) = numbers_of(quarantine.pop())
        assert quarantine.has_one_suspect
        tried.append(number)
        if number == deadly:
            released += numbers_of(quarantine.convict())
        else:
            released += numbers_of(quarantine.acquit(seconds[number]))
        assert not quarantine.has_one_suspect
    return tried, released


@settings(max_examples=30)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.data())
def test_those_that_had_begun_are_tried_alone(times: list[int], data: st.DataObject):
    """In their order, and those that had not are released as soon as that is known."""
    numbers = list(range(len(times)))
    dies = data.draw(st.sampled_from(numbers))
    begun, ended = sum(times[:dies]), sum(times[: dies + 1])
    quarantine = Quarantine()
    quarantine.add(block_of(numbers), data.draw(st.integers(begun + 1, ended)))
    deadly = data.draw(st.sampled_from([dies, None]))
    tried, released = tried_and_released(
        quarantine, dict(zip(numbers, times, strict=True)), deadly
    )
    assert tried == numbers[: dies + 1]
    assert released == numbers[dies + 1 :]


def test_a_block_that_ended_with_a_candidate_had_not_begun_the_next_one():
    quarantine = Quarantine()
    quarantine.add(block_of([0, 1, 2]), 5.0)
    assert tried_and_released(quarantine, {0: 2, 1: 3}, None) == ([0, 1], [2])


def test_a_block_is_looked_into_before_the_next_one():
    """The sooner the culprit is found, the fewer candidates run alone."""
    quarantine = Quarantine()
    quarantine.add(block_of([0, 1, 2]), 5.0)
    quarantine.add(block_of([3, 4]), 5.0)
    seconds = dict.fromkeys(range(5), 2)
    assert tried_and_released(quarantine, seconds, None) == ([0, 1, 2, 3, 4], [])


def test_a_culprit_is_a_suspect_on_all_other_splits_and_nobody_else_is():
    quarantine = Quarantine()
    quarantine.add(block_of([0, 1]), 1.0)
    assert tried_and_released(quarantine, {}, 0) == ([0], [1])
    assert quarantine.set_apart(block_of([0], split=1)) is None
    assert numbers_of(quarantine.set_apart(block_of([1, 0, 2], split=2))) == [1, 2]
    suspects = [quarantine.pop()]
    assert quarantine.acquit(0.1) is None
    suspects.append(quarantine.pop())
    assert quarantine.convict() is None
    assert [(numbers_of(b), b.split) for b in suspects] == [([0], 1), ([0], 2)]
    assert not quarantine
