"""What skhpo exports is listed, documented and in its place."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import inspect
import pickle
import pkgutil
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import skhpo
from skhpo._public import defined_in

pytestmark = pytest.mark.thinned

ROOT = Path(__file__).parents[1]
PACKAGE = Path(skhpo.__file__).parent

MODULES = [
    "skhpo",
    *(
        module.name
        for module in pkgutil.walk_packages(skhpo.__path__, prefix="skhpo.")
        if not module.name.endswith("__main__")
    ),
]

# Foreign packages with private names that we import, and the one file that may.
# Attributes of joblib and the others: tests/test_private_names.py.
DOORS = {
    "sklearn": [PACKAGE / "_sklearn_compat.py"],
    "joblib": [],
}


def is_private(dotted: str) -> bool:
    return any(
        part.startswith("_") and not part.startswith("__") for part in dotted.split(".")
    )


PUBLIC_MODULES = [name for name in MODULES if not is_private(name)]


def is_ours(value: object) -> bool:
    """Whether `value` is a class or function whose source is in skhpo."""
    return (inspect.isclass(value) or inspect.isfunction(value)) and (
        value.__module__.split(".")[0] == "skhpo"
    )


def public_members(cls: type) -> list[str]:
    """Public methods and properties of `cls` that skhpo and not a base class wrote."""
    return sorted(
        {
            name
            for base in cls.__mro__
            if is_ours(base)
            for name, value in vars(base).items()
            if not name.startswith("_")
            and (inspect.isfunction(value) or isinstance(value, property))
        }
    )


def documented_objects() -> list[str]:
    """Dotted names of what public modules export, with the members of classes."""
    names: dict[object, list[str]] = {}
    for module_name in PUBLIC_MODULES:
        module = importlib.import_module(module_name)
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if is_ours(value) and value not in names:
                dotted = f"{module_name}.{name}"
                members = public_members(value) if inspect.isclass(value) else []
                names[value] = [f"{dotted}.{member}" for member in members]
                if not getattr(value, "_is_protocol", False):  # has no constructor
                    names[value].append(dotted)
    return [dotted for group in names.values() for dotted in group]


def modules_that_export() -> dict[object, set[str]]:
    """Public modules of each class and function of ours that one of them exports."""
    found: dict[object, set[str]] = {}
    for module in PUBLIC_MODULES:
        names = vars(importlib.import_module(module))
        for value in filter(is_ours, map(names.get, names.get("__all__", ()))):
            found.setdefault(value, set()).add(module)
    return found


def foreign_private_imports(path: Path, package: str) -> list[str]:
    """Private names of `package` that the file at `path` imports."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            dotted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            dotted = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        found += [
            f"{path.name}:{node.lineno} {name}"
            for name in dotted
            if name.split(".")[0] == package and is_private(name)
        ]
    return found


def test_skhpo_exports_exactly_its_public_names() -> None:
    public = {
        name
        for name, value in vars(skhpo).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert set(skhpo.__all__) == public


def test_the_version_is_that_of_what_was_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def not_installed(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    module = str(PACKAGE / "_version.py")
    monkeypatch.setattr(importlib.metadata, "version", lambda name: f"{name} 1.2.3")
    assert runpy.run_path(module)["__version__"] == "skhpo 1.2.3"
    monkeypatch.setattr(importlib.metadata, "version", not_installed)
    assert runpy.run_path(module)["__version__"] == "0+unknown"


@pytest.mark.parametrize("name", MODULES)
def test_modules_say_what_they_hold(name: str) -> None:
    assert importlib.import_module(name).__doc__, f"{name} has no docstring"


@pytest.mark.parametrize("name", PUBLIC_MODULES)
def test_public_modules_export_what_they_define(name: str) -> None:
    module = importlib.import_module(name)
    defined = {
        key
        for key, value in vars(module).items()
        if not key.startswith("_") and is_ours(value) and value.__module__ == name
    }
    assert defined <= set(getattr(module, "__all__", ()))


def test_public_things_are_known_by_the_shortest_public_name() -> None:
    """So a pickle, or a file of skops, names no module that may change."""
    for value, modules in modules_that_export().items():
        assert value.__module__ == min(modules, key=lambda name: name.count("."))
        assert pickle.loads(pickle.dumps(value)) is value


def test_files_that_name_the_defining_module_are_still_read() -> None:
    """As those were written before things were known by their public names."""
    for value in modules_that_export():
        module = importlib.import_module(defined_in(value))
        assert vars(module)[value.__name__] is value


@pytest.mark.parametrize("name", documented_objects())
def test_docstrings_are_valid(name: str) -> None:
    validate = pytest.importorskip("numpydoc.validate", reason="needs the lint extra")
    with open(ROOT / "pyproject.toml", "rb") as file:
        config = tomllib.load(file)["tool"]["numpydoc_validation"]
    checks = validate.get_validation_checks(set(config["checks"]))
    problems = [
        f"{code} {text}"
        for code, text in validate.validate(name)["errors"]
        if code in checks
    ]
    assert not problems, "\n".join([name, *problems])


@pytest.mark.parametrize("name", skhpo.__all__)
def test_public_classes_show_an_example_that_runs(name: str) -> None:
    value = getattr(skhpo, name)
    if inspect.isclass(value):
        assert ">>>" in (value.__doc__ or ""), f"{name} has no example"


def test_imports_go_down_only(monkeypatch: pytest.MonkeyPatch) -> None:
    cli = pytest.importorskip("importlinter.cli", reason="needs the lint extra")
    monkeypatch.chdir(ROOT)
    assert cli.lint_imports(no_cache=True) == cli.EXIT_STATUS_SUCCESS


@pytest.mark.parametrize("package", DOORS)
def test_private_names_of_others_enter_by_one_door(package: str) -> None:
    found = [
        line
        for path in sorted(PACKAGE.rglob("*.py"))
        if path not in DOORS[package]
        for line in foreign_private_imports(path, package)
    ]
    assert not found


def test_nothing_is_imported_that_is_not_used() -> None:
    """What a worker imports, it holds in memory; and drawing is an extra."""
    code = (
        "import sys, sklearn.model_selection, sklearn.pipeline\n"
        "before = {*sys.modules}; import skhpo\n"
        "print(*({*sys.modules} - before))\n"
        "import skhpo.plots; assert 'matplotlib' not in sys.modules"
    )
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, capture_output=True, text=True, check=True, cwd=ROOT)
    packages = {".".join(name.split(".")[:2]) for name in done.stdout.split()}
    assert {name for name in packages if name.startswith("sklearn.")} <= {
        "sklearn.utils"
    }
