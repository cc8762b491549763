"""What may never be written: calls that trust a file from elsewhere."""

from __future__ import annotations

import ast

import pytest
from test_architecture import MODULES, PACKAGE


def danger(call: ast.Call) -> str | None:  # noqa: PLR0911 - a list of dangers
    """Why a call is not to be trusted with a file from elsewhere."""
    name = ast.unparse(call.func)
    given = {k.arg: ast.unparse(k.value) for k in call.keywords}
    if given.get("trust_remote_code", "False") != "False":
        return "trust_remote_code"
    if given.get("allow_pickle", "False") != "False":
        return "allow_pickle"
    if name in ("yaml.load", "yaml.load_all") and not given.get("Loader", "").endswith(
        ("_Loader", "SafeLoader")
    ):
        return "yaml.load without a safe loader"
    if name in ("yaml.unsafe_load", "yaml.full_load", "eval", "exec", "os.system"):
        return name
    if name == "torch.load" and given.get("weights_only") != "True":
        return "torch.load without weights_only=True"
    if name in ("torch.jit.load", "torch.package.PackageImporter"):
        return name
    if name.split(".")[0] in ("pickle", "dill", "marshal", "joblib"):
        return name
    if given.get("shell", "False") != "False":
        return "shell=True"
    return None


#: The one place of a call that is needed, and why it may be there: OpenAI published CLIP as code.
#: It is read only by its sha256, known or stated by the user, in a process of its own, and only
#: `fetch --convert` starts that.
ALLOWED = {("encoders/_torchscript.py", "torch.jit.load")}


def test_no_dangerous_calls() -> None:
    found = {
        (str(path.relative_to(PACKAGE)), why, node.lineno)
        for path in MODULES.values()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and (why := danger(node)) is not None
    }
    assert [call for call in sorted(found) if call[:2] not in ALLOWED] == []
    assert {call[:2] for call in found} == ALLOWED  # a permission that nothing uses is taken away


def test_only_fetch_reads_torchscript() -> None:
    """Nothing but the command imports the module, and the archive is read in its own process."""
    users = {
        str(path.relative_to(PACKAGE))
        for path in MODULES.values()
        if "_torchscript import" in path.read_text(encoding="utf-8")
    }
    assert users == {"commands/fetch.py"}


@pytest.mark.parametrize(
    ("code", "bad"),
    [
        ("yaml.load(text)", True), ("yaml.load(t, Loader=yaml.Loader)", True),
        ("yaml.load(t, Loader=yaml.SafeLoader)", False), ("yaml.safe_load(t)", False),
        ("yaml.unsafe_load(t)", True), ("torch.load(f)", True),
        ("torch.load(f, weights_only=False)", True), ("torch.load(f, weights_only=True)", False),
        ("AutoModel.from_pretrained(f, trust_remote_code=True)", True),
        ("AutoModel.from_pretrained(f)", False), ("np.load(f, allow_pickle=True)", True),
        ("pickle.loads(b)", True), ("eval(x)", True), ("model.eval()", False),
        ("subprocess.run(x, shell=True)", True), ("torch.jit.load(f)", True),
    ],
)  # fmt: skip
def test_what_counts_as_dangerous(code: str, bad: bool) -> None:
    call = ast.parse(code, mode="eval").body
    assert isinstance(call, ast.Call)
    assert (danger(call) is not None) is bad


def test_yaml_loader_is_safe() -> None:
    """What the border builds its loader on, since it calls the loader itself."""
    import yaml

    from harness.task.yaml_reader import _Loader

    assert issubclass(_Loader, yaml.SafeLoader)
    assert not any(tag and "python" in tag for tag in _Loader.yaml_constructors)
    assert not any(tag and "python" in tag for tag in _Loader.yaml_multi_constructors)
