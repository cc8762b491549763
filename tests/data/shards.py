"""Small tar shards, written by the tests."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from harness.data import webdataset
from harness.data._shard_data import ShardPictures


def read(place: object, **options: Any) -> ShardPictures:
    return webdataset.open_dataset(str(place), webdataset.Options(**options))


def png(number: int) -> bytes:
    """A picture of its own for every number."""
    content = io.BytesIO()
    colour = (number * 37 % 256, number * 91 % 256, number % 256)
    Image.new("RGB", (8, 8), colour).save(content, "PNG")
    return content.getvalue()


def write(path: Path, members: Mapping[str, bytes] | Sequence[tuple[str, bytes]]) -> Path:
    """A shard with these members in order; a name may be there twice in a sequence."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pairs = members.items() if isinstance(members, Mapping) else members
    with tarfile.open(path, "w") as tar:
        for name, content in pairs:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def samples(first: int, count: int, classes: int = 2) -> dict[str, bytes]:
    """Pictures with numbers of classes."""
    members: dict[str, bytes] = {}
    for n in range(first, first + count):
        members |= {f"s{n:04}.png": png(n), f"s{n:04}.cls": str(n % classes).encode()}
    return members


def data_set(root: Path) -> Path:
    """Two shards of train, one of test, and two class names."""
    write(root / "train" / "0.tar", samples(0, 6))
    write(root / "train" / "1.tar", samples(6, 4))
    write(root / "test" / "0.tar", samples(100, 4))
    (root / "classnames.txt").write_text("red cat\nred dog\n")
    return root
