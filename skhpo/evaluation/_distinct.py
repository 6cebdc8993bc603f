"""Which candidates of a search are one, and what is known of it from before."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from sklearn.utils import get_tags

from skhpo._keys import params_key
from skhpo._trial import Candidate, Evaluation
from skhpo.evaluation._entries import Entry
from skhpo.evaluation._registered import registered_code
from skhpo.evaluation._requests import Requests
from skhpo.evaluation.fitting._layout import KeyMaker, Layout, StepKey
from skhpo.evaluation.fitting._spec import EvaluationSpec
from skhpo.journal._memory import JournalMemory

__all__ = ["DistinctCandidates"]


class DistinctCandidates:
    """Finds the entry of a candidate: a new one, or that of an equal one.

    Parameters
    ----------
    spec : EvaluationSpec
        What all evaluations share.
    layout : Layout or None
        The steps of the estimator, if candidates may share them.
    requests : Requests
        Says which candidates are others on more splits.
    trials : mapping of int to Entry
        Those that were added, by id; it grows.
    memory : JournalMemory or None
        What was evaluated before.
    keep : callable
        ``keep(entry, split, evaluation)`` takes one that was found there.
    merges : bool
        Whether equal candidates may be evaluated once. They are not if a part of the
        estimator is declared to be random, or if they are trained step by step.
    """

    def __init__(
        self,
        spec: EvaluationSpec,
        layout: Layout | None,
        requests: Requests,
        trials: Mapping[int, Entry],
        memory: JournalMemory | None,
        keep: Callable[[Entry, int, Evaluation], None],
        *,
        merges: bool,
    ) -> None:
        self._spec = spec
        self._key_maker = None if layout is None else KeyMaker(layout)
        self._requests = requests
        self._trials = trials
        self._memory = memory
        self._keep = keep
        self._merges = (
            merges
            and not spec.fitter.continues
            and not _is_declared_random(spec.estimator)
        )
        self._by_key: dict[Hashable, Entry] = {}

    def clear(self) -> None:
        """Forget all of them."""
        self._by_key.clear()
        self._key_maker = None

    def steps(self, candidate: Candidate) -> tuple[StepKey, ...]:
        """Return what a candidate does in each step; nothing if it shares none."""
        return self._key_maker.keys(candidate.params) if self._key_maker else ()

    def find(self, candidate: Candidate, steps: tuple[StepKey, ...]) -> Entry:
        """Return the entry of a candidate that does this in each step."""
        parent = None
        if candidate.resume_from is not None:
            parent = self._trials[candidate.resume_from]
            if self._requests.adds_splits(candidate, parent):
                return parent
        key = self._key(candidate, steps)
        entry = self._by_key.get(key)
        if entry is None:
            entry = self._by_key[key] = self._make_entry(candidate, parent)
        return entry

    def _key(self, candidate: Candidate, steps: tuple[StepKey, ...]) -> Hashable:
        """Return what makes two candidates one evaluation."""
        if not self._merges:
            return candidate.id
        rows = () if candidate.resource is None else (candidate.resource,)
        if steps:  # equal in each step, in a tenth of the memory
            return (*rows, *(step.variant for step in steps))
        return (*rows, params_key(candidate.params))

    def _make_entry(self, candidate: Candidate, parent: Entry | None) -> Entry:
        """Return an entry with what is known of it from before."""
        entry = Entry(candidate, [None] * len(self._spec.splits), parent=parent)
        if parent is not None:
            entry.prefix = parent.prefix
        else:
            entry.prefix = self._spec.fitter.prefix_key(self._spec, candidate.params)
        if self._memory is not None:
            self._look_up(entry, self._memory)
        return entry

    def _look_up(self, entry: Entry, memory: JournalMemory) -> None:
        """Take over what a journal has of an entry."""
        candidate, parent = entry.candidate, entry.parent
        before = None if parent is None else parent.key
        if parent is None or before is not None:
            how: Any = registered_code(self._spec, candidate)
            if self._spec.gradient is not None:  # a score alone is not enough
                how = ["gradient", self._spec.gradient.identity, how]
            entry.key = memory.key(candidate, before, how)
        if entry.key is not None:
            known = memory.known(entry.key, candidate.resource)
            for split, evaluation in known.items():
                self._keep(entry, split, evaluation)


def _is_declared_random(estimator: Any) -> bool:
    """Whether scikit-learn's tag says so of the estimator, or of a part of it."""
    parts = (estimator, *estimator.get_params().values())
    tagged = (p for p in parts if hasattr(p, "__sklearn_tags__"))
    return any(get_tags(p).non_deterministic for p in tagged if not isinstance(p, type))
