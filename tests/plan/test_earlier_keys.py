"""Keys from before they held the bytes: those that the harness gave, and whose Records count."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import plan_of

from harness.core.records import Record
from harness.core.store import Store
from harness.data._items import manifest
from harness.data._own_files import OwnFiles
from harness.plan.earlier_keys import earlier_records, note_on_earlier
from plan.conftest import AddEncoder

#: Keys of commit 0b63d96, the last that held names and sizes, for the files and tasks below.
FEW_SHOT = [
    ("2fabcd794a9f810f", "8eeb8989835153f0"), ("0b85b39820e71ce3", "3ce16030f5982914"),
    ("fdcf521958792e81", "5a2373353edd8753"), ("213880f870d1a276", "8e9353c7b130fcf0"),
    ("6f92d5f44e8630bf", "3d85b16ecd83659e"), ("bffabc52201eaf81", "3c5d6ef505fbf9a3"),
    ("1854b0edf1cfc074", "7166b4f6941fb646"), ("38aa9b4e4def233e", "ce2f2b72df91fec1"),
]  # fmt: skip
ZERO_SHOT = [("acbd0ab20e6f28e0", "089de332e28f909e")]
PICKED = [("d9f6e32c8f440adf", "692d68f579b61a7d")]
CLIPS = [("6f9158f5741b9c34", "74940949612c5010")]


def put(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders `flowers` and `clips`, in the working directory; planning decodes nothing."""
    monkeypatch.chdir(tmp_path)
    for label in ("red_rose", "tulip", "oak"):
        for split, count in (("train", 3), ("test", 2)):
            for n in range(count):
                put(Path("flowers") / split / label / f"{n}.bmp", 102)
    number = 15  # each clip is larger by a byte than the one before
    for label in ("a", "b"):
        for split, count in (("train", 3), ("test", 2)):
            for n in range(count):
                put(Path("clips") / split / label / f"{n}.mp4", 100 + number)
                number += 1


@pytest.fixture
def task(data: None, add_encoder: AddEncoder) -> dict[str, Any]:
    return {
        "name": "t", "dataset": "folder:flowers", "regime": "few_shot", "shots": 1,
        "encoder": add_encoder(), "classifier": "text", "recipe": {"lr": 1e-3, "epochs": 2},
        "seeds": 1,
    }  # fmt: skip


def record(key: str, status: str = "done") -> Record:
    return Record(key=key, cell={}, status=status)


CASES: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "few shot": ({"shots": [1, 2], "classifier": ["text", "random"], "seeds": 2}, FEW_SHOT),
    "zero shot": ({"regime": "zero_shot", "tuning": "none", "shots": None, "seeds": None,
                   "recipe": {}}, ZERO_SHOT),
    "picked": ({"classes": {"pick": 2, "seed": 0}}, PICKED),
    "clips": ({"dataset": {"name": "video:clips"}, "temporal": "tap", "frames": 2}, CLIPS),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_keys_that_the_harness_gave(task: dict[str, Any], case: str, tmp_path: Path) -> None:
    changes, expected = CASES[case]
    store = Store(tmp_path / "runs")
    for key, _ in expected:
        store.write(record(key))
    merged = {k: v for k, v in {**task, **changes}.items() if v is not None}
    cells = plan_of(merged, store.root).cells
    earlier = earlier_records(cells, store, "task.yaml")
    assert [(e.key, e.train_key) for e in earlier] == expected
    assert [e.resolved for e in earlier] == cells
    assert not {e.key for e in earlier} & {c.key for c in cells}


def test_only_done_records_count(task: dict[str, Any], tmp_path: Path) -> None:
    store = Store(tmp_path / "runs")
    store.write(record(FEW_SHOT[0][0], "failed"))
    store.write(record(FEW_SHOT[1][0]))
    cells = plan_of(task, store.root, seeds=2).cells
    assert len(cells) == 2
    (earlier,) = earlier_records(cells, store, "task.yaml")
    assert (earlier.key, earlier.data) == (FEW_SHOT[1][0], ("folder:flowers",))


def test_sizes_are_looked_at_only_where_there_are_records(
    task: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And once, whatever the number of rows."""
    looked: list[Path] = []

    def counted(root: Path, rows: Any) -> str:
        looked.append(root)
        return manifest(root, rows)

    monkeypatch.setattr("harness.data.folder.manifest", counted)
    store = Store(tmp_path / "runs")
    cells = plan_of(task, store.root, classifier=["text", "random"], seeds=2).cells
    assert len({id(c.setup) for c in cells}) == 2
    assert earlier_records(cells, store, "task.yaml") == []
    assert looked == []
    store.write(record("00" * 8))
    assert earlier_records(cells, store, "task.yaml") == []
    assert [path.name for path in looked] == ["flowers"]


def test_data_that_have_one_key_have_no_earlier_one(
    elsewhere: Callable[..., str], add_encoder: AddEncoder, tmp_path: Path
) -> None:
    """Embedded data, and data of a plugin without a `content`."""
    store = Store(tmp_path)
    task = {"name": "t", "dataset": "emoji", "regime": "few_shot", "shots": 1, "seeds": 1,
            "encoder": add_encoder(), "classes": {"pick": 3}}  # fmt: skip
    cells = plan_of(task, store.root).cells
    store.write(record(cells[0].key))
    assert earlier_records(cells, store, "task.yaml") == []


def test_only_data_with_another_key_are_named(
    task: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "runs")
    task |= {"dataset": "emoji", "test_dataset": "folder:flowers", "regime": "zero_shot",
             "train_classes": {"pick": 3}}  # fmt: skip
    del task["shots"]
    with monkeypatch.context() as before:
        before.setattr(OwnFiles, "content", lambda self, used, progress=None: self.manifest)
        (old,) = plan_of(task, store.root).cells
    store.write(record(old.key))
    (earlier,) = earlier_records(plan_of(task, store.root).cells, store, "task.yaml")
    assert (earlier.key, earlier.train_key) == (old.key, old.train_key)
    assert earlier.data == ("folder:flowers",)
    assert earlier.train_key == earlier.resolved.train_key, "it does not depend on the test data"


def test_the_note(task: dict[str, Any], tmp_path: Path) -> None:
    store = Store(tmp_path / "runs")
    for key, _ in FEW_SHOT:
        store.write(record(key))
    cells = plan_of(task, store.root, shots=[1, 2], seeds=2).cells
    earlier = earlier_records(cells, store, "task.yaml")
    assert note_on_earlier(earlier, "python -m harness cache adopt t") == (
        "4 Records of this task are under the size-based key of folder:flowers, from before keys "
        "held the bytes; if the data have not changed since, `python -m harness cache adopt t` "
        "takes them over; else they are run again"
    )
    assert note_on_earlier(earlier[:1], "x").startswith("1 Record of this task is under ")
    assert note_on_earlier(earlier[:1], "x").endswith("`x` takes it over; else it is run again")
