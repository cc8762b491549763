"""Studies with encoders that a researcher brings, in every regime; text encoders and alignments."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from conftest import Call, Ran, plan_of, run_study
from encoders import tiny

from harness.core.errors import BadInput
from harness.data import folder as folder_data
from harness.plan.plan import Plan

Run = Callable[..., Ran]
Planned = Callable[..., Plan]
FAMILIES = ("vit", "resnet", "hf_clip", "siglip", "timm")
TASK: dict[str, Any] = {
    "name": "own",
    "regime": "full",
    "classifier": "text",
    "seeds": 2,
    "recipe": {"epochs": 2, "batch": 8, "lr": 1e-3, "lr_new": 1e-3, "warmup_epochs": 0},
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("own")


@pytest.fixture(scope="module")
def task(root: Path) -> dict[str, Any]:
    return TASK | {"dataset": tiny.pictures(root / "pictures")}


@pytest.fixture(scope="module")
def encoders(root: Path) -> dict[str, str]:
    return {
        "vit": f"open_clip:{tiny.open_clip_model(root / 'vit', tiny.VIT)}",
        "resnet": f"open_clip:{tiny.open_clip_model(root / 'resnet', tiny.RESNET)}",
        "hf_clip": f"hf_clip:{tiny.hf_clip(root / 'clip')}",
        "siglip": f"hf_clip:{tiny.hf_clip(root / 'siglip', 'siglip')}",
        "timm": f"timm:{tiny.timm_model(root / 'timm')}",
        "bert": f"hf_text:{tiny.bert(root / 'bert')}",
        "wide": f"hf_text:{tiny.bert(root / 'wide', width=20)}",
        "same": f"hf_text:{tiny.bert(root / 'same', width=16)}",
    }


@pytest.fixture
def planned(task: dict[str, Any], tmp_path: Path) -> Planned:
    return lambda **changes: plan_of(task, tmp_path / "runs", **changes)


@pytest.fixture
def run(task: dict[str, Any], tmp_path: Path) -> Run:
    return lambda **changes: run_study(task, tmp_path / "runs", **changes)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_regime_runs(run: Run, encoders: dict[str, str], family: str) -> None:
    changes: dict[str, Any] = {"encoder": encoders[family]}
    if family == "timm":
        changes |= {"text_encoder": encoders["bert"], "alignment": "projection"}
    ran = run(
        **changes,
        regime=["full", "few_shot", "zero_shot"],
        shots=2,
        tuning=["none", "projection"],
        classifier=["text", "random", "prototype"],
        paradigm=["vision_text", "vision_only"],
    )
    kinds = {(c.cell.regime, c.cell.tuning, str(c.cell.paradigm)) for c in ran.plan.cells}
    assert len(kinds) == 3 + 4  # vision_only has nothing to train in zero-shot and with tuning none
    for resolved, record in zip(ran.plan.cells, ran.records, strict=True):
        cell = resolved.cell
        assert record.n == 9
        assert bool(record.curve) == (cell.tuning == "projection")
        if cell.classifier is None or cell.classifier.name != "text":
            assert cell.text_encoder is cell.alignment is None


@pytest.mark.parametrize("family", FAMILIES)
def test_the_whole_backbone_can_be_tuned(run: Run, encoders: dict[str, str], family: str) -> None:
    """At another resolution where the encoder can: the copy that is tuned must know it too."""
    ran = run(
        encoder=encoders[family],
        resolution=None if family == "resnet" else 64,
        tuning="all",
        classifier="random",
        seeds=1,
        recipe={"epochs": 1, "batch": 4, "lr": 1e-3, "lr_new": 1e-3, "warmup_epochs": 0},
    )
    assert ran.records[0].curve


def test_zero_shot_equals_a_plain_loop(
    run: Run, task: dict[str, Any], root: Path, encoders: dict[str, str]
) -> None:
    import open_clip as library
    from open_clip.transform import PreprocessCfg, image_transform_v2

    ran = run(encoder=encoders["vit"], regime="zero_shot")
    (cell,) = ran.plan.cells
    model = tiny.open_clip_reference(root / "vit" / "tiny.json").model
    transform = image_transform_v2(PreprocessCfg(size=32), is_train=False)
    folder = task["dataset"].partition(":")[2]
    pictures = folder_data.open_dataset(folder, folder_data.Options())
    tokens = library.SimpleTokenizer(context_length=12)(list(pictures.classes))
    predicted = []
    with torch.inference_mode():
        w_CD = model.encode_text(tokens, normalize=True)
        for item in pictures.test.ids:
            z_1D = model.encode_image(transform(pictures.image(item))[None], normalize=True)
            predicted.append(int((z_1D @ w_CD.T).argmax()))
    assert ran.records[0].top1 == np.mean(np.array(predicted) == pictures.test.labels)
    assert cell.cell.seed is None


def test_another_resolution_runs_where_the_encoder_can(
    run: Run, planned: Planned, encoders: dict[str, str]
) -> None:
    for family in ("vit", "hf_clip"):
        ran = run(encoder=encoders[family], resolution=[None, 48], seeds=1)
        assert len({c.key for c in ran.plan.cells}) == 2
    with pytest.raises(BadInput, match=r"task\.yaml: resolution: 96: .* images of 64 pixels only"):
        planned(encoder=encoders["resnet"], resolution=96)


# --- text encoders ------------------------------------------------------------


def test_a_text_encoder_is_in_the_key(planned: Planned, encoders: dict[str, str]) -> None:
    base = {"encoder": encoders["vit"], "seeds": 1}
    texts = [None, encoders["same"], {"name": encoders["same"], "pooling": "cls"}]
    several = planned(**base, text_encoder=texts)
    assert len({c.key for c in several.cells}) == 3
    assert planned(**base).cells[0].key == several.cells[0].key
    file = Path(encoders["same"].partition(":")[2]) / "vocab.txt"
    before = file.read_text()
    try:
        file.write_text(before.replace("red", "der"))
        changed = planned(**base, text_encoder=encoders["same"])
    finally:
        file.write_text(before)
    assert changed.cells[0].key != several.cells[1].key


def test_different_widths_need_a_declared_alignment(planned: Planned, encoders: Any) -> None:
    with pytest.raises(
        BadInput,
        match=r"alignment: .*width 12.*width 16.*allowed: least_squares, pad, projection",
    ):
        planned(encoder=encoders["vit"], text_encoder=encoders["bert"])
    with pytest.raises(BadInput, match="Did you mean 'projection'"):
        planned(encoder=encoders["vit"], text_encoder=encoders["bert"], alignment="projecton")


def test_an_alignment_is_null_where_widths_agree(planned: Planned, encoders: Any) -> None:
    plan = planned(
        encoder=encoders["vit"],
        text_encoder=[None, encoders["bert"]],
        alignment=["projection", "pad"],
        regime="zero_shot",
        classifier=["text", "random"],
    )
    assert [
        (str(c.cell.classifier), c.cell.text_encoder is not None, c.cell.alignment, c.cell.seed)
        for c in plan.cells
    ] == [
        ("text", False, None, None),
        ("random", False, None, 0), ("random", False, None, 1),
        ("text", True, "projection", 0), ("text", True, "projection", 1),
        ("text", True, "pad", None),
    ]  # fmt: skip


def test_infeasible_alignments_have_a_reason(planned: Planned, encoders: Any) -> None:
    plan = planned(
        encoder=encoders["vit"],
        text_encoder=encoders["wide"],
        alignment=["pad", "least_squares", "projection"],
        regime=["full", "zero_shot"],
        seeds=1,
    )
    assert [(c.cell.regime, c.cell.alignment) for c in plan.cells] == [
        ("full", "least_squares"), ("full", "projection"), ("zero_shot", "projection"),
    ]  # fmt: skip
    assert {r for _, r in plan.infeasible} == {
        "alignment pad needs a text narrower than the pictures: 20 > 16",
        "there are no training samples in zero-shot",
    }


def test_every_alignment_runs_and_is_in_the_record(run: Run, encoders: Any) -> None:
    ran = run(
        encoder=encoders["vit"],
        text_encoder=encoders["bert"],
        alignment=["projection", "least_squares", "pad"],
        classifier=["text", "text_rotated", "gram_matched"],
        tuning=["none", "projection"],
    )
    for resolved, record in zip(ran.plan.cells, ran.records, strict=True):
        assert record.cell["alignment"] == resolved.cell.alignment
        assert record.cell["text_encoder"] == encoders["bert"]


def test_encoders_in_the_wrong_place(planned: Planned, encoders: dict[str, str]) -> None:
    with pytest.raises(BadInput, match=r"encoder: .* reads texts only.*'text_encoder'"):
        planned(encoder=encoders["bert"])
    with pytest.raises(BadInput, match=r"text_encoder: .* has no text tower"):
        planned(encoder=encoders["vit"], text_encoder=encoders["timm"])
    plan = planned(encoder=encoders["timm"], classifier=["text", "random"], seeds=1)
    assert [str(c.cell.classifier) for c in plan.cells] == ["random"]
    assert "name a text_encoder" in plan.infeasible[0][1]


@pytest.mark.parametrize("family", ["vit", "hf_clip", "siglip", "timm"])
def test_a_context_is_learned_and_a_text_tower_trained(
    run: Run, encoders: dict[str, str], family: str
) -> None:
    """Through every family's tower, and through one of its own with an alignment."""
    own = {"text_encoder": encoders["bert"], "alignment": "projection"} if family == "timm" else {}
    ran = run(
        encoder=encoders[family],
        **own,
        prompt=["class_name", "learnable"],
        paradigm=["vision_text", "matching"],
        text_tower=["offline", "online"],
        seeds=1,
    )
    losses = {
        (str(c.cell.paradigm), c.cell.text_tower, str(c.cell.prompt)): record.curve[-1]["loss"]
        for c, record in zip(ran.plan.cells, ran.records, strict=True)
    }
    assert len(losses) == 8
    assert len(set(losses.values())) == 8  # each trains something else


