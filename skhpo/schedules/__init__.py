"""Parameters that change while a model is trained: along a schedule, or by policy."""

from skhpo.schedules._policies import ReduceOnPlateau, TrainingState
from skhpo.schedules._scheduled import ScheduledEstimator

__all__ = ["ReduceOnPlateau", "ScheduledEstimator", "TrainingState"]
