"""Limits per fit, and what any fault of a fit costs: one candidate."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import joblib
import numpy as np
import pytest
from estimators import Anything, Threshold
from fault_estimators import Counted, count
from faults import (
    DEADLY,
    ENDLESS,
    FAULTS,
    LOCKED,
    MILD,
    NAN,
    TOO_MUCH,
    CarelessWarning,
    Faulty,
)
from joblib.externals.loky import get_reusable_executor
from sklearn import config_context, get_config
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import ShuffleSplit
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skhpo import BayesSearch, GridSearch, PBTSearch, RandomSearch
from skhpo._sklearn_compat import HAS_CALLBACKS
from skhpo.evaluation.workers._context import WorkerContext
from skhpo.evaluation.workers._limits import Limits
from skhpo.evaluation.workers._process import LimitedProcesses
from skhpo.evaluation.workers._workers import Workers
from skhpo.exceptions import FitLostError, FitMemoryError, FitTimeoutError
from skhpo.space import Real

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits need Linux")

X = np.random.RandomState(0).normal(size=(60, 3))
Y = (X[:, 0] > 0).astype(int)
LEVELS = [0.0, 0.4]
# The first for what ends by itself, on a machine of any speed.
LIMITS = {"fit_timeout": "10min", "memory_limit": "500MB"}
SHORT = {**LIMITS, "fit_timeout": "2s"}
SEARCHES = ["grid", "random", "bayes", "pbt"]
BACKENDS = ["sequential", "threading", "loky"]


# --- the matrix of faults -------------------------------------------------------------


def search_over(kind, faults, **options):
    """A search that comes across each fault once, and across no fault in between."""
    faults = ["none", *faults]
    estimator = Faulty(tame=options.pop("tame", False))
    options = {"cv": ShuffleSplit(1, random_state=0), "refit": False, **options}
    if kind == "pbt":
        members = [{"level": 0.1 * i, "fault": f} for i, f in enumerate(faults)]
        return PBTSearch(
            estimator,
            {"level": Real(0.0, 2.0), "fault": faults},
            population_size=len(members),
            n_generations=1,
            initial_params=members,
            frozen=["fault"],
            random_state=0,
            **options,
        )
    space = {"level": LEVELS, "fault": faults}
    if kind == "grid":
        return GridSearch(estimator, space, **options)
    options |= {"n_iter": 2 * len(faults), "random_state": 0}
    if kind == "random":
        return RandomSearch(estimator, space, **options)
    # No more than one asked for and not told, as a fit of seconds would have it.
    return BayesSearch(estimator, space, n_initial=4, **options)


def tame_rows(kind, faults):
    """What is tried, and what it scores, where each fault is an exception."""
    return rows(search_over(kind, faults, tame=True), "sequential")


def rows(search, backend):
    """Fit it, and return what it tried and what that scored."""
    n_jobs = 1 if backend == "sequential" else 2
    where = "loky" if backend == "sequential" else backend
    with joblib.parallel_config(where), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", CarelessWarning)
        search.set_params(n_jobs=n_jobs).fit(X, Y)
    results = search.cv_results_
    return results["params"], results["split0_test_score"]


def assert_each_costs_one(kind, backend, faults, **limits):
    """Whatever the fault, the rows are those of an exception in its place."""
    params, scores = rows(search_over(kind, faults, **limits), backend)
    tame, expected = tame_rows(kind, faults)
    if kind == "pbt":  # whose models are kept, and so pickled
        lost = [row["fault"] == LOCKED for row in tame]
        expected = np.where(lost, np.nan, expected)
    assert params == tame
    np.testing.assert_array_equal(scores, expected)
    fine = [row["fault"] in ("none", "million lines") for row in params]
    assert not np.isnan(scores[fine]).any()


FINITE = [fault for fault in (*FAULTS, NAN, LOCKED) if fault not in ENDLESS]


@pytest.mark.slow  # `test_each_row_says_why` below has all faults, of a grid
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", SEARCHES)
def test_with_limits_any_fault_costs_one_candidate(kind, backend):
    """As long as it ends by itself."""
    assert_each_costs_one(kind, backend, FINITE, **LIMITS)


@pytest.mark.slow
@pytest.mark.parametrize("kind", SEARCHES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_with_limits_what_never_ends_costs_one_candidate(kind, backend):
    assert_each_costs_one(kind, backend, ENDLESS, **SHORT)


@pytest.mark.thinned
@pytest.mark.parametrize(
    ("kind", "backend"),
    [
        pytest.param(kind, backend, marks=pytest.mark.slow if backend == "loky" else [])
        for kind in SEARCHES
        for backend in BACKENDS
    ],
)
def test_without_limits_a_fault_costs_one_candidate(kind, backend):
    """But what ends a process needs one, and what never ends, or eats all, limits."""
    deadly = DEADLY if backend == "loky" else {}
    assert_each_costs_one(kind, backend, [*MILD, NAN, LOCKED, *deadly])


@pytest.fixture
def scarce_memory(backend):
    """A system that refuses more than 4 GB, to processes that are started now too."""
    import resource

    if backend == "loky":
        get_reusable_executor().shutdown()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + 4 * 10**9
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    if backend == "loky":
        get_reusable_executor().shutdown()


@pytest.mark.parametrize(
    ("kind", "backend"),
    [
        pytest.param(kind, backend, marks=pytest.mark.slow if backend == "loky" else [])
        for kind in SEARCHES
        for backend in BACKENDS
    ],
)
def test_memory_that_the_system_refuses_costs_one_candidate(
    kind, backend, scarce_memory
):
    """Without limits. A system that kills instead does what "SIGKILL" does."""
    assert_each_costs_one(kind, backend, TOO_MUCH)


# --- reasons --------------------------------------------------------------------------


REASONS = {
    "loop in Python": (FitTimeoutError, r"stopped after 2 s \(fit_timeout\)"),
    "hang in C": (FitTimeoutError, r"stopped after 2 s \(fit_timeout\)"),
    "10 GB": (FitMemoryError, r"more than 500 MB of further memory \(memory_limit\)"),
    "segfault": (FitLostError, "killed by SIGSEGV"),
    "SIGKILL": (FitLostError, "killed by SIGKILL"),
    "os._exit": (FitLostError, "exit code 1"),
    "sys.exit": (FitLostError, r"sys\.exit\(3\)"),
}


def limits_for(fault):
    return SHORT if fault in ENDLESS else LIMITS


@pytest.mark.parametrize(
    "limits", [LIMITS, pytest.param(SHORT, marks=pytest.mark.slow)]
)
def test_each_row_says_why(limits, capsys):
    """The limit and its value; and a line for each fit, also for those killed.

    Each costs one candidate, and no process and no file descriptor is left behind.
    """
    assert {*REASONS} == {*DEADLY, *ENDLESS, *TOO_MUCH, "sys.exit"}
    faults = [fault for fault in REASONS if limits_for(fault) is limits]
    search = search_over("grid", faults, verbose=2, n_jobs=2, **limits)
    descriptors, children = descriptors_and_children()
    with (
        joblib.parallel_config("threading"),
        pytest.warns(Warning, match=f"{2 * len(faults)} fits failed"),
    ):
        search.fit(X, Y)
    after = descriptors_and_children()
    assert after[0] <= descriptors  # what earlier tests had left may end meanwhile
    assert after[1] <= children
    params, expected = tame_rows("grid", faults)
    assert search.cv_results_["params"] == params
    np.testing.assert_array_equal(search.cv_results_["split0_test_score"], expected)
    said = [f"{failure.kind}: {failure.message}" for failure in search.failures_]
    for error, message in (REASONS[fault] for fault in faults):
        assert any(re.match(f"{error.__name__}: .*{message}", text) for text in said)
    lines = re.findall(r"\[CV\] END .*fault=(.*), level", capsys.readouterr().out)
    assert sorted(lines) == sorted(["none", *faults] * len(LEVELS))


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, marks=[] if fault == "SIGKILL" else pytest.mark.slow)
        for fault in REASONS
    ],
)
def test_each_error_says_why(fault):
    error, message = REASONS[fault]
    limits = limits_for(fault)
    search = GridSearch(Faulty(), {"fault": [fault]}, error_score="raise", **limits)
    with pytest.raises(error, match=message):
        search.fit(X, Y)


class Waiting(Threshold):
    """Gives up by itself."""

    def fit(self, X, y):
        raise TimeoutError("no answer")


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_timeout_of_the_fit_itself_is_raised(n_jobs):
    """It is no sign that the search has to wait, or is out of time."""
    search = GridSearch(Waiting(), {"level": LEVELS}, error_score="raise")
    with joblib.parallel_config("threading"), pytest.raises(TimeoutError, match="no"):
        search.set_params(n_jobs=n_jobs).fit(X, Y)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("fit_timeout", "soon", ValueError),
        ("fit_timeout", 0, ValueError),
        ("memory_limit", "30s", ValueError),
        ("memory_limit", -1, ValueError),
        ("memory_limit", [1], ValueError),  # scikit-learn's own check of types
    ],
)
def test_a_limit_that_makes_no_sense_is_refused_before_the_first_fit(
    name, value, error
):
    search = GridSearch(Faulty(), {"fault": ["os._exit"]}, **{name: value})
    with pytest.raises(error, match=name):
        search.fit(X, Y)


@pytest.mark.parametrize(
    ("system", "limits", "message"),
    [
        ("win32", {"fit_timeout": 1}, "not Windows"),
        ("darwin", {"memory_limit": 1}, "needs Linux"),
    ],
)
def test_a_system_that_cannot_hold_a_limit_is_named(
    system, limits, message, monkeypatch
):
    monkeypatch.setattr(sys, "platform", system)
    # The platform lacks it, as `os.chmod` may lack ``follow_symlinks=False``.
    with pytest.raises(NotImplementedError, match=message):
        GridSearch(Threshold(), {"level": LEVELS}, **limits).fit(X, Y)


def test_what_cannot_be_sent_is_said_to_be_sent():
    with pytest.raises(TypeError) as raised:
        GridSearch(
            Anything(), {"a": [1]}, scoring=Locked(), fit_timeout="1s", refit=False
        ).fit(X, Y)
    assert "must be picklable" in "".join(raised.value.__notes__)


class Locked:
    """A scorer that cannot be pickled."""

    def __init__(self):
        self.lock = threading.Lock()

    def __call__(self, estimator, X, y):
        return 1.0


def test_a_backend_on_other_machines_is_refused():
    from joblib.parallel import ThreadingBackend

    class Elsewhere(ThreadingBackend):
        pass

    search = GridSearch(Threshold(), {"level": LEVELS}, fit_timeout="1s", n_jobs=2)
    with (
        joblib.parallel_config(Elsewhere()),
        # Its processes cannot be killed from here: there is nothing to implement.
        pytest.raises(NotImplementedError, match="Elsewhere"),
    ):
        search.fit(X, Y)


# --- the same results -----------------------------------------------------------------


def test_limits_change_no_score_and_share_no_step(never_cut):
    pipeline = Pipeline([("scale", StandardScaler()), ("svc", SVC())])
    grid = {"svc__C": [0.1, 1, 10], "svc__gamma": [0.1, 1]}
    free = GridSearch(pipeline, grid, return_train_score=True).fit(X, Y)
    held = GridSearch(pipeline, grid, return_train_score=True, fit_timeout="1min")
    held.fit(X, Y)
    assert free.reuse_.n_saved > held.reuse_.n_saved == 0
    for key, column in free.cv_results_.items():
        if "score" in key and "time" not in key:
            np.testing.assert_array_equal(held.cv_results_[key], column)


class Witness(ClassifierMixin, BaseEstimator):
    """Takes note of what it finds around it, and writes into its data.

    Waits until a second process has come to the folder `meeting`.
    """

    def __init__(self, level=0, meeting=None):
        self.level = level
        self.meeting = meeting

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.found_ = {
            "drawn": np.random.random(),  # noqa: NPY002
            "process": os.getpid(),
            "config": get_config()["assume_finite"],
            "threads": float(os.environ.get("OMP_NUM_THREADS", 0)),
            "data": X.sum(),
        }
        X[:] = 0
        Path(self.meeting, str(os.getpid())).touch()
        while len(os.listdir(self.meeting)) < 2:
            time.sleep(0.01)
        return self

    def predict(self, X):
        return np.zeros(len(X), int)


def statement(estimator, X, y):
    return estimator.found_


@pytest.mark.slow
def test_what_fits_find_around_them(monkeypatch, tmp_path):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    search = GridSearch(
        Witness(meeting=str(tmp_path)),
        {"level": range(6)},
        scoring=statement,
        cv=2,
        n_jobs=2,
        refit=False,
        fit_timeout="1min",
    )
    with config_context(assume_finite=True):
        search.fit(X, Y)
    columns = {
        name: np.ravel([search.cv_results_[f"split{i}_test_{name}"] for i in range(2)])
        for name in ("drawn", "process", "config", "threads", "data")
    }
    assert len(set(columns["drawn"])) == 12  # forks would all draw the same
    assert len(set(columns["process"])) == 2
    assert (columns["config"] == 1).all()  # scikit-learn's, in the calling thread
    assert (columns["threads"] == max(1, joblib.cpu_count() // 2)).all()
    assert len(set(columns["data"])) == 2  # whoever writes into them has a copy


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_the_number_of_jobs_is_that_of_the_active_backend(backend):
    workers = Workers(None, "2*n_jobs", as_threads=True)
    with joblib.parallel_config(backend, n_jobs=2), workers:
        assert workers.n_workers == 2
        assert workers.share_memory


def test_memory_is_counted_anew_for_each_evaluation():
    """Nothing is left over from the last one."""
    grid = {"level": range(6), "n_bytes": [3 * 10**8]}
    search = GridSearch(Eater(), grid, memory_limit="500MB", refit=False)
    search.fit(X, Y)
    assert (search.cv_results_["mean_test_score"] == 1).all()


class Eater(Threshold):
    """Takes so much memory, and scores 1."""

    def __init__(self, level=0.0, n_bytes=0):
        super().__init__(level)
        self.n_bytes = n_bytes

    def fit(self, X, y):
        self.meal_ = np.empty(self.n_bytes, np.uint8)
        return super().fit(X, y)

    def score(self, X, y):
        return 1.0


@pytest.mark.slow
def test_transformers_of_a_population_are_limited_too():
    pipeline = Pipeline([("eat", Glutton()), ("model", Faulty())])
    members = [{"eat__n_bytes": n, "model__level": 0.0} for n in (0, 10**9)]
    search = PBTSearch(
        pipeline,
        {"eat__n_bytes": [0, 10**9], "model__level": LEVELS},
        population_size=2,
        n_generations=1,
        initial_params=members,
        memory_limit="500MB",
        refit=False,
    )
    with pytest.warns(Warning, match="fits failed"):
        search.fit(X, Y)
    assert [failure.kind for failure in search.failures_] == ["FitMemoryError"]
    assert np.isnan(search.cv_results_["mean_test_score"]).tolist() == [False, True]


class Glutton(StandardScaler):
    """A transformer that takes so much memory."""

    def __init__(self, n_bytes=0):
        super().__init__()
        self.n_bytes = n_bytes

    def fit(self, X, y=None):
        np.ones(self.n_bytes, np.uint8)
        return super().fit(X, y)


@pytest.mark.skipif(not HAS_CALLBACKS, reason="this scikit-learn has no callbacks")
def test_callbacks_stop_a_search_with_limits(tmp_path):
    """They hear of the fits in the process of the fit, as with other processes."""
    callback = Marker(tmp_path)
    grid = {"level": [0.1 * i for i in range(10)]}
    search = GridSearch(Threshold(), grid, cv=2, refit=False, fit_timeout="1min")
    search.set_callbacks(callback).fit(X, Y)
    assert len(list(tmp_path.iterdir())) == 2 * len(search.cv_results_["params"]) < 20


class Marker:
    """Leaves a file for each evaluation, and asks to stop after some."""

    max_estimator_depth = None

    def __init__(self, folder):
        self.folder = folder

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, **kwargs):
        pass

    def on_fit_task_end(self, estimator, context, **kwargs):
        if context.task_name != "candidate-split-evaluation":
            return False
        (self.folder / str(context.task_id)).touch()
        return len(list(self.folder.iterdir())) >= 5


SCRIPT = """
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import make_scorer
from skhpo import GridSearch

