"""CPU time of one ask + tell, after n observations in ten dimensions.

    python -m benchmarks.ask_cost --methods skhpo optuna-tpe optuna-gp

Observations are told without asking where a peer allows it (skhpo), otherwise they are
asked for; then `--repeats` steps of ask and tell are timed, and their mean is printed.
As many steps more are traced: what they leave behind is the growth of memory. An
observation itself takes about 1 kB.
"""

from __future__ import annotations

import argparse
import gc
import time
import tracemalloc
from typing import Any

import numpy as np

from benchmarks.peers import PEERS, Skhpo
from skhpo._trial import Candidate, Trial
from skhpo.space import Real, SearchSpace

# What a model holds is replaced whenever it is fitted; what was allocated before the
# tracing is not seen to go. Not every step fits one: some candidates are random.
SETTLING = 8
SPACE = {f"x{i}": Real(0, 1) for i in range(10)}


def score(params: dict[str, Any]) -> float:
    """Return a smooth function of ten variables with interactions."""
    x = np.array(list(params.values()))
    return -float(((x - 0.4) ** 2).sum() + 0.3 * np.sin(6 * x[:-1] * x[1:]).sum())


def fill(peer: Any, n: int) -> None:
    """Tell `n` observations: by hand if possible, else by asking."""
    if not isinstance(peer, Skhpo):
        for _ in range(n):
            params = peer.ask()
            peer.tell(params, (score(params),))
        return
    space, rng = SearchSpace(SPACE), np.random.default_rng(0)
    for i, x in enumerate(rng.random((n, 10))):
        params = space.decode(x)
        candidate = Candidate(-1 - i, params)
        peer.optimizer.tell([Trial.from_scores(candidate, (score(params),))])


def step(peer: Any) -> None:
    """Ask and tell once."""
    params = peer.ask()
    peer.tell(params, (score(params),))


def cost(method: str, n: int, repeats: int) -> tuple[float, float]:
    """Return milliseconds and kilobytes that are left behind, per step."""
    peer = PEERS[method](SPACE, 0, n + 2 * repeats + SETTLING, ())
    fill(peer, n)
    start = time.process_time()
    for _ in range(repeats):
        step(peer)
    seconds = time.process_time() - start
    tracemalloc.start()
    for _ in range(SETTLING):
        step(peer)
    before = traced()
    for _ in range(repeats):
        step(peer)
    growth = traced() - before
    tracemalloc.stop()
    return 1e3 * seconds / repeats, growth / 1024 / repeats


def traced() -> int:
    """Return the number of bytes that are in use."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def main() -> None:
    """Print one row per method."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--methods", nargs="+", default=["skhpo", "optuna-tpe"])
    parser.add_argument("--n", nargs="+", type=int, default=[100, 300, 1000])
    parser.add_argument("--repeats", type=int, default=20)
    args = parser.parse_args()
    print("ms of CPU per ask + tell (growth of memory in kB), d = 10")
    print(" " * 16 + "".join(f"{f'n = {n}':>18}" for n in args.n))
    for method in args.methods:
        cells = []
        for n in args.n:
            milliseconds, growth = cost(method, n, args.repeats)
            cells.append(f"{f'{milliseconds:.1f} ({growth:.0f})':>18}")
        print(f"{method:16}{''.join(cells)}", flush=True)


if __name__ == "__main__":
    main()
