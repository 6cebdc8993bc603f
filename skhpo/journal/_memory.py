"""What a search finds in its journal, and writes into it."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

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
    response_of : str or None, default=None
        The score of which evaluations are wanted with what it is computed from; None
        for none.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        train_scores: bool,
        training: Any = None,
        response_of: str | None = None,
    ) -> None:
        self._journal = journal
        self._response_of = response_of
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
        """Return the known evaluations of a candidate, by number of the split.

        What has not all that is wanted of it counts as unknown, and is done again.
        """
        found = fitting(self._journal.find(key, resource or 0), self._train_scores)
        if self._response_of is None:
            return found
        with_responses = (
            (split, self._with_response(key, split, evaluation))
            for split, evaluation in found.items()
        )
        return {split: e for split, e in with_responses if e is not None}

    def _with_response(
        self, key: str, split: int, evaluation: Evaluation
    ) -> Evaluation | None:
        """Return an evaluation with its response; None if that was not kept."""
        if evaluation.fit_error is not None:
            return evaluation
        state = self._journal.find_model(self._response_key(key), split)
        if state is None:
            return None
        return replace(evaluation, response=from_bytes(state))

    def _response_key(self, key: str) -> str:
        return f"{key} response of {self._response_of}"

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
        if self._response_of is not None:
            self._journal.keep_models(
                (self._response_key(task.key or ""), split, state)
                for task, evaluation, _ in known
                if (state := to_bytes(evaluation.response)) is not None
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
    return {
        s: e if e.train_scores is None else replace(e, train_scores=None)
        for s, e in found.items()
    }


def to_bytes(response: NDArray[Any] | None) -> bytes | None:
    """Return a response as it is kept; None of what is no numbers and no text.

    Where there is none, that is kept, too: it would not be there another time.
    """
    if response is None:
        return b""
    if response.dtype.hasobject:
        return None
    file = io.BytesIO()
    np.save(file, response, allow_pickle=False)
    return file.getvalue()


def from_bytes(state: bytes) -> NDArray[Any] | None:
    """Return the response that `to_bytes` was given."""
    if not state:
        return None
    found: NDArray[Any] = np.load(io.BytesIO(state), allow_pickle=False)
    return found
