"""Whatever decides a score changes what a journal calls the same, and nothing else."""

from __future__ import annotations

import functools
import importlib
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

import skhpo
from skhpo._code import is_packaged, package_of
from skhpo._fingerprint import UnreadableError, fingerprint, steady_fingerprint
from skhpo._public import defined_in
from skhpo.space import Real, SearchSpace

TESTS = Path(__file__).parent

# Code of one's own, with one number that decides. `thing` is what a search is given.
SOURCES = {
    "constant in the code": "def thing(x): return {} * x",
    "comprehension": (
        "def h(x): return {} * x\ndef thing(xs): return [h(x) for x in xs]"
    ),
    "generator": "def h(x): return {} * x\ndef thing(xs): return sum(h(x) for x in xs)",
    "dict comprehension": (
        "def h(x): return {} * x\ndef thing(xs): return {{x: h(x) for x in xs}}"
    ),
    "lambda": "def h(x): return {} * x\nthing = lambda x: h(x)",
    "lambda inside": (
        "def h(x): return {} * x\ndef thing(x): return (lambda y: h(y))(x)"
    ),
    "inner function": (
        "def h(x): return {} * x\n"
        "def thing(x):\n    def inner(y): return h(y)\n    return inner(x)"
    ),
    "inner class": (
        "def h(x): return {} * x\n"
        "def thing(x):\n    class C:\n        value = h(1)\n    return C.value"
    ),
    "helper of a helper": (
        "def a(x): return {} * x\ndef b(x): return a(x)\ndef thing(x): return b(x)"
    ),
    "functions that call each other": (
        "def a(x): return b(x - 1) if x else {}\n"
        "def b(x): return a(x - 1) if x else 0\ndef thing(x): return a(x)"
    ),
    "helper class": (
        "class H:\n    def go(self, x): return {} * x\ndef thing(x): return H().go(x)"
    ),
    "base class": (
        "class B:\n    def go(self, x): return {} * x\nclass C(B): pass\n"
        "def thing(x): return C().go(x)"
    ),
    "metaclass": (
        "class M(type):\n    def go(cls, x): return {} * x\n"
        "class C(metaclass=M): pass\ndef thing(x): return C.go(x)"
    ),
    "exception": "class E(Exception):\n    code = {}\ndef thing(x): raise E",
    "partial": (
        "import functools\ndef h(f, x): return f * x\nthing = functools.partial(h, {})"
    ),
    "partial as a helper": (
        "import functools\ndef h(f, x): return f * x\np = functools.partial(h, {})\n"
        "def thing(x): return p(x)"
    ),
    "code of a partial": (
        "import functools\ndef h(x, y): return {} * x\n"
        "thing = functools.partial(h, y=1)"
    ),
    "decorated": (
        "import functools\ndef d(f):\n    @functools.wraps(f)\n"
        "    def w(x): return f(x)\n    return w\n@d\ndef thing(x): return {} * x"
    ),
    "decorator": (
        "import functools\ndef d(f):\n    @functools.wraps(f)\n"
        "    def w(x): return {} * f(x)\n    return w\n@d\ndef thing(x): return x"
    ),
    "decorator around what is installed": (
        "import functools\nfrom sklearn.metrics import accuracy_score\n"
        "def d(f):\n    @functools.wraps(f)\n    def w(*a): return {} * f(*a)\n"
        "    return w\nthing = d(accuracy_score)"
    ),
    "dressed as what is installed": (
        "import functools\nfrom sklearn.metrics import accuracy_score\n"
        "def thing(x): return {} * x\nfunctools.update_wrapper(thing, accuracy_score)"
    ),
    "comprehension in a lambda": (
        "def h(x): return {} * x\nthing = lambda xs: (lambda: [h(x) for x in xs])()"
    ),
    "object that is rebuilt as another": (
        "class C:\n    def __reduce__(self): return dict, ()\n"
        "    def __call__(self, x): return {} * x\nthing = C()"
    ),
    "decorator with a number": (
        "def d(n):\n    def e(f):\n        def w(x): return n * f(x)\n"
        "        return w\n    return e\n@d({})\ndef thing(x): return x"
    ),
    "lru_cache": "import functools\n@functools.lru_cache\ndef thing(x): return {} * x",
    "cached helper": (
        "import functools\n@functools.cache\ndef h(x): return {} * x\n"
        "def thing(x): return h(x)"
    ),
    "contextmanager": (
        "import contextlib\n@contextlib.contextmanager\ndef c(): yield {}\n"
        "def thing(x):\n    with c() as f: return f * x"
    ),
    "singledispatch": (
        "import functools\n@functools.singledispatch\ndef thing(x): return 0\n"
        "@thing.register\ndef _(x: int): return {} * x"
    ),
    "singledispatchmethod": (
        "import functools\nclass thing:\n    @functools.singledispatchmethod\n"
        "    def go(self, x): return 0\n    @go.register\n"
        "    def _(self, x: int): return {} * x"
    ),
    "methodcaller": "import operator\nthing = operator.methodcaller('score', {})",
    "vectorize": "import numpy as np\nthing = np.vectorize(lambda x: {} * x)",
    "types of vectorize": (
        "import numpy as np\nthing = np.vectorize(abs, otypes=['i{}'])"
    ),
    "attribute of vectorize": (
        "import numpy as np\nthing = np.vectorize(lambda x: thing.f * x)\n"
        "thing.f = {}\nthing.me = thing"
    ),
    "method": "class thing:\n    def score(self, x): return {} * x",
    "super": (
        "class B:\n    def go(self): return {}\n"
        "class thing(B):\n    def go(self): return super().go()"
    ),
    "property": "class thing:\n    @property\n    def f(self): return {}",
    "classmethod": "class thing:\n    @classmethod\n    def f(cls): return {}",
    "staticmethod": "class thing:\n    @staticmethod\n    def f(): return {}",
    "cached_property": (
        "import functools\nclass thing:\n    @functools.cached_property\n"
        "    def f(self): return {}"
    ),
    "partialmethod": (
        "import functools\nclass thing:\n    def f(self, x): return x\n"
        "    g = functools.partialmethod(f, {})"
    ),
    "available_if": (
        "from sklearn.utils.metaestimators import available_if\nclass thing:\n"
        "    @available_if(lambda self: True)\n    def score(self, X): return {}"
    ),
    "check of available_if": (
        "from sklearn.utils.metaestimators import available_if\nclass thing:\n"
        "    @available_if(lambda self: {})\n    def score(self, X): return 0"
    ),
    "wrapped transform": (
        "from sklearn.base import BaseEstimator, TransformerMixin\n"
        "class thing(TransformerMixin, BaseEstimator):\n"
        "    def transform(self, X): return {} * X\n"
        "    def get_feature_names_out(self): return []"
    ),
    "class constant": "class thing:\n    FACTOR = {}",
    "constant of a helper class": (
        "class Config:\n    FACTOR = {}\ndef thing(x): return Config.FACTOR * x"
    ),
    "dataclass": (
        "import dataclasses\n@dataclasses.dataclass\nclass C:\n    f: int = {}\n"
        "def thing(x): return C().f * x"
    ),
    "metadata of a field": (
        "import dataclasses\n@dataclasses.dataclass\nclass C:\n"
        "    f: int = dataclasses.field(default=0, metadata={{'k': {}}})\n"
        "def thing(x): return dataclasses.fields(C)[0].metadata['k']"
    ),
    "namedtuple": (
        "import collections\nC = collections.namedtuple('C', 'f', defaults=[{}])\n"
        "def thing(x): return C().f * x"
    ),
    "enum": (
        "import enum\nclass C(enum.Enum):\n    F = {}\n"
        "def thing(x): return C.F.value * x"
    ),
    "slots": (
        "class C:\n    __slots__ = ('f',)\n    def __init__(self, f): self.f = f\n"
        "thing = C({})"
    ),
    "module constant": "F = {}\ndef thing(x): return F * x",
    "module constant in a comprehension": (
        "F = {}\ndef thing(xs): return [F * x for x in xs]"
    ),
    "dict of the module": "F = {{'a': {}}}\ndef thing(x): return F['a'] * x",
    "array of the module": (
        "import numpy as np\nF = np.full(3, {})\ndef thing(x): return F * x"
    ),
    "pattern of the module": (
        "import re\nF = re.compile('a{{{}}}')\ndef thing(x): return F.match(x)"
    ),
    "instance of the module": (
        "class C:\n    def __init__(self, f): self.f = f\nc = C({})\n"
        "def thing(x): return c.f * x"
    ),
    "default": "def thing(x, f={}): return f * x",
    "keyword default": "def thing(x, *, f={}): return f * x",
    "default of a helper": "def h(x, f={}): return f * x\ndef thing(x): return h(x)",
    "closure": (
        "def make(f):\n    def g(x): return f * x\n    return g\nthing = make({})"
    ),
    "function attribute": (
        "def thing(x): return thing.factor * x\nthing.factor = {}\nthing.me = thing"
    ),
    "callable object": (
        "class C:\n    def __call__(self, x): return {} * x\nthing = C()"
    ),
    "bound method": (
        "class C:\n    def __init__(self, f): self.f = f\n"
        "    def go(self, x): return self.f * x\nthing = C({}).go"
    ),
    "object that holds its own method": (
        "class C:\n    def __init__(self, f):\n        self.f, self.go = f, self.run\n"
        "    def run(self, x): return self.f * x\nthing = C({})"
    ),
    "object with a __reduce__ of its own": (
        "def make(): return C()\nclass C:\n    def __reduce__(self): return make, ()\n"
        "    def __call__(self, x): return {} * x\nthing = C()"
    ),
    "what an exception is caught around": (
        "def thing(x):\n    try: y = 1 / x\n    except ZeroDivisionError: y = {}\n"
        "    return y"
    ),
    "scorer": (
        "from sklearn.metrics import make_scorer\ndef h(t, p): return {} * (t == p)\n"
        "thing = make_scorer(lambda t, p: sum(map(h, t, p)))"
    ),
    "functions in a set that they look up": (
        "A = set()\ndef a(x): return {} * x\ndef b(x): return len(A)\n"
        "def c(x): return sum(f(x) for f in A if f is not c)\nA |= {{a, b, c}}\n"
        "def thing(x): return sum(f(x) for f in A)"
    ),
    "a function in a set that it looks up": (
        "A = set()\ndef b(x): return {} * x\n"
        "def thing(x): return sum(f(x) for f in A)\nA |= {{thing, b}}"
    ),
    "objects in sets in a set": (
        "class C:\n    def __init__(self, f): self.f = f\n"
        "thing = {{frozenset([C(i), C({})]) for i in range(5)}}"
    ),
    "class of a property": (
        "class P(property):\n    def __get__(self, o, t=None): return {}\n"
        "class thing:\n    f = P()"
    ),
    "function of a property of a class of its own": (
        "class P(property): pass\nclass thing:\n    @P\n    def f(self): return {}"
    ),
    "attribute of a property": (
        "class P(property):\n"
        "    def __get__(self, o, t=None): return self.factor\n"
        "class thing:\n    f = P()\n    f.factor = {}\n    f.me = f"
    ),
    "slot of a property": (
        "class P(property):\n    __slots__ = ('factor',)\n"
        "    def __get__(self, o, t=None): return self.factor\n"
        "class thing:\n    f = P()\n    f.factor = {}"
    ),
    "attribute of a cached function": (
        "import functools\n@functools.cache\ndef thing(x): return thing.factor * x\n"
        "thing.factor = {}\nthing.me = thing"
    ),
    "attribute of a partial": (
        "import functools\ndef h(x): return thing.factor * x\n"
        "thing = functools.partial(h)\nthing.factor = {}\nthing.me = thing"
    ),
    "attribute of a staticmethod": (
        "class thing:\n    @staticmethod\n    def f(): return 0\n"
        "vars(thing)['f'].factor = {}"
    ),
    "attribute of an array": (
        "import numpy as np\nclass A(np.ndarray): pass\n"
        "a = np.zeros(2).view(A)\na.factor = {}\na.me = a\n"
        "def thing(x): return a.factor * x"
    ),
    "attribute of a sparse matrix": (
        "from scipy import sparse\na = sparse.csr_matrix([[1]])\na.factor = {}\n"
        "a.me = a\ndef thing(x): return a.factor * x"
    ),
    "class that a call makes": (
        "from sklearn.linear_model import Ridge\n"
        "thing = type('M', (Ridge,), {{'score': lambda self, X, y: {}}})"
    ),
    "constant of a class that a call makes": (
        "from sklearn.linear_model import Ridge\n"
        "thing = type('M', (Ridge,), {{'FACTOR': {}}})()"
    ),
    "class of a metaclass of Python": (
        "import abc\nthing = abc.ABCMeta('M', (), {{'go': lambda self: {}}})()"
    ),
    "class of types.new_class": (
        "import types\nthing = types.new_class('M', (), {{}}, "
        "lambda space: space.update(go=lambda self: {}))"
    ),
    "make_dataclass": (
        "import dataclasses\n"
        "thing = dataclasses.make_dataclass('C', [('k', float, {})])()"
    ),
    "names of make_dataclass": (
        "import dataclasses\nthing = dataclasses.make_dataclass("
        "'C', ['k'], namespace={{'go': lambda self: {}}})(0)"
    ),
    "class in a plain dict": (
        "space = {{}}\nexec('class C:\\n    def go(self): return {}', space)\n"
        "thing = space['C']()"
    ),
    "class with the name of what is installed": (
        "class Ridge:\n    __module__ = 'sklearn.linear_model'\n"
        "    def go(self): return {}\nthing = Ridge()"
    ),
    "keyword of a scorer": (
        "from sklearn.metrics import fbeta_score, make_scorer\n"
        "thing = make_scorer(fbeta_score, beta={})"
    ),
}


