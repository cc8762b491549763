"""The wheel holds all that the first command needs, and runs it outside the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT, records

pytestmark = pytest.mark.slow

SMALL = ("classes.pick=5", "shots=1", "seeds=2", "recipe.epochs=2", "classifier=[text,random]")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    if not (ROOT / "pyproject.toml").is_file():
        pytest.skip("the package under test is installed, not a checkout")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    (built,) = folder.glob("*.whl")
    return built


def test_contents(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = next(n for n in names if n.endswith("/METADATA"))
        about = archive.read(metadata).decode()
    for task in (ROOT / "tasks").rglob("*.yaml"):
        assert f"harness/share/tasks/{task.relative_to(ROOT / 'tasks').as_posix()}" in names
    for profile in (ROOT / "slurm").glob("*.yaml"):
        assert f"harness/share/slurm/{profile.name}" in names
    for package in ("harness", "baselines"):
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert path.relative_to(ROOT).as_posix() in names
    assert "harness/data/emoji_split.json" in names
    assert "harness/data/emoji_people.json" in names
    assert "harness/encoders/lit_emoji.safetensors" in names
    assert "baselines/published/few_shot.yaml" in names
    tops = {name.split("/")[0] for name in names}
    assert {t for t in tops if not t.endswith(".dist-info")} == {"harness", "baselines"}
    assert not any(n.endswith((".pyc", ".png", ".jpg")) for n in names), "no vendor art"
    assert any(n.endswith("/licenses/LICENSE") for n in names)
    assert "Requires-Dist: torch" in about


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel; the dependencies are those of this one."""
    place = tmp_path_factory.mktemp("fresh")
    venv.create(place, with_pip=False, symlinks=True)
    found = place / ("Scripts" if os.name == "nt" else "bin") / "python"
    (site,) = place.rglob("site-packages")
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", found, "install",
         "--no-deps", "--no-index", "--no-compile", "--disable-pip-version-check", wheel],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    here = sysconfig.get_path("purelib")
    (site / "dependencies.pth").write_text(f"{here}\n")
    return found


def test_first_command_outside_the_checkout(python: Path, cache: Path, tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(tmp_path),
        "HARNESS_CACHE": str(cache),
        "OMP_NUM_THREADS": "1",
    }

    def run(*arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [python, *arguments],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        return done.stdout

    where = Path(run("-c", "import harness; print(harness.__file__)").strip())
    assert python.parent.parent in where.parents
    assert ROOT not in where.parents
    listed = run("-m", "harness", "list", "task")
    for task in (ROOT / "tasks").glob("*.yaml"):
        assert task.stem in listed
    report = run("-m", "harness", "grid", "few_shot", *SMALL, "--jobs", "1").strip()
    assert report == "reports/few_shot.md"
    found = records(tmp_path / "runs").values()
    assert [r["status"] for r in found] == ["done"] * 15, "text without training has no seed"
    assert all(r["environment"]["commit"] is None for r in found), "not in a checkout"
    text = (tmp_path / report).read_text(encoding="utf-8")
    assert "projection · trained · 1 shot" in text
    script = python.with_name("harness")
    assert "usage" in subprocess.run(
        [script, "--help"], env=environment, capture_output=True, text=True, check=True
    ).stdout.lower()  # fmt: skip
    assert run("-m", "harness", "status", "few_shot", *SMALL).count("15 done") == 1
