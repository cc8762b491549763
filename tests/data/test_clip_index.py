"""Index passes that are kept: by threads, processes and forks at once, and none is lost."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest

from harness.core.cache import problems
from harness.data import _clip_index
from harness.data._clip_index import ClipStore, index_of, keep
from harness.data._clip_records import packed, record, records, unpacked
from harness.data._decode import Index

SHORT = Index(40)
LONG = Index(300, tuple(range(-1024, 300 * 512 - 1024, 512)), (-1024, 49152))


def address(number: int) -> str:
    return f"{number:032x}"


def of(number: int) -> Index:
    return Index(number + 1, tuple(range(number, 3 * number + 2, 2))[: number + 1], (number,))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    return tmp_path / "clips"


def another(folder: Path) -> ClipStore:
    """As another process would have it."""
    return ClipStore(folder, folder.parent / "videos")


@pytest.mark.parametrize("index", [SHORT, LONG, of(0), of(9), Index(2, (-(2**62), 2**62), (5,))])
def test_what_is_packed_is_the_same(index: Index) -> None:
    assert unpacked(packed(index)) == index


def test_a_long_clip_is_short_on_disk() -> None:
    assert len(packed(LONG)) < 100 < len(json.dumps(asdict(LONG)))


def test_what_is_kept_is_found_by_this_process_and_another(folder: Path) -> None:
    assert index_of(address(1)) is None
    keep(address(1), LONG)
    keep(address(2**120), SHORT)  # 00 at the end of an address is a part of it
    for find in (index_of, another(folder).get):
        assert find(address(1)) == LONG
        assert find(address(2**120)) == SHORT
        assert find(address(2)) is None
    assert len(list(folder.iterdir())) == 1


def test_of_several_records_of_an_address_the_last_counts(folder: Path) -> None:
    store = another(folder)
    for index in (SHORT, LONG):
        store.add(address(7), index)
    assert store.get(address(7)) == another(folder).get(address(7)) == LONG


def test_threads_and_forked_processes_add_at_once(folder: Path) -> None:
    keep(address(0), of(0))  # so that a file is open before the others begin
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_add, args=(100 * n, 50)) for n in range(1, 4)]
    for worker in workers:
        worker.start()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: keep(address(n), of(n)), range(1, 50)))
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    store = another(folder)
    for number in (*range(50), *range(100, 150), *range(200, 250), *range(300, 350)):
        assert store.get(address(number)) == of(number)
    assert len(list(folder.iterdir())) == 4


def _add(first: int, count: int) -> None:
    for number in range(first, first + count):
        keep(address(number), of(number))
    os._exit(0)  # as a worker that is ended


def test_a_writer_that_was_killed_and_flipped_bits_cost_one_record(folder: Path) -> None:
    store = another(folder)
    for number in range(3):
        store.add(address(number), of(number))
    (file,) = folder.iterdir()
    content = bytearray(file.read_bytes())
    second = len(record(bytes(16), packed(of(0)))) + 30
    content[second] ^= 1
    file.write_bytes(bytes(content) + record(bytes(16), packed(LONG))[:-1])
    found = another(folder)
    assert [found.get(address(n)) for n in range(4)] == [of(0), None, of(2), None]
    with pytest.raises(ValueError, match="it is cut short"):
        _clip_index.check(file)
    file.write_bytes(bytes(content))
    with pytest.raises(ValueError, match="a record is damaged"):
        _clip_index.check(file)
    found.add(address(1), of(1))
    assert another(folder).get(address(1)) == of(1)


def test_what_another_process_adds_is_found_at_the_next_look(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = another(folder), another(folder)
    assert mine.get(address(1)) is None
    theirs.add(address(1), LONG)
    assert mine.get(address(1)) is None, "it has just looked"
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 1000)
    assert mine.get(address(1)) == LONG


def test_many_files_become_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_clip_index, "MOST_FILES", 4)
    reader = another(folder)
    writers = [another(folder) for _ in range(6)]
    for number, writer in enumerate(writers):
        writer.add(address(number), of(number))
    assert reader.get(address(0)) == of(0)
    assert len(list(folder.iterdir())) == 6, "they were written to a moment ago"
    active = writers[5]._own
    assert active is not None
    for path in folder.iterdir():
        if path != active:
            os.utime(path, (0, 0))
    fresh = another(folder)
    assert [fresh.get(address(n)) for n in range(6)] == [of(n) for n in range(6)]
    assert active in folder.iterdir()
    assert len(list(folder.iterdir())) == 2
    writers[0].add(address(10), of(10))  # its file is gone
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 1000)
    for store in (reader, fresh, another(folder)):
        assert [store.get(address(n)) for n in (0, 5, 10)] == [of(0), of(5), of(10)]


def test_memory_of_what_was_added_is_given_back(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_clip_index, "MOST_RECENT", 8)
    store = another(folder)
    for number in range(20):
        store.add(address(number), of(number))
    assert len(store._recent) < 8
    assert [store.get(address(n)) for n in range(20)] == [of(n) for n in range(20)]


def test_indices_of_an_earlier_version_are_read_and_taken_over(folder: Path) -> None:
    old = folder.parent / "videos" / address(3)[:2] / f"{address(3)}.json"
    old.parent.mkdir(parents=True)
    old.write_text(json.dumps(asdict(LONG)))
    assert index_of(address(3)) == LONG
    old.unlink()
    assert another(folder).get(address(3)) == LONG
    old.write_text("{")
    assert another(folder.parent / "empty").get(address(3)) is None


def test_a_cache_that_cannot_be_written_keeps_what_this_process_found(
    folder: Path, tmp_path: Path
) -> None:
    folder.write_text("no folder")
    keep(address(5), LONG)
    assert index_of(address(5)) == LONG
    assert any("cannot be written" in note for note in problems())


def test_no_records_of_what_is_no_file_of_them() -> None:
    assert records(b"") == ([], 0)
    assert records(b"x" * 1000) == ([], 0)
    assert unpacked(b"x") is None
    assert unpacked(packed(Index(0))) is None
