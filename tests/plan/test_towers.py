"""Cells whose towers lack the part that they tune are infeasible, each with one reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import plan_of
from encoders import tiny

NORM = {"share": 0.6, "tuning": "norm"}
HEAD = {"share": 0.4, "tuning": "head"}
LORA = {"share": 0.4, "tuning": "lora"}
TEXT_ONLY = {"lora": {"towers": ["text"]}}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("towers")


@pytest.fixture(scope="module")
def encoders(root: Path) -> dict[str, dict[str, Any]]:
    """Keys of a task that name an encoder and its text tower."""
    bert = {"text_encoder": f"hf_text:{tiny.bert(root / 'bert')}", "alignment": "projection"}

    def of_timm(name: str) -> dict[str, Any]:
        return {"encoder": f"timm:{tiny.timm_model(root / name, name)}", **bert}

    def of_open_clip(name: str, config: dict[str, Any]) -> dict[str, Any]:
        return {"encoder": f"open_clip:{tiny.open_clip_model(root / name, config)}"}

    vit = of_open_clip("vit", tiny.VIT)
    return {
        "vit": vit,
        "resnet": of_open_clip("resnet", tiny.RESNET),
        "convnext in open_clip": of_open_clip("inside", tiny.TIMM_CONVNEXT),
        "vit in open_clip": of_open_clip("vit_inside", tiny.TIMM_TOWER),
        "convnext": of_timm("test_convnext"),
        "timm vit": of_timm("test_vit"),
        "siglip": {"encoder": f"hf_clip:{tiny.hf_clip(root / 'siglip', 'siglip')}"},
        "embedded": {"encoder": "embedded/lit-emoji"},
        "gpt2": {
            **vit,
            "text_encoder": f"hf_text:{gpt2(root / 'gpt2')}",
            "alignment": "projection",
        },
    }


def gpt2(folder: Path) -> str:
    """Its attention is one matrix of another layout."""
    from transformers import GPT2Config, GPT2Model

    tiny.bert(folder)  # for its tokenizer
    GPT2Model(GPT2Config(n_embd=12, n_layer=1, n_head=2, vocab_size=32)).save_pretrained(folder)
    return str(folder)


@pytest.fixture
def reasons(root: Path, encoders: dict[str, dict[str, Any]], tmp_path: Path) -> Any:
    """Why cells are infeasible; nothing of those that are not."""
    pictures = tiny.pictures(root / "pictures")

    def of(encoder: str, **keys: Any) -> set[str]:
        task = {
            "name": "t", "dataset": pictures, "regime": "few_shot", "shots": 2, "seeds": 1,
            "classifier": "text", **encoders[encoder],
            "include": [{"tuning": "none", "stages": None, "interpolate": None}], **keys,
        }  # fmt: skip
        return {why for _, why in plan_of(task, tmp_path).infeasible}

    return of


@pytest.mark.parametrize("encoder", ["resnet", "convnext in open_clip", "convnext", "embedded"])
def test_adapters_of_an_image_tower_without_attention(reasons: Any, encoder: str) -> None:
    (reason,) = reasons(encoder, tuning="lora")
    assert reason.startswith("tuning: lora: the image tower of ")
    assert reason.endswith(
        " has no attention of a known kind: towers: [text] with text_tower: online adapts the text "
        "tower alone"
    )
    assert reasons(encoder, tuning=TEXT_ONLY, text_tower="online") == set()
    assert reasons(encoder, tuning="norm", text_tower="online") == set()
    method = {"name": "clip_lora", "towers": ["text"]}
    assert reasons(encoder, method=method) == set(), "as its page says"


@pytest.mark.parametrize("encoder", ["vit", "vit in open_clip", "timm vit", "siglip"])
def test_adapters_fit_transformers(reasons: Any, encoder: str) -> None:
    assert reasons(encoder, tuning="lora", text_tower=["online", "offline"]) == set()


def test_adapters_of_a_text_tower_of_another_kind(reasons: Any) -> None:
    (reason,) = reasons("gpt2", tuning="lora", text_tower="online")
    assert reason.startswith("tuning: lora: the text tower of hf_text:")
    assert reason.endswith("towers: [image] adapts the image tower alone")
    assert reasons("gpt2", tuning="lora") == set(), "its texts are embedded once"
    assert reasons("gpt2", tuning="norm", text_tower="online") == set()


@pytest.mark.parametrize(
    ("keys", "start"),
    [
        ({"tuning": TEXT_ONLY}, "tuning: lora: the text tower has no adapters where its texts are"),
        ({"tuning": "prompt"}, "tuning: prompt trains a learned context alone: name prompt: lear"),
        ({"stages": [HEAD | {"share": 0.6}, NORM | {"share": 0.4}], "text_tower": "online"},
         "stages: after a stage head the rows of W are no longer those of the texts"),
        ({"stages": [NORM, HEAD], "paradigm": "matching", "classifier": None},
         "stages: head trains W, and matching has none: its rows are texts"),
        ({"stages": [NORM, HEAD], "interpolate": 0.5}, "interpolate: a training in stages has no"),
        ({"stages": [{"share": 0.6, "tuning": "lora"}, LORA]},
         "stages: adapters (lora) of one tower are trained in one stage only"),
        ({"tuning": "norm", "text_tower": "online", "schedule": "trained"},
         "text_tower: online makes the rows of W anew at every step, so their schedule is frozen"),
        ({"tuning": "projection", "recipe": {"augment": "crop_flip"}},
         "recipe.augment: crop_flip needs a tuned backbone (tuning: all, norm, bias or lora)"),
    ],
)  # fmt: skip
def test_parts_that_do_not_fit(reasons: Any, keys: dict[str, Any], start: str) -> None:
    (reason,) = reasons("vit", **keys)
    assert reason.startswith(start)


def test_adapters_of_each_tower_in_a_stage_of_their_own(reasons: Any) -> None:
    first = {"share": 0.6, "tuning": {"lora": {"towers": ["image"]}}}
    second = {"share": 0.4, "tuning": TEXT_ONLY}
    assert reasons("vit", stages=[first, second], text_tower="online") == set()
