"""What travels between the search and its workers, and who makes one of the other."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from skhpo._trial import Evaluation, Params
from skhpo.evaluation.fitting._layout import StepKey
from skhpo.evaluation.fitting._time_slice import TimeSlice

if TYPE_CHECKING:
    from skhpo.evaluation.fitting._spec import EvaluationSpec

__all__ = ["Block", "BlockResult", "Fitter", "Outcome", "Task", "Work"]


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One candidate in a block.

    Parameters
    ----------
    number : int
        Number of the candidate in the search.
    params : mapping of str to object
        Its parameters.
    steps : tuple of StepKey, default=()
        What it does in each step of the estimator; empty if it shares nothing.
    order : int, default=0
        Its place in the plan.
    context : CallbackContext or None, default=None
        Whom to tell of it.
    key : str or None, default=None
        By which the journal knows the candidate; None if it does not.
    resource : int or None, default=None
        Of the candidate.
    prepares : bool, default=False
        Whether to fit the transformers of the candidate only, for others too.
    continuation : Continuation or None, default=None
        From which model to go on, of a candidate that is trained step by step.
    row : int or None, default=None
        Where it is in ``cv_results_``, for who listens; None: as its number says.
    """

    number: int
    params: Params
    steps: tuple[StepKey, ...] = ()
    order: int = 0
    context: Any = None
    key: str | None = None
    resource: int | None = None
    prepares: bool = False
    continuation: Any = None
    row: int | None = None

    @property
    def heard(self) -> int:
        """By which number people hear of it."""
        return self.number if self.row is None else self.row

    def n_rows(self, spec: EvaluationSpec) -> int | None:
        """Return how many rows its train part stands for; None for all.

        Parameters
        ----------
        spec : EvaluationSpec
            Says whether resources are rows.
        """
        return None if spec.subsets is None else self.resource


@dataclass(frozen=True, eq=False)
class Block:
    """A split and the candidates to evaluate on it, in the order of the plan.

    Parameters
    ----------
    split : int
        Number of the split.
    tasks : tuple of Task
        The candidates, at least one. They are trained on the same rows.
    time_slice : TimeSlice
        After which no further candidate is begun, unless sharing would suffer.
    limit : float, default=inf
        Seconds after which none is begun at any price.
    """

    split: int
    tasks: tuple[Task, ...]
    time_slice: TimeSlice
    limit: float = math.inf


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of one task of a block.

    Parameters
    ----------
    evaluation : Evaluation
        Its scores, or its failure.
    overhead : float, default=0.0
        Seconds of work that the tasks behind this one would profit from, and that
        has to be done again if the block is cut here.
    n_shared : int, default=0
        Number of fits among it.
    divisible : bool, default=True
        Whether the block may be cut here at all.
    state : bytes or None, default=None
        The model, if another trial may go on from it.
    stop : bool, default=False
        Whether a callback asks for the search to stop.
    """

    evaluation: Evaluation
    overhead: float = 0.0
    n_shared: int = 0
    divisible: bool = True
    state: bytes | None = None
    stop: bool = False


@dataclass(frozen=True, eq=False)
class BlockResult:
    """What became of a block.

    Parameters
    ----------
    evaluations : tuple of Evaluation
        Of its first tasks, at least one; empty if transformers were to be fitted.
    n_fits, n_needed : int
        Fits of steps that were done, and that would have been done without sharing.
    stop : bool, default=False
        Whether a callback asks for the search to stop.
    states : tuple of (bytes or None), default=()
        The models of the same tasks, of a search that trains step by step.
    prepared : Prepared, str or None, default=None
        Fitted transformers and what they made of the split; the traceback if they
        failed; None if they were not asked for.
    """

    evaluations: tuple[Evaluation, ...]
    n_fits: int
    n_needed: int
    stop: bool = False
    states: tuple[bytes | None, ...] = ()
    prepared: Any = None


class Work(Protocol):
    """Evaluates tasks on one split.

    Attributes
    ----------
    n_fits, n_needed : int
        As of `BlockResult`, so far.
    """

    @property
    def n_fits(self) -> int: ...

    @property
    def n_needed(self) -> int: ...

    def walk(self, tasks: Sequence[Task]) -> Iterator[Outcome]:
        """Yield the outcomes of tasks, in their order."""
        ...


class Fitter(ABC):
    """How candidates become evaluations: chosen once per search, sent to all workers.

    Attributes
    ----------
    n_steps : int
        Fits that the evaluation of a candidate takes which shares none.
    continues : bool
        Whether a candidate may go on from the model of another one.
    identity : object
        What decides its evaluations beside the candidate, for a journal.
    """

    continues: ClassVar[bool] = False

    @property
    @abstractmethod
    def n_steps(self) -> int: ...

    @property
    def identity(self) -> Any:
        """Nothing, of an ordinary fit."""
        return None

    @abstractmethod
    def begin(self, spec: EvaluationSpec, split: int, tasks: Sequence[Task]) -> Work:
        """Return what evaluates these tasks on a split."""

    def prefix_key(self, spec: EvaluationSpec, params: Params) -> Hashable:
        """Return what tells the transformers that are fitted apart; None for none."""
        return None

    def prepare(self, spec: EvaluationSpec, split: int, task: Task) -> Any:
        """Fit these transformers; return them and what they made, or the traceback."""
        # Asked only of fitters that return a key for them.
        raise NotImplementedError("No transformers are fitted apart.")

    def assemble(self, spec: EvaluationSpec, state: bytes, prefix: Any) -> Any:
        """Return the fitted estimator, from its model and its fitted transformers."""
        # Asked only of fitters that continue.
        raise NotImplementedError("No models are kept.")
