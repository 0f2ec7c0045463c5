"""The slots of runs that are at work though the queue's file, made again from the folders, does not know where."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Mapping, Sequence

import psutil

from data.probe.process import Process
from data.probe.queue.slots import Slot
from data.probe.queue.store import Store


def again(
    store: Store, slots: Sequence[Slot], children: Mapping[str, subprocess.Popen[bytes]], lies_in: Mapping[str, str]
) -> None:
    """Have every run that is at work stand in its slot: a child of ours, even one that has just ended, where we started it,
    another's where its process says.

    One for which no slot is left stays without: it was started when there were more of them.
    """
    jobs = {job.key: job for job in store.jobs()}
    for key, child in children.items():
        if key in jobs and (jobs[key].state != "running" or not jobs[key].slot):
            store.runs_in(key, lies_in[key], str(Process.of(child.pid) or ""))
    running = [job for job in store.jobs() if job.state == "running"]
    taken = {job.slot.partition("/")[0] for job in running}
    of_process: dict[str, str] = {}  # runs that are made at once have one slot
    for job in running:
        if job.slot or not job.process:
            continue
        if job.process in of_process:
            store.runs_in(job.key, f"{of_process[job.process]}/{job.key}", job.process)
            continue
        free = [slot for slot in slots if slot.name not in taken]
        if chosen := _of_process(job.process, free):
            of_process[job.process] = chosen.name
            taken.add(chosen.name)
            store.runs_in(job.key, chosen.name, job.process)


def _of_process(name: str, free: Sequence[Slot]) -> Slot | None:
    """The slot that a process was given, by the devices that it sees; None where it is not among these."""
    process = Process.read(name)
    with contextlib.suppress(psutil.Error):
        seen = psutil.Process(process.pid).environ() if process is not None and process.alive else {}
        device, visible = seen.get("ISOFLOP_DEVICE", "cpu"), seen.get("CUDA_VISIBLE_DEVICES", "")
        return next((one for one in free if one.device == device and one.visible in ("", visible)), None)
    return None
