"""Methods that train towers, against loops written out from their formulas, on small towers."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import Ran, run_study
from encoders import tiny
from encoders.coop import coop
from torch.nn import functional as F

from harness.core.cells import LoraSpec
from harness.run.build import build_model
from harness.run.resources import Resources
from harness.task.grid import expand
from harness.task.read import validate
from harness.training.lora import Adapters
from harness.training.weights import Weights, load_weights

from .tower_reference import Reference, norms_of

CLASSES = ("red car", "blue boat", "green cat", "photo", "picture")
STEPS = 5
CLOSE = {"rtol": 1e-5, "atol": 1e-5}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("towers")
    for c, name in enumerate(CLASSES):
        for split, count in (("train", 2), ("test", 2)):
            folder = root / "pictures" / split / name
            folder.mkdir(parents=True)
            for k in range(count):
                tiny.picture(100 * c + 10 * k + (split == "test"), (40, 36)).save(
                    folder / f"{k}.png"
                )
    return root


@pytest.fixture(scope="module")
def encoders(root: Path) -> dict[str, str]:
    return {
        "vit": f"open_clip:{tiny.open_clip_model(root / 'vit', tiny.VIT)}",
        "resnet": f"open_clip:{tiny.open_clip_model(root / 'resnet', tiny.RESNET)}",
        "clip": f"hf_clip:{tiny.hf_clip(root / 'clip')}",
    }


@pytest.fixture(scope="module")
def task(root: Path, encoders: dict[str, str]) -> dict[str, Any]:
    return {
        "name": "towers", "dataset": f"folder:{root / 'pictures'}", "regime": "few_shot",
        "shots": 2, "seeds": 1, "encoder": encoders["vit"], "classifier": "text", "save": "last",
    }  # fmt: skip


def preset(name: str, **options: Any) -> dict[str, Any]:
    """A preset with few steps on full batches of whole pictures."""
    few = {"iterations": STEPS, "batch": 64, "lr": 1e-2, "augment": "none"}
    return {"name": name, **few, **options}


def weights(ran: Ran, number: int = 0) -> Weights:
    key = ran.plan.cells[number].train_key
    return load_weights(ran.store.root / "checkpoints" / key / "weights.safetensors")


def trained_alone(
    reference: Reference, w_CD: torch.Tensor, steps: int, *, lr: float, weight_decay: float
) -> None:
    """A stage `head`: W by cosines, in place, and nothing else."""
    optimiser = torch.optim.AdamW([w_CD.requires_grad_()], lr=lr, weight_decay=weight_decay)
    rows = lambda: F.normalize(w_CD, dim=-1)  # noqa: E731
    reference.train(optimiser, steps, lambda: reference.cross_entropy(rows))


def compared(ran: Ran, reference: Reference, w_CD: torch.Tensor, number: int = 0) -> None:
    """Losses of every step, and the probabilities of the test samples' own classes."""
    record = ran.records[number]
    assert [p["loss"] for p in record.curve] == pytest.approx(reference.losses, rel=1e-5, abs=1e-5)
    ours = torch.from_numpy(ran.store.arrays(record)["probability"])
    torch.testing.assert_close(ours, reference.probabilities(w_CD), **CLOSE)


def changed(of: Any, state: Any) -> set[str]:
    """Names of the tensors that differ from those on disk, by more than rounding."""
    before = of.module.state_dict()
    assert before.keys() == state.keys()
    return {n for n, t in state.items() if not torch.allclose(t, before[n], rtol=1e-6, atol=1e-7)}