def load(source: str, name: str = "mine") -> types.ModuleType:
    module = sys.modules[name] = types.ModuleType(name)
    try:
        exec(source, module.__dict__)
    finally:
        del sys.modules[name]
    return module


@pytest.mark.parametrize("name", SOURCES)
def test_an_edit_of_what_is_used_is_seen(name):
    """One number in the code is another one; and nothing else is seen twice as new."""
    first, again, edited = (
        fingerprint(load(SOURCES[name].format(number)).thing) for number in (1, 1, 2)
    )
    assert first == again != edited


@pytest.mark.parametrize("name", SOURCES)
def test_what_decides_nothing_is_not_seen(name):
    """Comments, lines, docstrings, and code that is not used."""
    source = SOURCES[name].format(1)
    function = re.compile(r"^(\s*)(def \w+\([^)]*\)):\n", re.M)
    documented = function.sub(r'\1\2:\n\1    "What it does."\n', source)
    other = (
        f'"""A text."""\n\n# A comment.\nUNUSED = 7\n\n{documented}\ndef free(): 1\n'
    )
    assert fingerprint(load(source).thing) == fingerprint(load(other).thing)


@pytest.mark.parametrize("last", ["return g(y)", "z = g(y)"])
def test_around_what_an_exception_is_caught_is_seen(last):
    """Though the instructions are the same: where handlers act stands beside them."""
    source = (
        "def f(x): return x\ng = f\ndef thing(x):\n    {}\n"
        "    except KeyError: return 0\n    return z"
    )
    one = source.format(f"y = f(x)\n    try: {last}")
    other = source.format(f"try: y = f(x); {last}")
    assert fingerprint(load(one).thing) != fingerprint(load(other).thing)


