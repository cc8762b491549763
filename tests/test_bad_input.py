"""What a user can get wrong: one clear error, exit code 2, no traceback, nothing broken behind."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import Call, WriteTask, leftovers, paint
from PIL import Image

from harness.core.errors import DataError
from harness.data._images import open_rgb

Setup = Callable[[Path, WriteTask], list[str]]


@dataclass(frozen=True)
class Bad:
    """A mistake, and the words that its error must have."""

    name: str
    setup: Setup
    says: tuple[str, ...]


def _check(ended: Any, says: tuple[str, ...], folder: Path) -> None:
    assert ended.code == 2, ended
    assert len(ended.errors()) == 1, ended.err
    assert ended.err.splitlines()[-1] == ended.errors()[0], "one line"
    assert len([line for line in ended.err.splitlines() if "error" in line.lower()]) == 1, ended.err
    assert "Traceback" not in ended.err + ended.out
    assert ended.out == ""
    for word in says:
        assert word in ended.errors()[0]
    assert len(ended.errors()[0]) < 1500, "an error is read by people"
    assert leftovers(folder) == []
    assert list(folder.glob("runs/cells/*/*")) == []


# --- the task ----------------------------------------------------------------------------------


def key(name: str, says: tuple[str, ...], /, **changes: Any) -> Bad:
    """TINY with some keys replaced."""
    return Bad(name, lambda _, tiny: ["grid", tiny(**changes)], ("tiny.yaml", *says))


def override(name: str, says: tuple[str, ...], *texts: str) -> Bad:
    return Bad(name, lambda _, tiny: ["grid", tiny(), *texts], says)


def text(name: str, content: str | bytes, *says: str) -> Bad:
    """A task file with this content."""

    def setup(folder: Path, tiny: WriteTask) -> list[str]:
        raw = content if isinstance(content, bytes) else content.encode()
        (folder / "bad.yaml").write_bytes(raw)
        return ["grid", "bad.yaml"]

    return Bad(name, setup, ("bad.yaml", *says))


def args(name: str, given: list[str], *says: str) -> Bad:
    return Bad(name, lambda _, tiny: [a.replace("TINY", tiny()) for a in given], says)


HEAD = (
    "name: bad\ndataset: emoji\nregime: few_shot\nencoder: embedded/lit-emoji\n"
    "classes: {pick: 5, from: development}\nseeds: 1\n"
)
BOMB = "a0: &a0 [1, 1]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)  # fmt: skip

TASKS = [
    key("unknown-key", ("clasifier", "Did you mean 'classifier'"), clasifier="text"),
    key("wrong-type", ("shots", "'many'", "integer"), shots="many"),
    key("wrong-type-in-list", ("shots", "'two'"), shots=[1, "two"]),
    key("text-for-flag", ("recipe.train_logit_scale", "'yes'"),
        recipe={"train_logit_scale": "yes"}),
    key("classifier", ("classifier", "'txt'", "Did you mean 'text'"), classifier="txt"),
    key("encoder", ("encoder", "embeded", "Did you mean 'embedded'"), encoder="embeded/lit-emoji"),
    key("encoder-argument", ("encoder", "lit-emojy", "Did you mean 'lit-emoji'"),
        encoder="embedded/lit-emojy"),
    key("dataset", ("dataset", "'emojy'", "Did you mean 'emoji'"), dataset="emojy"),
    key("test-dataset", ("test_dataset", "'emoji_peple'", "Did you mean 'emoji_people'"),
        regime="zero_shot", shots=None, test_dataset="emoji_peple"),
    key("paradigm", ("paradigm", "'vision_txt'", "Did you mean 'vision_text'"),
        paradigm="vision_txt"),
    key("prompt", ("prompt", "'class_nam'", "Did you mean 'class_name'"), prompt="class_nam"),
    key("regime", ("regime", "'few_shots'", "zero_shot", "Did you mean 'few_shot'"),
        regime="few_shots"),
    key("recipe-key", ("recipe.epoch", "Did you mean 'epochs'"), recipe={"epoch": 3}),
    key("recipe-value", ("recipe.decay", "'cosin'", "Did you mean 'cosine'"),
        recipe={"decay": "cosin"}),
    key("recipe-preset", ("recipe.preset", "'lit_emojy'", "Did you mean 'lit_emoji'"),
        recipe={"preset": "lit_emojy"}),
    key("recipe-infinite", ("recipe.lr", "inf"), recipe={"lr": float("inf")}),
    key("recipe-nan", ("recipe.lr", "nan"), recipe={"lr": float("nan")}),
    key("report-key", ("report.colums", "Did you mean 'columns'"), report={"colums": "shots"}),
    key("report-rows", ("report.rows", "clasifier", "Did you mean 'classifier'"),
        report={"rows": "clasifier"}),
    key("report-columns", ("report.columns", "shot", "Did you mean 'shots'"),
        report={"columns": "shot"}),
    key("report-published", ("report.published", "'few_shott'", "Did you mean 'few_shot'"),
        report={"published": "few_shott"}),
    key("exclude-axis", ("exclude", "clasifier", "Did you mean 'classifier'"),
        exclude=[{"clasifier": "text"}]),
    key("include-key", ("include", "clasifier", "Did you mean 'classifier'"),
        include=[{"clasifier": "text"}]),
    key("k-too-large", ("shots", "6", "5 training samples"), shots=[1, 6]),
    key("k-negative", ("shots", "-1", "greater than 0"), shots=-1),
    key("shots-missing", ("shots", "few_shot"), shots=None),
    key("shots-without-meaning", ("shots", "few_shot"), regime="full"),
    key("fraction-above-1", ("fraction", "1.5"), regime="fraction", shots=None, fraction=1.5),
    key("seeds-0", ("seeds", "0"), seeds=0),
    key("seeds-twice", ("seeds", "twice"), seeds=[1, 2, 1]),
    key("seeds-without-end", ("seeds", "1000000000000"), seeds=10**12),
    key("name-leaves-the-folder", ("name", "'../evil'"), name="../evil"),
    key("name-missing", ("name", "missing"), name=None),
    key("empty-list", ("classifier",), classifier=[]),
    key("classifier-option", ("classifier", "lda", "shrinkge", "Did you mean 'shrinkage'"),
        shots=2, classifier={"name": "lda", "shrinkge": 0.1}),
    key("classifier-option-value", ("classifier", "lda", "shrinkage", "1.5"),
        shots=2, classifier={"name": "lda", "shrinkage": 1.5}),
    key("template-without-place", ("prompt", "'a photo'", "{}"),
        prompt={"name": "template", "text": "a photo"}),
    key("too-many-classes", ("classes.pick", "5000", "100"),
        classes={"pick": 5000, "from": "development"}),
    key("class-part", ("classes.from", "'developmnt'", "Did you mean 'development'"),
        classes={"pick": 5, "from": "developmnt"}),
    key("class-file-missing", ("classes", "nowhere.txt"), classes="nowhere.txt"),
    key("method", ("method", "tip_adapter", "not built yet"), method="tip_adapter"),
    key("webdataset", ("dataset", "webdataset", "not built yet"), dataset="webdataset:clips"),
    key("video-missing", ("dataset", "video:nowhere"), dataset="video:nowhere"),
    key("temporal", ("temporal", "'t_tran'", "Did you mean 't_trans'"), temporal="t_tran"),
    key("views", ("views", "'4*3'", "CLIPSxCROPS"), views="4*3"),
    key("schedule", ("schedule", "'released:x'", "released:EPOCH"), schedule="released:x"),
    key("prompt-option", ("prompt", "templates"), prompt={"name": "templates"}),
    key("selection-test", ("selection", "last", "allow_test_selection"), selection="test"),
    text("not-utf-8", HEAD.encode() + "question: Größe\n".encode("latin-1"), "UTF-8"),
    text("utf-16", HEAD.encode("utf-16"), "UTF-8"),
    text("syntax", HEAD + "shots: [1, 2\n", "line "),
    text("control-character", HEAD + "question: \x00\n"),
    text("half-a-character", HEAD + 'shots: 1\nquestion: "\\ud800"\n'),
    text("key-twice", HEAD + "shots: 1\nshots: 2\n", "line 8", "shots", "twice"),
    text("deep-lists", HEAD + "shots: " + "[" * 5000, "nested too deeply"),
    text("deep-mappings", HEAD + "recipe: " + "{a: " * 3000 + "1" + "}" * 3000,
         "nested too deeply"),
    text("alias-bomb", HEAD + BOMB + "shots: *a11\n", "alias"),
    text("alias-of-itself", HEAD + "shots: &a [1, *a]\n", "alias"),
    text("impossible-date", HEAD + "question: 2024-13-45\n"),
    text("endless-number", HEAD + "shots: " + "9" * 5000 + "\n"),
    text("empty", "", "mapping", "nothing"),
    text("a-list", "- 1\n- 2\n", "mapping", "a list"),
    text("huge", "#" * 1_000_001, "1000001 bytes"),
    override("override-without-equals", ("'shots'", "key=value"), "shots"),
    override("override-below-text", ("name", "no keys below"), "name.x=1"),
    override("override-syntax", ("shots=[1",), "shots=[1"),
    override("override-key", ("shot", "Did you mean 'shots'"), "shot=1"),
    override("override-recipe-key", ("recipe.epoch", "Did you mean 'epochs'"), "recipe.epoch=1"),
    override("override-value", ("tiny.yaml", "classifier", "'txt'", "'text'"), "classifier=txt"),
    args("task-name", ["grid", "few_shoot"], "few_shoot", "Did you mean 'few_shot'"),
    args("task-name-too-long", ["grid", "x" * 5000], "task"),
    args("command", ["gird", "few_shot"], "gird", "Did you mean 'grid'"),
    args("no-command", [], "COMMAND"),
    args("no-task", ["grid"], "task"),
    args("option", ["grid", "TINY", "--rnus", "r"], "--rnus", "Did you mean '--runs'"),
    args("launch", ["grid", "TINY", "--launch", "locl"], "locl", "local"),
    args("jobs-0", ["grid", "TINY", "--jobs", "0"], "jobs", "0"),
    args("jobs-negative", ["grid", "TINY", "--jobs", "-1"], "jobs", "-1"),
    args("rerun-axis", ["grid", "TINY", "--rerun", "clasifier=text"], "clasifier",
         "Did you mean 'classifier'"),
    args("rerun-without-value", ["grid", "TINY", "--rerun", "classifier"], "--rerun", "classifier"),
    args("cell", ["run", "TINY", "--cell", "0123"], "0123"),
    args("cell-elsewhere", ["run", "TINY", "--cell", "../../x"], "../../x"),
    args("list-kind", ["list", "clasifiers"], "clasifiers", "Did you mean 'classifier'"),
    args("describe-kind", ["describe", "encodr", "embedded"], "encodr", "Did you mean 'encoder'"),
    args("describe-name", ["describe", "classifier", "orthogonl"], "orthogonl",
         "Did you mean 'orthogonal'"),
    args("runs-below-a-file", ["grid", "TINY", "--runs", "TINY/runs"], "tiny.yaml/runs"),
    args("reports-below-a-file", ["grid", "TINY", "--reports", "TINY/r"], "tiny.yaml/r"),
    args("runs-is-a-file", ["grid", "TINY", "--runs", "TINY"], "tiny.yaml"),
    args("directory-as-task", ["grid", "."], "'.'"),
]  # fmt: skip


@pytest.mark.parametrize("bad", TASKS, ids=lambda b: b.name)
def test_task(bad: Bad, cli: Call, tiny: WriteTask, tmp_path: Path) -> None:
    _check(cli(*bad.setup(tmp_path, tiny)), bad.says, tmp_path)


def test_class_file_with_an_unknown_name(cli: Call, tiny: WriteTask, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("hot dog\nhot dgo\n", encoding="utf-8")
    ended = cli("grid", tiny(classes="names.txt"))
    _check(ended, ("tiny.yaml", "names.txt", "'hot dgo'", "Did you mean 'hot dog'"), tmp_path)


@pytest.mark.parametrize(
    "tag",
    [
        '!!python/object/apply:os.system ["touch pwned"]',
        '!!python/object/new:os.system ["touch pwned"]',
        "!!python/name:os.system",
        "!!python/module:os",
        "!include /etc/hostname",
    ],
)
@pytest.mark.parametrize("where", ["task", "override", "rerun"])
def test_yaml_tag_does_not_run(
    tag: str, where: str, cli: Call, tiny: WriteTask, tmp_path: Path
) -> None:
    if where == "task":
        (tmp_path / "bad.yaml").write_text(f"{HEAD}question: {tag}\n", encoding="utf-8")
        ended = cli("grid", "bad.yaml")
    elif where == "override":
        ended = cli("grid", tiny(), f"question={tag}")
    else:
        ended = cli("grid", tiny(), "--rerun", f"classifier={tag}")
    _check(ended, ("tag",), tmp_path)
    assert not (tmp_path / "pwned").exists()


# --- pictures ----------------------------------------------------------------------------------


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
    _check(ended, says, tmp_path)


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
    _check(ended, (where, *says), tmp_path)


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


# --- as a user meets it ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad", [b for b in TASKS if b.name in ("command", "unknown-key", "runs-below-a-file")],
    ids=lambda b: b.name,
)  # fmt: skip
def test_as_a_process(bad: Bad, run_cli: Call, tiny: WriteTask, tmp_path: Path) -> None:
    _check(run_cli(*bad.setup(tmp_path, tiny)), bad.says, tmp_path)


def test_picture_bomb_as_a_process(
    run_cli: Call, tiny: WriteTask, tmp_path: Path, pictures: Path
) -> None:
    _bomb(pictures)
    ended = run_cli("grid", tiny(dataset=f"folder:{pictures}", classes={}, shots=2))
    _check(ended, ("pictures/train/red_car/0.png", "too large"), tmp_path)
