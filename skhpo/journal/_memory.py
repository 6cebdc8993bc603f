"""What a search finds in its journal, and writes into it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace

from skhpo._fingerprint import fingerprint
from skhpo._trial import Candidate, Evaluation, Params
from skhpo.exceptions import JournalWarning
from skhpo.journal._journal import Journal

__all__ = ["JournalMemory", "PopulationMemory"]


class JournalMemory:
    """Evaluations by the content of their parameters; see `evaluation.Memory`.

    Parameters
    ----------
    journal : Journal
        Where they are.
    train_scores : bool
        Whether scores of the train part are wanted.
    """

    def __init__(self, journal: Journal, *, train_scores: bool) -> None:
        self._journal = journal
        self._train_scores = train_scores
        self._warner = _Warner()

    def known(self, params: Params) -> Mapping[int, Evaluation]:
        """Return the known evaluations of a candidate, by number of the split."""
        key = self._key(params)
        if key is None:
            return {}
        return fitting(self._journal.find(key), self._train_scores)

    def keep(self, split: int, done: Sequence[tuple[Params, Evaluation]]) -> None:
        """Write finished evaluations, but for those that ended from outside.

        A death or a limit is no property of the candidate: with more memory, or more
        time, it may do well.
        """
        keyed = ((self._key(params), params, e) for params, e in done)
        self._journal.add(
            (key, params, split, evaluation)
            for key, params, evaluation in keyed
            if key is not None and not evaluation.ended_from_outside
        )

    def _key(self, params: Params) -> str | None:
        """Return what tells these parameters in any process; None if nothing does."""
        try:
            return fingerprint(dict(sorted(params.items())), cloned=True)
        except Exception as error:
            self._warner.warn(params, error)
            return None


class _Warner:
    """Warns once of candidates that cannot be kept."""

    def __init__(self) -> None:
        self._has_warned = False

    def warn(self, params: Params, error: Exception) -> None:
        if self._has_warned:
            return
        self._has_warned = True
        warnings.warn(
            f"The journal does not keep candidates such as {dict(params)!r}, which "
            f"another process could not recognize: {error}",
            JournalWarning,
            stacklevel=2,
        )


class PopulationMemory:
    """Whole generations of a population, and the models of the last one.

    A generation is recognized by all that led to it: its key is a digest of the one
    before and of its own members.

    Parameters
    ----------
    journal : Journal
        Where they are.
    train_scores : bool
        Whether scores of the train part are wanted.
    """

    def __init__(self, journal: Journal, *, train_scores: bool) -> None:
        self._journal = journal
        self._train_scores = train_scores
        self._warner = _Warner()

    def key(self, before: str, generation: Sequence[Candidate]) -> str:
        """Return the key of a generation that follows another one.

        Empty if a member cannot be recognized, and for all generations after that.
        """
        members = []
        for c in generation:
            try:
                params = fingerprint(dict(sorted(c.params.items())), cloned=True)
            except Exception as error:
                self._warner.warn(c.params, error)
                return ""
            members.append((c.id, params, c.n_resources, c.resume_from))
        return before and fingerprint(before, members)

    def known(
        self, key: str, generation: Sequence[Candidate], n_splits: int
    ) -> dict[int, list[Evaluation]] | None:
        """Return the evaluations of a generation by member, None if one is missing."""
        if not key:
            return None
        known = {}
        for candidate in generation:
            found = self._journal.find(_member(key, candidate))
            found = fitting(found, self._train_scores)
            if len(found) < n_splits:
                return None
            known[candidate.id] = [found[split] for split in range(n_splits)]
        return known

    def keep(
        self,
        key: str,
        generation: Sequence[Candidate],
        evaluations: Mapping[int, Sequence[Evaluation]],
        states: bytes | None,
    ) -> None:
        """Write a finished generation, and its models in the place of the last ones.

        Without evaluations that ended from outside, as in `JournalMemory.keep`: where
        one is missing, the generation is trained again.
        """
        if not key:
            return
        self._journal.add(
            (_member(key, c), c.params, split, evaluation)
            for c in generation
            for split, evaluation in enumerate(evaluations[c.id])
            if not evaluation.ended_from_outside
        )
        if states is not None:
            self._journal.keep_state(key, states)

    def states(self, key: str) -> bytes | None:
        """Return the pickled models of a generation, None if they are gone."""
        return self._journal.find_state(key)


def fitting(
    found: Mapping[int, Evaluation], train_scores: bool
) -> dict[int, Evaluation]:
    """Return what has train scores if they are wanted, and without if they are not."""
    if train_scores:
        return {s: e for s, e in found.items() if e.train_scores is not None}
    return {s: replace(e, train_scores=None) for s, e in found.items()}


def _member(key: str, candidate: Candidate) -> str:
    return f"{key}-{candidate.id}"
