"""Progress of work that knows nothing of commands."""

from __future__ import annotations

from pathlib import Path

from conftest import paint

from harness.core.progress import counted, shown_by, tell
from harness.data import folder


def test_it_is_shown_by_who_asked_for_it() -> None:
    told: list[tuple[str, int, int]] = []
    with shown_by(lambda *at: told.append(at)):
        assert list(counted("files", range(4000))) == list(range(4000))
    tell("files", 1, 2)  # nobody asks any more
    assert told[:2] == [("files", 0, 4000), ("files", 4, 4000)]
    assert told[-1] == ("files", 4000, 4000)
    assert len(told) == 1001


def test_opening_class_folders_counts_them(tmp_path: Path) -> None:
    splits = {f"{split}/{c}/0.png": (1, 2, 3) for split in ("train", "test") for c in ("a", "b")}
    paint(tmp_path, splits)
    told: list[tuple[str, int, int]] = []
    with shown_by(lambda *at: told.append(at)):
        folder.open_dataset(str(tmp_path), folder.Options())
    assert told == [
        (f"folders of {split}", done, 2) for split in ("train", "test") for done in range(3)
    ]
