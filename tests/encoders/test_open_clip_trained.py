"""How the weights of a file were trained: what tells it, what contradicts it, what is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.core.errors import EncoderError
from harness.encoders import _open_clip_library as library
from harness.encoders import open_clip
from harness.encoders._open_clip_source import OpenClipSource, locate
from harness.encoders._open_clip_trained import Stated, how_trained
from harness.encoders._weights import CheckpointHeader

from . import tiny
from .compare import assert_same, embedded

OPENAI_VALUES = {"mean": library.CLIP_PREPROCESS["mean"], "resize_mode": "shortest"}
HALF = {"mean": [0.5] * 3, "std": [0.5] * 3}
SQUASH = {"mean": [0.1, 0.2, 0.3], "resize_mode": "squash"}
Locate = Callable[..., OpenClipSource]


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """A library of small architectures (Small, Small-quickgelu, Alone, Untagged) and their tags."""
    configs = {"Small": tiny.VIT, "Small-quickgelu": {**tiny.VIT, "quick_gelu": True}}
    configs |= {"Alone": tiny.VIT, "Untagged": tiny.VIT}
    paths = {}
    for name, config in configs.items():
        paths[name] = tmp_path / "library" / f"{name}.json"
        paths[name].parent.mkdir(exist_ok=True)
        paths[name].write_text(json.dumps(config))
    quick = {**OPENAI_VALUES, "quick_gelu": True}
    tags: dict[str, dict[str, Any]] = {
        "Small": {"openai": quick, "laion": dict(OPENAI_VALUES), "other": dict(SQUASH)},
        "Small-quickgelu": {"openai": quick},
        "Alone": {"one": dict(SQUASH), "two": dict(SQUASH)},
    }
    from harness.encoders import _open_clip_source as source

    for module in (library, source):
        monkeypatch.setattr(module, "architectures", lambda: paths)
    monkeypatch.setattr(library, "_all_tags", lambda: tags)
    return tags


@pytest.fixture
def found(tmp_path: Path, known: Any) -> Locate:
    """The source of ARCH@FILE; the file says `metadata`, `beside` is the config beside it."""

    def find(arch: str, metadata: Any = None, beside: Any = None, **stated: Any) -> OpenClipSource:
        from safetensors.torch import save_file

        folder = tmp_path / "weights"
        tiny.open_clip_model(folder, tiny.VIT, "w.safetensors")
        if metadata is not None:
            save_file(_tensors(folder), folder / "w.safetensors", metadata)
        if beside is not None:
            (folder / "open_clip_config.json").write_text(json.dumps(beside))
        return locate(f"{arch}@{folder / 'w.safetensors'}", Stated(**stated))

    return find


def _tensors(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(folder / "w.safetensors")


def activation(source: OpenClipSource) -> bool:
    return bool(source.config.get("quick_gelu"))


# --- told by the task -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("like", "quick", "preprocess"),
    [
        ("openai", True, {}),
        ("laion", False, {}),
        ("other", False, SQUASH),
        ("Alone/one", False, SQUASH),
        ("Small-quickgelu/openai", True, {}),
    ],
)
def test_like_settles_activation_and_preprocessing(
    found: Locate, like: str, quick: bool, preprocess: Any
) -> None:
    source = found("Small", like=like)
    assert (activation(source), source.preprocess) == (quick, preprocess)
    assert found("Untagged", like="Alone/two").preprocess == SQUASH


def test_the_activation_narrows_down_the_preprocessing(found: Locate) -> None:
    """Of the weights with QuickGELU all agree; of those with GELU they do not."""
    assert found("Small", quick_gelu=True).preprocess == {}
    assert found("Small-quickgelu").preprocess == {}
    assert activation(found("Small", quick_gelu=True))
    with pytest.raises(EncoderError, match=r"how it was trained \(mean, std and resizing\)"):
        found("Small", quick_gelu=False)


def test_the_activation_may_differ_from_that_of_like(found: Locate) -> None:
    assert not activation(found("Small", like="openai", quick_gelu=False))


def test_a_name_with_its_activation_is_not_to_be_contradicted(found: Locate) -> None:
    with pytest.raises(EncoderError, match=r"quick_gelu: false contradicts .* Small-quickgelu"):
        found("Small-quickgelu", quick_gelu=False)


def test_weights_of_a_tag_take_no_options(known: Any) -> None:
    for stated in (Stated(like="laion"), Stated(quick_gelu=False)):
        with pytest.raises(EncoderError, match="takes neither like nor quick_gelu"):
            locate("Small/laion", stated)


@pytest.mark.parametrize(
    ("like", "words"),
    [
        ("opneai", "no weights 'opneai' of Small; allowed: laion, openai, other. Did you mean"),
        ("Smal/openai", "knows no weights 'openai' of Smal"),
    ],
)
def test_like_that_there_is_not(found: Locate, like: str, words: str) -> None:
    with pytest.raises(EncoderError, match=words):
        found("Small", like=like)


# --- told by the file -----------------------------------------------------------------------------


@pytest.mark.parametrize("quick", [True, False])
def test_metadata_of_the_file(found: Locate, quick: bool) -> None:
    metadata = {"quick_gelu": str(quick), "preprocess_cfg": json.dumps(SQUASH), "format": "pt"}
    source = found("Small", metadata)
    assert (activation(source), source.preprocess) == (quick, SQUASH)


def test_a_config_in_the_metadata(found: Locate) -> None:
    source = found("Small", {"model_cfg": json.dumps({**tiny.VIT, "quick_gelu": True})})
    assert activation(source)
    assert source.preprocess == {}  # as all weights with QuickGELU


def test_entries_beside_a_state_dict(tmp_path: Path, known: Any) -> None:
    tiny.open_clip_model(tmp_path / "w", tiny.VIT)
    tensors = torch.load(tmp_path / "w" / "weights.pt", weights_only=True)
    whole = {"state_dict": tensors, "quick_gelu": True, "preprocess_cfg": SQUASH}
    torch.save(whole, tmp_path / "said.pt")
    source = locate(f"Small@{tmp_path / 'said.pt'}", Stated())
    assert (activation(source), source.preprocess) == (True, SQUASH)


@pytest.mark.parametrize("quick", [True, False])
def test_the_config_beside_the_file(found: Locate, quick: bool) -> None:
    model = {**tiny.VIT, "quick_gelu": True} if quick else tiny.VIT
    source = found("Small", beside={"model_cfg": model, "preprocess_cfg": {**SQUASH, "size": 32}})
    assert (activation(source), source.preprocess) == (quick, SQUASH)


def test_the_config_beside_the_file_is_of_another_architecture(found: Locate) -> None:
    other = json.loads(json.dumps(tiny.VIT))
    other["vision_cfg"]["width"] = 32
    with pytest.raises(EncoderError, match="like: TAG"):
        found("Small", beside={"model_cfg": other, "preprocess_cfg": SQUASH})


def test_published_weights_are_known_by_their_hash(found: Locate, known: Any) -> None:
    like = found("Small", like="other")
    known["Small"]["other"]["url"] = f"https://host/w-{like.saved.hash[:8]}.pt"
    assert found("Small").preprocess == SQUASH
    known["Small"]["openai"]["url"] = f"https://host/{like.saved.hash}/W.pt"
    del known["Small"]["other"]["url"]
    assert activation(found("Small"))


def test_weights_that_all_agree_need_no_question(found: Locate) -> None:
    source = found("Alone")
    assert (activation(source), source.preprocess) == (False, SQUASH)


# --- a config of one's own ------------------------------------------------------------------------


def own(tmp_path: Path, quick: bool | None, file_says: str | None, **stated: Any) -> OpenClipSource:
    from safetensors.torch import save_file

    config = dict(tiny.VIT) if quick is None else {**tiny.VIT, "quick_gelu": quick}
    reference = tiny.open_clip_model(tmp_path / "own", config, "w.safetensors")
    if file_says is not None:
        save_file(
            _tensors(tmp_path / "own"), tmp_path / "own/w.safetensors", {"quick_gelu": file_says}
        )
    return locate(reference, Stated(**stated))


@pytest.mark.parametrize(
    ("quick", "file_says", "expected"),
    [
        (None, None, False), (True, None, True), (False, None, False),
        (None, "true", True), (None, "false", False), (True, "true", True),
    ],
)  # fmt: skip
def test_a_config_of_ones_own_means_what_open_clip_makes_of_it(
    tmp_path: Path, quick: bool | None, file_says: str | None, expected: bool
) -> None:
    source = own(tmp_path, quick, file_says)
    assert (activation(source), source.preprocess) == (expected, {})


def test_a_config_that_contradicts_its_file(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"tiny.json says GELU and w.safetensors itself says Qu"):
        own(tmp_path, False, "true")
    assert activation(own(tmp_path, False, "true", quick_gelu=True))


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"mean": [123.7, 116.3, 103.5]}, "mean: .* is not three numbers from 0 to 1"),
        ({"std": [0.5, 0.5]}, "std: .* is not three numbers above 0"),
        ({"std": [0, 1, 1]}, "std: .* is not three numbers above 0"),
        ({"resize_mode": "stretch"}, "resize_mode: stretch is not shortest or longest or squash"),
        ({"interpolation": "lanczos"}, "interpolation: lanczos is not bicubic or bilinear"),
        ({"interpolatoin": "bicubic"}, "there is no interpolatoin; allowed: size, mode, mean"),
        ([0.5], "preprocess_cfg is no mapping"),
    ],
)
def test_a_preprocessing_that_cannot_be_applied(tmp_path: Path, declared: Any, words: str) -> None:
    config = {"model_cfg": tiny.VIT, "preprocess_cfg": declared}
    with pytest.raises(EncoderError, match=words):
        locate(tiny.open_clip_model(tmp_path / "own", config), Stated())


# --- asked for ------------------------------------------------------------------------------------


def test_the_question_names_what_is_unknown_and_how_to_answer(found: Locate) -> None:
    with pytest.raises(EncoderError) as asked:
        found("Small")
    says = str(asked.value)
    assert "does not say how it was trained (GELU or QuickGELU and mean, std and resizing)" in says
    assert "like: TAG}; TAG: laion, openai, other" in says
    with pytest.raises(EncoderError, match=r"no weights of Untagged.*like: TAG.*ARCH/TAG, as"):
        found("Untagged")


def test_only_the_activation_is_asked_for_where_the_rest_is_known(
    found: Locate, known: Any
) -> None:
    del known["Small"]["other"]
    with pytest.raises(
        EncoderError, match=r"\(GELU or QuickGELU\).*\(or quick_gelu: true or false"
    ):
        found("Small")


@pytest.mark.parametrize(
    ("arch", "quick", "preprocess"),
    [
        ("ViT-B-16-SigLIP", False, {**HALF, "resize_mode": "squash"}),
        ("MobileCLIP-S2", False,
         {"mean": [0.0] * 3, "std": [1.0] * 3, "interpolation": "bilinear"}),
        ("ViT-H-14-378", True, {"resize_mode": "squash"}),
        ("ViT-L-14-336", True, {}),
        ("RN50", True, {}),
        ("ViT-B-32-quickgelu", True, {}),
        ("ViT-B-32", None, {}),
        ("ViT-L-14", None, None),
        ("ViT-L-14-quickgelu", True, {}),
        ("ViT-H-14-quickgelu", True, None),
        ("ViT-S-16", None, None),
    ],
)  # fmt: skip
def test_what_the_published_weights_of_real_architectures_agree_on(
    tmp_path: Path, arch: str, quick: bool | None, preprocess: Any
) -> None:
    header = CheckpointHeader(tmp_path / "w.safetensors", "0" * 64, {}, None)
    if quick is None or preprocess is None:
        unknown = ("GELU or QuickGELU" if quick is None else "", "mean, std" if preprocess is None
                   else "")  # fmt: skip
        with pytest.raises(EncoderError, match=r".*".join(filter(None, unknown))):
            how_trained(arch, library.config_of(arch), header, Stated())
        return
    settled = how_trained(arch, library.config_of(arch), header, Stated())
    assert (settled.quick_gelu, settled.preprocess) == (quick, preprocess)


# --- what it changes ------------------------------------------------------------------------------


@pytest.mark.parametrize("quick", [True, False])
def test_the_model_has_the_activation_that_was_settled(
    tmp_path: Path, known: Any, quick: bool
) -> None:
    """Both towers, against the library's own model of a config that says the activation."""
    from open_clip import SimpleTokenizer

    config = {**tiny.VIT, "quick_gelu": quick}
    tiny.open_clip_model(tmp_path / "w", config)
    model = tiny.open_clip_reference(tmp_path / "w" / "tiny.json").model
    options = open_clip.Options(like="openai" if quick else "laion")
    argument = f"Small@{tmp_path / 'w' / 'weights.pt'}"
    x_BCHW = torch.randn(2, 3, 32, 32)
    with torch.inference_mode():
        encoder = open_clip.build_image(argument, options)
        assert_same(embedded(encoder, x_BCHW), model.encode_image(x_BCHW))
        tokens = SimpleTokenizer(context_length=12)(["a red car"])
        text = open_clip.build_text(argument, options).embed(["a red car"])
        assert_same(text, model.encode_text(tokens))


