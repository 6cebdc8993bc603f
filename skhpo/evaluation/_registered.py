"""What users registered that decides the scores of a candidate, for its journal."""

from __future__ import annotations

from typing import Any

from skhpo._registry import Registry
from skhpo._trial import Candidate
from skhpo.evaluation.fitting._spec import EvaluationSpec
from skhpo.evaluation.paths._registry import PATHS
from skhpo.evaluation.paths._stage_registry import STAGES
from skhpo.evaluation.training._registry import INCREMENTAL
from skhpo.space._curve import curve_in

__all__ = ["registered_code"]


def registered_code(spec: EvaluationSpec, candidate: Candidate) -> list[Any] | None:
    """Return what users registered for the classes in a candidate; None if nothing.

    It may be edited like a scorer, and steps may be values of a space. So it counts
    for each candidate, and only where it has a part in the scores.

    Parameters
    ----------
    spec : EvaluationSpec
        What is evaluated.
    candidate : Candidate
        What was asked for.

    Returns
    -------
    list or None
        Paths, stages if there is a curve, and ways to train if there is a resource.
    """
    trained = candidate.resource is not None
    registries: list[Registry[Any]] = [INCREMENTAL if trained else PATHS]
    if curve_in(candidate.params) is not None:
        registries.append(STAGES)
    if not any(registry.added for registry in registries):
        return None
    estimator = spec.prototype.make(candidate.params)
    parts = (estimator, *estimator.get_params().values())
    kinds = dict.fromkeys(map(type, parts))
    added = [
        entry
        for registry in registries
        for kind in kinds
        if (entry := registry.find_added(kind)) is not None
    ]
    return added or None
