"""One sentence for every error of `hf`, whatever the library raised."""

from __future__ import annotations

import pytest

from harness.core.errors import DataError
from harness.data._hf_messages import among, guarded, listed


def test_a_name_that_is_known_is_returned() -> None:
    assert among("a", ["a", "b"], "config") == "a"


def test_an_unknown_name_is_told_with_what_is_allowed_and_the_nearest() -> None:
    with pytest.raises(DataError) as told:
        among("tran", ["train", "test"], "hf:x: split")
    assert str(told.value) == (
        "hf:x: split 'tran': there is none; allowed: train, test. Did you mean 'train'?"
    )


def test_a_long_list_is_cut() -> None:
    assert listed(["a", "b", "c"], most=2) == "a, b, ..."
    assert listed(["a", "b"], most=2) == "a, b"


def test_the_first_cause_of_an_error_is_told_in_one_line() -> None:
    def load() -> None:
        try:
            raise ValueError("the file is damaged\nand more")
        except ValueError as error:
            raise RuntimeError("loading failed") from error

    with pytest.raises(DataError) as told:
        guarded("hf:x", load)
    expected = "hf:x cannot be read by the datasets library: the file is damaged"
    assert str(told.value) == expected
    assert guarded("hf:x", lambda: 3) == 3
