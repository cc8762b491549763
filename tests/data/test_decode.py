"""Every frame is the right one or an error that names the video."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from harness.core.errors import DataError
from harness.data import _decode
from harness.data._decode import index, read, read_all

from . import clips


@pytest.mark.parametrize("name", clips.KINDS)
def test_every_frame_is_the_one_asked_for(videos: dict[str, Path], name: str) -> None:
    path = videos[name]
    of = index(path)
    assert of.length == 40
    whole = dict(read_all(path, of))
    assert [clips.number_of(whole[n]) for n in range(40)] == list(range(40))
    for wanted in ([0], [39], [17], [11, 12, 13], [38, 3, 20, 3], range(40)):
        found = read(path, of, wanted)
        assert sorted(found) == sorted(set(wanted))
        assert all(found[n].tobytes() == whole[n].tobytes() for n in found)


def test_a_variable_frame_rate_is_counted_by_frames(tmp_path: Path) -> None:
    times = [n * n // 3 + n for n in range(30)]
    for name in ("a.mp4", "a.mkv"):
        path = clips.write(tmp_path / name, 30, times=times)
        of = index(path)
        assert of.length == 30
        assert clips.number_of(read(path, of, [23])[23]) == 23
        assert [clips.number_of(f) for _, f in read_all(path, of)] == list(range(30))


@pytest.mark.parametrize("hidden", [5, 14, 30])
def test_an_edit_list_hides_frames(tmp_path: Path, hidden: int) -> None:
    """As of a clip that was cut out without encoding it again: its key frame is not shown."""
    path = clips.write(tmp_path / "a.mp4", times=[2 * (n - hidden) for n in range(40)])
    of = index(path)
    assert of.length == 40 - hidden
    assert [clips.number_of(f) for _, f in read_all(path, of)] == list(range(hidden, 40))
    assert clips.number_of(read(path, of, [3])[3]) == hidden + 3


def test_what_comes_before_the_first_key_frame_is_no_frame(tmp_path: Path) -> None:
    whole, cut = clips.write(tmp_path / "a.mp4"), tmp_path / "b.mp4"
    with av.open(str(whole)) as source, av.open(str(cut), "w") as goal:
        stream = source.streams.video[0]
        copy = goal.add_stream_from_template(stream)
        for number, packet in enumerate(source.demux(stream)):
            if packet.size and number >= 5:
                packet.stream = copy
                goal.mux(packet)
    of = index(cut)
    assert [clips.number_of(f) for _, f in read_all(cut, of)] == list(range(12, 40))


def test_a_video_that_was_filmed_upright(tmp_path: Path) -> None:
    path = clips.write(tmp_path / "a.mp4", 10, rotation=90)
    upright = read(path, index(path), [9])[9]
    plain = clips.write(tmp_path / "b.mp4", 10)
    flat = read(plain, index(plain), [9])[9]
    assert upright.size == (48, 64)
    assert upright.tobytes() == flat.rotate(90, expand=True).tobytes()


def test_sound_and_cover_art_are_no_frames(tmp_path: Path) -> None:
    path = clips.write(tmp_path / "a.mp4", 20, sound=True)
    assert index(path).length == 20
    assert clips.number_of(read(path, index(path), [19])[19]) == 19


def test_one_frame_is_a_video(tmp_path: Path) -> None:
    path = clips.write(tmp_path / "a.mp4", 1)
    assert index(path).length == 1
    assert clips.number_of(read(path, index(path), [0])[0]) == 0


PROGRAM = """
import json, sys
from pathlib import Path
from harness.data import _decode
from harness.core.errors import DataError
found = {}
for path in map(Path, sys.argv[1:]):
    try:
        of = _decode.index(path)
        found[path.name] = [n for n, _ in _decode.read_all(path, of)]
    except DataError as error:
        found[path.name] = str(error)
print(json.dumps(found))
"""


def test_nothing_damaged_is_read(tmp_path: Path) -> None:
    """Truncated, empty, without pictures, of another kind, with flipped bits: an error each, in
    time, which names the file. In a process of its own, so that a hang or a crash is seen.
    """
    files = clips.damaged(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, files.values())],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert done.stderr == ""
    assert set(found) == set(files)
    assert len(files) >= 30
    for name, told in found.items():
        assert isinstance(told, str), f"{name} gave frames {told}"
        assert str(files[name]) in told
        assert "\n" not in told


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("empty.mp4", "is empty"), ("audio.mp4", "holds no pictures, only audio"),
        ("picture.mp4", "is no mp4, mov, mkv, webm or avi"), ("text.mp4", "cannot be read"),
        ("stream.mp4", "is no mp4, mov, mkv, webm or avi"),
        ("cut_0.5_first.mp4", "damaged or cut short"), ("cut_0.9_mpeg4.avi", "cut short"),
    ],
)  # fmt: skip
def test_the_reason_is_told(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        index(clips.damaged(tmp_path)[name])


def test_a_file_that_ends_between_two_frames_is_told_from_its_header(tmp_path: Path) -> None:
    """The frames that are left are whole, so only the header can say that some are missing."""
    for name in ("h264.mkv", "vp9.webm"):
        path = clips.write_kind(tmp_path, name)
        with av.open(str(path)) as file:
            places = [p.pos for p in file.demux(video=0) if p.size and p.pos]
        content = path.read_bytes()
        for frame in (25, 39):
            path.write_bytes(content[: places[frame]])
            with pytest.raises(DataError, match=rf"cut short: it has \d+ of {len(content)} bytes"):
                index(path)


def test_a_recording_without_an_end_is_told_by_its_duration(tmp_path: Path) -> None:
    """Its segment has no size; the header says how long it should be."""
    path = clips.write_kind(tmp_path, "h264.mkv")
    content = path.read_bytes()
    place = content.index(bytes.fromhex("18538067")) + 4
    assert content[place] == 1  # a size of eight bytes
    endless = content[:place] + b"\x01" + b"\xff" * 7 + content[place + 8 :]
    path.write_bytes(endless)
    assert index(path).length == 40
    path.write_bytes(endless[: len(endless) // 2])
    with pytest.raises(DataError, match=r"cut short"):
        index(path)


def test_most_single_flipped_bits_of_h264_are_seen(tmp_path: Path) -> None:
    """Not all can be: the file carries no checksum."""
    path = clips.write_kind(tmp_path, "h264.mp4", 20)
    content = path.read_bytes()
    good = [np.asarray(f) for _, f in read_all(path, index(path))]
    rng = np.random.default_rng(1)
    raised = same = 0
    for _ in range(40):
        broken = bytearray(content)
        broken[rng.integers(100, len(broken))] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(broken))
        try:
            frames = [np.asarray(f) for _, f in read_all(path, index(path))]
            same += all(np.array_equal(a, b) for a, b in zip(good, frames, strict=True))
        except DataError:
            raised += 1
    assert raised > 20
    assert raised + same < 41


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nope\.mp4 cannot be read: No such file"):
        index(tmp_path / "nope.mp4")
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(DataError, match=r"folder\.mp4 cannot be read"):
        index(tmp_path / "folder.mp4")


def test_a_frame_that_is_not_there_is_an_error_not_a_neighbour(tmp_path: Path) -> None:
    path = clips.write(tmp_path / "a.mp4", 20)
    of = index(path)
    wrong = _decode.Index(21, (*of.times, of.times[-1] + 7), of.keys)
    with pytest.raises(DataError, match="frame 20 cannot be decoded"):
        read(path, wrong, [20])
    with pytest.raises(DataError, match="frame 20 of 21 cannot be decoded"):
        list(read_all(path, wrong))
