"""A block: one split and a list of candidates, evaluated in one go by one worker.

The split is sliced once for all of them, and one task carries many cheap fits. A
block stops early when its time slice is over, and says how far it came; the rest is
queued again. So an interrupted search has whole candidates to show, whatever the
fits cost, and the results do not depend on where a block was cut.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sklearn import config_context, get_config

from skhpo._sklearn_compat import FitHooks
from skhpo._trial import Evaluation, Params
from skhpo.evaluation._fit import evaluate
from skhpo.evaluation._shipping import unpack
from skhpo.evaluation._spec import EvaluationSpec, SlicedSplit
from skhpo.evaluation._verbose import print_end, print_start

__all__ = ["Block", "BlockResult", "Surroundings", "run_block", "run_packed_block"]


@dataclass(frozen=True)
class Task:
    """One candidate in a block: its number in the search, parameters, callbacks."""

    number: int
    params: Params
    context: Any = None


@dataclass(frozen=True)
class Block:
    """A split and the candidates to evaluate on it, in the order of the plan.

    Parameters
    ----------
    split : int
        Number of the split.
    tasks : tuple of Task
        The candidates, at least one.
    time_slice : float
        Seconds after which no further candidate is begun.
    """

    split: int
    tasks: tuple[Task, ...]
    time_slice: float


@dataclass(frozen=True)
class BlockResult:
    """The evaluations of the first tasks of a block, and whether to stop the search."""

    evaluations: tuple[Evaluation, ...]
    stop: bool = False


@dataclass(frozen=True)
class Surroundings:
    """What a fit finds around it in the caller's thread, to be had in a worker too.

    Parameters
    ----------
    config : dict
        scikit-learn's configuration, which is local to a thread.
    warning_filters : tuple
        Python's warning filters, which are local to a process.
    """

    config: dict[str, Any]
    warning_filters: tuple[Any, ...]

    @classmethod
    def capture(cls) -> Surroundings:
        """Note what the calling thread has."""
        # Python 3.14 can keep the filters per context, behind a function.
        get_filters = getattr(warnings, "_get_filters", lambda: warnings.filters)
        return cls(get_config(), tuple(get_filters()))


def run_block(
    spec: EvaluationSpec, block: Block, config: dict[str, Any] | None = None
) -> BlockResult:
    """Evaluate the candidates of a block until they or its time slice are over.

    Parameters
    ----------
    spec : EvaluationSpec
        What all evaluations share.
    block : Block
        What to do.
    config : dict, optional
        scikit-learn's configuration; that of the running thread by default.

    Returns
    -------
    BlockResult
        At least one evaluation.
    """
    if config is not None:
        with config_context(**config):
            return run_block(spec, block)
    start = time.perf_counter()
    evaluations, stop = [], False
    for evaluation, stop in _walk(spec, block):
        evaluations.append(evaluation)
        if stop or time.perf_counter() - start > block.time_slice:
            break
    return BlockResult(tuple(evaluations), stop)


def run_packed_block(
    block: Block, surroundings: Surroundings, *package: Any
) -> BlockResult:
    """Evaluate a block in another process, in the caller's surroundings."""
    with warnings.catch_warnings():
        _set_warning_filters(surroundings.warning_filters)
        return run_block(unpack(*package), block, surroundings.config)


def _set_warning_filters(filters: tuple[Any, ...]) -> None:
    warnings.resetwarnings()
    for action, message, category, module, line in filters:
        # Both patterns are compiled in the filters, and taken as text by the verb.
        message, module = (getattr(part, "pattern", part) for part in (message, module))
        warnings.filterwarnings(
            action, message or "", category, module or "", line, append=True
        )


def _walk(spec: EvaluationSpec, block: Block) -> Iterator[tuple[Evaluation, bool]]:
    split = SlicedSplit(spec, block.split)
    split_progress = (block.split + 1, len(spec.splits))
    for task in block.tasks:
        candidate = (task.number + 1, spec.n_candidates)
        print_start(spec.verbose, split_progress, candidate, task.params)
        hooks = FitHooks(task.context, spec.caller)
        evaluation, stop = evaluate(spec, split, task.params, hooks)
        print_end(spec.verbose, split_progress, candidate, task.params, evaluation)
        yield evaluation, stop
