"""What a search finds in its journal, and writes into it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sklearn import get_config

from skhpo._fingerprint import fingerprint
from skhpo._trial import Candidate, Evaluation, Params
from skhpo.evaluation import EvaluationSpec
from skhpo.exceptions import JournalError, JournalWarning
from skhpo.journal import Journal, Problem

__all__ = ["JournalMemory", "PopulationMemory", "open_journal"]


@contextmanager
def open_journal(
    path: str | os.PathLike[str] | None, spec: EvaluationSpec
) -> Iterator[Journal | None]:
    """Open the journal of a search, None if there is to be none."""
    if path is None:
        yield None
        return
    with Journal(path, describe(spec)) as journal:
        yield journal


def describe(spec: EvaluationSpec) -> Problem:
    """Return what evaluations of a search are of.

    Raises
    ------
    JournalError
        If something of it could not be recognized in another process.
    """
    parts = {
        "estimator": (spec.estimator, get_config()["transform_output"]),
        "data": (spec.X, spec.y, spec.fit_params),
        "splits": list(spec.splits),
        "scoring": (spec.scorer, spec.score_params, spec.error_score),
    }
    digests = []
    for name, part in parts.items():
        try:
            digests.append(fingerprint(part))
        except Exception as error:
            raise JournalError(
                f"A journal recognizes what it is of by its content, and the {name} of "
                f"this search has something that cannot be read: {error}"
            ) from error
    y = "" if spec.y is None else f", y {_shape(spec.y)}"
    return Problem(
        fingerprint(*digests),
        repr(spec.estimator),
        f"X {_shape(spec.X)}{y}, {len(spec.splits)} splits",
        repr(spec.scorer),
    )


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
        self._has_warned = False

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
            return fingerprint(dict(sorted(params.items())))
        except Exception as error:
            if not self._has_warned:
                self._has_warned = True
                warnings.warn(
                    f"The journal does not keep candidates such as {dict(params)!r}, "
                    f"which another process could not recognize: {error}",
                    JournalWarning,
                    stacklevel=2,
                )
            return None


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

    def key(self, before: str, generation: Sequence[Candidate]) -> str:
        """Return the key of a generation that follows another one."""
        members = [
            (c.id, dict(sorted(c.params.items())), c.n_resources, c.resume_from)
            for c in generation
        ]
        return fingerprint(before, members)

    def known(
        self, key: str, generation: Sequence[Candidate], n_splits: int
    ) -> dict[int, list[Evaluation]] | None:
        """Return the evaluations of a generation by member, None if one is missing."""
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
        states: bytes,
    ) -> None:
        """Write a finished generation, and its models in the place of the last ones."""
        self._journal.add(
            (_member(key, c), c.params, split, evaluation)
            for c in generation
            for split, evaluation in enumerate(evaluations[c.id])
        )
        self._journal.keep_state(key, states)

    def forget(self, key: str, generation: Sequence[Candidate]) -> None:
        """Delete a generation, so that it is trained again, and all that follow it."""
        self._journal.forget(_member(key, candidate) for candidate in generation)

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


def _shape(data: Any) -> str:
    shape = getattr(data, "shape", None)
    return f"{type(data).__name__} {shape if shape else f'({len(data)},)'}"