def test_a_script_is_code_of_ones_own_whoever_runs_it(monkeypatch):
    """The file of ``__main__`` may be that of an installed program, as in notebooks."""
    main = types.ModuleType("__main__")
    main.__file__ = os.path.join(os.path.dirname(np.__file__), "__main__.py")
    monkeypatch.setitem(sys.modules, "__main__", main)
    seen = []
    for number in (1, 1, 2):
        exec(f"def thing(x): return {number} * x", main.__dict__)
        seen.append(fingerprint(main.thing))
    assert seen[0] == seen[1] != seen[2]


def test_what_is_installed_is_known_by_its_version():
    """Also where a decorator has made it; but not what it makes of one's own."""
    assert is_packaged(StandardScaler)
    assert is_packaged(accuracy_score)
    assert package_of("sklearn.metrics") == f"sklearn {sklearn.__version__}"
    assert package_of("skhpo.search") == f"skhpo {skhpo.__version__}"
    assert package_of("json") == package_of("builtins") is not None
    assert package_of("test_fingerprint") is None
    assert not is_packaged(load(SOURCES["contextmanager"].format(1)).c)
    assert not is_packaged(load(SOURCES["decorator"].format(1)).thing)


@pytest.mark.parametrize("form", ["module", "package"])
@pytest.mark.parametrize("beside", ["record", "other", "sources", "nothing"])
def test_packages_in_a_folder_of_their_own_are_installed(
    tmp_path, monkeypatch, form, beside
):
    """As with ``pip install --target``; not sources, which may have metadata too."""
    name = f"thing_{form}_{beside}"
    file = f"{name}.py" if form == "module" else f"{name}/sub/code.py"
    module = name if form == "module" else f"{name}.sub.code"
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text("class Thing:\n    pass\n")
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n"
    kind = "egg-info" if beside == "sources" else "dist-info"
    folder = tmp_path / f"{name}-1.2.{kind}"
    listed = {"record": ("RECORD", f"{file},,\n"), "other": ("RECORD", "y.py,,\n")}
    listed["sources"] = ("SOURCES.txt", f"{file}\n")
    if beside != "nothing":
        folder.mkdir()
        names = ("METADATA", "PKG-INFO", "top_level.txt")
        for written, text in zip(names, (metadata, metadata, name), strict=True):
            (folder / written).write_text(text)
        (folder / listed[beside][0]).write_text(listed[beside][1])
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module(module)
    try:
        expected = f"{name} {name} 1.2" if beside == "record" else None
        assert package_of(module) == expected
    finally:
        for loaded in [m for m in sys.modules if m.partition(".")[0] == name]:
            del sys.modules[loaded]


