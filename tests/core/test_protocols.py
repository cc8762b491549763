"""What the Protocols themselves do: inputs that refuse what was not declared, and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from harness.core.cells import Cell, Choice, KeyedCell
from harness.core.conform import conform
from harness.core.errors import CellError
from harness.core.protocols.classifier import ClassifierInputs
from harness.core.protocols.dataset import Dataset, as_clips, as_features
from harness.core.protocols.encoder import EncoderPlugin, ImageEncoder
from harness.core.protocols.launcher import (
    Cancelled,
    CellJob,
    Events,
    Forecast,
    JobReport,
    Launcher,
)
from harness.core.protocols.method import Method, MethodInputs
from harness.core.protocols.paradigm import Head
from harness.core.protocols.prompt import Prompt
from harness.core.protocols.solver import Watch

LENGTH_2 = torch.zeros(2, 4)
LABELS = torch.tensor([0, 1])
CELL = Cell(Choice("emoji"), "few_shot", Choice("e"))


# --- inputs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [ClassifierInputs, MethodInputs])
def test_inputs_that_were_not_declared(kind: Any) -> None:
    scale = {"logit_scale": 1.0} if kind is MethodInputs else {}
    nothing = kind(n_classes=2, dim=4, generator=torch.Generator(), **scale)
    for name in ("text", "support") + (("validation",) if kind is MethodInputs else ()):
        with pytest.raises(LookupError, match=f"does not name '{name}'"):
            getattr(nothing, name)()


def test_inputs_that_were_declared() -> None:
    inputs = MethodInputs(
        2, 4, 1.0, torch.Generator(), text_CD=LENGTH_2, support_ND=LENGTH_2, labels_N=LABELS,
        validation_MD=LENGTH_2, validation_labels_M=LABELS,
    )  # fmt: skip
    assert inputs.text() is LENGTH_2
    assert inputs.support() == (LENGTH_2, LABELS)
    assert inputs.validation() == (LENGTH_2, LABELS)
    classifier = ClassifierInputs(2, 4, torch.Generator(), LENGTH_2, LENGTH_2, LABELS)
    assert classifier.text() is LENGTH_2
    assert classifier.support() == (LENGTH_2, LABELS)


# --- defaults ------------------------------------------------------------------------------------


def two(a: Any, b: Any) -> None: ...


def test_a_head_with_rows_of_its_own() -> None:
    head = conform(
        Head,
        SimpleNamespace(
            whole_batch=False, begin_epoch=len, loss=two, logits=len, pretrained=list, new=list,
            weight=list,
        ),
        "head",
    )  # fmt: skip
    with pytest.raises(CellError):
        head.put_rows(LABELS, LENGTH_2, trained=True)
    with pytest.raises(CellError):
        head.with_classifier(LENGTH_2)
    with pytest.raises(CellError, match="cuda"):
        head.to(torch.device("cuda"))
    head.to(torch.device("cpu"))
    assert head.weight_gradient() is None


def test_a_method_without_a_plain_classifier() -> None:
    method = conform(Method, SimpleNamespace(USES=(), fit=two, logits=two), "method")
    assert method.weight("state") is None
    assert method.parameters("state") == 0


def test_a_prompt_with_one_wording() -> None:
    prompt = conform(Prompt, SimpleNamespace(texts=lambda names, options: [["x"]]), "prompt")
    assert prompt.evaluation_texts(["a"], None) == [["x"]]
    assert prompt.drawn(None) is False
    with pytest.raises(NotImplementedError):
        prompt.start(None, None, None)  # type: ignore[arg-type]


def test_an_encoder_without_a_network_to_fetch_from() -> None:
    encoder = conform(
        EncoderPlugin, SimpleNamespace(facts=two, build_image=two, build_text=two), "e"
    )
    assert encoder.READS == ("pictures", "texts")
    assert encoder.TAKES_CONTEXT is False
    assert encoder.fetch("x", None) is False
    image = conform(
        ImageEncoder, SimpleNamespace(preprocess=two, features=len, projection=tuple), "e"
    )
    assert image.module is None


def test_the_kind_of_a_dataset() -> None:
    data: Any = SimpleNamespace(kind="pictures")
    assert as_clips(data) is None
    assert as_features(data) is None
    data.kind = "clips"
    assert as_clips(data) is data
    data.kind = "features"
    assert as_features(data) is data
    least = SimpleNamespace(classes=(), train=1, test=1, manifest="m", part=len, image=len)
    assert conform(Dataset, least, "d").kind == "pictures"


# --- launchers and solvers -----------------------------------------------------------------------


def test_a_launcher_that_runs_cells_here() -> None:
    launcher = conform(Launcher, SimpleNamespace(submit=len), "launcher")
    cells = [KeyedCell(CELL, "k", "t")] * 3
    assert launcher.DETACHED is False
    assert launcher.settings("options") == "options"
    assert launcher.forecast(cells, lambda cell: 1200.0, None) == Forecast(3600.0, 1.0)
    assert launcher.status(None, [], []) == JobReport()  # type: ignore[arg-type]
    assert launcher.cancel(None, [], "t") == Cancelled(0, 0)  # type: ignore[arg-type]


def test_cells_in_flight_are_those_of_live_jobs() -> None:
    def job(live: bool) -> CellJob:
        return CellJob("b", "t", 0.0, live=live, waiting=False, over=False, reason="x")

    assert JobReport({"a": job(True), "b": job(False)}).in_flight() == {"a"}


def test_events_need_no_listener() -> None:
    events = Events()
    for nothing in (events.features(1, 2), events.ready(), events.cell(None, "done")):  # type: ignore[arg-type]
        assert nothing is None


def test_trainings_of_one_cell_are_told_apart() -> None:
    points: list[Mapping[str, Any]] = []
    watch = Watch(lambda: True, points.append)
    second = watch.of_training(2)
    second.epoch({"epoch": 1})
    assert points == [{"epoch": 1, "training": 2}]
    assert second.interrupted()
