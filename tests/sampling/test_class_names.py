"""Class names that say the same, and those that only look as if they did."""

from __future__ import annotations

import pytest

from harness.sampling.class_names import SameName, name_key, same_names


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Golden_Retrievers", "golden retriever"), ("golden-retriever", "GoldenRetriever"),
        ("buses", "bus"), ("flies", "fly"), ("knives", "knife"), ("classes", "class"),
        ("gases", "gas"), ("octopuses", "octopus"), ("octopi", "octopus"), ("lenses", "lens"),
        ("boxes", "box"), ("peaches", "peach"), ("wrenches", "wrench"), ("brushes", "brush"),
        ("tomatoes", "tomato"), ("potatoes", "potato"), ("shoes", "shoe"), ("canoes", "canoe"),
        ("pianos", "piano"), ("houses", "house"), ("horses", "horse"), ("axes", "axe"),
        ("roses", "rose"), ("cookies", "cookie"), ("movies", "movie"), ("ties", "tie"),
        ("pies", "pie"), ("berries", "berry"), ("cherries", "cherry"), ("monkeys", "monkey"),
        ("wolves", "wolf"), ("leaves", "leaf"), ("scarves", "scarf"), ("gloves", "glove"),
        ("olives", "olive"), ("hives", "hive"), ("sleeves", "sleeve"), ("lives", "life"),
        ("men", "man"), ("firemen", "fireman"), ("women", "woman"), ("children", "child"),
        ("mice", "mouse"), ("geese", "goose"), ("feet", "foot"), ("teeth", "tooth"),
        ("people", "person"), ("persons", "person"), ("oxen", "ox"), ("cacti", "cactus"),
        ("cactuses", "cactus"), ("sofas", "sofa"), ("pizzas", "pizza"), ("skis", "ski"),
        ("taxis", "taxi"), ("menus", "menu"), ("irises", "iris"), ("dresses", "dress"),
        ("slices of pizza", "slice of pizza"), ("sports cars", "Sports Car"),
        ("t-shirt", "T_shirts"), ("t-shirt", "tshirt"), ("ice cream", "icecream"),
        ("woman's hat", "womans hat"), ("caf\u00e9", "cafe\u0301s"), ("Caf\u00e9", "CAFE"),
        ("fork & knife", "fork and knives"), ("  bus ", "BUS"), ("sheep", "Sheep"),
        ("fishes", "fish"), ("series", "Series"), ("tvs", "TV"), ("\uff22\uff35\uff33", "bus"),
        ("crane (bird)", "crane_bird"),
    ],
)  # fmt: skip
def test_names_that_say_the_same(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("glass", "glas"), ("gas", "ga"), ("bus", "bu"), ("lens", "len"), ("grass", "gras"),
        ("octopus", "octopu"), ("tennis", "tenni"), ("series", "sery"), ("iris", "iri"),
        ("canvas", "canva"), ("cape", "cap"), ("cane", "can"), ("plane", "plan"), ("kite", "kit"),
        ("cube", "cub"), ("ramen", "raman"), ("specimen", "speciman"), ("car", "automobile"),
        ("hot dog", "dog"), ("crane (bird)", "crane"), ("C++", "C#"), ("C++", "C"), ("3", "4"),
        ("n01440764", "n01443537"), ("!", "?"), ("\u72ac", "\u732b"), ("bass", "base ball"),
        ("\u304b", "\u304c"), ("woman", "man"), ("moss", "mos"),
    ],
)  # fmt: skip
def test_names_that_differ(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


def test_shared_names_are_given_in_the_order_of_the_test_set() -> None:
    trained = ("Buses", "fly", "knife", "bus")
    found = same_names(trained, ("knives", "glass", "bus", "flies"))
    assert found == (SameName("knives", "knife"), SameName("bus", "bus"), SameName("flies", "fly"))
    assert [str(name) for name in found] == [
        "knives (trained on as 'knife')", "bus", "flies (trained on as 'fly')",
    ]  # fmt: skip
    assert same_names((), ("bus",)) == same_names(trained, ()) == ()
