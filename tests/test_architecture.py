"""The architecture page and the import contracts tell the same floors."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest

import skhpo

ROOT = Path(__file__).parents[1]
PACKAGE = Path(skhpo.__file__).parent
ROOMS = {
    "floors": "skhpo",
    "evaluation": "skhpo.evaluation",
    "search": "skhpo.search",
    "optimizers": "skhpo.optimizers",
}


def floors_of_contract(name: str) -> list[set[str]]:
    """The modules of each floor, from the lowest up; only those that exist."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = config[f"importlinter:contract:{name}"]["layers"].split("\n")
    folder = PACKAGE.joinpath(*ROOMS[name].split(".")[1:])
    floors = []
    for line in reversed(lines):
        named = {module.strip(" ()") for module in line.split("|")} - {""}
        floors.append(
            {
                module
                for module in named
                if (folder / module).is_dir() or (folder / f"{module}.py").is_file()
            }
        )
    return [floor for floor in floors if floor]


def floors_of_page(name: str) -> list[set[str]]:
    """The rooms that the table names for each floor, from the lowest up."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    tables = re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE)
    floors: dict[int, set[str]] = {}
    for row in tables[[*ROOMS].index(name)].splitlines()[2:]:
        floor, rooms, _ = row.strip("| ").split("|")
        names = re.findall(r"`(\w+)(?:/|\.py)`", rooms)
        assert not floors.get(int(floor), set()) & {*names}, f"{names} twice"
        floors.setdefault(int(floor), set()).update(names)
    assert [*floors] == sorted(range(len(floors)), reverse=True)
    return [floors[floor] for floor in sorted(floors)]


@pytest.mark.parametrize("name", ROOMS)
def test_the_page_has_the_floors_that_are_checked(name: str) -> None:
    """`skhpo/__init__.py`, which stands above all, is no module of a contract."""
    on_page = [floor for floor in floors_of_page(name) if floor]
    assert on_page == floors_of_contract(name)
