"""Methods that are presets of axes, and what methods declare to be searched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.core import registry
from harness.core.cells import Choice, unlabelled
from harness.core.errors import TaskError, UnknownName
from harness.task import method_presets
from harness.task.grid import expand, value_of
from harness.task.read import validate

PRESET = """
about: |
  A head at a step size of its own.
  And more.
task:
  tuning: {head: {start_norm: raw}}
  recipe: {optimiser: sgd, lr: 0.5, epochs: 7}
  support_views: {use: cycle}
search: {recipe.lr: [0.1, 0.2]}
"""
SEARCH = {"search": "declared", "val": 1, "selection": "val"}


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A preset `own` and one without a search, beside those of the harness."""
    files = {"own": PRESET, "still": PRESET.replace("search: {recipe.lr: [0.1, 0.2]}\n", "")}
    paths = {name: tmp_path / f"{name}.yaml" for name in files}
    for name, text in files.items():
        paths[name].write_text(text)
    known = registry.presets("method") | paths
    monkeypatch.setattr(registry, "presets", lambda kind: known if kind == "method" else {})
    method_presets.preset.cache_clear()
    yield
    method_presets.preset.cache_clear()


def cells(**changes: Any) -> list[Any]:
    data = {
        "name": "m", "dataset": "emoji", "regime": "few_shot", "shots": 2, "seeds": 1,
        "encoder": "embedded/lit-emoji", "classifier": "text", "recipe": {"lr": 1e-3, "batch": 8},
        **changes,
    }  # fmt: skip
    return expand(validate(data, "m.yaml"), "m.yaml")


def test_a_preset_is_the_task_with_its_keys() -> None:
    """Its recipe takes the place of the task's: the batch of the task has no part in it."""
    (cell,) = cells(method="own")
    (by_hand,) = cells(
        tuning={"head": {"start_norm": "raw"}}, recipe={"optimiser": "sgd", "lr": 0.5, "epochs": 7}
    )
    assert unlabelled(cell) == by_hand
    assert cell.plain() == by_hand.plain()
    assert cell.recipe.batch == 128
    assert value_of(cell, "method") == Choice("own")
    assert value_of(by_hand, "method") is None


def test_options_are_keys_of_the_recipe() -> None:
    (cell,) = cells(method={"name": "own", "lr": 0.25, "iterations": 30})
    assert (cell.recipe.lr, cell.recipe.iterations, cell.recipe.epochs) == (0.25, 30, 30)
    assert str(value_of(cell, "method")) == "own(iterations=30, lr=0.25)"
    with pytest.raises(TaskError, match=r"method own: lrr: is no option .*Did you mean 'lr'"):
        cells(method={"name": "own", "lrr": 1})
    with pytest.raises(TaskError, match=r"method own: recipe.lr: 'fast'"):
        cells(method={"name": "own", "lr": "fast"})


def test_a_number_for_a_proximal_term_is_its_strength() -> None:
    """As in a search; what the term is held to, and whether it is relative, stays."""
    (searched,) = cells(method="clap", **SEARCH)
    (changed,) = cells(method={"name": "clap", "proximal": 7})
    assert changed.recipe.proximal == 7.0
    for name in ("proximal_relative", "proximal_weights", "proximal_per_shot"):
        assert getattr(changed.recipe, name) == getattr(searched.recipe, name)
    assert changed.recipe.proximal_weights == "zero_shot"


def test_axes_that_a_preset_does_not_name_are_those_of_the_task() -> None:
    found = cells(method=["own", "zero_shot", None], classifier=["text", "zeros", "random"])
    rows = [(str(value_of(c, "method")), str(c.classifier)) for c in found]
    names = ("text", "zeros", "random")
    assert set(rows) == {(m, name) for m in ("own", "zero_shot", "None") for name in names}
    assert [method for method, _ in rows][:3] == ["own"] * 3


