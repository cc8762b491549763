"""Cells on moving pictures: every module over time, views, augmentation, memory and checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import Ran, plan_of, run_study
from encoders import tiny

from harness.core.errors import BadInput
from harness.core.records import Record
from harness.solvers import first_order
from harness.training.tuned import TunedBackbone

MOTION: dict[str, Any] = {
    "name": "emoji_motion", "objects": 2, "motions": ["left", "right"], "size": 48, "clips": 1,
}  # fmt: skip
TASK: dict[str, Any] = {
    "name": "moving",
    "dataset": MOTION,
    "regime": "few_shot",
    "shots": 2,
    "temporal": "tap",
    "frames": 4,
    "classifier": "text",
    "recipe": {"epochs": 2, "batch": 4, "lr": 1e-3, "lr_new": 1e-3, "warmup_epochs": 0},
    "seeds": 1,
}
UNTRAINED = {"regime": "zero_shot", "shots": None, "tuning": "none"}


@pytest.fixture(scope="module")
def vit(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"open_clip:{tiny.open_clip_model(tmp_path_factory.mktemp('vit'), tiny.VIT)}"


@pytest.fixture(scope="module")
def resnet(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"open_clip:{tiny.open_clip_model(tmp_path_factory.mktemp('resnet'), tiny.RESNET)}"


def run(runs: Path, **changes: Any) -> list[Record]:
    return run_study(TASK, runs, **changes).records


@pytest.mark.parametrize(
    ("tower", "temporal", "tuning"),
    [
        ("vit", "tap", "projection"), ("vit", "t_trans", "projection"), ("vit", "none", "all"),
        ("vit", "tap", "all"), ("vit", "t_trans", "all"), ("vit", "token_t1d", "all"),
        ("resnet", "t1d", "all"), ("vit", "tap", "none"),
    ],
)  # fmt: skip
def test_every_module_over_time_runs(
    tmp_path: Path, request: pytest.FixtureRequest, tower: str, temporal: str, tuning: str
) -> None:
    encoder = request.getfixturevalue(tower)
    (record,) = run(tmp_path, encoder=encoder, temporal=temporal, tuning=tuning)
    assert record.cell.get("frames") == (None if temporal == "none" else 4)
    assert record.n == 2 * 2 * 2  # two objects, two motions, two vendors
    frames = 1 if temporal == "none" else 4
    (picture,) = run(tmp_path, encoder=encoder, temporal="none", **UNTRAINED)
    assert record.cost["flops_per_view"] == frames * picture.cost["flops_per_view"]


def test_infeasible_modules_have_a_reason(tmp_path: Path, vit: str) -> None:
    plan = plan_of(TASK, tmp_path, encoder=vit, temporal=["tap", "t1d", "token_t1d"])
    assert [c.cell.temporal.name for c in plan.cells if c.cell.temporal] == ["tap"]
    reasons = {str(cell.temporal): reason for cell, reason in plan.infeasible}
    assert "tuning: all" in reasons["token_t1d"]
    assert reasons.keys() == {"t1d", "token_t1d"}


def test_time_has_no_meaning_for_pictures(tmp_path: Path, vit: str) -> None:
    emoji = {"dataset": "emoji", "classes": {"pick": 3, "from": "development"}, "encoder": vit}
    timed = plan_of(TASK, tmp_path, **emoji, temporal=["tap", "t_trans"], views=["1x3", "4x3"])
    plain = plan_of(TASK, tmp_path, **emoji, temporal="none", frames=None, views="1x3")
    assert [c.key for c in timed.cells] == [c.key for c in plain.cells]
    with pytest.raises(BadInput, match=r"temporal: no temporal is called 't_tran'.*'t_trans'"):
        plan_of(TASK, tmp_path, **emoji, temporal="t_tran")


def test_videos_and_pictures_do_not_mix(tmp_path: Path, vit: str) -> None:
    with pytest.raises(BadInput, match=r"test_dataset: .*one has videos"):
        plan_of(
            TASK, tmp_path, encoder=vit, regime="zero_shot", shots=None, test_dataset="emoji"
        )  # fmt: skip


def test_views_are_evaluated_without_training_again(
    tmp_path: Path, vit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainings: list[int] = []
    train = first_order.train
    monkeypatch.setattr(
        first_order, "train", lambda problem: (trainings.append(1), train(problem))[1]
    )
    records = run(tmp_path, encoder=vit, views=["1x1", "2x1", "2x3"], tuning="all")
    assert len({r.key for r in records}) == 3
    assert len({r.train_key for r in records}) == 1
    assert len({str(r.curve) for r in records}) == 1
    assert len(trainings) == 1


def test_probabilities_equal_a_plain_loop(tmp_path: Path, vit: str) -> None:
    """The same weights and frames through open_clip itself, frame by frame and clip by clip
    (Eq. 3; frames averaged before the normalisation, 1 view).
    """
    import open_clip
    from open_clip.transform import PreprocessCfg, image_transform_v2

    ran = run_study(TASK, tmp_path, encoder=vit, **UNTRAINED)
    (record,) = ran.records
    model = tiny.open_clip_reference(Path(vit.partition(":")[2].partition("@")[0])).model
    transform = image_transform_v2(PreprocessCfg(size=32), is_train=False)
    test = ran.store.read_test(str(record.test))
    data: Any = ran.plan.cells[0].setup.dataset
    tokens = open_clip.SimpleTokenizer(context_length=12)(list(test.class_names))
    expected = []
    with torch.inference_mode():
        w_CD = model.encode_text(tokens, normalize=True)
        for item, label in zip(test.items, test.labels.tolist(), strict=True):
            frames = data.frames(item, [3, 9, 15, 21])  # the middles of 4 parts of 24
            z_TD = torch.cat([model.encode_image(transform(frame)[None]) for frame in frames])
            z_D = torch.nn.functional.normalize(z_TD.mean(dim=0), dim=0)
            logits_C = model.logit_scale.exp() * w_CD @ z_D
            expected.append(float(logits_C.softmax(dim=0)[label]))
    assert ran.store.arrays(record)["probability"] == pytest.approx(expected, abs=1e-5)


def probabilities(ran: Ran) -> list[torch.Tensor]:
    return [torch.tensor(ran.store.arrays(r)["probability"]) for r in ran.records]


def test_three_equal_views_predict_what_one_predicts(tmp_path: Path, vit: str) -> None:
    """Square frames have one crop, so three crops of a clip are the clip."""
    one, three = probabilities(run_study(TASK, tmp_path, encoder=vit, views=["1x1", "1x3"]))
    torch.testing.assert_close(one, three)


def test_equal_seeds_give_equal_results_whatever_was_cached(
    tmp_path: Path, vit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = []
    for name in ("a", "b"):
        monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache" / name))
        records = run(
            tmp_path / name, encoder=vit, temporal="t_trans", tuning=["projection", "all"],
            recipe={**TASK["recipe"], "augment": "none", "dropout": 0.2},
        )  # fmt: skip
        hashes.append([r.science_hash for r in records])
    assert hashes[0] == hashes[1]


def test_augmented_frames_change_what_is_learnt(tmp_path: Path, vit: str) -> None:
    recipe = {**TASK["recipe"], "augment": ["none", "crop", "crop_flip"]}
    records = run(tmp_path, encoder=vit, tuning="all", recipe=recipe)
    assert len({r.curve[0]["loss"] for r in records}) == 3
    plan = plan_of(TASK, tmp_path, encoder=vit, recipe=recipe)
    assert len(plan.cells) == 1
    assert all("needs a tuned backbone" in reason for _, reason in plan.infeasible)


@pytest.mark.parametrize("temporal", ["t_trans", "token_t1d"])
def test_saved_weights_hold_the_module_over_time(tmp_path: Path, vit: str, temporal: str) -> None:
    """Nothing is learnt from the saved weights on with a learning rate of 0, so the second task
    gives the predictions of the first (Table A.1 goes on so on another data set).
    """
    base = {"encoder": vit, "temporal": temporal, "tuning": "all", "save": "last"}
    first = run_study(TASK, tmp_path, **base)
    still = {**TASK["recipe"], "lr": 0, "lr_new": 0, "epochs": 1, "weight_decay": 0}
    again = run_study(
        TASK, tmp_path, **base, recipe={**still, "train_logit_scale": False},
        init=f"moving#{first.records[0].train_key}",
    )  # fmt: skip
    (saved,), (loaded,) = first.records, again.records
    rank = [first.store.arrays(r)["rank"].tolist() for r in (saved, loaded)]
    assert rank[0] == rank[1]
    assert loaded.curve[-1]["loss"] < saved.curve[0]["loss"]


# --- memory --------------------------------------------------------------------------------------


def test_less_memory_means_smaller_micro_batches(
    tmp_path: Path, vit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A GPU that holds two clips at once: the loss is that of the whole batch all the same."""
    (whole,) = run(tmp_path / "whole", encoder=vit, tuning="all")
    features = TunedBackbone.features

    def small(self: TunedBackbone, inputs: torch.Tensor) -> torch.Tensor:
        if len(inputs) > 2 * (self.frames or 1):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return features(self, inputs)

    monkeypatch.setattr(TunedBackbone, "features", small)
    (parts,) = run(tmp_path / "parts", encoder=vit, tuning="all")
    assert parts.diagnostics["micro_batch"] == 2
    assert "micro_batch" not in whole.diagnostics
    for a, b in zip(whole.curve, parts.curve, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], abs=1e-5)