def test_the_key_has_what_was_settled(tmp_path: Path, known: Any) -> None:
    """The same weights with another activation or preprocessing are other weights; the same choice
    made in two ways is one.
    """
    tiny.open_clip_model(tmp_path / "w", tiny.VIT)
    file = tmp_path / "w" / "weights.pt"

    def weights(arch: str, **options: Any) -> str:
        return open_clip.facts(f"{arch}@{file}", open_clip.Options(**options)).weights

    quick, gelu, squash = (weights("Small", like=tag) for tag in ("openai", "laion", "other"))
    assert len({quick, gelu, squash}) == 3
    assert weights("Small", quick_gelu=True) == weights("Small-quickgelu") == quick
    own = tmp_path / "own.json"
    own.write_text(json.dumps(tiny.VIT))
    assert open_clip.facts(f"{own}@{file}", open_clip.Options()).weights == gelu


def test_pictures_are_prepared_as_was_settled(tmp_path: Path, known: Any) -> None:
    known["Small"]["half"] = dict(HALF)
    tiny.open_clip_model(tmp_path / "w", tiny.VIT)
    argument = f"Small@{tmp_path / 'w' / 'weights.pt'}"
    encoder = open_clip.build_image(argument, open_clip.Options(like="half"))
    white = tiny.picture().point(lambda _: 255)
    torch.testing.assert_close(encoder.preprocess(white, 32), torch.ones(3, 32, 32))
