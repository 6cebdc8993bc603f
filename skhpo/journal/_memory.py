"""What a search finds in its journal, and writes into it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, Protocol

from skhpo._fingerprint import fingerprint
from skhpo._trial import Candidate, Evaluation, Params
from skhpo._warnings import warn_user
from skhpo.exceptions import JournalWarning
from skhpo.journal._journal import Journal

__all__ = ["JournalMemory"]


class Task(Protocol):
    """What is known of an evaluation that is to be written."""

    @property
    def key(self) -> str | None: ...

    @property
    def params(self) -> Params: ...

    @property
    def resource(self) -> int | None: ...


class JournalMemory:
    """Evaluations and models by what decides them, for an evaluator to look up.

    An ordinary fit is known by the content of its parameters. A training is known by
    all that led to it: its key is a digest of the one from whose model it goes on, of
    its own parameters, and of its resource. `keep` is called from worker threads too,
    where there are some.

    Parameters
    ----------
    journal : Journal
        Where they are.
    train_scores : bool
        Whether scores of the train part are wanted.
    training : object, default=None
        What decides all trainings beside their parameters, such as their seed.
    """

    def __init__(
        self, journal: Journal, *, train_scores: bool, training: Any = None
    ) -> None:
        self._journal = journal
        self._train_scores = train_scores
        self._training = training
        self._has_warned = False

    def key(
        self, candidate: Candidate, before: str | None, how: object = None
    ) -> str | None:
        """Return what tells a candidate in any process; None if nothing does.

        Parameters
        ----------
        candidate : Candidate
            What was asked for.
        before : str or None
            The key of the one from whose model it goes on.
        how : object, default=None
            What else decides its scores, such as code that users registered.
        """
        try:
            params = fingerprint(dict(sorted(candidate.params.items())), cloned=True)
            if how is not None:
                params = fingerprint(params, how)
        except Exception as error:
            self._warn(candidate.params, error)
            return None
        if candidate.resource is None:
            return params
        return fingerprint(before or self._training, params, candidate.resource)

    def known(self, key: str, resource: int | None) -> Mapping[int, Evaluation]:
        """Return the known evaluations of a candidate, by number of the split."""
        return fitting(self._journal.find(key, resource or 0), self._train_scores)

    def keep(
        self, split: int, done: Sequence[tuple[Task, Evaluation, bytes | None]]
    ) -> None:
        """Write finished evaluations and models, but for those ended from outside.

        A death or a limit is no property of the candidate: with more memory, or more
        time, it may do well.
        """
        known = [d for d in done if d[0].key and not d[1].ended_from_outside]
        # Models first: an evaluation that is found says that there was one.
        self._journal.keep_models(
            (task.key or "", split, state)
            for task, _, state in known
            if state is not None
        )
        for resource, rows in groupby(known, key=lambda row: row[0].resource):
            self._journal.add(
                (
                    (task.key or "", task.params, split, evaluation)
                    for task, evaluation, _ in rows
                ),
                resource or 0,
            )

    def state(self, key: str, split: int) -> bytes | None:
        """Return the model of a candidate on a split, None if it is gone."""
        return self._journal.find_model(key, split)

    def keep_state(self, key: str, split: int, state: bytes) -> None:
        """Keep a model, or what goes with it, under a key of its own."""
        self._journal.keep_models([(key, split, state)])

    def release(self, keys: Sequence[str]) -> None:
        """Forget the models of candidates."""
        self._journal.drop_models(keys)

    def _warn(self, params: Params, error: Exception) -> None:
        """Warn once of candidates that cannot be kept."""
        if self._has_warned:
            return
        self._has_warned = True
        warn_user(
            f"The journal does not keep candidates such as {dict(params)!r}, which "
            f"another process could not recognize: {error}",
            JournalWarning,
        )


def fitting(
    found: Mapping[int, Evaluation], train_scores: bool
) -> dict[int, Evaluation]:
    """Return what has train scores if they are wanted, and without if they are not."""
    if train_scores:
        return {s: e for s, e in found.items() if e.train_scores is not None}
    return {s: replace(e, train_scores=None) for s, e in found.items()}
