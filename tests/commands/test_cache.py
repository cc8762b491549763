"""`cache`: what the folder holds, what can go, and what is damaged; nothing else is touched."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from conftest import Call
from data import shards as tar_shards
from PIL import Image

import harness
from harness.commands._cache._checks import CHECKS
from harness.commands._cache._entry import found_file
from harness.commands._cache._kinds import KINDS
from harness.core import rates, text_findings
from harness.core.cache import cached_json, keep
from harness.core.cells import Choice
from harness.core.extracted import Extracted
from harness.core.hashes import Hashes, hashes_below
from harness.core.row_checksums import MANY, row_checksums
from harness.core.text_findings import EqualRows, TextFindings
from harness.data import _clip_index, _decode, _frame_cache
from harness.training.blocks import block_of, ids_of, index_name, write_block
from harness.training.feature_folder import Search
from harness.training.features import features_folder
from harness.training.shards import shard_name

DAY = 86400
#: Kinds of earlier versions alone.
EARLIER = {"checkpoints"}
#: Written by an earlier version alone, and still read.
READ = {"videos"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "own"))
    return tmp_path / "own"


@dataclass(frozen=True)
class Filled:
    """A cache with an entry of most kinds, of the writers of the harness."""

    folder: Path
    shards: Path
    data: Path
    hashes: Hashes


def old_shard(folder: Path, ids: list[str], rows: np.ndarray, pixels: list[str]) -> None:  # type: ignore[type-arg]
    """As an earlier version wrote it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / shard_name(ids)
    np.save(f"{path}.npy", rows)
    Path(f"{path}.pixels.json").write_text(json.dumps(pixels))
    Path(f"{path}.ids.json").write_text(json.dumps(ids))


def new_block(folder: Path, ids: list[str]) -> str:
    """The name of its files."""
    block = block_of(ids_of(ids), np.ones((len(ids), 3), np.float32), [None] * len(ids))
    write_block(folder, block)
    return index_name(block.index_6N)


@pytest.fixture
def filled(folder: Path, tmp_path: Path) -> Filled:
    shards = features_folder("backbone", 64, "cpu")
    old_shard(shards, ["a", "b"], np.eye(2, 3, dtype=np.float32), ["0" * 32, "1" * 32])
    new_block(shards, ["c"])
    Extracted(Choice("emoji"), shards, None, ()).remember(["a.png", "b.png", "c.png"])
    address = text_findings.text_address("w", Choice("class_name"), [["cat"], ["dog"]])
    keep(folder / "text" / f"{address}.npy", lambda f: np.save(f, np.eye(2, dtype=np.float32)))
    text_findings.remember(address, TextFindings(EqualRows(((0, 1),), 1)))
    data = tmp_path / "data"
    data.mkdir()
    for name in ("x", "y"):
        (data / name).write_bytes(name.encode())
    hashes = hashes_below(data)
    hashes.of(["x", "y"])
    _fill_frames(tmp_path / "film.mp4")
    picture = {"a.png": tar_shards.png(1), "a.cls": b"x"}
    tar_shards.read(tar_shards.write(tmp_path / "t.tar", picture))
    rates.remember(rates.READ, "key", 10, 2.0)
    row_checksums(np.ones((MANY, 1), np.float16), "ab" * 32)
    cached_json("corrupt", "key", lambda: {"videos": []})
    cached_json("timm", "key", lambda: {"dim": 3})
    cached_json("multiply_adds", "key", lambda: 17.5)
    return Filled(folder, shards, data, hashes)


def _fill_frames(film: Path) -> None:
    """As a video of two frames leaves them."""
    film.write_bytes(b"film")
    store = _frame_cache.FrameCache(8, hash_of=lambda _: "f" * 64)
    images = {n: Image.new("RGB", (8, 6), (n, 50, 100)) for n in (0, 1)}
    index = _decode.Index(2, (0, 1), (0,))
    store._keep(store._file(film), index, images)
    _clip_index.keep("ab" * 16, index)
    keep(_index_file(), lambda f: f.write(b'{"length": 2, "times": [0, 1], "keys": [0]}'))


