"""Durations and sizes as people write them."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skhpo._units import parse_bytes, parse_seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (30, 30),
        (0.5, 0.5),
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (Fraction(1, 4), 0.25),
        ("30s", 30),
        ("30 sec", 30),
        (" 10min ", 600),
        ("1.5h", 5400),
        (".5 d", 43200),
        ("250ms", 0.25),
        ("2H", 7200),
    ],
)
def test_a_duration_is_what_it_says(value, seconds):
    assert parse_seconds(value, "fit_timeout") == pytest.approx(seconds, rel=1e-15)
    assert type(parse_seconds(value, "fit_timeout")) is float


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (1024, 1024),
        (2e9, 2 * 10**9),
        ("1B", 1),
        ("2GB", 2 * 10**9),
        ("2gb", 2 * 10**9),
        ("2 GiB", 2**31),
        ("1.5 KiB", 1536),
        ("500 MB", 5 * 10**8),
        ("0.1 B", 1),
    ],
)
def test_a_size_is_what_it_says(value, size):
    assert parse_bytes(value, "memory_limit") == size
    assert type(parse_bytes(value, "memory_limit")) is int


@pytest.mark.parametrize("parse", [parse_seconds, parse_bytes])
@pytest.mark.parametrize(
    "value",
    [0, -1, math.inf, math.nan, "", "30", "-1s", "s", "1 week", "2GBs", "0s", "0B"],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(parse, value):
    with pytest.raises(ValueError, match=f"^limit must be .*{value!r}"):
        parse(value, "limit")


@pytest.mark.parametrize("parse", [parse_seconds, parse_bytes])
@pytest.mark.parametrize("value", [True, [30], None, 1j, b"30s"])
def test_a_value_of_another_type_is_refused_by_name(parse, value):
    with pytest.raises(TypeError, match=f"^limit must be .*{type(value).__name__}"):
        parse(value, "limit")


def test_the_message_says_which_units_there_are():
    with pytest.raises(ValueError, match=r"units.*'min'"):
        parse_seconds("3 weeks", "time_budget")
    with pytest.raises(ValueError, match=r"units.*'GiB'"):
        parse_bytes("3 s", "memory_limit")


@given(st.floats(1e-6, 1e9))
def test_a_number_of_seconds_is_the_same_with_its_unit(seconds):
    assert parse_seconds(f"{seconds:.12f}s", "x") == pytest.approx(
        parse_seconds(seconds, "x"), abs=1e-11
    )
