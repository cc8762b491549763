"""Data that the datasets library reads: what comes out, and what is told of what cannot be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
from conftest import ROOT, Call, WriteTask, body, leftovers, records

from harness.core.errors import DataError
from harness.data import hf
from harness.sampling.sets import draw_support, draw_test, twins

from . import sources

SPACED = ("red car", "blue boat", "green bus")


def read(root: Path | str, **options: Any) -> hf.HubImages:
    return hf.open_dataset.__wrapped__(str(root), hf.Options(**options))


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shelf")
    sources.parquet(root / "parquet")
    sources.saved(root / "saved")
    sources.class_folders(root / "imagefolder")
    return root


@pytest.mark.parametrize("kind", ["parquet", "saved", "imagefolder"])
def test_local_formats(shelf: Path, kind: str) -> None:
    data = read(shelf / kind)
    assert set(data.classes) == set(SPACED)
    assert data.train.ids[:2] == ("train/000000", "train/000001")
    assert (len(data.train.ids), len(data.test.ids)) == (9, 6)
    for split in (data.train, data.test):
        for item, label in zip(split.ids, split.labels.tolist(), strict=True):
            colour = np.asarray(data.image(item)).mean((0, 1))
            nearest = np.abs(np.array(sources.COLOURS) - colour).sum(1).argmin()
            assert data.classes[label] == SPACED[nearest]


def test_pictures_are_those_that_were_written(shelf: Path) -> None:
    data = read(shelf / "parquet")
    for item, row in zip(data.train.ids, sources.rows("train"), strict=True):
        assert data.image(item).tobytes() == sources.picture(*row).tobytes()


def test_one_data_set_has_one_manifest_in_parquet_and_saved(shelf: Path, tmp_path: Path) -> None:
    assert read(shelf / "parquet").manifest == read(shelf / "saved").manifest
    other = sources.parquet(tmp_path / "other", pictures={1: sources.encoded(2, 77)})
    assert read(other).manifest != read(shelf / "parquet").manifest


def test_labels_of_every_kind(tmp_path: Path) -> None:
    strings = read(sources.parquet(tmp_path / "strings", kind="string"))
    assert strings.classes == tuple(sorted(sources.NAMES))  # as they are written
    numbers = read(sources.parquet(tmp_path / "numbers", kind="int", label="fine", image="img"),
                   label="fine", image="img")  # fmt: skip
    assert numbers.classes == ("0", "1", "2")
    assert numbers.train.labels.tolist() == [0, 1, 2] * 3


def test_numbers_stand_in_their_order(tmp_path: Path) -> None:
    tables = {}
    for split in ("train", "test"):
        made = sources.table(split, kind="int")
        tables[split] = made.map(
            lambda row: {"label": (2, 10, 1)[row["label"]]},
            new_fingerprint=f"numbers-{split}",
        )
    assert read(sources.saved(tmp_path / "x", **tables)).classes == ("1", "2", "10")


def test_splits_may_number_the_same_classes_otherwise(tmp_path: Path) -> None:
    mixed = tuple(reversed(sources.NAMES))
    root = sources.saved(
        tmp_path / "x", train=sources.table("train"), test=sources.table("test", names=mixed)
    )
    data = read(root)
    assert data.classes == SPACED
    assert data.test.labels[:3].tolist() == [2, 1, 0]


def test_a_declared_class_without_pictures_is_left_out_with_a_note(tmp_path: Path) -> None:
    names = (*sources.NAMES, "gone")
    data = read(sources.parquet(tmp_path / "x", names=names))
    assert data.classes == SPACED
    assert "1 (gone)" in data.notes[0]


def test_all_of_it_may_be_test_and_splits_have_other_names(shelf: Path, tmp_path: Path) -> None:
    assert read(shelf / "parquet", train_split=None).train.ids == ()
    root = sources.parquet(tmp_path / "x", ["train", "validation"])
    assert read(root, test_split="validation").test.ids[0] == "validation/000000"


def test_a_group_column(tmp_path: Path) -> None:
    tables = {}
    for split in ("train", "test"):
        made = sources.table(split)
        tables[split] = made.add_column(
            "film", ["a", "a", "b", *map(str, range(len(made) - 3))], new_fingerprint=f"g-{split}"
        )
    data = read(sources.saved(tmp_path / "x", **tables), group="film")
    assert data.test.groups[:4].tolist() == [0, 0, 1, 2]


def test_rows_of_other_writers(tmp_path: Path) -> None:
    """Bytes without the library's own description; rows in another order; pictures left empty."""
    import pandas as pd

    for split in ("train", "test"):
        data = {"image": [sources.encoded(*row) for row in sources.rows(split)],
                "label": [sources.NAMES[c] for c, _ in sources.rows(split)]}  # fmt: skip
        pd.DataFrame(data).to_parquet(tmp_path / f"{split}.parquet")
    found = read(tmp_path)
    assert found.image("train/000004").tobytes() == sources.picture(1, 1).tobytes()
    mixed = sources.table("train").shuffle(seed=1)
    root = sources.saved(tmp_path / "mixed", train=mixed, test=sources.table("test"))
    found = read(root)
    for item, label in zip(found.train.ids, found.train.labels.tolist(), strict=True):
        colour = np.asarray(found.image(item)).mean((0, 1))
        assert np.abs(np.array(sources.COLOURS) - colour).sum(1).argmin() == label
    gaps = sources.table("train").map(
        lambda row, n: {"image": row["image"] if n else None}, with_indices=True,
        new_fingerprint="gaps",
    )  # fmt: skip
    test = sources.table("test")
    found = read(sources.saved(tmp_path / "gaps", train=gaps, test=test), max_corrupt=1)
    assert "train/000000" not in found.train.ids


