"""data check --against: CoOp's draws of made-up splits and published lists, without pictures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Call

from tests.sampling.made_up_splits import NAMES, drawn_by_hand, split_rows

ROWS = {split: split_rows(split) for split in ("train", "val", "test")}
LABEL_OF = {path: c for rows in ROWS.values() for path, c in rows}


@pytest.fixture
def pets(tmp_path: Path) -> str:
    folder = tmp_path / "oxford_pets"
    folder.mkdir()
    data = {split: [[path, c, NAMES[c]] for path, c in rows] for split, rows in ROWS.items()}
    (folder / "split_zhou_OxfordPets.json").write_text(json.dumps(data))
    return f"coop:{folder}"


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    """What the rule of the test draws, as JSON of two seeds and JSONL of one."""
    folder = tmp_path / "lists"
    folder.mkdir()
    for seed in (1, 2):
        for k in (1, 4):
            train, val = drawn_by_hand(ROWS["train"], ROWS["val"], seed, k)
            document = {"train": {"data": entries(train)}, "val": {"data": entries(val)}}
            (folder / f"shot_{k}-seed_{seed}.json").write_text(json.dumps(document))
    for split, drawn in zip(
        ("train", "val"), drawn_by_hand(ROWS["train"], ROWS["val"], 3, 8), strict=True
    ):
        lines = [{f"_{k}": v for k, v in row.items()} | {"_domain": 0} for row in entries(drawn)]
        text = "\n".join(map(json.dumps, lines))
        (folder / f"shot_8-seed_3_{split}.jsonl").write_text(text)
    (folder / "README.md").write_text("no list")
    return folder


def entries(drawn: list[str]) -> list[dict[str, Any]]:
    return [
        {"impath": f"./data/oxford_pets/images/{path}", "label": LABEL_OF[path],
         "classname": NAMES[LABEL_OF[path]]} for path in drawn
    ]  # fmt: skip


def edit(path: Path, change: Callable[[list[Any]], object]) -> None:
    document = json.loads(path.read_text())
    change(document["train"]["data"])
    path.write_text(json.dumps(document))


def test_equal_lists(cli: Call, pets: str, lists: Path) -> None:
    ended = cli("data", "check", pets, "--against", str(lists))
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == f"{pets}: 10 of 10 lists are equal to CoOp's draw, order included\n"
    one = cli("data", "check", pets, "--against", str(lists / "shot_4-seed_2.json"), "--json")
    document = json.loads(one.out)
    assert (one.code, document["equal"]) == (0, 2)
    assert [(c["shots"], c["seed"], c["split"]) for c in document["lists"]] == [
        (4, 2, "train"), (4, 2, "val")
    ]  # fmt: skip


def test_all_datasets_of_a_root(cli: Call, pets: str, lists: Path, tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    for name in ("caltech-101", "eurosat"):
        split = {"caltech-101": "Caltech101", "eurosat": "EuroSAT"}[name]
        (root / name).mkdir()
        text = (tmp_path / "oxford_pets" / "split_zhou_OxfordPets.json").read_text()
        (root / name / f"split_zhou_{split}.json").write_text(text)
    indices = tmp_path / "indices"
    indices.mkdir()
    refused = cli("data", "check", f"coop:{root}", "--against", str(indices))
    assert refused.code == 2
    assert "has no folder of lists for the datasets in" in refused.err
    (indices / "caltech101").mkdir()
    for path in lists.iterdir():
        text = path.read_text().replace("oxford_pets/images", "caltech101/101_ObjectCategories")
        (indices / "caltech101" / path.name).write_text(text)
    ended = cli("data", "check", f"coop:{root}", "--against", str(indices))
    assert (ended.code, ended.err) == (0, "")
    assert ": 10 of 10 lists are equal" in ended.out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.insert(0, rows.pop()), "entry 0: drawn .* (the same samples in another"),
        (lambda rows: rows.pop(), "are drawn and .* listed: entry .* is only drawn"),
        (lambda rows: rows.append(rows[0]), "is only listed"),
        (lambda rows: rows[2].update(impath="x/y.png"), "listed x/y.png, which is not in this sp"),
    ],
)
def test_the_first_difference_is_named(
    change: Callable[[list[Any]], object], message: str, cli: Call, pets: str, lists: Path
) -> None:
    edit(lists / "shot_4-seed_1.json", change)
    ended = cli("data", "check", pets, "--against", str(lists))
    assert ended.code == 1
    first, problem = ended.out.splitlines()
    assert ": 9 of 10 lists are equal" in first
    assert problem.startswith(f"problem: {lists / 'shot_4-seed_1.json'}, train: ")
    for part in message.split(" .* "):
        assert part in problem


def test_what_cannot_be_compared(cli: Call, pets: str, lists: Path, tmp_path: Path) -> None:
    for name, against, message in (
        (pets, tmp_path / "oxford_pets", "has no list; expected: shot_K-seed_S.json"),
        (pets, tmp_path / "missing.json", "has no list; expected"),
        ("emoji", lists, "emoji is no dataset of CoOp"),
    ):
        ended = cli("data", "check", name, "--against", str(against))
        assert ended.code == 2
        assert message in ended.err
    (lists / "shot_1-seed_1.json").write_text("{")
    ended = cli("data", "check", pets, "--against", str(lists))
    assert ended.code == 2
    assert "shot_1-seed_1.json is no JSON" in ended.err
