"""Pools of threads that run torch on one core each."""

from __future__ import annotations

import os

import torch

from harness.training.threads import cores, one_core_pool


def test_cores_are_those_that_this_process_may_use() -> None:
    assert 1 <= cores() <= (os.cpu_count() or 1)
    if hasattr(os, "sched_setaffinity"):
        allowed = os.sched_getaffinity(0)
        try:
            os.sched_setaffinity(0, {min(allowed)})
            assert cores() == 1
        finally:
            os.sched_setaffinity(0, allowed)
        assert cores() == len(allowed)


def test_each_thread_of_a_pool_has_one_core() -> None:
    with one_core_pool(2) as pool:
        assert list(pool.map(lambda _: torch.get_num_threads(), range(4))) == [1] * 4