class Mine(ClassifierMixin, BaseEstimator):
    def __init__(self, level=0):
        self.level = level
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self
    def predict(self, X):
        return (X[:, 0] > self.level).astype(int)

def accuracy(y, predicted):
    return (y == predicted).mean()

# Without a guard, as scripts and notebooks have it.
X = np.random.RandomState(0).normal(size=(60, 3))
Y = (X[:, 0] > 0).astype(int)
search = GridSearch(Mine(), {"level": [0, 9]}, scoring=make_scorer(accuracy), cv=2,
                    n_jobs=2, fit_timeout="1min", memory_limit="1GB")
print(search.fit(X, Y).cv_results_["mean_test_score"].tolist())
"""


@pytest.mark.slow
def test_classes_and_functions_of_a_script(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    python = [sys.executable, str(tmp_path / "script.py")]
    out = subprocess.run(python, check=True, capture_output=True, text=True).stdout
    first, second = eval(out)
    assert first == 1 > second


# --- processes ------------------------------------------------------------------------


def act(what):
    """What the tests below have done in another process."""
    if what == "pid":
        return os.getpid()
    if what == "server":
        return os.getppid()
    if what == "interrupt":
        raise KeyboardInterrupt
    if what == "odd":
        raise OddError("one", "two")
    if what == "helper":
        command = [sys.executable, "-c", "import time; time.sleep(1000)"]
        return subprocess.Popen(command).pid
    return FAULTS[what]()


class OddError(Exception):
    """Cannot be unpickled."""

    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")


@pytest.fixture(scope="module")
def call():
    limits = Limits(60.0, None)
    with LimitedProcesses(act, limits=limits, context=WorkerContext.capture()) as call:
        yield call


def is_gone(pid):
    """Whether a process has ended, or will within a minute."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":  # dead, and waiting for init
            return True
        time.sleep(0.05)
    return False