def test_a_gpu_that_holds_nothing_is_the_reason_of_the_cell(
    tmp_path: Path, vit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(TunedBackbone, "features", never)
    (record,) = run_study(TASK, tmp_path, failing=True, encoder=vit, tuning="all").records
    assert record.status == "failed"
    assert (record.error or {})["type"] == "CellError"
    assert "the GPU has too little memory" in (record.error or {})["message"]


@pytest.mark.parametrize("family", ["open_clip", "hf_clip"])
def test_recomputing_blocks_changes_no_loss(
    tmp_path: Path, vit: str, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = vit if family == "open_clip" else f"hf_clip:{tiny.hf_clip(tmp_path / 'clip')}"
    normed: list[int] = []
    layer_norm = torch.nn.functional.layer_norm
    monkeypatch.setattr(
        torch.nn.functional, "layer_norm",
        lambda *a, **k: (normed.append(1), layer_norm(*a, **k))[1],
    )  # fmt: skip
    # The words of the small tokenizer do not tell these classes apart, which changes no loss.
    of = {"encoder": encoder, "allow": "equal_texts"}
    run(tmp_path, **of, tuning="none")  # texts are embedded, and kept
    records, passes = [], []
    for checkpointing in (False, True):
        normed.clear()
        recipe = {**TASK["recipe"], "checkpointing": checkpointing}
        records += run(tmp_path, **of, tuning="all", recipe=recipe)
        passes.append(len(normed))
    assert passes[1] > passes[0], "the norms of the blocks are computed once more"
    kept, recomputed = records
    for a, b in zip(kept.curve, recomputed.curve, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], abs=1e-6)
