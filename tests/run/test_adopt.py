"""Records under an earlier key, copied to the key that their cell has now."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Ran, leftovers, plan_of, records, run_study

from harness.core.errors import OutputError
from harness.core.records import as_json, record_from, science_hash
from harness.core.store import Store, arrays_hash
from harness.data._own_files import OwnFiles
from harness.plan.earlier_keys import Earlier, earlier_records
from harness.run.adopt import Adopted, adopt_records

from .outside import task


@pytest.fixture
def own(pictures: Path) -> dict[str, Any]:
    return task(dataset=f"folder:{pictures}", shots=1, save="last")


@pytest.fixture
def ran(own: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ran:
    """A study from when keys held names and sizes."""
    with monkeypatch.context() as before:
        before.setattr(OwnFiles, "content", lambda self, used, progress=None: self.manifest)
        return run_study(own, tmp_path / "runs")


def earlier(own: dict[str, Any], store: Store) -> list[Earlier]:
    return earlier_records(plan_of(own, store.root).missing(), store, "task.yaml")


def test_the_result_is_the_same_under_the_new_key(own: dict[str, Any], ran: Ran) -> None:
    store = ran.store
    found = earlier(own, store)
    assert [e.key for e in found] == [r.key for r in ran.records]
    assert adopt_records(found, store) == Adopted(4)
    for each, old in zip(found, ran.records, strict=True):
        new = store.read(each.resolved.key)
        assert new is not None
        kept = {
            name: value for name, value in as_json(new).items()
            if name not in ("key", "train_key", "environment", "science_hash", "arrays")
        }  # fmt: skip
        assert kept == {name: as_json(old)[name] for name in kept}
        assert kept.keys() >= {"cell", "top1", "curve", "diagnostics", "test", "support", "cost"}
        assert new.train_key == each.resolved.train_key != old.train_key
        assert new.environment == {**old.environment, "adopted_from": old.key}
        old_arrays, new_arrays = store.arrays(old), store.arrays(new)
        assert list(new_arrays) == list(old_arrays) != []
        assert all(np.array_equal(new_arrays[n], old_arrays[n]) for n in old_arrays)
        assert new.science_hash == science_hash(new, arrays_hash(new_arrays))
        assert store.read(old.key) == old, "the earlier one stays"
    assert set(plan_of(own, store.root).status.values()) == {"done"}
    assert leftovers(store.root) == []


def test_the_hash_is_that_of_the_same_run_under_the_new_key(
    own: dict[str, Any], ran: Ran, tmp_path: Path
) -> None:
    adopt_records(earlier(own, ran.store), ran.store)
    again = run_study(own, tmp_path / "again")
    adopted = records(ran.store.root)
    for record in again.records:
        assert adopted[record.key]["science_hash"] == record.science_hash


def test_a_second_time_nothing_is_left(own: dict[str, Any], ran: Ran) -> None:
    found = earlier(own, ran.store)
    adopt_records(found, ran.store)
    before = {p: p.read_bytes() for p in ran.store.root.rglob("*.json")}
    assert earlier(own, ran.store) == []
    assert adopt_records(found, ran.store) == Adopted(0), "another process was first"
    assert {p: p.read_bytes() for p in ran.store.root.rglob("*.json")} == before


def test_saved_weights_come_along(own: dict[str, Any], ran: Ran) -> None:
    found = earlier(own, ran.store)
    adopt_records(found, ran.store)
    folder = ran.store.root / "checkpoints"
    for each in found:
        old, new = (
            (folder / key / "weights.safetensors").read_bytes()
            for key in (each.train_key, each.resolved.train_key)
        )
        assert old == new
    init = f"small#{found[0].resolved.train_key}"
    ran.store.write_task("small", "", [])
    assert plan_of(own, ran.store.root, init=init, tuning="none").cells


def test_weights_are_copied_where_files_have_one_name(
    own: dict[str, Any], ran: Ran, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = earlier(own, ran.store)[:1]

    def refuse(source: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patch:
        patch.setattr("harness.run.adopt.os.link", refuse)
        with pytest.raises(OutputError, match="Operation not permitted"):
            adopt_records(found, ran.store)  # a Record needs a link, as in every run
    folder = ran.store.root / "checkpoints"
    (new,) = (folder / found[0].resolved.train_key).iterdir()
    assert new.stat().st_nlink == 1
    assert new.read_bytes() == (folder / found[0].train_key / new.name).read_bytes()


def test_other_samples_are_not_adopted(own: dict[str, Any], ran: Ran) -> None:
    """As where the draw of this version of the harness is another."""
    store, old = ran.store, ran.records[1]
    path = store.path(old.key)
    data = json.loads(path.read_bytes())
    path.write_text(json.dumps({**data, "support": "00" * 8}, indent=1))
    assert adopt_records(earlier(own, store), store) == Adopted(3, (old.key,))
    assert len(plan_of(own, store.root).missing()) == 1


def test_a_failed_record_is_replaced(own: dict[str, Any], ran: Ran) -> None:
    (each, *_) = earlier(own, ran.store)
    failed = record_from({"key": each.resolved.key, "cell": {}, "status": "failed"})
    ran.store.write(failed)
    assert adopt_records([each], ran.store) == Adopted(1)
    record = ran.store.read(each.resolved.key)
    assert record is not None
    assert record.status == "done"


def test_a_record_that_went_since_is_passed_over(own: dict[str, Any], ran: Ran) -> None:
    found = earlier(own, ran.store)
    ran.store.path(found[0].key).unlink()
    assert adopt_records(found, ran.store) == Adopted(3)
