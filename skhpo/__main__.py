"""Tune a pipeline on real data and show what it was worth: ``python -m skhpo``."""

from __future__ import annotations

from time import perf_counter

from scipy.stats import loguniform
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from skhpo import RandomSearch


def main() -> None:
    """Search, then compare the default and the tuned model on rows kept aside."""
    X, y = load_diabetes(return_X_y=True)
    X_search, X_unseen, y_search, y_unseen = train_test_split(
        X, y, test_size=0.4, random_state=0
    )
    pipeline = Pipeline([("scale", StandardScaler()), ("svr", SVR())])
    space = {
        "svr__C": loguniform(1e-1, 1e4),
        "svr__gamma": loguniform(1e-5, 1e0),
        "svr__epsilon": loguniform(1e0, 1e2),
        "svr__kernel": ["rbf", "sigmoid"],
    }

    start = perf_counter()
    search = RandomSearch(pipeline, space, n_iter=60, random_state=0)
    search.fit(X_search, y_search)
    seconds = perf_counter() - start
    default = pipeline.fit(X_search, y_search)

    print(f"Diabetes: progression of the disease from {X.shape[1]} measurements")
    print(f"R2 on {len(y_unseen)} patients that the search never saw:")
    print(f"  default  {default.score(X_unseen, y_unseen):.3f}")
    print(f"  tuned    {search.score(X_unseen, y_unseen):.3f}")
    print("Best parameters:")
    for name, value in sorted(search.best_params_.items()):
        shown = value if isinstance(value, str) else f"{value:.3g}"
        print(f"  {name:<12} {shown}")
    n_candidates = len(search.cv_results_["params"])
    print(
        f"Time: {seconds:.1f} s for {n_candidates} candidates "
        f"on {search.n_splits_} splits of {len(y_search)} patients"
    )


if __name__ == "__main__":
    main()
