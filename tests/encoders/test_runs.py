"""Encoders that a researcher brings, in every regime; text encoders of their own, aligned."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from harness.core.errors import BadInput
from harness.core.store import Store
from harness.data import folder as folder_data
from harness.encoders import open_clip
from harness.plan.plan import Plan, make_plan
from harness.run.runner import run_cells
from harness.task.grid import expand
from harness.task.read import validate
from harness.training.features import FeatureStore

from . import tiny

Run = Callable[..., tuple[Plan, Store]]
FAMILIES = ("vit", "resnet", "hf_clip", "siglip", "timm")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def data(root: Path) -> str:
    return tiny.pictures(root / "pictures")


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
def plan_of(data: str, tmp_path: Path) -> Run:
    def make(**changes: Any) -> tuple[Plan, Store]:
        base = {
            "name": "own", "dataset": data, "regime": "full", "classifier": "text", "seeds": 2,
            "recipe": {"epochs": 2, "batch": 8, "lr": 1e-3, "lr_new": 1e-3, "warmup_epochs": 0},
        }  # fmt: skip
        store = Store(tmp_path / "runs")
        return make_plan(
            expand(validate({**base, **changes}, "own.yaml")), store, "own.yaml"
        ), store

    return make


@pytest.fixture
def run(plan_of: Run) -> Run:
    def go(**changes: Any) -> tuple[Plan, Store]:
        plan, store = plan_of(**changes)
        run_cells(plan.cells, store)
        for planned in plan.cells:
            record = store.read(planned.key)
            assert record is not None
            assert record.status == "done", record.error
        return plan, store

    return go


@pytest.mark.parametrize("family", FAMILIES)
def test_every_regime_runs(run: Run, encoders: dict[str, str], family: str) -> None:
    changes: dict[str, Any] = {"encoder": encoders[family]}
    if family == "timm":
        changes |= {"text_encoder": encoders["bert"], "alignment": "projection"}
    plan, store = run(
        **changes,
        regime=["full", "few_shot", "zero_shot"],
        shots=2,
        tuning=["none", "projection"],
        classifier=["text", "random", "prototype"],
        paradigm=["vision_text", "vision_only"],
    )
    ran = {(p.cell.regime, p.cell.tuning, p.cell.paradigm.name) for p in plan.cells}
    assert len(ran) == 3 + 4  # vision_only has nothing to train in zero-shot and with tuning none
    for planned in plan.cells:
        cell = planned.cell
        record = store.read(planned.key)
        assert record is not None
        assert record.n == 9
        assert bool(record.curve) == (cell.tuning == "projection")
        if cell.classifier is None or cell.classifier.name != "text":
            assert cell.text_encoder is cell.alignment is None


@pytest.mark.parametrize("family", FAMILIES)
def test_the_whole_backbone_can_be_tuned(run: Run, encoders: dict[str, str], family: str) -> None:
    """At another resolution where the encoder can: the copy that is tuned must know it too."""
    plan, store = run(
        encoder=encoders[family],
        resolution=None if family == "resnet" else 64,
        tuning="all",
        classifier="random",
        seeds=1,
        recipe={"epochs": 1, "batch": 4, "lr": 1e-3, "lr_new": 1e-3, "warmup_epochs": 0},
    )
    record = store.read(plan.cells[0].key)
    assert record is not None
    assert record.curve


def test_zero_shot_equals_a_plain_loop(run: Run, data: str, root: Path, encoders: Any) -> None:
    import open_clip as library
    from open_clip.transform import PreprocessCfg, image_transform_v2

    plan, store = run(encoder=encoders["vit"], regime="zero_shot")
    (planned,) = plan.cells
    model = tiny.open_clip_reference(root / "vit" / "tiny.json").model
    transform = image_transform_v2(PreprocessCfg(size=32), is_train=False)
    pictures = folder_data.open_dataset(data.partition(":")[2], folder_data.Options())
    tokens = library.SimpleTokenizer(context_length=12)(list(pictures.classes))
    predicted = []
    with torch.inference_mode():
        w_CD = model.encode_text(tokens, normalize=True)
        for item in pictures.test.ids:
            z_1D = model.encode_image(transform(pictures.image(item))[None], normalize=True)
            predicted.append(int((z_1D @ w_CD.T).argmax()))
    record = store.read(planned.key)
    assert record is not None
    assert record.top1 == np.mean(np.array(predicted) == pictures.test.labels)
    assert planned.cell.seed is None


def test_features_do_not_depend_on_what_was_computed_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: str, encoders: dict[str, str]
) -> None:
    reference = encoders["vit"].partition(":")[2]
    pictures = folder_data.open_dataset(data.partition(":")[2], folder_data.Options())
    facts = open_clip.facts(reference, open_clip.Options())
    encoder = open_clip.build_image(reference, open_clip.Options())
    items = list(pictures.train.ids)
    found = []
    for name, parts in (("whole", [items]), ("parts", [items[3:4], items[::2], items])):
        monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / name))
        store = FeatureStore(pictures, facts, lambda: encoder, 32)
        found.append([store.get(part) for part in parts][-1])
    assert torch.equal(found[0], found[1])


def test_another_resolution_runs_where_the_encoder_can(
    run: Run, plan_of: Run, encoders: dict[str, str]
) -> None:
    for family in ("vit", "hf_clip"):
        plan, _ = run(encoder=encoders[family], resolution=[None, 48], seeds=1)
        assert len({p.key for p in plan.cells}) == 2
    with pytest.raises(BadInput, match=r"own\.yaml: resolution: 96: .* images of 64 pixels only"):
        plan_of(encoder=encoders["resnet"], resolution=96)


# --- text encoders ------------------------------------------------------------


def test_an_own_text_encoder_is_in_the_key(plan_of: Run, encoders: dict[str, str]) -> None:
    base = {"encoder": encoders["vit"], "seeds": 1}
    own, _ = plan_of(**base)
    texts = [None, encoders["same"], {"name": encoders["same"], "pooling": "cls"}]
    several, _ = plan_of(**base, text_encoder=texts)
    assert len({p.key for p in several.cells}) == 3
    assert own.cells[0].key == several.cells[0].key
    file = Path(encoders["same"].partition(":")[2]) / "vocab.txt"
    was = file.read_text()
    try:
        file.write_text(was.replace("red", "der"))
        from harness.plan import resolve as planning

        planning.text_facts.cache_clear()
        changed, _ = plan_of(**base, text_encoder=encoders["same"])
    finally:
        file.write_text(was)
        planning.text_facts.cache_clear()
    assert changed.cells[0].key != several.cells[1].key


def test_different_widths_need_a_declared_alignment(plan_of: Run, encoders: Any) -> None:
    with pytest.raises(
        BadInput,
        match=r"alignment: .*width 12.*width 16.*allowed: least_squares, pad, projection",
    ):
        plan_of(encoder=encoders["vit"], text_encoder=encoders["bert"])
    with pytest.raises(BadInput, match="Did you mean 'projection'"):
        plan_of(encoder=encoders["vit"], text_encoder=encoders["bert"], alignment="projecton")


def test_an_alignment_is_null_where_widths_agree(plan_of: Run, encoders: Any) -> None:
    plan, _ = plan_of(
        encoder=encoders["vit"],
        text_encoder=[None, encoders["bert"]],
        alignment=["projection", "pad"],
        regime="zero_shot",
        classifier=["text", "random"],
    )
    found = [(p.cell.classifier.name, p.cell.text_encoder is not None, p.cell.alignment,
              p.cell.seed) for p in plan.cells]  # fmt: skip
    assert found == [
        ("text", False, None, None),
        ("random", False, None, 0), ("random", False, None, 1),
        ("text", True, "projection", 0), ("text", True, "projection", 1),
        ("text", True, "pad", None),
    ]  # fmt: skip


def test_alignments_that_cannot_be_have_a_reason(plan_of: Run, encoders: Any) -> None:
    plan, _ = plan_of(
        encoder=encoders["vit"],
        text_encoder=encoders["wide"],
        alignment=["pad", "least_squares", "projection"],
        regime=["full", "zero_shot"],
        seeds=1,
    )
    assert [(p.cell.regime, p.cell.alignment) for p in plan.cells] == [
        ("full", "least_squares"), ("full", "projection"), ("zero_shot", "projection"),
    ]  # fmt: skip
    assert {r for _, r in plan.infeasible} == {
        "alignment pad needs a text narrower than the pictures: 20 > 16",
        "alignment least_squares is fitted on training samples, and there are none",
    }


def test_every_alignment_runs_and_stands_in_the_record(run: Run, encoders: Any) -> None:
    plan, store = run(
        encoder=encoders["vit"],
        text_encoder=encoders["bert"],
        alignment=["projection", "least_squares", "pad"],
        classifier=["text", "text_rotated", "gram_matched"],
        tuning=["none", "projection"],
    )
    for planned in plan.cells:
        record = store.read(planned.key)
        assert record is not None
        assert record.cell["alignment"] == planned.cell.alignment
        assert record.cell["text_encoder"] == encoders["bert"]


def test_encoders_in_the_wrong_place(plan_of: Run, encoders: dict[str, str]) -> None:
    with pytest.raises(BadInput, match=r"encoder: .* reads texts only.*'text_encoder'"):
        plan_of(encoder=encoders["bert"])
    with pytest.raises(BadInput, match=r"text_encoder: .* has no text tower"):
        plan_of(encoder=encoders["vit"], text_encoder=encoders["timm"])
    plan, _ = plan_of(encoder=encoders["timm"], classifier=["text", "random"], seeds=1)
    assert [p.cell.classifier.name for p in plan.cells if p.cell.classifier] == ["random"]
    assert "name a text_encoder" in plan.infeasible[0][1]


@pytest.mark.parametrize("family", ["vit", "hf_clip", "siglip", "timm"])
def test_a_context_is_learned_and_a_text_tower_trained(
    run: Run, encoders: dict[str, str], family: str
) -> None:
    """Through every family's tower, and through one of its own with an alignment."""
    own = {"text_encoder": encoders["bert"], "alignment": "projection"} if family == "timm" else {}
    plan, store = run(
        encoder=encoders[family],
        **own,
        prompt=["class_name", "learnable"],
        paradigm=["vision_text", "matching"],
        text_tower=["offline", "online"],
        seeds=1,
    )
    found = {}
    for planned in plan.cells:
        cell, record = planned.cell, store.read(planned.key)
        assert record is not None
        assert cell.prompt is not None
        found[cell.paradigm.name, cell.text_tower, cell.prompt.name] = record.curve[-1]["loss"]
    assert len(found) == 6
    assert len(set(found.values())) == 6  # each trains something else


