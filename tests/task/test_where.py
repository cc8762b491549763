"""`axis=value,axis=value`."""

from __future__ import annotations

import pytest

from harness.core.errors import TaskError
from harness.task.where import conditions


def test_commas_inside_values_stay() -> None:
    assert conditions("shots=[1,2],classifier=text", "--rerun") == {
        "shots": [1, 2], "classifier": "text"
    }  # fmt: skip


def test_another_form_is_refused() -> None:
    with pytest.raises(TaskError, match="is not of the form axis=value"):
        conditions("shots", "--rerun")
