"""Small videos of which every frame is known, written by the tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

SIZE = (64, 48)
BITS = 6
#: Key frames every 12, two B-frames between others.
OPTIONS = {"g": "12", "bf": "2", "sc_threshold": "0"}
#: name -> (codec, more options): what the field's data come in.
KINDS: Mapping[str, tuple[str, dict[str, str]]] = {
    "h264.mp4": ("libx264", {"crf": "8"}),
    "h264.mkv": ("libx264", {"crf": "8"}),
    "h264.avi": ("libx264", {"crf": "8"}),
    "mpeg4.avi": ("mpeg4", {"qscale": "2", "bf": "0"}),
    "mpeg4_b.avi": ("mpeg4", {"qscale": "2"}),
    "mpeg4.mp4": ("mpeg4", {"qscale": "2"}),
    "vp9.webm": ("libvpx-vp9", {"deadline": "realtime", "crf": "10", "b": "0"}),
}


def picture(number: int, size: tuple[int, int] = SIZE) -> np.ndarray:  # type: ignore[type-arg]
    """The number as black and white squares, and noise, so that there is something to damage."""
    width, height = size
    image = np.full((height, width, 3), 128, np.uint8)
    image[2:26, 2:26] = np.random.default_rng(number).integers(0, 255, (24, 24, 3))
    for bit in range(BITS):
        image[32:48, 10 * bit : 10 * bit + 10] = 230 if number >> bit & 1 else 25
    return image


def number_of(image: Image.Image) -> int:
    """The number that a frame was drawn for."""
    grey_HW = np.asarray(image.convert("L"))
    return sum(
        int(grey_HW[34:46, 10 * bit + 2 : 10 * bit + 8].mean() > 128) << bit for bit in range(BITS)
    )


def write(
    path: Path,
    frames: int = 40,
    *,
    codec: str = "libx264",
    options: Mapping[str, str] | None = None,
    container: Mapping[str, str] | None = None,
    times: Sequence[int] | None = None,
    sound: bool = False,
    rotation: int = 0,
    size: tuple[int, int] = SIZE,
) -> Path:
    """A video of `frames` frames; `times` are their times in twentieths of a second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options=dict(container or {})) as file:
        stream: Any = file.add_stream(codec, rate=10, options=OPTIONS | dict(options or {}))
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        if rotation:
            stream.set_display_rotation(rotation)
        track: Any = file.add_stream("aac", rate=16000) if sound else None
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(number, size), "rgb24")
            frame.pts = times[number] if times else 2 * number
            frame.time_base = Fraction(1, 20)
            file.mux(stream.encode(frame))
        if track is not None:
            write_sound(file, track)
        file.mux(stream.encode(None))
    return path


def write_sound(file: Any, track: Any, blocks: int = 60) -> None:
    for block in range(blocks):
        silence = np.zeros((1, 1024), np.float32)
        frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 16000, block * 1024
        file.mux(track.encode(frame))
    file.mux(track.encode(None))


def write_kind(folder: Path, name: str, frames: int = 40, **more: Any) -> Path:
    codec, options = KINDS[name]
    return write(folder / name, frames, codec=codec, options=options, **more)


def audio_only(path: Path) -> Path:
    with av.open(str(path), "w") as file:
        write_sound(file, file.add_stream("aac", rate=16000))
    return path


def damaged(folder: Path) -> dict[str, Path]:
    """What a disk and a download leave behind; none of it may be read without an error."""
    whole = {name: write_kind(folder / "whole", name).read_bytes()
             for name in ("h264.mp4", "h264.mkv", "mpeg4.avi")}  # fmt: skip
    whole["first.mp4"] = write(folder / "whole" / "first.mp4",
                               container={"movflags": "faststart"}).read_bytes()  # fmt: skip
    found = {}

    def put(name: str, content: bytes) -> None:
        found[name] = folder / name
        found[name].write_bytes(content)

    put("empty.mp4", b"")
    put("text.mp4", b"This is no video.\n" * 500)
    put("page.avi", b"<!DOCTYPE html><html><body>404 Not Found</body></html>")
    put("playlist.mp4", f"#EXTM3U\n#EXTINF:4,\n{folder}/whole/h264.mp4\n#EXT-X-ENDLIST\n".encode())
    Image.new("RGB", SIZE).save(folder / "picture.mp4", "JPEG")
    Image.new("RGB", SIZE).save(folder / "moving.mp4", "GIF")
    found |= {name: folder / name for name in ("picture.mp4", "moving.mp4")}
    found["audio.mp4"] = audio_only(folder / "audio.mp4")
    found["stream.mp4"] = write(folder / "stream.ts").rename(folder / "stream.mp4")
    for name, content in whole.items():
        for share in (0.02, 0.5, 0.9):
            put(f"cut_{share}_{name}", content[: int(len(content) * share)])
        if name in ("first.mp4", "h264.mkv"):
            put(f"cut_by_a_byte_{name}", content[:-1])
        rng = np.random.default_rng(0)
        for flips in (10, 100):
            broken = bytearray(content)
            for place in rng.integers(200, len(broken) - 1500, flips):
                broken[place] ^= 1 << int(rng.integers(8))
            put(f"flip_{flips}_{name}", bytes(broken))
    return found
