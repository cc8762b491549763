"""Classes of equal texts: cells that fail with their names, cells that accept it, and warnings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import plan_of, run_study

from harness.core.errors import CellError
from harness.core.text_context import ContextForm, TextContext
from harness.run.build import build_model
from harness.run.equal_texts import cut_warnings, text_warnings, uses_text
from harness.run.methods import method_warnings

from .outside import NAMES, TextTower
from .prepared import Prepared, prepared

ACCEPTED = {"allow": ["equal_texts"]}


@pytest.fixture
def colour_blind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A tower that reads 'green' as 'red', and 'grey' nearly as 'pink'; it cuts 'blue'."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    own = TextTower.embed

    def embed(self: TextTower, texts: Any) -> torch.Tensor:
        z_ND = own(self, [text.replace("green", "red") for text in texts])
        for row, text in enumerate(texts):
            if "grey" in text:
                z_ND[row] = own(self, ["pink"])[0] + 1e-3 * z_ND[row]
        return z_ND

    monkeypatch.setattr(TextTower, "embed", embed)
    monkeypatch.setattr(
        TextTower, "cut_short", lambda self, texts, context=0: ["blue" in t for t in texts],
        raising=False,
    )  # fmt: skip
    from harness.run.encoders import load_text_encoder

    load_text_encoder.cache_clear()
    yield
    load_text_encoder.cache_clear()


def built(p: Prepared) -> Any:
    return build_model(p.cell, p.recipe, p.resources)


@pytest.mark.usefixtures("colour_blind")
@pytest.mark.parametrize("classifier", ["text", "text_rotated", "gram_matched"])
def test_equal_rows_fail_the_cell_and_name_the_classes(tmp_path: Path, classifier: str) -> None:
    with pytest.raises(CellError, match=r"equal rows of W to 'red' and 'green': .*\[equal_texts\]"):
        built(prepared(tmp_path, classifier=classifier))


@pytest.mark.usefixtures("colour_blind")
@pytest.mark.parametrize("classifier", ["random", "orthogonal", "prototype"])
def test_rows_without_texts_are_exempt(tmp_path: Path, classifier: str) -> None:
    p = prepared(tmp_path, classifier=classifier)
    assert not uses_text(p.cell)
    assert built(p).warnings == ()


@pytest.mark.usefixtures("colour_blind")
def test_what_a_task_accepts_is_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    p = prepared(tmp_path, **ACCEPTED)
    cut, equal, close = built(p).warnings
    assert cut.endswith("cuts the texts of 1 class at their end: 'blue'.")
    assert equal.endswith("give equal rows of W to 'red' and 'green'.")
    assert close.startswith("The rows of W of 'pink' and 'grey' have a cosine above 0.999 under ")
    assert built(p).warnings == (cut, equal, close)
    told = capsys.readouterr().err.splitlines()
    assert told == [f"warning: {each}" for each in (cut, equal, close)]  # once a run


@pytest.mark.usefixtures("colour_blind")
def test_matching_and_methods_read_texts(tmp_path: Path) -> None:
    with pytest.raises(CellError, match="'red' and 'green'"):
        built(prepared(tmp_path / "a", paradigm="matching"))
    p = prepared(tmp_path / "b", method="run.outside:KEPT", val=1)
    with pytest.raises(CellError, match="'red' and 'green'"):
        method_warnings(p.cell, p.resources)
    p = prepared(tmp_path / "c", method="run.outside:RIDGE")
    assert method_warnings(p.cell, p.resources) == ()


@pytest.mark.usefixtures("colour_blind")
def test_records_of_tested_classes(tmp_path: Path) -> None:
    """Zero-shot: rows of the tested classes are made after training, and are looked at then."""
    changes: dict[str, Any] = {"regime": "zero_shot", "shots": None, "seeds": 1}
    (record,) = run_study(task_of(), tmp_path / "refused", failing=True, **changes).records
    assert record.status == "failed"
    assert record.error is not None
    assert "'red' and 'green'" in record.error["message"]
    (record,) = run_study(task_of(), tmp_path / "accepted", **changes, **ACCEPTED).records
    assert (record.status, len(record.warnings)) == ("done", 3)


@pytest.mark.usefixtures("colour_blind")
def test_the_next_plan_says_what_a_run_found(tmp_path: Path) -> None:
    p = prepared(tmp_path, **ACCEPTED)
    assert plan_of(task_of(), tmp_path).found() == ()
    built(p)
    equal, close, cut = plan_of(task_of(), tmp_path).found()
    assert equal.endswith("gives equal embeddings to 'red' and 'green'")
    assert close.endswith("gives embeddings of a cosine above 0.999 to 'pink' and 'grey'")
    assert cut.endswith("cuts 1 class texts: 'blue'")


def task_of() -> dict[str, Any]:
    from .outside import task

    return task(classifier="text", seeds=1)


@pytest.mark.usefixtures("colour_blind")
def test_a_long_context_cuts_more(tmp_path: Path) -> None:
    p = prepared(tmp_path, **ACCEPTED)
    context = TextContext(torch.zeros(4, 384))
    (warning,) = cut_warnings(p.cell, NAMES, p.resources, context)
    assert warning.endswith(
        "cuts the texts of 1 class at their end behind a context of 4 vectors: 'blue'."
    )
    context = replace(context, form=ContextForm("around"))
    (warning,) = cut_warnings(p.cell, NAMES, p.resources, context)
    assert warning.endswith(
        "cuts the names of 1 class at their end in a context of 4 vectors: 'blue'."
    )


def test_ordinary_texts_have_no_warning(tmp_path: Path) -> None:
    p = prepared(tmp_path)
    assert text_warnings(p.cell, NAMES, torch.eye(6, 8), p.resources) == ()
    assert built(p).warnings == ()
