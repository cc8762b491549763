"""Rows of the grid as a plan: feasible cells with keys and status. What cells share is opened once,
nothing is drawn while planning, and nothing is opened by name afterwards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import TINY, plan_of

from harness.core import registry
from harness.core.errors import TaskError
from harness.core.records import Record
from harness.core.store import Store
from harness.plan import catalogue
from harness.plan.plan import make_plan
from harness.run.plugins import run_plugins
from harness.run.runner import run_cells
from harness.sampling import draws
from plan.conftest import AddClassifier, AddDataset, AddEncoder

Task = dict[str, Any]


# --- cells ---------------------------------------------------------------------------------------


def test_feasible_and_infeasible_cells(task: Task, tmp_path: Path) -> None:
    plan = plan_of(task, tmp_path, shots=[1, 2], classifier=["text", "lda"])
    assert [(c.cell.shots, str(c.cell.classifier), c.cell.seed) for c in plan.cells] == [
        (shots, name, seed)
        for shots, name in ((1, "text"), (2, "text"), (2, "lda"))
        for seed in (0, 1)
    ]
    why = "the covariance within classes needs 2 samples of a class; covariance: total needs 1"
    assert [(c.seed, reason) for c, reason in plan.infeasible] == [(0, why), (1, why)]
    assert plan.reasons() == {f"lda: {why}": 2}
    assert plan.counts() == {"done": 0, "failed": 0, "waiting": 6, "infeasible": 2}


def test_status_of_cells_is_that_of_their_records(task: Task, tmp_path: Path) -> None:
    done, failed, missing = plan_of(task, tmp_path, seeds=3).cells
    for cell, status in ((done, "done"), (failed, "failed")):
        Store(tmp_path).write(Record(cell.key, cell.cell.plain(), status))
    plan = plan_of(task, tmp_path, seeds=3)
    assert plan.status == {done.key: "done", failed.key: "failed"}
    assert [c.key for c in plan.missing()] == [missing.key]
    assert [c.key for c in plan.failed()] == [failed.key]
    assert plan.counts() == {"done": 1, "failed": 1, "waiting": 1, "infeasible": 0}
    plan.run_again([done.key, "unknown"])
    assert [c.key for c in plan.missing()] == [done.key, missing.key]
    assert Store(tmp_path).read(done.key) is not None, "its Record stays until it is replaced"


def test_cells_of_equal_recipes_are_one_whatever_the_names(task: Task, tmp_path: Path) -> None:
    """They have the key of a task without names, and a report shows them under each name."""
    first, second = {"name": "a", "lr": 1e-2}, {"name": "b", "by": {"text": {"lr": 1e-2}}}
    changes = {"classifier": ["text", "random", "lda"], "shots": 1, "seeds": 2}
    plan = plan_of(task, tmp_path, recipe=[first, second], **changes)
    shown = [
        (str(c.cell.classifier), c.cell.seed, [x.recipe_name for x in plan.shown(c.cell)])
        for c in plan.cells
    ]
    assert shown == [
        ("text", 0, ["a", "b"]), ("text", 1, ["a", "b"]), ("random", 0, ["a"]),
        ("random", 1, ["a"]), ("random", 0, ["b"]), ("random", 1, ["b"]),
    ]  # fmt: skip
    plain = plan_of(task, tmp_path, recipe={"lr": 1e-2}, **changes)
    assert [c.key for c in plain.cells] == [c.key for c in plan.cells[:4]]
    assert {c.cell.recipe_name for c in plan.cells} == {None}
    assert [(c.seed, len(plan.shown(c))) for c, _ in plan.infeasible[:2]] == [(0, 1), (1, 1)]
    assert plain.labelled == {}
    assert plain.shown(plain.cells[0].cell) == (plain.cells[0].cell,)


def test_planning_writes_nothing(task: Task, tmp_path: Path) -> None:
    plan_of(task, tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_cells_of_a_batch_have_the_keys_of_their_plan(task: Task, tmp_path: Path) -> None:
    """A job gets some cells of a plan, and plans them again."""
    plan = plan_of(task, tmp_path, shots=[1, 2], classifier=["text", "random"], seeds=3)
    some = [plan.cells[n] for n in (7, 1, 2, 10)]
    again = make_plan([c.cell for c in some], Store(tmp_path))
    assert sorted(c.key for c in again.cells) == sorted(c.key for c in some)


# --- axes that turn out not to apply -------------------------------------------------------------


def test_images_have_no_frames(task: Task, tmp_path: Path, add_dataset: AddDataset) -> None:
    axes = {"temporal": ["none", "tap", "t_trans"], "frames": 4, "views": ["2x1", "1x3"]}
    plan = plan_of(task, tmp_path, **axes, seeds=1)
    assert [(c.cell.temporal, c.cell.frames, c.cell.views) for c in plan.cells] == [
        (None, None, "1x1"), (None, None, "1x3"),
    ]  # fmt: skip
    clips = plan_of(task, tmp_path, **axes, seeds=1, dataset=add_dataset("clips", kind="clips"))
    assert len(clips.cells) == 6
    with pytest.raises(TaskError, match=r"temporal: .*Did you mean 'tap'"):
        plan_of(task, tmp_path, temporal="tapp")


def test_equal_widths_need_no_alignment(
    task: Task, tmp_path: Path, add_encoder: AddEncoder
) -> None:
    narrow = add_encoder("narrow", text_dim=3)
    alignment = ["projection", "pad"]
    assert len(plan_of(task, tmp_path, alignment=alignment, seeds=1).cells) == 1
    assert len(plan_of(task, tmp_path, alignment=alignment, seeds=1, encoder=narrow).cells) == 2
    with pytest.raises(TaskError, match=r"alignment: .*Did you mean 'projection'"):
        plan_of(task, tmp_path, alignment="projektion")


def test_a_row_whose_only_chance_was_its_alignment_has_no_seed(
    task: Task, tmp_path: Path, add_encoder: AddEncoder
) -> None:
    zero = {"regime": "zero_shot", "shots": None, "alignment": "projection", "seeds": 2}
    equal = plan_of(task, tmp_path, **zero)
    assert [c.cell.seed for c in equal.cells] == [None]
    wide = plan_of(task, tmp_path, **zero, encoder=add_encoder("wide", text_dim=6))
    assert [c.cell.seed for c in wide.cells] == [0, 1]


# --- notes ---------------------------------------------------------------------------------------


def test_shots_that_take_every_sample_are_noted(task: Task, tmp_path: Path) -> None:
    assert plan_of(task, tmp_path, shots=7).notes() == ()
    (note,) = plan_of(task, tmp_path, shots=[7, 8], classifier=["text", "random"]).notes()
    assert note.startswith("8 shots are all the training samples of elsewhere.toy: ")


def test_notes_of_a_dataset(task: Task, tmp_path: Path, elsewhere: Callable[..., str]) -> None:
    from tests.sampling.toy import Toy

    class Noted(Toy):
        notes = ("Two images were left out.",)

    name = elsewhere("noted", open_dataset=lambda argument, options: Noted())
    zero = {"regime": "zero_shot", "shots": None, "test_dataset": name}
    assert plan_of(task, tmp_path, **zero).notes() == ("Two images were left out.",)


# --- once ----------------------------------------------------------------------------------------


def test_each_choice_of_a_plan_is_opened_once(
    task: Task, tmp_path: Path, add_classifier: AddClassifier, opened: Counter[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Plugins are checked, options validated, datasets and facts opened and classes drawn as often
    as there are distinct ones; cells and seeds do not count.
    """
    counts: dict[str, Counter[Any]] = {name: Counter() for name in ("check", "options", "classes")}

    class Options(registry.load_kind("classifier", "text").Options):  # type: ignore[misc]
        share: float = 0.5

        def model_post_init(self, context: Any) -> None:
            counts["options"][self.share] += 1

    def counting(kind: str, module: Any, name: str, key: Callable[..., Any]) -> None:
        function = getattr(module, name)

        def call(*args: Any, **options: Any) -> Any:
            counts[kind][key(*args)] += 1
            return function(*args, **options)

        monkeypatch.setattr(module, name, call)

    registry.load_kind.cache_clear()
    counting("check", registry, "conform", lambda protocol, found, where: where)
    counting("classes", catalogue, "pick_classes", lambda data, pick, seed: (pick, seed))
    mine = add_classifier(Options=Options)
    plan = plan_of(
        task, tmp_path, shots=[1, 2, 4], classes={"pick": 3}, class_seed=[0, 1],
        classifier=["text", mine, {"name": mine, "share": 0.1}], schedule=["frozen", "trained"],
        seeds=20,
    )  # fmt: skip
    assert len(plan.cells) == 3 * 2 * 3 * 2 * 20
    assert counts["options"] == {0.5: 1, 0.1: 1}
    assert len(counts["classes"]) == 2
    assert {"the classifier 'elsewhere.mine'"} < set(counts["check"])
    assert set(opened) == {"toy", "enc"}
    for count in (*counts.values(), opened):
        assert set(count.values()) == {1}, count


