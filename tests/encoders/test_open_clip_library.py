"""What open_clip knows without being imported: configs, tags, and how a tag was trained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.core.errors import EncoderError
from harness.encoders import _open_clip_library


def test_a_config_that_is_none_names_what_it_lacks(root: Path) -> None:
    (root / "half.json").write_text(json.dumps({"embed_dim": 8, "vision_cfg": {}}))
    with pytest.raises(EncoderError, match="is no model config of open_clip: it has no text_cfg"):
        _open_clip_library.config_of(str(root / "half.json"))
