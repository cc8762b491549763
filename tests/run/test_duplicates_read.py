"""Equal pixels among pictures that a tuned backbone has read, in one process and in several."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import paint, plan_of, run_study
from PIL import Image

from harness.core.cells import Choice
from harness.run import duplicates_read
from harness.run.duplicates_read import warnings_of_read

from .outside import task

DATA = "run.outside:COLOURS"
COLOURS = {"oak": (200, 30, 30), "alder": (30, 30, 200)}


def study(root: Path, **changes: Any) -> dict[str, Any]:
    """Two classes; a test picture of oak has the pixels of a training picture, in another file."""
    paint(root, {f"{s}/{c}/0.png": (*rgb[:2], rgb[2] + 9 * (s == "test"))
                 for s in ("train", "test") for c, rgb in COLOURS.items()})  # fmt: skip
    Image.open(root / "train" / "oak" / "0.png").save(root / "test" / "oak" / "1.bmp")
    return {
        "name": "tuned", "dataset": f"folder:{root}", "regime": "few_shot", "shots": 1, "seeds": 1,
        "encoder": "embedded/lit-emoji", "tuning": "all", "resolution": 32,
        "recipe": {"epochs": 1, "warmup_epochs": 0, "augment": "crop_flip"}, **changes,
    }  # fmt: skip


def test_a_tuned_backbone_compares_what_it_reads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a frozen one does, whose features keep the hashes."""
    data, reference = study(tmp_path / "d"), f"folder:{tmp_path / 'd'}"
    frozen = data | {"tuning": "projection", "resolution": None, "recipe": {"epochs": 1}}
    for each in (data, frozen):
        (record,) = run_study(each, tmp_path / "runs").records
        (warning,) = (said for said in record.warnings if "pixel" in said)
        assert warning == (
            f"Test items of {reference} that are training items of {reference} as well, pixel for "
            "pixel: 1 (train/oak/0.png = test/oak/1.bmp)"
        )
        assert capsys.readouterr().err.count("pixel for pixel") == 1


class Read:
    """Resources of which a process has read the pictures of `hashes`."""

    def __init__(self, hashes: dict[str, str]) -> None:
        self.hashes, self.told = hashes, list[str]()

    def pixels(self, dataset: Choice, frames: int | None) -> dict[str, str]:
        return self.hashes

    def tell(self, warnings: Any) -> None:
        self.told += warnings


def test_several_processes_have_read_a_part_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolved = plan_of(task(tuning="all", classifier="text", seeds=1), tmp_path).cells[0]
    (item, *_), other = resolved.support.items, {"test/red/0": "x"}  # type: ignore[union-attr]
    here: Any = Read({item: "x"})

    def warnings() -> tuple[str, ...]:
        return warnings_of_read(resolved, lambda choice, item: item, here)

    assert warnings() == ()

    class Two:
        @staticmethod
        def of_each(value: dict[str, str]) -> list[dict[str, str]]:
            return [value, other]

    monkeypatch.setattr(duplicates_read, "world", Two)
    assert f"pixel for pixel: 1 ({item}" in warnings()[0]
    assert here.told
    frozen = plan_of(task(classifier="text", seeds=1), tmp_path).cells[0]
    assert warnings_of_read(frozen, lambda choice, item: item, here) == ()
