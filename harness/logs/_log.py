"""What every log of a training has in common."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from harness.core.errors import BadInput

#: What a log draws of a point of the curve; each is a number or None.
CURVES = ("loss", "train_top1", "lr", "seconds")


def need(log: str, package: str) -> None:
    """Raises BadInput where the optional package of a log is not installed."""
    if find_spec(package) is None:
        raise BadInput(f"--log {log} needs the package {package}: pip install {package}")


def training(point: Mapping[str, Any]) -> int:
    """Which of a search's trainings a point belongs to, counted from 0."""
    return int(point.get("training", 0))