@pytest.mark.parametrize("kind", ["vit", "resnet", "clip"])
@pytest.mark.parametrize("tuning", ["norm", "bias"])
def test_norms_and_biases_of_both_towers(
    task: dict[str, Any], encoders: dict[str, str], tmp_path: Path, kind: str, tuning: str
) -> None:
    """CE(s f T^T), rows of W encoded anew at every step; nothing else moves."""
    recipe = {"lr": 1e-2, "weight_decay": 0.01, "warmup_epochs": 0, "batch": 64,
              "iterations": STEPS, "train_logit_scale": False}  # fmt: skip
    changes = {"tuning": tuning, "text_tower": "online", "recipe": recipe}
    ran = run_study(task, tmp_path, encoder=encoders[kind], **changes)
    reference = Reference(ran.plan.cells[0])
    towers = (reference.image.module, reference.text.module)
    if tuning == "norm":
        trained = [t for module in towers for t in norms_of(module)]
    else:
        named = [pair for module in towers for pair in module.named_parameters()]
        trained = [t for name, t in named if name.endswith("bias")]
        trained += [] if reference.b_D is None else [reference.b_D]
    for tensor in trained:
        tensor.requires_grad_()
    optimiser = torch.optim.AdamW(trained, lr=1e-2, weight_decay=0.01)
    rows = lambda: reference.texts(reference.names)  # noqa: E731
    reference.train(optimiser, STEPS, lambda: reference.cross_entropy(rows))
    compared(ran, reference, rows().detach())
    assert ran.records[0].cost["params"] == sum(t.numel() for t in trained)
    saved = weights(ran)
    assert saved.module is not None
    for state, encoder in ((saved.module, reference.image), (saved.text, reference.text)):
        for name, tensor in encoder.module.state_dict().items():
            # A bias of keys changes no softmax: what AdamW makes of its rounding is no number.
            if tuning == "norm" or not name.endswith(("in_proj_bias", "k_proj.bias")):
                torch.testing.assert_close(state[name], tensor, **CLOSE)


@pytest.mark.parametrize("kind", ["vit", "clip"])
def test_clip_lora(
    task: dict[str, Any], encoders: dict[str, str], tmp_path: Path, kind: str
) -> None:
    """W + (alpha / sqrt r) B A for q, k and v of both towers; A as drawn, B = 0; decay 0.01."""
    method = preset("clip_lora", dropout=0.0)
    ran = run_study(task, tmp_path, encoder=encoders[kind], method=method)
    reference = Reference(ran.plan.cells[0])
    trained = []
    for side, encoder in (("image", reference.image), ("text", reference.text)):
        change, factors = adapters(encoder.module, kind, side)
        trained += factors
        setattr(reference, f"of_{side}", change)
    optimiser = torch.optim.AdamW(trained, lr=1e-2, weight_decay=0.01)

    def rows() -> torch.Tensor:
        return reference.texts(reference.names)

    def loss() -> torch.Tensor:
        for change in (reference.of_image, reference.of_text):
            change.refresh()  # type: ignore[attr-defined]
        return reference.cross_entropy(rows)

    reference.train(optimiser, STEPS, loss)
    loss()
    compared(ran, reference, rows().detach())
    saved = weights(ran)
    assert saved.module is not None
    for state, change in ((saved.module, reference.of_image), (saved.text, reference.of_text)):
        for name, tensor in change.items():
            torch.testing.assert_close(state[name], tensor.detach(), **CLOSE)
    assert changed(reference.image, saved.module) == set(reference.of_image)
    assert changed(reference.text, saved.text) == set(reference.of_text)


class Adapted(dict[str, torch.Tensor]):
    """Matrices by their names, made anew from their adapters."""

    parts: dict[str, tuple[torch.Tensor, list[tuple[torch.Tensor, torch.Tensor]]]]

    def refresh(self) -> None:
        for name, (w, factors) in self.parts.items():
            self[name] = w + torch.cat([b @ a for a, b in factors]) * 1.0 / 2**0.5


