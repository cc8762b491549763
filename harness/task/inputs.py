"""What the plugins of a cell read, and so what the cell depends on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.core import registry
from harness.core.cells import COOP_VAL, Choice, Recipe
from harness.core.errors import BadInput
from harness.core.protocols.alignment import Alignment
from harness.core.protocols.classifier import Classifier
from harness.core.protocols.method import OF_SUPPORT, Method
from harness.core.protocols.paradigm import Paradigm, head_materials
from harness.task.classifiers import reads_validation
from harness.task.solver_keys import is_convex


def is_random(s: Mapping[str, Any], recipe: Recipe | None = None) -> bool:
    """Whether anything in the cell depends on the seed."""
    whole_val = s["val"] == Choice("official")
    draws = s["regime"] in ("few_shot", "fraction") or isinstance(s["val"], int)
    if is_convex(recipe):
        return draws or (s["val"] is not None and not whole_val)
    if s["tuning"] != "none":
        return True
    needed = _inputs(s)
    drawn_val = "validation" in needed and not whole_val
    return "seed" in needed or drawn_val or (not needed.isdisjoint(OF_SUPPORT) and draws)


def reads_support(s: Mapping[str, Any]) -> bool:
    """Whether the cell depends on which of the training samples its K shots are."""
    if s["regime"] != "few_shot":
        return False
    return s["tuning"] != "none" or reads_support_samples(s) or s["val"] == COOP_VAL


def reads_support_samples(s: Mapping[str, Any]) -> bool:
    """Whether classifier, alignment or method are made of support samples."""
    return not _inputs(s).isdisjoint(OF_SUPPORT)


def _inputs(s: Mapping[str, Any]) -> frozenset[str]:
    """What classifier, alignment and method use."""
    of_head = uses(Classifier, s["classifier"]) | uses(Alignment, s["alignment"])
    validation = frozenset({"validation"} if reads_validation(s["classifier"]) else ())
    return of_head | validation | uses(Method, s["method"])


def method_options(choice: Choice) -> frozenset[str]:
    """Names of a method's options; empty for a method that planning will refuse."""
    try:
        return frozenset(registry.load(Method, choice.name).Options.model_fields)
    except BadInput:
        return frozenset()


def method_space(choice: Choice) -> Mapping[str, Sequence[Any]]:
    """What a method declares to be searched; empty for one that planning will refuse."""
    try:
        return registry.load(Method, choice.name).SPACE
    except BadInput:
        return {}


def materials_of_head(choice: Choice | None, tuning: str) -> frozenset[str]:
    """What a paradigm makes its head of; empty for a name that planning will refuse."""
    if choice is None:
        return frozenset()
    try:
        return frozenset(head_materials(registry.load(Paradigm, choice.name), tuning))
    except BadInput:
        return frozenset()


def uses(
    kind: type[Paradigm | Classifier | Alignment | Method], choice: Choice | str | None
) -> frozenset[str]:
    """The inputs that a plugin declares; empty for a name that planning will refuse."""
    if choice is None:
        return frozenset()
    name = choice.name if isinstance(choice, Choice) else choice
    try:
        return frozenset(registry.load(kind, name).USES)
    except BadInput:
        return frozenset()
