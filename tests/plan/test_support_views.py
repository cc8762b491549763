"""Planning with views of support pictures: who is feasible, and what there is to encode."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import plan_of

from harness.plan.needs import feature_needs, view_key
from harness.plan.plan import Plan
from harness.sampling.support_views import RandomCrops
from harness.sampling.views import Views
from plan.conftest import AddDataset

Task = dict[str, Any]
VIEWS = {"n": 3, "scale": [0.5, 1.0], "flip": False, "use": "pool"}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


def planned(task: Task, tmp_path: Path, **changes: Any) -> Plan:
    return plan_of(task, tmp_path / "runs", **{"support_views": VIEWS, "seeds": 1} | changes)


def images(plan: Plan) -> int:
    return sum(need.missing for need in feature_needs(plan.cells, "cpu"))


@pytest.mark.parametrize("name", ["lda", "gda", "lda_sample"])
def test_one_shot_varies_if_its_views_are_pooled(name: str, task: Task, tmp_path: Path) -> None:
    def feasible(**changes: Any) -> int:
        plan = planned(task, tmp_path, shots=1, classifier=["text", name], **changes)
        return len(plan.cells) - 1

    assert feasible() == 1
    assert feasible(support_views=VIEWS | {"use": "mean"}) == 0
    assert feasible(support_views=VIEWS | {"use": "cycle"}) == 0
    assert feasible(support_views=VIEWS | {"n": 1}) == 0
    assert feasible(support_views=None) == 0


def test_each_view_of_a_support_picture_is_an_image(task: Task, tmp_path: Path) -> None:
    """Of 10 classes there are 2 shots and 2 test pictures each; these have no views."""
    assert images(planned(task, tmp_path, shots=2, support_views=None)) == 20 + 20
    assert images(planned(task, tmp_path, shots=2)) == 3 * 20 + 20
    both = planned(task, tmp_path, shots=2, support_views=[None, VIEWS])
    assert images(both) == 20 + 3 * 20 + 20
    uses = [VIEWS | {"use": use} for use in ("pool", "mean", "cycle")]
    assert images(planned(task, tmp_path, shots=2, support_views=uses)) == 3 * 20 + 20


def test_validation_pictures_have_no_views(task: Task, tmp_path: Path) -> None:
    search = {"search": {"recipe.lr": [1e-3]}, "val": 1, "selection": "val"}
    assert images(planned(task, tmp_path, shots=2, **search)) == 3 * 20 + 10 + 20


def test_what_is_remembered_of_whole_pictures_stays_valid() -> None:
    assert view_key(Views()) == (1, 1, None, None)
    assert view_key(Views(random=RandomCrops(3, (0.5, 1.0), False))) == (
        1, 1, None, None, (3, (0.5, 1.0), False)
    )  # fmt: skip


def test_videos_and_features_have_no_such_views(
    task: Task, tmp_path: Path, add_dataset: AddDataset
) -> None:
    clips = add_dataset("clips", kind="clips")
    plan = planned(task, tmp_path, dataset=clips, temporal="tap", support_views=[None, VIEWS])
    ((_, why),) = plan.infeasible
    assert why == f"support_views: crops are drawn of pictures, and {clips} has videos"
    assert len(plan.cells) == 1


def test_a_solver_without_epochs_has_no_cycle(task: Task, tmp_path: Path) -> None:
    head = {"paradigm": "vision_only", "tuning": "head", "recipe": {"solver": "ridge", "l2": 1e-3}}
    uses = [VIEWS | {"use": use} for use in ("pool", "mean", "cycle")]
    plan = planned(task, tmp_path, **head, support_views=uses)
    ((_, why),) = plan.infeasible
    assert why == (
        "support_views: use: cycle reads another view in every epoch, and solver ridge has no "
        "epochs: pool or mean"
    )
    assert len(plan.cells) == 2


def test_views_are_part_of_what_is_trained(task: Task, tmp_path: Path) -> None:
    several = [None, VIEWS, VIEWS | {"use": "mean"}, VIEWS | {"n": 4}]
    plan = planned(task, tmp_path, support_views=several)
    assert len({c.key for c in plan.cells}) == len({c.train_key for c in plan.cells}) == 4
    (alone,) = planned(task, tmp_path, support_views=None).cells
    assert alone.key == plan.cells[0].key
