"""What all cells of a run share."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.protocols.launcher import Events
from harness.core.store import Store
from harness.run.leakage import Leakage
from harness.run.plugins import RunPlugins
from harness.run.resources import Resources


@dataclass(frozen=True)
class RunContext:
    """What all cells of a run share."""

    store: Store
    resources: Resources
    leakage: Leakage
    plugins: RunPlugins
    events: Events
    save: bool  # whether to save the trained weights
