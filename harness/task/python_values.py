"""Values of Python as YAML and the command line have them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.task.notes import as_flow


def as_plain(value: Any) -> Any:
    """A value with lists, text and mappings in place of tuples, paths and the like."""
    if isinstance(value, Mapping):
        return {str(k): as_plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | range):
        return [as_plain(v) for v in value]
    return str(value) if isinstance(value, Path) else value


def as_overrides(changes: Mapping[str, Any]) -> list[str]:
    """Keyword arguments as the command line has them."""
    return [f"{key}={as_flow(as_plain(value))}" for key, value in changes.items()]