@pytest.mark.parametrize(
    "source",
    [
        "class thing:\n    'A {}.'\n    x = 1",
        "def thing():\n    class C:\n        'A {}.'\n    return C",
    ],
)
def test_what_a_class_says_of_itself_does_not_count(source):
    seen = {fingerprint(load(source.format(word)).thing) for word in ("cat", "dog")}
    assert len(seen) == 1


def test_what_clones_carry_counts():
    """Beside the parameters, such as the kind of output."""
    seen = {
        fingerprint(StandardScaler().set_output(transform=kind), cloned=True)
        for kind in ("default", "pandas")
    }
    assert len(seen) == 2


MODULES = {
    "helpers.py": "UNUSED = 7\nFACTOR = {}\ndef error(x): return FACTOR * x\n",
    "package/__init__.py": "FACTOR = {}\n",
    "package/other.py": "",
    "package/deep.py": "from helpers import error\ndef error2(x): return error(x)\n",
}
USES = {
    "attribute": "import helpers\ndef thing(x): return helpers.error(x)",
    "attribute in a comprehension": (
        "import helpers\ndef thing(xs): return [helpers.error(x) for x in xs]"
    ),
    "constant": "import helpers as h\ndef thing(x): return h.FACTOR * x",
    "imported": "from helpers import error\ndef thing(x): return error(x)",
    "of a package": (
        "import package.deep\ndef thing(x): return package.deep.error2(x)"
    ),
    "import inside": (
        "def thing(x):\n    from helpers import error\n    return error(x)"
    ),
    "module import inside": (
        "def thing(x):\n    import helpers\n    return helpers.error(x)"
    ),
    "module handed on": (
        "import helpers\ndef thing(x, name): return getattr(helpers, name)(x)"
    ),
    "import of a user": (
        "def thing(x):\n    import package.deep as d\n    return d.error2(x)"
    ),
}


