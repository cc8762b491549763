"""Images and tables of labels that cannot be read: one clear error, nothing broken behind."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Call, WriteTask, paint
from PIL import Image

from harness.core.errors import DataError
from harness.data._images import open_rgb

from .refusals import check_refused


def png(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG that says it has this size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        whole = kind + content
        return struct.pack(">I", len(content)) + whole + struct.pack(">I", zlib.crc32(whole))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    )  # fmt: skip


def _missing(root: Path) -> None:
    root.rename(root.with_name("elsewhere"))


def _empty_class(root: Path) -> None:
    (root / "train" / "green_bus").mkdir()


def _corrupt(root: Path) -> None:
    raw = bytearray((root / "train/red_car/0.png").read_bytes())
    raw[40:60] = b"\xff" * 20
    (root / "train/red_car/0.png").write_bytes(raw)


def _truncated(root: Path) -> None:
    Image.effect_noise((64, 64), 90).save(root / "train/red_car/0.png")
    raw = (root / "train/red_car/0.png").read_bytes()
    (root / "train/red_car/0.png").write_bytes(raw[: len(raw) // 2])


def _text(root: Path) -> None:
    (root / "train/red_car/0.png").write_text("not a picture")


def _no_bytes(root: Path) -> None:
    (root / "train/red_car/0.png").write_bytes(b"")


def _bomb(root: Path) -> None:
    (root / "train/red_car/0.png").write_bytes(png(50_000, 50_000))


def _small_bomb(root: Path) -> None:
    """Below Pillow's own limit."""
    (root / "train/red_car/0.png").write_bytes(png(9_000, 9_000))


def _dangling(root: Path) -> None:
    (root / "train/red_car/0.png").unlink()
    (root / "train/red_car/0.png").symlink_to("gone.png")


def _folder_as_picture(root: Path) -> None:
    (root / "train/red_car/0.png").unlink()
    (root / "train/red_car/0.png").mkdir()


def _undecodable_name(root: Path) -> None:
    (root / "train/red_car/0.png").rename(str(root / "train/red_car/") + "/\udcff.png")


def _twin_folders(root: Path) -> None:
    paint(root, {"train/red car/0.png": (1, 2, 3)})


def _twin_names(root: Path) -> None:
    paint(root, {"train/Red_Car/0.png": (1, 2, 3)})


def _twin_accents(root: Path) -> None:
    """One name to a reader, two to a computer."""
    paint(root, {"train/caf\u00e9/0.png": (1, 2, 3), "test/cafe\u0301/0.png": (1, 2, 3)})


def _no_test_pictures(root: Path) -> None:
    paint(root, {f"train/green_bus/{i}.png": (1, 2, 3) for i in range(2)})


