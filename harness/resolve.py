"""Names to plugins: `harness/<folder>/<name>.py`, or `package.module:object` from elsewhere.

One mechanism for every kind. A plugin is a module (or an object with the same attributes) that
exports `Options` (pydantic), `check(cell, facts)` and a builder; a new one is one new file.
"""

from __future__ import annotations

import importlib
import re
from functools import cache
from pathlib import Path
from typing import Any

from harness.errors import BadInput, UnknownName

PACKAGE = Path(__file__).parent

#: kind -> (folder, package)
KINDS = {
    "dataset": "data",
    "encoder": "encoders",
    "alignment": "alignments",
    "classifier": "classifiers",
    "paradigm": "paradigms",
    "prompt": "prompts",
    "temporal": "temporal",
    "log": "logs",
}

#: Names that the task format knows and that no file answers to yet.
NOT_BUILT = {
    "dataset": ("webdataset",),
    "encoder": (),
    "alignment": (),
    "classifier": (),
    "paradigm": (),
    "prompt": (),
    "temporal": (),
    "log": (),
}


def names(kind: str) -> list[str]:
    """Every plugin of a kind, by the files in its folder."""
    return sorted(p.stem for p in (PACKAGE / KINDS[kind]).glob("*.py") if p.stem[0] != "_")


@cache
def plugin(kind: str, name: str) -> Any:
    """The plugin called `name`.

    Raises UnknownName, with the nearest name, if there is none.
    """
    if "." in name or ":" in name:
        return _from_elsewhere(kind, name)
    if name in NOT_BUILT[kind]:
        raise BadInput(f"the {kind} '{name}' is not built yet; built: {', '.join(names(kind))}")
    if name not in names(kind):
        raise UnknownName(kind, name, names(kind))
    return importlib.import_module(f"harness.{KINDS[kind]}.{name}")


def split_reference(reference: str) -> tuple[str, str]:
    """`family:argument` or `family/argument` to (family, argument); no argument is ''."""
    if re.match(r"[\w.]+\.[\w]+:\w+$", reference):
        return reference, ""
    family, _, argument = reference.partition(":")
    if "/" in family:
        family, _, rest = reference.partition("/")
        return family, rest
    return family, argument


def summary(kind: str, name: str) -> str:
    """The first line of the plugin's docstring."""
    doc = getattr(plugin(kind, name), "__doc__", None) or ""
    return doc.strip().split("\n")[0]


def task_file(name: str) -> Path:
    """A task by path, or by the name of a file in tasks/.

    Raises UnknownName, with the nearest task, if neither exists.
    """
    path = Path(name)
    try:
        if path.is_file():
            return path
    except OSError:  # a name that is too long
        name = f"{name[:100]}..."
    known = tasks()
    short = name.removeprefix("tasks/").removesuffix(".yaml")
    if short in known:
        return known[short]
    raise UnknownName("task", name, known)


def tasks_folder() -> Path:
    """tasks/ of a checkout, or its copy inside an installed package."""
    checkout = PACKAGE.parent / "tasks"
    return checkout if checkout.is_dir() else PACKAGE / "share" / "tasks"


def tasks() -> dict[str, Path]:
    """Every task in tasks/, by name: `few_shot`, `paper/table01`."""
    folder = tasks_folder()
    found = sorted(p for p in folder.rglob("*.yaml") if p.parent.name != "recipes")
    return {p.relative_to(folder).with_suffix("").as_posix(): p for p in found}


def recipes() -> dict[str, Path]:
    """Every recipe in tasks/recipes/, by name."""
    return {p.stem: p for p in sorted((tasks_folder() / "recipes").glob("*.yaml"))}


def _from_elsewhere(kind: str, name: str) -> Any:
    module, _, attribute = name.partition(":")
    try:
        found = importlib.import_module(module)
        return getattr(found, attribute) if attribute else found
    except (ImportError, AttributeError) as error:
        raise BadInput(f"the {kind} '{name}' cannot be imported: {error}") from error
