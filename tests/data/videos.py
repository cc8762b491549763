"""Folders of videos, and the data set that reads them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.data import video

from . import clips


def read(place: object, **options: Any) -> video.Videos:
    return video.open_dataset(str(place), video.Options(**options))


def put(root: Path, paths: Sequence[str], content: bytes) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)


def ucf101(root: Path, content: bytes, splits: int = 2) -> Path:
    names = ("ApplyEyeMakeup", "HandstandPushups", "YoYo")
    lists = root / "ucfTrainTestlist"
    lists.mkdir(parents=True)
    (lists / "classInd.txt").write_text(
        "".join(f"{n} {name}\r\n" for n, name in enumerate(names, start=1))
    )
    for split in range(1, splits + 1):
        use: dict[str, list[str]] = {"train": [], "test": []}
        for number, name in enumerate(names, start=1):
            for scene in range(1, 5):
                for clip in (1, 2):
                    item = f"{name}/v_{name}_g{scene:02}_c{clip:02}.avi"
                    put(root / "UCF-101", [item], content)
                    tested = scene <= 2 if split == 1 else scene > 2
                    use["test" if tested else "train"].append(
                        item if tested else f"{item} {number}"
                    )
        for part, lines in use.items():
            (lists / f"{part}list{split:02}.txt").write_text("\r\n".join(lines) + "\r\n")
    return root


def spoiled(root: Path, short: bytes) -> Path:
    """Ten training videos, of which one is cut and one is of text, and two tests, one too short."""
    put(root, [f"train/run/{n}.mp4" for n in range(10)], short)
    put(root, ["test/run/a.mp4"], short)
    (root / "train/run/3.mp4").write_bytes(short[: len(short) // 2])
    (root / "train/run/7.mp4").write_text("<html>404</html>")
    clips.write(root / "test/run/b.mp4", 5)
    return root
