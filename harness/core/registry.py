"""Names to plugins: `harness/<folder>/<name>.py`, or `package.module:object` from elsewhere.

One mechanism for every kind. A plugin is a module (or an object with the same attributes) that
implements the Protocol of its kind; a new plugin is one new file.
"""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar, cast

from harness.core import not_built
from harness.core.conform import conform
from harness.core.errors import BadInput, UnknownName
from harness.core.protocols.alignment import Alignment
from harness.core.protocols.classifier import Classifier
from harness.core.protocols.dataset import DatasetPlugin
from harness.core.protocols.encoder import EncoderPlugin
from harness.core.protocols.launcher import Launcher
from harness.core.protocols.log import LogPlugin
from harness.core.protocols.measure import Measure
from harness.core.protocols.method import Method
from harness.core.protocols.paradigm import Paradigm
from harness.core.protocols.plugin import Plugin
from harness.core.protocols.prompt import Prompt
from harness.core.protocols.screen import Screen
from harness.core.protocols.solver import Solver
from harness.core.protocols.temporal import Temporal

PACKAGE = Path(__file__).parent.parent
P = TypeVar("P", bound=Plugin)


@dataclass(frozen=True)
class Kind:
    """Where the plugins of a kind are, and the Protocol that they implement."""

    package: str
    protocol: type[Plugin]

    @property
    def folder(self) -> Path:
        """`harness.data` is harness/data/ beside this package."""
        return PACKAGE.parent.joinpath(*self.package.split("."))


#: By the key under which a task names it.
KINDS = {
    "dataset": Kind("harness.data", DatasetPlugin),
    "encoder": Kind("harness.encoders", EncoderPlugin),
    "alignment": Kind("harness.alignments", Alignment),
    "classifier": Kind("harness.classifiers", Classifier),
    "paradigm": Kind("harness.paradigms", Paradigm),
    "prompt": Kind("harness.prompts", Prompt),
    "temporal": Kind("harness.temporal", Temporal),
    "method": Kind("baselines", Method),
    "solver": Kind("harness.solvers", Solver),
    "measure": Kind("harness.measures", Measure),
    "screen": Kind("harness.screens", Screen),
    "log": Kind("harness.logs", LogPlugin),
    "launcher": Kind("harness.launch", Launcher),
}
_KIND_OF = {kind.protocol: name for name, kind in KINDS.items()}


def names(kind: str) -> list[str]:
    """Every plugin of a kind, by the files and folders of its package; not those with a `_`."""
    folder = KINDS[kind].folder
    files = [p.stem for p in folder.glob("*.py")]
    packages = [p.parent.name for p in folder.glob("*/__init__.py")]
    return sorted(name for name in (*files, *packages) if name[0] != "_")


def presets(kind: str) -> dict[str, Path]:
    """Files NAME.yaml beside the plugins of a kind: what they make is one of axes, not code."""
    return {file.stem: file for file in sorted(KINDS[kind].folder.glob("*.yaml"))}


def load(protocol: type[P], name: str) -> P:
    """The plugin called `name` of the kind that has this Protocol.

    Raises UnknownName, with the nearest name, if there is none; BadInput for one that cannot be
    imported or does not implement the Protocol.
    """
    return cast(P, load_kind(_KIND_OF[protocol], name))


@cache
def load_kind(kind: str, name: str) -> Plugin:
    """The plugin called `name` of a kind; see `load`."""
    known = KINDS[kind]
    if "." in name or ":" in name:
        return conform(known.protocol, _from_elsewhere(kind, name), f"the {kind} '{name}'")
    built = names(kind)
    if name in not_built.PLUGINS.get(kind, ()):
        raise BadInput(f"the {kind} '{name}' is not built yet; built: {', '.join(built)}")
    if name not in built:
        raise UnknownName(kind, name, sorted([*built, *presets(kind)]))
    module = importlib.import_module(f"{known.package}.{name}")
    return conform(known.protocol, module, f"the {kind} '{name}' ({module.__file__})")


def split_reference(reference: str) -> tuple[str, str]:
    """`family:argument` or `family/argument` to (family, argument); no argument is ''."""
    if re.match(r"[\w.]+\.[\w]+:\w+$", reference):
        return reference, ""
    family, _, argument = reference.partition(":")
    if "/" in family:
        family, _, rest = reference.partition("/")
        return family, rest
    return family, argument


def documentation(kind: str, name: str) -> str:
    """The docstring of a plugin."""
    load_kind(kind, name)  # first, for its errors
    if "." in name or ":" in name:
        return (_from_elsewhere(kind, name).__doc__ or "").strip()
    return (importlib.import_module(f"{KINDS[kind].package}.{name}").__doc__ or "").strip()


def summary(kind: str, name: str) -> str:
    """The first line of a plugin's docstring."""
    return documentation(kind, name).split("\n")[0]


def _from_elsewhere(kind: str, name: str) -> object:
    module, _, attribute = name.partition(":")
    try:
        imported: object = importlib.import_module(module)
        return getattr(imported, attribute) if attribute else imported
    except Exception as error:  # whatever a file of the user's raises while it is imported
        kind_of_error = (
            "" if isinstance(error, ImportError | AttributeError) else f"{type(error).__name__}: "
        )
        problem = f"cannot be imported: {kind_of_error}{error}"
        raise BadInput(f"the {kind} '{name}' cannot be imported: {problem}") from error
