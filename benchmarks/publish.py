"""Run a benchmark, and store what it printed for the page of the documentation.

    python benchmarks/publish.py NAME COMMAND ...

for example ``python benchmarks/publish.py core python benchmarks/core.py``. The first
lines of `benchmarks/published/NAME.txt` say when, what and where; the rest is what the
command printed, to the letter. A command that fails leaves the old file as it is.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

FOLDER = Path(__file__).parent / "published"
# Those that are installed are named: they decide the figures.
PACKAGES = (
    "scikit-learn", "numpy", "scipy", "joblib", "optuna", "ray", "scikit-optimize",
    "hyperopt",
)  # fmt: skip


def describe_machine() -> list[str]:
    """Return a line on the processors and one on the versions."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    for line in info.read_text().splitlines() if info.exists() else ():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    versions = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            continue
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return [
        f"{os.cpu_count()} processors ({model}), load before {load:.1f}",
        ", ".join(versions),
    ]


def main() -> None:
    """Run the command and write the file."""
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    name, *command = sys.argv[1:]
    head = [f"{datetime.now(UTC):%Y-%m-%d}  {' '.join(command)}", *describe_machine()]
    threads = {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    run = [sys.executable, *command[1:]] if command[0] == "python" else command
    process = subprocess.Popen(
        run, stdout=subprocess.PIPE, text=True, env=threads | dict(os.environ)
    )
    assert process.stdout is not None
    printed = []
    for line in process.stdout:
        print(line, end="", flush=True)
        printed.append(line.rstrip())
    if process.wait() != 0:
        sys.exit(f"It failed; {name}.txt is as it was.")
    text = "\n".join([*head, *printed]).rstrip() + "\n"
    (FOLDER / f"{name}.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
