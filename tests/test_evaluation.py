"""The parallel core: workers that die, backends that lack a name, callbacks that stop,
blocks that are cut."""

import itertools
import multiprocessing
import os
import pickle
import signal
import threading
import time
import warnings

import joblib
import numpy as np
import pytest
from estimators import Dying, Failing, Slow, Threshold
from hypothesis import given
from hypothesis import strategies as st
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.process_executor import _ExecutorManagerThread
from sklearn.decomposition import PCA
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skhpo import GridSearch, _clock
from skhpo._keys import params_key, structural_key
from skhpo._sklearn_compat import HAS_CALLBACKS
from skhpo._trial import Candidate
from skhpo.evaluation import _evaluator
from skhpo.evaluation._plan import in_tree_order, split_into_blocks
from skhpo.evaluation.fitting._block import run_block
from skhpo.evaluation.fitting._layout import StepKey
from skhpo.evaluation.fitting._rows import PackedSplits
from skhpo.evaluation.fitting._separate import FitAlone
from skhpo.evaluation.fitting._spec import EvaluationSpec
from skhpo.evaluation.fitting._task import Block, Task
from skhpo.evaluation.fitting._time_slice import TimeSlice
from skhpo.evaluation.workers import _workers
from skhpo.evaluation.workers._shipping import Package
from skhpo.evaluation.workers._workers import WorkerLostError, Workers
from skhpo.exceptions import WorkerDiedWarning

X = np.random.RandomState(0).normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)
LEVELS = {"level": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]}


# Workers that die


# New loky processes import everything anew, for each death.
@pytest.mark.parametrize(
    "backend", ["multiprocessing", pytest.param("loky", marks=pytest.mark.slow)]
)
def test_a_dead_worker_costs_one_candidate(backend):
    """The culprit is found and named; all others have their scores."""
    alive = GridSearch(Threshold(), LEVELS, cv=2).fit(X, Y).cv_results_
    search = GridSearch(Dying(deadly=0.3, spared=os.getpid()), LEVELS, n_jobs=2, cv=2)
    with joblib.parallel_config(backend), warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        search.fit(X, Y)
    died = [w.message for w in heard if isinstance(w.message, WorkerDiedWarning)]
    assert len(died) == 2  # once on each split
    assert all("{'level': 0.3}" in str(message) for message in died)
    scores = search.cv_results_["mean_test_score"]
    expected = np.where(np.arange(6) == 3, np.nan, alive["mean_test_score"])
    np.testing.assert_array_equal(scores, expected)


def test_a_dead_worker_raises_if_asked_to():
    """`error_score="raise"` holds for deaths as well."""
    estimator = Dying(deadly=0.3, spared=os.getpid())
    search = GridSearch(estimator, LEVELS, n_jobs=2, cv=2, error_score="raise")
    with pytest.raises(RuntimeError), pytest.warns(WorkerDiedWarning):
        search.fit(X, Y)


def idle_workers(workers):
    """Return two processes, one of which has the lock to wait for a task."""
    others = {*multiprocessing.active_children()}
    workers.submit(os.getpid)
    workers.fetch()
    pool = {*multiprocessing.active_children()} - others
    time.sleep(0.1)
    return pool


@pytest.mark.parametrize("is_over", [False, True])
def test_workers_may_die_while_they_wait(is_over):
    """One of them has a lock then, which everybody else would wait for."""
    with joblib.parallel_config("multiprocessing"), Workers(2, "all") as workers:
        for process in idle_workers(workers):
            os.kill(process.pid, signal.SIGKILL)
        if is_over:
            return
        number = workers.submit(os.getpid)
        try:
            fetched, _ = workers.fetch()
        except WorkerLostError as error:  # unless the death was heard of before
            lost = workers.recover(error)
        else:
            lost = [fetched]
        assert lost == [number]
        number = workers.submit(os.getpid)
        assert workers.fetch()[0] == number


@pytest.mark.slow  # six processes import everything
def test_a_search_may_lose_its_workers_to_another_one():
    """Which runs in another thread, say, and is out of time: loky's are shared."""
    with Workers(2, "all") as workers, Workers(2, "all") as others:
        number = workers.submit(time.sleep, 3600)
        others.submit(time.sleep, 3600)
        others.restart()
        with pytest.raises(WorkerLostError) as raised:
            workers.fetch()
        assert workers.recover(raised.value) == [number]
        number = workers.submit(os.getpid)
        assert workers.fetch()[0] == number


