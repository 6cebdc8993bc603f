"""Which stages the fits of a class have: built in, or registered by users."""

from __future__ import annotations

from typing import Any

from skhpo._registry import Registry, check_registration
from skhpo.evaluation.paths._booster_stages import BOOSTER_STAGES
from skhpo.evaluation.paths._sklearn_stages import SKLEARN_STAGES, warm_start
from skhpo.evaluation.paths._stages import EachStage, StageFunction, Stages

__all__ = ["STAGES", "find_stages", "register_stages"]

STAGES: Registry[Stages] = Registry("stages", {**SKLEARN_STAGES, **BOOSTER_STAGES})


def register_stages(
    estimator_class: type | str, parameter: str, stages: StageFunction
) -> None:
    """Let searches choose a number of iterations of your estimator by one fit.

    With it, a :class:`~skhpo.space.Curve` can be the value of the parameter. Searches
    then fit the largest number once per split, and score what `stages` yields. **It
    must equal, bit for bit, what fits with fewer iterations give**: a row of
    ``cv_results_`` says that it is the score of such a fit. Test it, for each option
    of the estimator that plays a part in its fit.

    Parameters
    ----------
    estimator_class : type or str
        The class, or the name it is imported by (``"package.Class"``), so that a
        package can be spoken of without importing it. Subclasses are not meant: they
        may fit otherwise. A second registration replaces the first, and also one
        that comes with this package.
    parameter : str
        The number of iterations. It counts from 1.
    stages : callable
        ``stages(fitted, X, method)`` yields the outputs of `method` ("predict",
        "predict_proba" or "decision_function") with 1 iteration, 2, and so forth, as
        ``fitted.method(X)`` returns them. If it ends early, the fit had ended by
        itself, and the last output counts for all further stages. It must not write
        into `X` and `fitted`, nor into what it has yielded.

    Raises
    ------
    TypeError
        If an argument is not of these kinds.

    See Also
    --------
    register_path : Fitted estimators for many values of a parameter.

    Notes
    -----
    What is registered when a search starts is sent to its workers. Register in the
    module of the estimator, and every search knows it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.base import BaseEstimator, RegressorMixin
    >>> from skhpo import GridSearch, register_stages
    >>> from skhpo.space import Curve
    >>> class Ramp(RegressorMixin, BaseEstimator):
    ...     def __init__(self, n_steps=1):
    ...         self.n_steps = n_steps
    ...     def fit(self, X, y):
    ...         self.step_ = np.mean(y) / 4
    ...         return self
    ...     def predict(self, X):
    ...         return np.full(len(X), self.n_steps * self.step_)
    >>> def climb(fitted, X, method):
    ...     for n_steps in range(1, fitted.n_steps + 1):
    ...         yield np.full(len(X), n_steps * fitted.step_)
    >>> register_stages(Ramp, "n_steps", climb)
    >>> X, y = np.zeros((6, 1)), np.array([4, 8, 6, 6, 6, 6])
    >>> search = GridSearch(
    ...     Ramp(), {"n_steps": Curve(20)}, cv=2, scoring="neg_mean_absolute_error"
    ... ).fit(X, y)
    >>> search.best_params_, search.reuse_.n_fits
    ({'n_steps': 4}, 2)
    """
    check_registration(
        estimator_class,
        (isinstance(parameter, str), "parameter must be a str", parameter),
        (callable(stages), "stages must be callable", stages),
    )
    STAGES.add(estimator_class, Stages((parameter,), EachStage(stages), warm_start))


def find_stages(estimator: Any) -> Stages | None:
    """Return the stages that are registered for the class of `estimator`, if any.

    Parameters
    ----------
    estimator : object
        Any estimator. Its exact class counts: a subclass may have a fit of its own.

    Returns
    -------
    Stages or None
        Whether they are refused is another question.
    """
    return STAGES.find(type(estimator))
