"""Records across versions: fields that this version does not know are kept, one of a newer version
is one clear message, and the hash of a result is that of its science alone.
"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from conftest import TINY, plan_of

from harness.core.errors import BadInput
from harness.core.hashing import digest
from harness.core.records import (
    KEY_VERSION,
    RECORD_VERSION,
    TOP_LEVEL_MEASURES,
    NewerRecord,
    Record,
    as_json,
    record_from,
    science_hash,
)
from harness.core.store import Store

DONE = Record(key="ab12", cell={"dataset": "emoji"}, status="done", top1=0.5, n=4)


def put(store: Store, record: Record, **changes: Any) -> Path:
    """A Record with some fields of its JSON changed, as another version would have written it."""
    path = store.path(record.key)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(as_json(record) | changes, indent=1), encoding="utf-8")
    return path


# --- fields of another version -------------------------------------------------------------------


def test_unknown_fields_are_kept_and_written_back(tmp_path: Path) -> None:
    store, other = Store(tmp_path / "runs"), Store(tmp_path / "other")
    put(store, DONE, calibration={"temperature": 1.5}, tags=["a"])
    record = store.read("ab12")
    assert record is not None
    assert record.unknown == {"calibration": {"temperature": 1.5}, "tags": ["a"]}
    assert record.top1 == 0.5
    assert other.write(record)
    written = json.loads(other.path("ab12").read_text())
    assert written["calibration"] == {"temperature": 1.5}
    assert written["tags"] == ["a"]
    assert "unknown" not in written
    assert other.read("ab12") == replace(record, science_hash=written["science_hash"])


def test_a_record_comes_back_as_it_was() -> None:
    record = replace(DONE, measures={"auroc": 0.7}, curve=[{"epoch": 1}], unknown={"later": 1})
    assert record_from(json.loads(json.dumps(as_json(record)))) == record


def test_fields_without_a_value_are_not_written() -> None:
    assert set(as_json(DONE)) == {
        "key", "cell", "status", "top1", "n", "curve", "diagnostics", "cost", "environment",
        "schema",
    }  # fmt: skip
    assert as_json(replace(DONE, measures={"auroc": 0.7}))["measures"] == {"auroc": 0.7}


@pytest.mark.parametrize("data", [{}, {"key": "ab12"}, {"key": "ab12", "cell": {}}])
def test_what_lacks_a_field_is_no_record(data: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="missing"):
        record_from(data)


# --- a newer version -----------------------------------------------------------------------------


def newer(store: Store, key: str = "ab12") -> bytes:
    return put(
        store, replace(DONE, key=key), schema=RECORD_VERSION + 1, top1={"mean": 0.5}
    ).read_bytes()


@pytest.mark.parametrize(
    "look",
    [
        lambda store: store.read("ab12"),
        lambda store: store.statuses(["ab12"]),
        lambda store: store.write(DONE),
    ],
    ids=["read", "statuses", "write"],
)
def test_a_newer_record_is_one_message_and_stays_as_it_is(tmp_path: Path, look: Any) -> None:
    store = Store(tmp_path)
    before = newer(store)
    with pytest.raises(NewerRecord) as caught:
        look(store)
    assert str(caught.value) == (
        "the Record of cell ab12 was written by a newer version of the harness (Record version "
        f"{RECORD_VERSION + 1}; this one reads up to {RECORD_VERSION}): update it with pip install "
        "--upgrade classifier-init-harness, or name another folder with --runs"
    )
    assert isinstance(caught.value, BadInput)
    assert store.path("ab12").read_bytes() == before
    assert not (tmp_path / "quarantine").exists()


def test_a_newer_record_stops_the_plan(tmp_path: Path) -> None:
    store = Store(tmp_path)
    key = plan_of(TINY, tmp_path).cells[0].key
    before = newer(store, key)
    with pytest.raises(BadInput, match=f"cell {key} was written by a newer version"):
        plan_of(TINY, tmp_path)
    assert store.path(key).read_bytes() == before
    assert not (tmp_path / "quarantine").exists()


# --- versions ------------------------------------------------------------------------------------


def test_version_of_the_key_and_of_the_record_are_two_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Record that grows makes no new cells; a default that changes its meaning does."""
    keys = [c.key for c in plan_of(TINY, tmp_path).cells]
    monkeypatch.setattr("harness.core.records.RECORD_VERSION", RECORD_VERSION + 1)
    monkeypatch.setattr("harness.core.store.RECORD_VERSION", RECORD_VERSION + 1)
    assert [c.key for c in plan_of(TINY, tmp_path).cells] == keys
    monkeypatch.setattr("harness.plan.keys.KEY_VERSION", KEY_VERSION + 1)
    assert not set(keys) & {c.key for c in plan_of(TINY, tmp_path).cells}


