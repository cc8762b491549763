"""Errors name file, key, value, what is allowed and what is nearest, and end with an exit code."""

from __future__ import annotations

import pytest

from harness.core import errors
from harness.core.errors import (
    BadInput,
    CellError,
    HarnessError,
    TaskError,
    UnknownName,
    did_you_mean,
    nearest,
)


def test_a_task_error_is_one_sentence() -> None:
    error = TaskError("t.yaml", "shot", "no such key", allowed=["shots", "seeds"], nearest="shots")
    assert str(error) == ("t.yaml: shot: no such key; allowed: shots, seeds. Did you mean 'shots'?")
    assert (error.file, error.key) == ("t.yaml", "shot")
    assert str(TaskError("t.yaml", "", "is empty")) == "t.yaml: is empty"


def test_an_unknown_name_knows_the_nearest() -> None:
    error = UnknownName("encoder", "embeded", ["timm", "embedded"])
    assert str(error) == (
        "no encoder is called 'embeded'; allowed: embedded, timm. Did you mean 'embedded'?"
    )
    assert error.nearest == "embedded"
    assert error.known == ["embedded", "timm"]
    assert str(UnknownName("encoder", "x", [])) == "no encoder is called 'x'"


@pytest.mark.parametrize(
    ("name", "close"),
    [("classifer", "classifier"), ("SEEDS", "seeds"), ("zzz", None), ("", None)],
)
def test_nearest(name: str, close: str | None) -> None:
    assert nearest(name, ["classifier", "seeds"]) == close


def test_nothing_is_close() -> None:
    assert did_you_mean(None) == ""
    assert did_you_mean("seeds") == ". Did you mean 'seeds'?"


def test_exit_codes() -> None:
    """2 for what the user can fix; 1 for what happened while cells ran."""
    kinds = [e for e in vars(errors).values() if isinstance(e, type)]
    codes = {e.__name__: e.exit_code for e in kinds if issubclass(e, HarnessError)}
    assert codes == {
        "HarnessError": 1, "BadInput": 2, "TaskError": 2, "UnknownName": 2, "DataError": 2,
        "EncoderError": 2, "OutputError": 2, "DiskFull": 1, "CellError": 1,
    }  # fmt: skip
    assert not issubclass(CellError, BadInput)
