"""The class name alone (Table 4)."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def texts(names: Sequence[str], options: Options) -> list[list[str]]:
    """For every class the texts that stand for it."""
    return [[name] for name in names]