# --- as a user meets it ------------------------------------------------------------


def task_file(folder: Path, **keys: Any) -> str:
    path = folder / "own.yaml"
    path.write_text(yaml.safe_dump({"name": "own", "regime": "full", "seeds": 1, **keys}))
    return str(path)


@pytest.mark.parametrize("command", ["plan", "grid"])
def test_an_encoder_that_does_not_fit_is_one_line(
    cli: Call, tmp_path: Path, task: dict[str, Any], encoders: dict[str, str], command: str
) -> None:
    config, _, file = encoders["vit"].partition(":")[2].partition("@")
    wider = json.loads(Path(config).read_text())
    wider["vision_cfg"]["width"] = 32
    (tmp_path / "wider.json").write_text(json.dumps(wider))
    path = task_file(
        tmp_path, dataset=task["dataset"], encoder=f"open_clip:{tmp_path / 'wider.json'}@{file}"
    )
    ended = cli(command, path)
    assert ended.code == 2
    assert ended.err.splitlines() == ended.errors()
    assert "24 wide, not 32" in ended.err


def test_a_grid_of_weights_that_break_when_loaded(
    cli: Call, tmp_path: Path, task: dict[str, Any], encoders: dict[str, str]
) -> None:
    """The header fits, a tensor behind it does not: told when the weights are read, without a
    traceback, and no Record is written.
    """
    config, _, file = encoders["vit"].partition(":")[2].partition("@")
    tensors = torch.load(file, weights_only=True)
    tensors["visual.ln_pre.weight"] = torch.zeros(25)
    torch.save(tensors, tmp_path / "other.pt")
    path = task_file(
        tmp_path, dataset=task["dataset"], encoder=f"open_clip:{config}@{tmp_path / 'other.pt'}"
    )
    ended = cli("grid", path)
    assert ended.code == 2
    assert len(ended.errors()) == 1
    assert "size mismatch for visual.ln_pre.weight" in ended.errors()[0]
    assert "Traceback" not in ended.err
    assert not list(tmp_path.rglob("cells/*/*.json"))


@pytest.mark.parametrize(
    "encoder", ["hf_clip:openai/clip-vit-base-patch32", "open_clip:ViT-B-32/laion2b_s34b_b79k"]
)
def test_fetch_without_network_says_so(
    cli: Call, tmp_path: Path, task: dict[str, Any], encoder: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    import socket

    def unreachable(*_: Any, **__: Any) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unreachable)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    path = task_file(tmp_path, dataset=task["dataset"], encoder=encoder)
    plan = cli("plan", path)
    assert plan.code == 2
    assert "harness fetch TASK" in plan.errors()[0]
    ended = cli("fetch", path)
    assert ended.code == 2
    assert len(ended.errors()) == 1
    assert "cannot be reached" in ended.errors()[0]


def test_fetch_of_what_is_here(
    cli: Call, tmp_path: Path, task: dict[str, Any], encoders: dict[str, str]
) -> None:
    ended = cli("fetch", task_file(tmp_path, dataset=task["dataset"], encoder=encoders["vit"]))
    assert ended.code == 0
    assert "already present" in ended.err
