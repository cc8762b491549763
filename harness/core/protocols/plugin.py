"""What plugins of every kind have in common.

A plugin is a module, or an object with the same attributes. A Protocol below this folder says what
its kind must define (abstract members) and what it may define (members with a default). The
registry checks a plugin against its Protocol once, when it is loaded, and fills in the defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict
from typing_extensions import TypeVar

if TYPE_CHECKING:
    from harness.core.cells import Cell
    from harness.core.facts import CellFacts

OptionsT_contra = TypeVar("OptionsT_contra", contravariant=True, default=BaseModel)


class NoOptions(BaseModel):
    """No options."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Plugin(Protocol):
    """A plugin of any kind."""

    #: Of a member with a choice: what the plugin must define for each value that it may have.
    REQUIRED_FOR: ClassVar[Mapping[tuple[str, str], str]] = {}

    #: The options that a task may give, a frozen pydantic model.
    Options: type[BaseModel] = NoOptions

    def check(self, cell: Cell, facts: CellFacts) -> str | None:
        """Why a cell is infeasible with this plugin, as one phrase; None if it is feasible.

        Raises BadInput for what no cell of the task can have.
        """
        return None