def test_records_of_version_1_are_read() -> None:
    """Before `measures`; from before there was a version they have none."""
    data = {"key": "ab12", "cell": {}, "status": "done"}
    assert record_from(data | {"schema": 1}).schema == 1
    assert record_from(data).measures == {}


# --- the hash of the science ---------------------------------------------------------------------


def test_it_is_the_digest_of_the_result_and_of_the_arrays() -> None:
    assert science_hash(DONE, "abc") == digest(
        [
            {
                "key": "ab12", "cell": {"dataset": "emoji"}, "status": "done", "top1": 0.5, "n": 4,
                "curve": [], "diagnostics": {},
            },
            "abc",
        ]
    )  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"cost": {"wall_s": 9}}, {"environment": {"host": "x"}}, {"arrays": "other.npz"},
        {"schema": 1}, {"measures": {"auroc": 0.7}}, {"unknown": {"later": 1}},
        {"science_hash": "x"},
    ],
)  # fmt: skip
def test_what_is_no_science(changes: dict[str, Any]) -> None:
    assert science_hash(replace(DONE, **changes), "abc") == science_hash(DONE, "abc")


def test_seconds_and_tracebacks_are_no_science() -> None:
    slow = replace(DONE, curve=[{"epoch": 1, "loss": 0.5, "seconds": 3.0}])
    fast = replace(DONE, curve=[{"epoch": 1, "loss": 0.5, "seconds": 1.0}])
    assert science_hash(slow, "abc") == science_hash(fast, "abc") != science_hash(DONE, "abc")
    error = {"type": "CellError", "message": "no loss", "traceback": "line 3"}
    failed = replace(DONE, status="failed", error=error)
    assert science_hash(failed, "abc") == science_hash(
        replace(failed, error=error | {"traceback": "line 4"}), "abc"
    )
    assert science_hash(failed, "abc") != science_hash(
        replace(failed, error=error | {"message": "other"}), "abc"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"top1": 0.6}, {"n": 5}, {"support": "x"}, {"train_key": "x"}, {"cell": {}},
        {"diagnostics": {"twins": 1}}, {"curve": [{"epoch": 1}]}, {"ece": 0.1},
    ],
)  # fmt: skip
def test_what_is_science(changes: dict[str, Any]) -> None:
    assert science_hash(replace(DONE, **changes), "abc") != science_hash(DONE, "abc")
    assert science_hash(DONE, "abd") != science_hash(DONE, "abc")


def test_every_measure_of_the_top_level_is_a_field() -> None:
    assert set(TOP_LEVEL_MEASURES) <= {f.name for f in fields(Record)}


# --- warnings ------------------------------------------------------------------------------------


def test_warnings_are_kept_and_are_no_part_of_the_result() -> None:
    warned = replace(DONE, warnings=("Two classes have the same text.",))
    assert science_hash(warned, "a") == science_hash(DONE, "a")
    assert "warnings" not in as_json(DONE)
    read = record_from(json.loads(json.dumps(as_json(warned))))
    assert list(read.warnings) == ["Two classes have the same text."]
