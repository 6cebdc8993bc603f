"""What all clusters need."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="session")
def _workers_find_the_tests():
    """Their processes import ``tests/estimators.py`` and the like by name."""
    folder = str(Path(__file__).parents[1])
    before = os.environ.get("PYTHONPATH")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [folder, before])))
        yield