@pytest.mark.slow  # four processes import everything
def test_a_search_may_lose_its_workers_within_one_block():
    """Where both have been given the same backend by ``parallel_config``."""
    with joblib.parallel_config("loky"), Workers(2, "all") as workers:
        with Workers(2, "all") as others:
            others.submit(time.sleep, 3600)  # and given up
        number = workers.submit(os.getpid)
        assert workers.fetch()[0] == number


def test_threads_are_not_shared_within_one_block():
    """Who leaves takes along nobody else's threads."""
    is_over = threading.Event()
    with joblib.parallel_config("threading"), Workers(2, "all") as workers:
        number = workers.submit(is_over.wait, 500)
        with Workers(2, "all") as others:
            others.submit(os.getpid)
            others.fetch()
        is_over.set()
        assert workers.fetch(500) == (number, True)


def test_tasks_that_were_not_begun_are_given_up_in_silence(monkeypatch):
    """Loky's thread may still have to pass them on when it is told to end."""
    is_ending = _ExecutorManagerThread.is_shutting_down
    has_looked = threading.Event()

    def is_ending_at_last(thread):
        has_looked.set()
        while not thread.executor_flags.shutdown:
            time.sleep(0.01)
        return is_ending(thread)

    monkeypatch.setattr(_ExecutorManagerThread, "is_shutting_down", is_ending_at_last)
    errors = []
    monkeypatch.setattr(threading, "excepthook", errors.append)
    get_reusable_executor().shutdown()  # its thread may be waiting already
    with joblib.parallel_config("loky"), Workers(2, "all") as workers:
        workers.submit(time.sleep, 3600)
        has_looked.wait()
        workers.submit(time.sleep, 3600)
    assert not errors


# Backends


@pytest.mark.parametrize("pre_dispatch", ["all", "n_jobs", "2*n_jobs", 1, "1.5*n_jobs"])
def test_pre_dispatch_bounds_what_is_in_flight(pre_dispatch, monkeypatch):
    """Never more tasks than joblib would have dispatched."""
    in_flight = []
    submit = _workers.Workers.submit

    def counted(workers, *args):
        number = submit(workers, *args)
        in_flight.append(workers.n_pending)
        return number

    monkeypatch.setattr(_workers.Workers, "submit", counted)
    options = {"cv": 3, "n_jobs": 2, "pre_dispatch": pre_dispatch}
    with joblib.parallel_config("threading"):
        GridSearch(Threshold(), LEVELS, **options).fit(X, Y)
    limit = {"all": 4, "n_jobs": 2, "2*n_jobs": 4, 1: 1, "1.5*n_jobs": 3}
    assert max(in_flight) == limit[pre_dispatch]


@pytest.mark.parametrize(
    "backend", ["multiprocessing", pytest.param("loky", marks=pytest.mark.slow)]
)
def test_an_exception_reaches_the_user_and_leaves_no_worker_behind(backend):
    """What a fit raises ends the search at once; the next one works."""
    estimator = Failing(fails="level")
    grid = {"level": [0.0, -1.0, 0.2]}
    with joblib.parallel_config(backend):
        with pytest.raises(ValueError, match="No level below 0"):
            GridSearch(estimator, grid, n_jobs=2, error_score="raise", cv=2).fit(X, Y)
        GridSearch(Threshold(), LEVELS, n_jobs=2, cv=2).fit(X, Y)


def test_data_travel_once():
    """A package is plain arrays, with big buffers of their own; unpacked once."""
    big = np.arange(200_000.0)
    package = Package({"X": big, "y": [1, 2]})
    assert [len(part) for part in package.parts[2:]] == [big.nbytes]
    content = Package.unpack(*package.parts)
    np.testing.assert_array_equal(content["X"], big)
    assert Package.unpack(*package.parts) is content
    other = Package("other")
    assert Package.unpack(*other.parts) == "other"
    assert Package.unpack(*package.parts) is not content


# Callbacks

needs_callbacks = pytest.mark.skipif(
    not HAS_CALLBACKS, reason="this scikit-learn has no callbacks"
)


