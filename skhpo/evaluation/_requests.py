"""What an optimizer may ask for, and what it is told if it asks for something else."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from numbers import Integral

from skhpo._keys import changed
from skhpo._trial import Candidate
from skhpo.evaluation._entries import Entry

__all__ = ["Requests"]


class Requests:
    """Checks candidates before any of them is queued.

    Parameters
    ----------
    name : str
        Of the search, for messages.
    n_splits : int
        How many there are.
    trains : bool
        Whether candidates are trained step by step, from given models.
    n_rows : int or None
        How many rows there are, if a resource is a number of rows; else None.
    trials : mapping of int to Entry
        Those that were added, by id; it grows.
    partial : mapping of int to Candidate
        Those of them that asked for some of the splits, by id; it grows.
    released : collection of int
        Ids of those whose models were released; it grows.
    """

    def __init__(
        self,
        name: str,
        n_splits: int,
        trains: bool,
        n_rows: int | None,
        trials: Mapping[int, Entry],
        partial: Mapping[int, Candidate],
        released: Collection[int],
    ) -> None:
        self._name = name
        self._n_splits = n_splits
        self._all = frozenset(range(n_splits))
        self._trains = trains
        self._n_rows = n_rows
        self._trials = trials
        self._partial = partial
        self._released = released

    def splits_of(self, candidate: Candidate) -> frozenset[int]:
        """Return the splits on which a candidate is to have scores."""
        return self._all if candidate.splits is None else frozenset(candidate.splits)

    def splits_before(self, candidate: Candidate) -> frozenset[int]:
        """Return the splits on which the trial that it resumes has scores."""
        assert candidate.resume_from is not None
        before = self._partial.get(candidate.resume_from)
        return self._all if before is None else self.splits_of(before)

    def own_splits_of(self, candidate: Candidate) -> frozenset[int]:
        """Return those splits that it does not have from the trial that it resumes."""
        splits, origin = self.splits_of(candidate), candidate.resume_from
        if origin is None or not self.adds_splits(candidate, self._trials[origin]):
            return splits
        return splits - self.splits_before(candidate)

    def adds_splits(self, candidate: Candidate, parent: Entry) -> bool:
        """Whether a candidate is its parent, on more splits.

        The parent itself, and not an equal one with the same evaluations: their
        values may be other objects.
        """
        assert candidate.resume_from is not None
        before = self._partial.get(candidate.resume_from, parent.candidate)
        return (
            candidate.resource == before.resource
            and candidate.params.keys() == before.params.keys()
            and not changed(candidate.params, before.params)
        )

    def check(self, candidates: Sequence[Candidate]) -> None:
        """Raise ValueError if one of the candidates asks for what cannot be done."""
        seen: set[int] = set()
        for candidate in candidates:
            reason = self._why_not(candidate, seen)
            if reason is not None:
                raise ValueError(
                    f"{self._name} cannot evaluate candidate {candidate.id}, as its "
                    f"optimizer asks: {reason}"
                )
            seen.add(candidate.id)

    def check_release(self, ids: Collection[int]) -> None:
        """Raise ValueError if one of these trials is not there to be released."""
        for id in ids:
            entry = self._trials.get(id)
            if entry is None or any(waiting.id == id for waiting in entry.waiting):
                what = "does not exist" if entry is None else "is not complete"
                raise ValueError(
                    f"{self._name} cannot release trial {id!r}, as its optimizer "
                    f"asks: it {what}."
                )

    def _why_not(self, candidate: Candidate, seen: Container[int]) -> str | None:
        """Return what is wrong with a candidate; None if nothing is."""
        if candidate.id in self._trials or candidate.id in seen:
            return "there was another one with this id. Each needs an id of its own."
        return (
            self._why_not_these_splits(candidate)
            or self._why_not_this_resource(candidate)
            or self._why_not_from_there(candidate)
        )

    def _why_not_these_splits(self, candidate: Candidate) -> str | None:
        if candidate.splits is None:
            return None
        splits = list(candidate.splits)
        known = range(self._n_splits)
        odd = [s for s in splits if not isinstance(s, Integral) or s not in known]
        if odd:
            return f"there are splits 0 to {self._n_splits - 1}, and no {odd[0]!r}."
        if not splits or len(set(splits)) < len(splits):
            return f"splits must be one or several distinct ones. Got {splits}."
        return None

    def _why_not_this_resource(self, candidate: Candidate) -> str | None:
        resource = candidate.resource
        if not self._trains:
            if resource is None:
                return None
            if self._n_rows is not None:
                return self._why_not_so_many_rows(resource)
            return (
                f"its resource is {resource!r}, and here candidates are fitted at "
                "once, not step by step. Leave resource=None."
            )
        if isinstance(resource, Integral) and resource >= 1:
            return None
        return (
            "candidates are trained step by step here, and its resource, the number of "
            f"steps in all, must be a positive integer. Got {resource!r}."
        )

    def _why_not_so_many_rows(self, resource: object) -> str | None:
        assert self._n_rows is not None
        if isinstance(resource, Integral) and 1 <= int(resource) <= self._n_rows:
            return None
        return (
            f"its resource is {resource!r}, and must be a number of rows to train on, "
            f"from 1 to {self._n_rows}, or None for all."
        )

    def _why_not_from_there(self, candidate: Candidate) -> str | None:
        """Return why a candidate cannot go on from the trial that it names."""
        origin = candidate.resume_from
        if origin is None:
            return None
        parent = self._trials.get(origin)
        if parent is None:
            return f"it goes on from trial {origin!r}, which does not exist."
        if any(waiting.id == origin for waiting in parent.waiting):
            return f"it goes on from trial {origin}, which is not complete."
        if self.adds_splits(candidate, parent):
            return self._why_not_more_splits(candidate)
        if origin in self._released:
            return f"it goes on from trial {origin}, whose models were released."
        if not self._trains:
            return (
                f"it goes on from trial {origin} with other parameters, but only a "
                "model that is trained step by step can do that."
            )
        return self._why_not_trained_on(candidate, parent)

    def _why_not_more_splits(self, candidate: Candidate) -> str | None:
        """Return why a candidate cannot add these splits to those of a trial."""
        before, splits = self.splits_before(candidate), self.splits_of(candidate)
        if before <= splits:
            return None
        return (
            f"it goes on from trial {candidate.resume_from}, whose splits "
            f"{sorted(before)} must be among its own. Got {sorted(splits)}."
        )

    def _why_not_trained_on(self, candidate: Candidate, parent: Entry) -> str | None:
        """Return why the model of another one cannot be trained a bit more."""
        had, wanted = parent.candidate.resource, candidate.resource
        assert had is not None
        assert wanted is not None
        if wanted <= had:
            return (
                f"trial {candidate.resume_from}, from which it goes on, has had "
                f"{had} steps. The resource must be more, in all: got {wanted}."
            )
        for split in sorted(self.splits_of(candidate)):
            evaluation = parent.evaluations[split]
            if evaluation is not None and evaluation.fit_error is not None:
                return (
                    f"it goes on from trial {candidate.resume_from}, which has failed "
                    f"on split {split} and left no model."
                )
        names = candidate.params.keys(), parent.candidate.params.keys()
        if names[0] != names[1]:  # what is left out would keep its value unsaid
            return (
                f"it has the parameters {sorted(names[0])}, and trial "
                f"{candidate.resume_from}, from which it goes on, {sorted(names[1])}. "
                "Give the same ones, with other values."
            )
        return None