def adapters(module: Any, kind: str, side: str) -> tuple[Adapted, list[torch.Tensor]]:
    """The adapters of a tower with the start that the cell draws, in the order q, k, v."""
    drawn = Adapters(deepcopy(module), LoraSpec(dropout=0.0), 0, side).tensors()
    factors = [t.detach().clone().requires_grad_() for t in drawn]
    pairs = list(zip(factors[::2], factors[1::2], strict=True))
    made = Adapted()
    if kind == "vit":
        names = [n for n in module.state_dict() if n.endswith("in_proj_weight")]
        grouped = [pairs[i : i + 3] for i in range(0, len(pairs), 3)]
    else:
        ends = tuple(f"self_attn.{x}_proj.weight" for x in "qkv")
        names = [n for n in module.state_dict() if n.endswith(ends)]
        names.sort(key=lambda n: (n.split("layers.")[1].split(".")[0], "qkv".index(n[-13])))
        grouped = [[pair] for pair in pairs]
    state = module.state_dict()
    made.parts = {n: (state[n], g) for n, g in zip(names, grouped, strict=True)}
    made.refresh()
    return made, factors


def test_clip_lora_drops_a_quarter_unless_it_is_told_otherwise(
    task: dict[str, Any], tmp_path: Path
) -> None:
    method = [preset("clip_lora"), preset("clip_lora", dropout=0.0)]
    dropping, plain = run_study(task, tmp_path, method=method).records
    losses = [[p["loss"] for p in r.curve] for r in (dropping, plain)]
    assert losses[0][0] == losses[1][0], "B is 0 before the first step"
    assert losses[0][2] != pytest.approx(losses[1][2], rel=1e-4)


@pytest.mark.parametrize("kind", ["vit", "resnet", "clip"])
def test_two_sfs(task: dict[str, Any], encoders: dict[str, str], tmp_path: Path, kind: str) -> None:
    """60% of the steps: norms of both towers. Then W alone, from the texts of the adapted tower, by
    cosines. New classes have the texts of the adapted tower.
    """
    changes = {
        "encoder": encoders[kind], "method": preset("two_sfs"), "train_classes": {"pick": 3},
        "test_classes": ["base", "new"],
    }  # fmt: skip
    ran = run_study(task, tmp_path, **changes)
    assert [r.cost["trainings"] for r in ran.records] == [1, 0]
    base, new = (Reference(cell) for cell in ran.plan.cells)
    trained = [t for e in (base.image, base.text) for t in norms_of(e.module)]
    for tensor in trained:
        tensor.requires_grad_()
    first = torch.optim.AdamW(trained, lr=1e-2, weight_decay=0.01)
    base.train(first, 3, lambda: base.cross_entropy(lambda: base.texts(base.names)))
    for tensor in trained:
        tensor.requires_grad_(requires_grad=False)
    w_CD = base.texts(base.names).clone()
    trained_alone(base, w_CD, 2, lr=1e-2, weight_decay=0.01)
    compared(ran, base, w_CD.detach())
    new.image, new.text, new.losses = base.image, base.text, base.losses
    compared(ran, new, new.texts(ran.plan.cells[1].setup.tested.names), number=1)
    assert [p["stage"] for p in ran.records[0].curve] == [1, 1, 1, 2, 2]
    assert [p["epoch"] for p in ran.records[0].curve] == [1, 2, 3, 4, 5]
    assert ran.records[0].cost["params"] == sum(t.numel() for t in trained) + w_CD.numel()
    saved = weights(ran)
    torch.testing.assert_close(saved.head["classifier"], w_CD.detach(), **CLOSE)
    assert saved.module is not None
    for state, encoder in ((saved.module, base.image), (saved.text, base.text)):
        for name, tensor in encoder.module.state_dict().items():
            torch.testing.assert_close(state[name], tensor, **CLOSE)


