"""`tuning`, `stages`, `interpolate` and `iterations` as a task writes them: read as they are meant,
or refused in one sentence that names the key.
"""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.cell_json import cell_from
from harness.core.cells import Cell, Choice, LoraSpec, Stage
from harness.core.errors import TaskError
from harness.task.grid import expand, value_of
from harness.task.notes import values_of_no_cell
from harness.task.read import json_schema, validate

BASE: dict[str, Any] = {
    "name": "t", "dataset": "emoji", "regime": "few_shot", "shots": 2, "seeds": 1,
    "encoder": "embedded/lit-emoji", "classifier": "text",
}  # fmt: skip
NORM, HEAD = {"share": 0.6, "tuning": "norm"}, {"share": 0.4, "tuning": "head"}


def cells(**keys: Any) -> list[Cell]:
    return expand(validate(BASE | keys, "t.yaml"), "t.yaml")


def refusal(**keys: Any) -> str:
    with pytest.raises(TaskError) as caught:
        cells(**keys)
    return str(caught.value).removeprefix("t.yaml: ")


@pytest.mark.parametrize(
    ("keys", "start"),
    [
        ({"stages": "norm"}, "stages: 'norm': input should be a valid list"),
        ({"stages": {"share": 1}}, "stages: {'share': 1}: input should be a valid list"),
        ({"stages": []}, "stages: []: list should have at least 2 items"),
        ({"stages": [None, HEAD]}, "stages[0]: None: input should be a mapping; allowed: share, "),
        ({"stages": [{"share": 1, "tuning": "norm"}]}, "stages[0].share: 1: input should be less"),
        ({"stages": [NORM, HEAD | {"share": 0.5}]}, "stages: their shares are 1.1 together, and "),
        ({"stages": [NORM, HEAD | {"share": "half"}]}, "stages[1].share: 'half': input should be"),
        ({"stages": [{"share": 0.6, "tunning": "norm"}, HEAD]},
         "stages[0].tunning: there is no such key; allowed: share, tuning, recipe. Did you mean "
         "'tuning'?"),
        ({"stages": [{"share": 0.6}, HEAD]}, "stages[0].tuning: is missing"),
        ({"stages": [NORM | {"tuning": "norms"}, HEAD]}, "stages[0].tuning: 'norms' is not allow"),
        ({"stages": [NORM | {"tuning": ["norm"]}, HEAD]},
         "stages[0].tuning: ['norm']: input should be a mapping; allowed: head, lora"),
        ({"stages": [NORM | {"tuning": "none"}, HEAD]}, "stages[0]: {'share': 0.6, 'tuning': 'no"),
        ({"stages": [NORM | {"tuning": {"lora": {"rnk": 3}}}, HEAD]},
         "stages[0].tuning.lora.rnk: there is no such key; allowed: rank, alpha, scaling, dropout, "
         "targets, towers. Did you mean 'rank'?"),
        ({"stages": [NORM | {"recipe": {"lr": [1e-3]}}, HEAD]}, "stages[0].recipe.lr: [0.001]: in"),
        ({"stages": [NORM, HEAD | {"recipe": {"epochs": 3}}]},
         "stages[1].recipe.epochs: there is no such key; allowed: optimiser, lr, "),
        ({"stages": [NORM, HEAD], "tuning": "lora"}, "tuning: lora is given beside stages, which"),
        ({"stages": [NORM, HEAD], "schedule": "released:3"}, "schedule: released:3 cannot be used"),
        ({"tuning": {"loar": {}}},
         "tuning.loar: there is no such key; allowed: head, lora. Did you mean 'lora'?"),
        ({"tuning": {"lora": [2]}}, "tuning.lora: [2]: input should be a mapping; allowed: rank, "),
        ({"tuning": {"lora": None}}, "tuning: {'lora': None}: has options of one tuned part: head"),
        ({"tuning": {"lora": {}, "head": {}}}, "tuning: {'lora': {}, 'head': {}}: has options of "),
        ({"tuning": {"lora": {"rank": 0}}}, "tuning.lora.rank: 0: input should be greater than 0"),
        ({"tuning": {"lora": {"dropout": 1}}}, "tuning.lora.dropout: 1: input should be less than"),
        ({"tuning": {"lora": {"targets": ["w"]}}}, "tuning.lora.targets: 'w' is not allowed; allo"),
        ({"tuning": {"lora": {"towers": []}}}, "tuning.lora.towers: []: "),
        ({"interpolate": 2}, "interpolate: 2: input should be less than or equal to 1"),
        ({"interpolate": "half"}, "interpolate: 'half': input should be a valid number"),
        ({"interpolate": True}, "interpolate: True: input should be a valid number"),
        ({"interpolate": [[0, 1]]}, "interpolate: [0, 1]: input should be a valid number"),
        ({"recipe": {"iterations": {"per_sho": 3}}},
         "recipe.iterations.per_sho: there is no such key; allowed: per_shot. Did you mean 'per_"),
        ({"recipe": {"iterations": {"per_shot": 0}}}, "recipe.iterations.per_shot: 0: input shoul"),
        ({"method": {"name": "clip_lora", "rnk": 4}},
         "method clip_lora: rnk: is no option of this preset: they are keys of its recipe and of "),
        ({"method": {"name": "wise_ft", "interpolate": 3}}, "method wise_ft: interpolate: 3: inp"),
        ({"method": {"name": "two_sfs", "stages": 4}}, "method two_sfs: stages: is no option of "),
    ],
)  # fmt: skip
def test_what_cannot_be(keys: dict[str, Any], start: str) -> None:
    assert refusal(**keys).startswith(start)


