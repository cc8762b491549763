"""What holds of every alignment."""

from __future__ import annotations

import pytest

from harness.core import registry
from harness.core.protocols.alignment import Alignment
from harness.core.protocols.classifier import MATERIALS

from .inputs import CELL, D, E, facts, inputs


@pytest.mark.parametrize("name", registry.names("alignment"))
def test_it_maps_a_narrower_text(name: str) -> None:
    plugin = registry.load(Alignment, name)
    assert set(plugin.USES) <= set(MATERIALS)
    assert plugin.check(CELL, facts(E)) is None
    assert plugin.build(inputs(), plugin.Options()).shape == (E, D)