def test_adapters_then_a_head(task: dict[str, Any], tmp_path: Path) -> None:
    """2SFS with LoRA: the second stage has the adapted towers, without dropout, and saves them."""
    stages = [
        {"share": 0.6, "tuning": {"lora": {"dropout": 0.0}}},
        {"share": 0.4, "tuning": "head", "recipe": {"lr": 1e-3, "weight_decay": 0.0}},
    ]
    recipe = {"lr": 1e-2, "weight_decay": 0.01, "warmup_epochs": 0, "batch": 64,
              "iterations": STEPS, "train_logit_scale": False}  # fmt: skip
    changes = {"text_tower": "online", "recipe": recipe}
    ran = run_study(task, tmp_path / "0", stages=stages, **changes)
    reference = Reference(ran.plan.cells[0])
    trained = []
    for side, encoder in (("image", reference.image), ("text", reference.text)):
        change, factors = adapters(encoder.module, "vit", side)
        trained += factors
        setattr(reference, f"of_{side}", change)

    def loss() -> torch.Tensor:
        for change in (reference.of_image, reference.of_text):
            change.refresh()  # type: ignore[attr-defined]
        return reference.cross_entropy(lambda: reference.texts(reference.names))

    reference.train(torch.optim.AdamW(trained, lr=1e-2, weight_decay=0.01), 3, loss)
    with torch.no_grad():
        loss()
        w_CD = reference.texts(reference.names).clone()
    trained_alone(reference, w_CD, 2, lr=1e-3, weight_decay=0.0)
    compared(ran, reference, w_CD.detach())
    saved = weights(ran)
    assert saved.module is not None
    assert changed(reference.image, saved.module) == set(reference.of_image)
    assert changed(reference.text, saved.text) == set(reference.of_text)
    # With dropout in the first stage the second one has none: pictures give one loss for a W.
    stages[0]["tuning"] = {"lora": {"dropout": 0.5}}
    stages[1]["recipe"] = {"lr": 0.0}
    still = run_study(task, tmp_path / "1", stages=stages, **changes).records[0]
    second_stage = [point["loss"] for point in still.curve[3:]]
    assert second_stage[0] == pytest.approx(second_stage[1], rel=1e-6)
    assert second_stage[0] != pytest.approx(still.curve[2]["loss"], rel=1e-4)
    assert any("Stage 2 (head): Training changed nothing" in text for text in still.warnings)


@pytest.mark.parametrize("kind", ["vit", "clip"])
def test_wise_ft(task: dict[str, Any], encoders: dict[str, str], tmp_path: Path, kind: str) -> None:
    """The image tower, the projection and W are trained from the texts; then (1 - a) before + a
    after, of every weight.
    """
    method = [preset("wise_ft", warmup_epochs=0, interpolate=a) for a in (0, 0.5, 1)]
    ran = run_study(task, tmp_path, encoder=encoders[kind], method=method)
    assert len({cell.train_key for cell in ran.plan.cells}) == 1
    assert [r.cost["trainings"] for r in ran.records] == [1, 0, 0]
    reference = Reference(ran.plan.cells[0])
    w_CD = reference.texts(reference.names).clone()
    trained = [*reference.image.module.parameters(), reference.p_DF, w_CD]
    trained += [] if reference.b_D is None else [reference.b_D]
    before = [tensor.detach().clone() for tensor in trained]
    for tensor in trained:
        tensor.requires_grad_()
    optimiser = torch.optim.AdamW(trained, lr=1e-2, weight_decay=0.1)
    rows = lambda: F.normalize(w_CD, dim=-1)  # noqa: E731
    reference.train(optimiser, STEPS, lambda: reference.cross_entropy(rows))
    after = [tensor.detach().clone() for tensor in trained]
    for number, share in enumerate((0.0, 0.5, 1.0)):
        with torch.no_grad():
            for tensor, start, end in zip(trained, before, after, strict=True):
                tensor.copy_((1 - share) * start + share * end)
        compared(ran, reference, w_CD.detach(), number)
    zero = run_study(task | {"tuning": "none"}, tmp_path, encoder=encoders[kind])
    whole = run_study(
        task, tmp_path / "whole", encoder=encoders[kind],
        method=preset("wise_ft", warmup_epochs=0, interpolate=1),
    )  # fmt: skip
    probability = [
        each.store.arrays(r)["probability"] for each in (zero, ran, whole) for r in each.records
    ]
    np.testing.assert_allclose(probability[0], probability[1], rtol=1e-5, atol=1e-6)
    assert np.array_equal(probability[3], probability[4])
    saved = weights(ran)
    assert saved.module is not None
    torch.testing.assert_close(saved.head["classifier"], w_CD.detach(), **CLOSE)


