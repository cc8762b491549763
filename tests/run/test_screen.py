"""Screens: W as a training begins with it, on samples that the cell may see before training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import plan_of
from PIL import Image

from harness.core.errors import BadInput
from harness.core.protocols.screen import Screened, ScreenInputs
from harness.run.build import build_model
from harness.run.plugins import screen_plugins
from harness.run.screen import screen_cells, screen_inputs

from .outside import Colours, task
from .prepared import prepared

#: The heads and parts that a training may move.
TUNINGS: list[tuple[str, Any]] = [
    ("vision_text", "projection"), ("vision_text", "all"), ("vision_text", "head"),
    ("vision_only", "head"), ("vision_only", {"head": {"on": "backbone"}}),
]  # fmt: skip


def screened(runs: Path, **changes: Any) -> list[Screened]:
    cells = plan_of(task(seeds=1) | changes, runs).cells
    return list(screen_cells(cells, screen_plugins()).values())


@pytest.mark.parametrize(("paradigm", "tuning"), TUNINGS, ids=str)
@pytest.mark.parametrize("classifier", ["text", "random"])
def test_w_is_that_with_which_training_begins(
    tmp_path: Path, paradigm: str, tuning: Any, classifier: str
) -> None:
    p = prepared(tmp_path, paradigm=paradigm, tuning=tuning, classifier=classifier)
    if tuning == "all":  # its features are not loaded for a run
        (found,) = screened(tmp_path, paradigm=paradigm, tuning=tuning, classifier=classifier)
        assert found.n == 12
        return
    inputs = screen_inputs(p.cell, p.resources)
    built = build_model(p.cell, p.recipe, p.resources)
    length_C1 = np.linalg.norm(inputs.w_CD, axis=1, keepdims=True)
    own_CD = inputs.w_CD / (length_C1 if paradigm == "vision_text" else 1)
    start_CD = built.w_init_CD.double().numpy()
    np.testing.assert_allclose(own_CD, start_CD, atol=1e-6)
    assert (inputs.b_C is None) == (paradigm == "vision_text")


def test_it_is_measured_on_the_support_set(tmp_path: Path) -> None:
    (found,) = screened(tmp_path, classifier="text")
    assert (found.samples, found.n, found.own, found.why) == ("support", 12, False, "")
    p = prepared(tmp_path)
    support = p.cell.support
    assert support is not None
    inputs = screen_inputs(p.cell, p.resources)
    assert inputs.labels_N.tolist() == list(support.labels)
    values = {name: s.compute(inputs) for name, s in screen_plugins().items()}
    assert values == found.values


def test_or_on_the_validation_set_where_the_cell_has_one(tmp_path: Path) -> None:
    given = {"search": {"recipe.lr": [1e-3, 1e-2]}, "selection": "val", "val": 1}
    for tuning in ("projection", "head"):
        found = screened(tmp_path, classifier=["text", "prototype"], tuning=tuning, **given)
        assert [(s.samples, s.n, s.own) for s in found] == [("validation", 6, False)] * 2


def test_what_w_is_made_of_is_said(tmp_path: Path) -> None:
    weighed = {"name": "text_prototype", "weight": "validation"}
    found = screened(tmp_path, classifier=["text", "prototype", weighed], val=1)
    assert [(s.samples, s.own) for s in found] == [
        ("support", False), ("support", True), ("validation", True),
    ]  # fmt: skip


def test_cells_without_w_or_samples_say_why(tmp_path: Path) -> None:
    only = {"paradigm": "vision_only", "classifier": "random", "tuning": "projection"}
    (drawn,) = screened(tmp_path, **only)
    assert (drawn.values, drawn.why) == ({}, "its head draws its own rows")
    (method,) = screened(tmp_path, method="run.outside:KEPT", classifier=None, val=2)
    assert method.why == "a method has no W before training"
    zero_shot = {"regime": "zero_shot", "shots": None}
    (nothing,) = screened(tmp_path, classifier="text", **zero_shot)
    assert nothing.why == "it has no samples beside the test set"


class NoTest(Colours):
    """Pictures of the test set cannot be read. Their features are in no cache."""

    manifest = "no test"

    def fingerprint(self, item: str) -> str:
        return f"no test {item}"

    def image(self, item: str) -> Image.Image:
        assert not item.startswith("test"), "a screen reads no test picture"
        return super().image(item)


class NoPicture(Colours):
    """No picture can be read."""

    manifest = "no picture"

    def fingerprint(self, item: str) -> str:
        return f"no picture {item}"

    def image(self, item: str) -> Image.Image:
        from harness.core.errors import DataError

        raise DataError(f"{item}: is no picture")


@pytest.mark.parametrize("tuning", ["projection", "head", "all"])
def test_no_test_sample_is_read(tmp_path: Path, elsewhere: Any, tuning: str) -> None:
    name = elsewhere("no_test", open_dataset=lambda *_: NoTest())
    (found,) = screened(tmp_path, dataset=name, classifier="text", tuning=tuning)
    assert found.n == 12


def test_data_that_cannot_be_read_are_refused(tmp_path: Path, elsewhere: Any) -> None:
    name = elsewhere("no_picture", open_dataset=lambda *_: NoPicture())
    with pytest.raises(BadInput, match="is no picture"):
        screened(tmp_path, dataset=name, classifier="text")


def test_the_same_cells_have_the_same_values(tmp_path: Path) -> None:
    changes = {"classifier": ["text_rotated", "random"], "seeds": 2}
    assert screened(tmp_path, **changes) == screened(tmp_path, **changes)


def test_inputs_are_of_float64(tmp_path: Path) -> None:
    p = prepared(tmp_path)
    inputs = screen_inputs(p.cell, p.resources)
    assert isinstance(inputs, ScreenInputs)
    assert inputs.w_CD.dtype == inputs.z_ND.dtype == np.float64
