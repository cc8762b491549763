"""emoji_people: all of it is test, and nothing of it is among the emoji."""

from __future__ import annotations

import numpy as np
import pytest

from harness.core.errors import DataError
from harness.core.protocols.plugin import NoOptions
from harness.data import emoji, emoji_people

NONE = NoOptions()


def test_people_share_no_picture_and_no_name_with_the_emoji() -> None:
    data, people = emoji.open_dataset("", NONE), emoji_people.open_dataset("", NONE)
    assert len(people.classes) == 22
    assert people.train.ids == ()
    assert np.bincount(people.test.labels).tolist() == [14] * 22
    assert not set(people.test.ids) & {*data.train.ids, *data.test.ids}
    assert not set(people.classes) & set(data.classes)
    assert len({people.image(i).tobytes() for i in people.test.ids}) == len(people.test.ids)


def test_it_takes_no_argument() -> None:
    with pytest.raises(DataError, match="dataset 'emoji_people' takes no argument, not 'x'"):
        emoji_people.open_dataset("x", NONE)
