"""slurm/test_cluster.sh itself, which the other tests need."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import conftest
from .conftest import NODES, SCRIPT, Cluster, start_cluster
from .study import wait_for


def kill(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def states(cluster: Cluster, job: str) -> list[str]:
    """State of every task of a job by the accounting, which is some seconds behind."""
    return cluster.ask("sacct", "-X", "-n", "-P", "-j", job, "-o", "state").split()


def test_nodes_gpus_and_partitions(cluster: Cluster) -> None:
    lines = cluster.ask("sinfo", "-h", "-N", "-o", "%N %P %G %f").splitlines()
    assert sorted(lines) == sorted(
        f"n{node} {partition} gpu:4 n{node}"
        for node in range(1, NODES + 1)
        for partition in ("main*", "low", "high")
    )


def test_a_job_has_the_gpus_it_asks_for(cluster: Cluster) -> None:
    output = cluster.ask(
        "srun", "-N2", "--ntasks-per-node=2", "--gpus-per-node=2", "bash", "-c",
        "echo $SLURM_PROCID $SLURMD_NODENAME $CUDA_VISIBLE_DEVICES",
    )  # fmt: skip
    rank_node_gpus = sorted(line.split() for line in output.splitlines())
    assert [rank for rank, _, _ in rank_node_gpus] == ["0", "1", "2", "3"]
    assert len({node for _, node, _ in rank_node_gpus}) == 2
    assert all(len(gpus.split(",")) == 2 for _, _, gpus in rank_node_gpus)


def test_an_array_uses_all_nodes_and_is_accounted(cluster: Cluster, tmp_path: Path) -> None:
    job = cluster.ask(
        "sbatch", "--parsable", "--array=0-5", "-o", f"{tmp_path}/%a.txt",
        "--wrap", "echo $SLURMD_NODENAME; sleep 1; test $SLURM_ARRAY_TASK_ID != 5",
    ).strip()  # fmt: skip
    wait_for(
        lambda: sorted(states(cluster, job)) == ["COMPLETED"] * 5 + ["FAILED"], "the end of the job"
    )
    nodes = {path.read_text().strip() for path in tmp_path.glob("*.txt")}
    assert nodes == {f"n{node}" for node in range(1, NODES + 1)}


@pytest.fixture(scope="module")
def second(slurm_required: None) -> Iterator[Cluster]:
    """A cluster of its own, to be broken; the last test that uses it stops it."""
    with tempfile.TemporaryDirectory(prefix="slurm") as folder:
        started = start_cluster(Path(folder) / "c")
        yield started
        started.control("stop")


def test_daemons_go_down_and_come_back(second: Cluster) -> None:
    done = second.control("down", "slurmctld")
    assert done.returncode == 0, done.stderr
    assert not second.is_up()
    assert second.control("up", "slurmctld").returncode == 0
    wait_for(second.is_up, "the controller")
    killed = second.pid("slurmd.n2")
    kill(killed)
    wait_for(lambda: second.pid("slurmd.n2") not in (killed, None), "another slurmd")
    bad = second.control("down", "slurmd.n9")
    assert bad.returncode == 1
    assert "no daemon slurmd.n9" in bad.stderr


def test_what_it_refuses(second: Cluster, tmp_path: Path) -> None:
    twice = second.control("start")
    assert (twice.returncode, twice.stderr) == (
        1, f"test_cluster: a cluster runs in {second.base} already\n",
    )  # fmt: skip
    config = second.ask("scontrol", "show", "config")
    taken = next(line.split()[-1] for line in config.splitlines() if "SlurmctldPort" in line)
    ports = Cluster(tmp_path / "c").control("start", port0=taken)
    assert ports.returncode == 1
    assert ports.stderr == f"test_cluster: port {taken} is in use; set another PORT0\n"
    (tmp_path / "precious").write_text("mine")
    foreign = Cluster(tmp_path).control("start")
    assert foreign.returncode == 1
    assert "is not a folder of this script" in foreign.stderr
    assert (tmp_path / "precious").read_text() == "mine"


def processes_of(base: Path) -> list[int]:
    """Processes that name the folder in their command or environment."""
    pids = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            said = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(base).encode() in said and int(process.name) != os.getpid():
            pids.append(int(process.name))
    return pids


def test_two_run_side_by_side_and_stop_leaves_no_process(
    cluster: Cluster, second: Cluster, tmp_path: Path
) -> None:
    """A job that starts a daemon of its own and does not listen, on a node whose slurmd is gone."""
    job = second.ask(
        "sbatch", "--parsable", "-C", "n1", "-o", f"{tmp_path}/out.txt", "--wrap",
        "trap '' TERM; setsid sleep 987 & echo ready; sleep 987",
    )  # fmt: skip
    wait_for(
        lambda: (tmp_path / "out.txt").exists() and (tmp_path / "out.txt").read_text(), "the job"
    )
    assert job.strip() not in cluster.ask("squeue", "-h", "-o", "%A").split()
    kill(second.pid("slurmd.n1"))
    assert len(processes_of(second.base)) > NODES + 5
    done = second.control("stop")
    assert done.returncode == 0, done.stderr
    assert processes_of(second.base) == []
    assert second.control("stop").returncode == 0, "there is nothing to stop"


def test_where_slurm_is_absent_tests_are_skipped_or_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conftest, "PROGRAMS", ("sbatch", "no-such-program"))
    monkeypatch.delenv("HARNESS_REQUIRE_SLURM", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"not installed: no .*no-such-program"):
        conftest.require_slurm()
    monkeypatch.setenv("HARNESS_REQUIRE_SLURM", "1")
    with pytest.raises(pytest.fail.Exception, match=r"not installed: no .*no-such-program"):
        conftest.require_slurm()


def without_slurm(folder: Path, *programs: str) -> Path:
    """The script, for a PATH that is this folder: bash, some programs, and nothing of SLURM."""
    for program in ("bash", "dirname", "hostname", *programs):
        path = shutil.which(program)
        assert path is not None
        (folder / program).symlink_to(path)
    script = folder / "test_cluster.sh"
    script.write_text(SCRIPT.read_text().replace("PATH=$PATH:/usr/sbin:/sbin", "PATH=$PATH"))
    return script


def run_in(folder: Path, script: Path, argument: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", script, argument], env={"PATH": str(folder), "BASE": str(folder / "c")},
        executable=str(folder / "bash"), capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_without_slurm_it_says_what_is_missing(tmp_path: Path) -> None:
    done = run_in(tmp_path, without_slurm(tmp_path), "start")
    assert done.returncode == 1
    assert done.stderr.startswith("test_cluster: not installed: munged mariadbd slurmdbd")
    assert "slurm/test_cluster.sh install" in done.stderr


def test_install_tells_what_apt_says(tmp_path: Path) -> None:
    script = without_slurm(tmp_path, "mktemp", "tail")
    no_apt = run_in(tmp_path, script, "install")
    assert no_apt.returncode == 1
    assert "there is no apt-get here" in no_apt.stderr
    apt = tmp_path / "apt-get"
    apt.write_text("#!/bin/bash\necho E: cannot reach the mirror; exit 100\n")
    apt.chmod(0o755)
    unreachable = run_in(tmp_path, script, "install")
    assert unreachable.returncode == 1
    first, last = unreachable.stderr.splitlines()
    assert first == "E: cannot reach the mirror"
    assert last.startswith("test_cluster: apt-get could not install slurmctld slurmd")
