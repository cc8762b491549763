"""What every log of a training has in common."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, Protocol

from harness.core.errors import BadInput
from harness.core.records import Record

#: Of a point of the curve, what a log draws; all of it is a number or None.
CURVES = ("loss", "train_top1", "lr", "seconds")
#: Of a Record, what a log keeps at the end.
MEASURES = ("top1", "top5", "mean_class", "nll", "ece")


class Log(Protocol):
    """The log of one training. `epoch` is called once an epoch, counted from 1; a training that
    goes on from a checkpoint begins with a later one.
    """

    def epoch(self, point: Mapping[str, Any]) -> None:
        """A point of the curve: epoch, loss, train_top1 (fraction), seconds, lr; and training,
        the number of the configuration where a search trains several after another.
        """
        ...

    def done(self, record: Record) -> None:
        """The cell has its Record."""
        ...

    def close(self) -> None: ...


def need(log: str, package: str) -> None:
    """Raises BadInput where the optional package of a log is not installed."""
    if find_spec(package) is None:
        raise BadInput(f"--log {log} needs the package {package}: pip install {package}")


def training(point: Mapping[str, Any]) -> int:
    """Which of a search's trainings a point is of, counted from 0."""
    return int(point.get("training", 0))


def measures(record: Record) -> dict[str, float]:
    """The measures that a Record has."""
    found = ((name, getattr(record, name)) for name in MEASURES)
    return {name: float(value) for name, value in found if value is not None}
