"""Tip-Adapter: its logits against the sums written out, pair by pair."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from baselines import tip_adapter
from baselines.tip_adapter import Options

from .examples import SCALE, C, assert_logits, inputs, samples


def by_hand(alpha: float, beta: float) -> np.ndarray:
    """Every test sample with every key, in numpy."""
    given = inputs()
    z_NVD, y_N = (t.numpy() for t in given.views())
    w_CD = given.classifier().numpy()
    keys = []
    for views_VD in z_NVD:
        key_D = np.mean([v / np.linalg.norm(v) for v in views_VD], axis=0)
        keys.append(key_D / np.linalg.norm(key_D))
    rows = []
    for z_D in samples().numpy():
        f_D = z_D / np.linalg.norm(z_D)
        row_C = SCALE * np.array([w_D @ f_D for w_D in w_CD])
        for key_D, y in zip(keys, y_N, strict=True):
            row_C[y] += alpha * np.exp(-beta * (1 - key_D @ f_D))
        rows.append(row_C)
    return np.array(rows)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 1.0), (3.0, 5.5), (0.0, 2.0)])
def test_logits_are_the_sums(alpha: float, beta: float, dtype: torch.dtype) -> None:
    state = tip_adapter.fit(inputs(dtype=dtype), Options(alpha=alpha, beta=beta))
    found_NC = tip_adapter.logits(samples(dtype=dtype), state)
    assert found_NC.dtype == dtype
    assert_logits(found_NC, torch.from_numpy(by_hand(alpha, beta)))


def test_without_the_cache_it_is_zero_shot() -> None:
    state = tip_adapter.fit(inputs(), Options(alpha=0))
    f_ND = torch.nn.functional.normalize(samples(), dim=1)
    assert_logits(tip_adapter.logits(samples(), state), SCALE * f_ND @ inputs().classifier().T)


def test_a_key_finds_its_own_class() -> None:
    given = inputs()
    z_NVD, y_N = given.views()
    state = tip_adapter.fit(given, Options(alpha=1e3, beta=50))
    of_keys_NC = tip_adapter.logits(state.keys_ND, state)
    assert of_keys_NC.argmax(dim=1).tolist() == y_N.tolist()
    assert state.keys_ND.shape == (len(z_NVD), z_NVD.shape[2])
    assert of_keys_NC.shape[1] == C


def test_options_are_not_negative() -> None:
    with pytest.raises(ValidationError, match="beta"):
        Options(beta=-1)
