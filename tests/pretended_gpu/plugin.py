"""For pytest: `-p pretended_gpu.plugin` runs tests on the pretended GPU.

A test that is marked `real_cpu("why")` is left out.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pretended_gpu.machine import enter, pretended_gpu


def pytest_configure(config: pytest.Config) -> None:
    enter()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if item.get_closest_marker("real_cpu")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(autouse=True)
def _on_the_pretended_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("HARNESS_DEVICE", raising=False)
    with pretended_gpu():
        yield
