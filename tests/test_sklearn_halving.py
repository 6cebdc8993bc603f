"""scikit-learn's own tests of halving, run with its searches replaced by ours.

`halving_plugin.py` gives our classes its parameters and defaults. What differs is
listed here, and with its reason in docs/from_halving.md; all else must pass, and what
is listed must differ.
"""

import json
import os
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import halving_plugin
import pytest
import sklearn

HERE = Path(__file__).parent
MODULE = "sklearn.model_selection.tests.test_successive_halving"

ALL = "the last iteration has all resources: 1000 rows and not 999, 60 or 20"
DIFFERENT = {
    "test_aggressive_elimination[[]*-unlimited-*": ALL,
    "test_min_max_resources[[]smallest-*": ALL,
    "test_min_max_resources[[]50-auto-*": ALL,
    "test_min_max_resources[[]exhaust-auto-*": ALL,
    "test_min_max_resources[[]exhaust-1000-*": ALL,
    "test_min_max_resources[[]exhaust-599-*": ALL,
    "test_min_max_resources[[]exhaust-50-*": ALL,
    "test_resource_parameter*": ALL,
    "test_input_errors*must yield consistent folds*": "splits are made once",
    "test_base_estimator_inputs*": "test rows are not cut; fits come split by split",
    "test_select_best_index*": "it calls a private method with made up results",
}


@pytest.mark.slow  # of hundreds of searches over nothing
def test_scikit_learns_tests_of_halving_pass_but_for_the_list(tmp_path):
    """And nothing is in the list that does not differ."""
    report = tmp_path / "report.json"
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    python_path = [str(HERE), str(HERE.parent), environment.get("PYTHONPATH", "")]
    environment |= {
        "PYTHONPATH": os.pathsep.join(filter(None, python_path)),
        "OMP_NUM_THREADS": "1",
        halving_plugin.REPORT: str(report),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-c", "pytest.ini"]
    command += ["-p", "halving_plugin", "-p", "no:cacheprovider"]
    command += [f"--rootdir={Path(sklearn.__file__).parents[1]}", "--pyargs", MODULE]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert report.exists(), done.stdout[-3000:] + done.stderr[-3000:]
    tests = json.loads(report.read_text())
    assert len(tests) > 90
    matched = set()
    for name, test in tests.items():
        patterns = {p for p in DIFFERENT if fnmatchcase(name, p)}
        matched |= patterns
        expected = "failed" if patterns else "passed"
        assert test["outcome"] == expected, (name, test.get("reason"))
    assert matched == set(DIFFERENT)