def test_one_target_and_one_tower_need_no_list() -> None:
    (cell,) = cells(tuning={"lora": {"targets": "q", "towers": "text"}}, text_tower="online")
    assert cell.lora == LoraSpec(targets=("q",), towers=("text",))


def test_the_order_of_targets_and_towers_has_no_meaning() -> None:
    keys = {"tuning": [{"lora": {"targets": ["v", "q"], "towers": ["text", "image", "text"]}},
                       {"lora": {"targets": ["q", "v"]}}], "text_tower": "online"}  # fmt: skip
    assert len(cells(**keys)) == 1


def test_texts_that_are_embedded_once_have_no_adapters() -> None:
    """Of a stage either; and a task that names `lora` alone is told of no value without cells."""
    (cell,) = cells(tuning="lora")
    assert cell.lora == LoraSpec(towers=("image",))
    stages = [NORM | {"tuning": "lora"}, HEAD]
    (staged,) = cells(stages=stages)
    assert staged.stages == (Stage(0.6, "lora", cell.lora), Stage(0.4, "head"))
    for tuning in ("lora", {"lora": {"rank": 4}}, {"lora": {"towers": ["image"]}}):
        task = validate(BASE | {"tuning": tuning}, "t.yaml")
        assert values_of_no_cell(task, "t.yaml") == []


def test_labels() -> None:
    keys = {"text_tower": "online", "tuning": ["norm", {"lora": {"towers": ["text"]}}, "lora"]}
    shown = [str(value_of(cell, "tuning")) for cell in cells(**keys)]
    assert shown == ["norm", "lora(towers=('text',))", "lora"]
    (staged,) = cells(stages=[NORM, HEAD], text_tower="online")
    assert value_of(staged, "tuning") == "norm then head"


def test_where_weights_are_taken() -> None:
    """1 is where every training is evaluated, and without training there is no way between."""
    found = cells(tuning=["none", "norm"], interpolate=[0, 0.5, 1])
    shares = [(cell.tuning, cell.interpolate, value_of(cell, "interpolate")) for cell in found]
    assert set(shares) == {
        ("none", None, None), ("norm", 0.0, 0.0), ("norm", 0.5, 0.5), ("norm", None, 1.0),
    }  # fmt: skip


def test_iterations_follow_the_shots() -> None:
    found = cells(tuning="norm", shots=[1, 4], recipe={"iterations": {"per_shot": 300}})
    assert [cell.recipe.iterations for cell in found if cell.recipe] == [300, 1200]
    whole = {k: v for k, v in BASE.items() if k != "shots"} | {"regime": "full"}
    with pytest.raises(TaskError, match=r"recipe\.iterations: per_shot: the regime has no number"):
        expand(validate(whole | {"recipe": {"iterations": {"per_shot": 3}}}, "t.yaml"), "t.yaml")


@pytest.mark.parametrize(
    "keys",
    [
        {"tuning": {"lora": {"rank": 4, "towers": ["text"]}}, "text_tower": "online"},
        {"stages": [NORM | {"tuning": "lora", "recipe": {"lr": 1, "batch": 4}}, HEAD]},
        {"tuning": "norm", "interpolate": 0.25},
    ],
)
def test_a_cell_is_read_again_from_json(keys: dict[str, Any]) -> None:
    (cell,) = cells(**keys)
    assert cell_from(cell.plain()) == cell


def test_fields_that_say_nothing_change_no_key() -> None:
    (cell,) = cells()
    assert not {"lora", "stages", "interpolate"} & cell.plain().keys()


def test_stages_may_be_compared_with_no_training() -> None:
    found = cells(stages=[NORM, HEAD], tuning=["none", "projection"], text_tower="online")
    assert [value_of(cell, "tuning") for cell in found] == ["none", "norm then head"]
    assert value_of(found[0], "tuning") == "none"
    assert isinstance(value_of(cells(tuning="lora")[0], "tuning"), Choice)


def test_the_schema_for_editors_knows_them() -> None:
    schema = json_schema()
    assert {"stages", "interpolate", "tuning"} <= schema["properties"].keys()
    parts = schema["$defs"]
    assert {"rank", "alpha", "dropout", "targets", "towers"} <= parts["LoraModel"][
        "properties"
    ].keys()
    assert {"share", "tuning", "recipe"} == parts["StageModel"]["properties"].keys()
    assert parts["PerShot"]["properties"].keys() == {"per_shot"}
