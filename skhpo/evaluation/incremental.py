"""Teach skhpo to train another class of estimators a bit more.

A trainer adds steps to a model; `register_incremental` tells for which class. The
trainers here serve most classes, a function of one's own serves the others.
"""

from skhpo._public import publish as _publish
from skhpo.evaluation.training._registry import register_incremental
from skhpo.evaluation.training._trainers import (
    BoosterFit,
    PartialFit,
    Training,
    WarmStart,
)

__all__ = [
    "BoosterFit",
    "PartialFit",
    "Training",
    "WarmStart",
    "register_incremental",
]

_publish(__name__)
