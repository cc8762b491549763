"""Checkpoints: a training that goes on from one ends as an undisturbed one. A damaged file is none;
a file that cannot be read just now is an error.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.core.cells import Recipe
from harness.core.errors import BadInput, HarnessError, OutputError
from harness.core.protocols.solver import Problem, Solution, Watch
from harness.training import checkpoint_files
from harness.training.cached import CachedFeatures
from harness.training.checkpoint import Checkpoint
from harness.training.loop import train
from harness.training.model import Embedding, Model, Projection

from .examples import CELL, FEATURES, D, data, text_head
from .processes import in_processes

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


def optimiser(of: Model) -> torch.optim.Optimizer:
    groups = [{"params": of.pretrained()}, {"params": of.new()}]
    return torch.optim.AdamW([g for g in groups if g["params"]])


def saved(folder: Path) -> Checkpoint:
    """With the states after the fifth and the sixth epoch."""
    checkpoint, trained = Checkpoint(folder / "0.pt"), model()
    for epochs in (4, 5, 6):
        checkpoint.save(trained, optimiser(trained), {"curve": [{}] * epochs, "steps": 2 * epochs})
    return checkpoint


def loaded(checkpoint: Checkpoint, target: Model) -> int | None:
    """The number of epochs of the state that was put into a model."""
    progress = checkpoint.load(target, optimiser(target))
    return None if progress is None else len(progress["curve"])


def damaged(content: bytes, how: str) -> bytes:
    if how == "cut":
        return content[: len(content) // 2]
    # torch does not notice it.
    at = content.index(model().embedding.projection.weight_DF.detach().numpy().tobytes())
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize("how", ["cut", "one bit"])
def test_of_a_damaged_file_the_one_before_is_used(
    tmp_path: Path, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = saved(tmp_path)
    newest = tmp_path / "0.pt"
    newest.write_bytes(damaged(newest.read_bytes(), how))
    assert loaded(checkpoint, model()) == 5
    assert f"the checkpoint {newest} cannot be used" in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0.previous.pt", "0.unreadable.pt"]
    (tmp_path / "0.previous.pt").unlink()
    untouched = model()
    assert loaded(checkpoint, untouched) is None
    assert_equal(untouched, model())


def test_a_process_killed_between_two_renames_leaves_the_one_before(tmp_path: Path) -> None:
    checkpoint = saved(tmp_path)
    checkpoint.path.unlink()
    assert loaded(checkpoint, model()) == 5


def test_a_state_of_another_shape_leaves_the_model_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = saved(tmp_path)
    narrow = model()
    narrow.embedding.projection = Projection(torch.zeros(D, 3), torch.zeros(D))
    assert loaded(checkpoint, narrow) is None
    assert narrow.embedding.projection.weight_DF.eq(0).all()
    assert "it has tensors of other shapes" in capsys.readouterr().err
    assert loaded(checkpoint, model()) is None, "there is none any more"


def unreachable(monkeypatch: pytest.MonkeyPatch, times: int, number: int = errno.ESTALE) -> None:
    """Files that are opened for reading give an error so many times."""
    left, open_file = [times], Path.open

    def opened(self: Path, mode: str = "r", *rest: Any, **options: Any) -> Any:
        if self.suffix == ".pt" and mode == "rb" and left[0]:
            left[0] -= 1
            raise OSError(number, os.strerror(number))
        return open_file(self, mode, *rest, **options)

    monkeypatch.setattr(Path, "open", opened)
    monkeypatch.setattr(checkpoint_files, "WAITS", (0.0, 0.0, 0.0))


@pytest.mark.parametrize("number", [errno.ESTALE, errno.EIO])
def test_a_file_server_that_comes_back_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    checkpoint = saved(tmp_path)
    unreachable(monkeypatch, 3, number)
    assert loaded(checkpoint, model()) == 6


def test_a_file_that_cannot_be_read_is_an_error_and_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = saved(tmp_path)
    before = sorted(tmp_path.iterdir())
    unreachable(monkeypatch, 4)
    with pytest.raises(OutputError, match=r"cannot read the checkpoint .*0\.pt: Stale file handle"):
        loaded(checkpoint, model())
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), HarnessError),
        (MemoryError(), HarnessError),
        (torch.OutOfMemoryError("CUDA out of memory"), torch.OutOfMemoryError),
    ],
)
def test_too_little_memory_says_nothing_about_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: Exception, expected: type[Exception]
) -> None:
    checkpoint = saved(tmp_path)
    before = sorted(tmp_path.iterdir())

    def load(*_: Any, **__: Any) -> None:
        raise raised

    monkeypatch.setattr(torch, "load", load)
    with pytest.raises(expected, match="memory"):
        loaded(checkpoint, model())
    assert sorted(tmp_path.iterdir()) == before


def test_time_for_the_next_one(tmp_path: Path) -> None:
    now = [100.0]
    checkpoint = Checkpoint(tmp_path / "0.pt", minutes=2, clock=lambda: now[0])
    seen = []
    for seconds in (0, 119, 1, 60):
        now[0] += seconds
        seen.append(checkpoint.due())
    assert seen == [False, False, True, True]
    checkpoint.save(model(), optimiser(model()), {})
    assert not checkpoint.due()


def test_minutes_are_set_by_a_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert Checkpoint(tmp_path / "0.pt").minutes == 10
    monkeypatch.setenv("HARNESS_CHECKPOINT_MINUTES", "0.5")
    assert Checkpoint(tmp_path / "0.pt").minutes == 0.5
    for wrong in ("soon", "-1", "inf", "nan"):
        monkeypatch.setenv("HARNESS_CHECKPOINT_MINUTES", wrong)
        with pytest.raises(BadInput, match=f"a number of 0 or more, not '{wrong}'"):
            Checkpoint(tmp_path / "0.pt")


def test_a_checkpoint_goes_away_with_its_folder_unless_weights_lie_there(tmp_path: Path) -> None:
    checkpoint = saved(tmp_path / "key")
    (tmp_path / "key" / "0.unreadable.pt").touch()
    kept = checkpoint.path.with_name("weights.safetensors")
    kept.touch()
    checkpoint.remove()
    assert [p.name for p in checkpoint.path.parent.iterdir()] == [kept.name]
    kept.unlink()
    checkpoint.remove()
    assert not checkpoint.path.parent.exists()


def test_process_0_decides_for_all(tmp_path: Path) -> None:
    """Only it has the files. What cannot be read there is an error in all."""
    first, second = in_processes(2, tmp_path, "checkpoint_examples")
    assert (first["files"], second["files"]) == (True, False)
    assert (first["due"], second["due"]) == (True, False)
    assert first["nothing"] is second["nothing"] is None
    assert "OutputError: in process 0 of 2: cannot read the checkpoint" in first["unreachable"]
    assert first["unreachable"] == second["unreachable"]
    assert first["memory"] == second["memory"] == "OutOfMemory: in process 0 of 2: too large"
    assert first["state"] == second["state"]
    step, sums, weights, moments, steps = first["state"]
    assert (step, sums, set(steps)) == (1, [1.5, 2.0], {1.0})
    assert any(weights)
    assert any(moments)
    assert second["sent"] == first["sent"] == [
        [True, False], [1.5, 1.5], 7, [[0, 3], [1, 4], [2, 5]], [], [1, [None, "a"]]
    ]  # fmt: skip
