"""A part of a curve, which is trained by going on from the model of the part before.

It stands in the params of a task, in the place of the whole curve. So whatever makes an
estimator of these params makes one that goes on, and nothing else has to know.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from skhpo._trial import Params
from skhpo.evaluation.paths._stage_registry import find_stages
from skhpo.evaluation.workers._shipping import dumps
from skhpo.space._curve import Curve

__all__ = ["Chunk", "can_grow", "chunk_in", "final_step"]


def final_step(estimator: Any) -> tuple[str, Any]:
    """Return the last step of a pipeline, at any depth, and the prefix of its names."""
    prefix = ""
    while hasattr(estimator, "steps"):
        name, estimator = estimator.steps[-1]
        prefix += f"{name}__"
    return prefix, estimator


@dataclass(frozen=True, kw_only=True, repr=False)
class Chunk(Curve):
    """The numbers of a curve above `first`, up to `high`, to which the fit goes.

    Parameters
    ----------
    whole : Curve
        Of which it is a part.
    first : int
        The number that the chunk before went to; 0 if this is the first one.
    state : bytes or None
        The pickled last step, fitted so far; None to fit all over again.
    """

    whole: Curve
    first: int
    state: bytes | None
    _made: list[Any] = field(default_factory=list, compare=False, repr=False)

    def put_into(self, estimator: Any) -> Any:
        """Return an unfitted estimator, or one whose last step goes on."""
        _, model = final_step(estimator)
        if self.state is not None:
            model = pickle.loads(self.state)
            stages = find_stages(model)
            assert stages is not None, "it was asked whether it can go on"
            assert stages.growth is not None, "it was asked whether it can go on"
            stages.growth.prepare(model, self.high)
            estimator = _with_final_step(estimator, model)
        self._made[:] = [model]
        return estimator

    def state_behind(self) -> bytes | None:
        """Return the last step that was made of it, now fitted; None if it is lost."""
        try:
            return dumps(self._made[0])
        except Exception:  # what cannot be pickled is fitted all over again
            return None


def _with_final_step(estimator: Any, model: Any) -> Any:
    if not hasattr(estimator, "steps"):
        return model
    name, last = estimator.steps[-1]
    estimator.steps[-1] = name, _with_final_step(last, model)
    return estimator


def chunk_in(params: Mapping[str, Any]) -> Chunk | None:
    """Return the chunk among the values of parameters, if there is one."""
    return next((v for v in params.values() if isinstance(v, Chunk)), None)


def can_grow(estimator: Any, params: Params) -> bool:
    """Whether a fit with more iterations can go on from one with fewer, exactly.

    Parameters
    ----------
    estimator : estimator
        With `params` set; all of its code is known.
    params : mapping of str to object
        Those of the candidate.

    Returns
    -------
    bool
        Not if a transformer before it would give other rows the next time.
    """
    prefix, final = final_step(estimator)
    stages = find_stages(final)
    if stages is None or stages.growth is None or not stages.growth.applies(final):
        return False
    seeds = {
        name: value
        for name, value in estimator.get_params().items()
        if name.endswith("random_state") and not (prefix and name.startswith(prefix))
    }
    return not prefix or all(isinstance(seed, int) for seed in seeds.values())
