"""The screens, on inputs of which the values are known."""

from __future__ import annotations

import numpy as np
import pytest

from harness.core import registry
from harness.core.protocols.screen import Screen, ScreenInputs

NAMES = registry.names("screen")
EYE = np.eye(4)


def value(
    name: str, w_CD: object, z_ND: object, labels: object, b_C: object = None
) -> float | None:
    w, z = np.asarray(w_CD, dtype=float), np.asarray(z_ND, dtype=float)
    b = None if b_C is None else np.asarray(b_C, dtype=float)
    return registry.load(Screen, name).compute(ScreenInputs(w, z, np.asarray(labels), b))


def test_these_are_the_screens() -> None:
    assert NAMES == ["alignment", "gram_cka", "margin", "zero_shot"]
    assert all(registry.load(Screen, name).TITLE for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_right_rows_are_worth_more_than_drawn_ones(name: str) -> None:
    rng = np.random.default_rng(0)
    w_CD = rng.normal(size=(10, 64))
    labels = np.arange(10).repeat(3)
    z_ND = w_CD[labels] + 0.5 * rng.normal(size=(30, 64))
    right = value(name, w_CD, z_ND, labels)
    drawn = value(name, rng.normal(size=(10, 64)), z_ND, labels)
    assert isinstance(right, float)
    assert isinstance(drawn, float)
    assert right > drawn


@pytest.mark.parametrize("name", NAMES)
def test_lengths_of_rows_and_samples_do_not_matter_to_a_cosine_head(name: str) -> None:
    rng = np.random.default_rng(1)
    w_CD, z_ND, labels = rng.normal(size=(5, 8)), rng.normal(size=(10, 8)), np.arange(10) % 5
    longer = value(name, 7 * w_CD, z_ND * rng.uniform(1, 9, size=(10, 1)), labels)
    assert longer == pytest.approx(value(name, w_CD, z_ND, labels))


def test_zero_shot_accuracy_is_exact() -> None:
    assert value("zero_shot", EYE, EYE[[0, 1, 2, 2]], [0, 1, 2, 3]) == 0.75


def test_classes_that_share_the_highest_logit_share_the_guess() -> None:
    """Rows of zeros predict every class alike: 1 in 4 is right."""
    assert value("zero_shot", 0 * EYE, EYE, [0, 1, 2, 3]) == 0.25


def test_a_linear_head_counts_lengths_and_its_bias() -> None:
    w_CD, z_ND = [[1.0, 0.0], [0.0, 3.0]], [[1.0, 1.0], [1.0, 0.0]]
    assert value("zero_shot", w_CD, z_ND, [1, 0]) == 0.75  # the first sample is a tie
    assert value("zero_shot", w_CD, z_ND, [1, 0], [0, 0]) == 1.0
    assert value("zero_shot", w_CD, z_ND, [1, 0], [5, 0]) == 0.5


def test_alignment_is_the_cosine_with_the_mean_of_the_class() -> None:
    z_ND = [[2.0, 0.0], [0.0, 1.0], [0.0, 4.0]]
    w_CD = [[3.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
    # Class 1 has the samples 1 and 2, class 2 none.
    assert value("alignment", w_CD, z_ND, [0, 1, 1]) == pytest.approx((1 + np.sqrt(0.5)) / 2)


def test_the_margin_is_own_minus_the_highest_other() -> None:
    w_CD = [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]
    assert value("margin", w_CD, [[1.0, 0.0], [3.0, 4.0]], [0, 0]) == pytest.approx(
        ((1 - 0) + (0.6 - 0.8)) / 2
    )
    assert value("margin", [[1.0, 0.0]], [[1.0, 0.0]], [0]) is None


def test_cka_sees_correlations_and_no_rotation() -> None:
    rng = np.random.default_rng(2)
    w_CD = rng.normal(size=(6, 16))
    q_DD = np.linalg.qr(rng.normal(size=(16, 16)))[0]
    labels = np.arange(6)
    assert value("gram_cka", w_CD @ q_DD, w_CD, labels) == pytest.approx(1)
    shuffled = value("gram_cka", w_CD[[1, 2, 3, 4, 5, 0]], w_CD, labels)
    assert shuffled is not None
    assert shuffled < 0.95


def test_cka_is_the_formula_of_the_docstring() -> None:
    rng = np.random.default_rng(3)
    w_CD, z_ND = rng.normal(size=(6, 9)), rng.normal(size=(6, 9))
    x, y = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (w_CD, z_ND))
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    expected = np.linalg.norm(y.T @ x) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))
    assert value("gram_cka", w_CD, z_ND, np.arange(6)) == pytest.approx(expected)
    assert value("gram_cka", np.ones((6, 9)), z_ND, np.arange(6)) is None
