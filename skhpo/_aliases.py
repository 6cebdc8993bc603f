"""Names that LightGBM has for the number of rounds, besides n_estimators.

They win over it where both are given (LightGBM, "Parameters", num_iterations).
"""

from __future__ import annotations

__all__ = ["LIGHTGBM_ROUNDS"]

LIGHTGBM_ROUNDS = (
    *("num_iterations", "num_iteration", "n_iter", "max_iter", "nrounds"),
    *("num_tree", "num_trees", "num_round", "num_rounds", "num_boost_round"),
)