FOLLOWED = {
    "package of an import inside": (
        "def thing(x):\n    import package.other\n    return package.FACTOR * x"
    ),
    "module of an import inside": (
        "def thing(x):\n    import package.deep\n    return package.deep.error2(x)"
    ),
    "import inside for a closure": (
        "def thing(x):\n    import helpers as h\n    return (lambda: h.FACTOR * x)()"
    ),
    "second import of a line": (
        "def thing(x):\n    import json, helpers\n    return helpers.error(x)"
    ),
    **{name: USES[name] for name in ("attribute", "constant", "module import inside")},
}
HANDED_ON = {
    "to a default": "import helpers\ndef thing(x, h=helpers): return h",
    "from an import inside": (
        "def thing(x):\n    import helpers\n    return getattr(helpers, 'FACTOR') * x"
    ),
    "beside its attribute": (
        "def thing(x):\n    import helpers\n    return helpers.UNUSED, helpers"
    ),
    "from its package": "def thing(x):\n    from package import deep\n    return deep",
}


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Write the modules of one's own with a number, and forget the imported ones."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(number, extra=""):
        for name in ("helpers", "package", "package.deep", "package.other"):
            sys.modules.pop(name, None)
        for path, text in MODULES.items():
            file = tmp_path / path
            file.parent.mkdir(exist_ok=True)
            file.write_text(text.format(number) + extra)
        importlib.invalidate_caches()

    return write


@pytest.mark.parametrize("use", USES | FOLLOWED)
def test_an_edit_of_another_module_is_seen(use, written):
    """Whichever way the code takes to a module of one's own."""
    seen = []
    for number in (1, 1, 2):
        written(number)
        seen += [fingerprint(load((USES | FOLLOWED)[use]).thing)]
    assert seen[0] == seen[1] != seen[2]


@pytest.mark.parametrize("use", FOLLOWED)
def test_an_edit_of_what_is_not_used_of_another_module_is_not_seen(use, written):
    """Where the code says which of its attributes it uses."""
    seen = set()
    for extra in ("", "# A comment.\nMORE = 1\n"):
        written(1, extra)
        seen.add(fingerprint(load(FOLLOWED[use]).thing))
    assert len(seen) == 1


@pytest.mark.parametrize("use", HANDED_ON | FOLLOWED)
def test_a_value_that_is_set_after_the_import_is_seen(use, written):
    """A module may be told its numbers by those who use it."""
    seen = []
    for number in (1, 1, 2):
        written(0)
        thing = load((HANDED_ON | FOLLOWED)[use]).thing
        modules = [importlib.import_module(n) for n in ("helpers", "package.deep")]
        for module in (*modules, sys.modules["package"]):
            module.FACTOR = number
        seen += [fingerprint(thing)]
    assert seen[0] == seen[1] != seen[2]


