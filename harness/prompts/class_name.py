"""The class name alone (Table 4)."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.protocols.plugin import NoOptions


def texts(names: Sequence[str], options: NoOptions) -> list[list[str]]:
    """Every class has one text, its name."""
    return [[name] for name in names]
