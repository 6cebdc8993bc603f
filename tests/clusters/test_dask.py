"""The searches on workers of dask."""

from __future__ import annotations

from contextlib import contextmanager

import joblib
import numpy as np
import pytest
from cluster_laws import LEVELS, Laws
from estimators import Threshold

from skhpo import GridSearch

distributed = pytest.importorskip("distributed", reason="dask.distributed is missing")


@contextmanager
def start():
    """Two processes, which a nanny starts again when they die."""
    import dask

    # Left to itself, dask tries three times more before anybody hears of a death.
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as local,
        distributed.Client(local),
    ):
        yield {"backend": "dask"}


@pytest.fixture(scope="module")
def cluster():
    """For the quiet laws."""
    with start() as config:
        yield config


def count_received():
    """Return how many bytes this worker has received since the first call."""
    from distributed.comm import tcp

    if not hasattr(tcp, "received"):
        tcp.received = 0
        from_frames = tcp.from_frames

        def count(frames, *args, **kwargs):
            tcp.received += sum(memoryview(frame).nbytes for frame in frames)
            return from_frames(frames, *args, **kwargs)

        tcp.from_frames = count
    return tcp.received


class TestDask(Laws):
    """All laws, as they are."""

    @pytest.fixture
    def mortal_cluster(self):
        """Of its own: a nanny gives up on a worker that dies as soon as it is born."""
        with start() as config:
            yield config

    def test_every_worker_receives_the_data_once(self, cluster):
        """Not with each task, though 60 of them have two workers."""
        X = np.random.default_rng(0).normal(size=(1000, 1000))  # cannot be compressed
        search = GridSearch(Threshold(), LEVELS, cv=10, refit=False)
        client = distributed.get_client()
        client.amm.stop()  # it takes the data from workers with nothing to do
        before = client.run(count_received)
        with joblib.parallel_config(**cluster):
            search.fit(X, X[:, 0] > 0)
        after = client.run(count_received)
        client.amm.start()
        received = np.array([after[worker] - before[worker] for worker in after])
        assert (received > X.nbytes).all()
        assert (received < 1.2 * X.nbytes).all()
