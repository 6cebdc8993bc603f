"""What the README and the documentation show runs.

Blocks with a prompt are run by Sphinx's doctest builder, examples in docstrings by
pytest, and those in `docs/examples` when the gallery is built. Here is the rest.
"""

from __future__ import annotations

import ast
import importlib.util
import pydoc
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skhpo import GridSearch

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = sorted(path.name for path in (ROOT / "docs").glob("*.md"))
DEEPER = sorted(
    f"{path.parent.name}/{path.name}"
    for folder in ("api", "decisions", "recipes")
    for path in ROOT.glob(f"docs/{folder}/*.md")
)
# Blocks that use one of them are run where it is installed, as in `.ci/run`.
OTHERS = (
    *("dask", "joblibspark", "pyspark", "ray"),
    *("catboost", "hyperopt", "lightgbm", "optuna", "optuna_integration", "skopt"),
    *("fairlearn", "sklearn_optuna", "skops", "xgboost"),
)
MISSING = {name for name in OTHERS if importlib.util.find_spec(name) is None}


def blocks(language: str, path: Path = README) -> list[str]:
    text = path.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_readme_gives_two_commands() -> None:
    """`.ci/run` takes them from there and runs them on a fresh copy."""
    assert [len(block.splitlines()) for block in blocks("sh")] == [1, 1]


def test_readme_examples_run(capsys: pytest.CaptureFixture[str]) -> None:
    """And print what stands below them."""
    examples = blocks("python")
    assert examples
    namespace: dict[str, object] = {}
    for example in examples:
        exec(example, namespace)
    assert capsys.readouterr().out == "".join(blocks("text"))


def names_in(code: str) -> set[str]:
    """Return the names that a block uses, and the packages it imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


@pytest.mark.parametrize("page", PAGES)
def test_examples_of_the_documentation_run(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks of one page share their names, as in a notebook."""
    monkeypatch.chdir(tmp_path)  # they may write files, Ray those at home
    monkeypatch.setenv("HOME", str(tmp_path))
    X, y = load_iris(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    pipeline = make_pipeline(StandardScaler(), SVC())
    namespace: dict[str, Any] = {
        **{"X": X, "y": y, "pipeline": pipeline, "classes": [0, 1, 2]},
        **{"X_train": X_train, "y_train": y_train, "X_test": X_test, "y_test": y_test},
        "search": GridSearch(pipeline, {"svc__C": [0.1, 1, 10]}),
    }
    for example in blocks("python", ROOT / "docs" / page):
        code = compile(example, page, "exec")
        if not names_in(example) & MISSING:
            exec(code, namespace)
    if "client" in namespace:
        namespace["client"].shutdown()


@pytest.mark.parametrize("page", [*PAGES, *DEEPER])
def test_what_the_documentation_names_exists(page: str) -> None:
    """Functions by full names, files and modules to run: a move is noticed here."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    code = " ".join(re.findall(r"`([^`<*]+)`", re.sub(r"(?ms)^```.*?^```$", "", text)))
    names = re.findall(r"\bskhpo(?:\.\w+)+", code)
    assert [name for name in names if pydoc.locate(name) is None] == []
    paths = re.findall(r"\b(?:benchmarks|docs|skhpo|tests)/[\w./]*\w", code)
    paths += re.findall(r"(?<=python -m )benchmarks\.\w+", code)
    paths = [p if "/" in p else p.replace(".", "/") + ".py" for p in paths]
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.slow  # README's first command is the same
def test_demo_gains_on_unseen_data(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_module("skhpo", run_name="__main__")
    printed = capsys.readouterr().out
    default, tuned = (
        float(re.search(rf"{name} +(\S+)", printed)[1]) for name in ("default", "tuned")
    )
    assert tuned > default + 0.1
    assert "svr__C" in printed


def test_the_table_of_releases_ends_with_what_is_published() -> None:
    """``python -m benchmarks.figures VERSION`` writes the last row anew."""
    figures = runpy.run_path(str(ROOT / "benchmarks" / "figures.py"))
    last = dict(figures["releases"]()[-1])
    assert last.pop("release")
    assert last == {name: f"{v:.2f}" for name, v in figures["figures"]().items()}


def test_actions_of_the_workflows_are_named_by_hashes() -> None:
    """A tag can be moved to other code; the version stands beside, for people."""
    for path in ROOT.glob(".github/workflows/*.yml"):
        for used in re.findall(r"uses: *(.*)", path.read_text(encoding="utf-8")):
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", used), used
