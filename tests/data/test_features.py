"""Features that exist already: the format, what is wrong with a file, the dataset, the encoder."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.core.cells import Cell, Choice, Recipe
from harness.core.errors import DataError, EncoderError
from harness.core.facts import CellFacts
from harness.core.precomputed import read_given
from harness.data import features
from harness.encoders import given
from harness.sampling.sets import draw_support, draw_test
from tests.conftest import ROOT, records

N, F, D = 12, 6, 4
NAMES = ("cat", "barn owl", "dog")


def arrays(**changes: Any) -> dict[str, Any]:
    """Three classes, two training and two test samples each; None leaves an array out."""
    rng = np.random.default_rng(0)
    made = {
        "features": rng.normal(size=(N, F)).astype(np.float32),
        "labels": np.tile([0, 1, 2], 4),
        "split": np.repeat(["train", "test"], 6),
        "class_names": np.array(NAMES),
        "text_features": rng.normal(size=(3, F)).astype(np.float32),
        "logit_scale": np.float32(50),
    }
    return {name: value for name, value in (made | changes).items() if value is not None}


def npz(tmp_path: Path, **changes: Any) -> Path:
    path = tmp_path / "f.npz"
    np.savez(path, **arrays(**changes))
    return path


def opened(path: Path) -> features.GivenFeatures:
    return features.open_dataset.__wrapped__(str(path), features.Options())


# --- the format -----------------------------------------------------------------------------------


def as_folder(tmp_path: Path) -> Path:
    root = tmp_path / "folder"
    root.mkdir()
    for name, value in arrays(class_names=None).items():
        np.save(root / f"{name}.npy", value)
    (root / "class_names.txt").write_text("\n".join(NAMES), encoding="utf-8")
    (root / "README.md").write_text("not an array", encoding="utf-8")
    return root


def as_safetensors(tmp_path: Path) -> Path:
    from safetensors.numpy import save_file

    made = arrays()
    made["logit_scale"] = np.array([50], dtype=np.float32)
    texts = {name: json.dumps(made.pop(name).tolist()) for name in ("split", "class_names")}
    save_file(made, tmp_path / "f.safetensors", metadata=texts | {"format": "np"})
    return tmp_path / "f.safetensors"


@pytest.mark.parametrize("write", [npz, as_folder, as_safetensors])
def test_three_forms_of_one_set(tmp_path: Path, write: Any) -> None:
    path = write(tmp_path)
    data, wanted = opened(path), arrays()
    assert data.classes == NAMES
    assert data.test.labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert data.train.ids == tuple(f"{row:08d}" for row in range(6))
    assert data.feature_dim == F
    np.testing.assert_array_equal(data.features(data.test.ids), wanted["features"][6:])
    facts = given.facts(str(path), given.Options())
    assert (facts.dim, facts.feature_dim, facts.text_dim, facts.logit_scale) == (F, F, F, 50)
    texts = given.build_text(str(path), given.Options()).embed(["dog", "cat"])
    np.testing.assert_array_equal(texts.numpy(), wanted["text_features"][[2, 0]])


def test_names_as_labels_need_no_class_names(tmp_path: Path) -> None:
    labels = np.array(NAMES)[np.tile([0, 1, 2], 4)]
    path = npz(tmp_path, labels=labels, class_names=None, text_features=None, logit_scale=None)
    data = opened(path)
    assert data.classes == ("barn owl", "cat", "dog")
    assert data.train.labels.tolist() == [1, 0, 2, 1, 0, 2]
    facts = given.facts(str(path), given.Options())
    assert (facts.text_dim, facts.logit_scale) == (None, 100)


def test_ids_groups_and_half_precision(tmp_path: Path) -> None:
    half = arrays()["features"].astype(np.float16)
    ids = np.array([f"clip {row}" for row in range(N)])
    path = npz(tmp_path, features=half, ids=ids, group=np.arange(N) // 2)
    data = opened(path)
    assert data.test.ids[0] == "clip 6"
    assert data.test.groups.tolist() == [0, 0, 1, 1, 2, 2]
    h_NF = data.features(["clip 7", "clip 6"])
    assert h_NF.dtype == np.float32
    np.testing.assert_array_equal(h_NF, half[[7, 6]].astype(np.float32))


def test_what_a_key_holds_changes_with_any_number(tmp_path: Path) -> None:
    first = opened(npz(tmp_path))
    facts = given.facts(str(npz(tmp_path)), given.Options())
    other = tmp_path / "other"
    other.mkdir()
    changed = arrays()["features"]
    changed[3, 2] += 1
    second = opened(npz(other, features=changed))
    assert second.manifest != first.manifest
    assert given.facts(str(other / "f.npz"), given.Options()).weights != facts.weights
    assert second.fingerprint("00000003") != first.fingerprint("00000003")
    assert second.fingerprint("00000004") == first.fingerprint("00000004")


def test_support_and_test_sets_are_drawn(tmp_path: Path) -> None:
    data = opened(npz(tmp_path))
    support = draw_support(data, (0, 2), 0, shots=1)
    assert len(support.items) == 2
    assert set(support.items) < set(data.train.ids)
    test = draw_test(data, (0, 2))
    assert test.class_names == ("cat", "dog")
    assert test.labels.tolist() == [0, 1, 0, 1]


def test_there_is_no_picture(tmp_path: Path) -> None:
    data = opened(npz(tmp_path))
    with pytest.raises(DataError, match=r"f\.npz holds features: there is no picture of 00000000"):
        data.image("00000000")
    module = given.build_image(str(tmp_path / "f.npz"), given.Options()).module
    assert list(module.parameters()) == []


# --- files that are wrong -------------------------------------------------------------------------

NOT_FINITE = arrays()["features"]
NOT_FINITE[5, 1] = np.nan
TWICE = np.array(["a", "a", *"cdefghijkl"])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"features": None}, "features: is missing"),
        ({"split": None}, "split: is missing"),
        ({"class_names": None, "text_features": None}, "class_names: is missing, and labels are"),
        ({"class_names": None, "labels": np.array(NAMES * 4)}, "text_features: has no class_names"),
        ({"features": np.zeros(N, np.float32)}, r"features: has the shape \(12,\), not 2 axes"),
        ({"features": np.zeros((N, 0), np.float32)}, r"features: is empty: its shape is \(12, 0\)"),
        ({"features": NOT_FINITE}, "features: is not finite in 1 rows, the first is row 5"),
        ({"features": np.zeros((N, F), np.int64)}, "features: holds int64, not float16"),
        ({"labels": np.zeros(11, np.int64)}, "labels: has 11 rows, features has 12"),
        ({"labels": np.tile([0, 1, 3], 4)}, "labels: holds 3; class_names has the numbers 0 to 2"),
        ({"labels": np.tile([0, 1, -1], 4)}, "labels: holds -1"),
        ({"labels": np.array(["cat", "dg"] * 6)}, "labels: holds 'dg', .* mean 'dog'"),
        ({"labels": np.zeros(N, np.float32)}, "labels: holds float32, not text"),
        ({"labels": np.array([None] * N)}, "labels: cannot be read: it holds Python objects"),
        ({"class_names": np.array(["a", "a", "b"])}, "class_names: holds 'a' twice"),
        ({"class_names": np.array(["a", "", "b"])}, "class_names: holds an empty name"),
        ({"class_names": np.array(["oak tree", "Oak_tree", "b"])}, "duplicate class names"),
        ({"split": np.array(["train", "val"] * 6)}, "split: holds 'val'; allowed: train, test"),
        ({"split": np.array(["train"] * N)}, "split: has no item of 'test'"),
        ({"ids": TWICE}, "ids: holds 'a' twice"),
        ({"text_features": np.zeros((2, F), np.float32)}, "text_features: has 2 rows for 3 class"),
        ({"text_names": np.array(["cat", "dog", "fox"])}, "text_names: has no 'barn owl'"),
        ({"logit_scale": np.float32(0)}, "logit_scale: must be one number above 0"),
        ({"logit_scale": np.array([1.0, 2.0])}, "logit_scale: must be one number above 0"),
        ({"feature": np.zeros(3)}, "feature: is no array of this format: .* mean 'features'"),
    ],
)
def test_each_problem_names_file_and_array(
    tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(DataError, match=says) as caught:
        opened(npz(tmp_path, **changes))
    assert "f.npz" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("no.npz", None, "there is no file or folder of features"),
        ("a.npz", b"not a zip", r"is no \.npz file that can be read"),
        ("a.npz", b"PK\x03\x04 cut short", r"is no \.npz file that can be read"),
        ("a.safetensors", b"\xff" * 16, r"is no \.safetensors file that can be read"),
        ("a.csv", b"1,2", "are an .npz file, a .safetensors file or a folder"),
        ("empty/x.md", b"", "holds no features.npy"),
    ],
)
def test_what_is_no_such_file(tmp_path: Path, name: str, content: bytes | None, says: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    with pytest.raises(DataError, match=says):
        opened(path.parent if "/" in name else path)


def test_a_damaged_array_and_one_in_two_forms(tmp_path: Path) -> None:
    root = as_folder(tmp_path)
    (root / "labels.npy").write_bytes(b"\x93NUMPY cut short")
    with pytest.raises(DataError, match=r"folder: labels: cannot be read"):
        opened(root)
    (root / "labels.txt").write_text("cat\n" * N, encoding="utf-8")
    with pytest.raises(DataError, match=r"labels: is there as \.npy and as \.txt"):
        opened(root)


# --- the encoder ----------------------------------------------------------------------------------


def cell(path: Path, **changes: Any) -> Cell:
    return Cell(
        **{
            "dataset": Choice(f"features:{path}"),
            "regime": "few_shot",
            "encoder": Choice(f"given:{path}"),
            "recipe": Recipe(),
            "prompt": Choice("class_name"),
        }
        | changes
    )


def refusal(path: Path, **changes: Any) -> str:
    facts = CellFacts(3, 1, given.facts(str(path), given.Options()))
    with pytest.raises((EncoderError, DataError)) as caught:
        given.check(cell(path, **changes), facts)
    return str(caught.value)


def test_the_projection_is_the_identity(tmp_path: Path) -> None:
    weight_DF, bias_D = given.build_image(str(npz(tmp_path)), given.Options()).projection()
    assert bias_D is None
    assert weight_DF.tolist() == np.eye(F).tolist()


def test_a_cell_of_both_is_one(tmp_path: Path) -> None:
    path = npz(tmp_path)
    facts = CellFacts(3, 1, given.facts(str(path), given.Options()))
    assert given.check(cell(path), facts) is None
    assert features.check(cell(path), facts) is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"dataset": Choice("emoji")}, "dataset must be features:"),
        ({"dataset": Choice("features:other.npz")}, "not features:other.npz"),
        ({"test_dataset": Choice("emoji")}, "test_dataset must be features:PATH"),
        ({"tuning": "all"}, "tuning: all needs pictures"),
        ({"temporal": Choice("tap")}, "temporal: tap needs pictures"),
        ({"resolution": 64}, "resolution: 64 needs pictures"),
        ({"views": "4x3"}, "views: 4x3 needs pictures"),
        ({"recipe": Recipe(augment="crop")}, "recipe.augment: crop needs pictures"),
        ({"prompt": Choice("templates")}, "prompt: templates needs a text tower"),
    ],
)
def test_what_needs_pictures_is_refused(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    assert says in refusal(npz(tmp_path), **changes)


def test_a_test_set_of_another_width(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    path = npz(other, features=np.ones((N, 5), np.float32))
    told = refusal(npz(tmp_path), test_dataset=Choice(f"features:{path}"))
    assert "features of width 5" in told
    assert "one encoder must have made both" in told


def test_other_encoders_are_refused_beside_features(tmp_path: Path) -> None:
    path = npz(tmp_path)
    facts = CellFacts(3, 1, given.facts(str(path), given.Options()))
    with pytest.raises(DataError, match="embedded/lit-emoji cannot read: encoder must be given"):
        features.check(cell(path, encoder=Choice("embedded/lit-emoji")), facts)


def test_texts_of_classes_that_have_none(tmp_path: Path) -> None:
    path = npz(tmp_path, text_names=np.array(["dog", "cat", "barn owl"]))
    text = given.build_text(str(path), given.Options())
    np.testing.assert_array_equal(text.embed(["dog"])[0].numpy(), arrays()["text_features"][0])
    with pytest.raises(EncoderError, match=r"has no text of 'cats'\. Did you mean 'cat'"):
        text.embed(["cats"])


# --- studies --------------------------------------------------------------------------------------


def write_study(tmp_path: Path, **changes: Any) -> dict[str, np.ndarray[Any, Any]]:
    """study.yaml and f.npz, with classes that are hard to tell apart; the arrays."""
    rng = np.random.default_rng(1)
    texts_CF = rng.normal(size=(5, 16)).astype(np.float32)
    labels = np.repeat(np.arange(5), 24)
    made = {
        "features": texts_CF[labels] + 2.5 * rng.normal(size=(120, 16)).astype(np.float32),
        "labels": labels,
        "class_names": np.array(["ant", "bee", "cat", "dog", "eel"]),
        "split": np.where(np.arange(120) % 24 < 4, "train", "test"),
        "text_features": texts_CF,
    }
    np.savez(tmp_path / "f.npz", **made)
    task = {
        "name": "study", "dataset": "features:f.npz", "encoder": "given:f.npz",
        "regime": "few_shot", "shots": 2, "seeds": 1, "classifier": "text",
        "recipe": {"lr": 1e-3, "weight_decay": 0, "warmup_epochs": 0, "epochs": 10},
    } | changes  # fmt: skip
    (tmp_path / "study.yaml").write_text(json.dumps(task), encoding="utf-8")
    return made


def test_zero_shot_is_that_of_numpy(tmp_path: Path, cli: Any) -> None:
    made = write_study(tmp_path, regime="zero_shot", shots=None, tuning="none")
    ended = cli("grid", "study.yaml")
    assert ended.code == 0, ended.err
    [record] = records(tmp_path / "runs").values()
    tested = made["split"] == "test"
    w_CF, h_NF = made["text_features"], made["features"][tested]
    cosines_NC = h_NF @ (w_CF / np.linalg.norm(w_CF, axis=1, keepdims=True)).T
    assert record["top1"] == (cosines_NC.argmax(axis=1) == made["labels"][tested]).mean()
    assert record["n"] == 100
    assert record["cost"].get("flops_per_view") is None


def test_every_classifier_and_paradigm_trains_on_them(tmp_path: Path, cli: Any) -> None:
    write_study(
        tmp_path, classifier=["text", "random", "orthogonal", "lda", "prototype"],
        paradigm=["vision_text", "vision_only", "matching"],
    )  # fmt: skip
    ended = cli("grid", "study.yaml")
    assert ended.code == 0, ended.err
    found = records(tmp_path / "runs").values()
    assert [r["status"] for r in found] == ["done"] * 7
    text = [r["top1"] for r in found if r["cell"].get("classifier") == "text"]
    assert text[0] > 0.3, "chance is 0.2"


def test_choosing_on_the_test_set_takes_the_best_of_the_fixed_recipes(
    tmp_path: Path, cli: Any
) -> None:
    rates = [1e-5, 1e-2, 1.0]
    write_study(tmp_path)
    assert cli("grid", "study.yaml", f"recipe.lr={rates}", "name=fixed").code == 0
    fixed = {r["cell"]["recipe"]["lr"]: r["top1"] for r in records(tmp_path / "runs").values()}
    assert len(set(fixed.values())) > 1
    search = [f"search={{recipe.lr: {rates}}}", "selection=test", "allow_test_selection=true"]
    ended = cli("grid", "study.yaml", *search)
    assert ended.code == 0, ended.err
    [record] = (
        r for r in records(tmp_path / "runs").values() if r["cell"].get("selection") == "test"
    )
    assert record["top1"] == max(fixed.values())
    assert fixed[record["diagnostics"]["chosen"]["lr"]] == record["top1"]
    page = (tmp_path / "reports/study.md").read_text(encoding="utf-8")
    assert page.startswith("# study\n\n**Chosen on the test set.**")


# --- the page -------------------------------------------------------------------------------------


def test_the_example_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Any) -> None:
    """Its program writes a file, and its task can be planned on it."""
    page = (ROOT / "docs/tasks.md").read_text(encoding="utf-8")
    section = page.split("## Features that exist already")[1].split("\n## ")[0]
    program, task = re.findall(r"```(?:python|yaml)\n(.*?)```", section, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(program, {})
    assert read_given(tmp_path / "animals.npz").dim == 64
    (tmp_path / "animals.yaml").write_text(task, encoding="utf-8")
    ended = cli("plan", "animals.yaml", "--json")
    assert ended.code == 0, ended.err
    counts = json.loads(ended.out)["counts"]
    assert (counts["waiting"], counts["infeasible"]) == (40, 5)  # lda at one shot


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (["encoder=embedded/lit-emoji"], "encoder must be given:PATH with the same path"),
        (["dataset=emoji"], "dataset must be features:f.npz, not emoji"),
        (["dataset=features:other/f.npz"], "dataset must be features:f.npz"),
        (["test_dataset=emoji", "regime=zero_shot", "shots=null"], "test_dataset must be features"),
        (["tuning=all"], "tuning: all needs pictures"),
        (["resolution=64"], "resolution: 64 needs pictures"),
        (["views=1x3"], "views: 1x3 needs pictures"),
        (["prompt=template"], "prompt: template needs a text tower"),
    ],
)
def test_planning_refuses_what_does_not_fit(
    tmp_path: Path, cli: Any, overrides: list[str], says: str
) -> None:
    write_study(tmp_path)
    (tmp_path / "other").mkdir()
    write_study(tmp_path / "other")
    ended = cli("plan", "study.yaml", *overrides)
    assert ended.code == 2
    [error] = ended.errors()
    assert says in error
