"""Run a block: one split and a list of candidates, in one go, by one worker.

The split is sliced once for all of them, and one task carries many cheap fits. A
block stops early when its time slice is over, and says how far it came; the rest is
queued again. So an interrupted search has whole candidates to show, whatever the
fits cost, and the results do not depend on where a block was cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sklearn import config_context

from skhpo import _clock
from skhpo._sklearn_compat import FitHooks
from skhpo._trial import Evaluation, Params
from skhpo.evaluation.fitting._fit import evaluate
from skhpo.evaluation.fitting._layout import Layout
from skhpo.evaluation.fitting._spec import EvaluationSpec, SlicedSplit
from skhpo.evaluation.fitting._task import Block, BlockResult, Task
from skhpo.evaluation.fitting._tree import Tree
from skhpo.evaluation.fitting._verbose import print_end, print_start
from skhpo.evaluation.workers._context import WorkerContext
from skhpo.evaluation.workers._orphans import end_with_parent
from skhpo.evaluation.workers._shipping import unpack

__all__ = ["run_block", "run_packed_block"]

Keep = Callable[[int, Sequence[tuple[Params, Evaluation]]], None]


def run_block(
    spec: EvaluationSpec,
    block: Block,
    config: dict[str, Any] | None = None,
    keep: Keep | None = None,
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
    keep : callable, optional
        Takes each evaluation as soon as it is done; see `Memory`.

    Returns
    -------
    BlockResult
        At least one evaluation.
    """
    if config is not None:
        with config_context(**config):
            return run_block(spec, block, keep=keep)
    if spec.layout is None or not block.tasks[0].steps:
        return _run_separately(spec, block, keep)
    return _run_tree(spec, block, spec.layout, keep)


def _run_separately(
    spec: EvaluationSpec, block: Block, keep: Keep | None
) -> BlockResult:
    """Evaluate candidates that have nothing but the data in common."""
    start = _clock.now()
    split = SlicedSplit(spec, block.split, lending=len(block.tasks) > 1)
    evaluations = []
    for task in block.tasks:
        _announce(spec, block, task)
        hooks = FitHooks(task.context, spec.caller)
        evaluation, stop = evaluate(spec, split, task.params, hooks)
        _report(spec, block, task, evaluation, keep)
        evaluations.append(evaluation)
        patience = min(block.time_slice.patience(split.slice_time), block.limit)
        if stop or _clock.now() - start > patience:
            break
    n_fits = len(evaluations) * (len(spec.layout.names) if spec.layout else 1)
    return BlockResult(tuple(evaluations), stop, n_fits, n_fits)


def _run_tree(
    spec: EvaluationSpec, block: Block, layout: Layout, keep: Keep | None
) -> BlockResult:
    """Evaluate candidates along with what they share."""
    start = _clock.now()
    tree = Tree(spec, layout, block.split, lending=len(block.tasks) > 1)
    evaluations = []
    outcomes = tree.walk(block.tasks)
    for task in block.tasks:
        _announce(spec, block, task)
        outcome = next(outcomes)
        _report(spec, block, task, outcome.evaluation, keep)
        evaluations.append(outcome.evaluation)
        shares = bool(outcome.n_shared)
        patience = block.time_slice.patience(outcome.overhead, shares=shares)
        over = _clock.now() - start > min(patience, block.limit)
        if outcome.divisible and over:
            break
    return BlockResult(tuple(evaluations), False, tree.n_fits, tree.n_needed)


def run_packed_block(
    block: Block, context: WorkerContext, *package: Any
) -> BlockResult:
    """Evaluate a block in another process, as in the caller's thread."""
    end_with_parent()
    with context.recreated():
        spec, registrations = unpack(*package)
        registrations.adopt()
        return run_block(spec, block)


def _announce(spec: EvaluationSpec, block: Block, task: Task) -> None:
    print_start(spec.verbose, *_progress(spec, block, task), task.params)


def _report(
    spec: EvaluationSpec,
    block: Block,
    task: Task,
    evaluation: Evaluation,
    keep: Keep | None,
) -> None:
    if keep is not None:
        keep(block.split, [(task.params, evaluation)])
    print_end(spec.verbose, *_progress(spec, block, task), task.params, evaluation)


def _progress(
    spec: EvaluationSpec, block: Block, task: Task
) -> tuple[tuple[int, int], tuple[int, int | None]]:
    """Return the numbers of the split and of the candidate, of how many."""
    return (block.split + 1, len(spec.splits)), (task.number + 1, spec.n_candidates)
