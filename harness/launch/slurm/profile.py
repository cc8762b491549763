"""Profiles of a cluster: slurm/*.yaml, validated like tasks, and the options of sbatch they set."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
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

from harness.core.errors import UnknownName
from harness.task import library, yaml_reader
from harness.task.messages import first_problem
from harness.task.overrides import apply_override

_UNITS = {"m": 1, "h": 60, "d": 24 * 60}
_CLOCK = re.compile(r"(?:(\d+)-)?(\d{1,4}):(\d\d)(?::(\d\d))?")


def _as_minutes(value: Any) -> int:
    """`90m`, `4h`, `2d`, or SLURM's "HH:MM:SS" and "D-HH:MM:SS", to whole minutes."""
    text = value if isinstance(value, str) else ""
    if short := re.fullmatch(r"(\d+)([mhd])", text):
        minutes = int(short[1]) * _UNITS[short[2]]
    elif clock := _CLOCK.fullmatch(text):
        days, hours, minute, seconds = (int(part or 0) for part in clock.groups())
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
    """What the job of one batch asks of a cluster, and how batches are submitted."""

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
    parallel: Positive = 100  # batches that run at once
    pack: Minutes = "10m"  # type: ignore[assignment] # how long a batch should last
    requeue: StrictBool = True  # after preemption, a lost node, or the time limit
    timeouts: NotNegative = 10  # how often a batch may reach the time limit and go on
    grace: Positive = 90  # seconds between the warning (USR2) and the end
    setup: list[Line] = []  # shell commands before Python
    environment: dict[Variable, Line] = {}
    sbatch: dict[Flag, StrictStr | StrictInt | StrictBool] = {}  # any other option of sbatch

    @property
    def tasks(self) -> int:
        return self.nodes * self.tasks_per_node

    @property
    def threads(self) -> int:
        """Cells that a batch trains at once: one on each core; only one where the job has a GPU or
        where the tasks of torch.distributed share each training.
        """
        return 1 if self.gpus or self.tasks > 1 else self.cpus


@dataclass(frozen=True)
class NamedProfile:
    """A profile, and the file that it is from. These are the settings of a launch."""

    profile: Profile
    file: str


def profiles_folder() -> Path:
    """slurm/ of a checkout, or its copy inside an installed package."""
    return library.tasks_folder().parent / "slurm"


def profiles() -> dict[str, Path]:
    """Every profile in slurm/, by name."""
    return {p.stem: p for p in sorted(profiles_folder().glob("*.yaml"))}


def read_profile(name: str, changes: Sequence[str] = ()) -> NamedProfile:
    """A profile by path or by the name of a file in slurm/, with `key=value` changes applied.

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
        apply_override(data, change, "--set")
    try:
        return NamedProfile(Profile.model_validate(data), str(file))
    except ValidationError as error:
        raise first_problem(error, lambda _: Profile.model_fields).of_file(str(file)) from error


def sbatch_parameters(profile: Profile, name: str, setup: Sequence[str]) -> dict[str, Any]:
    """Parameters of submitit's SlurmExecutor. `setup`: shell lines after those of the profile.

    submitit leaves out parameters that are None: the cluster has its own defaults.
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
        "stderr_to_stdout": True,  # one log for each task
        "wckey": None,
        "setup": [*exports, *profile.setup, *setup],
        # Since SLURM 22.05 srun no longer inherits the number of cores from sbatch. A task that
        # fails must end the others, which would wait for it.
        "srun_args": [f"--cpus-per-task={profile.cpus}", "--kill-on-bad-exit=1"],
        "additional_parameters": {
            "requeue" if profile.requeue else "no-requeue": True,
            **{k: v for k, v in profile.sbatch.items() if v is not False},
        },
    }


def sbatch_options(profile: Profile) -> dict[str, str]:
    """The options of sbatch that a profile leads to, for `plan`. A flag has the value `yes`."""
    from submitit.slurm.slurm import _make_sbatch_string

    script = _make_sbatch_string("", ".", **sbatch_parameters(profile, "", ()))
    options = dict(re.findall(r"^#SBATCH --([\w-]+)(?:=(.*))?$", script, re.MULTILINE))
    hidden = ("job-name", "output", "error", "open-mode")
    return {k: v or "yes" for k, v in options.items() if k not in hidden}
