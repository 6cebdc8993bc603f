"""Budgets, stop rules, Ctrl-C, failure reports and signs of life, for all searches."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from types import SimpleNamespace
from typing import ClassVar

import joblib
import numpy as np
import pytest
from fault_estimators import Counted, scores_of
from scipy.stats import uniform
from sklearn.datasets import make_classification
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import cross_val_score

from benchmarks.faults import is_gone
from skhpo import BayesSearch, GridSearch, PBTSearch, RandomSearch
from skhpo._trial import Candidate, Evaluation, Trial
from skhpo.exceptions import (
    AllFitsFailedError,
    SearchInterruptedWarning,
    SearchStoppedError,
)
from skhpo.optimizers import BayesOptimizer
from skhpo.optimizers._belief import Observations
from skhpo.optimizers._regret import regret_bound
from skhpo.search._base import BaseSearch
from skhpo.search._budget import TimeBudget
from skhpo.search._loop import Interrupts
from skhpo.search._stop import StopRules
from skhpo.search.feedback import _heartbeat
from skhpo.search.feedback._failures import group_failures, summarize
from skhpo.search.feedback._heartbeat import Heartbeat, duration
from skhpo.space import Real
from skhpo.stopping import (
    NoImprovement,
    Progress,
    RegretBound,
    TargetScore,
    standard_error,
)
from skhpo.surrogates._warp import warp

X, Y = make_classification(n_samples=60, n_features=5, random_state=0)
LEVELS = [0.1, 0.5, 0.3, 0.9, 0.2, 0.4, 0.6, 0.7]
SEARCHES = {
    "grid": lambda e, **o: GridSearch(e, {"level": LEVELS}, cv=2, **o),
    "random": lambda e, **o: RandomSearch(
        e, {"level": uniform(0, 1)}, n_iter=8, random_state=0, cv=2, **o
    ),
    "bayes": lambda e, **o: BayesSearch(
        e, {"level": Real(0, 1)}, n_iter=8, random_state=0, cv=2, **o
    ),
    "pbt": lambda e, **o: PBTSearch(
        e,
        {"level": uniform(0, 1)},
        population_size=2,
        n_generations=4,
        random_state=0,
        cv=2,
        **o,
    ),
}


@pytest.fixture(autouse=True)
def _no_interrupt_before(monkeypatch):
    monkeypatch.setattr(BaseSearch, "_interrupts", Interrupts())
    # Python has no handler where the tests run in the background of a shell.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


# --- time budget ----------------------------------------------------------------------


# Ends its processes, and to start new ones takes seconds.
IN_THREADS_OR_PROCESSES = pytest.mark.parametrize(
    "backend", ["threading", pytest.param("loky", marks=pytest.mark.slow)]
)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("name", SEARCHES)
@IN_THREADS_OR_PROCESSES
def test_a_time_budget_keeps_what_is_complete(
    name, n_jobs, backend, an_hour_each, always_cut
):
    """The rows are those of a search without limits; the best of them is fitted.

    A population has whole generations, and one job completes what a surrogate proposes
    one after the other; which others are complete in time is up to the workers.
    """
    search = SEARCHES[name](Counted(), time_budget="1.5 h", n_jobs=n_jobs)
    with warnings.catch_warnings(), joblib.parallel_config(backend):
        warnings.simplefilter("ignore")
        search.fit(X, Y)
    plain = SEARCHES[name](Counted()).fit(X, Y).cv_results_
    rows = search.cv_results_["params"]
    assert search.stop_reason_ == "time_budget"
    assert 2 <= len(rows) < len(plain["params"])
    places = [list(plain["params"]).index(params) for params in rows]
    if name == "pbt" or (name == "bayes" and n_jobs == 1):
        assert places == list(range(len(rows)))
    scores = search.cv_results_["mean_test_score"]
    np.testing.assert_array_equal(scores, plain["mean_test_score"][places])
    assert hasattr(search, "best_estimator_")


@pytest.mark.parametrize("name", SEARCHES)
def test_no_complete_candidate_is_a_clear_error(name):
    with pytest.raises(SearchStoppedError, match="'50 ms' was over before one"):
        SEARCHES[name](Counted(seconds=0.1), time_budget="50 ms").fit(X, Y)


@pytest.mark.parametrize("value", ["soon", "10", 0, -1.0, math.nan])
def test_bad_budgets_are_refused_before_the_first_fit(value):
    with pytest.raises(ValueError, match="time_budget"):
        SEARCHES["grid"](Counted(), time_budget=value).fit(X, Y)


def test_what_runs_in_other_processes_is_ended(an_hour_each):
    """Fits of a thousand hours, and a second after the others are complete."""
    grid = {"seconds": [0.0, 0.0, 3.6e6, 3.6e6]}
    search = GridSearch(Counted(), grid, cv=2, n_jobs=2, time_budget=2 * 3600 + 1)
    search.fit(X, Y)
    assert [params["seconds"] for params in search.cv_results_["params"]] == [0, 0]


def test_time_for_the_last_fit_is_saved(clock):
    """That of the best candidate so far, scaled to all rows."""
    clock.seconds = 7.0
    budget = TimeBudget(100.0, start=7.0)
    budget.growth = 1.5
    evaluations = [Evaluation(0.5, None, 20.0, 0.1, 10)] * 2
    assert budget.remaining() == 100
    budget.note(Trial(Candidate(0, {}), evaluations))
    assert budget.remaining() == 70
    budget.note(Trial.from_scores(Candidate(1, {}), (0.4, 0.4)))
    assert budget.remaining() == 70
    budget.note(Trial.from_scores(Candidate(2, {}), (0.6, 0.6)))
    assert budget.remaining() == 100


# --- stop rules -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("grid", {"pre_dispatch": 1}),
        ("random", {}),
        ("bayes", {}),
        ("bayes", {"n_jobs": 2}),
        ("grid", {"n_jobs": 2}),
        ("random", {"n_jobs": 2}),
    ],
)
@IN_THREADS_OR_PROCESSES
def test_a_rule_ends_the_search_where_it_says(name, options, backend):
    """After the same candidate, whatever the number of workers."""
    plain = SEARCHES[name](Counted()).fit(X, Y).cv_results_
    target = sorted(plain["mean_test_score"])[4]
    n = int(np.argmax(plain["mean_test_score"] >= target)) + 1
    search = SEARCHES[name](Counted(), stop=TargetScore(target), **options)
    with joblib.parallel_config(backend):
        search.fit(X, Y)
    assert len(search.cv_results_["params"]) == n
    assert search.stop_reason_.startswith("TargetScore")
    assert search.best_score_ >= target


def test_rules_end_populations_after_a_generation():
    search = SEARCHES["pbt"](Counted(), stop=lambda progress: "enough").fit(X, Y)
    assert list(search.cv_results_["generation"]) == [0, 0]
    assert search.stop_reason_ == "enough"


def test_no_improvement_counts_candidates():
    search = SEARCHES["grid"](Counted(), stop=NoImprovement(3)).fit(X, Y)
    assert [p["level"] for p in search.cv_results_["params"]] == LEVELS[:7]
    with pytest.raises(ValueError, match="at least 1"):
        NoImprovement(0)


def test_a_rule_sees_how_far_the_search_has_come():
    seen, start = [], time.perf_counter()

    def watch(progress: Progress) -> str | None:
        assert 0 < progress.seconds < time.perf_counter() - start
        assert progress.best_scores[-1] == progress.best.score
        assert progress.best.score == max(t.score for t in progress.trials)
        seen.append(progress.trials[-1].candidate.id)
        return "several rules: this one" if len(seen) == 5 else None

    stop = [TargetScore(2.0), watch]
    search = SEARCHES["grid"](Counted(), stop=stop).fit(X, Y)
    assert seen == [0, 1, 2, 3, 4]
    assert search.stop_reason_ == "several rules: this one"


def test_of_equal_scores_the_first_one_is_the_best():
    """To rules as in ``best_index_``."""
    seen = []
    rules = StopRules([lambda progress: seen.append(progress)], None, 0.0)
    scores = [0.5, 0.5, 0.7, 0.6, 0.7, math.nan]
    for id, score in enumerate(scores):
        rules.reason_after(Trial.from_scores(Candidate(id, {}), (score,)))
    assert [progress.best.candidate.id for progress in seen] == [0, 0, 2, 2, 2, 2]
    assert seen[-1].best_scores == [0.5, 0.5, 0.7, 0.7, 0.7, 0.7]


def reason(rule, scores, bound=math.inf):
    """What a rule says after trials that score so, and 0.25 more on a second split."""
    said = []
    model = SimpleNamespace(regret_bound=lambda: bound)
    rules = StopRules([lambda progress: said.append(rule(progress))], model, 0.0)
    for id, score in enumerate(scores):
        rules.reason_after(Trial.from_scores(Candidate(id, {}), (score, score + 0.25)))
    return said[-1]


def test_rules_stop_at_their_numbers_and_not_before():
    """The target that is just reached, the gain that is just not large enough."""
    little = 2.0**-20
    assert reason(TargetScore(0.625), [0.5]) is not None
    assert reason(TargetScore(0.625 + little), [0.5]) is None
    rule = NoImprovement(2, tol=0.25)
    assert reason(rule, [0.5, 0.0, 0.75]) is not None
    assert reason(rule, [0.5, 0.0, 0.75 + little]) is None
    assert reason(NoImprovement(2), [0.5, 0.5]) is None
    assert reason(NoImprovement(2), [0.5, 0.5, 0.5]) is not None
    assert reason(NoImprovement(2), [math.nan] * 5) is None
    error = standard_error([0.5, 0.75])
    less = math.nextafter(error, 0)
    assert reason(RegretBound(3), [0.0, 0.5, 0.5], less) is not None
    assert reason(RegretBound(3), [0.5, 0.5], less) is None
    assert reason(RegretBound(3), [0.0, 0.5, 0.5], error) is None
    assert reason(RegretBound(3), [math.nan] * 3, 0.0) is None


def test_a_rule_without_words_is_named():
    """Where it just says yes."""

    def enough(progress):
        return True

    class Rule:
        def __call__(self, progress):
            return 1

    trial = Trial.from_scores(Candidate(0, {}), (0.5,))
    assert StopRules([lambda p: "", enough], None, 0.0).reason_after(trial) == "enough"
    assert StopRules([Rule()], None, 0.0).reason_after(trial) == "Rule"


def test_failed_candidates_neither_stop_nor_count():
    search = SEARCHES["grid"](
        Counted(fail_above=0.45), stop=TargetScore(0.39), error_score=7.0, refit=False
    )
    with pytest.warns(Warning, match="fits failed"):
        search.fit(X, Y)
    assert search.cv_results_["params"][-1] == {"level": 0.4}


@pytest.mark.parametrize("stop", [3, "soon", [TargetScore(1), None], TargetScore])
def test_what_is_no_rule_is_refused(stop):
    with pytest.raises((TypeError, ValueError), match="stop"):
        SEARCHES["grid"](Counted(), stop=stop).fit(X, Y)


def test_rules_need_one_score():
    search = SEARCHES["grid"](
        Counted(),
        stop=TargetScore(1),
        scoring=["accuracy", "f1"],
        refit=False,
    )
    with pytest.raises(ValueError, match="'stop' looks at one score"):
        search.fit(X, Y)


def regret_bounds(noise):
    """The bound and the true regret, after 5, 10, ... 40 trials on a parabola."""
    optimizer = BayesOptimizer({"x": Real(-2, 2)}, random_state=0)
    rng = np.random.default_rng(0)
    assert optimizer.regret_bound() == math.inf
    bounds, best = [], -math.inf
    for i in range(1, 41):
        (candidate,) = optimizer.ask(1)
        value = -((candidate.params["x"] - 1) ** 2)
        best = max(best, value)
        splits = tuple(value + noise * rng.normal(size=3))
        optimizer.tell([Trial.from_scores(candidate, splits)])
        if i % 5 == 0:
            bounds.append((optimizer.regret_bound(), -best))
    return bounds


def test_the_regret_bound_holds_and_shrinks():
    """On a function with a known optimum, and units of its score."""
    bounds = regret_bounds(noise=1e-3)[1:]
    assert all(bound >= regret for bound, regret in bounds)
    assert bounds[-1][0] < 0.01 < bounds[0][0] * 10
    with pytest.raises(TypeError, match="tpe"):
        BayesOptimizer({"x": Real(0, 1)}, surrogate="tpe").regret_bound()


class Ignorant:
    """A surrogate with mean 0 and deviation 1 everywhere."""

    def fit(self, X, y, v=None, *, keep_theta=False):
        return self

    def predict(self, X):
        return np.zeros(len(X)), np.ones(len(X))

    def profile_log_likelihood(self, X, Y):
        return np.zeros(Y.shape[1])


@pytest.mark.parametrize(("n", "d"), [(3, 1), (20, 4)])
def test_where_nothing_is_known_the_regret_bound_is_two_widths(n, d):
    """Of beta = 2 log(d n^2 pi^2 / (6 delta)) / 5, with a delta of a tenth."""
    rng, surrogate = np.random.default_rng(0), Ignorant()
    seen = Observations(rng.random((n, d)), rng.random(n), np.ones(n))
    beta = 2 * math.log(d * n**2 * math.pi**2 / 0.6) / 5
    _, slope = warp(seen.scores, lambda Y: np.zeros(Y.shape[1]))
    expected = 2 * math.sqrt(beta) / slope[np.argmax(seen.scores)]
    found = regret_bound(surrogate, seen, rng.random((5, d)))
    assert found == pytest.approx(expected)


class Parabola(Counted):
    """With noise that differs between the splits."""

    def score(self, X, y=None):
        return -((self.level - 0.3) ** 2) + 0.05 * float(np.sin(1e3 * X.sum()))


def test_a_search_stops_when_nothing_is_left_to_gain():
    """And goes on where the splits tell more than that."""
    space = {"level": Real(0, 1)}
    search = BayesSearch(Parabola(), space, n_iter=60, random_state=0, cv=3)
    search.set_params(stop=RegretBound(min_candidates=12)).fit(X, Y)
    assert search.stop_reason_.startswith("RegretBound")
    assert 12 <= len(search.cv_results_["params"]) < 60
    assert abs(search.best_params_["level"] - 0.3) < 0.1
    with pytest.raises(TypeError, match="needs a search with a Gaussian process"):
        SEARCHES["grid"](Counted(), stop=RegretBound(min_candidates=2)).fit(X, Y)


def test_to_ask_for_a_bound_changes_nothing():
    bounds = []
    search = SEARCHES["bayes"](
        Counted(), stop=lambda p: bounds.append(p.optimizer.regret_bound())
    ).fit(X, Y)
    assert np.isfinite(bounds).any()
    assert scores_of(search) == scores_of(SEARCHES["bayes"](Counted()).fit(X, Y))


def test_the_standard_error_of_splits():
    """Equation of Nadeau and Bengio, by hand: s^2 = 0.01, k = 2."""
    scores = [0.5, 0.5 + math.sqrt(0.02)]
    assert standard_error(scores) == pytest.approx(math.sqrt((1 / 2 + 1) * 0.01))
    assert standard_error([0.3]) == math.inf


# --- Ctrl-C ---------------------------------------------------------------------------


class Interrupting(Counted):
    """Interrupts at one level, as if the user had pressed Ctrl-C just then."""

    def partial_fit(self, X, y, sample_weight=None, classes=None):
        if self.level == self.extra:
            os.kill(os.getpid(), signal.SIGINT)
        return super().partial_fit(X, y, sample_weight, classes)


def test_an_interrupt_keeps_complete_candidates_and_fits_the_best(always_cut):
    estimator = Interrupting(extra=0.2)
    with pytest.warns(SearchInterruptedWarning, match="of 8 candidates are complete"):
        search = SEARCHES["grid"](estimator).fit(X, Y)
    assert search.stop_reason_ == "interrupted"
    assert 1 <= len(search.cv_results_["params"]) <= 4
    assert search.predict(X).shape == Y.shape


def test_an_interrupt_before_the_first_candidate_is_raised():
    with pytest.raises(KeyboardInterrupt):
        SEARCHES["grid"](Interrupting(extra=0.1)).fit(X, Y)


def test_a_second_interrupt_ends_everything(monkeypatch, always_cut):
    """Also the nested cross-validation around a search."""
    always = Interrupts(patience=math.inf)  # on a machine of any speed
    monkeypatch.setattr(BaseSearch, "_interrupts", always)
    estimator = Interrupting(extra=0.2)
    with (
        pytest.warns(SearchInterruptedWarning),
        pytest.raises(KeyboardInterrupt),
    ):
        cross_val_score(SEARCHES["grid"](estimator), X, Y, cv=3)


class Held(Counted):
    """Its fits do not end as long as there is a file, but for those of one level.

    `extra` names both. So the search has heard of the first candidate before another
    one can end, however long the processor does other things in between.
    """

    def partial_fit(self, X, y, sample_weight=None, classes=None):
        super().partial_fit(X, y, sample_weight, classes)
        path, free = self.extra
        while self.level != free and os.path.exists(path):
            time.sleep(0.01)
        return self


SCRIPT = """
    import signal
    import sys
    from pathlib import Path
    sys.path[:0] = {path!r}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    import test_durability as this
    from sklearn.model_selection import ParameterSampler
    from skhpo.evaluation.fitting._time_slice import TIME_SLICES, TimeSlice

    if __name__ == "__main__":
        def hold(progress):
            lock.touch()
            print("told", flush=True)

        lock, free = Path({lock!r}), None
        if {name!r} == "random":  # all are handed out at once
            levels = {{"level": this.uniform(0, 1)}}
            (first,) = ParameterSampler(levels, 1, random_state=0)
            free = first["level"]
            lock.touch()

        for kind in TIME_SLICES:  # no second one goes into the same block
            TIME_SLICES[kind] = TimeSlice(-1, shared=-1, overheads=0)
        estimator = this.Held(extra=({lock!r}, free))
        search = this.SEARCHES[{name!r}](estimator, n_jobs={n_jobs}, stop=hold)
        search.fit(this.X, this.Y)
        print(search.stop_reason_, len(search.cv_results_["params"]), flush=True)
