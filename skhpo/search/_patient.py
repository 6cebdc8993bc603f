"""Train candidates no further than the patience of their curves.

`PatientEvaluator` stands between the loop, or a race, and the evaluator. It is asked
for whole candidates and gives whole trials; the evaluator is asked for a bit more of
each, on all of its splits, as long as their mean may still rise. What comes of it is
the curve that is cut where patience ends. That is a function of scores, so it does not
depend on how far the fits went beyond.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from skhpo._trial import (
    Candidate,
    Evaluation,
    ManyScores,
    Params,
    StageScores,
    Trial,
)
from skhpo.evaluation import EvaluationSpec, Evaluator
from skhpo.evaluation._stage import at_best_stage, end_of_patience, mean_curve
from skhpo.evaluation.fitting._chunk import can_grow, final_step
from skhpo.evaluation.fitting._stages import make_plan
from skhpo.evaluation.paths._stage_registry import find_stages
from skhpo.search._check import assemblies
from skhpo.space._curve import Curve, curve_in

__all__ = ["PatientEvaluator", "chunk_ends", "have_growth", "have_patience"]

FIRST_CHUNK = 32
# What boosters are given in ``fit`` to begin with.
FIRST_SCORES = ("init_score", "base_margin")
# So many candidates are under way at a time, each with a model per split. Never
# derived from the number of workers.
WIDTH = 16
# Ids of requests that the evaluator gets, below those of candidates and of races.
FIRST_ID = -(2**62)


def have_patience(subspaces: Iterable[Mapping[str, Any]]) -> bool:
    """Whether there is a curve with patience in a space."""
    found = map(curve_in, subspaces)
    return any(each is not None and each[1].patience is not None for each in found)


def have_growth(
    estimator: Any,
    subspaces: Iterable[Mapping[str, Any]],
    fit_params: Iterable[str] = (),
) -> bool:
    """Whether such a curve is one of a class that can go on from a fit with fewer.

    Not where boosters are given the scores to begin with: the model to go on from would
    take their place.
    """
    if any(name.rpartition("__")[2] in FIRST_SCORES for name in fit_params):
        return False
    for subspace in subspaces:
        if have_patience([subspace]):
            for assembled in assemblies(estimator, subspace):
                stages = find_stages(final_step(assembled)[1])
                if stages is not None and stages.growth is not None:
                    return True
    return False


def chunk_ends(counts: Sequence[int], patience: int) -> tuple[int, ...]:
    """Return how far a fit goes before it is looked at: each time twice as far.

    Parameters
    ----------
    counts : sequence of int
        The numbers of iterations that are scored, ascending.
    patience : int
        Before it can end there is nothing to look at.

    Returns
    -------
    tuple of int
        Some of `counts`, the last one among them.

    Examples
    --------
    >>> chunk_ends(range(1, 1001), patience=10)
    (32, 64, 128, 256, 512, 1000)
    >>> chunk_ends([1, 101, 201, 300], patience=50)
    (101, 300)
    """
    ends = []
    wanted = max(FIRST_CHUNK, counts[0] + patience)
    while wanted < counts[-1]:
        ends.append(counts[bisect_left(counts, wanted)])
        wanted = 2 * ends[-1]
    return (*ends, counts[-1]) if counts[-1] not in ends else tuple(ends)


@dataclass(eq=False)
class Course:
    """How far a candidate has come on each split.

    Parameters
    ----------
    candidate : Candidate
        What was asked for, last.
    ends : tuple of int
        How far its fits go, chunk by chunk.
    row : int
        Where it is in ``cv_results_``: the id of what was asked for first.
    """

    candidate: Candidate
    ends: tuple[int, ...]
    row: int
    done: dict[int, list[Evaluation]] = field(default_factory=dict)  # by split
    last: dict[int, int] = field(default_factory=dict)  # request, by split
    reached: dict[int, int] = field(default_factory=dict)  # iterations, by split
    n_open: int = 0
    objective: str = "score"

    def take(self, trial: Trial, end: int) -> None:
        """Take note of one more chunk, on some of the splits."""
        self.n_open -= 1
        self.objective = trial.objective
        for split, evaluation in enumerate(trial.evaluations):
            if evaluation is not None:
                self.done.setdefault(split, []).append(evaluation)
                self.last[split] = trial.candidate.id
                self.reached[split] = end

    def going(self, splits: Sequence[int]) -> list[int]:
        """Return the splits on which no fit has failed."""
        return [s for s in splits if not self._has_failed(s)]

    def _has_failed(self, split: int) -> bool:
        return any(e.fit_error is not None for e in self.done.get(split, ()))

    def cut(self, splits: Sequence[int]) -> int | None:
        """Return where patience ends, as far as all of these splits have come."""
        found = curve_in(self.candidate.params)
        if found is None or found[1].patience is None:
            return None
        curves = [join_curves(self.done[split]) for split in splits]
        known = [each for each in curves if each is not None]
        if not known:
            return None
        n_common = min(len(curve.stages) for curve in known)
        common = [cut_curve(c, c.stages[n_common - 1]) for c in known]
        means = mean_curve(common, self.objective)
        return end_of_patience(common[0].stages, means, found[1].patience)

    def next_end(self, splits: Sequence[int]) -> tuple[int, list[int]] | None:
        """Return how far to go next, and on which splits; None if that is all."""
        going = self.going(splits)
        reached = [self.reached.get(split, 0) for split in going]
        if not going or (min(reached) > 0 and self.cut(going) is not None):
            return None
        behind, ahead = min(reached), max(reached)
        end = ahead
        if behind == ahead:
            end = next((end for end in self.ends if end > behind), behind)
        missing = [s for s in going if self.reached.get(s, 0) < end]
        return (end, missing) if missing else None

    def trial(self, splits: Sequence[int], n_splits: int) -> Trial:
        """Return what has come of the candidate."""
        going = self.going(splits)
        cut = self.cut(going) if going else None
        evaluations: list[Evaluation | None] = [None] * n_splits
        for split in splits:
            evaluations[split] = join(self.done[split], cut)
        return at_best_stage(Trial(self.candidate, evaluations, self.objective))


def join(chunks: Sequence[Evaluation], cut: int | None) -> Evaluation:
    """Return one evaluation of those of the chunks of a fit, up to some number.

    Parameters
    ----------
    chunks : sequence of Evaluation
        At least one, in their order.
    cut : int or None
        Where patience ends; None for all of them.

    Returns
    -------
    Evaluation
        With all the time that was spent. The failed one, if there is one.
    """
    whole = replace(
        chunks[-1],
        fit_time=math.fsum(chunk.fit_time for chunk in chunks),
        score_time=math.fsum(chunk.score_time for chunk in chunks),
    )
    curve = join_curves(chunks)
    if curve is None:
        return whole
    if cut is not None:
        curve = cut_curve(curve, cut)
    return replace(whole, curve=curve).at_stage(curve.stages[-1])


def join_curves(chunks: Sequence[Evaluation]) -> StageScores | None:
    """Return the curve of which these have the parts; None if one has none."""
    parts = [chunk.curve for chunk in chunks if chunk.curve is not None]
    if len(parts) < len(chunks):
        return None
    return StageScores(
        parts[0].name,
        tuple(itertools.chain.from_iterable(part.stages for part in parts)),
        _joined([part.test_scores for part in parts]),
        None
        if parts[0].train_scores is None
        else _joined([p.train_scores for p in parts if p.train_scores is not None]),
        {count: error for part in parts for count, error in part.errors.items()},
    )


def _joined(parts: Sequence[ManyScores]) -> ManyScores:
    names = next((list(part) for part in parts if isinstance(part, dict)), None)
    if names is None:
        return tuple(x for part in parts if not isinstance(part, dict) for x in part)
    columns: dict[str, Sequence[float]] = {}
    for name in names:  # where all stages of a part failed, it has one column for all
        rows = (part[name] if isinstance(part, dict) else part for part in parts)
        columns[name] = tuple(itertools.chain.from_iterable(rows))
    return columns


def cut_curve(curve: StageScores, last: int) -> StageScores:
    """Return a curve up to and with one of its numbers."""
    n = bisect_left(curve.stages, last) + 1
    train = curve.train_scores
    return StageScores(
        curve.name,
        curve.stages[:n],
        _first(curve.test_scores, n),
        None if train is None else _first(train, n),
        {count: error for count, error in curve.errors.items() if count <= last},
    )


def _first(scores: ManyScores, n: int) -> ManyScores:
    if isinstance(scores, dict):
        return {name: column[:n] for name, column in scores.items()}
    return scores[:n]


class PatientEvaluator:
    """Has candidates evaluated on all splits at once, chunk by chunk.

    Parameters
    ----------
    evaluator : Evaluator
        Who evaluates; entered.
    spec : EvaluationSpec
        What all evaluations share.
    in_chunks : bool
        Whether the evaluator can go on from the models of a trial. If not, all fits go
        to the end, and their curves are cut.
    """

    def __init__(
        self, evaluator: Evaluator, spec: EvaluationSpec, *, in_chunks: bool
    ) -> None:
        self._evaluator = evaluator
        self._spec = spec
        self._in_chunks = in_chunks
        self._width = WIDTH if in_chunks else math.inf
        self._courses: dict[int, Course] = {}  # by ids of candidates
        self._requests: dict[int, tuple[Course, int]] = {}  # and how far they go
        self._waiting: deque[Course] = deque()
        self._n_going = 0
        self._ended: list[Trial] = []
        self._numbers = itertools.count(FIRST_ID)

    @property
    def stopped(self) -> bool:
        """Whether a callback asked for the search to stop."""
        return self._evaluator.stopped

    @property
    def out_of_time(self) -> bool:
        """Whether no seconds were left."""
        return self._evaluator.out_of_time

    @property
    def n_fits(self) -> int:
        """Fits of steps that were done."""
        return self._evaluator.n_fits

    @property
    def n_needed(self) -> int:
        """Fits of steps that would have been done without sharing."""
        return self._evaluator.n_needed

    @property
    def n_steps(self) -> int:
        """How many fits an evaluation is, where nothing is shared."""
        return self._evaluator.n_steps

    @property
    def splits(self) -> Sequence[tuple[Any, Any]]:
        """The rows to train on and those to score on, by number of the split."""
        return self._evaluator.splits

    @property
    def turns(self) -> None:
        """There is no other order than that of the ids."""
        return None

    def running(self) -> list[tuple[float, int, list[Params]]]:
        """Return what the workers have been given; also to other threads."""
        return self._evaluator.running()

    def release(self, ids: Collection[int]) -> None:
        """Forget the models of candidates that get no further split."""
        for id in ids:
            course = self._courses.pop(id, None)
            if course is not None:
                self._evaluator.release(set(course.last.values()))

    def release_responses(self, id: int) -> None:
        """Do nothing: with patience, no responses are kept."""

    def add(self, candidates: Sequence[Candidate]) -> None:
        """Queue candidates, or more splits of those that are known."""
        for candidate in candidates:
            before = candidate.resume_from
            course = None if before is None else self._courses.pop(before, None)
            if course is None:
                course = Course(candidate, self._ends(candidate.params), candidate.id)
            course.candidate = candidate
            self._courses[candidate.id] = course
            self._waiting.append(course)
        self._go_on([])

    def wait(self) -> list[Trial]:
        """Wait until at least one candidate has ended; return all that have.

        Returns
        -------
        list of Trial
            Empty if there is nothing left to wait for, or no time.
        """
        while not self._ended:
            trials = self._evaluator.wait()
            if not trials:
                return []
            # Splits of one candidate that had come unequally far can arrive together.
            self._go_on(dict.fromkeys(self._take(trial) for trial in trials))
        ended, self._ended = self._ended, []
        return ended

    def _ends(self, params: Params) -> tuple[int, ...]:
        """Return how far the fits of a candidate go, chunk by chunk."""
        found = curve_in(params)
        if found is None:
            return (1,)
        _, curve = found
        whole = (curve.high,)
        if not self._in_chunks or curve.patience is None or not self._knows(params):
            return whole
        try:
            estimator = self._spec.prototype.make(params)
            plan = make_plan(self._spec, estimator, params)
        except Exception:  # to be raised where it will be handled
            return whole
        assert plan is not None, "there is a curve"
        if plan.fits_each or not can_grow(estimator, params):
            return whole
        return chunk_ends(plan.counts, curve.patience)

    def _knows(self, params: Params) -> bool:
        return self._spec.knows(params)

    def _take(self, trial: Trial) -> Course:
        """Take note of what was done, and forget the models before it."""
        course, end = self._requests.pop(trial.candidate.id)
        before = trial.candidate.resume_from
        course.take(trial, end)
        if before is not None and before not in course.last.values():
            self._evaluator.release([before])
        return course

    def _go_on(self, courses: Iterable[Course]) -> None:
        """Have those go on that are not at their end, and others in their place."""
        todo = []
        for course in courses:
            if not course.n_open:
                self._n_going -= 1
                todo += self._begin(course)
        while self._waiting and self._n_going < self._width:
            todo += self._begin(self._waiting.popleft())
        if todo:
            rows = {each.id: self._requests[each.id][0].row for each in todo}
            self._evaluator.add(todo, rows)

    def _begin(self, course: Course) -> list[Candidate]:
        """Return what to ask the evaluator for; nothing if a candidate has ended."""
        candidate, n_splits = course.candidate, len(self._spec.splits)
        splits = range(n_splits) if candidate.splits is None else candidate.splits
        going_to = course.next_end(splits)
        if going_to is None:
            self._ended.append(course.trial(splits, n_splits))
            if len(splits) == n_splits:
                self.release([candidate.id])
            return []
        asked = list(self._ask(course, *going_to))
        course.n_open = len(asked)
        self._n_going += 1
        return asked

    def _ask(
        self, course: Course, end: int, splits: Sequence[int]
    ) -> Iterator[Candidate]:
        """Yield requests: one for the splits that go on from the same trial."""
        candidate = course.candidate
        for before in {course.last.get(split): None for split in splits}:
            those = tuple(s for s in splits if course.last.get(s) == before)
            number = candidate.id
            if before is not None or number in self._requests:
                number = next(self._numbers)
            self._requests[number] = course, end
            yield Candidate(
                number,
                _without_patience(candidate.params),
                resource=end if self._in_chunks else candidate.resource,
                resume_from=before,
                splits=those if len(those) < len(self._spec.splits) else None,
            )


def _without_patience(params: Params) -> Params:
    """Return the params that decide what is fitted, and by which journals know it."""
    return {
        name: replace(value, patience=None) if isinstance(value, Curve) else value
        for name, value in params.items()
    }
