"""The steps of an estimator, and which of them a candidate shares with another.

A pipeline is a list of steps, a nested pipeline is flattened into it, and any other
estimator is a single step. Two candidates share a step if no parameter that is
searched tells them apart there, nor in any step before.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from skhpo._keys import params_key
from skhpo._sklearn_compat import sees_predictions_only
from skhpo._trial import Params
from skhpo.evaluation.fitting._known import are_known, is_known
from skhpo.evaluation.fitting._prototype import Prototype
from skhpo.evaluation.fitting._spec import EvaluationSpec
from skhpo.evaluation.paths._path import Path
from skhpo.evaluation.paths._registry import find_path
from skhpo.space._curve import Curve

__all__ = ["KeyMaker", "Layout", "StepKey", "find_layout", "is_pipeline"]


@dataclass(frozen=True, slots=True)
class StepKey:
    """What a candidate does in one step, as numbers that are equal for equal things.

    Parameters
    ----------
    group : int
        Equal if at most the path parameter differs.
    variant : int
        Equal if nothing differs.
    value : object
        The value of the path parameter; None if there is none.
    """

    group: int
    variant: int
    value: Any = None


class Layout:
    """The steps of an estimator, by name and place.

    Parameters
    ----------
    estimator : estimator
        Unfitted.
    names : sequence of str
        The steps as ``set_params`` names them, such as ``"prep__scale"``; a single
        empty name for an estimator that is no pipeline.
    """

    def __init__(self, estimator: Any, names: Sequence[str]) -> None:
        self.names = tuple(names)
        params = estimator.get_params(deep=True)
        self._steps = [params[name] if name else estimator for name in self.names]
        self._prototypes = [Prototype(step) for step in self._steps]
        self._known: dict[int, bool] = {}

    def step(self, depth: int, params: Params) -> Any:
        """Return step number `depth` of a candidate: a new, unfitted estimator.

        None if the candidate passes the data through.
        """
        own = self._own_params(depth, params)
        step = own.pop("", self._steps[depth])
        if step is None or isinstance(step, str):  # "passthrough"
            return None
        is_own = step is self._steps[depth]
        prototype = self._prototypes[depth] if is_own else Prototype(step)
        return prototype.make(own)

    def is_known(self, depth: int, params: Params) -> bool:
        """Whether all code in step number `depth` of a candidate is known."""
        own = self._own_params(depth, params)
        if "" not in own and depth not in self._known:
            self._known[depth] = is_known(self._steps[depth])
        step_is_known = is_known(own.pop("")) if "" in own else self._known[depth]
        return step_is_known and are_known(own)

    def _own_params(self, depth: int, params: Params) -> dict[str, Any]:
        """Return the parameters of one step; that of the step itself under ""."""
        name = self.names[depth]
        if not name:
            return dict(params)
        prefix = name + "__"
        own = {
            k.removeprefix(prefix): v for k, v in params.items() if k.startswith(prefix)
        }
        if name in params:
            own[""] = params[name]
        return own

    def covers(self, param: str) -> bool:
        """Whether `param` belongs to one of the steps, so that others can't tell."""
        return any(
            not name or param == name or param.startswith(name + "__")
            for name in self.names
        )


class KeyMaker:
    """Numbers what candidates do in each step, in the order of first appearance.

    Numbers and not the keys themselves are sent to workers: keys may be as long as
    the values, and compare objects by identity, which no pickle preserves.

    Parameters
    ----------
    layout : Layout
        The steps.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._numbers: dict[Hashable, int] = {}
        self._paths: dict[type, Path | None] = {}

    def keys(self, params: Params) -> tuple[StepKey, ...]:
        """Return the keys of a candidate, one per step; none if it shares nothing."""
        if not all(map(self._layout.covers, params)):
            return ()
        depths = range(len(self._layout.names))
        return tuple(self._key(depth, params) for depth in depths)

    def _key(self, depth: int, params: Params) -> StepKey:
        own = self._layout._own_params(depth, params)
        path = self._path(depth, own)
        variant = self._number((depth, params_key(own)))
        if path is None or path.name not in own or isinstance(own[path.name], Curve):
            return StepKey(variant, variant)
        value = own.pop(path.name)
        return StepKey(
            self._number((depth, path.name, params_key(own))), variant, value
        )

    def _path(self, depth: int, own: Params) -> Path | None:
        step = own.get("", self._layout._steps[depth])
        if type(step) not in self._paths:
            self._paths[type(step)] = find_path(step)
        return self._paths[type(step)]

    def _number(self, key: Hashable) -> int:
        return self._numbers.setdefault(key, len(self._numbers))


def find_layout(spec: EvaluationSpec) -> Layout | None:
    """Return the steps that candidates may share; None if they must be left alone.

    That is so where whoever sees the whole pipeline could tell the difference: a
    scorer that is a callable of the user's, parameters of ``fit`` or of scoring,
    a pipeline of another class with behavior of its own, one that caches, prints or
    transforms other inputs on the way, and data that are sliced along both axes.
    """
    if spec.fit_params or spec.score_params or not sees_predictions_only(spec.scorer):
        return None
    if get_tags(spec.estimator).input_tags.pairwise:
        return None
    names = _step_names(spec.estimator, "")
    return None if names is None else Layout(spec.estimator, names)


def _step_names(estimator: Any, prefix: str) -> list[str] | None:
    if not hasattr(estimator, "steps"):
        return [prefix.removesuffix("__")]
    if not _is_plain_pipeline(estimator):
        return None
    names: list[str] = []
    for name, step in estimator.steps:
        inner = [prefix + name]
        if is_pipeline(step):
            flat = _step_names(step, f"{prefix}{name}__")
            inner = flat if flat is not None else inner
        names += inner
    return names


def is_pipeline(estimator: Any) -> bool:
    """Whether this is a pipeline as scikit-learn or imbalanced-learn has it."""
    kind = type(estimator)
    in_imblearn = kind.__module__ == "imblearn.pipeline" and kind.__name__ == "Pipeline"
    return kind is Pipeline or in_imblearn


def _is_plain_pipeline(estimator: Any) -> bool:
    return (
        is_pipeline(estimator)
        and estimator.memory is None
        and not estimator.verbose
        and getattr(estimator, "transform_input", None) is None
    )
