"""Write the tables of ``suggested_spaces.md`` anew from the registry.

python docs/suggested_tables.py
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from skhpo.space.suggested._registry import FAMILIES
from skhpo.space.suggested._rows import Row
from skhpo.space.suggested._tuned import TUNED

PAGE = Path(__file__).parent / "suggested_spaces.md"
START = "<!-- from here on by suggested_tables.py -->\n"


def tables() -> str:
    """Return the tables of all families as Markdown."""
    lines: list[str] = []
    for family, classes in FAMILIES.items():
        lines += ["", f"### {family}", ""]
        lines += [
            "| class | parameter | tier | range | why | source |",
            "| --- " * 6 + "|",
        ]
        names: dict[int, list[str]] = {}
        for name, rows in classes.items():
            names.setdefault(id(rows), []).append(name.rpartition(".")[2])
        seen = {id(rows): rows for rows in classes.values()}
        for key, rows in seen.items():
            lines += table_rows(", ".join(f"`{name}`" for name in names[key]), rows)
    lines += ["", "### Published values that are tried early", ""]
    lines += ["| class | values | source |", "| --- " * 3 + "|"]
    for name, entries in TUNED.items():
        for params, source in entries:
            values = ", ".join(f"`{key}`={value}" for key, value in params.items())
            lines.append(f"| `{name}` | {values} | {source} |")
    return "\n".join(lines) + "\n"


def table_rows(names: str, rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of one table of ranges."""
    if not rows:
        yield f"| {names} | (nothing) | | | | |"
    for row in rows:
        conditions = [row.case.text] if row.case else []
        if row.when:
            parent, values = row.when
            conditions.append(f"with {parent} {', '.join(map(str, values))}")
        why = "; ".join([row.why, *conditions])
        cells = (names, f"`{row.name}`", row.tier, row.values.text, why, row.source)
        yield "| " + " | ".join(str(c).replace("|", "\\|") for c in cells) + " |"
        names = ""


def current(page: str) -> str:
    """Return the page with its tables anew."""
    return page.partition(START)[0] + START + tables()


if __name__ == "__main__":
    PAGE.write_text(current(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
