"""`fetch`: the encoders and datasets of a task's cells are brought here, each once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Call, WriteTask

from harness.core.errors import DataError, EncoderError

Add = Callable[..., str]


@pytest.fixture
def fetched() -> list[str]:
    """What was fetched, in order."""
    return []


@pytest.fixture
def add_encoder(elsewhere: Add, fetched: list[str]) -> Add:
    """An encoder whose weights are here, or come with `fetch`, or do not."""

    def add(name: str, *, here: bool = False, comes: bool = True) -> str:
        def facts(argument: str, options: Any) -> str:
            if here or (comes and name in fetched):
                return "facts"
            raise EncoderError(f"{name}: there are no weights")

        def build(argument: str, options: Any) -> None:
            raise AssertionError("nothing is built to be fetched")

        def fetch(argument: str, options: Any) -> None:
            fetched.append(name)

        return elsewhere(name, facts=facts, build_image=build, build_text=build, fetch=fetch)

    return add


@pytest.fixture
def add_dataset(elsewhere: Add, fetched: list[str]) -> Add:
    """A dataset that has something to fetch, or has not."""

    def add(name: str, answer: bool | Exception = True) -> str:
        def open_dataset(argument: str, options: Any) -> None:
            raise AssertionError("nothing is opened to be fetched")

        def fetch(argument: str, options: Any) -> bool:
            if isinstance(answer, Exception):
                raise answer
            fetched.append(name)
            return answer

        return elsewhere(name, open_dataset=open_dataset, fetch=fetch)

    return add


def test_what_is_missing_is_fetched_once_and_what_is_here_is_not(
    add_dataset: Add, add_encoder: Add, fetched: list[str], tiny: WriteTask, cli: Call,
    tmp_path: Path,
) -> None:  # fmt: skip
    data, away, here = add_dataset("data"), add_encoder("away"), add_encoder("here", here=True)
    ended = cli("fetch", tiny(dataset=data, encoder=[away, here], shots=[1, 2]))
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.splitlines() == [
        f"dataset {data}: fetching", f"encoder {away}: fetching",
        f"encoder {here}: already present",
    ]  # fmt: skip
    assert fetched == ["data", "away"]
    assert [p.name for p in tmp_path.iterdir()] == ["tiny.yaml"]


def test_the_encoder_of_texts_and_the_set_that_is_tested(
    add_dataset: Add, add_encoder: Add, fetched: list[str], tiny: WriteTask, cli: Call
) -> None:
    ended = cli(
        "fetch",
        tiny(
            dataset=add_dataset("data"), test_dataset=add_dataset("tested"), regime="zero_shot",
            shots=None, encoder=add_encoder("pictures"), text_encoder=add_encoder("texts"),
            alignment="projection", seeds=1,
        ),
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert fetched == ["data", "tested", "pictures", "texts"]


def test_overrides_choose_the_encoder(
    add_encoder: Add, fetched: list[str], tiny: WriteTask, cli: Call
) -> None:
    ended = cli("fetch", tiny(), f"encoder={add_encoder('other')}")
    assert ended.code == 0
    assert fetched == ["other"]
    assert "dataset emoji: nothing to fetch\n" in ended.err


def test_weights_that_did_not_come(add_encoder: Add, tiny: WriteTask, cli: Call) -> None:
    ended = cli("fetch", tiny(encoder=add_encoder("lost", comes=False)))
    assert (ended.code, ended.out) == (2, "")
    assert ended.errors() == ["error: lost: there are no weights"]


def test_a_dataset_that_cannot_be_reached(add_dataset: Add, tiny: WriteTask, cli: Call) -> None:
    ended = cli("fetch", tiny(dataset=add_dataset("far", DataError("far: no network"))))
    assert (ended.code, ended.errors()) == (2, ["error: far: no network"])


def test_a_task_that_there_is_not(cli: Call) -> None:
    ended = cli("fetch", "few_shoot")
    assert (ended.code, ended.out) == (2, "")
    assert "Did you mean 'few_shot'" in ended.errors()[0]


# --- fetch --convert ------------------------------------------------------------------------------


def test_an_archive_is_converted_and_its_name_is_said(
    cli: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.encoders import _torchscript

    given: list[Any] = []

    def convert(*arguments: Any) -> tuple[Path, str | None]:
        given.append(arguments)
        return tmp_path / "out.safetensors", "ViT-B-32-quickgelu" if len(given) == 1 else None

    monkeypatch.setattr(_torchscript, "convert", convert)
    out = str(tmp_path / "out.safetensors")
    ended = cli("fetch", "--convert", "ViT-B-32.pt")
    assert ended.code == 0
    assert ended.err.strip().endswith(f"write encoder: open_clip:ViT-B-32-quickgelu@{out}")
    ended = cli("fetch", "--convert", "own.pt", "--sha256", "ab", "--out", out)
    assert ended.err.strip().endswith(f"write encoder: open_clip:ARCH@{out}")
    assert given == [(Path("ViT-B-32.pt"), None, None), (Path("own.pt"), Path(out), "ab")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "fetch takes a task, or --convert FILE"),
        (("few_shot", "--convert", "x.pt"), "fetch takes a task, or --convert FILE"),
        (("few_shot", "--sha256", "ab"), "--out and --sha256 belong to --convert"),
        (("--convert", "nowhere.pt"), "there is no file nowhere.pt"),
    ],
)
def test_arguments_that_do_not_fit_together(
    cli: Call, arguments: tuple[str, ...], words: str
) -> None:
    ended = cli("fetch", *arguments)
    assert (ended.code, len(ended.errors())) == (2, 1)
    assert words in ended.errors()[0]
