"""The plugins of a run that are not part of a cell: logs and measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.core import registry
from harness.core.protocols.log import LogPlugin
from harness.core.protocols.measure import Measure
from harness.core.protocols.screen import Screen


@dataclass(frozen=True)
class RunPlugins:
    """Logs, and measures by name."""

    logs: Sequence[LogPlugin] = ()
    measures: Mapping[str, Measure] = field(default_factory=dict)


def run_plugins(logs: Sequence[str] = (), measures: Sequence[str] = ()) -> RunPlugins:
    """The plugins of these names, and all measures of harness/measures/.

    Raises UnknownName or BadInput for one that does not exist or cannot be used.
    """
    names = dict.fromkeys([*registry.names("measure"), *measures])
    opened = [registry.load(LogPlugin, name) for name in logs]
    for log in opened:
        log.ready()
    return RunPlugins(opened, {name: registry.load(Measure, name) for name in names})


def screen_plugins(names: Sequence[str] = ()) -> dict[str, Screen]:
    """The screens of harness/screens/, and these.

    Raises UnknownName or BadInput for one that does not exist or cannot be used.
    """
    wanted = dict.fromkeys([*registry.names("screen"), *names])
    return {name: registry.load(Screen, name) for name in wanted}