def test_views_are_the_tasks_in_the_presets_use() -> None:
    views = {"n": 3, "scale": [0.5, 1], "flip": False, "use": "pool"}
    own, plain = cells(method=["own", None], tuning="head", support_views=views)
    assert dict(own.support_views.options) == dict(plain.support_views.options)
    assert (own.support_views.name, plain.support_views.name) == ("cycle", "pool")


def test_a_preset_can_be_excluded_by_its_name() -> None:
    found = cells(method=["own", "zero_shot"], exclude=[{"method": "own"}])
    assert [str(c.method) for c in found] == ["zero_shot"]


def test_what_is_declared_is_searched() -> None:
    """By a method its SPACE without what the task sets, by a preset its search, by others none."""
    set_alpha = {"name": "tip_adapter", "alpha": 2.0}
    methods = ["own", "still", "tip_adapter", set_alpha, "zero_shot", None]
    own, still, tip, half, zero_shot, trained = cells(method=methods, **SEARCH)
    assert own.search == (("lr", (0.1, 0.2)),)
    space = registry.load_kind("method", "tip_adapter").SPACE  # type: ignore[attr-defined]
    assert tip.search == (("method.alpha", space["alpha"]), ("method.beta", space["beta"]))
    assert half.search == (("method.beta", space["beta"]),)
    for cell in (own, tip, half):
        assert (cell.val, cell.selection) == (1, "val")
    for cell in (still, zero_shot, trained):
        assert (cell.search, cell.val, cell.selection) == (None, None, "last")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"search": "declared"}, "search: also needs val and selection: val"),
        ({**SEARCH, "search": "declred"}, "search: 'declred' is not allowed; allowed: declared"),
    ],
)
def test_what_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(TaskError, match=message):
        cells(**changes)


def test_the_nearest_name_may_be_that_of_a_preset() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'own'"):
        registry.load_kind("method", "onw")


def test_a_file_with_other_keys_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(PRESET + "tasks: {}\n")
    with pytest.raises(TaskError, match="tasks: there is no such key"):
        cells(method="own")


ON_TEST = {"search": "declared", "selection": "test", "allow_test_selection": True}


@pytest.mark.parametrize("method", ["own", "tip_adapter", "zero_shot"])
@pytest.mark.parametrize("search", ["declared", {"method.alpha": [1.0, 2.0]}])
def test_nothing_is_chosen_on_the_test_set_without_saying_so(method: str, search: Any) -> None:
    methods = [method, "tip_adapter"]
    with pytest.raises(TaskError, match="without allow_test_selection: true"):
        cells(method=methods, search=search, selection="test")
    with pytest.raises(TaskError, match="also needs val and selection: val"):
        cells(method=methods, search=search)
    with pytest.raises(TaskError, match="also needs val"):
        cells(method=methods, search=search, selection="val")


def test_what_is_chosen_on_the_test_set_says_so_in_its_cell() -> None:
    methods = ["own", "still", "tip_adapter", "zero_shot"]
    own, still, tip, zero_shot = cells(method=methods, **ON_TEST)
    assert [c.selection for c in (own, tip)] == ["test", "test"]
    assert [c.selection for c in (still, zero_shot)] == ["last", "last"], "nothing was chosen"
    assert {c.val for c in (own, still, tip, zero_shot)} == {None}


def test_a_larger_search_must_be_accepted() -> None:
    space = {"method.alpha": [0.1 * i for i in range(1, 18)]}
    methods = ["tip_adapter", "ridge"]
    problem = r"tip_adapter would try 17 settings, .* is 16: .*allow: \[larger_search\]"
    with pytest.raises(TaskError, match=problem):
        cells(method=methods, **{**SEARCH, "search": space})
    sixteen = {"method.alpha": [1.0, 2.0, 3.0, 4.0], "method.beta": [1.0, 2.0, 3.0, 4.0]}
    assert cells(method=methods, **{**SEARCH, "search": sixteen})
    tip, ridge = cells(method=methods, **{**SEARCH, "search": space}, allow=["larger_search"])
    assert len(dict(tip.search)["method.alpha"]) == 17
    assert ridge.search is None
