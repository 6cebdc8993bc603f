"""Run a block: one split and a list of candidates, in one go, by one worker.

The split is sliced once for all of them, and one task carries many cheap fits. A
block stops early when its time slice is over, and says how far it came; the rest is
queued again. So an interrupted search has whole candidates to show, whatever the
fits cost, and the results do not depend on where a block was cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from traceback import format_exc
from typing import Any

from sklearn import config_context

from skhpo import _clock
from skhpo._trial import Evaluation
from skhpo.evaluation.fitting._spec import EvaluationSpec
from skhpo.evaluation.fitting._task import Block, BlockResult, Outcome, Task, Work
from skhpo.evaluation.fitting._verbose import print_end, print_start
from skhpo.evaluation.workers._context import WorkerContext
from skhpo.evaluation.workers._garbage import exempt_imports
from skhpo.evaluation.workers._orphans import end_with_parent
from skhpo.evaluation.workers._shipping import Package, dumps

__all__ = ["Keep", "run_block", "run_packed_block"]

Keep = Callable[[int, Sequence[tuple[Task, Evaluation, bytes | None]]], None]


def run_block(
    spec: EvaluationSpec,
    block: Block,
    config: dict[str, Any] | None = None,
    keep: Keep | None = None,
) -> BlockResult:
    """Do the tasks of a block until they or its time slice are over.

    Parameters
    ----------
    spec : EvaluationSpec
        What all evaluations share.
    block : Block
        What to do.
    config : dict, optional
        scikit-learn's configuration; that of the running thread by default.
    keep : callable, optional
        Takes each evaluation as soon as it is done; see `JournalMemory`.

    Returns
    -------
    BlockResult
        At least one evaluation, or fitted transformers if these were the task.
    """
    if config is not None:
        with config_context(**config):
            return run_block(spec, block, keep=keep)
    if block.tasks[0].prepares:
        prepared = spec.fitter.prepare(spec, block.split, block.tasks[0])
        return BlockResult((), n_fits=1, n_needed=0, prepared=prepared)
    start = _clock.now()
    work = spec.fitter.begin(spec, block.split, block.tasks)
    return _do_tasks(spec, block, work, start, keep)


def _do_tasks(
    spec: EvaluationSpec, block: Block, work: Work, start: float, keep: Keep | None
) -> BlockResult:
    """Take the outcomes of a block's tasks until these or its time slice are over."""
    outcomes = work.walk(block.tasks)  # each is worked out when it is taken
    done: list[Outcome] = []
    for task in block.tasks:
        if spec.verbose:
            print_start(spec.verbose, *_progress(spec, block, task), task.params)
        outcome = next(outcomes)
        if keep is not None:
            keep(block.split, [(task, outcome.evaluation, outcome.state)])
        if spec.verbose:
            progress = _progress(spec, block, task)
            print_end(spec.verbose, *progress, task.params, outcome.evaluation)
        done.append(outcome)
        shares = bool(outcome.n_shared)
        patience = block.time_slice.patience(outcome.overhead, shares=shares)
        over = _clock.now() - start > min(patience, block.limit)
        if outcome.stop or (outcome.divisible and over):
            break
    return BlockResult(
        tuple(outcome.evaluation for outcome in done),
        work.n_fits,
        work.n_needed,
        stop=done[-1].stop,
        states=tuple(outcome.state for outcome in done),
    )


def run_packed_block(
    block: Block, context: WorkerContext, *package: Any
) -> BlockResult:
    """Do a block in another process, as in the caller's thread."""
    end_with_parent()
    exempt_imports()
    with context.recreated():
        spec, registrations = Package.unpack(*package)
        registrations.adopt()
        result = run_block(spec, block)
        if result.prepared is None or isinstance(result.prepared, str):
            return result
        try:
            dumps(result.prepared)
        except Exception:  # transformers that cannot be sent have failed
            if spec.error_score == "raise":
                raise
            return replace(result, prepared=format_exc())
        return result


def _progress(
    spec: EvaluationSpec, block: Block, task: Task
) -> tuple[tuple[int, int], tuple[int, int | None]]:
    """Return the numbers of the split and of the candidate, of how many."""
    return (block.split + 1, len(spec.splits)), (task.heard + 1, spec.n_candidates)
