"""The datasets library leaves files open; nothing of that outlives the call."""

from __future__ import annotations

import gc
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from harness.core.errors import DataError

from . import sources
from .hub_images import read

Write = Callable[[list[dict[str, str]], Path], None]


def open_below(root: Path) -> list[str]:
    """The files below `root` that this process has open in Python, garbage included."""
    files = [o for o in gc.get_objects() if type(o) is io.FileIO and not o.closed]
    return [str(f.name) for f in files if str(f.name).startswith(str(root))]


def write_csv(rows: list[dict[str, str]], path: Path) -> None:
    pd.DataFrame(rows).to_csv(path.with_suffix(".csv"), index=False)


def write_jsonl(rows: list[dict[str, str]], path: Path) -> None:
    text = "\n".join(json.dumps(row) for row in rows)
    path.with_suffix(".jsonl").write_text(text, encoding="utf-8")


def write_parquet(rows: list[dict[str, str]], path: Path) -> None:
    pd.DataFrame(rows).to_parquet(path.with_suffix(".parquet"), index=False)


def with_metadata(root: Path, write: Write, prefix: str = "") -> Path:
    """Pictures whose labels are in a table beside them."""
    for split in ("train", "test"):
        (root / split).mkdir(parents=True)
        rows = []
        for label, n in sources.rows(split):
            (root / split / f"{label}_{n}.png").write_bytes(sources.encoded(label, n))
            rows.append({"file_name": f"{prefix}{label}_{n}.png", "label": sources.NAMES[label]})
        write(rows, root / split / "metadata")
    return root


@pytest.fixture
def nothing_collected_by_chance() -> Iterator[None]:
    """The collector runs where the code under test calls it, and nowhere else."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("nothing_collected_by_chance")
@pytest.mark.parametrize("write", [write_csv, write_jsonl, write_parquet])
def test_no_metadata_stays_open(tmp_path: Path, write: Write) -> None:
    data = read(with_metadata(tmp_path, write))
    assert len(data.train.ids) == len(sources.rows("train"))
    assert open_below(tmp_path) == []


@pytest.mark.usefixtures("nothing_collected_by_chance")
@pytest.mark.parametrize("write", [write_csv, write_jsonl, write_parquet])
def test_no_metadata_stays_open_after_an_error_within_it(tmp_path: Path, write: Write) -> None:
    """Not even while somebody holds the error, whose traceback holds frames."""
    with pytest.raises(DataError, match=r"cannot be read .* Invalid metadata file_name") as error:
        read(with_metadata(tmp_path, write, prefix="../"))
    assert open_below(tmp_path) == []
    assert error.value.__cause__ is not None


@pytest.mark.usefixtures("nothing_collected_by_chance")
def test_no_table_that_does_not_parse_stays_open(tmp_path: Path) -> None:
    def write_damaged(rows: list[dict[str, str]], path: Path) -> None:
        write_csv(rows, path)
        with path.with_suffix(".csv").open("a") as file:
            file.write('a.png,"x,y\n')

    with pytest.raises(DataError, match="cannot be read"):
        read(with_metadata(tmp_path, write_damaged))
    assert open_below(tmp_path) == []
