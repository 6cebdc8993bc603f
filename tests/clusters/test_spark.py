"""The searches on workers of Spark."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from cluster_laws import Laws

pyspark_sql = pytest.importorskip("pyspark.sql", reason="PySpark is missing")
joblibspark = pytest.importorskip("joblibspark", reason="joblib-spark is missing")


@pytest.fixture(scope="module")
def cluster():
    """Two tasks at a time, as a session on this machine runs them."""
    tests = str(Path(__file__).parents[1])
    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        pyspark_sql.SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.executorEnv.PYTHONPATH", tests)
        .getOrCreate()
    )
    joblibspark.register_spark()
    yield {"backend": "spark", "n_jobs": -1}
    session.stop()


class TestSpark(Laws):
    """All laws, as they are."""
