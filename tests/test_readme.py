"""What the README shows runs."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


def blocks(language: str) -> list[str]:
    text = README.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_readme_gives_two_commands() -> None:
    """`.ci/run` takes them from there and runs them on a fresh copy."""
    assert [len(block.splitlines()) for block in blocks("sh")] == [1, 1]


def test_readme_examples_run() -> None:
    examples = blocks("python")
    assert examples
    namespace: dict[str, object] = {}
    for example in examples:
        exec(example, namespace)


def test_demo_gains_on_unseen_data(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_module("skhpo", run_name="__main__")
    printed = capsys.readouterr().out
    default, tuned = (
        float(re.search(rf"{name} +(\S+)", printed)[1]) for name in ("default", "tuned")
    )
    assert tuned > default + 0.1
    assert "svr__C" in printed
