"""What screened studies have in common."""

from __future__ import annotations

from typing import Any

from harness.core.cells import Cell
from harness.core.protocols.screen import Screened
from harness.report.model.screen_overlap import (
    TextVersions,
    common,
    common_part,
    shared_outcomes,
    text_versions,
)
from harness.report.text.screening import graded_rows, what_is_shared

from .test_screening import NAMES, screening

LEVELS: list[Any] = [
    "text", "random", "text_rotated",
    {"name": "text_noise", "sigma": 1.0}, {"name": "text_noise", "sigma": 2.0},
]  # fmt: skip


def test_outcomes_are_shared_where_keys_are_equal() -> None:
    """A cell has the same key in every study. Three classifiers at 4 shots with 2 seeds each."""
    first = screening(name="a")
    second = screening(name="b", classifier=NAMES[:3], shots=[4, 8])
    other = screening(name="c", shots=[16])
    assert shared_outcomes([first, second, other]) == {("a", "b"): 6}
    assert "share outcomes, those of the same cells: 6 in a and b." in what_is_shared(
        [first, second]
    )
    assert "No two studies share an outcome." in what_is_shared([first, other])
    without = screening(name="d", top1=lambda cell: None)
    assert shared_outcomes([first, without]) == {}


def test_data_are_named_where_all_studies_have_them() -> None:
    first, second = screening(name="a"), screening(name="b", shots=[8])
    other = screening(name="c", dataset="emoji_motion", classes={"from": "development"}, shots=[8])
    assert common([first, second], "dataset") == "emoji"
    assert common_part([first, other]) is None
    said = what_is_shared([first, second])
    assert said.startswith(
        "All studies share data set emoji, encoder embedded/lit-emoji and classes of part unseen: "
        "none of them is evidence about other data."
    )
    assert what_is_shared([first, other]).startswith(
        "All studies share encoder embedded/lit-emoji: "
    )


def test_rows_that_are_levels_of_one_matrix_are_counted() -> None:
    def value(cell: Cell) -> float:
        return len(str(cell.classifier)) / 100

    def screened(cell: Cell) -> Screened:
        return Screened({"margin": value(cell), "zero_shot": value(cell)}, "support", 100)

    study = screening(screened, value, name="levels", classifier=LEVELS)
    assert text_versions(study) == TextVersions(5, 4, 2, ("text_noise",))
    said = "Of the 5 rows of levels that are compared, 4 are the matrix of the texts or changed "
    assert graded_rows(study).startswith(said)
    assert said in what_is_shared([screening(), study])
    assert text_versions(screening()).graded == 0
    assert graded_rows(screening()) == ""
