"""How LightGBM and XGBoost go on from a fit with fewer rounds; neither is imported.

Both take the old model in ``fit`` and start a generator of random numbers anew. So
where rows or columns are drawn, what goes on is another model, and is not done here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from skhpo.evaluation.paths._boosters import LIGHTGBM_EXTRAS, extras

__all__ = ["LIGHTGBM_GROWTH", "XGBOOST_GROWTH"]

_LIGHTGBM_SHARES = ("subsample", "colsample_bytree")
_XGBOOST_SHARES = (
    *("subsample", "colsample_bytree", "colsample_bylevel", "colsample_bynode"),
)


@dataclass(frozen=True)
class BoosterGrowth:
    """To go on by an argument of ``fit`` that takes the old model.

    Parameters
    ----------
    argument : str
        Its name.
    shares : tuple of str
        Parameters that draw rows or columns, unless they are 1.
    plain : mapping of str to collection
        Values of other parameters for which it is exact.
    extras : frozenset of str
        Options that are no arguments by name and change nothing.
    """

    argument: str
    shares: tuple[str, ...]
    plain: Mapping[str, tuple[Any, ...]]
    extras: frozenset[str]

    def applies(self, estimator: Any) -> bool:
        """Whether nothing is drawn, and the objective is one that was tested."""
        params = estimator.get_params()
        return (
            all(params.get(name) in (None, 1) for name in self.shares)
            and all(params.get(n) in values for n, values in self.plain.items())
            and extras(estimator) <= self.extras
        )

    def prepare(self, model: Any, count: int) -> None:
        """Have the next fit add what is missing."""
        before = model.get_params()["n_estimators"]
        model.set_params(n_estimators=count - before)
        # A pipeline passes no argument to its last step that nobody has given to it.
        model.fit = _Resumed(model, self.argument, count)


class _Resumed:
    """The method ``fit`` of a model, for one call: hands in the rounds so far."""

    def __init__(self, model: Any, argument: str, count: int) -> None:
        self._model = model
        self._argument = argument
        self._count = count

    def __call__(self, *args: Any, **params: Any) -> Any:
        """Fit the rounds that are missing."""
        model = self._model
        del model.fit
        old = model.get_booster() if hasattr(model, "get_booster") else model.booster_
        try:
            return model.fit(*args, **{self._argument: old}, **params)
        finally:
            model.set_params(n_estimators=self._count)


LIGHTGBM_GROWTH = BoosterGrowth(
    "init_model",
    _LIGHTGBM_SHARES,
    {
        "boosting_type": ("gbdt",),
        "objective": (None, "binary", "multiclass", "regression", "regression_l1"),
    },
    LIGHTGBM_EXTRAS,
)
XGBOOST_GROWTH = BoosterGrowth(
    "xgb_model",
    _XGBOOST_SHARES,
    {
        "booster": (None, "gbtree"),
        "objective": (None, "binary:logistic", "multi:softprob", "reg:squarederror"),
        "num_parallel_tree": (None, 1),
        "multi_strategy": (None, "one_output_per_tree"),
        "tree_method": (None, "hist", "exact"),
        "device": (None, "cpu"),
        "enable_categorical": (None, False),
        "callbacks": (None,),
    },
    frozenset(),
)
