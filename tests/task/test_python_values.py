"""Values of Python as YAML and the command line have them."""

from __future__ import annotations

from pathlib import Path

from harness.task.python_values import as_overrides, as_plain


def test_values() -> None:
    assert as_plain({1: (2, range(2)), "p": Path("a/b")}) == {"1": [2, [0, 1]], "p": "a/b"}
    assert as_overrides({"seeds": 2, "shots": (1, 4)}) == ["seeds=2", "shots=[1, 4]"]
