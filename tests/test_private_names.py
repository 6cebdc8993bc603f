"""Private names of other libraries: all in one list, and each may be missing."""

from __future__ import annotations

import ast
import os
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from estimators import Threshold

import skhpo
from skhpo import GridSearch
from skhpo.evaluation.workers import _clusters, _drivers, _private
from skhpo.evaluation.workers._context import WorkerContext
from skhpo.evaluation.workers._private import PrivateName
from skhpo.evaluation.workers._workers import Workers

PACKAGE = Path(skhpo.__file__).parent
ROOM = sorted((PACKAGE / "evaluation" / "workers").glob("*.py"))
NAMES = {key: v for key, v in vars(_private).items() if isinstance(v, PrivateName)}
OF_LOKY = sorted(key for key in NAMES if key.startswith(("LOKY", "CALL")))
IN_ROUNDS = sorted(key for key in OF_LOKY if NAMES[key].without == _private.ROUNDS)

# What Python documents despite its underscore.
DOCUMENTED = {"os._exit", "sys._getframe"}
X = np.random.RandomState(0).normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)
LEVELS = {"level": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]}


def private_attributes(source: str) -> Iterator[str]:
    """Yield what is read of others than `self`: ``x._y``, ``getattr(x, "_y")``."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls")):
                continue
            case ast.Attribute(value=ast.Name(id="_private")):
                continue
            case ast.Attribute(attr=str(name)):
                text = ast.unparse(node)
            case ast.Call(
                func=ast.Name(id="getattr" | "hasattr" | "setattr" | "delattr"),
                args=[_, ast.Constant(value=str(name)), *_],
            ):
                text = ast.unparse(node)
            case _:
                continue
        if name.startswith("_") and not name.endswith("__"):
            yield text


@pytest.mark.parametrize(
    "path",
    sorted((PACKAGE / "evaluation" / "workers").glob("*.py")),
    ids=lambda p: p.name,
)
def test_the_list_is_complete(path: Path) -> None:
    """No other private name is read in the room of the workers."""
    found = {*private_attributes(path.read_text(encoding="utf-8"))}
    assert found <= DOCUMENTED


def test_each_name_says_what_for_and_what_without() -> None:
    for name in NAMES.values():
        assert name.attribute.startswith("_")
        assert len({name.owner, name.attribute, name.purpose, name.without}) == 4
        assert all((name.owner, name.purpose, name.without))


def rename(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a library call something differently from now on."""
    renamed = replace(NAMES[key], attribute="_renamed_by_its_library")
    monkeypatch.setattr(_private, key, renamed)


@pytest.fixture(scope="module")
def expected() -> np.ndarray:
    search = GridSearch(Threshold(), LEVELS, cv=3).fit(X, Y)
    return search.cv_results_["mean_test_score"]


@pytest.mark.parametrize("key", OF_LOKY)
def test_a_search_on_loky_without(
    key: str, expected: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The results are the same, and it is over."""
    rename(key, monkeypatch)
    search = GridSearch(Threshold(), LEVELS, cv=3, n_jobs=2).fit(X, Y)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], expected)


# As the list says of LOKY_WAITING.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize(
    "key",
    [
        pytest.param(key, marks=[pytest.mark.slow] * (key == "LOKY_INITIALIZER"))
        for key in OF_LOKY
    ],
)
def test_tasks_are_given_up_without(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that ends early does not wait for what it has begun."""
    rename(key, monkeypatch)
    with Workers(2, "all") as workers:
        assert isinstance(workers._driver, _drivers.PlainParallel) == (key in IN_ROUNDS)
        for _ in range(4):
            workers.submit(time.sleep, 3600)
    with Workers(2, "all") as workers:
        number = workers.submit(os.getpid)
        assert workers.fetch()[0] == number


def test_data_are_sent_to_spark_without_its_private_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With each task where they cannot be broadcast, and once where they can."""
    session = SimpleNamespace(
        sparkContext=SimpleNamespace(broadcast=lambda parts: ("broadcast", parts))
    )
    spark = object.__new__(_clusters.Spark)
    spark._backend = SimpleNamespace(_spark=session, _is_spark_connect_mode=False)
    assert spark.share((1, 2)) == ("broadcast", (1, 2))
    for key in ("SPARK_SESSION", "SPARK_CONNECT"):
        with monkeypatch.context() as patch:
            rename(key, patch)
            assert spark.share((1, 2)) == (1, 2)


def test_filters_of_warnings_are_sent_without_their_private_verb(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rename("WARNING_FILTERS", monkeypatch)
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        context = WorkerContext.capture()
    with context.recreated(), pytest.raises(FutureWarning):
        warnings.warn("sent", FutureWarning, stacklevel=1)
