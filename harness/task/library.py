"""The tasks and recipes that come with the harness, by name."""

from __future__ import annotations

from pathlib import Path

from harness.core.errors import UnknownName
from harness.core.registry import PACKAGE

#: Folders of tasks/ that hold parts of tasks.
PRESETS = ("recipes", "protocols")


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
    files = sorted(p for p in folder.rglob("*.yaml") if p.parent.name not in PRESETS)
    return {p.relative_to(folder).with_suffix("").as_posix(): p for p in files}


def recipes() -> dict[str, Path]:
    """Every recipe in tasks/recipes/, by name."""
    return _presets("recipes")


def protocols() -> dict[str, Path]:
    """Every protocol in tasks/protocols/, by name."""
    return _presets("protocols")


def _presets(folder: str) -> dict[str, Path]:
    return {p.stem: p for p in sorted((tasks_folder() / folder).glob("*.yaml"))}