"""


@pytest.mark.parametrize(
    ("name", "n_jobs"),
    [
        ("random", 2),
        *(
            pytest.param(name, n_jobs, marks=pytest.mark.slow)
            for name, n_jobs in [("random", 1), ("pbt", 1), ("pbt", 2)]
        ),
    ],
)
def test_ctrl_c_in_a_terminal(name, n_jobs, tmp_path):
    """The signal goes to the whole group of processes; none of them stays."""
    path, lock = tmp_path / "run.py", tmp_path / "lock"
    fields = {"path": [p for p in sys.path if p], "name": name, "n_jobs": n_jobs}
    path.write_text(textwrap.dedent(SCRIPT).format(lock=str(lock), **fields))
    process = subprocess.Popen(
        [sys.executable, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout.readline() == "told\n"
    os.killpg(process.pid, signal.SIGINT)
    lock.unlink()
    out, errors = process.communicate(timeout=600)
    reason, n = out.splitlines()[-1].split()
    assert (reason, process.returncode) == ("interrupted", 0), errors
    assert 1 <= int(n) < 8
    assert "SearchInterruptedWarning" in errors
    assert is_gone(process.pid)


# --- failures -------------------------------------------------------------------------


def failed(error):
    return Evaluation(math.nan, None, 0.1, 0.0, 5, error)


def test_failures_are_grouped_by_what_went_wrong():
    def text(line):
        return (
            f"Traceback (most recent call last):\n  File a, line 1\n    f()\n{line}\n"
        )

    chained = text("KeyError: 1") + "\nDuring handling ...\n\n" + text("ValueError: b")
    rows = [
        Trial(
            Candidate(0, {"C": 1}), [failed(text("ValueError: a\nin two lines"))] * 2
        ),
        Trial(
            Candidate(1, {"C": 2}), [failed(chained), Evaluation(1.0, None, 1, 1, 5)]
        ),
        Trial(Candidate(2, {"C": 3}), [failed(text("ValueError: b"))] * 2),
        Trial(Candidate(3, {"C": 4}), [failed(text("some.module.OddError"))] * 2),
        Trial(Candidate(4, {"C": 5}), [failed("FitTimeoutError: after 3 s")] * 2),
    ]
    groups = group_failures(rows)
    assert [(g.kind, g.message, g.n_fits, g.n_candidates) for g in groups] == [
        ("ValueError", "b", 3, 2),
        ("ValueError", "a\nin two lines", 2, 1),
        ("OddError", "", 2, 1),
        ("FitTimeoutError", "after 3 s", 2, 1),
    ]
    assert [g.rows for g in groups] == [(1, 2), (0,), (3,), (4,)]
    fresh = group_failures(rows[:1], rows[1:])
    assert [g.rows for g in fresh] == [(), (0,), (), ()]
    assert groups[0].params == {"C": 2}
    assert groups[0].traceback == chained
    assert groups[3].traceback == ""
    lines = summarize(groups).splitlines()
    assert lines[0] == "3 fits of 2 candidates: ValueError: b"
    assert lines[-1] == "and 1 more: see failures_."


def test_failures_of_a_search():
    search = SEARCHES["grid"](Counted(fail_above=0.55))
    with pytest.warns(Warning, match="6 fits failed"):
        search.fit(X, Y)
    assert [f.message for f in search.failures_] == [
        f"level {level} is too high" for level in (0.9, 0.6, 0.7)
    ]
    assert search.failures_[0].params == {"level": 0.9}
    assert "partial_fit" in search.failures_[0].traceback
    assert SEARCHES["grid"](Counted()).fit(X, Y).failures_ == []


def test_warnings_show_three_kinds_of_failures():
    with pytest.warns(FitFailedWarning) as seen:
        SEARCHES["grid"](Counted(fail_above=0.45)).fit(X, Y)
    (text,) = (str(w.message) for w in seen if "fits failed" in str(w.message))
    assert text.startswith("8 fits failed out of a total of 16")
    assert text.count("is too high") == 3
    assert "and 1 more" in text
    with pytest.raises(AllFitsFailedError, match="All the 16 fits failed"):
        SEARCHES["grid"](Counted(fail_above=0.0)).fit(X, Y)


# --- signs of life --------------------------------------------------------------------


def test_a_heartbeat_tells_how_far_and_what_hangs(clock):
    def running():
        return [(95.0, 3, [{"C": 10}, {"C": 20}]), (2.0, 4, [{"C": 30}])]

    heart = Heartbeat("GridSearch", 40, running)
    clock.seconds = 60
    assert "0 of 40 candidates" in heart.line()
    for score in (0.5, math.nan, 0.75, 0.25):
        heart.note(Trial.from_scores(Candidate(0, {}), (score,)))
    first, second = heart.line().splitlines()
    assert first == (
        "[GridSearch] 4 of 40 candidates in 1 min 0 s, 4 per minute, "
        "about 9 min 0 s left, best score 0.75"
    )
    assert second == "  running for 1 min 35 s: split 3, {'C': 10} or one of 1 others"


def test_lines_become_rarer(monkeypatch):
    """The first after ten seconds, each further one after half as long again."""
    heart, pauses = Heartbeat("GridSearch", 40, list, write=lambda line: None), []

    def wait(pause):
        pauses.append(pause)
        return len(pauses) > 20

    monkeypatch.setattr(heart._over, "wait", wait)
    heart._beat()
    assert pauses[:3] == [10.0, 15.0, 22.5]
    assert pauses[-1] == max(pauses) == 300.0


class Awaited(Counted):
    """Its fits do not end before a line has told that one runs."""

    said: ClassVar[list[str]] = []

    def partial_fit(self, X, y, sample_weight=None, classes=None):
        while not any("running for" in line for line in self.said):
            time.sleep(0.01)
        return super().partial_fit(X, y, sample_weight, classes)


def test_lines_come_while_a_search_runs(monkeypatch, capsys):
    """From ``verbose=1`` on, and only if it takes long; no thread is left."""
    before = set(threading.enumerate())
    line = Heartbeat.line

    def noted(heart):
        Awaited.said.append(line(heart))
        return Awaited.said[-1]

    Awaited.said.clear()
    monkeypatch.setattr(Heartbeat, "line", noted)
    monkeypatch.setattr(_heartbeat, "FIRST", 1e6)
    SEARCHES["grid"](Counted(), verbose=1).fit(X, Y)
    assert "[GridSearch]" not in capsys.readouterr().out
    monkeypatch.setattr(_heartbeat, "FIRST", 0.01)
    monkeypatch.setattr(_heartbeat, "LONG", 0.0)
    SEARCHES["grid"](Counted(seconds=0.01), verbose=0).fit(X, Y)
    assert "[GridSearch]" not in capsys.readouterr().out
    SEARCHES["grid"](Awaited(), verbose=1).fit(X, Y)
    out = capsys.readouterr().out
    assert "of 8 candidates in" in out
    assert "running for" in out
    assert not set(threading.enumerate()) - before


def test_durations_for_people():
    assert duration(59.94) == "59.9 s"
    assert duration(3600) == "1 h 0 min"


def test_limits_change_no_score(tmp_path):
    """A search that is not stopped is the same as without all this."""
    for make in SEARCHES.values():
        plain = make(Counted()).fit(X, Y)
        limited = make(
            Counted(),
            journal=tmp_path / "a.db",
            time_budget="1 h",
            stop=[TargetScore(99), NoImprovement(99)],
        ).fit(X, Y)
        assert scores_of(plain) == scores_of(limited)
        assert limited.stop_reason_ == "completed"


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="needs /proc")
def test_nothing_is_left_behind(tmp_path):
    """No file descriptor and no thread, however a search ends."""

    def ends():
        grid = {"level": list(np.linspace(0, 1, 50))}
        options = {"cv": 2, "journal": tmp_path / "a.db"}
        GridSearch(Counted(), grid, **options).fit(X, Y)
        GridSearch(Counted(), grid, stop=NoImprovement(1), **options).fit(X, Y)
        with pytest.raises(SearchStoppedError):
            GridSearch(Counted(offset=1.0), grid, time_budget=1e-9, **options).fit(X, Y)
        with pytest.raises(ValueError, match="too high"):
            GridSearch(
                Counted(fail_above=0.5), grid, error_score="raise", **options
            ).fit(X, Y)

    ends()
    before = len(os.listdir("/proc/self/fd")), threading.active_count()
    for _ in range(3):
        ends()
    after = len(os.listdir("/proc/self/fd")), threading.active_count()
    assert np.all(np.subtract(after, before) <= 0)  # what was there before may end


@pytest.mark.slow
def test_memory_grows_by_the_results_only(tmp_path):
    """Of 20,000 evaluations, against the size of what they leave behind."""
    import tracemalloc

    def grown(n, **options):
        grid = {"level": list(np.linspace(0, 1, n))}
        search = GridSearch(Counted(), grid, cv=2, refit=False, **options)
        tracemalloc.start()
        search.fit(X, Y)
        current, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return current

    grown(100)
    assert grown(10_000, journal=tmp_path / "a.db") < 1.1 * grown(10_000) + 1e6
