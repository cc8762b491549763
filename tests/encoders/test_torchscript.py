"""TorchScript archives to safetensors: by a digest that is known or stated, and in no other way."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.core.errors import EncoderError, OutputError
from harness.encoders import _open_clip_library, _torchscript, open_clip
from harness.encoders._weights import read_header, state_dict

from . import tiny
from .compare import assert_same, embedded

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:FutureWarning")


class QuickGELU(torch.nn.Module):
    """As OpenAI's: known by the name of its class."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.sigmoid(1.702 * x)


class Archive(torch.nn.Module):
    """The names and settings of OpenAI's state_dict, with an activation that the code tells."""

    def __init__(self, tensors: dict[str, torch.Tensor], activation: torch.nn.Module) -> None:
        super().__init__()
        self.gelu = activation
        for name, value in tensors.items():
            _put(self, name.split("."), value)
        for name in ("input_resolution", "context_length", "vocab_size"):
            self.register_buffer(name, torch.tensor(7))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.gelu(x)  # type: ignore[no-any-return]


def _put(module: torch.nn.Module, path: list[str], value: torch.Tensor) -> None:
    for name in path[:-1]:
        if name not in module._modules:
            module.add_module(name, torch.nn.Module())
        module = module._modules[name]  # type: ignore[assignment]
    module.register_parameter(path[-1], torch.nn.Parameter(value, requires_grad=False))


def archive(folder: Path, activation: torch.nn.Module, config: dict[str, Any] = tiny.VIT) -> Path:
    """A scripted archive of the tensors of a small CLIP, in half precision as OpenAI's."""
    tiny.open_clip_model(folder, config)
    tensors = torch.load(folder / "weights.pt", weights_only=True)
    scripted = torch.jit.script(Archive({k: v.half() for k, v in tensors.items()}, activation))
    path = folder / "Tiny.pt"
    torch.jit.save(scripted, path)
    return path


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archive(tmp_path_factory.mktemp("quick"), QuickGELU())


@pytest.fixture(scope="module")
def converted(quick: Path) -> Path:
    out, arch = _torchscript.convert(quick, None, sha256_of(quick).upper())
    assert (out, arch) == (quick.parent / "Tiny.safetensors", None)
    return out


def in_this_process(file: Path, out: Path) -> int:
    """What the process of its own does, without waiting for one."""
    return _torchscript._child(file, out, sha256_of(file), {})


def test_the_digests_are_those_that_openai_published() -> None:
    found = {arch: digest for digest, arch, _ in _open_clip_library.openai_archives()}
    assert found["ViT-B-32-quickgelu"] == (
        "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af"
    )
    assert len(found) == len(set(found.values())) == 9


def test_a_known_archive_is_converted(
    quick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is then read with the activation that it was trained with, under its plain name."""
    tag = {**_open_clip_library.CLIP_PREPROCESS, "quick_gelu": True}
    known = lambda: iter([(sha256_of(quick), "Tiny-quickgelu", tag)])  # noqa: E731
    monkeypatch.setattr(_open_clip_library, "openai_archives", known)
    out, arch = _torchscript.convert(quick, tmp_path / "made" / "tiny.safetensors", None)
    assert (out, arch) == (tmp_path / "made" / "tiny.safetensors", "Tiny-quickgelu")
    expected = torch.load(quick.parent / "weights.pt", weights_only=True)
    made = state_dict(out)
    assert made.keys() == expected.keys()
    assert all(torch.equal(made[name], value.half()) for name, value in expected.items())
    says = read_header(out).says
    assert says["quick_gelu"] is True
    assert says["preprocess_cfg"]["mean"] == tag["mean"]


def test_what_was_converted_computes_what_its_tensors_say(
    quick: Path, converted: Path, tmp_path: Path
) -> None:
    config = tmp_path / "quick.json"
    config.write_text(json.dumps({**tiny.VIT, "quick_gelu": True}))
    library = tiny.open_clip_reference(config).model
    library.load_state_dict(state_dict(converted))
    plain = quick.parent / "tiny.json"  # says no activation: the file does
    x_BCHW = torch.randn(2, 3, 32, 32)
    with torch.inference_mode():
        encoder = open_clip.build_image(f"{plain}@{converted}", open_clip.Options())
        assert_same(embedded(encoder, x_BCHW), library.encode_image(x_BCHW))


@pytest.mark.parametrize(
    ("activation", "says"), [(torch.nn.GELU(), {"quick_gelu": False}), (torch.nn.ReLU(), {})]
)
def test_the_activation_is_told_only_where_the_code_tells_it(
    tmp_path: Path, activation: torch.nn.Module, says: dict[str, bool]
) -> None:
    file = archive(tmp_path / "a", activation)
    out = tmp_path / "out.safetensors"
    assert in_this_process(file, out) == 0
    assert read_header(out).says == says


def test_an_unknown_archive_is_not_read(quick: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.safetensors"
    for stated, words in (
        (None, r"none of the 9 archives that OpenAI published.*give --sha256 with the digest"),
        ("0" * 64, r"has the sha256 .*, not 000000000000\.\.\.: it is damaged or another file"),
        ("abc", r"--sha256: abc is no sha256"),
    ):
        with pytest.raises(EncoderError, match=words):
            _torchscript.convert(quick, out, stated)
    assert not out.exists()


def test_bytes_that_change_before_they_are_read_are_not_read(quick: Path, tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="has changed while it was read"):
        _torchscript._in_own_process(quick, tmp_path / "o.safetensors", "0" * 64, {})
    assert not (tmp_path / "o.safetensors").exists()


def test_a_damaged_archive_is_one_line(
    quick: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import zipfile

    cut = tmp_path / "cut.pt"
    with zipfile.ZipFile(quick) as whole, zipfile.ZipFile(cut, "w") as part:
        for name in whole.namelist():
            if not name.endswith("data.pkl"):
                part.writestr(name, whole.read(name))
    assert in_this_process(cut, tmp_path / "o.safetensors") == _torchscript._UNREADABLE
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "o.safetensors").exists()


def test_what_is_there_is_kept(quick: Path, converted: Path, tmp_path: Path) -> None:
    before = converted.stat().st_mtime_ns
    _torchscript.convert(quick, None, sha256_of(quick))
    assert converted.stat().st_mtime_ns == before
    out = tmp_path / "w.safetensors"
    out.write_bytes(b"something else")
    with pytest.raises(OutputError, match="exists and was not made of this archive"):
        _torchscript.convert(quick, out, sha256_of(quick))


def test_what_is_no_archive(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(2)}, tmp_path / "state.pt")
    (tmp_path / "text.pt").write_text("hello")
    for name, words in (
        ("state.pt", "is no TorchScript archive: a state_dict needs no conversion"),
        ("text.pt", "is no TorchScript archive"),
        ("nowhere.pt", "there is no file"),
    ):
        with pytest.raises(EncoderError, match=words):
            _torchscript.convert(tmp_path / name, None, None)


def test_an_encoder_does_not_read_an_archive(quick: Path) -> None:
    config = quick.parent / "tiny.json"
    words = re.escape(f"harness fetch --convert {quick}")
    with pytest.raises(EncoderError, match=f"holds code: .*{words}"):
        open_clip.facts(f"{config}@{quick}", open_clip.Options())
