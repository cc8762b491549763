"""Checkpoints: a training that goes on from one ends as an undisturbed one; a bad file is none."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from harness.core.cells import Recipe
from harness.core.protocols.solver import Problem, Solution, Watch
from harness.training.checkpoint import Checkpoint
from harness.training.loader import CachedFeatures
from harness.training.loop import train
from harness.training.model import Embedding, Model, Projection

from .examples import CELL, FEATURES, D, data, text_head

RECIPE = Recipe(lr=1e-2, lr_new=5e-2, epochs=6, batch=15, warmup_epochs=1, dropout=0.3)


def model() -> Model:
    generator = torch.Generator().manual_seed(3)
    start = Projection(torch.randn(D, FEATURES, generator=generator) / 5, torch.zeros(D))
    h_NF, _ = data(torch.Generator().manual_seed(0))
    return Model(CachedFeatures(h_NF), Embedding(start.trainable()), text_head("trained"))


def train_model(
    trained: Model, checkpoint: Checkpoint | None = None, watch: Watch | None = None
) -> Solution:
    _, y_N = data(torch.Generator().manual_seed(0))
    return train(Problem(CELL, trained, y_N, RECIPE, 0, watch or Watch(), checkpoint))


def assert_equal(a: Model, b: Model) -> None:
    for mine, theirs in zip(a.tensors(), b.tensors(), strict=True):
        assert torch.equal(mine, theirs)


def test_an_interrupted_training_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    undisturbed = model()
    expected = train_model(undisturbed)
    checkpoint = Checkpoint(tmp_path / "deep" / "0.pt")
    batches = iter(range(100))
    with pytest.raises(KeyboardInterrupt):
        train_model(model(), checkpoint, Watch(lambda: next(batches) == 7))
    epochs: list[int] = []
    resumed = model()
    solution = train_model(
        resumed, checkpoint, Watch(epoch=lambda point: epochs.append(point["epoch"]))
    )
    assert epochs == [4, 5, 6], "two batches an epoch: three epochs were whole"
    assert_equal(resumed, undisturbed)
    assert [p["loss"] for p in solution.curve] == [p["loss"] for p in expected.curve]
    assert solution.steps == expected.steps


@pytest.mark.parametrize("content", [b"", b"not a checkpoint"])
def test_a_file_that_cannot_be_read_is_begun_again(tmp_path: Path, content: bytes) -> None:
    checkpoint = Checkpoint(tmp_path / "0.pt")
    checkpoint.path.write_bytes(content)
    resumed, undisturbed = model(), model()
    train_model(resumed, checkpoint)
    train_model(undisturbed)
    assert_equal(resumed, undisturbed)


def test_a_file_cut_short_and_one_of_another_shape_leave_the_model_alone(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "0.pt")
    trained = model()
    train_model(trained, checkpoint)
    whole = checkpoint.path.read_bytes()

    def loaded(target: Model) -> object:
        optimiser = torch.optim.AdamW(target.tensors())
        return checkpoint.load(target, optimiser)

    checkpoint.path.write_bytes(whole[: len(whole) // 2])
    untouched = model()
    assert loaded(untouched) is None
    assert_equal(untouched, model())
    assert not checkpoint.path.exists()

    checkpoint.path.write_bytes(whole)
    narrow = model()
    narrow.embedding.projection = Projection(torch.zeros(D, 3), torch.zeros(D))
    assert loaded(narrow) is None
    assert narrow.embedding.projection.weight_DF.eq(0).all()
    assert loaded(model()) is None, "there is none any more"


def test_a_checkpoint_goes_away_with_its_folder_unless_weights_lie_there(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "key" / "0.pt")
    train_model(model(), checkpoint)
    kept = checkpoint.path.with_name("weights.safetensors")
    kept.touch()
    checkpoint.remove()
    assert [p.name for p in checkpoint.path.parent.iterdir()] == [kept.name]
    kept.unlink()
    checkpoint.remove()
    assert not checkpoint.path.parent.exists()
