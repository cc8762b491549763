"""Hashes are remembered while a file is the same, whoever else writes, and wherever it stops."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core import hashes
from harness.core.hashes import Hashes, Read, file_hash, file_hash_in_process, hashes_below


def sha(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(hashes, "_in_process", {})
    return tmp_path / "cache"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are read."""
    names: list[str] = []
    whole = hashes.read_file

    def reading(path: Path) -> Read:
        names.append(path.name)
        return whole(path)

    monkeypatch.setattr(hashes, "read_file", reading)
    return names


def fill(root: Path, count: int, start: int = 0) -> list[str]:
    root.mkdir(parents=True, exist_ok=True)
    items = [f"{n}.bin" for n in range(start, start + count)]
    for n, item in enumerate(items):
        (root / item).write_bytes(b"%d" % (start + n))
    return items


def values(found: Hashes, items: list[str]) -> list[bytes]:
    return [row.tobytes() for row in found.of(items)]


@pytest.mark.parametrize("size", [0, 1, hashes.FIRST - 1, hashes.FIRST, hashes.FIRST + 1, 10**6])
def test_the_hash_of_a_file_is_that_of_all_its_bytes(size: int, tmp_path: Path) -> None:
    content = os.urandom(size)
    (tmp_path / "x").write_bytes(content)
    assert file_hash(tmp_path / "x") == sha(content).hex()


def test_each_file_is_read_once(tmp_path: Path, read: list[str]) -> None:
    items = fill(tmp_path / "data", 20)
    expected = [sha(b"%d" % n) for n in range(20)]
    told: list[tuple[int, int]] = []
    first = hashes_below(tmp_path / "data")
    assert first.unhashed(items) == (20, 30)
    found = first.of(items, lambda *counts: told.append(counts))
    assert [row.tobytes() for row in found] == expected
    assert (told[0], told[-1]) == ((0, 20), (20, 20))
    assert first.unhashed(items) == (0, 0)
    assert sorted(read) == sorted(items)
    read.clear()
    again = hashes_below(tmp_path / "data")
    assert values(again, items[::-1]) == expected[::-1]
    assert read == []


def test_only_what_changed_is_read_again(tmp_path: Path, read: list[str]) -> None:
    """Another time, other bytes under the old size and time, another name."""
    root = tmp_path / "data"
    items = fill(root, 6)
    values(hashes_below(root), items)
    read.clear()
    os.utime(root / items[0])
    before = (root / items[1]).stat()
    (root / items[1]).write_bytes(b"x")
    os.utime(root / items[1], ns=(before.st_atime_ns, before.st_mtime_ns))
    (root / items[2]).rename(root / "renamed.bin")
    items[2] = "renamed.bin"
    found = values(hashes_below(root), items)
    assert sorted(read) == sorted(items[:3])
    assert found == [sha(c) for c in (b"0", b"x", b"2", b"3", b"4", b"5")]


def test_what_was_hashed_before_an_interruption_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "data"
    items = fill(root, 40)
    monkeypatch.setattr(hashes, "AT_ONCE", 8)
    whole = hashes.read_file
    done: list[str] = []

    def until(path: Path) -> Read:
        if path.name == "25.bin":
            raise KeyboardInterrupt
        done.append(path.name)
        return whole(path)

    monkeypatch.setattr(hashes, "read_file", until)
    with pytest.raises(KeyboardInterrupt):
        hashes_below(root).of(items)
    kept = 40 - hashes_below(root).unhashed(items).items
    assert 24 <= kept <= len(set(done))
    done.clear()
    monkeypatch.setattr(hashes, "read_file", lambda path: done.append(path.name) or whole(path))
    assert values(hashes_below(root), items) == [sha(b"%d" % n) for n in range(40)]
    assert len(done) == 40 - kept


