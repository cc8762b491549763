"""Profiles of a cluster: slurm/*.yaml, validated like tasks, and what they say to sbatch."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
)

from harness.core.errors import TaskError, UnknownName, nearest
from harness.task import library, yaml_reader

_UNITS = {"m": 1, "h": 60, "d": 24 * 60}
_CLOCK = re.compile(r"(?:(\d+)-)?(\d{1,4}):(\d\d)(?::(\d\d))?")


def _as_minutes(value: Any) -> int:
    """`90m`, `4h`, `2d`, or SLURM's "HH:MM:SS" and "D-HH:MM:SS", to whole minutes."""
    text = value if isinstance(value, str) else ""
    if found := re.fullmatch(r"(\d+)([mhd])", text):
        minutes = int(found[1]) * _UNITS[found[2]]
    elif found := _CLOCK.fullmatch(text):
        days, hours, minute, seconds = (int(part or 0) for part in found.groups())
        minutes = (days * 24 + hours) * 60 + minute + (seconds > 0)
    else:  # YAML reads 12:00:00 without quotes as the number 43200
        raise ValueError('must be text such as 90m, 4h, 2d or, in quotes, "04:00:00"')
    if minutes == 0:
        raise ValueError("must be a minute or more")
    return minutes


def _as_memory(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[1-9]\d*[MGT]", value):
        raise ValueError("must be text such as 16G or 500M")
    return value


Word = Annotated[StrictStr, Field(pattern=r"^\S+$")]
Variable = Annotated[StrictStr, Field(pattern=r"^[A-Za-z_]\w*$")]
Flag = Annotated[StrictStr, Field(pattern=r"^[a-z][a-z-]*$")]
Positive = Annotated[StrictInt, Field(gt=0)]
NotNegative = Annotated[StrictInt, Field(ge=0)]
Minutes = Annotated[int, BeforeValidator(_as_minutes)]
Memory = Annotated[str, BeforeValidator(_as_memory)]
Line = Annotated[StrictStr, Field(pattern=r"^[^\r\n]*$")]


class Profile(BaseModel):
    """What one pack of cells asks of a cluster, and how packs are submitted."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    partition: Word | None = None
    account: Word | None = None
    qos: Word | None = None
    constraint: Word | None = None
    nodes: Positive = 1
    tasks_per_node: Positive = 1  # more than one task in all: torch.distributed
    cpus: Positive = 1  # of a task
    gpus: NotNegative = 0  # of a node
    gpu_type: Word | None = None
    memory: Memory | None = None  # of a node
    time: Minutes = "4h"  # type: ignore[assignment]
    parallel: Positive = 100  # packs that run at once
    pack: Minutes = "10m"  # type: ignore[assignment] # how long a pack should last
    requeue: StrictBool = True  # after preemption, a lost node, or the end of its time
    timeouts: NotNegative = 10  # how often a pack may come to the end of its time and go on
    grace: Positive = 90  # seconds between the warning (USR2) and the end
    setup: list[Line] = []  # shell commands before Python
    environment: dict[Variable, Line] = {}
    sbatch: dict[Flag, StrictStr | StrictInt | StrictBool] = {}  # any other option of sbatch

    @property
    def tasks(self) -> int:
        return self.nodes * self.tasks_per_node

    @property
    def threads(self) -> int:
        """Cells that a pack trains at once: one a core, or one alone where it has a GPU or is
        shared by the tasks of torch.distributed.
        """
        return 1 if self.gpus or self.tasks > 1 else self.cpus


def profiles_folder() -> Path:
    """slurm/ of a checkout, or its copy inside an installed package."""
    return library.tasks_folder().parent / "slurm"


def profiles() -> dict[str, Path]:
    """Every profile in slurm/, by name."""
    return {p.stem: p for p in sorted(profiles_folder().glob("*.yaml"))}


def read_profile(name: str, changes: Sequence[str] = ()) -> tuple[Profile, str]:
    """A profile by path or by the name of a file in slurm/, with `key=value` changes applied; and
    its file.

    Raises UnknownName and TaskError.
    """
    file = Path(name)
    if not file.is_file():
        known = profiles()
        short = name.removeprefix("slurm/").removesuffix(".yaml")
        if short not in known:
            raise UnknownName("profile", name, known)
        file = known[short]
    data = yaml_reader.read(file)
    for change in changes:
        _apply(data, change)
    try:
        return Profile.model_validate(data), str(file)
    except ValidationError as error:
        raise _explain(error, str(file)) from error


def _apply(data: dict[str, Any], change: str) -> None:
    """`partition=low`, `environment.NAME=value`; the value is YAML."""
    key, equals, text = change.partition("=")
    if not equals:
        raise TaskError("--set", change, "is not of the form key=value")
    parent, _, last = key.rpartition(".")
    place = data.setdefault(parent, {}) if parent else data
    if not isinstance(place, dict):
        raise TaskError("--set", key, f"'{parent}' has no keys below it")
    place[last] = yaml_reader.parse(text, f"--set {change}")


def _explain(error: ValidationError, where: str) -> TaskError:
    """One sentence for the first thing that is wrong."""
    problem = error.errors()[0]
    path = [str(part) for part in problem["loc"]]
    known = list(Profile.model_fields)
    if problem["type"] == "extra_forbidden":
        close = nearest(path[0], known)
        return TaskError(where, path[0], "there is no such key", allowed=known, nearest=close)
    key = ".".join(path[:2] if path[0] in ("environment", "sbatch", "setup") else path[:1])
    message = problem["msg"].removeprefix("Value error, ")
    shown = f"{problem['input']!r}: {message[:1].lower()}{message[1:]}"
    return TaskError(where, key, shown)


def sbatch_parameters(profile: Profile, name: str, setup: Sequence[str]) -> dict[str, Any]:
    """What submitit's SlurmExecutor is told. `setup`: lines after those of the profile.

    The parameters that are None are not said to sbatch: the cluster has its own defaults.
    """
    gpus: int | str | None = profile.gpus or None
    if gpus and profile.gpu_type:
        gpus = f"{profile.gpu_type}:{gpus}"
    exports = [f"export {k}={shlex.quote(v)}" for k, v in profile.environment.items()]
    return {
        "job_name": name,
        "partition": profile.partition,
        "account": profile.account,
        "qos": profile.qos,
        "constraint": profile.constraint,
        "nodes": profile.nodes,
        "ntasks_per_node": profile.tasks_per_node,
        "cpus_per_task": profile.cpus,
        "gpus_per_node": gpus,
        "mem": profile.memory,
        "time": profile.time,
        "array_parallelism": profile.parallel,
        "signal_delay_s": profile.grace,
        "stderr_to_stdout": True,  # one log a task
        "wckey": None,
        "setup": [*exports, *profile.setup, *setup],
        # srun takes the number of cores from sbatch no more (SLURM 22.05); a task that fails must
        # not leave the others waiting for it.
        "srun_args": [f"--cpus-per-task={profile.cpus}", "--kill-on-bad-exit=1"],
        "additional_parameters": {
            "requeue" if profile.requeue else "no-requeue": True,
            **{k: v for k, v in profile.sbatch.items() if v is not False},
        },
    }


def told_to_sbatch(profile: Profile) -> dict[str, str]:
    """The options of sbatch that a profile leads to, for `plan`."""
    from submitit.slurm.slurm import _make_sbatch_string

    text = _make_sbatch_string("", ".", **sbatch_parameters(profile, "", ()))
    found = dict(re.findall(r"^#SBATCH --([\w-]+)(?:=(.*))?$", text, re.MULTILINE))
    hidden = ("job-name", "output", "error", "open-mode")
    return {k: v or "yes" for k, v in found.items() if k not in hidden}