@pytest.mark.parametrize("kind", ["vit", "resnet"])
def test_flyp(task: dict[str, Any], encoders: dict[str, str], tmp_path: Path, kind: str) -> None:
    """Both towers and the scale by 1/2 [CE(s F T^T, i) + CE(transposed)] with a text for every
    picture; afterwards W are the texts of the tuned tower.
    """
    method = preset("flyp", warmup_epochs=0, lr=1e-3)
    ran = run_study(task, tmp_path, encoder=encoders[kind], method=method)
    reference = Reference(ran.plan.cells[0])
    log_scale = torch.tensor(reference.scale).log()
    towers = (reference.image.module, reference.text.module)
    trained = [t for module in towers for t in module.parameters()]
    trained += [reference.p_DF, log_scale] + ([] if reference.b_D is None else [reference.b_D])
    for tensor in trained:
        tensor.requires_grad_()

    def loss() -> torch.Tensor:
        t_ND = reference.texts(reference.names)[reference.y_N]
        logits_NN = log_scale.exp() * reference.embed(reference.x_NCHW) @ t_ND.T
        own_N = torch.arange(len(logits_NN))
        return (F.cross_entropy(logits_NN, own_N) + F.cross_entropy(logits_NN.T, own_N)) / 2

    reference.train(torch.optim.AdamW(trained, lr=1e-3, weight_decay=0.1), STEPS, loss)
    reference.scale = log_scale.exp().item()
    compared(ran, reference, reference.texts(reference.names).detach())
    assert weights(ran).head["logit_scale"].item() == pytest.approx(reference.scale, rel=1e-5)


@pytest.fixture(scope="module")
def wide(root: Path) -> str:
    """A tower whose texts have room for a context."""
    config = tiny.VIT | {"text_cfg": tiny.VIT["text_cfg"] | {"context_length": 24}}
    return f"open_clip:{tiny.open_clip_model(root / 'wide', config)}"


class Context:
    """The vectors that a cell starts from, and the texts that they make."""

    def __init__(self, cell: Any, end: str) -> None:
        assert cell.cell.recipe is not None
        resources = Resources()
        resources.load([cell])
        texts: Any = build_model(cell, cell.cell.recipe, resources).model.texts
        self.vectors_ME = texts.context().detach().cpu().clone().requires_grad_()
        self.reference, self._end = Reference(cell), end

    def rows(self) -> torch.Tensor:
        tower, names = self.reference.text, self.reference.names
        read = [coop(tower, n, self.vectors_ME, "before", self._end) for n in names]
        return F.normalize(torch.cat(read), dim=-1)


def test_coop(task: dict[str, Any], wide: str, tmp_path: Path) -> None:
    """16 vectors before the name and a full stop, by SGD with momentum 0.9 and decay 5e-4; the
    first of five epochs warms up. The towers are frozen.
    """
    method = {"name": "coop", "epochs": 5, "batch": 64, "lr_new": 2.0}
    ran = run_study(task, tmp_path, encoder=wide, method=method)
    made = Context(ran.plan.cells[0], ".")
    context_ME, reference = made.vectors_ME, made.reference
    assert context_ME.shape == (16, 8)
    assert context_ME.std().item() == pytest.approx(0.02, rel=0.3)
    optimiser = torch.optim.SGD([context_ME], lr=2.0, momentum=0.9, weight_decay=5e-4)
    reference.train(optimiser, 5, lambda: reference.cross_entropy(made.rows), first=1)
    compared(ran, reference, made.rows().detach())
    saved = weights(ran)
    assert saved.context is not None
    torch.testing.assert_close(saved.context, context_ME.detach(), **CLOSE)
    assert ran.records[0].cost["params"] == 16 * 8


PROMPT = {"name": "learnable", "context": 4}
SHORT = {"lr": 1e-2, "lr_new": 1e-1, "weight_decay": 0.01, "warmup_epochs": 0, "batch": 64,
         "iterations": STEPS, "train_logit_scale": False}  # fmt: skip


