"""Leaves that move to a device."""

from __future__ import annotations

import pytest
import torch

from harness.paradigms._tensors import moved


def test_a_tensor_that_is_there_is_returned_itself() -> None:
    tensor = torch.zeros(2, requires_grad=True)
    assert moved(tensor, tensor.device) is tensor


@pytest.mark.parametrize("trained", [False, True])
def test_a_moved_tensor_is_a_leaf_that_asks_for_a_gradient_as_before(trained: bool) -> None:
    elsewhere = moved(torch.zeros(2, requires_grad=trained), torch.device("meta"))
    assert elsewhere.device.type == "meta"
    assert elsewhere.is_leaf
    assert elsewhere.requires_grad is trained
