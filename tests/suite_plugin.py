"""A pytest plugin: run a test module with scikit-learn's searches replaced by name.

Loaded with ``-p suite_plugin`` before any test module is imported, so that every
``from sklearn.model_selection import GridSearchCV`` gets the class named in the
environment. Writes what became of each test, and how many searches it constructed
and fitted, as JSON.
"""

import functools
import importlib
import inspect
import json
import os
import re
import sys
from pathlib import Path

import pytest

REPLACED = ("GridSearchCV", "RandomizedSearchCV")
SEARCHES = "SUITE_SEARCHES"  # two dotted names, for GridSearchCV, RandomizedSearchCV
REPORT = "SUITE_REPORT"  # file for the report
SKIP = "SUITE_SKIP"  # JSON list of tests, by `neutral` name, that need not run
# Modules, or `module::function`, of which only tests that name a search run.
NAMED_ONLY = "SUITE_NAMED_ONLY"

# `test_custom_run_search` compares every fitted attribute that `dir` names with those
# of a subclass of BaseSearchCV. These are more than scikit-learn's classes have.
ADDED_ATTRIBUTES = {"failures_", "results_", "reuse_", "stop_reason_"}

seen = {"constructed": 0, "fitted": 0}
ours = {}


def load(dotted):
    module, _, name = dotted.rpartition(".")
    return getattr(importlib.import_module(module), name)


def counted(method, key):
    @functools.wraps(method)
    def wrapper(*args, **kwargs):
        seen[key] += 1
        return method(*args, **kwargs)

    return wrapper


def count_calls(cls):
    cls.__init__ = counted(cls.__init__, "constructed")
    cls.fit = counted(cls.fit, "fitted")


def hide_added_attributes(cls):
    cls.__dir__ = lambda search: sorted(set(object.__dir__(search)) - ADDED_ATTRIBUTES)


def replace(theirs, mine):
    """Bind every module of scikit-learn that holds one class to the other."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "sklearn":
            for attribute, value in list(vars(module).items()):
                if value is theirs:
                    setattr(module, attribute, mine)


def whole_word(name):
    """Matches a class name in a test's name: not in HalvingGridSearchCV."""
    return re.compile(rf"(?<![A-Za-z]){name}(?![A-Za-z])")


def neutral(nodeid):
    """The name of a test, whatever the searches in its parameters are called."""
    for name, cls in ours.items():
        nodeid = whole_word(cls.__name__).sub(name, nodeid)
    return nodeid


def names_one(text):
    return any(whole_word(name).search(text) for name in REPLACED)


@functools.cache  # thousands of tests are one function with other parameters
def source_names_a_search(function):
    return names_one(inspect.getsource(function))


def names_a_search(item):
    return names_one(neutral(item.nodeid)) or source_names_a_search(item.function)


def install():
    importlib.import_module("sklearn.model_selection")
    for name, dotted in zip(REPLACED, os.environ[SEARCHES].split(), strict=True):
        theirs, ours[name] = load(f"sklearn.model_selection.{name}"), load(dotted)
        count_calls(ours[name])
        hide_added_attributes(ours[name])
        replace(theirs, ours[name])


class Recorder:
    """Keeps one entry per test: its outcome, its searches, why it failed."""

    def __init__(self):
        self.tests = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config, items):
        skip = set(json.loads(Path(os.environ[SKIP]).read_text()))
        named_only = set(os.environ[NAMED_ONLY].split())

        def wanted(item):
            module = item.module.__name__
            places = {module, f"{module}::{item.originalname}"}
            if places & named_only and not names_a_search(item):
                return False
            return neutral(item.nodeid) not in skip

        kept = list(filter(wanted, items))
        config.hook.pytest_deselected(items=list(set(items).difference(kept)))
        items[:] = kept

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        seen.update(constructed=0, fitted=0)
        result = yield
        self.tests.setdefault(neutral(item.nodeid), {}).update(seen)
        return result

    def pytest_runtest_logreport(self, report):
        test = self.tests.setdefault(neutral(report.nodeid), {"outcome": "passed"})
        if report.outcome != "passed":
            test["outcome"] = report.outcome
            test["reason"] = report.longreprtext

    def pytest_collectreport(self, report):
        if report.failed:
            test = {"outcome": "failed", "reason": report.longreprtext}
            self.tests[neutral(report.nodeid)] = test

    def pytest_sessionfinish(self):
        Path(os.environ[REPORT]).write_text(json.dumps(self.tests))


def pytest_configure(config):
    install()
    config.pluginmanager.register(Recorder())