def test_one_process_serves_call_after_call_until_it_dies(call):
    pid = call("pid")
    assert call("pid") == pid != os.getpid()
    with pytest.raises(FitLostError, match="SIGSEGV"):
        call("segfault")
    assert call("pid") != pid


@pytest.mark.parametrize(
    ("what", "error", "message"),
    [
        ("exception", ValueError, "told to fail"),
        ("interrupt", FitLostError, "KeyboardInterrupt"),
        ("odd", FitLostError, "one and two"),
    ],
)
def test_exceptions_travel(what, error, message, call):
    """With a note of where it was, or in it if they cannot."""
    with pytest.raises(error, match=message) as raised:
        call(what)
    where = f"{raised.value} {getattr(raised.value, '__notes__', '')}"
    assert what == "interrupt" or "in act" in where


@pytest.mark.slow
def test_a_process_that_was_killed_idle_costs_nothing(call):
    for victim in ("pid", "server"):  # the death of the latter is that of the former
        pid = call("pid")
        os.kill(call(victim), signal.SIGKILL)
        assert is_gone(pid)
        assert call("pid") != pid


def test_what_a_fit_has_started_ends_with_it(call):
    helper = call("helper")
    with pytest.raises(FitLostError):
        call("os._exit")
    assert is_gone(helper)


