"""`axis=value,axis=value` on the command line."""

from __future__ import annotations

import re
from typing import Any

from harness.core.errors import TaskError
from harness.task.yaml_reader import parse


def conditions(where: str, option: str) -> dict[str, Any]:
    """The axes with their values. Raises TaskError for what has another form."""
    parts = re.split(r",(?=[\w.]+=)", where)  # the commas of shots=[1,2] stay
    for part in parts:
        if "=" not in part:
            raise TaskError(option, part, "is not of the form axis=value")
    pairs = dict(part.partition("=")[::2] for part in parts)
    return {axis: parse(value, f"{option} {where}") for axis, value in pairs.items()}
