"""From searches and data to their comparison."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.utils import get_tags, indexable

from skhpo._arithmetic import own_arithmetic
from skhpo._comparison._checks import (
    check_numbers,
    check_searches,
    outer_splits,
    shared_metric,
)
from skhpo._comparison._comparison import Comparison
from skhpo._comparison._metrics import best_of_all, compare_pairs
from skhpo._comparison._records import SearchRun
from skhpo._comparison._running import Contest, takes_seed
from skhpo._comparison._summary import judge, summarize
from skhpo._keys import structural_key
from skhpo._rng import seed_sequence
from skhpo._sklearn_compat import num_samples
from skhpo._warnings import warn_user
from skhpo._words import counted
from skhpo.exceptions import AllFitsFailedError, SkhpoWarning

__all__ = ["compare_searches"]


def compare_searches(
    searches: Mapping[str, Any],
    X: Any,
    y: Any = None,
    *,
    cv: Any = None,
    n_seeds: int = 3,
    scoring: Any = None,
    groups: Any = None,
    params: Mapping[str, Any] | None = None,
    rope: float = 0.0,
    level: float = 0.95,
    random_state: Any = None,
    verbose: int = 0,
) -> Comparison:
    """Compare searches by what they find, how soon, at what cost, and how reliably.

    Every search is fitted on the train rows of each outer split, with several seeds,
    and its best model is scored on the test rows, which it has not seen:
    ``best_score_`` is never compared. All have the same splits and the same seeds, and
    take turns in being first.

    Parameters
    ----------
    searches : dict of str to estimator
        Two or more searches, of skhpo, of scikit-learn or of others, by the names by
        which to speak of them. They are cloned and fitted anew, also fitted ones.
    X : array-like of shape (n_samples, n_features)
        The data.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        The target; None for unsupervised estimators that have a score.
    cv : int, splitter, iterable or None, default=None
        The outer splits, two or more; None is 5 folds, an integer that many
        (stratified for classifiers). The inner ones are those of the searches.
    n_seeds : int, default=3
        How many times each search is fitted on each split, with another
        `random_state`. One without such a parameter is fitted once per split.
    scoring : str, callable or None, default=None
        The outer score; greater is better. None is the one by which the searches
        choose, if they have it in common.
    groups : array-like of shape (n_samples,), default=None
        For the outer splitter, and for those inner ones that ask for groups.
    params : dict of str to object, default=None
        Parameters of ``fit`` of all searches, such as ``sample_weight``; those as long
        as `X` are split with it.
    rope : float, default=0.0
        A difference of scores that counts as none.
    level : float, default=0.95
        Of the intervals, from 0.5 to 0.9999. A winner is named with a probability of
        ``(1 + level) / 2`` or more of being better than each of the others: of two
        equal searches, one is then named in ``1 - level`` of all comparisons.
    random_state : int, RandomState, Generator or None, default=None
        The root of all seeds. The `random_state` of the searches does not count.
    verbose : int, default=0
        Above 0, prints a line for each run.

    Returns
    -------
    Comparison
        ``print`` it, or take its attributes.

    Raises
    ------
    TypeError
        If one of the searches is none.
    ValueError
        If there are fewer than two searches or outer splits, or no score in common.
    AllFitsFailedError
        If no run has an outer score.

    See Also
    --------
    report : What the result of one fitted search is worth.
    recommend_search : Which search to take for an estimator and some data.

    Notes
    -----
    The scores of a search on a split are averaged over the seeds. Of the differences
    of two searches on the k splits, the probabilities are those of the Bayesian
    correlated t test [1]_, whose variance is that of Nadeau and Bengio [2]_ for splits
    that share train rows. They are about these data, and about searches with these
    budgets. Of accuracies and other proportions, no doubt is smaller than that of so
    many test rows.

    Runs that fail, or score NaN, are counted and told of; such a search is not named
    the winner. Searches run one after the other, with the `n_jobs` that each of them
    has.

    References
    ----------
    .. [1] G. Corani and A. Benavoli, "A Bayesian approach for comparing
       cross-validated algorithms on multiple data sets", Machine Learning 100,
       285-304, 2015.
    .. [2] C. Nadeau and Y. Bengio, "Inference for the generalization error", Machine
       Learning 52, 239-281, 2003.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skhpo import GridSearch, RandomSearch, compare_searches
    >>> X, y = load_iris(return_X_y=True)
    >>> searches = {
    ...     "grid": GridSearch(SVC(), {"C": [0.1, 1, 10]}),
    ...     "random": RandomSearch(SVC(), {"C": loguniform(0.1, 10)}, n_iter=3),
    ... }
    >>> found = compare_searches(searches, X, y, n_seeds=2, random_state=0)
    >>> print(found.winner)
    None
    """
    check_numbers(n_seeds, rope, level)
    named, notes = check_searches(searches)
    metric, is_shared = shared_metric(named, scoring)
    X, y, groups = indexable(X, y, groups)
    _check_target(named, y)
    splits = outer_splits(cv, X, y, groups, next(iter(named.values())))
    contest = Contest(
        named,
        *(X, y, splits),
        scoring=scoring,
        params=params or {},
        groups=groups,
        n_seeds=int(n_seeds),
        root=seed_sequence(random_state),
    )
    runs = _run_all(contest, verbose)
    _tell_failures(named, runs)
    is_comparable = is_shared and _same_splits(named)
    notes += _notes(named, is_shared, is_comparable, int(n_seeds))
    with own_arithmetic():
        judged = judge(named, runs, splits, float(level))
        pairs = compare_pairs(
            judged.means, splits.ratio, float(rope), float(level), judged.n_rows
        )
        found = summarize(named, runs, judged, contest.spaces, is_comparable)
    return Comparison(
        metric,
        found,
        pairs,
        best_of_all(pairs, [n for n, s in found.items() if s.n_failed], float(level)),
        runs,
        n_splits=len(splits.pairs),
        n_seeds=int(n_seeds),
        n_rows=num_samples(X),
        ratio=splits.ratio,
        rope=float(rope),
        level=float(level),
        notes=notes,
    )


def _check_target(searches: Mapping[str, Any], y: Any) -> None:
    """Raise ValueError if there is no target and an estimator needs one."""
    if y is not None:
        return
    for name, search in searches.items():
        if get_tags(search.estimator).target_tags.required:
            raise ValueError(
                f"{name!r} tunes {type(search.estimator).__name__}, which requires y "
                "to be passed, but the target y is None."
            )


def _run_all(contest: Contest, verbose: int) -> list[SearchRun]:
    contest.warm_up()
    runs = []
    for name, split, seed in contest.plan():
        runs.append(run := contest.run(name, split, seed))
        if verbose > 0:
            result = run.failure or f"{run.score:.4g} in {run.seconds:.3g} s"
            print(f"{name}, split {split}, seed {seed}: {result}")
    return runs


def _tell_failures(searches: Mapping[str, Any], runs: Sequence[SearchRun]) -> None:
    """Warn of runs without a score; raise AllFitsFailedError if there are no others."""
    told = []
    for name in searches:
        own = [run for run in runs if run.search == name]
        failures = Counter(run.failure for run in own if run.failure)
        for failure, n in failures.most_common():
            told.append(
                f"{name!r} failed in {n} of {counted(len(own), 'run')}: {failure}"
            )
    if not told:
        return
    text = "\n".join(told)
    if all(run.failure for run in runs):
        raise AllFitsFailedError(f"No run of any search has an outer score.\n{text}")
    warn_user(text, SkhpoWarning)


def _same_splits(searches: Mapping[str, Any]) -> bool:
    """Whether the inner splits are of one kind, so that inner scores compare."""
    return len({structural_key(search.cv) for search in _with_splits(searches)}) < 2


def _with_splits(searches: Mapping[str, Any]) -> list[Any]:
    return [search for search in searches.values() if hasattr(search, "cv")]


def _notes(
    searches: Mapping[str, Any], is_shared: bool, is_comparable: bool, n_seeds: int
) -> list[str]:
    """Return what cannot be said, and why."""
    notes = []
    fixed = [name for name, search in searches.items() if not takes_seed(search)]
    if fixed and n_seeds > 1:
        notes.append(
            f"Without a random_state, {' and '.join(map(repr, fixed))} fitted once per "
            "split, so the luck of seeds is not known."
        )
    if n_seeds == 1:
        notes.append("There is one seed: how much the seed matters is not known.")
    if not is_shared:
        notes.append(
            "Not all searches choose by the outer score, so how soon one was near the "
            "best, and by how much best_score_ is too high, is not said."
        )
    elif not is_comparable:
        notes.append(
            "The inner splits are not the same, so inner scores do not compare: how "
            "soon a search was near the best is not said."
        )
    return notes
