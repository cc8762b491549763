"""`rebuild`: the artefacts that the package ships, from the installed packages."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Call

from harness.data import emoji, emoji_motion


@pytest.mark.parametrize(
    ("what", "shipped"),
    [
        ("emoji-split", emoji.SPLIT_FILE),
        pytest.param("emoji-motion-objects", emoji_motion.OBJECTS_FILE, marks=pytest.mark.slow),
    ],
)
def test_the_shipped_file_is_what_it_writes(
    what: str, shipped: Path, cli: Call, tmp_path: Path
) -> None:
    ended = cli("rebuild", what, "--out", tmp_path / "out.json")
    assert (ended.code, ended.out, ended.err) == (0, "", f"wrote {tmp_path / 'out.json'}\n")
    assert (tmp_path / "out.json").read_bytes() == shipped.read_bytes()


def test_the_layer_is_trained_with_progress_and_its_accuracy_is_printed(
    cli: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rebuild(target: Path, progress: Callable[[int, int], object]) -> dict[str, float]:
        progress(3, 3)
        target.write_bytes(b"layer")
        return {"development_top1": 0.285}

    monkeypatch.setattr("harness.run.lit_emoji.rebuild_lit_emoji", rebuild)
    ended = cli("rebuild", "lit-emoji", "--out", tmp_path / "layer.safetensors")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.splitlines() == [
        "pictures: 3 of 3 after 0 s",
        "zero-shot top-1 on the development classes: 28.5",
        f"wrote {tmp_path / 'layer.safetensors'}",
    ]
    assert (tmp_path / "layer.safetensors").read_bytes() == b"layer"


def test_videos_are_a_data_set_that_can_be_checked(cli: Call, tmp_path: Path) -> None:
    ended = cli(
        "rebuild", "emoji-motion-videos", "--out", tmp_path / "clips", "--dataset",
        "{name: emoji_motion, objects: 2, motions: [left, right], size: 48, clips: 1}",
    )  # fmt: skip
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.splitlines()[-1] == f"wrote {tmp_path / 'clips'}"
    check = cli("data", "check", f"video:{tmp_path / 'clips'}", "--json")
    assert check.code == 0
    document = json.loads(check.out)
    counts = [document["splits"][use]["there"] for use in ("train", "test")]
    assert f"{sum(counts)} videos of {document['classes']} classes" in ended.err.splitlines()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["emoji-motion-videos", "--out", "x", "--dataset", "emoji"], "emoji is not emoji_motion"),
        (["emoji-motion-videos", "--out", "x", "--dataset", "{a: ["], "--dataset"),
        (["emoji-split", "--out", "/dev/null/x/y"], "/dev/null/x"),
        (["emoji-splt", "--out", "x"], "Did you mean 'emoji-split'"),
        (["emoji-split"], "--out"),
    ],
    ids=["no-clips", "no-name", "no-folder", "no-artefact", "no-out"],
)
def test_bad_input(arguments: list[str], words: str, cli: Call, tmp_path: Path) -> None:
    ended = cli("rebuild", *arguments)
    assert (ended.code, ended.out) == (2, "")
    (error,) = ended.errors()
    assert words in error
    assert list(tmp_path.iterdir()) == []
