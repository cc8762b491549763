"""What was declared in TF32 and computed in float32 is named in the Record."""

from __future__ import annotations

from pathlib import Path

from conftest import TINY, run_study


def test_tf32_on_the_cpu_is_float32_and_the_record_says_so(tmp_path: Path) -> None:
    recipe = {"preset": "lit_emoji", "epochs": 1, "precision": ["float32", "tf32"]}
    ran = run_study(TINY | {"seeds": 1, "classifier": "text", "recipe": recipe}, tmp_path)
    full, tf32 = ran.records
    assert [p["loss"] for p in tf32.curve] == [p["loss"] for p in full.curve]
    said = "recipe.precision: tf32 was computed in float32, as the CPU has no TF32"
    assert [text for text in tf32.warnings if "tf32" in text] == [said]
    assert not any("tf32" in text for text in full.warnings)
