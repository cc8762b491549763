import json
import multiprocessing
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import leftovers

from harness.core.errors import DiskFull, OutputError
from harness.core.records import Record
from harness.core.samples import SupportSet, TestSet
from harness.core.store import Store, science_hash, writable

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


def test_the_science_hash_sees_results_and_not_costs(store: Store) -> None:
    base = science_hash(DONE, ARRAYS)
    same = replace(DONE, cost={"wall_s": 9}, environment={"host": "x"}, arrays="other.npz")
    assert science_hash(same, ARRAYS) == base
    slow = replace(DONE, curve=[{"epoch": 1, "loss": 0.5, "seconds": 3.0}])
    fast = replace(DONE, curve=[{"epoch": 1, "loss": 0.5, "seconds": 1.0}])
    assert science_hash(slow, ARRAYS) == science_hash(fast, ARRAYS) != base
    assert science_hash(replace(DONE, top1=0.6), ARRAYS) != base
    assert science_hash(DONE, {"rank": np.arange(4, dtype=np.int64)}) != base


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


def test_tests_and_supports_are_saved_once_and_linked_into_the_task(store: Store) -> None:
    test = TestSet(("a", "b"), np.array([0, 1]), np.array([0, 0]), ("cat", "dog"))
    support = SupportSet(("c", "d"), (0, 1), 3)
    record = replace(DONE, test=store.write_test(test), support=store.write_support(support))
    again = store.read_test(record.test or "")
    assert again.sha256 == test.sha256
    store.link_into_task("few", [record])
    linked = store.root / "few" / "support" / f"{record.support}.json"
    assert json.loads(linked.read_text())["sha256"] == support.sha256
