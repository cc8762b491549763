"""Methods in a grid: a new one is one file, budgets are printed, a choice on test is marked."""

from __future__ import annotations

from pathlib import Path

from conftest import Call, WriteTask, records

#: A file of a user, beside the task: class means, moved towards the rows of the classifier.
MIX = '''
"""Class means of the support set, mixed with the rows of the classifier."""

from pydantic import BaseModel

USES = ("classifier", "support")
SPACE = {"share": (0.0, 0.25, 0.5, 1.0)}


class Options(BaseModel):
    share: float = 0.5


def fit(inputs, options):
    import torch
    from torch.nn.functional import normalize

    z_ND, y_N = inputs.support()
    f_ND = normalize(z_ND, dim=1)
    mean_CD = torch.stack([f_ND[y_N == c].mean(0) for c in range(inputs.n_classes)])
    mixed_CD = options.share * inputs.classifier() + (1 - options.share) * mean_CD
    return inputs.logit_scale * mixed_CD


def logits(z_ND, state):
    from torch.nn.functional import normalize

    return normalize(z_ND, dim=1) @ state.T
'''
TASK = {
    "shots": 2, "seeds": 2, "classifier": "text", "search": "declared", "recipe": None,
    "method": ["zero_shot", "tip_adapter", "lab.mix", {"name": "lab.mix", "share": 0.5}],
    "report": {"rows": "method"},
}  # fmt: skip


def test_one_file_is_a_method_with_a_row_a_search_and_a_budget(
    tiny: WriteTask, run_cli: Call, tmp_path: Path
) -> None:
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "mix.py").write_text(MIX)
    task = tiny(**TASK, val=1, selection="val")
    ended = run_cli("grid", task, "--jobs", "1")
    assert ended.code == 0, ended.err
    for record in records(tmp_path / "runs").values():
        tried = len(record["diagnostics"].get("search", ()))
        method = record["cell"]["method"]
        assert tried == {"tip_adapter": 16, "lab.mix": 4}.get(str(method), 0)
        assert all("val_top1" in t for t in record["diagnostics"].get("search", ()))
    page = (tmp_path / "reports" / "tiny.md").read_text()
    for row in ("zero_shot", "tip_adapter", "lab.mix", "lab.mix(share=0.5)"):
        assert f"\n| {row} | " in page
    (labels,) = [line for line in page.splitlines() if line.startswith("- Labels used: ")]
    assert "K + 1 of every class (1 to choose) by tip_adapter and lab.mix" in labels
    assert "none by zero_shot" in labels
    assert "of 16 settings, best on average: " in page
    trials = (tmp_path / "reports" / "tiny_trials.csv").read_text().splitlines()
    assert sum(line.startswith("tip_adapter,,") for line in trials) == 16


def test_what_a_method_chooses_on_the_test_set_is_refused_or_marked(
    tiny: WriteTask, run_cli: Call, tmp_path: Path
) -> None:
    methods = ["zero_shot", "tip_adapter"]
    task = tiny(**TASK | {"method": methods, "seeds": 1}, selection="test")
    refused = run_cli("grid", task)
    assert refused.code == 2
    assert "allow_test_selection" in refused.err
    ended = run_cli("grid", task, "allow_test_selection=true", "--jobs", "1")
    assert ended.code == 0, ended.err
    page = (tmp_path / "reports" / "tiny.md").read_text()
    assert "\n**Chosen on the test set.** The configurations of tip_adapter" in page
    assert "\n| tip_adapter · chosen on test | " in page
    assert "\n| zero_shot | " in page, "nothing was chosen for it"
