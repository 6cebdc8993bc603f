"""The stages of one fit, as a scorer sees them: an estimator each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin

from skhpo._sklearn_compat import asks_for_score, num_samples, sees_predictions_only
from skhpo._trial import Evaluation, ManyScores, Params, Scores, StageScores
from skhpo.evaluation.fitting._chunk import Chunk, final_step
from skhpo.evaluation.fitting._layout import is_pipeline
from skhpo.evaluation.fitting._spec import EvaluationSpec
from skhpo.evaluation.paths._stage_registry import find_stages
from skhpo.space._curve import Curve, curve_in

__all__ = [
    "Plan",
    "counts_to_score",
    "final_step",
    "make_plan",
    "n_fits_of",
    "stage_views",
    "views_suffice",
]

# Up to so many rows times stages, all stages are scored; else `N_SPREAD` of them, less
# those that are too close to be told apart.
MAX_OUTPUTS = 5_000_000
N_SPREAD = 200
# Fits, for a scorer that has to see the estimator itself.
N_FITS = 25
METHODS = ("predict", "predict_proba", "decision_function")


@dataclass(frozen=True)
class Plan:
    """Which stages of a candidate are scored, and how.

    Parameters
    ----------
    name : str
        The parameter that is the number of iterations.
    counts : tuple of int
        The numbers, ascending.
    fits_each : bool
        Whether each of them is a fit, and not a stage of one.
    """

    name: str
    counts: tuple[int, ...]
    fits_each: bool

    def join(
        self,
        evaluation: Evaluation,
        test: Sequence[Scores],
        train: Sequence[Scores] | None,
        errors: Sequence[str | None],
    ) -> Evaluation:
        """Return the evaluation with its curve: scores and errors of each stage."""
        noted = zip(self.counts, errors, strict=True)
        curve = StageScores(
            self.name,
            self.counts,
            _by_metric(test),
            None if train is None else _by_metric(train),
            {count: error for count, error in noted if error is not None},
        )
        return replace(evaluation, curve=curve).at_stage(self.counts[-1])


def _by_metric(scores: Sequence[Scores]) -> ManyScores:
    """Return scores by metric; a failure that has one number has it for each."""
    names = next((list(one) for one in scores if isinstance(one, dict)), None)
    if names is None:
        return tuple(scores)  # type: ignore[arg-type]
    rows = [
        one if isinstance(one, dict) else dict.fromkeys(names, one) for one in scores
    ]
    return {name: tuple(row[name] for row in rows) for name in names}


def make_plan(spec: EvaluationSpec, estimator: Any, params: Params) -> Plan | None:
    """Return how a candidate is scored that leaves its number of iterations open.

    Parameters
    ----------
    spec : EvaluationSpec
        What all evaluations share.
    estimator : estimator
        The candidate's, or its last step; fitted or not.
    params : mapping of str to object
        Its parameters.

    Returns
    -------
    Plan or None
        None if no parameter is a curve.

    Raises
    ------
    ValueError
        If the stages of the estimator are no fits with fewer iterations.
    """
    found = curve_in(params)
    if found is None:
        return None
    name, curve = found
    _, final = final_step(estimator)
    stages = find_stages(final)
    parameter = name.rpartition("__")[2]
    if stages is None or parameter not in stages.parameters:
        raise ValueError(f"{type(final).__name__} has no stages along {parameter!r}.")
    is_resumed = isinstance(curve, Chunk) and curve.state is not None
    reason = None if is_resumed else stages.refuses(final, num_samples(spec.X))
    if reason is not None:
        raise ValueError(f"Parameter {name!r} cannot be a Curve here. {reason}")
    fits_each = not views_suffice(spec.scorer, estimator)
    counts = counts_to_score(curve, spec.n_test_rows, N_FITS if fits_each else None)
    return Plan(name, counts, fits_each)


def n_fits_of(spec: EvaluationSpec, params: Params) -> int:
    """Return how often a candidate is fitted on one split: once, if stages will do."""
    found = curve_in(params)
    if found is None:
        return 1
    name, curve = found
    if isinstance(curve, Chunk):  # which must not make another estimator after its fit
        params = {**params, name: curve.whole}
    plan = make_plan(spec, spec.prototype.make(params), params)
    return len(plan.counts) if plan is not None and plan.fits_each else 1


def counts_to_score(
    curve: Curve, n_rows: int, n_fits: int | None = None
) -> tuple[int, ...]:
    """Return the numbers of iterations to score; depends on sizes only.

    Parameters
    ----------
    curve : Curve
        Those that are asked for.
    n_rows : int
        Rows that are scored.
    n_fits : int or None, default=None
        How many there may be at the most, whatever the rows.

    Returns
    -------
    tuple of int
        All of them, or some in geometric progression, with both ends.

    Examples
    --------
    >>> counts_to_score(Curve(1000), 100, n_fits=4)
    (1, 10, 100, 1000)
    >>> [len(counts_to_score(Curve(1000), n_rows)) for n_rows in (5_000, 6_000)]
    [1000, 131]
    """
    if isinstance(curve, Chunk):
        scored = counts_to_score(curve.whole, n_rows, n_fits)
        return tuple(n for n in scored if curve.first < n <= curve.high)
    counts = curve.counts
    if n_fits is None:
        n_fits = len(counts) if n_rows * len(counts) <= MAX_OUTPUTS else N_SPREAD
    if len(counts) <= n_fits:
        return tuple(counts)
    wanted = np.geomspace(counts[0], counts[-1], n_fits)
    places = np.searchsorted(counts, np.round(wanted), side="left")
    return tuple(counts[i] for i in np.unique(np.minimum(places, len(counts) - 1)))


def views_suffice(scorer: Any, estimator: Any) -> bool:
    """Whether a scorer sees outputs of `METHODS` only, and a pipeline adds nothing."""
    final = estimator
    while hasattr(final, "steps"):
        if not is_pipeline(final):
            return False
        final = final.steps[-1][1]
    if not sees_predictions_only(scorer):
        return False
    own = (ClassifierMixin.score, RegressorMixin.score)
    return not asks_for_score(scorer) or getattr(type(final), "score", None) in own


def stage_views(estimator: Any, X: Any, counts: Sequence[int]) -> Iterator[StageView]:
    """Yield an estimator for each stage of a fitted one, to be used in this order.

    Parameters
    ----------
    estimator : estimator
        Fitted; a pipeline transforms `X` once.
    X : array-like
        What it is asked for, and nothing else.
    counts : sequence of int
        The stages.

    Yields
    ------
    StageView
        The same one, each time another stage further.
    """
    _, final = final_step(estimator)
    stages = find_stages(final)
    assert stages is not None, "the plan has said so"
    rows = _transformed(estimator, X)

    def outputs(method: str) -> Iterator[Any]:
        return stages.outputs(final, rows, method, counts)

    view = StageView(final, X, outputs)
    for _ in counts:
        view.advance()
        yield view


def _transformed(estimator: Any, X: Any) -> Any:
    """Return what the last step of a pipeline gets; samplers leave data alone."""
    while hasattr(estimator, "steps"):
        *steps, (_, last) = estimator.steps
        for _, step in steps:
            if hasattr(step, "transform"):
                X = step.transform(X)
        estimator = last
    return X


class StageView:
    """A stand-in for an estimator with fewer iterations, which has its outputs only.

    Parameters
    ----------
    fitted : estimator
        With all iterations.
    X : array-like
        What outputs are known for.
    outputs : callable
        ``outputs(method)`` yields the outputs of all stages.
    """

    def __init__(
        self, fitted: Any, X: Any, outputs: Callable[[str], Iterator[Any]]
    ) -> None:
        self._fitted = fitted
        self._X = X
        self._outputs = outputs
        self._stage = 0
        self._running: dict[str, Iterator[Any]] = {}
        self._last: dict[str, tuple[int, Any]] = {}

    def advance(self) -> None:
        """Go on to the next stage, or to the first one."""
        self._stage += 1

    def __getattr__(self, name: str) -> Any:
        """Return what is the same at all stages, such as the classes."""
        if name.startswith("__") and name != "__sklearn_tags__":  # of copies, say
            raise AttributeError(name)
        found = getattr(self._fitted, name)
        if name not in METHODS:
            return found

        def output(X: Any) -> Any:
            return self._output(name, X)

        output.__name__ = name  # which scorers ask for
        return output

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the score of the class, which asks for nothing but a prediction."""
        return type(self._fitted).score(self, X, y, sample_weight=sample_weight)

    def _output(self, method: str, X: Any) -> Any:
        if X is not self._X:
            raise ValueError("A stage of a fit is known for the given rows only.")
        running = self._running.setdefault(method, self._outputs(method))
        n_done, output = self._last.get(method, (0, None))
        for _ in range(n_done, self._stage):
            output = next(running)
        self._last[method] = self._stage, output
        return output
