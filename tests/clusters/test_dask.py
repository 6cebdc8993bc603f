"""The searches on workers of dask."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from cluster_laws import Laws

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


class TestDask(Laws):
    """All laws, as they are."""

    @pytest.fixture
    def mortal_cluster(self):
        """Of its own: a nanny gives up on a worker that dies as soon as it is born."""
        with start() as config:
            yield config
