"""What every log has in common: the optional package, and the number of a training."""

from __future__ import annotations

import pytest

from harness.core.errors import BadInput
from harness.logs import _log


def test_a_package_that_is_here_is_not_needed() -> None:
    assert _log.need("x", "numpy") is None


def test_a_missing_package_is_named_with_its_command() -> None:
    with pytest.raises(BadInput, match="--log x needs the package no_such: pip install no_such"):
        _log.need("x", "no_such")


def test_trainings_are_counted_from_0() -> None:
    assert _log.training({"epoch": 1}) == 0
    assert _log.training({"epoch": 1, "training": 2}) == 2
