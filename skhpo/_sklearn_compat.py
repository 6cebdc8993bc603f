"""The only door to scikit-learn's private names.

Everything of scikit-learn that is private by name, and every difference between
its supported versions, enters skhpo here; the linter bans such imports elsewhere.
A name that is missing fails at import with one clear sentence, and a test asserts
the parameters of each on the oldest and the newest supported version.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from traceback import format_exception_only
from typing import Any

import numpy as np
import sklearn
from sklearn.base import is_classifier, is_regressor
from sklearn.metrics import accuracy_score, r2_score

try:
    from sklearn.base import _fit_context as fit_context
    from sklearn.metrics._scorer import (
        _MultimetricScorer,
        _PassthroughScorer,
        _Scorer,
    )
    from sklearn.model_selection._search import BaseSearchCV
    from sklearn.model_selection._search import (
        _search_estimator_has as search_estimator_has,
    )
    from sklearn.model_selection._validation import (
        _score as score_estimator,
    )
    from sklearn.model_selection._validation import (
        _warn_or_raise_about_fit_failures as warn_or_raise_about_fit_failures,
    )
    from sklearn.utils._array_api import _convert_to_numpy, device, get_namespace
    from sklearn.utils._param_validation import (
        HasMethods,
        Interval,
        InvalidParameterError,
        StrOptions,
        validate_parameter_constraints,
    )
    from sklearn.utils.metaestimators import _safe_split as safe_split
    from sklearn.utils.validation import (
        _check_method_params as check_method_params,
    )
    from sklearn.utils.validation import (
        _num_samples as num_samples,
    )
except ImportError as error:  # pragma: no cover - only with an unknown scikit-learn
    raise ImportError(
        f"skhpo does not know scikit-learn {sklearn.__version__}: {error}. Install a "
        "newer skhpo, or the newest scikit-learn that this one was tested with."
    ) from error

try:  # scikit-learn >= 1.9
    from sklearn.callback._callback_context import get_context_path
except ImportError:
    get_context_path = None

__all__ = [
    "HAS_CALLBACKS",
    "INCONSISTENT_SPLITS",
    "BaseSearchCV",
    "FitHooks",
    "HasMethods",
    "Interval",
    "InvalidParameterError",
    "RootHooks",
    "ScoreFunction",
    "StrOptions",
    "as_numpy",
    "asks_for_probabilities",
    "check_method_params",
    "deciding_scorer",
    "fit_context",
    "is_foreign_array",
    "is_multimetric",
    "noting_responses",
    "noting_scorer",
    "num_samples",
    "rows_like",
    "safe_split",
    "score_estimator",
    "score_function",
    "search_estimator_has",
    "sees_predictions_only",
    "strict_scorer",
    "validate_parameter_constraints",
    "warn_or_raise_about_fit_failures",
    "without_estimator",
]

HAS_CALLBACKS = hasattr(BaseSearchCV, "_init_callback_context")

# The verb changed in scikit-learn 1.9; people match on the sentence.
INCONSISTENT_SPLITS = (
    f"cv.split and cv.get_n_splits {'return' if HAS_CALLBACKS else 'returned'} "
    "inconsistent results. Expected {} splits, got {}"
)


def is_multimetric(scorer: Any) -> bool:
    """Whether `scorer` is scikit-learn's container of several named scorers."""
    return hasattr(scorer, "_scorers")


def strict_scorer(scorer: Any) -> Any:
    """Return the same scorer, but for several metrics one that raises on failure."""
    if not is_multimetric(scorer):
        return scorer
    return type(scorer)(scorers=scorer._scorers, raise_exc=True)


def noting_scorer(scorer: Any, errors: list[str]) -> Any:
    """Return the same scorer, but one that adds to `errors` what it fails with.

    Of an exception that is to score ``error_score``, scikit-learn warns, which nobody
    may see that is in another process.
    """
    noting = _NotingScorers if is_multimetric(scorer) else _NotingScorer
    return noting(scorer, errors)


class _NotingScorer:
    def __init__(self, scorer: Any, errors: list[str]) -> None:
        self._scorer = scorer
        self._errors = errors

    def __repr__(self) -> str:  # for scikit-learn's messages
        return repr(self._scorer)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return self._scorer(*args, **kwargs)
        except Exception as error:
            self._errors.append("".join(format_exception_only(error)).strip())
            raise


class _NotingScorers(_MultimetricScorer):
    def __init__(self, scorer: Any, errors: list[str]) -> None:
        super().__init__(scorers=scorer._scorers, raise_exc=scorer._raise_exc)
        self._errors = errors

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        scores = super().__call__(*args, **kwargs)
        # Tracebacks, in the place of the scores of those that failed.
        texts = [text for text in scores.values() if isinstance(text, str)]
        self._errors += [text.strip().rpartition("\n")[2] for text in texts]
        return scores