def _no_pictures(root: Path) -> None:
    for path in sorted(root.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


PICTURES: list[tuple[Callable[[Path], None], tuple[str, ...]]] = [
    (_missing, ("tiny.yaml", "dataset", "pictures", "no folder")),
    (_empty_class, ("tiny.yaml", "dataset", "'green bus'", "train/green_bus", "empty")),
    (_corrupt, ("pictures/train/red_car/0.png",)),
    (_truncated, ("pictures/train/red_car/0.png",)),
    (_text, ("pictures/train/red_car/0.png", "not a picture")),
    (_no_bytes, ("pictures/train/red_car/0.png", "not a picture")),
    (_bomb, ("pictures/train/red_car/0.png", "too large")),
    (_small_bomb, ("pictures/train/red_car/0.png", "9000 x 9000", "limit")),
    (_dangling, ("pictures", "0.png")),
    (_folder_as_picture, ("pictures/train/red_car/0.png",)),
    (_undecodable_name, ("pictures/train/red_car",)),
    (_twin_folders, ("two folders", "'red car'", "red_car")),
    (_twin_names, ("duplicate class names", "'Red Car'", "'red car'")),
    (_twin_accents, ("duplicate class names",)),
    (_no_test_pictures, ("'green bus'", "no test samples")),
    (_no_pictures, ("pictures", "no picture")),
]


@pytest.mark.parametrize(
    ("spoil", "says"), PICTURES, ids=[p[0].__name__.strip("_") for p in PICTURES]
)
def test_pictures(
    spoil: Callable[[Path], None], says: tuple[str, ...],
    cli: Call, tiny: WriteTask, tmp_path: Path, pictures: Path,
) -> None:  # fmt: skip
    spoil(pictures)
    ended = cli("grid", tiny(dataset=f"folder:{pictures}", classes={}, shots=2))
    check_refused(ended, says, tmp_path)


@pytest.mark.parametrize("path", ["~nobody-of-this-name/x", "x" * 5000, ""])
def test_folder_that_cannot_be(path: str, cli: Call, tiny: WriteTask, tmp_path: Path) -> None:
    ended = cli("grid", tiny(dataset=f"folder:{path}", classes={}), "shots=1")
    assert len(ended.errors()) == 1
    assert ended.code == 2


GOOD_CSV = "path,label,split\ntrain/red_car/0.png,car,train\ntest/red_car/0.png,car,test\n"

TABLES: list[tuple[str, bytes, tuple[str, ...]]] = [
    ("no-column", b"path,label\ntrain/red_car/0.png,car\n", ("'split'", "path, label, split")),
    ("empty", b"", ("'path'",)),
    ("only-a-head", b"path,label,split\n", ("no picture",)),
    ("missing-file", GOOD_CSV.encode() + b"gone.png,car,train\n", ("line 4", "gone.png")),
    ("split", GOOD_CSV.encode() + b"train/red_car/1.png,car,tset\n",
     ("line 4", "'tset'", "train, test", "Did you mean 'test'")),
    ("twice", GOOD_CSV.encode() + b"train/red_car/0.png,car,train\n",
     ("line 4", "train/red_car/0.png", "twice")),
    ("not-utf-8", GOOD_CSV.encode() + "train/red_car/1.png,Größe,train\n".encode("latin-1"),
     ("UTF-8",)),
    ("no-label", GOOD_CSV.encode() + b"train/red_car/1.png,,train\n", ("line 4", "label")),
    ("short-row", GOOD_CSV.encode() + b"train/red_car/1.png\n", ("line 4",)),
    ("long-row", GOOD_CSV.encode() + b"train/red_car/1.png,car,train,x,y\n", ("line 4",)),
    ("no-path", GOOD_CSV.encode() + b",car,train\n", ("line 4",)),
    ("duplicate-names", GOOD_CSV.encode() + b"train/blue_boat/0.png,CAR,train\n",
     ("duplicate class names", "'CAR'", "'car'")),
    ("endless-field", GOOD_CSV.encode() + b"x" * 200_000 + b",car,train\n", ("line 4",)),
    ("nul", GOOD_CSV.encode() + b"a\x00b,car,train\n", ("line 4",)),
]  # fmt: skip


@pytest.mark.parametrize(("table", "says"), [t[1:] for t in TABLES], ids=[t[0] for t in TABLES])
def test_labels_csv(
    table: bytes, says: tuple[str, ...],
    cli: Call, tiny: WriteTask, tmp_path: Path, pictures: Path,
) -> None:  # fmt: skip
    (pictures / "labels.csv").write_bytes(table)
    ended = cli("grid", tiny(dataset=f"folder:{pictures}", classes={}))
    where = "pictures" if says == ("no picture",) else "labels.csv"
    check_refused(ended, (where, *says), tmp_path)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF", "ignore:Truncated File Read")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_damaged_pictures_never_crash(kind: str, tmp_path: Path) -> None:
    """Whatever bytes are flipped or cut: a picture, or a DataError."""
    dice = random.Random(kind)
    good, bad = tmp_path / "good", tmp_path / "bad"
    exif = Image.Exif()
    exif[0x0112] = 6
    more = {"exif": exif.tobytes()} if kind in ("PNG", "JPEG", "WEBP") else {}
    Image.effect_noise((20, 20), 90).convert("RGB").save(good, kind, **more)
    raw = good.read_bytes()
    read = refused = 0
    for _ in range(150):
        changed = bytearray(raw)
        for _ in range(dice.randint(1, 4)):
            changed[dice.randrange(min(len(raw), 400))] = dice.randrange(256)
        bad.write_bytes(changed[: dice.choice([len(raw), dice.randrange(len(raw))])])
        try:
            assert open_rgb(bad).mode == "RGB"
            read += 1
        except DataError as error:
            assert str(bad) in str(error)  # noqa: PT017 - either outcome is right
            refused += 1
    assert refused > 20


def test_picture_bomb_as_a_process(
    run_cli: Call, tiny: WriteTask, tmp_path: Path, pictures: Path
) -> None:
    _bomb(pictures)
    ended = run_cli("grid", tiny(dataset=f"folder:{pictures}", classes={}, shots=2))
    check_refused(ended, ("pictures/train/red_car/0.png", "too large"), tmp_path)