def test_planning_draws_nothing(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw(*args: Any, **options: Any) -> None:
        raise AssertionError("drawn while planning")

    for name in ("draw_support", "draw_validation", "draw_test"):
        monkeypatch.setattr(draws, name, draw)
    search = {"search": {"recipe.lr": [1e-3]}, "selection": "val", "val": 1}
    plan = plan_of(task, tmp_path, **search, classifier=["text", "prototype"], shots=[1, 2])
    assert plan.notes() == ()
    assert plan.counts()["waiting"] == 8
    with pytest.raises(AssertionError, match="drawn while planning"):
        _ = plan.cells[0].support


# --- after planning ------------------------------------------------------------------------------


def test_running_opens_no_plugin_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, store = plan_of(TINY, tmp_path, include=[{"paradigm": "matching"}]), Store(tmp_path)
    plugins = run_plugins()

    def load(*args: Any) -> None:
        raise AssertionError(f"opened {args[1]} after planning")

    monkeypatch.setattr(registry, "load", load)
    monkeypatch.setattr(registry, "load_kind", load)
    monkeypatch.setattr(catalogue, "open_dataset", load)
    run_cells(plan.cells, store, plugins=plugins)
    assert len(plan.cells) == 6
    assert set(store.statuses(c.key for c in plan.cells).values()) == {"done"}


def test_each_distinct_set_is_drawn_once_in_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three classifiers of two seeds train on two support sets and are tested on one set."""
    count: Counter[str] = Counter()

    def counting(name: str) -> None:
        function = getattr(draws, name)

        def draw(*args: Any, **options: Any) -> Any:
            count[name] += 1
            return function(*args, **options)

        monkeypatch.setattr(draws, name, draw)

    for name in ("draw_support", "draw_validation", "draw_test"):
        counting(name)
    plan, store = (
        plan_of(TINY, tmp_path, classifier=["text", "random", "prototype"]),
        Store(tmp_path),
    )
    run_cells(plan.cells, store, jobs=2)
    assert len(store.statuses(c.key for c in plan.cells)) == 6
    assert count == {"draw_support": 2, "draw_test": 1}
