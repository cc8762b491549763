"""Which items have features: by name, as long as the features are there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.core.cells import Choice
from harness.core.extracted import Extracted


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the features of one encoder."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    path = tmp_path / "features" / "encoder"
    path.mkdir(parents=True)
    return path


def extracted(folder: Path, **changes: Any) -> Extracted:
    given = {"dataset": Choice("folder:x"), "frames": None, "view": (1, 1)} | changes
    return Extracted(folder=folder, **given)


def test_items_are_known_once_they_were_remembered(folder: Path) -> None:
    assert extracted(folder).missing(["a", "b"]) == 2
    extracted(folder).remember(["a", "c"])
    extracted(folder).remember(["d", "a", "\udcff"])
    assert extracted(folder).missing(["a", "b", "c", "d", "\udcff", "e"]) == 2


@pytest.mark.parametrize(
    "changes", [{"dataset": Choice("folder:y")}, {"frames": 4}, {"view": (1, 3)}]
)
def test_other_features_of_the_same_names(folder: Path, changes: dict[str, Any]) -> None:
    extracted(folder).remember(["a"])
    assert extracted(folder, **changes).missing(["a"]) == 1


def test_features_that_were_deleted_are_missing(folder: Path) -> None:
    extracted(folder).remember(["a"])
    folder.rmdir()
    assert extracted(folder).missing(["a"]) == 1


def test_a_damaged_list_is_written_over(folder: Path, tmp_path: Path) -> None:
    extracted(folder).remember(["a"])
    (path,) = tmp_path.glob("extracted/*.npy")
    path.write_bytes(b"damaged")
    assert extracted(folder).missing(["a"]) == 1
    extracted(folder).remember(["a"])
    assert extracted(folder).missing(["a"]) == 0
