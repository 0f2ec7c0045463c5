"""A job that makes runs in their folders, as text that its system takes."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from data.errors import DataError
from data.probe.folder import Folder
from data.probe.jobs.quoting import in_kubernetes, in_shell, in_yaml, lines
from data.probe.jobs.settings import Settings
from data.probe.names import checked
from data.probe.spec import Spec

HERE = Path(__file__).parents[3]  # what is imported from
_PLACE = re.compile(r"\{\{(\w+)\}\}")
_POD = 'folder=${@:JOB_COMPLETION_INDEX+1:1} && exec python -m data.probe.trainer "$folder/spec.json" "$folder"'


def job(kind: str, folders: Sequence[Path], given: Settings, *, root: Path, name: str = "isoflop-probe") -> str:
    """The job of a kind of `KINDS` that makes the runs in these folders below `root`, each by its place in the list.

    Raises DataError for a folder whose name cannot be written down, and for settings that a kind cannot do with.
    """
    template, fill = KINDS[kind]
    paths = [str(folder.absolute()) for folder in folders]
    if not paths:
        raise DataError("There are no runs to make.")
    values = fill(paths, given, str(root.absolute()), name)
    text = (Path(__file__).parent / template).read_text(encoding="utf-8")
    # In one pass: what is put in is not looked through for places again.
    return _PLACE.sub(lambda place: values[place[1]], text)


def job_of_sweep(
    kind: str, specs: Sequence[Spec], given: Settings, *, out: Path, name: str
) -> tuple[str, list[Folder]]:
    """The same of the runs of a sweep, and their folders: that of another sweep below `out` for a run that it has. Raises DataError."""
    own = [Folder(out / checked(name) / one.key) for one in specs]
    folders = [folder.beside(folder.path.name) or folder for folder in own]
    return job(kind, [folder.path for folder in folders], given, root=out), folders


def _of_a_shell(paths: list[str], given: Settings) -> dict[str, str]:
    return {
        "folders": lines(map(in_shell, paths), 2),
        "here": in_shell(str(HERE)),
        "setup": lines(given.setup) or "# Lines of the settings' `setup` stand here.",
        "python": in_shell(given.python or sys.executable),
        "device": "cuda" if given.gpus else "cpu",
    }


def _slurm(paths: list[str], given: Settings, root: str, name: str) -> dict[str, str]:
    throttle = f"%{given.throttle}" if given.throttle else ""
    gres = f"gpu:{given.gpu_type}:{given.gpus}" if given.gpu_type else f"gpu:{given.gpus}"
    asked = {
        "job-name": name,
        "array": f"0-{len(paths) - 1}{throttle}",
        "output": "/dev/null",
        "signal": f"B:USR1@{given.warn}",
        "nodes": "1",
        "ntasks": "1",
        "cpus-per-task": str(given.cpus),
        "partition": given.partition,
        "account": given.account,
        "qos": given.qos,
        "constraint": f'"{given.constraint}"' if given.constraint else "",
        "time": given.time,
        "mem": given.memory,
        "gres": gres if given.gpus else "",
    }
    options = [f"--{option}={value}" for option, value in asked.items() if value]
    return {
        **_of_a_shell(paths, given),
        "options": lines(
            f"#SBATCH {option}" for option in (*options, "--requeue", "--open-mode=append", *given.sbatch)
        ),
        "requeues": str(given.requeues),
    }


def _torchrun(paths: list[str], given: Settings, root: str, name: str) -> dict[str, str]:
    return {**_of_a_shell(paths, given), "devices": str(given.gpus or given.cpus)}


def _kubernetes(paths: list[str], given: Settings, root: str, name: str) -> dict[str, str]:
    limits = {
        "cpu": str(given.cpus),
        "memory": _binary(given.memory),
        "nvidia.com/gpu": str(given.gpus) if given.gpus else "",
    }
    return {
        "count": str(len(paths)),
        "parallel": str(given.throttle or len(paths)),
        "image": in_yaml(given.image),
        "command": in_kubernetes(_POD),
        "folders": lines((f"- {in_kubernetes(path)}" for path in paths), 12),
        "device": in_yaml("cuda" if given.gpus else "cpu"),
        "limits": json.dumps({name: value for name, value in limits.items() if value}),
        "root": in_yaml(root),
        "volume": in_yaml(given.volume),
    }


def _binary(memory: str) -> str:
    """What Slurm says of memory, in MiB where it has no unit, as Kubernetes says it."""
    return f"{memory}i" if memory[-1:].isalpha() else f"{memory}Mi" if memory else ""


def _skypilot(paths: list[str], given: Settings, root: str, name: str) -> dict[str, str]:
    if given.gpus and not given.gpu_type:
        raise DataError("SkyPilot asks for a GPU by its name: say which in gpu_type, such as A100.")
    resources = {"cpus": f"{given.cpus}+"} | ({"accelerators": f"{given.gpu_type}:{given.gpus}"} if given.gpus else {})
    mount = f"{{name: {in_yaml(given.volume)}, source: {in_yaml(root)}, mode: MOUNT}}"
    return {
        **_of_a_shell(paths, given),
        "folders": lines(map(in_shell, paths), 4),
        "here": in_yaml(str(HERE)),
        "nodes": str(given.throttle or 1),
        "resources": json.dumps(resources),
        "mounts": f"{{{in_yaml(root)}: {mount}}}",
        "install": in_yaml("pip install -e '.[probe]'"),
    }


#: A kind's template, and what is put into it.
KINDS: Mapping[str, tuple[str, Callable[[list[str], Settings, str, str], dict[str, str]]]] = {
    "slurm": ("slurm.sh", _slurm),
    "torchrun": ("torchrun.sh", _torchrun),
    "kubernetes": ("kubernetes.yaml", _kubernetes),
    "skypilot": ("skypilot.yaml", _skypilot),
}