def noting_responses(scorer: Any, name: str, note: Callable[[Any, str], object]) -> Any:
    """Return the same scorer, but one that tells what it computes a score from.

    Parameters
    ----------
    scorer : callable
        As scikit-learn made it; the scores do not change.
    name : str
        Of one of several scores.
    note : callable
        ``note(response, method)``. Not called by the estimator's own ``score``.
    """
    if is_multimetric(scorer):
        part = noting_responses(scorer._scorers[name], name, note)
        parts = {**scorer._scorers, name: part}
        return type(scorer)(scorers=parts, raise_exc=scorer._raise_exc)
    if not isinstance(scorer, _Scorer):
        return scorer

    def score(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        def noting(estimator: Any, method: str, *args: Any, **kwargs: Any) -> Any:
            response = call(estimator, method, *args, **kwargs)
            note(response, method)
            return response

        return scorer._score(noting, *args, **kwargs)

    noted = copy.copy(scorer)
    noted._score = score
    return noted


def deciding_scorer(scorer: Any, name: str) -> Any:
    """Return the scorer of this name, of one or several."""
    return scorer._scorers[name] if is_multimetric(scorer) else scorer


@dataclass(frozen=True)
class ScoreFunction:
    """How a score is computed from a target and a response.

    Parameters
    ----------
    function : callable
        ``function(y, response, **kwargs)``.
    kwargs : dict of str to object
        What it is given beside the data.
    sign : int
        -1 if less is better.
    predicts : bool
        Whether the response is a prediction, which means the same in every split, and
        no decision value or probability.
    """

    function: Callable[..., float]
    kwargs: Mapping[str, Any]
    sign: int
    predicts: bool = True


def score_function(scorer: Any, final: Any) -> ScoreFunction | None:
    """Return how a scorer of scikit-learn's computes its score.

    Parameters
    ----------
    scorer : callable
        A single one.
    final : estimator
        The last step of what is scored.

    Returns
    -------
    ScoreFunction or None
        None if that is not known: of a callable of the user's, of the ``score`` of
        what is neither classifier nor regressor. That of a classifier is taken for
        its accuracy, which some define otherwise.
    """
    if isinstance(scorer, _Scorer):
        kwargs = dict(scorer._kwargs or {})
        predicts = scorer._response_method == "predict"
        return ScoreFunction(scorer._score_func, kwargs, scorer._sign, predicts)
    if type(scorer) is not _PassthroughScorer:
        return None
    if is_classifier(final):
        return ScoreFunction(accuracy_score, {}, 1)
    return ScoreFunction(r2_score, {}, 1) if is_regressor(final) else None


def sees_predictions_only(scorer: Any) -> bool:
    """Whether `scorer` just calls the estimator's ``predict``, ``score`` and the like.

    Such a scorer gives the same for a pipeline as for its last step on transformed
    data. A callable of the user's may look at anything.
    """
    parts = scorer._scorers.values() if is_multimetric(scorer) else [scorer]
    return all(type(part) in (_PassthroughScorer, _Scorer) for part in parts)


def asks_for_score(scorer: Any) -> bool:
    """Whether `scorer`, or one of several, is the estimator's own ``score``."""
    parts = scorer._scorers.values() if is_multimetric(scorer) else [scorer]
    return any(type(part) is _PassthroughScorer for part in parts)


def asks_for_probabilities(scorer: Any) -> bool:
    """Whether `scorer`, or one of several, may call ``predict_proba``."""
    parts = scorer._scorers.values() if is_multimetric(scorer) else [scorer]
    return any(
        "predict_proba" in str(getattr(part, "_response_method", "predict_proba"))
        for part in parts
        if type(part) is not _PassthroughScorer
    )


def scorer_parts(scorer: Any) -> tuple[Any, int, dict[str, Any], Any] | None:
    """Return metric, sign, keywords and response method; None of any other callable."""
    if type(scorer) is not _Scorer:
        return None
    parts = scorer._score_func, scorer._sign, scorer._kwargs, scorer._response_method
    return parts


def without_estimator(scorer: Any) -> Any:
    """Return what of `scorer` decides a score, for `None` the request of the estimator.

    The scorer that calls the estimator's ``score`` holds the one that was given to the
    search, fitted or not, and asks it for nothing but its metadata request.
    """
    if is_multimetric(scorer):
        return {name: without_estimator(s) for name, s in scorer._scorers.items()}
    if type(scorer) is not _PassthroughScorer:
        return scorer
    return _PassthroughScorer, getattr(scorer._estimator, "_metadata_request", None)


def rows_like(X: Any, rows: Any) -> Any:
    """Return row numbers as an array of the library and on the device of `X`.

    Splitters speak NumPy only; with array API dispatch, `X` may not be indexed so.
    """
    if not sklearn.get_config()["array_api_dispatch"]:
        return np.asarray(rows)
    xp, _ = get_namespace(X)
    return xp.asarray(rows, device=device(X))


def as_numpy(values: Any) -> Any:
    """Return an array of any library, and from any device, as one of NumPy."""
    if not sklearn.get_config()["array_api_dispatch"]:
        return np.asarray(values)
    xp, is_array = get_namespace(values)
    return _convert_to_numpy(values, xp) if is_array else np.asarray(values)


def is_foreign_array(values: Any) -> bool:
    """Whether these are an array of another library than NumPy, and kept as such."""
    if not sklearn.get_config()["array_api_dispatch"]:
        return False
    return get_namespace(values)[1] and not isinstance(values, np.ndarray)


class FitHooks:
    """The callback hooks around one evaluation, in the order scikit-learn has them.

    Without a context (nobody listens, or scikit-learn before 1.9) every method does
    nothing, at the price of one comparison.

    Parameters
    ----------
    context : CallbackContext or None
        The leaf of the task tree that stands for this evaluation.
    caller : estimator
        The search, which the hooks get as their estimator.
    """

    def __init__(self, context: Any = None, caller: Any = None) -> None:
        self._context = context
        self._caller = caller

    @property
    def are_heard(self) -> bool:
        """Whether somebody listens, who expects to hear of each fit once."""
        return self._context is not None

    @contextmanager
    def fitting(self, estimator: Any, X: Any, y: Any, params: dict) -> Iterator[None]:
        """Call the begin hooks, and let `estimator` report below this task."""
        if self._context is None:
            yield
            return
        with self._context.propagate_callback_context(estimator):
            self._context.call_on_fit_task_begin(
                estimator=self._caller, X=X, y=y, metadata=_metadata(params)
            )
            yield

    def end(self, X: Any, y: Any, params: dict) -> bool:
        """Call the end hooks; True if one of them asks for the search to stop."""
        if self._context is None:
            return False
        return self._context.call_on_fit_task_end(
            estimator=self._caller, X=X, y=y, metadata=_metadata(params)
        )


class RootHooks:
    """The callback hooks of a whole ``fit``: root task, search, evaluations, refit.

    Parameters
    ----------
    search : BaseSearch
        The search that is being fitted.
    X, y : array-like
        Its training data.
    params : dict
        The parameters of its ``fit``, of which callbacks see the sample weights.
    """

    def __init__(self, search: Any, X: Any, y: Any, params: dict) -> None:
        self._search = search
        self._data = {"X": X, "y": y, "metadata": _metadata(params)}
        self._root: Any = None
        self._tasks: Any = None
        if HAS_CALLBACKS:
            has_finalists = bool(getattr(search, "finalists", 0))
            n_tasks = 1 + has_finalists + (search.refit is not False)
            self._root = search._init_callback_context(max_subtasks=n_tasks)
            self._root.call_on_fit_task_begin(estimator=search, **self._data)

    @property
    def listening(self) -> bool:
        """Whether a callback hears of the evaluations.

        The task tree costs 10 ms per task to send to a worker process, so it is
        left out where neither the search nor anything inside it has callbacks.
        """
        if self._root is None:
            return False
        search = self._search
        inner = [search.estimator, *search.estimator.get_params().values()]
        return (
            bool(getattr(search, "_skl_callbacks", None))
            or hasattr(search, "_parent_callback_ctx")
            or any(getattr(part, "_skl_callbacks", None) for part in inner)
        )

    @contextmanager
    def searching(
        self, n_evaluations: int | None, name: str = "search"
    ) -> Iterator[None]:
        """Open a task that holds evaluations (None: their number is not known)."""
        if self._root is None:
            yield
            return
        self._tasks = self._root.subcontext(
            task_name=name, max_subtasks=n_evaluations, sequential_subtasks=False
        )
        self._tasks.call_on_fit_task_begin(estimator=self._search)
        yield
        self._tasks.call_on_fit_task_end(estimator=self._search)

    def evaluation(self, task_id: int, *, slim: bool) -> Any:
        """Return the context of one evaluation; `slim` to send it elsewhere.

        Pickling a context pickles its parents with all their children; a slim
        one is a copy of the path from the root to the leaf and nothing else.
        """
        if self._tasks is None:
            return None
        context = self._tasks.subcontext(
            task_name="candidate-split-evaluation", task_id=task_id
        )
        return _copy_path(context) if slim else context

    @contextmanager
    def refitting(self, estimator: Any) -> Iterator[None]:
        """Open the task of the refit and let `estimator` report below it."""
        if self._root is None:
            yield
            return
        task = self._root.subcontext(task_name="refit-with-best-params")
        with task.propagate_callback_context(estimator):
            task.call_on_fit_task_begin(estimator=self._search, **self._data)
            yield
        task.call_on_fit_task_end(estimator=self._search, **self._data)

    def end(self) -> None:
        """Call the end hooks of the root."""
        if self._root is not None:
            self._root.call_on_fit_task_end(estimator=self._search, **self._data)


def _metadata(params: dict) -> dict | None:
    weight = params.get("sample_weight")
    return None if weight is None else {"sample_weight": weight}


def _copy_path(context: Any) -> Any:
    parent = None
    for node in get_context_path(context):
        node = copy.copy(node)
        node.parent, node._children_map = parent, {}
        parent = node
    return parent
