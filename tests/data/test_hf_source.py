"""Where data of `hf` are found: folders of three forms, and the library's cache of the hub."""

from __future__ import annotations

import json
from pathlib import Path

import datasets
import pytest

from harness.core.errors import DataError
from harness.data import hf

from . import sources
from .hub_images import Wrong, assert_refused, names, read


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hub")
    return tmp_path / "hub"


def test_a_name_is_read_from_the_local_cache(hub: Path, tmp_path: Path) -> None:
    sources.hub_cache(hub, "someone/three_shapes")
    data = read("someone/three_shapes")
    assert data.manifest == read(sources.parquet(tmp_path / "parquet")).manifest
    with pytest.raises(DataError, match=r"config 'defualt'.*default.*Did you mean 'default'"):
        read("someone/three_shapes", config="defualt")
    assert hf.fetch("someone/three_shapes", hf.Options()) is False, "it is here: nothing is asked"


def test_a_name_that_is_not_here_says_how_to_bring_it(hub: Path) -> None:
    with pytest.raises(DataError, match=r"^hf:someone/nothing: .* `python -m harness fetch TASK`"):
        read("someone/nothing")


def test_an_unreachable_hub_is_told(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def unreachable(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", unreachable)
    with pytest.raises(DataError, match="cannot be reached from here, so hf:someone/nothing"):
        hf.fetch("someone/nothing", hf.Options())


def test_a_folder_needs_no_fetching(tmp_path: Path) -> None:
    assert hf.fetch(str(tmp_path), hf.Options()) is False


def test_a_saved_data_set_has_no_config(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a saved dataset has none"):
        read(sources.saved(tmp_path / "saved"), config="x")


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    root = sources.parquet(tmp_path / "parquet")
    with pytest.raises(DataError, match="is a file"):
        read(root / "test-00000-of-00001.parquet")


@pytest.mark.parametrize("name", ["", "a/b/c", "../x", "~nobody-of-this-name/x", "x" * 5000])
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(DataError, match="hf") as told:
        read(name)
    assert len(str(told.value)) < 1500


# --- what cannot be read -------------------------------------------------------------------------


def _plain(root: Path) -> None:
    sources.parquet(root)


def _two_configs(root: Path) -> None:
    sources.parquet(root / "small")
    sources.parquet(root / "large")
    configs = [{"config_name": n, "data_files": f"{n}/*.parquet"} for n in ("small", "large")]
    (root / "README.md").write_text(f"---\nconfigs: {json.dumps(configs)}\n---\n")


def _cut_parquet(root: Path) -> None:
    file = sources.parquet(root) / "test-00000-of-00001.parquet"
    file.write_bytes(file.read_bytes()[:-200])


def _cut_saved(root: Path) -> None:
    (file,) = (sources.saved(root) / "test").glob("*.arrow")
    file.write_bytes(file.read_bytes()[:300])


def _no_rows(root: Path) -> None:
    sources.parquet(root, ["train"])
    sources.table("test").select([]).to_parquet(str(root / "test-00000-of-00001.parquet"))


def _empty(root: Path) -> None:
    root.mkdir()


BAD: list[Wrong] = [
    (_plain, {"config": "smal"}, ("config 'smal'", "default")),
    (_two_configs, {}, ("several configs", "small, large")),
    (_two_configs, {"config": "smal"}, ("config 'smal'", "Did you mean 'small'")),
    (_cut_parquet, {}, ("cannot be read by the datasets library",)),
    (_cut_saved, {}, ("cannot be read by the datasets library",)),
    (_no_rows, {}, ('"test" corresponds to no data',)),
    (_empty, {}, ("cannot be read by the datasets library",)),
]  # fmt: skip


@pytest.mark.parametrize("wrong", BAD, ids=names(BAD))
def test_what_is_wrong_is_one_sentence(wrong: Wrong, tmp_path: Path) -> None:
    assert_refused(tmp_path / "d", wrong)
