"""Every frame is the right one or an error that names the video."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from harness.core.errors import BadInput, DataError
from harness.data import _decode, _frames, _matroska
from harness.data._decode import index, read, read_all

from . import clips


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One video of every kind, of 40 frames."""
    folder = tmp_path_factory.mktemp("videos")
    return {name: clips.write_kind(folder, name) for name in clips.KINDS}


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


def test_what_stands_before_the_first_key_frame_is_no_frame(tmp_path: Path) -> None:
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
from harness.errors import DataError
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
        assert _matroska.declared_size(path) == len(content)
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
    assert _matroska.declared_size(path) is None
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


# --- the cache of frames -------------------------------------------------------------------------


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Path]:
    """Every pass of the decoder over a video, in an empty cache."""
    passes: list[Path] = []
    plain = _decode._decoded

    def counted(container, stream, path):  # type: ignore[no-untyped-def]
        passes.append(path)
        return plain(container, stream, path)

    monkeypatch.setattr(_decode, "_decoded", counted)
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "frames_cache"))
    return passes


@pytest.mark.parametrize("name", ["h264.mp4", "mpeg4_b.avi", "vp9.webm"])
def test_a_video_that_is_trained_on_is_decoded_once(
    videos: dict[str, Path], decoded: list[Path], name: str
) -> None:
    for epoch in range(5):
        store = _frames.Frames(256)  # as another process would begin
        assert store.length(videos[name], whole=True) == 40
        found = store.get(videos[name], [epoch, 39 - epoch], whole=True)
        assert [clips.number_of(f) for f in found] == [epoch, 39 - epoch]
    assert len(decoded) == 1


def test_of_a_video_that_is_tested_only_what_is_asked_for_is_kept(
    videos: dict[str, Path], decoded: list[Path], tmp_path: Path
) -> None:
    store = _frames.Frames(256)
    for wanted in ([30, 2], [2, 30, 30], [5, 2]):
        found = store.get(videos["h264.mp4"], wanted, whole=False)
        assert [clips.number_of(f) for f in found] == wanted
    assert len(decoded) == 3  # from two key frames, nothing, from one
    kept = next((tmp_path / "frames_cache" / "frames").glob("*/*.npz"))
    with np.load(kept) as saved:
        assert set(saved.files) == {"2", "5", "30"}


def test_frames_are_those_of_the_content(
    videos: dict[str, Path], decoded: list[Path], tmp_path: Path
) -> None:
    copy = tmp_path / "renamed.mp4"
    copy.write_bytes(videos["h264.mp4"].read_bytes())
    _frames.Frames(256).get(videos["h264.mp4"], [3], whole=True)
    _frames.Frames(256).get(copy, [4], whole=True)
    assert len(decoded) == 1
    clips.write(copy, 20)
    assert _frames.Frames(256).length(copy, whole=True) == 20


def test_damage_in_the_cache_is_decoded_again(
    videos: dict[str, Path], decoded: list[Path], tmp_path: Path
) -> None:
    path = videos["h264.mp4"]
    good = _frames.Frames(256).get(path, [7], whole=True)[0]
    kept = next((tmp_path / "frames_cache" / "frames").glob("*/*.npz"))
    content = bytearray(kept.read_bytes())
    content[content.index(good.tobytes()[:60]) + 20] ^= 1
    for damage in (bytes(content), kept.read_bytes()[:1000], b""):
        kept.write_bytes(damage)
        assert _frames.Frames(256).get(path, [7], whole=True)[0].tobytes() == good.tobytes()
    assert len(decoded) == 4


def test_the_budget_holds(
    videos: dict[str, Path], decoded: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing more is kept beyond it, and the frames are right all the same."""
    monkeypatch.setenv("HARNESS_FRAMES_GB", "0.0004")  # 400 kB: one of these videos
    store = _frames.Frames(256)
    for name in ("h264.mp4", "vp9.webm", "vp9.webm"):
        assert clips.number_of(store.get(videos[name], [9], whole=True)[0]) == 9
    assert len(list((tmp_path / "frames_cache" / "frames").glob("*/*.npz"))) == 1
    assert len(decoded) == 3
    monkeypatch.setenv("HARNESS_FRAMES_GB", "plenty")
    with pytest.raises(BadInput, match="HARNESS_FRAMES_GB: 'plenty' is not a number"):
        store.get(videos["mpeg4.mp4"], [0], whole=True)


def test_long_videos_are_not_kept_whole(
    videos: dict[str, Path], decoded: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(_frames, "WHOLE", 39)
    for name in ("h264.mp4", "mpeg4.avi"):
        _frames.Frames(256).get(videos[name], [3], whole=True)
    sizes = []
    for kept in (tmp_path / "frames_cache" / "frames").glob("*/*.npz"):
        with np.load(kept) as saved:
            sizes.append(len(saved.files))
    assert sizes == [1, 1]


def test_large_frames_are_kept_small(tmp_path: Path, decoded: list[Path]) -> None:
    path = clips.write(tmp_path / "a.mp4", 8, size=(160, 96))
    assert _frames.Frames(48).get(path, [7], whole=True)[0].size == (80, 48)
    assert _frames.Frames(48).get(path, [7], whole=True)[0].size == (80, 48)
    assert _frames.Frames(256).get(path, [7], whole=True)[0].size == (160, 96)
    assert len(decoded) == 2
    assert _frames.shrunk(Image.new("RGB", (90, 300)), 64).size == (64, 213)
