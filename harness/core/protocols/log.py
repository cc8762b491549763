"""Logs: where the curves of trainings are written while they run."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from harness.core.protocols.plugin import Plugin
from harness.core.records import Record


class Log(Protocol):
    """The log of one training. `epoch` is called once an epoch, counted from 1; a training that
    goes on from a checkpoint begins with a later one.
    """

    @abstractmethod
    def epoch(self, point: Mapping[str, Any]) -> None:
        """A point of the curve: epoch, loss, train_top1 (fraction), seconds, lr; and training,
        the number of the configuration where a search trains several after another.
        """
        ...

    @abstractmethod
    def done(self, record: Record, measures: Mapping[str, float]) -> None:
        """The cell has its Record; `measures` are all that it was measured by."""
        ...

    @abstractmethod
    def close(self) -> None: ...


class LogPlugin(Plugin, Protocol):
    """A kind of log."""

    def ready(self) -> None:
        """Raises BadInput where a package or a setting is missing."""

    @abstractmethod
    def open_log(self, folder: Path, key: str, cell: Mapping[str, Any]) -> Log:
        """The log of the cell `key`, below `folder`."""
        ...
