"""scikit-learn's own tests, run with its searches replaced by ours.

Each test here runs test modules of the installed scikit-learn in a process where
`GridSearchCV` and `RandomizedSearchCV` are our classes (see `suite_plugin.py`). What
ours do not pass is run again with scikit-learn's own classes: nothing of it may pass.
So a test counts if and only if scikit-learn passes it here, whatever the environment.

`sklearn/callback/tests` and `sklearn/tests/test_metadata_routing.py` use no search;
scikit-learn keeps the callback and routing tests of searches in `test_search.py` and
`test_metaestimators_metadata_routing.py`.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import sklearn
import suite_plugin

HERE = Path(__file__).parent
SKLEARN = Path(sklearn.__file__).parent

OURS = "skhpo.GridSearch", "skhpo.RandomSearch"
THEIRS = tuple(f"sklearn.model_selection.{name}" for name in suite_plugin.REPLACED)

SEARCH = "sklearn.model_selection.tests.test_search"
DELEGATION = "sklearn.tests.test_metaestimators"
ALL_METAESTIMATORS = f"{DELEGATION}::test_meta_estimators_delegate_data_validation"
ROUTING = "sklearn.tests.test_metaestimators_metadata_routing"
COMMON = "sklearn.tests.test_common"  # names no search: it asks for all estimators
NO_SEARCH = {
    "sklearn.experimental.tests.test_enable_successive_halving": "only imports",
    "sklearn.tests.test_docstring_parameters": "only names in a list",
    "sklearn.utils.tests.test_pprint": "has a class of its own by that name",
}


def mentioning_modules():
    """Every other test module of scikit-learn that mentions a replaced search."""
    done = {SEARCH, DELEGATION, ROUTING, COMMON, *NO_SEARCH}
    for path in sorted(SKLEARN.rglob("tests/test_*.py")):
        module = ".".join(path.relative_to(SKLEARN.parent).with_suffix("").parts)
        text = path.read_text(encoding="utf-8")
        names = (suite_plugin.whole_word(name) for name in suite_plugin.REPLACED)
        if module not in done and any(name.search(text) for name in names):
            yield module


def run(modules, searches, tmp_path, *, named_only=(), skip=()):
    """What became of the tests of some modules, under the given searches."""
    report, skipped = tmp_path / "report.json", tmp_path / "skip.json"
    report.unlink(missing_ok=True)
    skipped.write_text(json.dumps(sorted(skip)))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    python_path = [str(HERE), str(HERE.parent), environment.get("PYTHONPATH", "")]
    environment |= {
        "PYTHONPATH": os.pathsep.join(filter(None, python_path)),
        "PYTHONHASHSEED": "0",  # some of scikit-learn's tests are named from sets
        "OMP_NUM_THREADS": "1",  # tiny data: a second thread only waits
        suite_plugin.SEARCHES: " ".join(searches),
        suite_plugin.REPORT: str(report),
        suite_plugin.SKIP: str(skipped),
        suite_plugin.NAMED_ONLY: " ".join(named_only),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-c", "pytest.ini"]
    command += ["-p", "suite_plugin", "-p", "no:cacheprovider"]
    command += [f"--rootdir={SKLEARN.parent}", "--pyargs", *modules]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert report.exists(), done.stdout[-3000:] + done.stderr[-3000:]
    return json.loads(report.read_text())


def module_of(name):
    return name.partition("::")[0].removesuffix(".py").replace("/", ".")


def not_as_good(modules, searches, tmp_path, *, named_only=(), thorough=False):
    """Tests that scikit-learn passes and `searches` do not, with the reasons.

    Modules of which `searches` fail nothing that they collect are collected with
    scikit-learn's own classes only if the comparison is to be `thorough`.
    """
    mine = run(modules, searches, tmp_path, named_only=named_only)
    if not thorough:
        doubtful = {
            module_of(name)
            for name, test in mine.items()
            if test["outcome"] == "failed"
        }
        modules = [name for name in modules if name.partition("::")[0] in doubtful]
    if not modules:
        return mine, {}
    passed = {name for name, test in mine.items() if test["outcome"] == "passed"}
    theirs = run(modules, THEIRS, tmp_path, named_only=named_only, skip=passed)
    missed = {
        name: mine.get(name, {"reason": "not collected"})["reason"]
        for name, test in theirs.items()
        if test["outcome"] == "passed"
    }
    return mine, missed


def assert_replaced(modules, tests):
    """In every module our searches were constructed and, in all, fitted."""
    constructed, fitted = Counter(), Counter()
    for name, test in tests.items():
        constructed[module_of(name)] += test["constructed"]
        fitted[module_of(name)] += test["fitted"]
    assert [module for module in modules if not constructed[module]] == []
    assert fitted.total() > len(modules)


def assert_as_good(modules, tmp_path, **how):
    tests, missed = not_as_good(modules, OURS, tmp_path, **how)
    report = "\n\n".join(f"{name}\n{reason}" for name, reason in missed.items())
    assert not missed, f"{len(missed)} that scikit-learn passes:\n\n{report}"
    assert_replaced(modules, tests)


@pytest.mark.slow  # half a minute; `.ci/run` has it nevertheless, but for `thorough`
@pytest.mark.parametrize("thorough", [False, True])
def test_search_module_delegation_and_routing(tmp_path, thorough):
    """scikit-learn's tests of its searches, and of what all metaestimators do."""
    modules = [SEARCH, DELEGATION, ROUTING]
    named_only = [ROUTING, ALL_METAESTIMATORS]
    assert_as_good(modules, tmp_path, named_only=named_only, thorough=thorough)


@pytest.mark.slow  # tests/test_estimator_checks.py runs nearly all of them
def test_common_checks(tmp_path):
    """scikit-learn's estimator checks of its own searches pass with ours."""
    assert_as_good([COMMON], tmp_path, named_only=[COMMON], thorough=True)


@pytest.mark.slow  # some twenty modules are imported for a test or two of each
def test_every_other_use_of_a_search(tmp_path):
    """Wherever else scikit-learn's tests use a search."""
    modules = list(mentioning_modules())
    assert_as_good(modules, tmp_path, named_only=modules, thorough=True)


@pytest.mark.slow  # two more processes that collect scikit-learn's tests
def test_a_broken_search_is_found(tmp_path):
    """The comparison can fail: it names what a wrong search breaks."""
    searches = "estimators.AlwaysTransforms", THEIRS[1]
    test = f"{DELEGATION}::test_metaestimator_delegation"
    _, missed = not_as_good([test], searches, tmp_path)
    assert len(missed) == 1
    assert "test_metaestimator_delegation" in next(iter(missed))
