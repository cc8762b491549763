"""What a classifier with the options of a task reads beside what its USES names."""

from __future__ import annotations

from harness.core import registry
from harness.core.cells import Choice
from harness.core.errors import BadInput
from harness.core.protocols.classifier import Classifier


def classifier_prompt(choice: Choice | None) -> Choice | None:
    """The prompt that a classifier reads in place of the task's; None: it has none of its own."""
    plugin = _plugin(choice)
    return plugin.prompt(dict(choice.options)) if plugin and choice else None


def reads_validation(choice: Choice | None) -> bool:
    """Whether a classifier looks at validation samples."""
    plugin = _plugin(choice)
    return bool(plugin and choice and plugin.reads_validation(dict(choice.options)))


def _plugin(choice: Choice | None) -> Classifier | None:
    """None without a classifier, and for a name that planning will refuse."""
    try:
        return registry.load(Classifier, choice.name) if choice else None
    except BadInput:
        return None
