"""Notes on a plan, as `plan` prints them; test_plan.py has those that a report gets."""

from __future__ import annotations

import json

import pytest
from conftest import Call, WriteTask


def test_plan_prints_them(tiny: WriteTask, cli: Call) -> None:
    ended = cli("plan", tiny(shots=5))  # all that a class of the data has
    assert ended.code == 0
    assert "  note: 5 shots are all the training samples of emoji: " in ended.out


@pytest.mark.parametrize(("shots", "count"), [(4, 0), (5, 1)])
def test_plan_has_them_as_json(tiny: WriteTask, cli: Call, shots: int, count: int) -> None:
    assert len(json.loads(cli("plan", tiny(shots=shots), "--json").out)["notes"]) == count
