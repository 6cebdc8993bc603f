"""What all evaluations of a search share, and one split of it, sliced."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from sklearn.utils import get_tags

from skhpo._sklearn_compat import (
    check_method_params,
    num_samples,
    rows_like,
    safe_split,
)
from skhpo._trial import Gradient, Params
from skhpo.evaluation.fitting._known import are_known, is_known
from skhpo.evaluation.fitting._lending import detached, lend, private
from skhpo.evaluation.fitting._prototype import Prototype
from skhpo.evaluation.fitting._subsets import Subsets

__all__ = ["Access", "EvaluationSpec", "SlicedSplit", "SplitData"]

# How a fit gets its data: as they are, lent read-only, or as a copy of its own.
Access = Callable[[Any], Any]
# What splits that are kept may take: of more data, slicing is not what costs.
KEPT_BYTES = 2**22


class Differentiator(Protocol):
    """Differentiates the score of a fitted estimator.

    Attributes
    ----------
    identity : object
        What decides it beside the parameters, for a journal.
    """

    @property
    def identity(self) -> Any: ...

    def __call__(self, estimator: Any, data: SplitData) -> Gradient:
        """Return the gradient of the score on the test part."""
        ...


@dataclass(frozen=True, eq=False)
class EvaluationSpec:
    """Everything that is the same for all evaluations of one search.

    It is sent to a worker once; after that, blocks refer to splits by number.

    Parameters
    ----------
    estimator : estimator
        Unfitted; each evaluation clones it.
    X, y : array-like
        All the data; `y` may be None.
    splits : sequence of (train, test)
        Row indices, frozen for the whole search.
    scorer : callable
        ``scorer(estimator, X, y, **params) -> float`` or dict of floats.
    fit_params, score_params : dict
        Routed parameters of ``fit`` and of the scorer; those as long as `X` are
        sliced with it.
    error_score : "raise" or float
        What a failed fit scores.
    return_train_score : bool
        Whether the train part is scored as well.
    verbose : int
        As in scikit-learn: above 1 prints a line per evaluation.
    n_candidates : int or None
        Their total where it is known, for these lines.
    caller : estimator or None
        The search, if callbacks want to see it.
    fitter : Fitter or None, default=None
        How candidates become evaluations; None as long as that is not decided.
    check_scores : callable or None, default=None
        Takes the dict of scores of each evaluation, where there is one, and raises if
        the search cannot go on with such scores.
    subsets : Subsets or None, default=None
        What a candidate is trained on whose resource is a number of rows; None if
        resources are none.
    response_of : str or None, default=None
        The score of which evaluations keep what it is computed from; None for none.
    gradient : Differentiator or None, default=None
        Takes a fitted estimator and its split, and returns the gradient of its score.
    """

    estimator: Any
    X: Any
    y: Any
    splits: Sequence[tuple[Any, Any]]
    scorer: Any
    fit_params: dict[str, Any] = field(default_factory=dict)
    score_params: dict[str, Any] = field(default_factory=dict)
    error_score: str | float = "raise"
    return_train_score: bool = False
    verbose: int = 0
    n_candidates: int | None = None
    caller: Any = None
    fitter: Any = None
    check_scores: Callable[[dict[str, float]], None] | None = None
    subsets: Subsets | None = None
    response_of: str | None = None
    gradient: Differentiator | None = None

    def rows(self, split: int, n_rows: int | None) -> tuple[Any, Any]:
        """Return the rows of a split to train on and to score on.

        Parameters
        ----------
        split : int
            Its number.
        n_rows : int or None
            How many of all rows the train part stands for; None for all.

        Returns
        -------
        tuple of (array, array)
            Row numbers.
        """
        train, test = self.splits[split]
        if n_rows is not None and self.subsets is not None:
            train = self.subsets.rows(train, split, n_rows)
        return train, test

    def on_subsets(self, subsets: Subsets) -> EvaluationSpec:
        """Return the same, where a resource is a number of rows.

        Parameters
        ----------
        subsets : Subsets
            Which ones.

        Returns
        -------
        EvaluationSpec
            A new one.
        """
        return replace(self, subsets=subsets)

    @cached_property
    def prototype(self) -> Prototype:
        """Makes the estimator of each evaluation."""
        return Prototype(self.estimator)

    @cached_property
    def estimator_is_known(self) -> bool:
        """Whether all code in the estimator heeds the lock of data that are lent."""
        return is_known(self.estimator)

    @cached_property
    def scorer_is_known(self) -> bool:
        """Whether all code in the scorer does so."""
        return is_known(self.scorer)

    def knows(self, params: Params) -> bool:
        """Whether all code in a candidate does so.

        Parameters
        ----------
        params : mapping of str to object
            The candidate's parameters.

        Returns
        -------
        bool
            False also if it is told to write into its data.
        """
        return self.estimator_is_known and are_known(params)

    @cached_property
    def n_test_rows(self) -> int:
        """The most rows in the test part of a split."""
        return max(num_samples(test) for _, test in self.splits)

    @cached_property
    def repeated(self) -> set[tuple[int, int]]:
        """Steps that were fitted twice and gave the same: (depth, variant)."""
        return set()

    @cached_property
    def kept_splits(self) -> dict[tuple[int, int | None], dict[bool, SplitData]] | None:
        """Splits that are sliced already, of data that are so small; else None.

        Slicing four arrays takes scikit-learn 200 us, whatever their size.
        """
        if self.fit_params or self.score_params:
            return None
        arrays = [array for array in (self.X, self.y) if array is not None]
        if not all(type(array) is np.ndarray for array in arrays):
            return None
        n_bytes = len(self.splits) * sum(array.nbytes for array in arrays)
        return {} if n_bytes <= KEPT_BYTES else None

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind what can be worked out anew."""
        return {given.name: getattr(self, given.name) for given in fields(self)}


