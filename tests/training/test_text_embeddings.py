"""Embeddings of class texts: made once, averaged by class, and in batches on a GPU.

tests/data/test_fingerprints.py holds by which content they are addressed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from encoders import tiny
from pretended_gpu import pretended_gpu
from torch.nn import functional as F

from harness.core import rates
from harness.core.cells import Choice
from harness.core.text_findings import text_address
from harness.encoders import hf_text, open_clip
from harness.encoders._text import TunableTextTower
from harness.training import text_embeddings as module
from harness.training.text_embeddings import text_embeddings, text_file

CUDA = torch.device("cuda")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Loads:
    """Gives the tower, and counts how often it is asked to."""

    def __init__(self, tower: Any) -> None:
        self.tower, self.number = tower, 0

    def __call__(self) -> Any:
        self.number += 1
        return self.tower


class Lengths:
    """A text encoder: (length, 1)."""

    def embed(self, texts: Any) -> torch.Tensor:
        return torch.tensor([[float(len(t)), 1.0] for t in texts])


PROMPT = Choice("class_name")


def test_one_text_is_its_embedding_and_several_are_averaged() -> None:
    load = Loads(Lengths())
    assert text_embeddings("w", load, PROMPT, [["a"], ["abc"]]).tolist() == [[1, 1], [3, 1]]
    rows_KD = torch.tensor([[1.0, 1.0], [3.0, 1.0]])
    texts = [["a", "abc"]]
    normalised = text_embeddings("w", load, PROMPT, texts)
    torch.testing.assert_close(normalised[0], F.normalize(rows_KD, dim=-1).mean(dim=0))
    other = text_embeddings("w", load, Choice("templates"), texts, "plain")
    torch.testing.assert_close(other[0], rows_KD.mean(dim=0))


def test_texts_are_embedded_once(own_cache: Path) -> None:
    load = Loads(Lengths())
    for _ in range(2):
        text_embeddings("w", load, PROMPT, [["a"]])
    assert load.number == 1
    text_embeddings("other weights", load, PROMPT, [["a"]])
    text_embeddings("w", load, PROMPT, [["b"]])
    assert load.number == 3
    for path in (own_cache / "text").glob("*.npy"):
        path.write_bytes(b"damaged")
    assert text_embeddings("w", load, PROMPT, [["a"]]).tolist() == [[1, 1]]
    assert load.number == 4


# --- on a GPU ------------------------------------------------------------------------------------

TEXTS = [
    ["a", "a picture of a red car"], ["blue"], ["a green boat of a red cat", "cat", "a photo"]
]  # fmt: skip


@pytest.fixture(scope="module", params=["open_clip", "bert"])
def tower(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> TunableTextTower:
    """CLIP's fills every text up to its context, BERT's up to the longest of a batch."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "bert":
        return hf_text.build_text(tiny.bert(folder), hf_text.Options())
    return open_clip.build_text(tiny.open_clip_model(folder, tiny.VIT), open_clip.Options())


@pytest.fixture
def batches(tower: TunableTextTower, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Texts of every call of the tower, which has no memory for more than 2."""
    sizes: list[int] = []
    encode = type(tower).encode

    def limited(self: Any, texts: list[str], *rest: Any) -> torch.Tensor:
        sizes.append(len(texts))
        if len(texts) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return encode(self, texts, *rest)

    monkeypatch.setattr(type(tower), "encode", limited)
    return sizes


@pytest.mark.parametrize("average", ["normalised", "plain"])
def test_batches_give_the_rows_of_single_texts(tower: TunableTextTower, average: str) -> None:
    expected = text_embeddings("w", Loads(tower), PROMPT, TEXTS, average)
    before = {name: each.clone() for name, each in tower.module.state_dict().items()}
    with pretended_gpu():
        found = text_embeddings("w", Loads(tower), PROMPT, TEXTS, average, None, CUDA)
        assert found.device.type == "cpu"
        assert {each.device.type for each in tower.module.state_dict().values()} == {"cpu"}
    assert all(torch.equal(each, before[n]) for n, each in tower.module.state_dict().items())
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert not found.is_inference()


def test_the_tower_computes_on_the_gpu(
    tower: TunableTextTower, monkeypatch: pytest.MonkeyPatch
) -> None:
    devices: list[str] = []
    encode = type(tower).encode

    def seen(self: Any, texts: list[str], *rest: Any) -> torch.Tensor:
        z_ND = encode(self, texts, *rest)
        devices.append(z_ND.device.type)
        return z_ND

    monkeypatch.setattr(type(tower), "encode", seen)
    with pretended_gpu():
        text_embeddings("w", Loads(tower), PROMPT, TEXTS, torch_device=CUDA)
    assert devices == ["cuda"]


def test_batches_are_halved_until_they_fit(
    tower: TunableTextTower, batches: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GPU_BATCH", 8)
    expected = text_embeddings("w", Loads(tower), PROMPT, TEXTS)
    batches.clear()
    with pretended_gpu():
        found = text_embeddings("w", Loads(tower), PROMPT, TEXTS, torch_device=CUDA)
    assert batches == [6, 4, 2, 2, 2]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_a_tower_that_fits_no_text_is_on_the_cpu_again(
    tower: TunableTextTower, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(type(tower), "encode", never)
    with pretended_gpu():
        with pytest.raises(torch.OutOfMemoryError):
            text_embeddings("w", Loads(tower), PROMPT, TEXTS, torch_device=CUDA)
        assert {each.device.type for each in tower.module.state_dict().values()} == {"cpu"}


def test_a_gpu_has_files_and_rates_of_its_own(tower: TunableTextTower) -> None:
    load = Loads(tower)
    text_embeddings("w", load, PROMPT, TEXTS)
    with pretended_gpu():
        for _ in range(2):
            text_embeddings("w", load, PROMPT, TEXTS, torch_device=CUDA)
    assert load.number == 2
    files = [text_file("w", PROMPT, TEXTS, where) for where in ("cpu", "cuda")]
    assert all(path.is_file() for path in files)
    assert files[0] != files[1]
    assert files[0].stem == text_address("w", PROMPT, TEXTS), "as before there were GPUs"
    for key in ("w", ["w", "cuda"]):
        assert rates.measured(rates.TEXT, key) is not None
