"""Whole cells on the pretended GPU, of kinds that other tests of `make test-pretended` lack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import TINY, run_study

from harness.run import evaluate
from harness.run.encoders import load_encoder, load_text_encoder
from harness.training.extraction import Extraction
from harness.training.step import Stepper
from pretended_gpu import pretended_gpu


@pytest.fixture(autouse=True)
def _no_encoder_of_other_tests() -> Iterator[None]:
    """The pool of a process holds encoders on the device on which they were loaded."""
    pools = (load_encoder, load_text_encoder)
    for pool in pools:
        pool.cache_clear()
    yield
    for pool in pools:
        pool.cache_clear()


HEAD = {"tuning": "head", "paradigm": "vision_only"}
#: On a GPU pictures are encoded in batches of one size, those of full size for many seconds.
SMALL = {"seeds": 1, "classifier": "text", "resolution": 96}


@pytest.mark.parametrize(
    "changes",
    [
        HEAD,
        {**HEAD, "recipe": {"epochs": 2, "proximal": 0.1}},
        {**HEAD, "tuning": {"head": {"bias": True}}, "classifier": ["prototype"]},
    ],
    ids=["head", "proximal", "prototype"],
)
def test_heads_train_on_it(tmp_path: Path, changes: dict[str, Any]) -> None:
    """Training by steps, its diagnostics, the evaluation and the arrays of the Record."""
    with pretended_gpu():
        ran = run_study(TINY | SMALL | {"classifier": TINY["classifier"]} | changes, tmp_path)
    for record in ran.records:
        assert record.environment["device"] == "a pretended GPU"
        assert record.cost["gpu_s"] == pytest.approx(record.cost["wall_s"])
        assert set(ran.store.arrays(record)) >= {"w_init", "w_final"}


def test_tf32_is_on_where_a_recipe_declares_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its training, and nowhere else: not in features, nor where another recipe is evaluated."""
    switches = torch.backends.cuda.matmul, torch.backends.cudnn
    seen: dict[str, list[tuple[bool, ...]]] = {"step": [], "encode": [], "evaluate": []}

    def watch(owner: Any, method: str, name: str) -> None:
        real = getattr(owner, method)

        def watched(*args: Any, **kwargs: Any) -> Any:
            seen[name].append(tuple(each.allow_tf32 for each in switches))
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, method, watched)

    watch(Stepper, "step", "step")
    watch(Extraction, "_encoded", "encode")
    watch(evaluate, "_logits", "evaluate")
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)  # as torch has it
    recipe = {"preset": "lit_emoji", "epochs": 1, "precision": ["float32", "tf32"]}
    with pretended_gpu():
        ran = run_study(TINY | {**SMALL, "recipe": recipe}, tmp_path)
    off, on = (False, False), (True, True)
    assert set(seen["evaluate"]) == {off}
    assert set(seen["encode"]) <= {off}, "nothing is encoded if the features are in the cache"
    half = len(seen["step"]) // 2
    assert seen["step"] == [off] * half + [on] * half
    assert torch.backends.cudnn.allow_tf32
    full, tf32 = (r.curve for r in ran.records)
    assert [p["loss"] for p in tf32] == [p["loss"] for p in full], "a CPU is below"
    assert not any("tf32" in text for r in ran.records for text in r.warnings)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_lower_precisions_agree_with_the_full_one(tmp_path: Path, precision: str) -> None:
    """Of the projection, on the GPU: the same losses up to the rounding of the precision."""
    recipe = {"preset": "lit_emoji", "epochs": 2, "precision": ["float32", precision]}
    with pretended_gpu():
        ran = run_study(TINY | {**SMALL, "recipe": recipe}, tmp_path)
    full, lower = (r.curve for r in ran.records)
    assert [p["loss"] for p in lower] == pytest.approx([p["loss"] for p in full], rel=0.02)
    assert [p["loss"] for p in lower] != [p["loss"] for p in full]


def test_on_a_gpu_kernels_are_named_refused_or_fast(
    tmp_path: Path, unordered: list[tuple[bool, ...]]
) -> None:
    recipe = {"preset": "lit_emoji", "epochs": 1, "deterministic": [None, True, False]}
    task = TINY | {**SMALL, "recipe": recipe}
    with pretended_gpu():
        plain, strict, fast = run_study(task, tmp_path, failing=True).records
    assert [r.status for r in (plain, strict, fast)] == ["done", "failed", "done"]
    assert strict.error is not None
    assert "put_" in strict.error["message"]
    assert [text.split()[0] for text in plain.warnings if "fixed order" in text] == ["put_"]
    assert not any("fixed order" in text for text in fast.warnings)
    assert list(dict.fromkeys(unordered)) == [(True, False), (False, True)]