# --- the hub's cache ----------------------------------------------------------------------------


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hub")
    return tmp_path / "hub"


def test_a_name_is_read_from_the_local_cache(hub: Path, shelf: Path) -> None:
    sources.hub_cache(hub, "someone/three_shapes")
    found = read("someone/three_shapes")
    assert found.manifest == read(shelf / "parquet").manifest
    with pytest.raises(DataError, match=r"config 'defualt'.*default.*Did you mean 'default'"):
        read("someone/three_shapes", config="defualt")
    hf.fetch("someone/three_shapes", hf.Options())  # is here: nothing is asked


def test_a_name_that_is_not_here_is_told_at_once(
    hub: Path, cli: Call, tiny: WriteTask, tmp_path: Path
) -> None:
    began = time.monotonic()
    ended = cli("grid", tiny(dataset="hf:someone/nothing", classes={}))
    assert time.monotonic() - began < 5
    refused(ended, ("hf:someone/nothing", "python -m harness fetch TASK"), tmp_path)


def test_an_unreachable_hub_is_told_at_once(
    hub: Path, cli: Call, tiny: WriteTask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import huggingface_hub

    def unreachable(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", unreachable)
    began = time.monotonic()
    ended = cli("fetch", tiny(dataset="hf:someone/nothing", classes={}))
    assert time.monotonic() - began < 5
    assert ended.code == 2
    (error,) = ended.errors()
    assert "cannot be reached" in error
    assert "hf:someone/nothing" in error


# --- what cannot be -----------------------------------------------------------------------------


def refused(ended: Any, says: tuple[str, ...], folder: Path) -> None:
    assert ended.code == 2, ended
    assert len(ended.errors()) == 1, ended.err
    assert "Traceback" not in ended.err + ended.out
    for word in says:
        assert word in ended.errors()[0]
    assert len(ended.errors()[0]) < 1500
    assert leftovers(folder) == []


def _plain(root: Path) -> None:
    sources.parquet(root)


def _no_test(root: Path) -> None:
    sources.parquet(root, ["train"])


def _two_configs(root: Path) -> None:
    sources.parquet(root / "small")
    sources.parquet(root / "large")
    configs = [{"config_name": n, "data_files": f"{n}/*.parquet"} for n in ("small", "large")]
    (root / "README.md").write_text(f"---\nconfigs: {json.dumps(configs)}\n---\n")


def _other_strings(root: Path) -> None:
    names = ("red_car", "blue_boat", "gren_bus")
    sources.saved(root, train=sources.table("train", kind="string"),
                  test=sources.table("test", kind="string", names=names))  # fmt: skip


def _other_classes(root: Path) -> None:
    names = ("red_car", "blue_boat", "gren_bus")
    sources.saved(root, train=sources.table("train"), test=sources.table("test", names=names))


def _other_kinds(root: Path) -> None:
    sources.saved(root, train=sources.table("train"), test=sources.table("test", kind="int"))


def _hidden_labels(root: Path) -> None:
    test = sources.table("test").map(lambda _: {"label": -1}, new_fingerprint="hidden")
    sources.saved(root, train=sources.table("train"), test=test)


def _twin_names(root: Path) -> None:
    sources.parquet(root, kind="string", names=("car", "Car", "bus"))


def _cut_parquet(root: Path) -> None:
    file = sources.parquet(root) / "test-00000-of-00001.parquet"
    file.write_bytes(file.read_bytes()[:-200])


def _empty(root: Path) -> None:
    root.mkdir()


def _no_rows(root: Path) -> None:
    sources.parquet(root, ["train"])
    sources.table("test").select([]).to_parquet(str(root / "test-00000-of-00001.parquet"))


def _cut_saved(root: Path) -> None:
    (file,) = (sources.saved(root) / "test").glob("*.arrow")
    file.write_bytes(file.read_bytes()[:300])


def _corrupt_pictures(root: Path) -> None:
    sources.parquet(root, pictures={0: b"no picture", 1: b"", 2: sources.encoded(2, 0)[:200]})


BAD: list[tuple[Callable[[Path], None], dict[str, Any], tuple[str, ...]]] = [
    (_plain, {"image": "img"}, ("column 'img'", "allowed: image, label", "Did you mean 'image'")),
    (_plain, {"image": "label"}, ("'label' holds ClassLabel", "columns of pictures: image")),
    (_plain, {"label": "labels"}, ("column 'labels'", "Did you mean 'label'")),
    (_plain, {"label": "image"}, ("holds Image", "allowed: ClassLabel, strings, integers")),
    (_plain, {"group": "film"}, ("group", "'film'", "image, label")),
    (_plain, {"test_split": "tets"}, ("test_split 'tets'", "train, test", "Did you mean 'test'")),
    (_plain, {"test_split": "train"}, ("both 'train'",)),
    (_no_test, {}, ("test_split 'test'", "allowed: train")),
    (_plain, {"config": "smal"}, ("config 'smal'", "default")),
    (_two_configs, {}, ("several configs", "small, large")),
    (_two_configs, {"config": "smal"}, ("config 'smal'", "Did you mean 'small'")),
    (_plain, {"confg": "x"}, ("confg", "no such option", "Did you mean 'config'")),
    (_plain, {"max_corrupt": -1}, ("max_corrupt", "share below 1")),
    (_plain, {"max_corrupt": True}, ("max_corrupt", "share below 1")),
    (_other_strings, {}, ("do not match", "'gren_bus' of split 'test'", "Did you mean 'green_bus")),
    (_other_classes, {}, ("do not match", "'green_bus' of split 'train'", "Did you mean 'gren_bu")),
    (_other_kinds, {}, ("do not match", "ClassLabel in split 'train'", "integers in split")),
    (_hidden_labels, {}, ("row 0 of split 'test'", "no label", "-1")),
    (_twin_names, {}, ("duplicate class names", "'Car'", "'car'")),
    (_cut_parquet, {}, ("cannot be read by the datasets library",)),
    (_cut_saved, {}, ("cannot be read by the datasets library",)),
    (_no_rows, {}, ('"test" corresponds to no data',)),
    (_empty, {}, ("cannot be read by the datasets library",)),
    (_corrupt_pictures, {}, ("of hf:", "3 of the 15 pictures", "train/000000, train/000001, "
                             "train/000002", "max_corrupt")),
    (_corrupt_pictures, {"max_corrupt": 2}, ("3 of the 15", "more than max_corrupt: 2")),
    (_corrupt_pictures, {"max_corrupt": 0.19}, ("3 of the 15", "more than max_corrupt: 0.19")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("write", "options", "says"), BAD, ids=[f"{b[0].__name__}-{n}" for n, b in enumerate(BAD)]
)
def test_bad_input(
    write: Callable[[Path], None], options: dict[str, Any], says: tuple[str, ...],
    cli: Call, tiny: WriteTask, tmp_path: Path,
) -> None:  # fmt: skip
    write(tmp_path / "d")
    dataset = {"name": f"hf:{tmp_path / 'd'}", **options}
    ended = cli("grid", tiny(dataset=dataset, classes={}, shots=3))
    refused(ended, ("tiny.yaml: dataset" if "max" not in says[-1] else "", *says), tmp_path)


@pytest.mark.parametrize("name", ["", "a/b/c", "../x", "~nobody-of-this-name/x", "x" * 5000])
def test_names_that_cannot_be(name: str, cli: Call, tiny: WriteTask, tmp_path: Path) -> None:
    refused(cli("grid", tiny(dataset=f"hf:{name}", classes={})), ("hf",), tmp_path)


def test_a_saved_data_set_has_no_config(shelf: Path) -> None:
    with pytest.raises(DataError, match="a saved dataset has none"):
        read(shelf / "saved", config="x")
    with pytest.raises(DataError, match="is a file"):
        read(shelf / "parquet" / "test-00000-of-00001.parquet")


# --- studies ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["parquet", "saved", "imagefolder"])
def test_a_few_shot_grid(
    kind: str, shelf: Path, cli: Call, tiny: WriteTask, tmp_path: Path
) -> None:
    task = tiny(dataset=f"hf:{shelf / kind}", classes={}, shots=2)
    assert cli("grid", task).code == 0
    found = records(tmp_path / "runs")
    assert len(found) == 4
    assert {r["status"] for r in found.values()} == {"done"}
    assert {r["n"] for r in found.values()} == {6}


def test_corrupt_pictures_within_the_limit_are_left_out_and_named(
    cli: Call, tiny: WriteTask, tmp_path: Path
) -> None:
    _corrupt_pictures(tmp_path / "d")
    dataset = {"name": f"hf:{tmp_path / 'd'}", "max_corrupt": 0.2}
    task = tiny(dataset=dataset, classes={}, shots=2, seeds=1)
    assert cli("grid", task).code == 0
    report = body(tmp_path / "reports" / "tiny.md")
    assert "3 of the 15 pictures" in report
    assert "train/000002" in report
    (support,) = (tmp_path / "runs" / "support").glob("*.json")
    assert not {f"train/{n:06d}" for n in range(3)} & set(json.loads(support.read_text())["items"])


def test_support_sets_are_k_by_c_distinct_and_apart_from_the_test(shelf: Path) -> None:
    data = read(shelf / "parquet")
    test = draw_test(data, (0, 1, 2))
    for seed in range(3):
        support = draw_support(data, (0, 1, 2), seed, shots=2)
        assert np.bincount(support.labels).tolist() == [2, 2, 2]
        assert twins(data, support.items, test.items) == []


def test_twins_are_found_by_their_pixels(tmp_path: Path) -> None:
    again = {4: sources.encoded(*sources.rows("test")[1])}  # in train: row 4, in test: row 4
    root = sources.saved(tmp_path / "x", train=sources.table("train", pictures=again),
                         test=sources.table("test"))  # fmt: skip
    data = read(root, max_corrupt=1)
    assert twins(data, data.train.ids, data.test.ids) == [("train/000004", "test/000001")]
    assert "1 (test/000001 = train/000004)" in data.notes[0]


def test_another_process_draws_and_hashes_the_same(shelf: Path, cache: Path) -> None:
    """With other salts of Python's own hashes, and another cache."""
    program = (
        "import sys\n"
        "from harness.data import hf\n"
        "from harness.splits import draw_support\n"
        "data = hf.open_dataset(sys.argv[1], hf.Options())\n"
        "print(data.manifest, *(draw_support(data, (0, 1, 2), s, shots=1).sha256 for s in (0, 1)))"
    )
    data = read(shelf / "parquet")
    draws = [draw_support(data, (0, 1, 2), seed, shots=1).sha256 for seed in (0, 1)]
    done = subprocess.run(
        [sys.executable, "-c", program, str(shelf / "parquet")],
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "77",
                          "HARNESS_CACHE": str(cache / "elsewhere")},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.split() == [data.manifest, *draws]


def test_the_manifest_sees_splits_and_groups(shelf: Path, tmp_path: Path) -> None:
    swapped = read(shelf / "parquet", train_split="test", test_split="train")
    assert swapped.manifest != read(shelf / "parquet").manifest
    films = {
        s: sources.table(s).map(lambda _: {"film": "a"}, new_fingerprint=f"f-{s}")
        for s in ("train", "test")
    }
    root = sources.saved(tmp_path / "x", **films)
    assert read(root).manifest != read(root, group="film").manifest
