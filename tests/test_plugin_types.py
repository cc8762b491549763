"""mypy sees every plugin through its Protocol: members that are required, and those with a default.

A module cannot say that it implements a Protocol. So a class is written for every plugin, with the
module's members in its body, and mypy --strict checks them as overrides of the Protocol's.
"""

from __future__ import annotations

import importlib
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from conftest import ROOT

from harness.core import registry
from harness.core.conform import members
from harness.core.protocols.classifier import Classifier
from harness.core.protocols.measure import Measure
from harness.core.protocols.plugin import Plugin

#: A launcher is a package whose modules belong together; mypy sees it where it is called.
KINDS = [kind for kind in registry.KINDS if kind != "launcher"]

WRONG = '''
"""A classifier of which every member is wrong."""
import torch
from harness.core.cells import Cell
from harness.core.facts import CellFacts
from harness.core.protocols.classifier import ClassifierInputs
from pydantic import BaseModel

USES = 3

class Options(BaseModel):
    """It has no scale."""

def check(facts: CellFacts, cell: Cell) -> str | None:
    return None

def build(inputs: ClassifierInputs, options: Options) -> list[float]:
    return []
'''

INCOMPLETE = '''
"""A measure that does not say which way is better, and takes strings for labels."""
from harness.core.protocols.measure import Predictions

TITLE, UNIT = "Nothing", ""

def compute(predictions: Predictions, labels_N: list[str], groups_N: list[str]) -> float:
    return 0.0
'''


def declared_as_class(protocol: type[Plugin], module: ModuleType) -> str:
    """Python code: a class that extends the Protocol and has the members of a plugin's module."""
    name = re.sub(r"\W", "_", module.__name__)
    lines = [f"import {module.__name__} as {name}"]
    options = f"{name}.Options"
    if "Options" not in vars(module):  # the Protocol's own then serves
        default = protocol.Options
        lines.append(f"from {default.__module__} import {default.__name__} as {name}_options")
        options = f"{name}_options"
    lines.append(f"from {protocol.__module__} import {protocol.__name__} as {name}_protocol")
    is_generic = bool(getattr(protocol, "__parameters__", ()))
    base = f"{name}_protocol[{options}]" if is_generic else f"{name}_protocol"
    lines.append(f"class {name}_class({base}):")
    for member, wanted in members(protocol):
        if member in vars(module):
            value = f"{name}.{member}"
            is_function = inspect.isfunction(wanted)
            lines.append(f"    {member} = {f'staticmethod({value})' if is_function else value}")
        elif inspect.isfunction(wanted) and not getattr(wanted, "__isabstractmethod__", False):
            # mypy takes a default without a statement for an abstract method.
            lines.append(f"    def {member}(self, *_: Any, **__: Any) -> Any: return None")
    lines.append(f"{name}_plugin: {base} = {name}_class()  # fails if a member is missing")
    return "\n".join(lines) + "\n\n"


def of_every_plugin() -> Iterator[str]:
    for kind in KINDS:
        known = registry.KINDS[kind]
        for name in registry.names(kind):
            module = importlib.import_module(f"{known.package}.{name}")
            yield declared_as_class(known.protocol, module)


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What mypy says of every plugin and of two that are wrong: file -> the lines it is about."""
    folder = tmp_path_factory.mktemp("types")
    sys.path.insert(0, str(folder))
    try:
        for name, text in (("wrong_plugin", WRONG), ("incomplete_plugin", INCOMPLETE)):
            (folder / f"{name}.py").write_text(text, encoding="utf-8")
        wrong, incomplete = map(importlib.import_module, ("wrong_plugin", "incomplete_plugin"))
    finally:
        sys.path.remove(str(folder))
    files = {
        "every.py": "".join(of_every_plugin()),
        "wrong.py": declared_as_class(Classifier, wrong),
        "incomplete.py": declared_as_class(Measure, incomplete),
    }
    for name, text in files.items():
        first = "from __future__ import annotations\nfrom typing import Any\n"
        (folder / name).write_text(first + text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", ROOT / "pyproject.toml",
         *(folder / name for name in files)],
        cwd=ROOT, env=os.environ | {"MYPYPATH": str(folder)},
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr  # 2 where mypy itself fails
    found: dict[str, list[str]] = {name: [] for name in files}
    for path, number, text in re.findall(r"^(.+?):(\d+): error: (.*)$", done.stdout, re.MULTILINE):
        if Path(path).name in files:
            code = (folder / Path(path).name).read_text(encoding="utf-8").splitlines()
            found[Path(path).name].append(f"{code[int(number) - 1].strip()}: {text}")
    return found


def test_every_plugin_has_the_types_of_its_protocol(complaints: dict[str, list[str]]) -> None:
    assert "\n".join(complaints["every.py"]) == ""


def test_wrong_types_and_signatures_are_noticed(complaints: dict[str, list[str]]) -> None:
    """Of required members and of those with a default."""
    about = {line.partition(" = ")[0] for line in complaints["wrong.py"]}
    assert {"USES", "Options", "check", "build"} <= about


def test_what_is_missing_is_noticed(complaints: dict[str, list[str]]) -> None:
    told = "\n".join(complaints["incomplete.py"])
    assert "compute = " in told
    assert "BETTER" in told


def test_every_kind_has_plugins() -> None:
    """Or nothing would have been looked at."""
    code = "".join(of_every_plugin())
    for kind in KINDS:
        assert registry.names(kind) == [] or f"import {registry.KINDS[kind].package}." in code
    assert "harness.classifiers.lda" in code
    assert "harness.data.folder" in code