# --- as a user meets it ------------------------------------------------------------


def task_file(folder: Path, **keys: Any) -> str:
    path = folder / "own.yaml"
    path.write_text(yaml.safe_dump({"name": "own", "regime": "full", "seeds": 1, **keys}))
    return str(path)


@pytest.mark.parametrize("command", ["plan", "grid"])
def test_an_encoder_that_does_not_fit_is_one_line(
    cli: Callable[..., Any], tmp_path: Path, data: str, encoders: dict[str, str], command: str
) -> None:
    config, _, file = encoders["vit"].partition(":")[2].partition("@")
    wider = json.loads(Path(config).read_text())
    wider["vision_cfg"]["width"] = 32
    (tmp_path / "wider.json").write_text(json.dumps(wider))
    task = task_file(tmp_path, dataset=data, encoder=f"open_clip:{tmp_path / 'wider.json'}@{file}")
    ended = cli(command, task)
    assert ended.code == 2
    assert ended.err.splitlines() == ended.errors()
    assert "24 wide, not 32" in ended.err


def test_a_grid_of_weights_that_break_when_loaded(
    cli: Callable[..., Any], tmp_path: Path, data: str, encoders: dict[str, str]
) -> None:
    """The header fits, a tensor behind it does not: told when the weights are read, without a
    traceback, and no Record is written.
    """
    config, _, file = encoders["vit"].partition(":")[2].partition("@")
    tensors = torch.load(file, weights_only=True)
    tensors["visual.conv1.weight"] = torch.zeros(24, 3, 4, 4)
    torch.save(tensors, tmp_path / "other.pt")
    task = task_file(tmp_path, dataset=data, encoder=f"open_clip:{config}@{tmp_path / 'other.pt'}")
    ended = cli("grid", task)
    assert ended.code == 2
    assert len(ended.errors()) == 1
    assert "size mismatch for visual.conv1.weight" in ended.errors()[0]
    assert "Traceback" not in ended.err
    assert not list(tmp_path.rglob("cells/*/*.json"))


@pytest.mark.parametrize(
    "encoder", ["hf_clip:openai/clip-vit-base-patch32", "open_clip:ViT-B-32/laion2b_s34b_b79k"]
)
def test_fetch_without_network_says_so(
    cli: Callable[..., Any], tmp_path: Path, data: str, encoder: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    import socket

    def unreachable(*_: Any, **__: Any) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unreachable)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    task = task_file(tmp_path, dataset=data, encoder=encoder)
    planned = cli("plan", task)
    assert planned.code == 2
    assert "harness fetch TASK" in planned.errors()[0]
    ended = cli("fetch", task)
    assert ended.code == 2
    assert len(ended.errors()) == 1
    assert "cannot be reached" in ended.errors()[0]


def test_fetch_of_what_is_here(
    cli: Callable[..., Any], tmp_path: Path, data: str, encoders: dict[str, str]
) -> None:
    ended = cli("fetch", task_file(tmp_path, dataset=data, encoder=encoders["vit"]))
    assert ended.code == 0
    assert "is here already" in ended.err