def test_a_long_reading_is_written_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is killed has no time to write."""
    root = tmp_path / "data"
    items = fill(root, 9)
    monkeypatch.setattr(hashes, "FLUSH", 2)
    monkeypatch.setattr(hashes, "MOST_SEGMENTS", 100)
    left: list[int] = []
    whole = hashes.read_file

    def counting(path: Path) -> Read:
        left.append(hashes_below(root).unhashed(items).items)
        return whole(path)

    monkeypatch.setattr(hashes, "read_file", counting)
    monkeypatch.setattr(hashes, "AT_ONCE", 1)
    hashes_below(root).of(items)
    assert left == [9, 9, 7, 7, 5, 5, 3, 3, 1]


def test_a_file_that_cannot_be_read_loses_no_other(tmp_path: Path) -> None:
    root = tmp_path / "data"
    items = fill(root, 5)
    found = hashes_below(root)
    kept = found.identities(items)
    (root / items[3]).unlink()
    found.identities = lambda _: kept  # it is gone after it was looked at
    with pytest.raises(FileNotFoundError):
        found.of(items)
    del items[3]
    assert hashes_below(root).unhashed(items).items <= 1


def test_writers_at_once_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each hashes a part, and all merge segments while others read and write."""
    root = tmp_path / "data"
    parts = [fill(root, 12, start=100 * n) for n in range(6)]
    monkeypatch.setattr(hashes, "MOST_SEGMENTS", 1)
    problems: list[BaseException] = []

    def work(part: list[str]) -> None:
        try:
            for item in part:
                hashes_below(root).of([item])
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=work, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    items = [item for part in parts for item in part]
    assert hashes_below(root).unhashed(items) == (0, 0)
    assert values(hashes_below(root), items) == [sha(item[:-4].encode()) for item in items]
    assert len(list(hashes_below(root).folder.glob("*.npy"))) < 72


def test_a_damaged_segment_is_left_out(tmp_path: Path, read: list[str]) -> None:
    root = tmp_path / "data"
    items = fill(root, 3)
    expected = values(hashes_below(root), items)
    (segment,) = hashes_below(root).folder.glob("*.npy")
    content = segment.read_bytes()
    for damaged in (content[:-1], content[:-1] + bytes([content[-1] ^ 1]), b"", b"no array"):
        segment.write_bytes(damaged)
        read.clear()
        assert values(hashes_below(root), items) == expected
        assert len(read) == 3


def test_a_file_that_changes_while_it_is_read_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"one")
    sha256 = hashlib.sha256

    def writing(first: bytes) -> object:
        path.write_bytes(b"more than before")
        return sha256(first)

    time.sleep(0.05)
    monkeypatch.setattr(hashlib, "sha256", writing)
    assert hashes.read_file(path).identity is None
    monkeypatch.undo()
    time.sleep(0.05)
    assert hashes.read_file(path).identity is not None


def test_a_file_of_the_future_is_read_each_time(tmp_path: Path, read: list[str]) -> None:
    """The clock of a file server may be ahead: nothing says that the file is still the same."""
    root = tmp_path / "data"
    items = fill(root, 1)
    os.utime(root / items[0], ns=(0, time.time_ns() + 10**12))
    found = hashes_below(root)
    assert values(found, items) == values(found, items) == [sha(b"0")]
    assert len(read) == 2


@pytest.mark.parametrize("hash_of", [file_hash, file_hash_in_process])
def test_the_hash_of_one_file(
    hash_of: Callable[[Path], str], tmp_path: Path, read: list[str]
) -> None:
    """Weights that `cp -p` puts in the place of others of equal size and time are others."""
    path, other = tmp_path / "w.pt", tmp_path / "v.pt"
    for file, content in ((path, b"one"), (other, b"two")):
        file.write_bytes(content)
        os.utime(file, ns=(0, 10**18))
    time.sleep(0.05)
    assert [hash_of(path) for _ in range(3)] == [sha(b"one").hex()] * 3
    assert read == ["w.pt"]
    shutil.copy2(other, path)
    assert path.stat().st_mtime_ns == 10**18
    assert hash_of(path) == sha(b"two").hex()
    with pytest.raises(FileNotFoundError):
        hash_of(tmp_path / "gone")


def test_the_next_process_remembers_too(
    tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "w.pt"
    path.write_bytes(b"one")
    file_hash(path)
    monkeypatch.setattr(hashes, "_in_process", {})
    assert file_hash(path) == sha(b"one").hex()
    assert read == ["w.pt"]


def test_where_the_cache_cannot_be_written_the_process_remembers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: list[str]
) -> None:
    from harness.core.cache import problems

    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "file" / "cache"))
    root = tmp_path / "data"
    items = fill(root, 4)
    found = hashes_below(root)
    for _ in range(2):
        assert values(found, items) == [sha(b"%d" % n) for n in range(4)]
    assert len(read) == 4
    (note,) = problems()
    assert "what is computed is not kept" in note
    assert problems() == ()
