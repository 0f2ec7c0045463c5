"""What a job can run on: slots on this machine's CPU, and its GPUs that nobody else uses."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_ASKED = ("index", "uuid", "name", "memory.total", "memory.used")
_WAIT = 20.0  # seconds after which nvidia-smi is taken to hang
FOREIGN = 512.0  # MiB in use from which somebody else is taken to work on a GPU
#: A file in the form that nvidia-smi prints, instead of asking it: for machines without one.
FAKE = "ISOFLOP_NVIDIA_SMI"


@dataclass(frozen=True)
class Gpu:
    """A GPU: how it is called for, what it is, and its memory in MiB."""

    index: str
    uuid: str
    name: str
    total: float
    used: float


@dataclass(frozen=True)
class Slot:
    """A place for one job. `device` is "cpu" or "cuda"; `visible` what CUDA_VISIBLE_DEVICES is to be ('' for none)."""

    name: str
    device: str
    visible: str = ""
    title: str = ""


def gpus() -> list[Gpu]:
    """The GPUs that this machine has and this process may use; none where nothing tells of them."""
    said = _said()
    if said is None:
        return []
    found = []
    for row in csv.reader(io.StringIO(said)):
        cells = [cell.strip() for cell in row]
        if len(cells) != len(_ASKED):
            continue
        try:
            found.append(Gpu(cells[0], cells[1], cells[2], float(cells[3]), float(cells[4])))
        except ValueError:  # [N/A], [Insufficient Permissions]
            found.append(Gpu(cells[0], cells[1], cells[2], 0.0, 0.0))
    return _allowed(found)


def _said() -> str | None:
    if fake := os.environ.get(FAKE):
        return Path(fake).read_text() if Path(fake).exists() else None
    if not shutil.which("nvidia-smi"):
        return None
    try:
        asked = ["nvidia-smi", f"--query-gpu={','.join(_ASKED)}", "--format=csv,noheader,nounits"]
        return subprocess.run(asked, capture_output=True, text=True, timeout=_WAIT, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None


def _allowed(found: list[Gpu]) -> list[Gpu]:
    """Those that CUDA_VISIBLE_DEVICES leaves, in its order, named by number or by (the beginning of) their identifier."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return found
    out: list[Gpu] = []
    for one in (v.strip() for v in visible.split(",")):
        match = [g for g in found if one and (g.index == one or g.uuid.startswith(one))]
        if not match and not one.startswith("MIG-"):
            break  # CUDA itself stops at the first that is none
        out += match[:1] or [Gpu(one, one, "a part of a GPU (MIG)", 0.0, 0.0)]
    return out


def slots(cpus: int = 1, *, only: tuple[str, ...] = ()) -> list[Slot]:
    """The slots of this machine: one a GPU, else so many on its CPU; `only` keeps the devices that are named (cpu, 0, 1)."""
    found = [Slot(f"gpu {g.index}", "cuda", g.index, g.name) for g in gpus() if not only or g.index in only]
    if not found or "cpu" in only:
        found += [Slot(f"cpu {i}", "cpu", "", "a core") for i in range(cpus)]
    return found


def foreign(slot: Slot, own_running: bool) -> str:
    """Why a GPU that no job of ours is on is not free; '' where it is."""
    if slot.device != "cuda" or own_running:
        return ""
    gpu = next((g for g in gpus() if g.index == slot.visible), None)
    if gpu is None:
        return f"{slot.name} is not there any more"
    return f"{gpu.used:.0f} MiB of {slot.name} are in use by others" if gpu.used > FOREIGN else ""