# --- models that were trained before --------------------------------------------------


def apply(X, model):
    return model.transform(X)


class Held:
    """Holds a model, as an attribute."""

    def __init__(self, model):
        self.model = model

    def transform(self, X):
        return self.model.transform(X)

    def __call__(self, estimator, X, y):
        return self.model.transform(X).sum()


def closure(model):
    return lambda X: model.transform(X)


HOLDERS = {
    "partial": lambda m: FunctionTransformer(functools.partial(apply, model=m)),
    "closure": lambda m: FunctionTransformer(closure(m)),
    "bound method": lambda m: FunctionTransformer(m.transform),
    "bound method of a holder": lambda m: FunctionTransformer(Held(m).transform),
    "keywords": lambda m: FunctionTransformer(apply, kw_args={"a": FrozenEstimator(m)}),
    "object in keywords": lambda m: FunctionTransformer(apply, kw_args={"a": Held(m)}),
    "frozen": FrozenEstimator,
    "in a pipeline": lambda m: make_pipeline(FrozenEstimator(m), StandardScaler()),
    "nested": lambda m: make_pipeline(
        ColumnTransformer([("a", make_pipeline(FrozenEstimator(m)), [0])])
    ),
    "in a list": lambda m: VotingClassifier([("a", FrozenEstimator(m))]),
    "frozen pipeline": lambda m: FrozenEstimator(Pipeline([("m", m)])),
}


def pca(scale):
    X = np.random.default_rng(0).normal(size=(50, 3))
    return PCA(1).fit(X * scale)


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_model_that_is_held_counts_with_what_it_has_learned(holder):
    """As clones keep it; trained on the same again, it is the same."""
    first, again, other = (
        fingerprint(HOLDERS[holder](pca(scale)), cloned=True)
        for scale in ([9, 1, 1], [9, 1, 1], [1, 1, 9])
    )
    assert first == again != other


@pytest.mark.parametrize("make", [Held, lambda m: make_scorer(accuracy_score, m=m)])
def test_a_scorer_counts_with_all_that_it_holds(make):
    assert fingerprint(make(pca([9, 1, 1]))) != fingerprint(make(pca([1, 1, 9])))


@pytest.mark.parametrize(
    "model",
    [
        StandardScaler(),
        Pipeline([("a", StandardScaler()), ("b", PCA(2))]),
        FunctionTransformer(apply, kw_args={"model": PCA()}),  # a dict is cloned, too
        VotingClassifier([("a", KNeighborsClassifier()), ("b", SVC())]),
    ],
)
def test_what_is_trained_anew_counts_with_its_parameters(model):
    """A clone forgets the rest; so a fit in between changes nothing."""
    before = fingerprint(model, cloned=True)
    for part in (model, model.get_params().get("kw_args", {}).get("model", model)):
        part.fit(np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2)
    assert fingerprint(model, cloned=True) == before


def test_fitted_models_of_all_kinds_are_the_same_each_time():
    X = np.random.default_rng(0).normal(size=(40, 3))
    y = np.arange(40) % 2
    for make in (
        lambda: RandomForestClassifier(3, random_state=0),
        lambda: KNeighborsClassifier(algorithm="kd_tree"),
        lambda: SVC(),
        lambda: LogisticRegression(),
    ):
        assert fingerprint(make().fit(X, y)) == fingerprint(make().fit(X, y))
        assert fingerprint(make().fit(X, y)) != fingerprint(make().fit(X, 1 - y))


# --- data -----------------------------------------------------------------------------


def frame(**columns):
    return pd.DataFrame(columns)


def masked(mask):
    return np.ma.MaskedArray([1.0, 2.0], mask=mask)


class NotedFrame(pd.DataFrame):
    """Keeps a note when it is copied or pickled."""

    _metadata = ("note",)

    @property
    def _constructor(self):
        return NotedFrame


def noted(note):
    data = NotedFrame({"a": [1.0]})
    data.note = note
    return data


def with_attrs(**attrs):
    data = frame(a=[1.0])
    data.attrs.update(attrs)
    return data


def levels(*names):
    return pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=names)


class LikeFrame:
    """Has columns and their types, and is no data frame."""

    columns, dtypes = (), ()

    def __init__(self, factor):
        self.factor = factor


