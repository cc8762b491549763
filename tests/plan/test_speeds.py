"""Speeds of devices: learnt from Records of the same encoder, else stated."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core.cells import Cell, Choice, Recipe
from harness.core.hardware import Hardware
from harness.plan.measured import Measured
from harness.plan.speeds import CORE_SPEED, Speeds, learn_speeds


def cell(precision: str = "float32", encoder: str = "e", tuning: str = "all") -> Cell:
    recipe = Recipe(precision=precision)
    return Cell(Choice("d"), "full", Choice(encoder), tuning=tuning, recipe=recipe)


@pytest.mark.parametrize(
    ("name", "float32", "bfloat16"),
    [
        ("a100", 19.5 * 0.6, 312 * 0.3),
        ("NVIDIA A100-SXM4-80GB", 19.5 * 0.6, 312 * 0.3),
        ("NVIDIA A10G", 31.2 * 0.6, 125 * 0.3),
        ("NVIDIA H100 80GB HBM3", 67 * 0.6, 989 * 0.3),
        ("NVIDIA GH200 480GB", 67 * 0.6, 989 * 0.3),
        ("nvidia_l40s", 91.6 * 0.6, 362 * 0.3),
        ("NVIDIA GeForce RTX 3090", 35.6 * 0.6, 71 * 0.3),
        ("Tesla V100-PCIE-16GB", 15.7 * 0.6, 15.7 * 0.6),  # no bfloat16 on tensor cores
    ],
)
def test_the_table(name: str, float32: float, bfloat16: float) -> None:
    for precision, tflops in (("float32", float32), ("bfloat16", bfloat16)):
        speed = Speeds()(cell(precision), Hardware("cuda", name))
        assert speed.operations_per_s == pytest.approx(tflops * 1e12)
        assert speed.source.startswith("stated for ")


@pytest.mark.parametrize(
    ("name", "tflops"),
    [("a100", 156 * 0.3), ("h100", 495 * 0.3), ("l40", 90.5 * 0.6), ("V100", 15.7 * 0.6)],
)
def test_tf32(name: str, tflops: float) -> None:
    """As fast as float32 where a GPU has no faster tensor cores for it, and on a core."""
    speed = Speeds()(cell("tf32"), Hardware("cuda", name))
    assert speed.operations_per_s == pytest.approx(tflops * 1e12)
    assert speed.source.endswith(", tf32")
    speeds = learn_speeds([Measured(cell("tf32"), 120.0, 100.0, 5e12)])
    assert speeds(cell(), Hardware("cpu")) == speeds(cell("tf32"), Hardware("cpu"))
    assert speeds(cell(), Hardware("cpu")).operations_per_s == 5e10


def test_a_gpu_that_is_not_known_counts_as_a_slow_one() -> None:
    for name in (None, "A1000", "MI300X"):
        speed = Speeds()(cell(), Hardware("cuda", name))
        assert speed.operations_per_s == pytest.approx(15.7e12 * 0.6)
        assert str(speed) == "9.4 TFLOP/s (as of V100: the GPU is not known, float32)"


def test_a_core() -> None:
    assert Speeds()(cell(), Hardware("cpu")).operations_per_s == CORE_SPEED


def test_speeds_are_learnt_by_device_encoder_and_precision() -> None:
    run = Measured(cell(), 120.0, 100.0, 5e14, "NVIDIA A100-SXM4-40GB", processes=2)
    longer = replace(run, trained=300.0, operations=3e15)
    speeds = learn_speeds([run, longer])
    for gpu in ("a100", "NVIDIA A100-PCIE-40GB"):
        learnt = speeds(cell(), Hardware("cuda", gpu)).operations_per_s
        assert learnt == pytest.approx(3.5e15 / 800), "of each of two processes"
    stated = Speeds()(cell(), Hardware("cuda", "h100"))
    assert speeds(cell(), Hardware("cuda", "h100")) == stated
    assert speeds(cell(encoder="other"), Hardware("cuda", "a100")).source.startswith("stated")
    assert speeds(cell("bfloat16"), Hardware("cuda", "a100")).source.startswith("stated")
    assert speeds(cell(), Hardware("cpu")).operations_per_s == CORE_SPEED


def test_what_tells_no_speed() -> None:
    run = Measured(cell(), 120.0, 100.0, 5e14, "a100")
    others = [
        replace(run, cell=cell(tuning="head")),
        replace(run, operations=0.0),
        replace(run, trained=9.0),
    ]
    for other in others:
        assert learn_speeds([other]) == Speeds()


def test_trainings_that_encode_texts_at_every_step_tell_no_speed() -> None:
    """Their seconds are those of the text tower too, and the operations are not."""
    online = replace(cell(), text_tower="online")
    learned = replace(cell(), prompt=Choice("learnable"))
    measured = [Measured(c, 1200.0, 1000.0, 5e12) for c in (online, learned)]
    assert learn_speeds(measured).learned == {}
    alone = Measured(cell(), 120.0, 100.0, 5e12)
    assert learn_speeds([*measured, alone]) == learn_speeds([alone])