class StopAfter:
    """Asks to stop at the end of evaluation number `n`; counts the hooks."""

    def __init__(self, n):
        self.n = n
        self.begun = self.ended = 0

    def setup(self, estimator, context):
        """Part of the protocol."""

    def teardown(self, estimator, context):
        """Part of the protocol."""

    def on_fit_task_begin(self, estimator, context):
        self.begun += context.task_name == "candidate-split-evaluation"

    def on_fit_task_end(self, estimator, context):
        self.ended += context.task_name == "candidate-split-evaluation"
        return self.ended >= self.n


@needs_callbacks
@pytest.mark.parametrize(("n", "kept"), [(1, 1), (3, 1), (4, 2), (18, 6)])
def test_a_callback_stops_the_search(n, kept):
    """Candidates that were begun are completed; the rest is dropped."""
    callback = StopAfter(n)
    search = GridSearch(Threshold(), LEVELS, cv=3).set_callbacks(callback).fit(X, Y)
    assert len(search.cv_results_["params"]) == kept
    assert callback.begun == callback.ended == 3 * kept
    assert search.best_params_ in search.cv_results_["params"]


@needs_callbacks
def test_a_callback_stops_threads_too():
    """What runs is completed, and nothing new begun."""
    callback = StopAfter(2)
    search = GridSearch(Slow(seconds=0.02), LEVELS, cv=2).set_callbacks(callback)
    search.set_params(n_jobs=2)
    with joblib.parallel_config("threading"):
        search.fit(X, Y)
    assert 1 <= len(search.cv_results_["params"]) < 6


# Blocks


def make_spec(estimator, n_splits=2, **options):
    halves = np.array_split(np.arange(len(X)), n_splits)
    splits = [(np.setdiff1d(np.arange(len(X)), test), test) for test in halves]
    return EvaluationSpec(estimator, X, Y, splits, score, **options)


def score(estimator, X, y):
    """How often it is right."""
    return np.mean(estimator.predict(X) == y)


class Ticking(Threshold):
    """Takes a second to fit, by the clock that it moves."""

    seconds = 0.0

    def fit(self, X, y, sample_weight=None):
        Ticking.seconds += 1
        return super().fit(X, y, sample_weight)


def test_a_block_returns_when_its_time_is_over(monkeypatch):
    """At least one evaluation, and no further one after the time slice."""
    monkeypatch.setattr(_clock, "now", lambda: Ticking.seconds)
    tasks = tuple(Task(i, {"level": float(i)}) for i in range(5))
    spec = make_spec(Ticking(), fitter=FitAlone())

    def n_done(seconds, **times):
        time_slice = TimeSlice(seconds, overheads=0)
        return len(run_block(spec, Block(0, tasks, time_slice, **times)).evaluations)

    assert n_done(0.0) == 1
    assert n_done(1.5) == 2
    assert n_done(90.0, limit=1.5) == 2
    assert n_done(90.0) == 5


def test_candidates_are_completed_one_after_the_other(always_cut):
    """Slow fits go by candidate, so that whoever interrupts has something."""
    spec = make_spec(Threshold(), n_splits=4)
    evaluator = _evaluator.Evaluator(spec, n_jobs=1, pre_dispatch=1)
    with evaluator:
        evaluator.add([Candidate(i, {"level": float(i)}) for i in range(3)])
        order = []
        while batch := evaluator.wait():
            order.append([trial.candidate.id for trial in batch])
    assert order == [[0], [1], [2]]


steps = st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 3))


@given(
    st.lists(steps, min_size=1, max_size=40),
    st.integers(1, 6),
    st.integers(1, 9),
)
def test_a_plan_is_complete_and_in_order(keys, n_splits, n_workers):
    """Every candidate on every split once; who shares stands together."""
    tasks = [
        Task(i, {}, steps=tuple(StepKey(k, k) for k in key))
        for i, key in enumerate(keys)
    ]
    ordered = in_tree_order(tasks, start=7)
    assert [task.order for task in ordered] == list(range(7, 7 + len(tasks)))
    prefixes = [task.steps[:1] for task in ordered]
    assert len(list(itertools.groupby(prefixes))) == len(set(prefixes))
    blocks = split_into_blocks(ordered, range(n_splits), n_workers, TimeSlice(1))
    planned = [(block.split, task.number) for block in blocks for task in block.tasks]
    assert sorted(planned) == [
        (s, i) for s in range(n_splits) for i in range(len(tasks))
    ]
    if n_workers == 1:
        assert len(blocks) == n_splits


