"""What every method declares: what a search tries."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from conftest import ROOT

from harness.core import registry
from harness.core.protocols.method import BUDGET, Method

METHODS = registry.names("method")


@pytest.mark.parametrize("name", METHODS)
def test_a_space_is_within_the_budget_and_of_accepted_values(name: str) -> None:
    method = registry.load(Method, name)
    assert math.prod(len(values) for values in method.SPACE.values()) <= BUDGET
    assert set(method.SPACE) <= set(method.Options.model_fields)
    for option, values in method.SPACE.items():
        assert len(set(values)) == len(values)
        for value in values:
            assert getattr(method.Options(**{option: value}), option) == value


@pytest.mark.parametrize("name", METHODS)
def test_without_options_a_method_has_its_defaults(name: str) -> None:
    """What a paper sets without validation is the default."""
    fields = registry.load(Method, name).Options.model_fields
    assert not [option for option, field in fields.items() if field.is_required()]


def test_a_plan_loads_no_torch() -> None:
    """Planning opens every method, in a fresh process."""
    program = (
        "import sys\n"
        "from harness.core import registry\n"
        "from harness.core.protocols.method import Method\n"
        f"for name in {METHODS!r}:\n"
        "    registry.load(Method, name)\n"
        "print('torch' in sys.modules)\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "False\n"
