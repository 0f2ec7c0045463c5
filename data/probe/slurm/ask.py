"""What Slurm says of jobs, in the shapes that its versions say it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from data.errors import DataError
from data.probe.environment import without_secrets

WAIT = 60.0  # seconds after which Slurm is taken to hang
MOST_TASKS = 4_000_001  # of one array: the most that Slurm can be set to
FORMAT = "%F|%K|%T|%j|%N|%r"
JSON_SINCE = (23, 2)  # before it, --json told of everybody's jobs whatever was asked for
_TASKS = re.compile(r"(\d+)(?:-(\d+)(?::(\d+))?)?")
#: What Slurm sets for a job, which a job that is submitted from within one must not begin with.
_KEPT = ("SLURM_CONF", "SLURM_CLUSTERS", "SLURM_JWT")


class SlurmError(DataError):
    """Slurm was asked and did not answer."""


class SilentError(SlurmError):
    """Slurm was told something, and whether it has done it is not known."""


@dataclass(frozen=True)
class Seen:
    """A task of an array as Slurm has it. `code` is its exit code where Slurm says one, `signal` what ended it."""

    job: str
    index: int
    state: str
    reason: str = ""
    name: str = ""
    node: str = ""
    code: int | None = None
    signal: int = 0


def told(*command: str, given: str = "") -> str:
    """What a command of Slurm's prints. Raises SlurmError with what it said instead."""
    env = {n: v for n, v in without_secrets().items() if not n.startswith("SLURM_")}
    env |= {n: os.environ[n] for n in _KEPT if n in os.environ}
    for own in ("CUDA_VISIBLE_DEVICES", "ISOFLOP_DEVICE"):
        env.pop(own, None)
    try:
        done = subprocess.run(
            command, input=given, capture_output=True, text=True, errors="replace", timeout=WAIT, check=False,
            env=env | {"SLURM_BITSTR_LEN": "0"},  # lists of tasks are not cut
        )  # fmt: skip
    except FileNotFoundError:
        raise SlurmError(f"{command[0]} is not installed here: run this where Slurm's commands are.") from None
    except subprocess.TimeoutExpired:
        raise SilentError(f"Slurm did not answer {command[0]} for {WAIT:g} seconds.") from None
    except OSError as error:
        raise SlurmError(f"{command[0]} cannot be run: {error.strerror or error}.") from None
    if done.returncode:
        said = " ".join(done.stderr.split())[:500] or f"code {done.returncode}"
        raise SlurmError(f"{command[0]} refused: {said.rstrip('.')}.")
    return done.stdout


