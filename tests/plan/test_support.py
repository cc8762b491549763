"""support and val in a plan: which cells have them, what is in their keys, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import plan_of

from harness.core.cell_json import cell_from
from harness.core.cells import Choice
from harness.core.errors import TaskError
from harness.core.samples import Items
from harness.plan.resolve import ResolvedCell
from plan.conftest import AddDataset
from tests.sampling.toy import items

SEARCH: dict[str, Any] = {"search": {"recipe.lr": [1e-4, 1e-3]}, "selection": "val"}
Task = dict[str, Any]
TRAIN, VAL = items("train", 8, 10), items("val", 6, 10)


def in_order(split: Items, order: Any) -> Items:
    return Items(tuple(split.ids[n] for n in order), split.labels[order], split.groups[order])


REVERSED = np.arange(80)[::-1]


@pytest.fixture
def data(add_dataset: AddDataset) -> Any:
    def add(name: str, **fields: Any) -> str:
        return add_dataset(name, **({"train": TRAIN, "val": VAL} | fields))

    return add


def cells(task: Task, runs: Path, **changes: Any) -> list[ResolvedCell]:
    return list(plan_of(task, runs, **{"seeds": [1], "classifier": "text", **changes}).cells)


def keys(task: Task, runs: Path, **changes: Any) -> list[str]:
    return [c.key for c in cells(task, runs, **changes)]


def test_own_is_no_part_of_the_cell(task: Task, tmp_path: Path, data: Any) -> None:
    both = cells(task, tmp_path, dataset=data("d"), support=["own", "coop"])
    assert [c.cell.support for c in both] == [Choice("own"), Choice("coop")]
    assert "support" not in both[0].cell.plain()
    assert keys(task, tmp_path, dataset=data("d")) == [both[0].key] != [both[1].key]
    assert cell_from(json.loads(json.dumps(both[1].cell.plain()))) == both[1].cell
    assert both[0].support != both[1].support


def test_the_order_of_the_list_is_in_the_keys_that_read_it(
    task: Task, tmp_path: Path, data: Any
) -> None:
    one, other = data("one"), data("two", train=in_order(TRAIN, REVERSED))
    plans = {
        support: [cells(task, tmp_path, dataset=d, support=support)[0] for d in (one, other)]
        for support in ("own", "coop")
    }
    own, coop = ([c.setup.dataset.train.ids for c in plans[s]] for s in ("own", "coop"))
    assert own == coop
    assert plans["own"][0].support == plans["own"][1].support
    assert plans["coop"][0].support != plans["coop"][1].support
    # The names of the data sets differ too, so the hashes of what is read are compared.
    from harness.plan.catalogue import Catalogue
    from harness.plan.keys import content_hashes

    hashes = {
        s: [content_hashes(c.cell, c.setup, Catalogue(), "t")[0] for c in plans[s]] for s in plans
    }
    assert len(set(hashes["own"])) == 1
    assert len(set(hashes["coop"])) == 2


def test_a_row_without_support_samples_has_one_cell(task: Task, tmp_path: Path, data: Any) -> None:
    found = cells(task, tmp_path, dataset=data("d"), support=["own", "coop"], tuning="none")
    assert [c.cell.support for c in found] == [Choice("own")]
    assert found[0].cell.seed is None
    fitted = cells(
        task, tmp_path, dataset=data("d"), support="coop", tuning="none", classifier="prototype"
    )
    assert [(c.cell.support, c.cell.seed) for c in fitted] == [(Choice("coop"), 1)]


def test_classes_of_few_samples_are_taken_whole(task: Task, tmp_path: Path, data: Any) -> None:
    kept = [n for n in range(80) if n not in range(3, 8)]  # class 0 has three
    few = data("few", train=in_order(TRAIN, kept))
    plan = plan_of(task, tmp_path, dataset=few, support="coop", shots=4, classifier="text")
    support = plan.cells[0].support
    assert support is not None
    assert support.labels.count(0) == 3
    assert any(note.startswith("support: coop: 1 of the 10 classes") for note in plan.notes())


@pytest.mark.parametrize("left_out", ["coop", {"file": "l.json"}, "file"])
def test_values_of_the_axis_can_be_excluded(left_out: Any, task: Task) -> None:
    from harness.task.grid import expand
    from harness.task.read import as_yaml, validate
    from harness.task.yaml_reader import parse

    axis = ["own", "coop", {"file": "l.json"}]
    changes = {"support": axis, "exclude": [{"support": left_out}], "classifier": "text"}
    checked = validate({**task, **changes}, "t")
    names = [cell.support.name for cell in expand(checked)]
    gone = left_out if isinstance(left_out, str) else "file"
    assert sorted(set(names)) == sorted({"own", "coop", "file"} - {gone})
    assert validate(parse(as_yaml(checked), "t"), "t") == checked


def write_list(path: Path, classes: range, first: int) -> None:
    rows = [{"impath": f"x/train{8 * c + first}", "classname": f"class {c}"} for c in classes]
    path.write_text(json.dumps({"train": {"data": rows}}))


def test_a_published_list_by_seed(task: Task, tmp_path: Path, data: Any) -> None:
    for seed in (1, 2):
        write_list(tmp_path / f"shot_1-seed_{seed}.json", range(10), seed)
    pattern = str(tmp_path / "shot_{shots}-seed_{seed}.json")
    changes: Task = {"dataset": data("d"), "support": {"file": pattern}, "seeds": [1, 2]}
    one, two = cells(task, tmp_path, **changes)
    assert one.support is not None
    assert one.support.items == tuple(f"train{8 * c + 1}" for c in range(10))
    assert two.support is not None
    assert two.support.items == tuple(f"train{8 * c + 2}" for c in range(10))
    assert cell_from(json.loads(json.dumps(one.cell.plain()))) == one.cell
    write_list(tmp_path / "shot_1-seed_2.json", range(10), 3)  # the content is in the key
    again = keys(task, tmp_path, **changes)
    assert again[0] == one.key
    assert again[1] != two.key
    assert keys(task, tmp_path, **(changes | {"seeds": [2]})) == again[1:]
    write_list(tmp_path / "shot_1-seed_2.json", range(9), 3)
    with pytest.raises(TaskError, match=r"support: .*shot_1-seed_2.json does not list 1 samples"):
        keys(task, tmp_path, **changes)
    with pytest.raises(TaskError, match=r"shot_1-seed_3.json"):
        keys(task, tmp_path, **(changes | {"seeds": [3]}))


@pytest.mark.parametrize(
    ("val", "per_class"),
    [("official", 6), ({"official": 2}, 2), ({"official": "coop"}, 1), (2, 2)],
)
def test_validation_samples(
    val: Any, per_class: int, task: Task, tmp_path: Path, data: Any
) -> None:
    changes: Task = {"dataset": data("d"), "val": val, **SEARCH}
    if val != 2:
        changes["support"] = "coop"
    (found,) = cells(task, tmp_path, **changes)
    assert found.validation is not None
    assert len(found.validation.items) == 10 * per_class
    of = "train" if val == 2 else "val"
    assert all(item.startswith(of) for item in found.validation.items)
    assert cell_from(json.loads(json.dumps(found.cell.plain()))) == found.cell
    assert keys(task, tmp_path, **changes) == [found.key]


def test_val_is_in_the_key_only_where_it_is_read(task: Task, tmp_path: Path, data: Any) -> None:
    from harness.plan.keys import used_items

    (read,) = cells(task, tmp_path, dataset=data("d"), val="official", **SEARCH)
    assert set(used_items(read.cell, read.setup)[0]) == {"train", "val"}
    (cut,) = cells(task, tmp_path, dataset=data("d"), val=2, **SEARCH)
    assert set(used_items(cut.cell, cut.setup)[0]) == {"train"}
    assert cut.cell.plain()["val"] == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"support": "cop"}, "support: 'cop': must be own, coop or {file: PATH}"),
        ({"support": {"file": ""}}, "must be own, coop or"),
        ({"support": "coop", "regime": "full", "shots": None}, "support: applies only to regime"),
        ({"val": {"official": "coop"}, **SEARCH}, "val: {official: coop} needs support: coop"),
        ({"val": {"official": "coop"}, "support": ["own", "coop"], **SEARCH}, "and no others"),
        ({"val": 2, "support": "coop", **SEARCH}, "val: 2 are kept out of the training samples"),
        ({"val": {"official": 7}, **SEARCH}, "10 of the 10 classes have fewer than 7 samples in t"),
        ({"val": {"official": 0}, **SEARCH}, "val: .*must be a number above 0, official"),
        ({"val": True, **SEARCH}, "must be a number above 0, official"),
    ],
)
def test_what_is_refused(
    changes: Task, message: str, task: Task, tmp_path: Path, data: Any
) -> None:
    with pytest.raises(TaskError, match=message):
        cells(task, tmp_path, **({"dataset": data("d")} | changes))


def test_a_data_set_without_a_validation_split_is_refused(task: Task, tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"val: .* has no validation split; val: K keeps K tr"):
        cells(task, tmp_path, val="official", **SEARCH)
