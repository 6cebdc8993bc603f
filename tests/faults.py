"""An estimator with every fault that can befall a fit.

In a module of its own, and not in a test file: other processes import it by name.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import warnings

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from skhpo import register_incremental
from skhpo.evaluation.incremental import PartialFit


class Unpicklable(float):
    """A number that cannot be sent to another process."""

    def __reduce__(self):
        raise TypeError("This number stays here")


class CarelessWarning(UserWarning):
    """What a test makes an error of."""


def fail():
    raise ValueError("told to fail")


def segfault():
    ctypes.string_at(0)


def allocate():
    np.ones(10**10, np.uint8)


def loop():
    while True:
        pass


def hang_in_c():
    """Sleep with the interpreter's lock held and all signals blocked."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    ctypes.PyDLL(None).sleep(1000)


def recurse():
    return recurse()


def print_much():
    for _ in range(1000):
        sys.stdout.write("line\n" * 1000)


# What ends the process in which it happens, and what never ends.
DEADLY = {
    "segfault": segfault,
    "os._exit": lambda: os._exit(1),
    "SIGKILL": lambda: os.kill(os.getpid(), signal.SIGKILL),
}
ENDLESS = {"loop in Python": loop, "hang in C": hang_in_c}
TOO_MUCH = {"10 GB": allocate}
# What can be survived without limits too.
MILD = {
    "exception": fail,
    "sys.exit": lambda: sys.exit(3),
    "recursion": recurse,
    "warning": lambda: warnings.warn("careless", CarelessWarning, stacklevel=1),
    "million lines": print_much,
}
FAULTS = {**MILD, **DEADLY, **ENDLESS, **TOO_MUCH}
# These two are no acts, but what the model is afterwards.
NAN, LOCKED = "NaN", "unpicklable"
HARMLESS = {"none", "million lines"}


class Faulty(ClassifierMixin, BaseEstimator):
    """Compares the first column with `level`; has a fault.

    Parameters
    ----------
    level : float
        The threshold, on which its score depends.
    fault : str
        A name among `FAULTS`, "NaN", "unpicklable" (what its `score` returns, and the
        model), or "none".
    tame : bool
        Whether everything but "NaN" and what is harmless is an exception instead.
    """

    def __init__(self, level=0.0, fault="none", tame=False):
        self.level = level
        self.fault = fault
        self.tame = tame

    def fit(self, X, y):
        return self.partial_fit(X, y)

    def partial_fit(self, X, y, classes=None):
        self.classes_ = np.array([0, 1])
        if self.fault == LOCKED and not self.tame:
            self.lock_ = threading.Lock()
        elif self.tame and self.fault not in {*HARMLESS, NAN, LOCKED}:
            fail()
        elif self.fault in FAULTS:
            FAULTS[self.fault]()
        return self

    def predict(self, X):
        return (np.asarray(X)[:, 0] > self.level).astype(int)

    def score(self, X, y):
        score = np.nan if self.fault == NAN else super().score(X, y)
        return Unpicklable(score) if self.fault == LOCKED else score


# Else it would be probed, by doing what its fault says.
register_incremental(Faulty, PartialFit(), effective=["level"])
