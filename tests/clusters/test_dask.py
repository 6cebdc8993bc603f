"""The searches on workers of dask."""

from __future__ import annotations

import pytest
from cluster_laws import Laws

distributed = pytest.importorskip("distributed", reason="dask.distributed is missing")


@pytest.fixture
def cluster():
    """Two processes, which a nanny starts again when they die.

    New ones for each test: a nanny gives up when a worker dies as soon as it is born.
    """
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as local,
        distributed.Client(local),
    ):
        yield {"backend": "dask"}


class TestDask(Laws):
    """All laws, as they are."""
