"""coop: the template of each data set, ImageNet's ensembles, EuroSAT's names, what is refused."""

from __future__ import annotations

import pytest
from open_clip.zero_shot_metadata import OPENAI_IMAGENET_TEMPLATES, SIMPLE_IMAGENET_TEMPLATES
from pydantic import ValidationError

from harness.data.coop import _layout
from harness.prompts import coop
from harness.prompts._template_texts import read_templates


def first_text(dataset: str, name: str = "x y") -> str:
    ((text,),) = coop.texts([name], coop.Options(dataset=dataset))
    return text


@pytest.mark.parametrize(
    ("dataset", "text"),
    [
        ("imagenet", "a photo of a x y."),
        ("Caltech101", "a photo of a x y."),
        ("oxford_pets", "a photo of a x y, a type of pet."),
        ("food-101", "a photo of x y, a type of food."),
        ("fgvc_aircraft", "a photo of a x y, a type of aircraft."),
        ("dtd", "x y texture."),
        ("ucf101", "a photo of a person doing x y."),
    ],
)
def test_the_template_of_a_data_set(dataset: str, text: str) -> None:
    assert first_text(dataset) == text


def test_every_data_set_of_coop_has_a_template() -> None:
    assert {coop.Options(dataset=name).dataset for name in _layout()} == set(_layout())


def test_folder_names_of_eurosat_become_class_names() -> None:
    expected = "a centered satellite photo of Highway or Road."
    assert first_text("eurosat", "Highway") == expected
    assert first_text("eurosat", "Highway or Road") == expected  # as other split files have it
    assert first_text("eurosat", "sea lake") == "a centered satellite photo of Sea or Lake."
    assert first_text("dtd", "Highway") == "Highway texture."


@pytest.mark.parametrize(
    ("file", "library"),
    [("imagenet80", OPENAI_IMAGENET_TEMPLATES), ("imagenet7", SIMPLE_IMAGENET_TEMPLATES)],
)
def test_templates_of_imagenet_are_those_of_open_clip(file: str, library: list[object]) -> None:
    assert sorted(read_templates(file)) == sorted(t("{}") for t in library)  # type: ignore[operator]


@pytest.mark.parametrize("number", [1, 7, 8, 80])
def test_imagenet_has_as_many_templates_as_asked(number: int) -> None:
    options = coop.Options(dataset="imagenet", imagenet=number, average="plain")
    (of_class,) = coop.texts(["cat"], options)
    assert len(set(of_class)) == number
    assert all("cat" in text for text in of_class)
    assert ("a photo of a cat." in of_class) == (number != 7)
    assert coop.averaging(options) == "plain"
    other = coop.Options(dataset="dtd", imagenet=number)
    assert coop.texts(["cat"], other) == [["cat texture."]]


def test_an_unknown_data_set_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValidationError, match=r"oxford_pets.*Did you mean 'oxford_flowers'"):
        coop.Options(dataset="oxford_flower")
