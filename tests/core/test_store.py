"""Records on disk: whole or not there, the first done one wins, what is damaged is put aside."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import leftovers

from harness.core.errors import DiskFull, OutputError
from harness.core.records import Record, science_hash
from harness.core.samples import SupportSet, TestSet
from harness.core.store import Store, arrays_hash, writable

DONE = Record(key="ab12", cell={"dataset": "emoji"}, status="done", top1=0.5, n=4)
ARRAYS = {"rank": np.arange(4, dtype=np.uint32)}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "runs")


def test_a_record_comes_back_with_its_arrays(store: Store) -> None:
    assert store.write(DONE, ARRAYS)
    found = store.read("ab12")
    assert found is not None
    assert found.top1 == 0.5
    assert store.arrays(found)["rank"].tolist() == [0, 1, 2, 3]
    assert store.path("ab12").parent.name == "ab"
    assert store.statuses(["ab12", "ab99"]) == {"ab12": "done"}
    assert not leftovers(store.root)


def test_the_first_done_record_wins_and_a_failed_one_is_replaced(store: Store) -> None:
    failed = replace(DONE, status="failed", top1=None)
    assert store.write(failed)
    assert store.write(DONE, ARRAYS)
    assert not store.write(replace(DONE, top1=0.9), ARRAYS)
    assert not store.write(failed)
    found = store.read("ab12")
    assert found is not None
    assert found.top1 == 0.5


def test_replacing_puts_a_new_record_in_place_of_a_done_one_once(tmp_path: Path) -> None:
    store = Store(tmp_path, replacing=["ab12"])
    assert Store(tmp_path).write(DONE, ARRAYS)
    assert store.write(replace(DONE, top1=0.9), ARRAYS)
    assert not store.write(replace(DONE, top1=0.1), ARRAYS), "the first of the new ones wins"
    found = store.read("ab12")
    assert found is not None
    assert found.top1 == 0.9
    assert store.replacing == set()


def test_what_is_written_names_its_science(store: Store) -> None:
    store.write(DONE, ARRAYS)
    record = store.read("ab12")
    assert record is not None
    assert record.science_hash == science_hash(DONE, arrays_hash(ARRAYS))
    assert record.arrays == f"ab12.{arrays_hash(ARRAYS)[:8]}.npz"


def test_the_hash_of_arrays_is_that_of_their_content() -> None:
    base = arrays_hash({"a": np.arange(6), "b": np.ones(2)})
    assert arrays_hash({"b": np.ones(2), "a": np.repeat(np.arange(6), 2)[::2]}) == base
    for other in (
        {"a": np.arange(6)},
        {"a": np.arange(6).reshape(2, 3), "b": np.ones(2)},
        {"a": np.arange(6, dtype=np.int32), "b": np.ones(2)},
        {"a": np.arange(1, 7), "b": np.ones(2)},
        {"a": np.arange(6), "c": np.ones(2)},
    ):
        assert arrays_hash(other) != base


def test_numbers_that_json_has_not_are_no_record(store: Store) -> None:
    with pytest.raises(ValueError, match="JSON"):
        store.write(replace(DONE, nll=float("nan")))
    assert store.read("ab12") is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"key": "other"}', '{"key": "ab12", "x": 1}'])
def test_what_is_no_record_goes_to_quarantine_with_the_reason(store: Store, text: str) -> None:
    path = store.path("ab12")
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert store.read("ab12") is None
    assert not path.exists()
    (reason,) = (store.root / "quarantine").glob("*.reason")
    assert "not a Record" in reason.read_text()


def test_a_record_whose_arrays_are_gone_or_damaged_is_no_record(store: Store) -> None:
    store.write(DONE, ARRAYS)
    (arrays,) = store.path("ab12").parent.glob("*.npz")
    whole = arrays.read_bytes()
    arrays.write_bytes(whole[:40])
    assert store.read("ab12") is None, "cut short: seen without reading the arrays"
    store.write(DONE, ARRAYS)
    arrays.write_bytes(whole[:60] + bytes(b ^ 255 for b in whole[60:90]) + whole[90:])
    found = store.read("ab12")
    assert found is not None
    with pytest.raises(OutputError, match="quarantine"):
        store.arrays(found)
    assert store.read("ab12") is None
    store.write(DONE, ARRAYS)
    arrays.unlink()
    assert store.read("ab12") is None


def _write_many(root: str, value: float) -> None:
    for i in range(30):
        key = f"k{i}"
        Store(Path(root)).write(replace(DONE, key=key, top1=value), ARRAYS)


def test_two_writers_leave_whole_records(store: Store) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(str(store.root), v)) for v in (0.1, 0.2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = [store.read(f"k{i}") for i in range(30)]
    assert all(r is not None and r.top1 in (0.1, 0.2) and store.arrays(r) for r in found)
    assert not leftovers(store.root)


def test_a_full_disk_is_told_and_what_was_written_stays(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(DONE, ARRAYS)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull, match="every finished cell is safe"):
        store.write(replace(DONE, key="cd34"), ARRAYS)
    assert store.read("ab12") is not None
    assert store.read("cd34") is None
    assert not leftovers(store.root)


def test_a_place_that_cannot_be_written_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        writable(tmp_path / "file" / "runs")


# --- statuses ------------------------------------------------------------------------------------


def test_statuses_of_many_keys(store: Store) -> None:
    """A Record that looks whole is not parsed; one that does not is read, and put aside if bad."""
    for key in ("ab12", "cd34", "cd35", "ef56"):
        store.write(replace(DONE, key=key), ARRAYS)
    store.write(replace(DONE, key="cd36", status="failed"))
    store.path("cd35").write_text(json.dumps({"key": "cd35", "cell": {}, "status": "done"}))
    store.path("ef56").write_text("{")
    found = store.statuses(["ab12", "cd34", "cd35", "cd36", "ef56", "0000", "ab99"])
    assert found == {"ab12": "done", "cd34": "done", "cd35": "done", "cd36": "failed"}
    assert not store.path("ef56").exists()


@pytest.mark.parametrize("place", ["cells", "cells/ab"])
def test_a_file_where_a_folder_of_records_should_be(place: str, store: Store) -> None:
    file = store.root / place
    file.parent.mkdir(parents=True)
    file.write_text("")
    sentence = re.escape(f"{file} is a file where the folder of the Records should be")
    for look in (store.read, lambda key: store.statuses([key])):
        with pytest.raises(OutputError, match=f"^{sentence}$"):
            look("ab12")


def test_statuses_see_arrays_that_are_gone(store: Store) -> None:
    store.write(DONE, ARRAYS)
    (arrays,) = store.path("ab12").parent.glob("*.npz")
    arrays.unlink()
    assert store.statuses(["ab12"]) == {}
    (reason,) = (store.root / "quarantine").glob("*.reason")
    assert f"its arrays {arrays.name} are missing or cut short" in reason.read_text()


def test_a_status_in_a_nested_field_is_not_that_of_the_record(store: Store) -> None:
    store.write(replace(DONE, status="failed", cell={"status": "done", "key": "ab12"}))
    assert store.statuses(["ab12"]) == {"ab12": "failed"}


# --- what Records refer to -----------------------------------------------------------------------


def test_tests_and_supports_are_saved_once_and_linked_into_the_task(store: Store) -> None:
    test = TestSet(("a", "b"), np.array([0, 1]), np.array([0, 0]), ("cat", "dog"))
    support = SupportSet(("c", "d"), (0, 1), 3)
    record = replace(DONE, test=store.write_test(test), support=store.write_support(support))
    again = store.read_test(record.test or "")
    assert again.sha256 == test.sha256
    store.link_into_task("few", [record])
    linked = store.root / "few" / "support" / f"{record.support}.json"
    assert json.loads(linked.read_text())["sha256"] == support.sha256


def test_a_damaged_test_set_is_put_aside(store: Store) -> None:
    test = TestSet(("a",), np.array([0]), np.array([0]), ("cat",))
    name = store.write_test(test)
    (store.root / "tests" / f"{name}.npz").write_bytes(b"PK not a test set")
    with pytest.raises(OutputError, match=r"the test set .* cannot be read"):
        store.read_test(name)
    (reason,) = (store.root / "quarantine").glob("*.reason")
    assert reason.read_text().startswith("not a test set: ")
    assert store.write_test(test) == name
    assert store.read_test(name).items == ("a",)


def test_a_task_and_its_keys(store: Store) -> None:
    store.write_task("few", "name: few\n", iter(["ab12", "cd34"]))
    assert (store.root / "few" / "task.yaml").read_text() == "name: few\n"
    assert json.loads((store.root / "few" / "keys.json").read_text()) == ["ab12", "cd34"]
