"""The searches on workers of Ray."""

from __future__ import annotations

import pytest
from cluster_laws import Laws

ray = pytest.importorskip("ray", reason="Ray is missing")


@pytest.fixture(scope="module")
def cluster():
    """Two processors of this machine."""
    from ray.util.joblib import register_ray

    register_ray()
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield {"backend": "ray", "n_jobs": -1}
    ray.shutdown()


class TestRay(Laws):
    """All laws, as they are."""
