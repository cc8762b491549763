"""Damaged Records, arrays, test sets and caches: put aside and made again, never believed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import TINY, Call, hashes

from harness.cli import main

from .lab import stamps


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _another_key(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(path.stem.split(".")[0].encode(), b"0" * 16))


def _a_list(path: Path) -> None:
    path.write_text("[1, 2]")


def _unlink(path: Path) -> None:
    path.unlink()


DAMAGE = [
    ("json", _cut), ("json", _empty), ("json", _another_key), ("json", _a_list),
    ("npz", _cut), ("npz", _empty), ("npz", _unlink),
]  # fmt: skip


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the Records of TINY in runs/, and its cache in own/."""
    folder = tmp_path_factory.mktemp("once")
    (folder / "tiny.yaml").write_text(yaml.safe_dump(TINY, sort_keys=False))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_CACHE", str(folder / "own"))
        assert main(["grid", str(folder / "tiny.yaml"), "--runs", str(folder / "runs"),
                     "--reports", str(folder / "reports")]) == 0  # fmt: skip
    return folder


@pytest.fixture
def task(once: Path, tmp_path: Path) -> str:
    """TINY, whose cells have run."""
    shutil.copytree(once / "runs", tmp_path / "runs", copy_function=shutil.copy2)
    return str(shutil.copy(once / "tiny.yaml", tmp_path))


@pytest.mark.parametrize(("kind", "spoil"), DAMAGE, ids=[f"{k}{s.__name__}" for k, s in DAMAGE])
def test_damaged_record_runs_again(
    kind: str, spoil: Any, task: str, cli: Call, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    wanted, before = hashes(runs), stamps(runs)
    bad = sorted(runs.glob(f"cells/*/*.{kind}"))[0]
    spoil(bad)
    ended = cli("grid", task)
    assert ended.code == 0, ended.err
    assert "1 to run" in ended.err
    assert hashes(runs) == wanted
    key = bad.name.split(".")[0]
    after = stamps(runs)
    assert {k: v for k, v in after.items() if k != key} == {
        k: v for k, v in before.items() if k != key
    }
    aside = [p for p in (runs / "quarantine").iterdir() if p.suffix != ".reason"]
    assert [p.name.split(".")[0] for p in aside] == [key]
    reason = (runs / "quarantine" / f"{aside[0].name}.reason").read_text()
    assert len(reason.splitlines()) == 1
    assert len(reason) > 10


def test_flipped_bits_in_arrays(task: str, cli: Call, tmp_path: Path) -> None:
    """Seen when the report reads them: one error that says what to do, and doing it helps."""
    runs = tmp_path / "runs"
    wanted = hashes(runs)
    bad = sorted(runs.glob("cells/*/*.npz"))[0]
    raw = bytearray(bad.read_bytes())
    for i in range(60, 400):
        raw[i] ^= 0xFF
    bad.write_bytes(raw)
    ended = cli("grid", task)
    assert ended.code == 2
    assert len(ended.errors()) == 1
    assert bad.name.split(".")[0] in ended.errors()[0]
    assert "run the same command again" in ended.errors()[0]
    assert cli("grid", task).code == 0
    assert hashes(runs) == wanted


@pytest.mark.parametrize("spoil", [_cut, _empty, _unlink], ids=lambda s: s.__name__)
def test_damaged_test_set(spoil: Any, task: str, cli: Call, tmp_path: Path) -> None:
    """Records name a test set; a report without it would be one without truth."""
    runs = tmp_path / "runs"
    before = stamps(runs)
    spoil(next((runs / "tests").glob("*.npz")))
    ended = cli("grid", task)
    assert ended.code == 0, ended.err
    assert stamps(runs) == before


@pytest.mark.parametrize("spoil", [_cut, _empty], ids=lambda s: s.__name__)
@pytest.mark.parametrize("pattern", ["features/*/*.npy", "features/*/*.index", "text/*.npy"])
def test_damaged_cache(
    pattern: str, spoil: Any, task: str, once: Path, cli: Call, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The cache is free to delete, so a broken file in it may cost time and nothing else."""
    cache = shutil.copytree(once / "own", tmp_path / "own")
    monkeypatch.setenv("HARNESS_CACHE", str(cache))
    spoilt = list(cache.glob(pattern))
    assert spoilt
    for path in spoilt:
        spoil(path)
    assert cli("grid", task, "--runs", "again").code == 0
    assert hashes(tmp_path / "again") == hashes(tmp_path / "runs")
