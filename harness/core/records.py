"""The Record: all that is known about one cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: Raised when a default changes its meaning, so that no older Record is taken for a newer one.
SCHEMA = 1


@dataclass(frozen=True)
class Record:
    """All that is known about one cell. The only truth about it, once on disk."""

    key: str
    cell: Mapping[str, Any]
    status: str  # done | failed
    error: Mapping[str, str] | None = None
    top1: float | None = None
    top5: float | None = None
    mean_class: float | None = None
    nll: float | None = None
    ece: float | None = None
    n: int | None = None
    test: str | None = None
    support: str | None = None
    train_key: str | None = None
    curve: Sequence[Mapping[str, Any]] = ()
    diagnostics: Mapping[str, Any] = field(default_factory=dict)
    cost: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    arrays: str | None = None  # file name of the npz beside the json
    science_hash: str | None = None
    schema: int = SCHEMA
