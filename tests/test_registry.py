"""A registry finds by class, by import name and by inheritance; it imports nothing."""

from __future__ import annotations

import pickle
import sys
from collections import OrderedDict, UserDict

from skhpo._registry import Registrations, Registry
from skhpo.evaluation.workers._shipping import dumps


def test_the_exact_class_counts_unless_subclasses_inherit() -> None:
    built_in = {"builtins.dict": "dict"}
    exact = Registry("exact", built_in)
    inherited = Registry("inherited", built_in, inherited=True)
    assert exact.find(dict) == inherited.find(dict) == "dict"
    assert exact.find(OrderedDict) is None
    assert inherited.find(OrderedDict) == "dict"
    assert inherited.find(UserDict) is None


def test_what_users_add_goes_before_what_is_built_in() -> None:
    registry = Registry("added", {"collections.OrderedDict": "built in"})
    registry.add("collections.OrderedDict", "by name")
    assert registry.find(OrderedDict) == "by name"
    registry.add(OrderedDict, "by class")
    assert registry.find(OrderedDict) == "by class"


def test_the_nearest_class_above_counts_whoever_added_it() -> None:
    class Child(OrderedDict):
        pass

    registry = Registry("near", {"collections.OrderedDict": "built in"}, inherited=True)
    registry.add(dict, "farther")
    assert registry.find(Child) == "built in"
    assert registry.find(UserDict) is None


def test_a_name_counts_where_the_class_is_imported_from_only() -> None:
    class OrderedDict(dict):  # another one of the same name
        pass

    registry = Registry("names", {"collections.OrderedDict": 1, "never_there.Child": 2})
    assert registry.find(OrderedDict) is None
    assert "never_there" not in sys.modules
    assert registry.class_names() == ["Child", "OrderedDict"]


def test_what_is_added_travels_to_the_registry_of_the_same_name() -> None:
    registry = Registry("traveling", {"builtins.list": 1})
    registry.add(dict, 2)
    sent = dumps(Registrations.capture())
    worker = Registry[int]("traveling", {})  # as a new process has it
    worker.add(set, 3)
    pickle.loads(sent).adopt()
    assert [worker.find(cls) for cls in (dict, set, list)] == [2, 3, None]
