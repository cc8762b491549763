"""The hub's local cache: the network is asked by `download` alone."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import EncoderError
from harness.encoders import _hub, hf_clip, hf_text, open_clip
from harness.encoders import timm as timm_encoder

from .compare import NONE


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))


@pytest.mark.parametrize(
    ("plugin", "reference"),
    [
        (open_clip, "ViT-B-32/laion2b_s34b_b79k"),
        (open_clip, "roberta-ViT-B-32/laion2b_s12b_b32k"),
        (hf_clip, "openai/clip-vit-base-patch32"),
        (hf_text, "bert-base-uncased"),
        (timm_encoder, "resnet18.a1_in1k"),
    ],
)
def test_weights_that_are_not_here_say_how_to_bring_them(
    plugin: Any, reference: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    options = {hf_text: hf_text.Options(), open_clip: open_clip.Options()}
    with pytest.raises(EncoderError, match="harness fetch TASK"):
        plugin.facts(reference, options.get(plugin, NONE))


def test_a_hub_that_cannot_be_reached_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: Any, **__: Any) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unreachable)
    with pytest.raises(EncoderError, match="the hub cannot be reached from here, so a/b"):
        _hub.download("a/b", ["*.json"])


def test_what_is_no_name_of_a_repository() -> None:
    for call in (_hub.hub_folder, lambda name: _hub.download(name, ["*.json"])):
        with pytest.raises(EncoderError, match="is neither a folder nor the name of a model"):
            call("a/b/c d")
