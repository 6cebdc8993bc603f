"""Does `compare_searches` name a winner where there is one, and only there?

    python -m benchmarks.comparing
    python -m benchmarks.comparing --quick

Each comparison is of other rows, drawn from the digits of scikit-learn. *equal*: twice
random search with the same budget over the same space, whose draws differ; whoever is
named has won by luck. *half*: a support vector machine over a wide space, once with
half of eight candidates; *half_of_few*: of two. Printed is how often which was named.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

from benchmarks._measure import print_table, versions  # first: it sets the threads

# isort: split
from scipy.stats import loguniform, randint, uniform
from sklearn.datasets import load_digits
from sklearn.model_selection import (
    RandomizedSearchCV,
    StratifiedKFold,
    StratifiedShuffleSplit,
    train_test_split,
)
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skhpo import Comparison, RandomSearch, compare_searches
from skhpo.space import Integer, Real

DIGITS = load_digits(return_X_y=True)
TREE = DecisionTreeClassifier(random_state=0)
DRAWN = {"max_depth": randint(1, 16), "max_features": uniform(0.05, 0.95)}
RANGES = {"max_depth": Integer(1, 15), "max_features": Real(0.05, 1.0)}
WIDE = {"C": loguniform(1e-3, 1e3), "gamma": loguniform(1e-7, 1e1)}


def rows(n: int, seed: int) -> tuple[Any, Any]:
    """Draw some of the digits."""
    X, y = DIGITS
    drawn = train_test_split(X, y, train_size=n, stratify=y, random_state=seed)
    return drawn[0], drawn[2]


def equal(seed: int) -> Comparison:
    """Compare two searches that differ in their draws only."""
    X, y = rows(150, seed)
    searches = {
        "scikit-learn": RandomizedSearchCV(TREE, DRAWN, n_iter=6, cv=3),
        "skhpo": RandomSearch(TREE, RANGES, n_iter=6, cv=3),
    }
    cv = StratifiedKFold(5, shuffle=True, random_state=seed)
    return compare_searches(searches, X, y, cv=cv, n_seeds=1, random_state=seed)


def half(seed: int, n: int = 8, n_seeds: int = 8) -> Comparison:
    """Compare a search over `n` candidates with another that has half of them."""
    X, y = rows(120, seed)
    searches = {
        "half": RandomSearch(SVC(), WIDE, n_iter=n // 2, cv=3),
        "whole": RandomSearch(SVC(), WIDE, n_iter=n, cv=3),
    }
    cv = StratifiedShuffleSplit(8, test_size=0.25, random_state=seed)
    return compare_searches(searches, X, y, cv=cv, n_seeds=n_seeds, random_state=seed)


def half_of_few(seed: int) -> Comparison:
    """Compare two candidates with one, where half is much less."""
    return half(seed, n=2, n_seeds=20)


def measure(
    compare: Callable[[int], Comparison], seeds: range
) -> tuple[list[Any], float]:
    """Return what was named how often, the mean difference, and CPU seconds of one."""
    start = time.process_time()
    named: Counter[str] = Counter()
    difference = 0.0
    for seed in seeds:
        found = compare(seed)
        named[str(found.winner)] += 1
        difference += found.pairs[0].difference / len(seeds)
        print(f"{compare.__name__} {seed}: {found.sentence}", flush=True)
    seconds = (time.process_time() - start) / len(seeds)
    first, second = found.searches
    counts = [named[name] for name in (first, second, "None")]
    return [len(seeds), first, second, *counts, f"{difference:+.4f}"], seconds


def main() -> None:
    """Compare, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--equal", type=int, default=200, help="comparisons of equals")
    parser.add_argument("--half", type=int, default=20, help="comparisons with a half")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--quick", action="store_true", help="10 and 2 of them")
    args = parser.parse_args()
    n_equal, n_half = (10, 2) if args.quick else (args.equal, args.half)
    warnings.simplefilter("ignore")
    print(versions())
    header = ["case", "n", "A", "B", "A named", "B named", "none", "A - B", "CPU s"]
    table = []
    for compare, n in ((equal, n_equal), (half, n_half), (half_of_few, n_half)):
        if n:
            row, seconds = measure(compare, range(args.first, args.first + n))
            table.append([compare.__name__, *row, f"{seconds:.1f}"])
    print_table(header, table)


if __name__ == "__main__":
    main()
