"""class_name: the name and nothing else."""

from __future__ import annotations

from harness.core.protocols.plugin import NoOptions
from harness.prompts import class_name

from .cells import NAMES


def test_the_text_is_the_name() -> None:
    assert class_name.texts(NAMES, NoOptions()) == [["red car"], ["cat"]]
