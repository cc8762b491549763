"""A dataset in memory and an encoder of which only the facts are known: planning needs no more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from harness.core.facts import EncoderFacts
from tests.sampling.toy import Toy

FACTS = EncoderFacts(
    weights="weights", backbone="backbone", dim=4, feature_dim=8, resolution=32, logit_scale=20.0,
    text_dim=4,
)  # fmt: skip

AddDataset = Callable[..., str]
AddEncoder = Callable[..., str]
AddClassifier = Callable[..., str]


@pytest.fixture
def opened() -> Counter[str]:
    """How often each plugin of a test was asked for its dataset or its facts."""
    return Counter()


@pytest.fixture
def add_dataset(elsewhere: Callable[..., str], opened: Counter[str]) -> AddDataset:
    """`add_dataset("toy", manifest=...)`: Toy with some fields replaced, under a name for tasks."""

    def add(name: str = "toy", /, **fields: Any) -> str:
        members = {k: fields.pop(k) for k in ("Options", "check") if k in fields}
        kind = fields.pop("kind", None)

        def open_dataset(argument: str, options: Any) -> Toy:
            opened[name] += 1
            toy = Toy(**fields)
            if kind == "clips":
                frames = {"position": "centre", "length": len, "frames": lambda item, indices: []}
                vars(toy).update(frames, kind=kind)
            return toy

        return elsewhere(name, open_dataset=open_dataset, **members)

    return add


@pytest.fixture
def add_encoder(elsewhere: Callable[..., str], opened: Counter[str]) -> AddEncoder:
    """`add_encoder("enc", text_dim=None)`: FACTS with some fields replaced, under a name."""

    def add(name: str = "enc", /, **fields: Any) -> str:
        members = {k: fields.pop(k) for k in ("READS", "TAKES_CONTEXT", "check") if k in fields}

        def facts(argument: str, options: Any) -> EncoderFacts:
            opened[name] += 1
            return replace(FACTS, **fields)

        def build(argument: str, options: Any) -> None:
            raise AssertionError("planning builds no encoder")

        return elsewhere(name, facts=facts, build_image=build, build_text=build, **members)

    return add


@pytest.fixture
def add_classifier(elsewhere: Callable[..., str]) -> AddClassifier:
    """`add_classifier("mine", USES=("text",), check=...)`."""

    def add(name: str = "mine", /, **members: Any) -> str:
        def build(inputs: Any, options: Any) -> None:
            raise AssertionError("planning builds no classifier")

        return elsewhere(name, **{"USES": (), "build": build} | members)

    return add


@pytest.fixture
def task(add_dataset: AddDataset, add_encoder: AddEncoder) -> dict[str, Any]:
    """One shot of ten classes, two seeds, the classifier `text`."""
    return {
        "name": "toy", "dataset": add_dataset(), "regime": "few_shot", "shots": 1,
        "encoder": add_encoder(), "seeds": 2,
    }  # fmt: skip
