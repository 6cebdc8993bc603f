"""BLAS has one thread as long as anyone computes a proposal."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from threadpoolctl import threadpool_limits

from skhpo._threads import _controller, _limit, one_blas_thread


def n_threads() -> set[int]:
    """Return how many threads the BLAS libraries have."""
    libraries = _controller().lib_controllers
    return {blas.num_threads for blas in libraries if blas.user_api == "blas"}


def test_the_last_one_lifts_the_limit() -> None:
    """Not the first one, and to what was before; each in a thread of its own."""
    first, second = one_blas_thread(), one_blas_thread()
    with (
        threadpool_limits(2, user_api="blas"),
        ThreadPoolExecutor(1) as one,
        ThreadPoolExecutor(1) as other,
    ):
        if n_threads() != {2}:
            pytest.skip("BLAS cannot be given two threads here.")
        one.submit(first.__enter__).result()
        other.submit(second.__enter__).result()
        one.submit(first.__exit__, None, None, None).result()
        assert n_threads() == {1}
        other.submit(second.__exit__, None, None, None).result()
        assert n_threads() == {2}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork")
def test_a_forked_process_does_not_wait_for_threads_it_lacks() -> None:
    """Nor does it count them, though it was forked while one changed the limit."""

    def enter_and_leave() -> None:
        with one_blas_thread():
            assert _limit.n_inside == 1

    process = multiprocessing.get_context("fork").Process(target=enter_and_leave)
    with one_blas_thread(), _limit.lock:
        process.start()
    process.join(300)
    process.kill()
    assert process.exitcode == 0