def _index_file() -> Path:
    return Path(os.environ["HARNESS_CACHE"]) / "videos" / "ab" / f"{'ab' * 16}.json"


ENTRIES = {
    "clips": 1, "corrupt": 1, "extracted": 1, "features": 2, "frames": 1, "hashes": 1,
    "multiply_adds": 1, "rates": 1, "rows": 1, "shards": 1, "text": 1, "timm": 1, "videos": 1,
}  # fmt: skip


def files(folder: Path) -> dict[str, int]:
    """Bytes of every file below a folder, by its path there."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in found}


def age(path: Path, days: float, *, read: float | None = None) -> None:
    """As if written, and read, so many days ago."""
    now = time.time()
    os.utime(path, (now - (days if read is None else read) * DAY, now - days * DAY))


def one(folder: Path, pattern: str) -> Path:
    (path,) = folder.rglob(pattern)
    return path


# --- ls and du -----------------------------------------------------------------------------------


def test_ls_counts_entries_and_bytes(filled: Filled, cli: Call) -> None:
    ended = cli("cache", "ls", "--json")
    document = json.loads(ended.out)
    assert (ended.code, document["folder"]) == (0, str(filled.folder))
    assert {name: kind["entries"] for name, kind in document["kinds"].items()} == ENTRIES
    there = files(filled.folder)
    assert {name: kind["bytes"] for name, kind in document["kinds"].items()} == {
        name: sum(size for path, size in there.items() if path.startswith(f"{name}/"))
        for name in ENTRIES
    }
    assert document["useless"] == {"files": 0, "bytes": 0}
    assert document["unknown"] == []
    lines = cli("cache", "ls").out.splitlines()
    assert lines[0] == str(filled.folder)
    assert [line.split()[0] for line in lines[1:]] == sorted(ENTRIES)
    assert lines[4].split()[:3] == ["features", "2", "entries"]


def test_du_adds_up(filled: Filled, cli: Call) -> None:
    (filled.folder / "notes.txt").write_bytes(b"12345")
    (filled.folder / "hashes" / ("0" * 32)).write_bytes(b"0" * 64)
    document = json.loads(cli("cache", "du", "--json").out)
    there = files(filled.folder)
    assert document["total"] == sum(there.values())
    assert document["unknown"] == 5
    assert sum(document["kinds"].values()) == document["total"] - 5
    assert document["kinds"]["hashes"] == sum(n for p, n in there.items() if p[:7] == "hashes/")
    assert cli("cache", "du").out.splitlines()[-1].split()[:2] == ["in", "all"]


@pytest.mark.parametrize("action", ["ls", "du", "gc", "verify"])
def test_there_is_no_cache_yet(action: str, folder: Path, cli: Call) -> None:
    assert cli("cache", action).code == 0
    assert not folder.exists()


@pytest.mark.parametrize("action", ["ls", "du", "gc", "verify"])
def test_the_cache_is_a_file(action: str, folder: Path, cli: Call) -> None:
    folder.write_bytes(b"mine")
    ended = cli("cache", action)
    assert (ended.code, ended.errors()) == (
        2, [f"error: the cache folder {folder} cannot be read: Not a directory"],
    )  # fmt: skip
    assert folder.read_bytes() == b"mine"


def test_every_kind_that_is_written_is_known() -> None:
    """A folder of the cache that the table lacks would be called none of the cache."""
    named = re.compile(r'(?:cache_folder\(\) / |cached_json\(\s*)"([\w ]+)"')
    sources = Path(harness.__file__).parent.rglob("*.py")
    written = {kind for path in sources for kind in named.findall(path.read_text("utf-8"))}
    assert written == set(KINDS) - EARLIER - READ


def test_every_kind_has_a_check() -> None:
    assert set(CHECKS) == set(KINDS) - EARLIER


# --- gc ------------------------------------------------------------------------------------------


def litter(filled: Filled) -> dict[str, Path]:
    """What can no longer be used, old enough to go."""
    there = {
        "old hash": filled.folder / "hashes" / ("1" * 32),
        "old headers": filled.folder / "checkpoints" / f"{'2' * 32}.json",
        "temporary": filled.folder / "text" / f".{'3' * 32}.npy.123.0a1b2c3d.tmp",
        "rows without ids": filled.shards / f"{'4' * 32}.npy",
        "pixels without a shard": filled.shards / f"{'5' * 32}.pixels.json",
        "ids without rows": filled.shards / f"{'6' * 32}.ids.json",
        "old tables": filled.folder / "hf" / "csv" / "default-1" / "0.0.0" / ("7" * 64) / "a.arrow",
    }
    for path in there.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"0" * 64)
        age(path, 2)
    return there


def test_gc_removes_what_is_of_no_use(filled: Filled, cli: Call) -> None:
    whole = files(filled.folder)
    there = litter(filled)
    with_litter = files(filled.folder)
    dry = cli("cache", "gc", "--dry-run")
    assert "would remove in all: 7 files, 448 B" in dry.out
    document = json.loads(cli("cache", "gc", "--dry-run", "--json").out)
    assert (document["folder"], document["dry_run"]) == (str(filled.folder), True)
    group = {"kind": "hashes", "what": "hashes of an earlier version", "files": 1, "bytes": 64}
    assert group in document["groups"]
    assert sum(g["files"] for g in document["groups"]) == 7
    assert document["removed"] == {"files": 7, "bytes": 448, "failed": []}
    assert document["unknown"] == []
    assert files(filled.folder) == with_litter
    ended = cli("cache", "gc")
    assert ended.code == 0
    assert "removed in all: 7 files, 448 B" in ended.out
    assert "removed: hashes: hashes of an earlier version: 1 file, 64 B" in ended.out
    assert files(filled.folder) == whole
    assert not any(path.exists() for path in there.values())
    assert not (filled.folder / "hf" / "csv").exists()


def test_gc_leaves_what_a_writer_may_be_at_work_on(filled: Filled, cli: Call) -> None:
    there = litter(filled)
    for name in ("temporary", "rows without ids", "pixels without a shard"):
        age(there[name], 0.9)
    assert "removed in all: 4 files" in cli("cache", "gc").out
    assert there["temporary"].exists()
    assert there["rows without ids"].exists()
    assert there["pixels without a shard"].exists()


def test_gc_leaves_what_it_does_not_know(filled: Filled, cli: Call, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    strange = [
        outside / f"{'1' * 32}.json",
        filled.folder / "notes.txt",
        filled.folder / "mine" / f".{'3' * 32}.npy.123.0a1b2c3d.tmp",
        filled.folder / "hashes" / ("8" * 32),  # not 64 bytes
        filled.folder / "features" / "readme.md",
        filled.folder / "hf" / "mine" / "data" / "1.0.0" / "table.arrow",
    ]
    for path in strange:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"mine")
        age(path, 400)
    (filled.folder / "checkpoints").symlink_to(outside)
    (filled.folder / "timm" / f"{'9' * 32}.json").symlink_to(outside / f"{'1' * 32}.json")
    (filled.shards / "elsewhere").symlink_to(outside)
    ended = cli("cache", "gc", "--older-than", "100")
    assert "removed in all: 0 files, 0 B" in ended.out
    assert "not of the cache, and left alone: checkpoints" in ended.out
    assert all(path.read_bytes() == b"mine" for path in strange)
    unknown = json.loads(cli("cache", "ls", "--json").out)["unknown"]
    assert len(unknown) == 8
    assert str(filled.folder / "hf" / "mine" / "data" / "1.0.0" / "table.arrow") in unknown


def test_names_of_any_bytes(filled: Filled, cli: Call) -> None:
    for name in (b"a\nb", b"\xff", "Käse".encode()):
        (filled.folder / "text" / os.fsdecode(name)).write_bytes(b"mine")
    os.mkfifo(filled.folder / "text" / "pipe")
    for action in ("ls", "gc", "verify"):
        ended = cli("cache", action)
        assert ended.code == 0
        left = r"text/Käse, text/a\nb, text/pipe, text/\udcff"
        assert ended.out.splitlines()[-1] == f"not of the cache, and left alone: {left}"
    unknown = json.loads(cli("cache", "ls", "--json").out)["unknown"]
    assert {Path(path).name for path in unknown} == {"Käse", "a\nb", "pipe", "\udcff"}


def test_gc_of_what_was_not_used_for_long(filled: Filled, cli: Call) -> None:
    for path in filled.folder.rglob("*"):
        if path.is_file():
            age(path, 40)
    kept = {path for path in files(filled.folder) if path.split("/")[0] == "hashes"}
    age(one(filled.folder / "hashes", "*.npy"), 40, read=3)  # read: all of the scope is in use
    assert "removed in all: 0 files" in cli("cache", "gc").out
    assert "removed in all: 0 files" in cli("cache", "gc", "--older-than", "50").out
    ended = cli("cache", "gc", "--older-than")
    assert ended.code == 0
    assert "removed: features: entries not used for 30 days: 5 files" in ended.out
    assert set(files(filled.folder)) == kept
    assert filled.hashes.unhashed(["x", "y"]).items == 0
    assert not filled.shards.exists()


def test_a_shard_is_used_when_its_rows_are_read(filled: Filled, cli: Call) -> None:
    """Ids are read for every file of the folder, whoever looks for one."""
    for path in filled.shards.iterdir():
        age(path, 40, read=1 if path.suffix != ".npy" else 40)
    age(filled.shards / f"{shard_name(['a', 'b'])}.npy", 40, read=2)
    assert "not used for 30 days: 2 files" in cli("cache", "gc", "--older-than", "30").out
    search = Search(ids_of(["a", "b", "c"]))
    search.look_in(filled.shards)
    assert search.missing().tolist() == [2]


def test_estimates_do_not_count_on_features_that_went(filled: Filled, cli: Call) -> None:
    items = Extracted(Choice("emoji"), filled.shards, None, ())
    assert items.missing(["a.png", "c.png", "d.png"]) == 1
    for path in filled.shards.iterdir():
        age(path, 40)
    new_block(filled.shards, ["d"])
    ended = cli("cache", "gc", "--older-than")
    assert "removed: extracted: lists of what has features, as some go: 1 file" in ended.out
    assert filled.shards.is_dir()
    assert items.missing(["a.png", "c.png", "d.png"]) == 3


@pytest.mark.parametrize("days", ["0", "-1", "1.5", "long"])
def test_days_are_a_whole_number(days: str, filled: Filled, cli: Call) -> None:
    before = files(filled.folder)
    ended = cli("cache", "gc", f"--older-than={days}")
    assert (ended.code, len(ended.errors())) == (2, 1)
    assert f"'{days}' is not a whole number above 0" in ended.err
    assert files(filled.folder) == before


# --- verify --------------------------------------------------------------------------------------


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def flip(path: Path) -> None:
    """One bit of the values: what only a checksum tells."""
    content = bytearray(path.read_bytes())
    content[300 if path.suffix == ".npz" else -1] ^= 1
    path.write_bytes(content)


def save(values: object) -> Callable[[Path], None]:
    return lambda path: np.save(path, np.asarray(values))


def say(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text)


#: (kind, file, damage, how many files go)
DAMAGES = [
    ("features", "*.npy", cut, 3),
    ("features", "*.npy", save(np.ones((7, 3), np.float32)), 3),
    ("features", "*.npy", save(np.ones(2, np.float32)), 3),
    ("features", "*.npy", save(np.full((2, 3), np.nan, np.float32)), 3),
    ("features", "*.npy", say(""), 3),
    ("features", "*.ids.json", cut, 3),
    ("features", "*.ids.json", say('["z"]'), 3),
    ("features", "*.ids.json", say("{}"), 3),
    ("features", "*.ids.json", say("[1, 2]"), 3),
    ("features", "*.pixels.json", say('["p", "q", "r"]'), 3),
    ("features", "*.pixels.json", say("7"), 3),
    ("features", "*.npy", cut, 2),
    ("features", "*.npy", flip, 2),
    ("features", "*.npy", save(np.ones((1, 4), np.float32)), 2),
    ("features", "*.npy", save(np.ones((0, 3), np.float32)), 2),
    ("features", "*.index", cut, 2),
    ("features", "*.index", flip, 2),
    ("features", "*.index", say(""), 2),
    ("extracted", "*.npy", cut, 1),
    ("extracted", "*.npy", save(np.array([3, 1], np.uint32)), 1),
    ("rows", "*.npy", cut, 1),
    ("rows", "*.npy", flip, 1),
    ("rows", "*.npy", save(np.array([3, 1], np.uint32)), 1),
    ("text", "*.npy", cut, 1),
    ("text", "*.npy", save(np.array(["a"])), 1),
    ("text", "*.found.json", say('{"rows": {}}'), 1),
    ("frames", "*.npz", cut, 1),
    ("frames", "*.npz", flip, 1),
    ("frames", "*.npz", say("no zip"), 1),
    ("extracted", "*.npy", say("no array"), 1),
    ("videos", "*.json", say('{"length": 3, "times": [0, 1], "keys": [0]}'), 1),
    ("videos", "*.json", say("[]"), 1),
    ("clips", "*.clips", cut, 1),
    ("clips", "*.clips", flip, 1),
    ("shards", "*.npz", flip, 1),
    ("shards", "*.npz", cut, 1),
    ("hashes", "*.npy", flip, 1),
    ("hashes", "*.npy", cut, 1),
    ("hashes", "scope.json", say("{}"), 1),
    ("rates", "*.json", say('{"kind": "read", "of": 1, "items": 0, "seconds": 1}'), 1),
    ("rates", "*.json", say("{}"), 1),
    ("multiply_adds", "*.json", say("0"), 1),
    ("multiply_adds", "*.json", say('"17"'), 1),
    ("corrupt", "*.json", say('{"videos": 3}'), 1),
    ("timm", "*.json", say("[1]"), 1),
    ("timm", "*.json", lambda path: path.write_bytes(b'{"a": "\xff"}'), 1),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "pattern", "damage", "gone"), DAMAGES)
def test_verify_finds_and_removes_damage(
    kind: str,
    pattern: str,
    damage: Callable[[Path], object],
    gone: int,
    filled: Filled,
    cli: Call,
) -> None:
    for path in filled.shards.iterdir():  # so that one shard, or one block, is left
        if path.name.startswith(shard_name(["a", "b"])) == (gone == 2):
            path.unlink()
    assert cli("cache", "verify").code == 0
    before = files(filled.folder)
    path = one(filled.folder / kind, pattern)
    damage(path)
    ended = cli("cache", "verify")
    assert ended.code == 1
    shown = path.relative_to(filled.folder).as_posix().split(".")[0]
    assert f"damaged: {shown}." in ended.out
    assert "pickle" not in ended.out
    assert ended.out.count("damaged: ") - ended.out.count("1 damaged: ") == 1
    assert not path.exists()
    left = set(files(filled.folder))
    lists = {name for name in before if name.startswith("extracted/")}
    lost = set(before) - left
    assert len(lost - (lists if kind == "features" else set())) == gone
    assert all(name.startswith(f"{kind}/") for name in lost - lists)
    assert cli("cache", "verify").code == 0


def test_verify_as_json(filled: Filled, cli: Call) -> None:
    (filled.folder / "notes.txt").write_text("mine")
    path = one(filled.folder / "text", "*.npy")
    cut(path)
    n_bytes = path.stat().st_size
    ended = cli("cache", "verify", "--json")
    document = json.loads(ended.out)
    (damage,) = document.pop("damaged")
    assert (ended.code, damage["file"]) == (1, path.relative_to(filled.folder).as_posix())
    assert damage["reason"]
    assert document == {
        "folder": str(filled.folder), "entries": sum(ENTRIES.values()), "unread": [],
        "removed": {"files": 1, "bytes": n_bytes, "failed": []},
        "unknown": [str(filled.folder / "notes.txt")],
    }  # fmt: skip
    assert json.loads(cli("cache", "verify", "--json").out)["damaged"] == []


def test_verify_is_no_use(filled: Filled, cli: Call) -> None:
    """What was not used for long is not used because it was checked."""
    there = [path for path in filled.folder.rglob("*") if path.is_file()]
    for path in there:
        age(path, 40)
    assert cli("cache", "verify").code == 0
    assert f"removed in all: {len(there)} files" in cli("cache", "gc", "--older-than").out


def test_verify_leaves_what_is_being_written_and_earlier_shards(filled: Filled, cli: Call) -> None:
    for path in filled.shards.glob("*.pixels.json"):
        path.unlink()  # shards of earlier versions have none
    (filled.shards / f"{'4' * 32}.npy").write_bytes(b"half")
    before = files(filled.folder)
    ended = cli("cache", "verify")
    assert (ended.code, "none is damaged" in ended.out) == (0, True)
    assert files(filled.folder) == before


def test_tables_of_the_datasets_library(folder: Path, cli: Call, tmp_path: Path) -> None:
    from harness.data import _hf_source

    data = tmp_path / "table"
    data.mkdir()
    rows = "".join(f"{n},text {n}\n" for n in range(50))
    (data / "train.csv").write_text(f"label,text\n{rows}", encoding="utf-8")
    import datasets

    kept = _hf_source._kept_tables(data)
    datasets.load_dataset(str(data), cache_dir=str(kept))
    assert json.loads(cli("cache", "ls", "--json").out)["kinds"]["hf"]["entries"] == 1
    assert cli("cache", "verify").code == 0
    table = one(folder, "*.arrow")
    cut(table)
    table.write_bytes(table.read_bytes()[:-300])
    ended = cli("cache", "verify")
    assert ended.code == 1
    assert f"damaged: {table.relative_to(folder)}" in ended.out
    assert not kept.exists()


def test_what_is_replaced_meanwhile_stays(filled: Filled) -> None:
    """A writer has put a whole file in the place of the damaged one."""
    path = one(filled.folder / "text", "*.npy")
    file = found_file(path)
    assert file is not None
    keep(path, lambda f: np.save(f, np.eye(3)))
    assert not file.remove()
    assert np.load(path).shape == (3, 3)


def test_what_cannot_be_read_or_removed_is_told(
    filled: Filled, cli: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = one(filled.folder / "text", "*.npy")
    cut(path)

    def refuse(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        ended, document = cli("cache", "verify"), json.loads(cli("cache", "verify", "--json").out)
    assert ended.code == 1
    assert "1 damaged: removed 0 files, 0 B" in ended.out
    assert f"cannot be removed: {path}: Permission denied" in ended.out
    failed = [f"{path}: Permission denied"]
    assert document["removed"] == {"files": 0, "bytes": 0, "failed": failed}
    with monkeypatch.context() as patch:
        patch.setitem(CHECKS, "text", lambda entry: refuse(entry.files[0].path))
        ended, document = cli("cache", "verify"), json.loads(cli("cache", "verify", "--json").out)
    assert ended.code == 1
    assert f"cannot be read: text/{path.stem}: Permission denied" in ended.out
    assert document["unread"] == [{"entry": f"text/{path.stem}", "reason": "Permission denied"}]
    assert path.exists()


# --- the command ---------------------------------------------------------------------------------


def test_an_action_that_there_is_not(cli: Call) -> None:
    ended = cli("cache", "verfy")
    assert (ended.code, len(ended.errors())) == (2, 1)
    assert "Did you mean 'verify'?" in ended.err
    assert cli("cache").code == 2
