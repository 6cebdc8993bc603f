"""Train a bit more, from a given state, with given parameters.

The unit of population based training, of schedules and of halving with continuation.
A pipeline is trained in two parts: its transformers (the *prefix*) are fitted once, the
last step (the *model*) is trained step by step on the transformed rows. So parameters
of the prefix are fixed at birth, and those of the model may change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import process_routing

from skhpo._rng import child_rng
from skhpo._trial import Params
from skhpo.evaluation.training._mutability import apply_params
from skhpo.evaluation.training._registry import INCREMENTAL, find_incremental
from skhpo.evaluation.training._rules import Incremental
from skhpo.evaluation.training._trainers import Training, grow

__all__ = ["Parts", "continued", "fit_prefix", "replay", "take_apart", "train"]

Schedule = Sequence[tuple[int, Params]]


@dataclass(frozen=True)
class Parts:
    """An estimator, taken apart into what is fitted once and what is trained.

    Parameters
    ----------
    whole : estimator
        The estimator itself, a clone with its parameters set.
    prefix : Pipeline or None
        The transformers, None if there are none.
    model : estimator
        The last step, or the estimator itself.
    name : str
        Name of the last step; "" outside of a pipeline.
    entry : Incremental
        How the model is trained.
    """

    whole: Any
    prefix: Pipeline | None
    model: Any
    name: str
    entry: Incremental

    def own_params(self, params: Params) -> dict[str, Any]:
        """Return the parameters of the model among those of the whole, by its names."""
        if not self.name:
            return dict(params)
        start = f"{self.name}__"
        return {
            name.removeprefix(start): value
            for name, value in params.items()
            if name.startswith(start)
        }

    def whole_name(self, name: str) -> str:
        """Return the name that the whole has for a parameter of the model."""
        return f"{self.name}__{name}" if self.name else name

    def fit_params_of(self, fit_params: Mapping[str, Any]) -> tuple[dict, dict]:
        """Return what is for the prefix and what is for the model.

        As `Pipeline.fit` does it: by metadata routing if that is enabled, else by the
        name of the step that comes first.
        """
        if not self.name or not fit_params:
            return {}, dict(fit_params)
        if get_config()["enable_metadata_routing"]:
            routed = process_routing(self.whole, "fit", **fit_params)
            used = {
                name
                for step, _ in self.whole.steps[:-1]
                for method in routed[step].values()
                for name in method
            }
            prefix = {n: v for n, v in fit_params.items() if n in used}
            return prefix, dict(routed[self.name].fit)
        unknown = [name for name in fit_params if "__" not in name]
        if unknown:
            raise ValueError(
                f"The fit parameters {unknown} must say which step they are for, such "
                f"as {self.whole_name(unknown[0])!r}."
            )
        start = f"{self.name}__"
        prefix = {n: v for n, v in fit_params.items() if not n.startswith(start)}
        return prefix, self.own_params(fit_params)

    def assemble(self, prefix: Pipeline | None, model: Any) -> Any:
        """Return the whole as a fitted estimator, from its fitted parts."""
        if not self.name:
            return model
        steps = [] if prefix is None else list(prefix.steps)
        pipeline = clone(self.whole)
        pipeline.steps = [*steps, (self.name, model)]
        return pipeline


def take_apart(
    estimator: Any, params: Params | None = None, resource: str | None = None
) -> Parts:
    """Clone an estimator with parameters, and take it apart.

    Parameters
    ----------
    estimator : estimator
        An estimator that can be trained step by step, or a pipeline that ends in one.
    params : mapping of str to object, optional
        Parameters to set.
    resource : str or None, default=None
        A size parameter to grow by warm start.

    Returns
    -------
    Parts
        Nothing of it is fitted.

    Raises
    ------
    ValueError
        If the estimator cannot continue its training: names those that can. Also if
        one of its settings rules it out, such as ``early_stopping=True``.

    Examples
    --------
    >>> from sklearn.linear_model import SGDClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> parts = take_apart(make_pipeline(StandardScaler(), SGDClassifier()))
    >>> parts.prefix, parts.model
    (Pipeline(steps=[('standardscaler', StandardScaler())]), SGDClassifier())
    """
    whole = clone(estimator)
    if params:
        # Values may be estimators, which members must not share.
        whole.set_params(**clone(dict(params), safe=False))
    prefix, model, name = None, whole, ""
    if isinstance(whole, Pipeline):
        _check_pipeline(whole)
        name, model = whole.steps[-1]
        if len(whole.steps) > 1:
            prefix = Pipeline(whole.steps[:-1])
    entry = find_incremental(model, resource)
    if entry is None:
        raise ValueError(_cannot_continue(model, resource))
    entry.check(model)
    return Parts(whole, prefix, model, name, entry)


def continued(estimator: Any, model: Any, resource: str | None = None) -> Parts:
    """Return the parts of an estimator whose model is trained already.

    Unlike `take_apart` it clones nothing, which matters for short steps.

    Parameters
    ----------
    estimator : estimator
        The whole.
    model : estimator
        Its last step, or a whole that is no pipeline, half trained.
    resource : str or None, default=None
        As for `take_apart`.

    Returns
    -------
    Parts
        Without the prefix, which is fitted already.
    """
    entry = find_incremental(model, resource)
    assert entry is not None, "a half-trained model can be trained"
    name = estimator.steps[-1][0] if isinstance(estimator, Pipeline) else ""
    return Parts(estimator, None, model, name, entry)


def _check_pipeline(pipeline: Pipeline) -> None:
    if type(pipeline) is not Pipeline:
        raise ValueError(
            f"{type(pipeline).__name__} is not trained step by step: it may do more "
            "than a Pipeline of scikit-learn, such as resampling rows. Do that before."
        )
    if getattr(pipeline, "transform_input", None) is not None:
        raise ValueError(
            "A Pipeline with transform_input is not trained step by step. Transform "
            "these inputs before, and pass transform_input=None."
        )


def _cannot_continue(model: Any, resource: str | None) -> str:
    name = type(model).__name__
    message = f"{name} cannot continue its training"
    if resource is not None:
        message += f" with resource={resource!r}"
    inner = [
        part
        for part in ("estimator", "regressor", "base_estimator")
        if find_incremental(getattr(model, part, None)) is not None
    ]
    if inner and resource is None:
        message += (
            f": it fits its {inner[0]!r} anew at every fit. Search that one directly, "
            f"and put {name} around the search"
        )
    return (
        f"{message}. It needs a partial_fit method, or one of these classes: "
        f"{', '.join(INCREMENTAL.class_names())}. To add a class, see "
        "skhpo.register_incremental."
    )


def train(model: Any, entry: Incremental, params: Params, training: Training) -> Any:
    """Set parameters and train a bit more; the model is changed and returned.

    Parameters
    ----------
    model : estimator
        Unfitted if ``training.first_step`` is 0, else half trained.
    entry : Incremental
        How it is trained.
    params : mapping of str to object
        Parameters to train with, by the names of the model.
    training : Training
        Rows and steps.

    Returns
    -------
    estimator
        The model.
    """
    apply_params(model, entry, params)
    return grow(entry.trainer, model, training)


@contextmanager
def seeded(estimator: Any, rng: np.random.Generator) -> Iterator[None]:
    """Give every part that is random without a seed one, for a while."""
    unseeded = [
        name
        for name, value in sorted(estimator.get_params().items())
        if name.rpartition("__")[2] == "random_state" and value is None
    ]
    estimator.set_params(**{n: int(rng.integers(2**31 - 1)) for n in unseeded})
    try:
        yield
    finally:
        estimator.set_params(**dict.fromkeys(unseeded))


def fit_prefix(
    prefix: Pipeline, training: Training, fit_params: Mapping[str, Any]
) -> tuple[Pipeline, Any]:
    """Fit the transformers and return them with the transformed rows."""
    with seeded(prefix, child_rng(training.seed, "prefix")):
        Xt = prefix.fit_transform(training.X, training.y, **fit_params)
    return prefix, Xt


def replay(
    estimator: Any,
    schedule: Schedule,
    training: Training,
    *,
    resource: str | None = None,
    portion: int | None = None,
    after_step: Callable[[Any, int], Params | None] | None = None,
) -> Any:
    """Train an estimator from scratch along a schedule.

    Parameters
    ----------
    estimator : estimator
        Cloned, not changed.
    schedule : sequence of (int, mapping)
        ``(start_step, {name: value})``, with steps rising from 0 and the names of the
        estimator; each entry changes what it names from that step on.
    training : Training
        Rows; all of its steps are done.
    resource : str or None, default=None
        A size parameter to grow by warm start.
    portion : int or None, default=None
        The most steps to do in one call of the trainer.
    after_step : callable or None, default=None
        ``after_step(estimator, n_steps)``, called after each portion with what is
        fitted so far; it may return parameters to change.

    Returns
    -------
    estimator
        Fitted: of the class of `estimator`, an ordinary pipeline if it is one.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import SGDClassifier
    >>> X, y = make_classification(random_state=0)
    >>> training = Training(
    ...     X, y, np.random.SeedSequence(0), n_steps=20, classes=np.unique(y)
    ... )
    >>> model = replay(SGDClassifier(), [(0, {"alpha": 0.1}), (10, {"alpha": 1e-4})],
    ...                training)
    >>> model.alpha
    0.0001
    """
    changes = {start: dict(params) for start, params in schedule}
    parts = take_apart(estimator, changes.get(0), resource)
    prefix_params, model_params = parts.fit_params_of(training.fit_params)
    prefix, model = parts.prefix, parts.model
    if prefix is not None:
        prefix, Xt = fit_prefix(prefix, training.owned(prefix), prefix_params)
        training = replace(training, X=Xt)
    training = replace(training, fit_params=model_params)
    reaction: Params = {}
    for start, stop in _portions(changes, training.n_steps, portion):
        own = parts.own_params({**reaction, **changes.get(start, {})})
        model = train(model, parts.entry, own, training.portion(start, stop - start))
        if after_step is not None:
            reaction = after_step(parts.assemble(prefix, model), stop) or {}
    return parts.assemble(prefix, model)


def _portions(
    starts: Mapping[int, Any], n_steps: int, portion: int | None
) -> list[tuple[int, int]]:
    """Cut the steps where parameters change, and after each portion."""
    cuts = {0, n_steps} | {start for start in starts if start < n_steps}
    cuts |= set(range(0, n_steps, portion)) if portion else set()
    ordered = sorted(cuts)
    return list(pairwise(ordered))
