"""Folders as transformers writes them: which files matter, and what is said of those that lack."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel

from harness.core.errors import EncoderError
from harness.encoders import _folder

from . import tiny


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(tiny.bert(tmp_path / "bert"))


def content(folder: Path, revision: str = "1") -> str:
    return _folder.content(folder, _folder.checkpoints(folder), revision)


def test_a_hash_over_the_weights_and_all_that_says_how_to_use_them(folder: Path) -> None:
    before = content(folder)
    (folder / "README.html").write_text("about it")
    assert content(folder) == before
    assert content(folder, "2") != before
    (folder / "vocab.txt").write_text("[PAD]\n[UNK]\n")
    changed = content(folder)
    assert changed != before
    tensors = load_file(folder / "model.safetensors")
    save_file({k: v + 1 for k, v in tensors.items()}, folder / "model.safetensors")
    assert content(folder) != changed


def test_a_moved_folder_has_the_same_hash(folder: Path, tmp_path: Path) -> None:
    before = content(folder)
    assert content(Path(shutil.copytree(folder, tmp_path / "moved"))) == before


def test_weights_in_several_files(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    files = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for file, held in files.items():
        save_file({name: tensors[name] for name in held}, folder / file)
    index = {"weight_map": {name: file for file, held in files.items() for name in held}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    saved = _folder.checkpoints(folder)
    assert [each.path.name for each in saved] == list(files)
    for name in names[:2]:
        assert _folder.shape(saved, "missing", name) == tuple(tensors[name].shape)
    assert _folder.shape(saved, "missing") is None


def test_no_weight_is_drawn_at_random(folder: Path) -> None:
    """Transformers would draw what is missing, and go on."""
    tensors = load_file(folder / "model.safetensors")
    lost = next(name for name in tensors if name.endswith("query.weight"))
    save_file({k: v for k, v in tensors.items() if k != lost}, folder / "model.safetensors")
    with pytest.raises(EncoderError, match=f"do not fit its config.json: .*{lost} is missing"):
        _folder.load(folder, AutoModel, ("pooler.",))


def test_tensors_that_are_not_used_may_be_missing(folder: Path) -> None:
    model = _folder.load(folder, AutoModel, ("pooler.",))
    assert not model.training
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    with pytest.raises(EncoderError, match=r"pooler\.dense\.bias is missing"):
        _folder.load(folder, AutoModel)


def test_folders_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="name a model of the hub or a folder"):
        _folder.locate("")
    with pytest.raises(EncoderError, match="there is no folder /no/where"):
        _folder.locate("/no/where")
    with pytest.raises(EncoderError, match=r"has no config\.json"):
        _folder.locate(str(tmp_path))
    with pytest.raises(EncoderError, match="holds no weights"):
        _folder.checkpoints(tmp_path)


def test_a_folder_without_a_tokenizer(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="has no tokenizer that can be read"):
        _folder.tokenizer(tmp_path)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("bert-base-uncased", True), ("openai/clip-vit", True), ("a/b/c", False), ("../x", False)],
)
def test_names_of_the_hub(name: str, is_one: bool) -> None:
    assert _folder.is_hub_name(name) is is_one


def test_a_folder_with_an_adapter(tmp_path: Path) -> None:
    """Where PEFT is installed transformers would apply it, and the key would not have it."""
    tiny.bert(tmp_path)
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(EncoderError, match=r"holds an adapter .*merge_and_unload"):
        _folder.locate(str(tmp_path))


@pytest.mark.parametrize("index", ["{}", '{"weight_map": {}}', '{"weight_map": []}'])
def test_an_index_that_names_no_files(tmp_path: Path, index: str) -> None:
    (tmp_path / "model.safetensors.index.json").write_text(index)
    with pytest.raises(EncoderError, match="names no files: it has no weight_map"):
        _folder.checkpoints(tmp_path)


def test_an_index_of_files_that_are_not_all_there(tmp_path: Path) -> None:
    index = '{"weight_map": {"a": "model-00001-of-00002.safetensors"}}'
    (tmp_path / "model.safetensors.index.json").write_text(index)
    with pytest.raises(EncoderError, match=r"there is no file .*model-00001-of-00002"):
        _folder.checkpoints(tmp_path)