def version(said: str) -> tuple[int, int]:
    """The version that `squeue --version` prints; (0, 0) where it prints none."""
    found = re.search(r"(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def queue() -> list[Seen]:
    """Every task of this person's that Slurm has, or has had for a few minutes after its end. Raises SlurmError."""
    asked = ("squeue", f"--user={os.getuid()}", "--states=all")
    if version(told("squeue", "--version")) >= JSON_SINCE:
        try:
            return list(of_json(told(*asked, "--json")))
        except DataError:  # built without it, or a shape that is none of those known
            pass
    return list(of_text(told(*asked, "--noheader", "--array", f"--format={FORMAT}")))


def of_text(said: str) -> Iterator[Seen]:
    """The tasks in what `squeue --array --format=FORMAT` prints; jobs that are no tasks of arrays are passed over."""
    for line in said.splitlines():
        cells = line.strip().split("|", 3)
        if len(cells) != 4:
            continue
        job, tasks, state, rest = cells
        name, node, reason = [*rest.rsplit("|", 2), "", ""][:3]  # a name may have any sign
        for index in _indices(tasks):
            yield Seen(job, index, state.upper(), _reason(reason), name, node)


def of_json(said: str) -> Iterator[Seen]:
    """The tasks in what `squeue --json` prints. Raises SlurmError for what is none of the shapes that it has had."""
    try:
        jobs = json.loads(said)["jobs"]
        found = [job for job in jobs if isinstance(job, dict)]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise SlurmError("squeue --json did not print a list of jobs.") from None
    for job in found:
        array, task = _number(job.get("array_job_id")), _number(job.get("array_task_id"))
        tasks = job.get("array_task_string")
        if not array:
            continue
        code, by = _ended(job.get("exit_code"))
        state, reason, name, node = (_text(job.get(k)) for k in ("job_state", "state_reason", "name", "nodes"))
        for index in _indices(tasks) if isinstance(tasks, str) and tasks else [] if task is None else [task]:
            yield Seen(str(array), index, state, _reason(reason), name, node, code, by)


def accounted(jobs: Iterable[str]) -> list[Seen]:
    """What Slurm's accounting says of arrays; nothing where there is none."""
    listed = sorted(set(jobs))
    if not listed:
        return []
    try:
        said = told(
            "sacct",
            "--noheader",
            "--parsable2",
            "--allocations",
            f"--jobs={','.join(listed)}",
            "--format=JobID,State,ExitCode",
        )
    except SlurmError:
        return []
    return list(of_sacct(said))


def of_sacct(said: str) -> Iterator[Seen]:
    """The tasks in what sacct prints: `12_3|CANCELLED by 0|0:15`."""
    for line in said.splitlines():
        job, _, rest = line.partition("|")
        state, _, ended = rest.partition("|")
        array, _, tasks = job.partition("_")
        if not array.isdigit() or not state:
            continue
        code, _, by = ended.partition(":")
        for index in _indices(tasks.strip("[]")):
            yield Seen(
                array, index, state.split()[0].rstrip("+").upper(),
                code=int(code) if code.isdigit() else None, signal=int(by) if by.isdigit() else 0,
            )  # fmt: skip


def most_tasks() -> int:
    """How many tasks an array may have on this cluster."""
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", told("scontrol", "show", "config"), re.MULTILINE)
    return max(1, min(int(found[1]), MOST_TASKS)) if found else 1001  # as Slurm has it where nothing is set


def _indices(tasks: str) -> list[int]:
    """The numbers in "3", "1,4-9" or "0-8:2%2"; none in what is no list of them."""
    out: list[int] = []
    for part in tasks.strip("[] ").partition("%")[0].split(","):
        found = _TASKS.fullmatch(part.strip())
        if not found or len(found[0]) > 30:
            continue
        first, last, step = int(found[1]), int(found[2] or found[1]), int(found[3] or 1)
        if first <= last <= MOST_TASKS and step:
            out += range(first, last + 1, step)
    return out


def _number(x: Any) -> int | None:
    """A whole number, which newer versions say as {"set": true, "number": 12}."""
    if isinstance(x, Mapping):
        x = x.get("number") if x.get("set", True) and not x.get("infinite") else None
    return x if isinstance(x, int) and not isinstance(x, bool) and x >= 0 else None


def _text(x: Any) -> str:
    """Text; of a list of states that which says most."""
    listed = [one for one in x if isinstance(one, str)] if isinstance(x, list) else [x] if isinstance(x, str) else []
    listed = [one.upper() if len(listed) > 1 else one for one in listed]
    return next((one for one in listed if one in ("COMPLETING", "CONFIGURING")), listed[0] if listed else "")


def _reason(x: str) -> str:
    return "" if x in ("None", "(null)", "N/A") else x.strip()


def _ended(x: Any) -> tuple[int | None, int]:
    """The exit code and the signal, out of a wait status or of an object of both."""
    if isinstance(x, Mapping):
        signal = x.get("signal")
        by = _number(signal.get("id", signal.get("signal_id"))) if isinstance(signal, Mapping) else None
        return _number(x.get("return_code")), by or 0
    status = _number(x)
    return (None, 0) if status is None else (status >> 8, status & 127)
