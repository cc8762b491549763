"""Measured seconds of an item: means of what was measured, the latest counting most."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core import rates
from harness.core.rates import ENCODE, MOST_ITEMS, READ, measured, remember


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    return tmp_path


def test_a_mean_over_items_by_kind_and_subject() -> None:
    assert measured(READ, ["a"]) is None
    remember(READ, ["a"], 10, 5.0)
    remember(READ, ["a"], 30, 5.0)
    assert measured(READ, ["a"]) == pytest.approx(10 / 40)
    assert measured(READ, ["b"]) is measured(ENCODE, ["a"]) is None


def test_what_took_no_item_is_no_measurement() -> None:
    remember(READ, ["a"], 0, 5.0)
    assert measured(READ, ["a"]) is None


def test_a_faster_machine_is_soon_learned() -> None:
    remember(READ, ["a"], 1_000_000, 1_000_000.0)
    remember(READ, ["a"], MOST_ITEMS, 0.0)
    assert measured(READ, ["a"]) == pytest.approx(0.5)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"items": 0, "seconds": 1}', b"no json"])
def test_a_damaged_file_is_written_over(cache: Path, content: bytes) -> None:
    remember(READ, ["a"], 1, 1.0)
    (path,) = cache.glob("rates/*.json")
    path.write_bytes(content)
    assert measured(READ, ["a"]) is None
    remember(READ, ["a"], 2, 1.0)
    assert measured(READ, ["a"]) == 0.5


def test_a_cache_that_cannot_be_written_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "file"))
    remember(rates.TEXT, "w", 1, 1.0)
    assert measured(rates.TEXT, "w") is None