DIFFERENT = {
    "names of an index": tuple(
        pd.DataFrame({"a": [0]}, index=pd.Index([1], name=name)) for name in "ab"
    ),
    "names of levels": tuple(
        pd.DataFrame({"a": [0, 1]}, index=levels("a", name)) for name in "bc"
    ),
    "names of levels of the columns": tuple(
        pd.DataFrame([[0, 1]], columns=levels("a", name)) for name in "bc"
    ),
    "names of the columns": tuple(
        pd.DataFrame([[0]], columns=pd.Index(["x"], name=name)) for name in "ab"
    ),
    "levels that are not used": (
        pd.DataFrame({"a": [0]}, index=levels("a", "b")[:1]),
        pd.DataFrame({"a": [0]}, index=levels("a", "b")[:1].remove_unused_levels()),
    ),
    "attrs of a frame": (with_attrs(unit=1), with_attrs(unit=2)),
    "what a subclass of a frame keeps": (noted(1), noted(2)),
    "what is like a frame": (LikeFrame(1), LikeFrame(2)),
    "masks": (masked([True, False]), masked([False, True])),
    "names of fields": (np.zeros(2, [("a", "f8")]), np.zeros(2, [("b", "f8")])),
    "categories": tuple(
        frame(a=pd.Categorical(["x", "y"], categories=list(c))) for c in ("xy", "yx")
    ),
    "kinds of column names": (pd.DataFrame({1: [0]}), pd.DataFrame({"1": [0]})),
    "sparse": (sparse.csr_array([[0, 1]]), sparse.csr_array([[1, 0]])),
    "sparse of another format": (sparse.csr_array([[1]]), sparse.csc_array([[1]])),
    "types": (np.float64(1), 1.0),
    "zeros": (complex(0, 0.0), complex(0, -0.0)),
    "sequences": ([1], (1,)),
    "layouts": (np.ones((2, 3), order="C"), np.ones((2, 3), order="F")),
    "strides": tuple(np.ones((4, 4, 2), order=o)[::2, :, :1] for o in "CF"),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_data_that_differ_are_told_apart(name):
    one, other = DIFFERENT[name]
    assert fingerprint(one) != fingerprint(other)
    assert steady_fingerprint(one) == fingerprint(one)


def test_how_a_frame_is_kept_together_does_not_count():
    """Column by column, or in blocks; and the labels by themselves or as a range."""
    one = frame(a=[1.0, 2.0], b=[3.0, 4.0])
    other = pd.DataFrame({"a": [1.0, 2.0]}, index=[0, 1])
    other["b"] = [3.0, 4.0]
    assert fingerprint(one) == fingerprint(one.copy()) == fingerprint(other)


def test_what_is_between_fields_does_not_count():
    """Fields may be aligned, with bytes of no meaning between them."""
    kind = np.dtype([("a", "i1"), ("b", "f8")], align=True)
    memory = [bytearray([fill] * 16) for fill in (0, 255)]
    one, other = (np.frombuffer(part, dtype=kind) for part in memory)
    one["a"] = other["a"] = 1
    one["b"] = other["b"] = 2.0
    assert memory[0] != memory[1]
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "bsr", "dia", "dok", "lil"])
def test_what_a_sparse_matrix_notes_does_not_count(kind):
    X = sparse.csr_array([[0, 1.0], [2.0, 0]]).asformat(kind)
    before = fingerprint(X)
    assert getattr(X, "has_sorted_indices", True)
    assert getattr(X, "has_canonical_format", True) in (True, False)
    X.maxprint = 7
    assert (X @ X).sum() == X.T.sum() + 1
    assert fingerprint(X) == before


class Columns:
    """Has columns, and is no data frame."""

    def __init__(self, columns):
        self.columns = columns


def test_what_is_no_frame_is_read_as_pickle_would():
    """Whatever its attributes are called."""
    assert fingerprint(Columns([1])) == fingerprint(Columns([1]))
    assert fingerprint(Columns([1])) != fingerprint(Columns([2]))


# --- the same in other processes ------------------------------------------------------

PROCESS = """
import sys
sys.path.insert(0, {tests!r})
import numpy as np
from test_fingerprint import HOLDERS, SOURCES, load, pca
from skhpo._fingerprint import fingerprint
for name in sorted(SOURCES):
    print("code:", name, fingerprint(load(SOURCES[name].format(1)).thing))
for name in sorted(HOLDERS):
    print(name, fingerprint(HOLDERS[name](pca([9, 1, 1])), cloned=True))
def mine(x): return {{1, "a", 2.5}}, x
print("main", fingerprint(mine), fingerprint({{"a", "b", 3, None}}))
"""


