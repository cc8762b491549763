"""Clips as video files, so that decoding can be tested on frames that are known."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.errors import OutputError
from harness.core.files import explain_oserror, write_atomically

if TYPE_CHECKING:
    from PIL import Image

    from harness.data.emoji_motion import EmojiMotion

RATE = 24
#: Every frame comes back bit by bit; a key frame at least every 12, B-frames between them.
LOSSLESS = {"qp": "0", "preset": "veryfast", "g": "12", "bf": "2"}


def write_video(
    path: Path,
    frames: Sequence[Image.Image],
    *,
    codec: str = "libx264rgb",
    pixels: str = "rgb24",
    options: dict[str, str] | None = None,
    rate: int = RATE,
) -> None:
    """One video, losslessly unless `codec` and `options` say otherwise.

    Raises DiskFull or OutputError.
    """
    import av

    encoded = io.BytesIO()
    try:
        with av.open(encoded, "w", format=_container(path)) as container:
            stream: Any = container.add_stream(codec, rate=rate, options=options or LOSSLESS)
            stream.width, stream.height = frames[0].size
            stream.pix_fmt = pixels
            stream.codec_context.thread_count = 1  # the bytes do not depend on the machine's cores
            for frame in frames:
                picture = av.VideoFrame.from_ndarray(np.asarray(frame), format="rgb24")
                container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
    except av.FFmpegError as error:
        raise OutputError(f"video {path} cannot be written: {error}") from error
    write_atomically(path, lambda f: f.write(encoded.getvalue()))


def _container(path: Path) -> str:
    """FFmpeg's name of the container that the ending of a file stands for."""
    return {".mkv": "matroska"}.get(path.suffix, path.suffix[1:])


def write_clips(
    data: EmojiMotion, folder: Path, progress: Callable[[int, int], object] | None = None
) -> int:
    """Every clip of `data` below `folder`, and the lists that `video:FOLDER` reads: train.txt and
    test.txt (path, label), labels.csv (id, name) and groups.csv (path, group). Returns how many.

    Raises OutputError if the folder holds anything.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise OutputError(f"the folder {folder} is not empty: name a new one")
    except OSError as error:
        raise explain_oserror(folder, error) from error
    total, done = len(data.train.ids) + len(data.test.ids), 0
    groups: list[tuple[str, str]] = []
    for use, items in (("train", data.train), ("test", data.test)):
        lines = []
        for item, label in zip(items.ids, items.labels.tolist(), strict=True):
            clip = data.clip(item)
            name = clip.name.replace(" ", "_")
            path = f"videos/{name}/{clip.motion}/{clip.vendor}_{clip.number}.mp4"
            write_video(folder / path, data.frames(item, range(data.length(item))))
            lines.append(f"{path} {label}\n")
            groups.append((path, name))
            done += 1
            if progress is not None:
                progress(done, total)
        _write_text(folder / f"{use}.txt", "".join(lines))
    _write_csv(folder / "labels.csv", [("id", "name"), *enumerate(data.classes)])
    _write_csv(folder / "groups.csv", [("path", "group"), *groups])
    return total


def _write_csv(path: Path, rows: Sequence[tuple[object, object]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    _write_text(path, text.getvalue())


def _write_text(path: Path, text: str) -> None:
    write_atomically(path, lambda f: f.write(text.encode()))
