"""Mistakes in tasks and arguments that a user can make: one clear error, nothing broken behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import Call, WriteTask

from .refusals import check_refused

Setup = Callable[[Path, WriteTask], list[str]]


@dataclass(frozen=True)
class Bad:
    """A mistake, and the words that its error must have."""

    name: str
    setup: Setup
    says: tuple[str, ...]


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
    key("k-too-large", ("shots", "6 is more than", "any class", "each class has 5"),
        shots=[1, 6]),
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
    key("method", ("method", "no method is called", "Did you mean 'tip_adapter'"),
        method="tip_adaptor"),
    key("webdataset", ("dataset", "there is no shard", "clips"), dataset="webdataset:clips"),
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
    args("runs-below-a-file", ["grid", "TINY", "--runs", "TINY/runs"],
         "tiny.yaml is a file where the folder of the Records should be"),
    args("reports-below-a-file", ["grid", "TINY", "--reports", "TINY/r"], "tiny.yaml/r"),
    args("runs-is-a-file", ["grid", "TINY", "--runs", "TINY"], "tiny.yaml"),
    args("directory-as-task", ["grid", "."], "'.'"),
]  # fmt: skip


@pytest.mark.parametrize("bad", TASKS, ids=lambda b: b.name)
def test_task(bad: Bad, cli: Call, tiny: WriteTask, tmp_path: Path) -> None:
    check_refused(cli(*bad.setup(tmp_path, tiny)), bad.says, tmp_path)


def test_class_file_with_an_unknown_name(cli: Call, tiny: WriteTask, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("hot dog\nhot dgo\n", encoding="utf-8")
    ended = cli("grid", tiny(classes="names.txt"))
    check_refused(
        ended, ("tiny.yaml", "names.txt", "'hot dgo'", "Did you mean 'hot dog'"), tmp_path
    )


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
    check_refused(ended, ("tag",), tmp_path)
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    "bad", [b for b in TASKS if b.name in ("command", "unknown-key", "runs-below-a-file")],
    ids=lambda b: b.name,
)  # fmt: skip
def test_as_a_process(bad: Bad, run_cli: Call, tiny: WriteTask, tmp_path: Path) -> None:
    check_refused(run_cli(*bad.setup(tmp_path, tiny)), bad.says, tmp_path)
