"""Population based training as ask and tell.

A population of `P` members trains side by side for `G` generations. After each one,
members that do badly continue from the state *and* the parameters of one that does
well (exploit), with parameters moved a little (explore) [1]_. Generations are
synchronous: members are compared after equal training only, and the result does not
depend on the order in which trials finish.

Trial ``g * P + m`` is member `m` in generation `g`; its ``resume_from`` is the trial
of generation ``g - 1`` whose state it continues. Following these links from any trial
back to its birth gives the *schedule* that made it.

References
----------
.. [1] M. Jaderberg et al., "Population Based Training of Neural Networks",
   arXiv:1711.09846 (2017), Algorithm 1.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from skhpo._rng import child_rng
from skhpo._trial import Candidate, Params, Trial
from skhpo.exceptions import InvalidSpaceError
from skhpo.optimizers._base import check_trials
from skhpo.optimizers._birth import check_given, fitting_branches
from skhpo.optimizers._branches import plain_spaces
from skhpo.optimizers._exploit import (
    Exploit,
    Explore,
    Perturb,
    Truncation,
    rank_members,
)
from skhpo.optimizers._lineage import MemberRecord, Schedule, schedule_from_lineage
from skhpo.optimizers._perturb import perturbation_rule
from skhpo.space._dimensions import is_number

__all__ = ["PBTOptimizer"]

Space = Mapping[str, Any]


@dataclass
class PBTOptimizer:
    """Population based training: numbers and candidates in, candidates out.

    Parameters
    ----------
    param_distributions : dict or list of dict
        What to search. From a list, each member gets one dict at birth and stays
        with it (or with its donor's).
    seed : numpy.random.SeedSequence
        The root of all choices; each has a stream of its own by role, generation
        and member, so nothing depends on the order of calls.
    population_size : int, default=16
        Number of members, at least 2.
    n_generations : int, default=10
        How many times every member is trained.
    steps_per_generation : int, default=1
        Training steps in each generation.
    exploit : callable, default=Truncation()
        ``exploit(scores, rng) -> parents``: for each member the one whose state it
        continues, itself to stay.
    explore : callable or None, default=None
        ``explore(params, rng, history) -> params``; None for `Perturb`.
    factors : sequence of float, default=(0.8, 1.25)
        By which of them a value moves is drawn each time, see `Perturb`.
    resample_probability : float, default=0.1
        Probability that a parameter is drawn anew instead of moved.
    frozen : collection of str, default=()
        Parameters that keep the value of their birth and travel with the state.
    burn_in : int, default=0
        How many exploits are skipped at first. Failed members are replaced all the
        same.
    initial_params : sequence of mapping, default=()
        Parameters of the first members at birth; what they leave out is drawn.
    n_generations_no_change : int or None, default=None
        Stop when the best score has not risen by more than `tol` for so many
        generations.
    tol : float, default=1e-4
        See `n_generations_no_change`.

    Attributes
    ----------
    records : list of MemberRecord
        All trials asked for so far, by id.
    ended : {"completed", "no_change", "all_failed"} or None
        Why there are no further generations; None as long as there are.

    Examples
    --------
    >>> import numpy as np
    >>> from skhpo._trial import Trial
    >>> optimizer = PBTOptimizer(
    ...     {"eta": [0.1, 0.2, 0.4]}, np.random.SeedSequence(0),
    ...     population_size=4, n_generations=2,
    ... )
    >>> trials = [Trial.from_scores(c, (c.params["eta"],)) for c in optimizer.ask(10)]
    >>> optimizer.tell(trials)
    >>> [candidate.resume_from is not None for candidate in optimizer.ask(10)]
    [True, True, True, True]
    """

    param_distributions: Space | Sequence[Space]
    seed: np.random.SeedSequence
    population_size: int = 16
    n_generations: int = 10
    steps_per_generation: int = 1
    exploit: Exploit = field(default_factory=Truncation)
    explore: Explore | None = None
    factors: Sequence[float] = (0.8, 1.25)
    resample_probability: float = 0.1
    frozen: Collection[str] = ()
    burn_in: int = 0
    initial_params: Sequence[Params] = ()
    n_generations_no_change: int | None = None
    tol: float = 1e-4
    records: list[MemberRecord] = field(default_factory=list, init=False)
    ended: str | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._check_numbers()
        spaces = plain_spaces(self.param_distributions)
        if not spaces:
            raise InvalidSpaceError("param_distributions is an empty list.")
        check_given(self.initial_params, spaces, self.population_size)
        self._rules = [
            {name: perturbation_rule(name, spec) for name, spec in space.items()}
            for space in spaces
        ]
        self._branch: list[int] = []  # of each member of the current generation
        self._asked = 0
        self._pending: set[int] = set()  # asked for, and not told
        self._best = -math.inf
        self._n_no_change = 0
        self._n_released = self._n_past = 0  # trials from which nobody goes on
        self._give_birth(spaces)

    @property
    def n_candidates(self) -> int | None:
        """How many candidates there are in all; None if that depends on the scores."""
        if self.n_generations_no_change is not None:
            return None
        return self.population_size * self.n_generations

    def ask(self, n: int) -> list[Candidate]:
        """Propose up to `n` members of the current generation.

        Parameters
        ----------
        n : int
            How many at the most.

        Returns
        -------
        list of Candidate
            None while members are pending, and when the search is finished.
        """
        candidates = [self._candidate(r) for r in self.records[self._asked :][:n]]
        self._asked += len(candidates)
        self._pending.update(candidate.id for candidate in candidates)
        return candidates

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn the scores; after the last one of a generation, breed the next.

        Parameters
        ----------
        trials : sequence of Trial
            Of candidates that `ask` returned, each once, in any order.

        Raises
        ------
        ValueError
            If one of them is not, or was told before: names its id, and learns nothing.
        """
        self._check_pending(check_trials(trials, own_only=True))
        for trial in trials:
            score = math.nan if trial.failed else trial.score
            record = self.records[trial.candidate.id]
            self.records[record.id] = replace(record, score=score)
            self._pending.remove(record.id)
        if trials and not self._pending and self._asked == len(self.records):
            self.ended = self._end()
            if self.ended is None:
                self._breed()
                self._n_past = len(self.records) - 2 * self.population_size

    def released(self) -> range:
        """Return the trials from which nobody will go on any more.

        Returns
        -------
        range
            Ids, each of them once in all calls: those of the generations before the one
            that was told last.
        """
        ids = range(self._n_released, self._n_past)
        self._n_released = self._n_past
        return ids

    def _check_pending(self, trials: Sequence[Trial]) -> None:
        """Raise if a trial is not one of those asked for and not yet told."""
        pending = set(self._pending)
        for id in (trial.candidate.id for trial in trials):
            if id not in pending:
                waiting = ", ".join(map(str, sorted(self._pending))) or "none"
                raise ValueError(
                    "tell takes each candidate that ask returned, once. Got one with "
                    f"the id {id!r}, and those that are asked for and not told are: "
                    f"{waiting}. A population knows no other trials: give parameters "
                    "of your own as initial_params."
                )
            pending.remove(id)

    def schedule_of(self, row: int) -> Schedule:
        """Return the schedule that led to a trial, see `schedule_from_lineage`.

        Parameters
        ----------
        row : int
            Id of the trial.

        Returns
        -------
        list of (int, dict)
            ``(start_step, {name: value})``.
        """
        return schedule_from_lineage(self.records, row)

    def _candidate(self, record: MemberRecord) -> Candidate:
        parent = None if record.parent < 0 else record.parent
        return Candidate(record.id, record.params, record.n_resources, parent)

    def _generation(self) -> list[MemberRecord]:
        """Return the youngest generation."""
        return self.records[-self.population_size :]

    def _end(self) -> str | None:
        """Return why the complete generation is the last one; None if it is not."""
        generation = self._generation()
        scores = np.array([record.score for record in generation])
        if np.isnan(scores).all():
            is_last = generation[0].generation + 1 >= self.n_generations
            return "completed" if is_last else "all_failed"  # nobody to continue from
        best = float(np.nanmax(scores))
        improved = best > self._best + self.tol
        self._n_no_change = 0 if improved else self._n_no_change + 1
        self._best = max(best, self._best)
        if generation[0].generation + 1 >= self.n_generations:
            return "completed"
        patience = self.n_generations_no_change
        stalled = patience is not None and self._n_no_change >= patience
        return "no_change" if stalled else None

    def _give_birth(self, spaces: Sequence[Space]) -> None:
        for member in range(self.population_size):
            rng = child_rng(self.seed, "birth", member)
            given = dict(next(iter(self.initial_params[member : member + 1]), {}))
            fitting = fitting_branches(given, spaces)
            branch = fitting[int(rng.integers(len(fitting)))]
            drawn = {n: rule.sample(rng) for n, rule in self._rules[branch].items()}
            self._branch.append(branch)
            self.records.append(
                MemberRecord(
                    id=member,
                    generation=0,
                    member=member,
                    parent=-1,
                    n_resources=self.steps_per_generation,
                    exploited=False,
                    params=drawn | given,
                )
            )

    def _breed(self) -> None:
        """Append the next generation: whose state, which parameters."""
        old = self._generation()
        parents = self._parents(old)
        self._branch = [self._branch[parent] for parent in parents]
        for member, parent in enumerate(parents):
            self.records.append(
                MemberRecord(
                    id=len(self.records),
                    generation=old[0].generation + 1,
                    member=member,
                    parent=old[parent].id,
                    n_resources=old[parent].n_resources + self.steps_per_generation,
                    exploited=parent != member,
                    params=self._next_params(old, member, parent),
                )
            )

    def _parents(self, old: Sequence[MemberRecord]) -> list[int]:
        """Return whom each member continues; a failed one never goes on."""
        scores = np.array([record.score for record in old])
        generation = old[0].generation
        parents = list(range(len(old)))
        if generation + 1 > self.burn_in:
            rng = child_rng(self.seed, "exploit", generation)
            parents = self._checked_parents(self.exploit(scores.copy(), rng))
        alive = rank_members(scores)[: int(np.sum(~np.isnan(scores)))]
        donors = alive[: max(1, len(alive) // 2)]
        rng = child_rng(self.seed, "rescue", generation)
        for member, parent in enumerate(parents):
            if math.isnan(scores[parent]):
                parents[member] = int(donors[rng.integers(len(donors))])
        return parents

    def _next_params(
        self, old: Sequence[MemberRecord], member: int, parent: int
    ) -> dict[str, Any]:
        """Return the parameters of a child: of one that takes over, explored ones."""
        # A copy of the mapping: what a user's explore does to it stays with the child.
        params = dict(old[parent].params)
        if parent == member:
            return params
        return self._explored(params, old[0].generation, member)

    def _explored(
        self, params: dict[str, Any], generation: int, member: int
    ) -> dict[str, Any]:
        rng = child_rng(self.seed, "explore", generation, member)
        explorer = self._explorer(member)
        given = explorer(dict(params), rng, self._history())
        try:
            explored = dict(given)
        except (TypeError, ValueError):
            raise ValueError(
                f"explore must return a dict of the parameters {sorted(params)}. Got "
                f"{given!r} instead."
            ) from None
        self._check_explored(params, explored)
        return explored

    def _history(self) -> list[MemberRecord]:
        """Return copies of the records: a user's explore may write to their params."""
        if self.explore is None:
            return []
        records = self.records[: self._asked]
        return [replace(record, params=dict(record.params)) for record in records]

    def _explorer(self, member: int) -> Explore:
        if self.explore is not None:
            return self.explore
        rules = self._rules[self._branch[member]]
        mutable = {n: rule for n, rule in rules.items() if n not in self.frozen}
        return Perturb(mutable, self.factors, self.resample_probability)

    def _check_numbers(self) -> None:
        if self.population_size < 2:
            raise ValueError(
                "population_size must be at least 2, since members are compared with "
                f"each other. Got {self.population_size!r} instead; to train a single "
                "one with changing parameters use ScheduledEstimator."
            )
        for name in ("n_generations", "steps_per_generation"):
            if getattr(self, name) < 1:
                raise ValueError(
                    f"{name} must be at least 1. Got {getattr(self, name)!r} instead."
                )
        if not self.factors or any(
            not 0 < factor < math.inf for factor in self.factors
        ):
            raise ValueError(
                "perturb_factors must be positive numbers, such as (0.8, 1.25). Got "
                f"{self.factors!r} instead."
            )

    def _checked_parents(self, given: Any) -> list[int]:
        """Return what exploit says as numbers of members; raise if it is none."""
        size = self.population_size
        members = list(given) if isinstance(given, Iterable) else []
        # 1.0 is a number of a member, but neither 0.4 nor "0" is.
        are_numbers = all(is_number(m) and float(m).is_integer() for m in members)
        parents = list(map(int, members)) if are_numbers else []
        if len(parents) != size or any(not 0 <= p < size for p in parents):
            raise ValueError(
                "exploit must return one member number, an integer, for each of the "
                f"{size} members. Got {given!r} instead."
            )
        return parents

    def _check_explored(self, before: Params, after: Params) -> None:
        if after.keys() != before.keys():
            raise ValueError(
                f"explore must return the parameters {sorted(before)}. Got "
                f"{sorted(after)} instead."
            )
        changed = [n for n in before if n in self.frozen and after[n] is not before[n]]
        if changed:
            raise ValueError(
                f"explore changed {changed}, which cannot change while a model is "
                "trained. Leave these values as they are."
            )
