"""Ways to train a model a bit more: partial fits, warm starts, boosters.

A trainer is a callable ``trainer(model, training) -> model`` that adds
``training.n_steps`` steps to a model (unfitted for the first ones) and returns it.
All its randomness comes from `Training`, by step: the same steps on the same rows give
the same model in whatever portions they are done (boosters: in the same portions).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from inspect import signature
from typing import Any

import numpy as np

from skhpo._rng import child_rng
from skhpo._sklearn_compat import check_method_params, num_samples, safe_split

__all__ = [
    "BoosterFit",
    "PartialFit",
    "Trainer",
    "Training",
    "WarmStart",
    "grow",
    "takes_labels",
]


@dataclass(frozen=True, eq=False)
class Training:
    """The rows and the steps that a trainer is given.

    Parameters
    ----------
    X, y : array-like
        The rows; `y` may be None.
    seed : numpy.random.SeedSequence
        Root of the randomness of this training: one for each split, the same for
        all members of a population, so that their comparison is paired.
    first_step : int, default=0
        How many steps the model has behind it.
    n_steps : int, default=1
        How many to add.
    batch_size : int or None, default=None
        Rows in each call of ``partial_fit``; None for one call with all of them.
    classes : array or None, default=None
        All labels of the problem, also those that these rows lack.
    fit_params : mapping of str to object, default={}
        Sample weights and the like; those as long as `X` go with its rows.
    """

    X: Any
    y: Any
    seed: np.random.SeedSequence
    first_step: int = 0
    n_steps: int = 1
    batch_size: int | None = None
    classes: np.ndarray | None = None
    fit_params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def total_steps(self) -> int:
        """Steps behind the model when this training is over."""
        return self.first_step + self.n_steps

    def portion(self, first_step: int, n_steps: int) -> Training:
        """Return the same training for other steps.

        Parameters
        ----------
        first_step : int
            How many steps the model has behind it.
        n_steps : int
            How many to add.

        Returns
        -------
        Training
            A new one.
        """
        return replace(self, first_step=first_step, n_steps=n_steps)

    def rng(self, *key: int) -> np.random.Generator:
        """Return the generator of one step, or of the whole training.

        Parameters
        ----------
        *key : int
            The step; nothing for the whole training.

        Returns
        -------
        numpy.random.Generator
            The same one for the same arguments.
        """
        return child_rng(self.seed, "train", *key)

    @property
    def weighted_rows(self) -> np.ndarray:
        """Numbers of the rows that count: without those whose sample weight is zero.

        All of them if none has a weight: what that means is for the model to say.
        """
        rows = np.arange(num_samples(self.X))
        weight = self.fit_params.get("sample_weight")
        if weight is None or np.shape(weight) != rows.shape:
            return rows
        weighted = rows[np.asarray(weight) != 0]
        return weighted if len(weighted) else rows

    def rows(self, model: Any, rows: np.ndarray) -> tuple[Any, Any, dict[str, Any]]:
        """Return X, y and the fit parameters of some rows, in their order.

        Parameters
        ----------
        model : estimator
            Who gets them (of a kernel matrix the columns are taken as well).
        rows : array of int
            Row numbers.

        Returns
        -------
        tuple
            X, y (or None) and a dict.
        """
        if type(self.X) is np.ndarray and (
            self.y is None or type(self.y) is np.ndarray
        ):
            X, y = _rows_of(self.X, rows), None if self.y is None else self.y[rows]
        else:
            X, y = safe_split(model, self.X, self.y, rows)
        if not self.fit_params:
            return X, y, {}
        params = check_method_params(self.X, params=dict(self.fit_params), indices=rows)
        return X, y, params

    def owned(self, model: Any) -> Training:
        """Return the same training on rows that nobody else has.

        Parameters
        ----------
        model : estimator
            Who gets them.

        Returns
        -------
        Training
            With copies of the rows, and of what goes with them.
        """
        rows = np.arange(num_samples(self.X))
        X, y, params = self.rows(model, rows)
        return replace(self, X=X, y=y, fit_params={**self.fit_params, **params})


def _rows_of(array: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return rows of an array, which `take` copies up to four times as fast.

    Of another layout it would copy all of the array first.
    """
    if array.ndim > 1 and array.flags.c_contiguous:
        return array.take(rows, axis=0)
    return array[rows]


# Of (model, training): adds the steps to the model and returns it, see the module.
Trainer = Callable[[Any, Training], Any]


@lru_cache  # reading a signature takes 50 us, and short steps take not much longer
def takes_labels(partial_fit: Callable[..., Any]) -> bool:
    """Whether the function behind a method ``partial_fit`` must be told all labels."""
    return "classes" in signature(partial_fit).parameters