def test_a_context_is_learnt_beside_the_norms_of_both_towers(
    task: dict[str, Any], wide: str, tmp_path: Path
) -> None:
    changes = {"tuning": "norm", "text_tower": "online", "prompt": PROMPT, "recipe": SHORT}
    ran = run_study(task, tmp_path, encoder=wide, **changes)
    made = Context(ran.plan.cells[0], "")
    reference = made.reference
    trained = [t for e in (reference.image, reference.text) for t in norms_of(e.module)]
    for tensor in trained:
        tensor.requires_grad_()
    groups = [{"params": trained, "lr": 1e-2}, {"params": [made.vectors_ME], "lr": 1e-1}]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.01)
    reference.train(optimiser, STEPS, lambda: reference.cross_entropy(made.rows))
    compared(ran, reference, made.rows().detach())


def test_a_context_then_the_rows_that_it_made(
    task: dict[str, Any], wide: str, tmp_path: Path
) -> None:
    stages = [{"share": 0.6, "tuning": "prompt"}, {"share": 0.4, "tuning": "head"}]
    changes = {"stages": stages, "prompt": PROMPT, "recipe": SHORT}
    ran = run_study(task, tmp_path, encoder=wide, **changes)
    made = Context(ran.plan.cells[0], "")
    reference = made.reference
    first = torch.optim.AdamW([made.vectors_ME], lr=1e-1, weight_decay=0.01)
    reference.train(first, 3, lambda: reference.cross_entropy(made.rows))
    w_CD = made.rows().detach().clone()
    trained_alone(reference, w_CD, 2, lr=1e-2, weight_decay=0.01)
    compared(ran, reference, w_CD.detach())
    saved = weights(ran)
    assert saved.context is not None
    torch.testing.assert_close(saved.context, made.vectors_ME.detach(), **CLOSE)
    torch.testing.assert_close(saved.head["classifier"], w_CD.detach(), **CLOSE)


# --- what the papers set -------------------------------------------------------------------------


def published(**keys: Any) -> Any:
    data = {
        "name": "m", "dataset": "emoji", "regime": "few_shot", "shots": 4, "seeds": 1,
        "encoder": "embedded/lit-emoji", **keys,
    }  # fmt: skip
    (cell,) = expand(validate(data, "m.yaml"), "m.yaml")
    return cell


def test_the_published_settings() -> None:
    lora = published(method="clip_lora")
    assert lora.lora == LoraSpec(2, 1.0, "alpha/sqrt_r", 0.25, ("q", "k", "v"), ("image", "text"))
    assert lora.lora.factor == pytest.approx(0.70710678)
    two = published(method="two_sfs")
    assert [(s.share, s.tuning) for s in two.stages] == [(0.6, "norm"), (0.4, "head")]
    for cell, steps in ((lora, 500), (two, 300)):
        recipe = cell.recipe
        assert recipe.iterations == 4 * steps
        assert (recipe.optimiser, recipe.lr, recipe.weight_decay) == ("adamw", 2e-4, 0.01)
        assert (recipe.batch, recipe.augment, recipe.warmup_epochs) == (32, "crop_flip", 0)
        assert not recipe.train_logit_scale
        assert cell.text_tower == "online"
    wise, flyp = published(method="wise_ft"), published(method="flyp")
    assert (wise.interpolate, wise.schedule, wise.recipe.lr) == (0.5, "trained", 3e-5)
    assert (wise.recipe.weight_decay, wise.recipe.batch, wise.recipe.epochs) == (0.1, 512, 10)
    assert (flyp.recipe.lr, flyp.loss, flyp.text_tower) == (1e-5, "infonce", "online")
    assert flyp.recipe.train_logit_scale
    found = published(method="coop")
    options = dict(found.prompt.options)
    assert (options["context"], options["full_stop"], found.recipe.optimiser) == (16, True, "sgd")
    assert (found.recipe.lr_new, found.recipe.weight_decay, found.recipe.batch) == (2e-3, 5e-4, 32)