@dataclass(frozen=True, eq=False)
class SplitData:
    """One split of the data, sliced once for the many candidates evaluated on it.

    Parameters
    ----------
    X_train, y_train, X_test, y_test : array-like
        The parts.
    fit_params, score_params_train, score_params_test : dict
        The routed parameters that belong to the parts' rows.
    n_test_samples : int
        Number of rows in the test part.
    slice_time : float
        Seconds that the slicing took. A fit run alone would have paid them.
    """

    X_train: Any
    y_train: Any
    X_test: Any
    y_test: Any
    fit_params: dict[str, Any]
    score_params_train: dict[str, Any]
    score_params_test: dict[str, Any]
    n_test_samples: int
    slice_time: float

    @classmethod
    def take(
        cls,
        spec: EvaluationSpec,
        split: int,
        estimator: Any,
        n_rows: int | None = None,
    ) -> SplitData:
        """Slice split number `split` as `estimator` needs it (pairwise or not)."""
        start = time.perf_counter()
        train, test = (rows_like(spec.X, rows) for rows in spec.rows(split, n_rows))
        X_train, y_train = safe_split(estimator, spec.X, spec.y, train)
        X_test, y_test = safe_split(estimator, spec.X, spec.y, test, train)

        def rows_of(params: dict[str, Any], rows: Any) -> dict[str, Any]:
            return check_method_params(spec.X, params=params, indices=rows)

        return cls(
            X_train,
            y_train,
            X_test,
            y_test,
            fit_params=rows_of(spec.fit_params, train),
            score_params_train=rows_of(spec.score_params, train),
            score_params_test=rows_of(spec.score_params, test),
            n_test_samples=num_samples(X_test),
            slice_time=time.perf_counter() - start,
        )

    def given(self, access: Access, of_params: Access | None = None) -> SplitData:
        """Return the same data and their parameters, as they are lent or copied."""
        ways = dict.fromkeys(("X_train", "y_train", "X_test", "y_test"), access)
        names = ("fit_params", "score_params_train", "score_params_test")
        ways |= dict.fromkeys(names, of_params or access)
        return replace(self, **{n: way(getattr(self, n)) for n, way in ways.items()})

    def private_for_scoring(self, *, train: bool) -> SplitData:
        """Return the same data, with copies of the parts that are scored."""
        names = ["X_test", "y_test", "score_params_test"]
        if train:
            names += ["X_train", "y_train", "score_params_train"]
        return replace(self, **{name: private(getattr(self, name)) for name in names})


class SlicedSplit:
    """One split, sliced on demand: at most once for each way of slicing.

    Splits of small data stay sliced for those who ask for them later.

    A kernel matrix is sliced along both axes. Whether X is one is up to the
    candidate, since parameters such as ``SVC.kernel`` decide it.

    Parameters
    ----------
    spec : EvaluationSpec
        What all evaluations share.
    split : int
        Number of the split.
    lending : bool, default=False
        Whether several candidates get the data, so that none may change them.
    n_rows : int or None, default=None
        How many of all rows the train part stands for; None for all.
    """

    def __init__(
        self,
        spec: EvaluationSpec,
        split: int,
        *,
        lending: bool = False,
        n_rows: int | None = None,
    ) -> None:
        self.lending = lending
        self._spec = spec
        self._split = split
        self._n_rows = n_rows
        kept = spec.kept_splits
        self._is_kept = kept is not None
        self._data = {} if kept is None else kept.setdefault((split, n_rows), {})

    def for_estimator(self, estimator: Any, *, lent: bool | None = None) -> SplitData:
        """Return the data of the split as `estimator` takes them.

        Parameters
        ----------
        estimator : estimator
            Unfitted, or fitted.
        lent : bool, optional
            Whether it gets the data themselves, locked; otherwise it may change what
            it gets. By default, it is lent what several candidates get.
        """
        lent = self.lending if lent is None else lent
        data = self.sliced(estimator)
        if lent:
            return data.given(lend)
        if self.lending or self._is_kept:
            return data.given(private)
        return data.given(detached, private)  # slicing has copied most of what there is

    def for_scoring(self, estimator: Any) -> SplitData:
        """Return the data for a scorer that may change what it reads."""
        train = self._spec.return_train_score
        return self.sliced(estimator).private_for_scoring(train=train)

    def sliced(self, estimator: Any) -> SplitData:
        """Return the data themselves, for those who lend them or copy them on."""
        pairwise = get_tags(estimator).input_tags.pairwise
        if pairwise not in self._data:
            self._data[pairwise] = SplitData.take(
                self._spec, self._split, estimator, self._n_rows
            )
        return self._data[pairwise]

    @property
    def slice_time(self) -> float:
        """Seconds that the slicing has taken so far."""
        return sum(data.slice_time for data in self._data.values())
