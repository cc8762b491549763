"""A compiled backbone is gone after its cell."""

from __future__ import annotations

import functools
import gc
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import TINY, run_study

from harness.training.tuned import TunedBackbone


def test_a_compiled_function_keeps_no_backbone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Captured and run by torch: a machine of the tests may have no compiler."""
    real, made = torch.compile, []
    monkeypatch.setattr(torch, "compile", lambda f: functools.partial(real(f, backend="eager")))
    init = TunedBackbone.__init__

    def watched(self: TunedBackbone, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        made.append(weakref.ref(self.module))

    monkeypatch.setattr(TunedBackbone, "__init__", watched)
    changes = {"tuning": "all", "resolution": 32, "seeds": 1, "classifier": "text"}
    run_study(TINY | changes | {"recipe": {"epochs": 1, "compile": True}}, tmp_path)
    gc.collect()
    assert [each() for each in made] == [None]
