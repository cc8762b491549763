"""Names to plugins: files and packages of a folder, modules from elsewhere, and errors that name
what there is and what is nearest.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.core import not_built, registry
from harness.core.errors import BadInput, UnknownName
from harness.core.protocols.classifier import Classifier, ClassifierOptions
from harness.core.protocols.dataset import DatasetPlugin
from harness.core.protocols.measure import Measure

GOOD = '''"""A classifier from elsewhere.

With more to say about it.
"""
USES = ("text",)


def build(inputs, options):
    return inputs.text()


class Inside:
    """A classifier that is an object."""

    USES = ()

    @staticmethod
    def build(inputs, options):
        return None
'''


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package `outside_plugins` that can be imported; what it opened is forgotten afterwards."""
    package = tmp_path / "outside_plugins"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "good.py").write_text(GOOD)
    (package / "no_build.py").write_text("USES = ()\n")
    (package / "cut_short.py").write_text("USES = (", encoding="utf-8")
    (package / "broken.py").write_text("import a_package_that_nobody_has\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield package
    for name in [n for n in sys.modules if n.startswith("outside_plugins")]:
        del sys.modules[name]
    registry.load_kind.cache_clear()


# --- in the package ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", registry.KINDS)
def test_every_plugin_conforms_and_says_what_it_is(kind: str) -> None:
    """Errors would name file and member; `list` shows the first line of the docstring."""
    for name in registry.names(kind):
        plugin = registry.load_kind(kind, name)
        options = plugin.Options.model_config
        assert (options.get("extra"), options.get("frozen")) == ("forbid", True), (kind, name)
        assert registry.summary(kind, name), f"{kind} {name} has no docstring"
        assert registry.documentation(kind, name).startswith(registry.summary(kind, name))


def test_names_are_files_and_packages_without_an_underscore() -> None:
    assert registry.names("alignment") == ["least_squares", "pad", "projection"]
    assert {"gram_matched", "lda", "zeros"} < set(registry.names("classifier"))
    assert registry.names("launcher") == ["inline", "local", "slurm"], "slurm is a package"
    for kind in registry.KINDS:
        assert registry.names(kind) == sorted(registry.names(kind))
        assert not any(name.startswith("_") for name in registry.names(kind))


def test_a_plugin_is_opened_once_and_by_its_protocol() -> None:
    lda = registry.load(Classifier, "lda")
    assert lda is registry.load_kind("classifier", "lda")
    assert lda.USES == ("support",)
    assert registry.load(Measure, "top1").BETTER == "higher"


def test_an_unknown_name_lists_what_there_is_and_the_nearest() -> None:
    with pytest.raises(UnknownName) as caught:
        registry.load(Classifier, "orthogonl")
    listed = ", ".join(registry.names("classifier"))
    assert str(caught.value) == (
        f"no classifier is called 'orthogonl'; allowed: {listed}. Did you mean 'orthogonal'?"
    )
    with pytest.raises(UnknownName, match="no classifier is called '_room'"):
        registry.load(Classifier, "_room")


def test_a_name_that_the_format_knows_and_nobody_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(not_built.PLUGINS, "dataset", ("lmdb",))
    with pytest.raises(BadInput, match="the dataset 'lmdb' is not built yet; built: coop, "):
        registry.load(DatasetPlugin, "lmdb")


# --- from elsewhere ------------------------------------------------------------------------------


def test_a_module_and_an_object_from_elsewhere(outside: Path) -> None:
    module = registry.load(Classifier, "outside_plugins.good")
    assert module.USES == ("text",)
    assert module.Options is ClassifierOptions
    assert registry.load(Classifier, "outside_plugins.good:Inside").USES == ()
    assert registry.summary("classifier", "outside_plugins.good") == "A classifier from elsewhere."
    assert "more to say" in registry.documentation("classifier", "outside_plugins.good")
    assert registry.summary("classifier", "outside_plugins.good:Inside") == (
        "A classifier that is an object."
    )


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("outside_plugins.gone", "cannot be imported: No module named 'outside_plugins.gone'"),
        ("outside_plugins.broken", "cannot be imported: No module named 'a_package_that_nobody"),
        (
            "outside_plugins.good:Nothing",
            "cannot be imported: module 'outside_plugins.good' has no",
        ),
        ("outside_plugins.cut_short", "cannot be imported: SyntaxError: "),
        ("outside_plugins.no_build", "build: is missing; expected: build(inputs, options)"),
    ],
)
def test_what_cannot_be_used_is_named(outside: Path, name: str, says: str) -> None:
    for attempt in (registry.load_kind, registry.documentation):
        with pytest.raises(BadInput) as caught:
            attempt("classifier", name)
        assert str(caught.value).startswith(f"the classifier '{name}'")
        assert says in str(caught.value)


# --- references ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("emoji", ("emoji", "")),
        ("folder:data/pets", ("folder", "data/pets")),
        ("folder:C:/data", ("folder", "C:/data")),
        ("embedded/lit-emoji", ("embedded", "lit-emoji")),
        ("open_clip:ViT-B-16/openai", ("open_clip", "ViT-B-16/openai")),
        ("hf:org/name", ("hf", "org/name")),
        ("package.module:Encoder", ("package.module:Encoder", "")),
        ("package.module", ("package.module", "")),
    ],
)
def test_family_and_argument(reference: str, parts: tuple[str, str]) -> None:
    assert registry.split_reference(reference) == parts
