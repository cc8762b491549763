"""Whole cells on the pretended GPU, of kinds that other tests of `make test-pretended` lack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import TINY, run_study

from harness.run.encoders import load_encoder, load_text_encoder
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
        ran = run_study(TINY | {"seeds": 1} | changes, tmp_path)
    for record in ran.records:
        assert record.environment["device"] == "a pretended GPU"
        assert record.cost["gpu_s"] == pytest.approx(record.cost["wall_s"])
        assert set(ran.store.arrays(record)) >= {"w_init", "w_final"}


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_lower_precisions_agree_with_the_full_one(tmp_path: Path, precision: str) -> None:
    """Of the projection, on the GPU: the same losses up to the rounding of the precision."""
    recipe = {"preset": "lit_emoji", "epochs": 2, "precision": ["float32", precision]}
    with pretended_gpu():
        ran = run_study(TINY | {"seeds": 1, "classifier": "text", "recipe": recipe}, tmp_path)
    full, lower = (r.curve for r in ran.records)
    assert [p["loss"] for p in lower] == pytest.approx([p["loss"] for p in full], rel=0.02)
    assert [p["loss"] for p in lower] != [p["loss"] for p in full]
