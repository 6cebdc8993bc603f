"""What trials leave behind for those that go on from them.

The models of a trial are kept as bytes, one for each split: a worker that dies takes
nothing along but its task, and bytes cost nothing to send on. A journal keeps them too.
What is found nowhere any more is trained once again, which gives the same: all that a
training draws comes from its seed, its split and the number of the step.
"""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Collection, Hashable, Iterable

from sklearn.pipeline import Pipeline

from skhpo._keys import changed
from skhpo._warnings import warn_user
from skhpo.evaluation._entries import Entry
from skhpo.evaluation.training._training import Continuation, Portion, Prepared
from skhpo.evaluation.workers._shipping import dumps
from skhpo.exceptions import JournalWarning
from skhpo.journal._memory import JournalMemory

__all__ = ["StateStore"]


class StateStore:
    """The models of trials that may be resumed, and the rows they are trained on.

    Parameters
    ----------
    memory : JournalMemory or None
        Where models are looked for that were not trained here.
    """

    def __init__(self, memory: JournalMemory | None) -> None:
        self._memory = memory
        self._prepared: dict[tuple[Hashable, int], Prepared | str] = {}
        self._expected: set[tuple[Hashable, int]] = set()
        self._entries: dict[int, Entry] = {}  # with models, by number
        self._lost: set[tuple[int, int]] = set()  # of which the journal has none
        self._n_held: Counter[str] = Counter()  # by key, which equal trials share
        self._has_warned = False

    def hold(self, entry: Entry) -> None:
        """Take note of a trial that may be resumed."""
        entry.n_held += 1
        if entry.key is not None:
            self._n_held[entry.key] += 1

    def keep(self, entry: Entry, split: int, state: bytes | None) -> None:
        """Keep the model of a trial on a split; None if it has failed."""
        if state is not None:
            entry.states = {**(entry.states or {}), split: state}
        self._entries[entry.number] = entry

    def find(self, entry: Entry, split: int) -> bytes | None:
        """Return the model of a trial on a split, None if it is nowhere any more."""
        state, place = (entry.states or {}).get(split), (entry.number, split)
        if state is not None or place in self._lost:
            return state
        if self._memory is not None and entry.key is not None:
            state = self._memory.state(entry.key, split)
        if state is None:
            self._lost.add(place)
        else:
            self.keep(entry, split, state)
        return state

    def release(self, entries: Iterable[Entry]) -> None:
        """Forget the models of trials that nobody will resume, one for each trial."""
        keys = set()
        for entry in entries:
            entry.n_held -= 1
            if not entry.n_held:
                entry.is_released, entry.states = True, None
                self._entries.pop(entry.number, None)
            if entry.key is not None:
                self._n_held[entry.key] -= 1
                keys.add(entry.key)
        if self._memory is not None:
            self._memory.release([key for key in keys if not self._n_held[key]])

    def expect_rows(self, prefix: Hashable, split: int) -> bool:
        """Note that transformers are to be fitted; False if they are, or were."""
        if self.has_rows(prefix, split) or (prefix, split) in self._expected:
            return False
        self._expected.add((prefix, split))
        return True

    def expect_nothing(self) -> None:
        """Note that what was being fitted has been given up."""
        self._expected.clear()

    def keep_rows(self, prefix: Hashable, split: int, prepared: Prepared | str) -> None:
        """Keep what transformers made of a split, or the traceback of their failure."""
        self._expected.discard((prefix, split))
        self._prepared[prefix, split] = prepared

    def has_rows(self, prefix: Hashable, split: int) -> bool:
        """Whether they are there, or none are needed."""
        return prefix is None or (prefix, split) in self._prepared

    def drop_rows(self, used: Collection[Hashable]) -> None:
        """Forget transformed rows but those of the prefixes in use."""
        alive = {entry.prefix for entry in self._entries.values()} | set(used)
        self._prepared = {k: v for k, v in self._prepared.items() if k[0] in alive}

    def rows(self, prefix: Hashable, split: int) -> Prepared | str | None:
        """Return what was kept, None if there is nothing."""
        return self._prepared.get((prefix, split))

    def continuation(self, entry: Entry, split: int) -> Continuation:
        """Return from which model the training of an entry goes on, and how."""
        state, missing = None, []
        for ancestor in entry.lineage():
            if ancestor is not entry:
                state = self.find(ancestor, split)
            if state is not None:
                break
            missing.append(ancestor)
        lost = [e for e in missing if e.evaluations[split] and not e.is_released]
        self._warn_of_lost(lost)
        portions = tuple(_portion(each) for each in reversed(missing))
        return Continuation(state, portions, self.rows(entry.prefix, split))

    def _warn_of_lost(self, lost: list[Entry]) -> None:
        """Warn once if models are trained again that the journal should have had."""
        if self._has_warned or not lost:
            return
        self._has_warned = True
        warn_user(
            f"The models of trial {lost[0].number} are not in the journal any more, or "
            f"damaged: {len(lost)} trials that led to it are trained once more. Their "
            "scores are those in the journal.",
            JournalWarning,
        )

    def model(self, entry: Entry, split: int) -> tuple[bytes | None, Pipeline | None]:
        """Return the model and the transformers of a trial, as far as there are any."""
        prefix = None if entry.prefix is None else self.prefix(entry, split)
        return self.find(entry, split), prefix

    def prefix(self, entry: Entry, split: int) -> Pipeline | None:
        """Return the fitted transformers of a trial; None if they are nowhere.

        From now on a journal has them too, for the model of the same trial.
        """
        key = None if entry.key is None else f"{entry.key}-prefix"
        prepared = self.rows(entry.prefix, split)
        if isinstance(prepared, Prepared):
            if self._memory is not None and key is not None:
                self._memory.keep_state(key, split, dumps(prepared.prefix))
            return prepared.prefix
        if self._memory is None or key is None:
            return None
        try:
            return pickle.loads(self._memory.state(key, split) or pickle.dumps(None))
        except Exception:  # of a class that is another one by now
            return None


def _portion(entry: Entry) -> Portion:
    """Return the training that an entry adds to that of its parent."""
    candidate, parent = entry.candidate, entry.parent
    total = candidate.resource
    assert total is not None, "checked when it was added"
    if parent is None:
        return Portion(candidate.params, 0, total)
    before = parent.candidate.resource
    assert before is not None
    changes = changed(candidate.params, parent.candidate.params)
    return Portion(changes, before, total - before)
