"""Zero-shot and a head on features in bfloat16: about as accurate, and the report says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import TINY, run_study

from harness.core.cell_json import cell_from
from harness.report.model.labels import lay_out
from harness.report.text.samples import sample_lines
from harness.task.schema import ReportModel


def test_features_in_bfloat16(tmp_path: Path) -> None:
    task = TINY | {
        "seeds": 1, "classifier": "text", "tuning": "none",
        "feature_precision": ["float32", "bfloat16", "tf32"],
    }  # fmt: skip
    ran = run_study(task, tmp_path)
    full, lower, tf32 = ran.records
    assert full.top1 is not None
    assert lower.top1 == pytest.approx(full.top1, abs=0.05)
    assert lower.science_hash != full.science_hash
    assert tf32.top1 == full.top1
    said = "feature_precision: tf32 was computed in float32, as the CPU has no TF32"
    assert said in tf32.warnings
    cells = [cell_from(record.cell) for record in ran.records]
    rows = lay_out(ReportModel(), cells).rows
    assert rows == ("float32 features", "bfloat16 features", "tf32 features")
    assert sample_lines(cells) == ["- Precision of features: float32, bfloat16 and tf32"]
    assert sample_lines(cells[:1]) == []