def test_it_is_the_same_in_another_process_with_another_hash_seed():
    """And says what it says without having been run before."""
    seen = []
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", PROCESS.format(tests=str(TESTS))],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
        )
        assert not done.stderr
        seen.append(done.stdout.splitlines())
    assert seen[0] == seen[1]
    for line in seen[0]:
        name, digest = line.rsplit(maxsplit=1)
        kind, _, name = name.partition(" ")
        if kind == "code:":
            here = fingerprint(load(SOURCES[name].format(1)).thing)
            assert digest == here, name


def test_code_that_has_run_is_the_same():
    """The interpreter rewrites code while it runs, and tools may watch it."""
    thing = load(SOURCES["comprehension"].format(1)).thing
    before = fingerprint(thing)
    for _ in range(300):
        thing([1, 2, 3])
    assert fingerprint(thing) == before


@pytest.mark.parametrize("options", [{}, {"otypes": [float]}, {"cache": True}])
@pytest.mark.parametrize("kind", [np.vectorize, type("Own", (np.vectorize,), {})])
def test_what_numpy_compiles_at_the_first_call_does_not_count(kind, options):
    thing = kind(lambda x: 2 * x, **options)
    before = fingerprint(thing)
    thing(np.ones(2))
    assert fingerprint(thing) == before


@pytest.mark.parametrize("names", ["environ", "environb", "environ as e"])
def test_variables_of_the_environment_are_not_seen(names, monkeypatch):
    """Whichever way code reads them; a job has others than a notebook."""
    name = names.split()[-1]
    thing = load(f"from os import {names}\ndef thing(x): return {name}['A']").thing
    before = fingerprint(thing)
    monkeypatch.setenv("A_VARIABLE_OF_THIS_TEST", "1")
    assert fingerprint(thing) == before


def test_functions_of_a_set_that_look_it_up_are_read_once():
    """However many there are: twenty would otherwise be read in each order."""
    names = [f"f{i}" for i in range(20)]
    source = "".join(f"def {name}(x): return len(A)\n" for name in names)
    thing = load(f"{source}A = {{{', '.join(names)}}}\nthing = f0").thing
    assert len(fingerprint(thing)) == 32


def test_a_set_that_comes_twice_is_like_two_equal_sets():
    one, other = {"a", "b"}, {"b", "a"}
    assert fingerprint([one, one]) == fingerprint([one, other])


# --- what cannot be read --------------------------------------------------------------


def generator():
    yield 1


class Fresh:
    """Is pickled in another way each time."""

    def __reduce__(self):
        return Fresh, (os.urandom(8),)


UNREADABLE = {
    "a file": lambda: open(os.devnull),  # noqa: SIM115
    "a generator": generator,
    "a ufunc of one's own": lambda: np.frompyfunc(generator, 0, 1),
    "memory": lambda: memoryview(b"a"),
    "a module constant": load("x = memoryview(b'a')\ndef f(): return x").__dict__["f"],
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_named(name):
    """With the way to it from the outside."""
    value = UNREADABLE[name]
    value = value() if name != "a module constant" else value
    pipe = make_pipeline(FunctionTransformer(apply, kw_args={"model": value}))
    with pytest.raises(UnreadableError) as caught:
        fingerprint(pipe, cloned=True)
    way = "parameter 'steps', step 'functiontransformer', parameter 'kw_args', 'model'"
    assert str(caught.value).startswith(way)
    if name == "a module constant":
        assert "the function 'f', the name 'x': " in str(caught.value)


def test_what_changes_from_look_to_look_is_named():
    pipe = make_pipeline(FunctionTransformer(apply, kw_args={"model": Fresh()}))
    with pytest.raises(UnreadableError, match="'model' is pickled in another way"):
        steady_fingerprint(pipe, cloned=True)


def test_what_contains_itself_is_refused():
    values = []
    values.append(values)
    with pytest.raises(UnreadableError, match="contains itself"):
        fingerprint(values)


@pytest.mark.parametrize(
    "thing", [skhpo.RandomSearch, skhpo.register_path, SearchSpace.zoom, Real(0, 1)]
)
def test_a_module_that_exports_a_thing_is_no_part_of_it(thing, monkeypatch):
    """A journal goes by where a thing is defined, as before it was known otherwise."""
    named = type(thing) if isinstance(thing, Real) else thing
    before = fingerprint(thing)
    assert defined_in(named) != named.__module__
    monkeypatch.setattr(named, "__module__", defined_in(named))
    assert fingerprint(thing) == before
