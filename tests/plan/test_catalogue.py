"""What the cells of a plan name is opened once, checked, and refused with what is allowed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.core.cells import Cell, Choice, ClassPick
from harness.core.errors import BadInput, DataError, EncoderError, TaskError, UnknownName
from harness.core.protocols.classifier import Classifier
from harness.core.protocols.dataset import DatasetPlugin
from harness.core.protocols.encoder import EncoderPlugin
from harness.core.protocols.method import Method
from harness.core.protocols.paradigm import Paradigm
from harness.plan import catalogue as module
from harness.plan.catalogue import Catalogue, blame, init_file
from plan.conftest import AddClassifier, AddDataset, AddEncoder


def choice(name: str, **options: Any) -> Choice:
    return Choice(name, tuple(sorted(options.items())))


# --- plugins with options ------------------------------------------------------------------------


def test_a_plugin_with_validated_options() -> None:
    chosen = Catalogue().chosen(Classifier, choice("lda", shrinkage=0.1))
    assert chosen.options.shrinkage == 0.1
    assert chosen.options.normalise is True, "the default"
    assert chosen.plugin.USES == ("support",)
    assert chosen.argument == ""


def test_data_sets_and_encoders_have_an_argument() -> None:
    catalogue = Catalogue()
    assert catalogue.chosen(EncoderPlugin, choice("embedded/lit-emoji")).argument == "lit-emoji"
    assert catalogue.dataset_plugin(choice("folder:a/b")).argument == "a/b"


def test_each_choice_is_opened_once(add_classifier: AddClassifier) -> None:
    made: list[float] = []

    class Counting(Classifier.Options):  # type: ignore[name-defined, misc]
        share: float = 0.5

        def model_post_init(self, context: Any) -> None:
            made.append(self.share)

    name, catalogue = add_classifier(Options=Counting), Catalogue()
    for _ in range(3):
        assert catalogue.chosen(Classifier, choice(name)) is catalogue.chosen(
            Classifier, choice(name)
        )
        catalogue.chosen(Classifier, choice(name, share=0.1))
    assert made == [0.5, 0.1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"shrinkag": 1},
            "lda: option shrinkag: there is no such option; allowed: scale, normalise, "
            "covariance, shrinkage, per_class. Did you mean 'shrinkage'?",
        ),
        ({"scale": -1}, "lda: option scale: -1: input should be greater than 0"),
    ],
)
def test_options_that_a_plugin_refuses(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput) as caught:
        Catalogue().chosen(Classifier, choice("lda", **options))
    assert str(caught.value) == message


def test_an_unknown_plugin() -> None:
    with pytest.raises(UnknownName, match=r"Did you mean 'orthogonal'\?$"):
        Catalogue().chosen(Classifier, choice("orthogonl"))


@pytest.mark.parametrize(
    ("kind", "uses", "allowed"),
    [
        (Classifier, "suport", "text, support, seed, saved. Did you mean 'support'?"),
        (Classifier, "validation", "text, support, seed, saved"),
        (
            Method,
            "test",
            "text, classifier, support, views, validation, seed. Did you mean 'text'?",
        ),
        (Paradigm, "support", "classifier, text"),
    ],
)
def test_what_a_plugin_will_not_get(
    elsewhere: Callable[..., str], kind: Any, uses: str, allowed: str
) -> None:
    def build(inputs: Any, options: Any) -> None: ...

    name = elsewhere("greedy", USES=(uses,), build=build, fit=build, logits=build)
    with pytest.raises(BadInput) as caught:
        Catalogue().chosen(kind, choice(name))
    assert str(caught.value) == (
        f"{name}: USES names '{uses}', which is unknown; allowed: {allowed}"
    )


# --- datasets -----------------------------------------------------------------------------------


def test_a_data_set_is_opened_once_and_completed(
    add_dataset: AddDataset, opened: Counter[str]
) -> None:
    catalogue, name = Catalogue(), add_dataset("one")
    data = catalogue.dataset(choice(name))
    assert data is catalogue.dataset(choice(name))
    assert opened == {"one": 1}
    assert (data.kind, data.notes, data.fingerprint("x")) == ("pictures", (), "toy|x")


def test_another_plan_opens_it_again(add_dataset: AddDataset, opened: Counter[str]) -> None:
    """So that what changed on disk is seen."""
    name = add_dataset("one")
    for _ in range(2):
        Catalogue().dataset(choice(name))
    assert opened == {"one": 2}


def test_a_data_set_that_lacks_a_member(elsewhere: Callable[..., str]) -> None:
    name = elsewhere("bad", open_dataset=lambda argument, options: SimpleNamespace(classes=()))
    with pytest.raises(BadInput, match=rf"^the dataset '{name}': train: is missing; expected: "):
        Catalogue().dataset(choice(name))


def test_a_data_set_of_clips_has_frames(elsewhere: Callable[..., str]) -> None:
    def open_dataset(argument: str, options: Any) -> Any:
        members = dict.fromkeys(("classes", "train", "test", "manifest"), ())
        return SimpleNamespace(kind=argument, part=len, image=len, **members)

    outside = elsewhere("any", open_dataset=open_dataset)
    plugin = Catalogue().chosen(DatasetPlugin, choice(outside))
    for kind, message in (
        ("clips", "position: is missing; expected: position"),
        ("features", "features: is missing; expected: features(items)"),
        ("sounds", "kind: 'sounds'; allowed: pictures, clips, features"),
    ):
        data = plugin.plugin.open_dataset(kind, plugin.options)
        with pytest.raises(BadInput) as caught:
            module.complete_dataset(data, choice(outside))
        assert str(caught.value) == f"the dataset '{outside}': {message}"


# --- encoders ------------------------------------------------------------------------------------


def test_facts_are_asked_for_once(add_encoder: AddEncoder, opened: Counter[str]) -> None:
    catalogue, name = Catalogue(), add_encoder("enc")
    assert catalogue.image_facts(choice(name)) is catalogue.text_facts(choice(name))
    assert opened == {"enc": 1}


def test_encoders_of_one_side(add_encoder: AddEncoder, opened: Counter[str]) -> None:
    catalogue = Catalogue()
    texts = add_encoder("texts", READS=("texts",))
    pictures = add_encoder("pictures", READS=("pictures",))
    with pytest.raises(EncoderError) as caught:
        catalogue.image_facts(choice(texts))
    assert str(caught.value) == (
        f"{texts} reads texts only: name it under 'text_encoder', and an image encoder "
        "under 'encoder'"
    )
    with pytest.raises(EncoderError, match="has no text tower"):
        catalogue.text_facts(choice(pictures))
    assert opened == {}, "refused before anything is read"


# --- classes -------------------------------------------------------------------------------------


def cell(dataset: str, **fields: Any) -> Cell:
    return Cell(Choice(dataset), fields.pop("regime", "few_shot"), Choice("e"), **fields)


def test_classes_are_trained_and_tested(add_dataset: AddDataset) -> None:
    trained, tested = Catalogue().classes(cell(add_dataset(), classes=ClassPick(part="rear")))
    assert trained is tested
    assert tested.indices == (5, 6, 7, 8, 9)
    assert tested.names[0] == "class 5"


def test_training_classes_are_drawn_around_the_tested_ones(add_dataset: AddDataset) -> None:
    trained, tested = Catalogue().classes(
        cell(add_dataset(), classes=ClassPick(4), class_seed=0, train_classes=ClassPick(),
             regime="zero_shot")
    )  # fmt: skip
    assert len(tested.indices) == 4
    assert sorted(trained.indices + tested.indices) == list(range(10))


def test_another_data_set_is_tested_with_its_own_classes(add_dataset: AddDataset) -> None:
    other = add_dataset("other", classes=tuple("abcdefghij"))
    rear = ClassPick(part="rear")
    base = {"test_dataset": Choice(other), "regime": "zero_shot"}
    trained, tested = Catalogue().classes(
        cell(add_dataset(), classes=ClassPick(3), class_seed=0, train_classes=rear, **base)
    )
    assert tested.names == tuple("abcdefghij")
    assert trained.indices == (5, 6, 7, 8, 9)
    untrained, _ = Catalogue().classes(cell(add_dataset(), classes=rear, **base))
    assert untrained.indices == (5, 6, 7, 8, 9)


def test_lists_of_classes_are_made_once(
    add_dataset: AddDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int | None] = []
    picked = module.pick_classes

    def counting(data: Any, pick: ClassPick, seed: int | None, **more: Any) -> tuple[int, ...]:
        calls.append(seed)
        return picked(data, pick, seed, **more)

    monkeypatch.setattr(module, "pick_classes", counting)
    catalogue, name = Catalogue(), add_dataset()
    for _ in range(3):
        for class_seed in (0, 1):
            for shots in (1, 2):
                catalogue.classes(
                    cell(name, classes=ClassPick(3), class_seed=class_seed, shots=shots)
                )
    assert calls == [0, 1]


def test_more_classes_than_there_are(add_dataset: AddDataset) -> None:
    with pytest.raises(DataError, match=r"^classes\.pick: 11 of the 10 classes of 'all'$"):
        Catalogue().classes(cell(add_dataset(), classes=ClassPick(11), class_seed=0))


def test_items_of_every_class_are_counted(add_dataset: AddDataset) -> None:
    catalogue, name = Catalogue(), add_dataset(classes=tuple("abcdefghijk"))
    assert catalogue.class_counts(choice(name), "train").tolist() == [8] * 10 + [0]
    assert catalogue.class_counts(choice(name), "test").tolist() == [2] * 10 + [0]


# --- errors and files ----------------------------------------------------------------------------


def test_blame_adds_file_and_key() -> None:
    with (
        pytest.raises(TaskError, match=r"^t\.yaml: encoder: no such thing$"),
        blame("t.yaml", "encoder"),
    ):
        raise BadInput("no such thing")
    with pytest.raises(TaskError, match=r"^t\.yaml: init: no such thing$"), blame("t.yaml", "init"):
        raise BadInput("init: no such thing")
    with pytest.raises(TaskError, match=r"^other: lr: is wrong$"), blame("t.yaml", "encoder"):
        raise TaskError("other", "lr", "is wrong")
    with pytest.raises(ZeroDivisionError), blame("t.yaml", "encoder"):
        raise ZeroDivisionError


def test_saved_weights_by_file_and_by_training(tmp_path: Path) -> None:
    saved = tmp_path / "checkpoints" / "0123" / "weights.safetensors"
    saved.parent.mkdir(parents=True)
    saved.write_bytes(b"")
    for task in ("few_shot", "tuned"):
        (tmp_path / task).mkdir()
        (tmp_path / task / "keys.json").write_text("[]")
    assert init_file("few_shot#0123", tmp_path) == saved
    assert init_file(str(saved), tmp_path / "other") == saved
    for init, message in (
        ("gone", "there are no saved weights gone"),
        ("few_shot#4567", f"there are no saved weights {tmp_path}/checkpoints/4567/weights.safeten"
         "sors; run task few_shot with save=last first"),
        ("few_shoot#0123", f"no task 'few_shoot' was run in {tmp_path}; tasks that were run: "
         "few_shot, tuned. Did you mean 'few_shot'?"),
    ):  # fmt: skip
        with pytest.raises(EncoderError) as caught:
            init_file(init, tmp_path)
        assert str(caught.value) == message


def test_any_other_value_is_made_once() -> None:
    catalogue, made = Catalogue(), []
    for _ in range(2):
        assert catalogue.remember("key", lambda: made.append(1) or "value") == "value"
    assert made == [1]
    assert catalogue.remember("other", lambda: 3) == 3