@given(st.integers(1, 6), st.integers(2, 9))
def test_no_prefix_is_cut_as_long_as_all_are_busy(n_splits, n_workers):
    """Cutting within a shared first step costs that step again on each split."""
    keys = [StepKey(group, group) for group in range(n_workers) for _ in range(5)]
    tasks = in_tree_order([Task(i, {}, (key,)) for i, key in enumerate(keys)], 0)
    blocks = split_into_blocks(tasks, range(n_splits), n_workers, TimeSlice(1))
    for block in blocks:
        for other in blocks:
            if other is not block and other.split == block.split:
                first = {task.steps for task in block.tasks}
                assert first.isdisjoint({task.steps for task in other.tasks})


# Keys


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner),
    max_leaves=5,
)


@given(values, values)
def test_equal_keys_mean_equal_values(one, other):
    """Same type and content, NaN and -0.0 included, or another key."""
    same = repr(one) == repr(other) and type(one) is type(other)
    assert (structural_key(one) == structural_key(other)) == same


def test_keys_look_into_arrays_and_estimators():
    """And take what they cannot look into by identity."""
    array = np.arange(3)
    assert structural_key(array) == structural_key(array.copy())
    assert structural_key(array) != structural_key(array.astype(float))
    assert structural_key(Threshold(0.1)) == structural_key(Threshold(0.1))
    assert structural_key(Threshold(0.1)) != structural_key(Threshold(0.2))
    assert structural_key(Threshold()) != structural_key(Slow())
    one, other = object(), object()
    assert structural_key(one) == structural_key(one)
    assert structural_key(one) != structural_key(other)
    seed = np.random.RandomState
    assert params_key({"a": seed(1)}) == params_key({"a": seed(1)})
    assert params_key({"a": seed(1)}) != params_key({"a": seed(2)})


@given(
    st.lists(st.integers(0, 2**33) | st.integers(0, 40), max_size=30),
    st.sampled_from([np.int64, np.uint64, np.intp]),
    st.booleans(),
)
def test_packed_rows_are_the_rows(rows, dtype, ascending):
    """Each as it was given, in its order and of its type."""
    given_rows = np.array(sorted(set(rows)) if ascending else rows, dtype=dtype)
    ((train, test),) = PackedSplits([(given_rows, given_rows[::-1])])
    for unpacked, original in ((train, given_rows), (test, given_rows[::-1])):
        assert unpacked.dtype == original.dtype
        np.testing.assert_array_equal(unpacked, original)


def test_rows_of_other_kinds_are_left_alone():
    """Masks and lists may come from users; negative numbers count from the end."""
    mask, listed, negative = np.array([True, False]), [1, 0], np.array([-1, 2])
    ((one, two), (three, _)) = PackedSplits([(mask, listed), (negative, mask)])
    for unpacked, original in ((one, mask), (two, listed), (three, negative)):
        assert unpacked is original


def test_rows_of_big_data_are_sent_as_bits():
    """A bit for each row, in the train part and in the test part."""
    splits = list(KFold(5).split(np.empty((100_000, 1))))
    size = len(pickle.dumps(PackedSplits(splits)))
    assert size < len(pickle.dumps(splits)) / 30


@pytest.mark.parametrize("options", [{}, {"reuse": False}, {"n_jobs": 2}], ids=str)
def test_fits_that_were_done_and_saved_are_all_that_were_needed(options):
    """Candidates x splits x steps, also of candidates that come twice."""
    pipe = make_pipeline(StandardScaler(), PCA(2), Threshold())
    grid = [{"pca__n_components": [2, 1]}, {"pca__n_components": [1, 2]}]
    data = np.random.default_rng(0).normal(size=(30, 3)), np.arange(30) % 2
    with joblib.parallel_config("threading"):
        search = GridSearch(pipe, grid, cv=2, refit=False, **options).fit(*data)
    n_rows = len(search.cv_results_["params"])
    assert n_rows == 4
    assert search.reuse_.n_fits + search.reuse_.n_saved == n_rows * 2 * 3
    came_twice = 2 * 2 * 3
    assert search.reuse_.n_saved >= (came_twice if options.get("reuse", True) else 0)