@dataclass(frozen=True)
class PartialFit:
    """A step is one pass over all rows by ``partial_fit``, in a new order each time.

    A row with a sample weight of zero is as good as removed: estimators refuse a batch
    of nothing else, which is drawn by chance.

    With an int as ``random_state``, estimators shuffle in the same order at every
    call of ``partial_fit``, which costs accuracy; so rows are permuted here, and each
    step gets a seed of its own.
    """

    def __call__(self, model: Any, training: Training) -> Any:
        """Add the steps of `training` to `model` and return it."""
        labels = {}
        method = getattr(model.partial_fit, "__func__", model.partial_fit)
        if training.classes is not None and takes_labels(method):
            labels = {"classes": training.classes}
        seeded = hasattr(model, "random_state")
        own_seed = model.random_state if seeded else None
        weighted = training.weighted_rows
        try:
            for step in range(training.first_step, training.total_steps):
                rng = training.rng(step)
                order = rng.permutation(weighted)
                if seeded:
                    # Combined, so that a model with another seed is another model.
                    seed = int(rng.integers(2**31 - 1)) ^ _as_int(own_seed)
                    model.random_state = seed
                for rows in _batches(order, training.batch_size):
                    X, y, params = training.rows(model, rows)
                    model.partial_fit(X, y, **labels, **params)
        finally:
            if seeded:
                model.random_state = own_seed
        return model


def grow(trainer: Trainer, model: Any, training: Training) -> Any:
    """Train a model, which may write into its rows without changing anybody's data.

    Parameters
    ----------
    trainer : callable
        How.
    model : estimator
        What.
    training : Training
        Rows and steps.

    Returns
    -------
    estimator
        The model.
    """
    if isinstance(trainer, PartialFit):  # each of its batches is a copy
        return trainer(model, training)
    return trainer(model, training.owned(model))


def _as_int(seed: Any) -> int:
    """Return the user's seed, 0 if there is none or it is a generator."""
    return int(seed) if isinstance(seed, int | np.integer) else 0


def _batches(order: np.ndarray, size: int | None) -> list[np.ndarray]:
    if size is None or size >= len(order):
        return [order]
    return [order[start : start + size] for start in range(0, len(order), size)]


def _refuse_batches(model: Any, training: Training) -> None:
    if training.batch_size is not None:
        raise ValueError(
            f"{type(model).__name__} grows on all rows at once: batch_size must be "
            f"None. Got {training.batch_size!r} instead."
        )


@dataclass(frozen=True)
class WarmStart:
    """A step is one more unit of a size parameter, by ``warm_start=True``.

    Parameters
    ----------
    resource : str
        The size parameter, such as ``"n_estimators"``.
    during : mapping of str to object, default={}
        Other parameters to set while it trains.
    """

    resource: str
    during: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, model: Any, training: Training) -> Any:
        """Add the steps of `training` to `model` and return it."""
        _refuse_batches(model, training)
        own = model.get_params(deep=False)
        during = {"warm_start": True, **self.during}
        after = {name: own[name] for name in during}
        during[self.resource] = training.total_steps
        if "random_state" in own:
            # The seed must be the same at every call: forests draw the seeds of the
            # old trees again to come to those of the new ones.
            after["random_state"] = own["random_state"]
            if not isinstance(own["random_state"], int | np.integer):
                during["random_state"] = int(training.rng().integers(2**31 - 1))
        model.set_params(**during)
        try:
            model.fit(training.X, training.y, **training.fit_params)
        finally:
            model.set_params(**after)
        return model


@dataclass(frozen=True)
class BoosterFit:
    """A step is one more tree of LightGBM or XGBoost, by handing in the old ones.

    Parameters
    ----------
    argument : str
        Name of the argument of ``fit`` that takes the model to continue.
    resource : str, default="n_estimators"
        The size parameter.
    """

    argument: str
    resource: str = "n_estimators"

    def __call__(self, model: Any, training: Training) -> Any:
        """Add the steps of `training` to `model` and return it."""
        _refuse_batches(model, training)
        own = model.get_params(deep=False)
        seed = int(training.rng(training.first_step).integers(2**31 - 1))
        during = {self.resource: training.n_steps}
        if own.get("random_state") is None or training.first_step:
            # The new trees must not sample the rows and columns of the first ones.
            during["random_state"] = seed
        model.set_params(**during)
        params = dict(training.fit_params)
        if training.first_step:
            params[self.argument] = _old_booster(model)
        try:
            model.fit(training.X, training.y, **params)
        finally:
            after = {self.resource: training.total_steps}
            model.set_params(**after, random_state=own.get("random_state"))
        return model


def _old_booster(model: Any) -> Any:
    """Return the trees so far; both libraries copy them."""
    return model.get_booster() if hasattr(model, "get_booster") else model.booster_