def descriptors_and_children():
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return {*os.listdir("/proc/self/fd")}, {*children}


def test_an_interrupt_ends_what_is_running(tmp_path):
    class Interrupt(BaseException):
        pass

    def interrupt(*_):
        raise Interrupt

    def interrupt_once_it_fits():
        while not count(log):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGALRM)

    log = tmp_path / "log"
    log.touch()
    children = descriptors_and_children()[1]
    endless = Counted(log=str(log), seconds=3.6e6)
    search = GridSearch(endless, {"level": LEVELS}, fit_timeout="1h")
    handler = signal.signal(signal.SIGALRM, interrupt)
    threading.Thread(target=interrupt_once_it_fits).start()
    try:
        with pytest.raises(Interrupt):
            search.fit(X, Y)
    finally:
        signal.signal(signal.SIGALRM, handler)
    assert descriptors_and_children()[1] <= children


ORPHANS = """
import os, sys, time
import numpy as np
from sklearn.base import BaseEstimator
from skhpo import GridSearch

class Sleeper(BaseEstimator):
    def fit(self, X, y=None):
        print(os.getpid(), os.getppid(), flush=True)
        time.sleep(1000)
    def score(self, X, y=None):
        return 1

GridSearch(Sleeper(), {}, cv=2, fit_timeout="1h").fit(np.zeros((9, 1)))
"""


@pytest.mark.slow
def test_no_process_outlives_a_search_that_is_killed():
    with subprocess.Popen(
        [sys.executable, "-c", ORPHANS], stdout=subprocess.PIPE, text=True
    ) as driver:
        pids = driver.stdout.readline().split()
        driver.kill()
    assert len(pids) == 2
    assert all(is_gone(pid) for pid in pids)
