"""What `publish` has stored, as numbers: for charts, and for the table of releases.

    python -m benchmarks.figures VERSION

adds the figures of today to `published/releases.csv`, under the name of a release, and
prints the table: whether one release is slower, or finds less, than the one before.
"""

from __future__ import annotations

import csv
import re
import sys
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "published"
RELEASES = FOLDER / "releases.csv"
METHODS = {
    "random": "random search",
    "skhpo": "BayesSearch",
    "optuna-tpe": "Optuna, default",
    "hyperopt": "hyperopt",
}
SUITES = {
    "real": "Real tuning",
    "synthetic": "Synthetic functions",
    "conditional": "Choice among models",
    "tables": "Tables of results",
}


@dataclass(frozen=True)
class Bar:
    """A figure with its name, and its interval where there is one."""

    name: str
    value: float
    interval: tuple[float, float] | None = None


def text(name: str) -> str:
    """Return what a command has printed."""
    return (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


def ratios(name: str) -> list[Bar]:
    """Return the workloads of `reuse` or `core`, with the ratio of CPU or wall time.

    It is the first of a line that is followed by its range in brackets: that of CPU
    time where one process works, else that of wall time.
    """
    lines = re.findall(r"^(\w+) .*?([\d.]+) \([\d.]+-[\d.]+\)", text(name), re.M)
    return [Bar(workload.replace("_", " "), float(ratio)) for workload, ratio in lines]


def regrets() -> dict[str, list[Bar]]:
    """Return the mean regret of each method, suite by suite."""
    found = {}
    for part in re.split(r"^(?=\w+: normalized)", text("quality"), flags=re.M)[1:]:
        suite, _, rest = part.partition(":")
        methods = rest.splitlines()[1].split()
        line = re.search(r"^mean regret(.*)$", rest, re.M)
        assert line is not None, suite
        means = re.findall(r"([\d.]+) \[([\d.]+) ([\d.]+)\]", line[1])
        found[SUITES[suite]] = [
            Bar(METHODS[method], float(mean), (float(low), float(high)))
            for method, (mean, low, high) in zip(methods, means, strict=True)
        ]
    return found


def figures() -> dict[str, float]:
    """Return what is compared from release to release, by name."""
    reuse, core = ratios("reuse"), ratios("core")
    mean = re.search(r"geometric mean ([\d.]+)", text("reuse"))
    loop = re.search(r"sequential: ([\d.]+)", text("pbt"))
    assert mean is not None
    assert loop is not None
    regret = {suite: bars[1].value for suite, bars in regrets().items()}
    return {
        "reuse, geometric mean": float(mean[1]),
        "reuse, lowest": min(bar.value for bar in reuse),
        "core, lowest": min(bar.value for bar in core),
        "population, of a loop": float(loop[1]),
        **{f"regret, {suite.lower()}": value for suite, value in regret.items()},
    }


def releases() -> list[dict[str, str]]:
    """Return the rows of the table, the oldest first."""
    if not RELEASES.exists():
        return []
    with RELEASES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def add(release: str) -> None:
    """Add a row, in the place of one of this name."""
    rows = [row for row in releases() if row["release"] != release]
    rows.append(
        {"release": release} | {name: f"{v:.2f}" for name, v in figures().items()}
    )
    names = list(dict.fromkeys(name for row in rows for name in row))
    with RELEASES.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    add(sys.argv[1])
    print(RELEASES.read_text(encoding="utf-8"), end="")
