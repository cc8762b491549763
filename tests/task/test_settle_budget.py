"""budget.settle: a number of seeds."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import TINY

from harness.core.errors import TaskError
from harness.run.request import budget_hours
from harness.task.read import validate
from harness.task.settle_budget import settle_budget


@pytest.mark.parametrize(
    ("budget", "seeds", "hours"),
    [
        (None, None, None), ({"settle": 20}, 20, None), ({"hours": 2}, None, 2.0),
        ({"hours": 2, "settle": 20}, 20, 2.0), ({"settle": None}, None, None),
    ],
)  # fmt: skip
def test_both_budgets_stand_side_by_side(budget: Any, seeds: int | None, hours: Any) -> None:
    task = validate({**TINY, "budget": budget}, "tiny")
    assert (settle_budget(task, "f"), budget_hours(task, "f")) == (seeds, hours)


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        ({"settle": "many"}, "budget.settle: many: must be a whole number of seeds"),
        ({"settle": True}, "whole number"), ({"settle": 0}, "whole number"),
        ({"settle": 2.5}, "whole number"), ({"seeds": 3}, "must be {hours: NUMBER, settle: SEEDS}"),
        ({"hours": "x", "settle": 20}, "must be {hours"),
    ],
)  # fmt: skip
def test_what_is_no_budget_is_refused(budget: Any, said: str) -> None:
    with pytest.raises(TaskError) as error:
        budget_hours(validate({**TINY, "budget": budget}, "tiny"), "f")
    assert said in str(error.value)
