"""What Slurm's states and reasons mean for a run, in words."""

from __future__ import annotations

import math
import re
import signal

from data.probe.exits import BUSY, GO_ON
from data.probe.folder import ENDED, GOES_ON, Status, since
from data.probe.output import ended_how
from data.probe.slurm.ask import Seen
from data.probe.slurm.record import Record

QUIET = 600.0  # seconds without a word from a run that is said to run, from which that is said
FRESH = 60.0  # seconds in which a run that was heard of is at work
#: States of a job that waits, of one that has its node, and of one that has ended, with what is said of a run that did not end itself.
WAITING = {
    "PENDING": "",
    "REQUEUED": "It was put back in the queue.",
    "REQUEUE_FED": "It was put back in the queue.",
    "REQUEUE_HOLD": "It was put back and is held: scontrol release lets it go on.",
    "SPECIAL_EXIT": "It was put back and is held: scontrol release lets it go on.",
    "RESV_DEL_HOLD": "It is held, because its reservation was deleted.",
}
AT_WORK = {
    "RUNNING": "",
    "CONFIGURING": "Its node is being prepared.",
    "COMPLETING": "It is ending.",
    "RESIZING": "",
    "SIGNALING": "",
    "STAGE_OUT": "It is ending.",
    "SUSPENDED": "Slurm has suspended it.",
    "STOPPED": "Slurm has stopped it.",
}
OVER = {
    "COMPLETED": ("lost", "Slurm says that its job is complete, and its folder does not say how it ended."),
    "CANCELLED": ("cancelled", "Its job was cancelled in Slurm."),
    "FAILED": ("failed", ""),
    "TIMEOUT": ("failed", "It reached its time limit."),
    "DEADLINE": ("failed", "It reached its deadline."),
    "OUT_OF_MEMORY": ("failed", "It ran out of memory: set `memory` higher, or take a smaller batch or model."),
    "NODE_FAIL": ("lost", "Its node failed."),
    "BOOT_FAIL": ("lost", "Its node did not start."),
    "LAUNCH_FAILED": ("lost", "Its node could not start it."),
    "PREEMPTED": ("lost", "Other jobs took its place, and Slurm did not put it back."),
    "REVOKED": ("lost", "Another cluster took its job."),
    "RECONFIG_FAIL": ("lost", "Its node could not be prepared."),
}
REASONS = {
    "Resources": "No node has free what it asks for.",
    "Priority": "Jobs of a higher priority go first.",
    "JobArrayTaskLimit": "As many run at once as `throttle` allows.",
    "BeginTime": "It was put back and begins again in a moment.",
    "Dependency": "Another job has to end first.",
    "JobHeldUser": "It is held by its user: scontrol release lets it go on.",
    "JobHeldAdmin": "It is held by an administrator.",
    "PartitionDown": "Its partition is down.",
    "PartitionInactive": "Its partition takes no jobs now.",
    "PartitionTimeLimit": "It asks for more time than its partition allows.",
    "PartitionNodeLimit": "It asks for more than its partition allows.",
    "ReqNodeNotAvail": "A node that it needs is down or reserved.",
    "BadConstraints": "No node can give what it asks for.",
    "Licenses": "No licence is free.",
    "InvalidAccount": "Slurm does not know its account.",
    "InvalidQOS": "Slurm does not know its quality of service.",
}
_OF_BASH = re.compile(r"slurm_script: line \d+: +\d+ ")  # what bash says of a process that was killed
_STOPPED = (None, GO_ON, 128 + signal.SIGUSR1, 128 + signal.SIGTERM)  # codes of one that was told to stop
AGAIN = " Started again, {}."  # what the run does then, as its folder says it


def waits(reason: str) -> str:
    """Why a job waits, as a sentence; '' where nothing is said."""
    known = reason.partition(",")[0]
    if known in REASONS:
        return REASONS[known]
    if known.startswith(("QOS", "Assoc", "Max")):
        return f"A limit on what its user or account may use is reached ({known})."
    return f"Slurm says {known}." if known else ""


def stands(
    status: Status, what: Record | None, seen: Seen | None, silent: str = "", last: str = "", goes_on: str = GOES_ON
) -> tuple[str, str]:
    """A run's state and its sentence: by its folder where that says how it ended, else by what Slurm has of its job.

    `silent` is why Slurm did not answer: nothing is concluded then. `last` is the last line that the run printed, `goes_on` what it
    does when it is started again.
    """
    again = AGAIN.format(goes_on)
    if what is None:
        return status.state, status.sentence
    if status.state == "done":
        return "done", status.sentence
    if silent:
        return status.state, silent
    if seen is not None and seen.state in AT_WORK:
        if what.cancelled:
            return "running", "It is being cancelled."
        if status.state in ENDED:
            return status.state, status.sentence
        quiet = since(status.heartbeat)
        none = (
            f"It has said nothing for {quiet / 60:.0f} minutes."
            if status.state == "running" and QUIET < quiet < math.inf
            else ""
        )
        starts = "It is starting." if status.state == "queued" else ""
        return "running", AT_WORK[seen.state] or none or starts
    if seen is not None and seen.state in WAITING and not what.cancelled:
        return "queued", WAITING[seen.state] or waits(seen.reason)
    if what.cancelled:
        return "cancelled", _cancelled(status)
    if status.state in (*ENDED, "lost"):  # written down when that was seen
        return status.state, status.sentence
    busy = seen is not None and seen.code == BUSY
    if (seen is None or busy) and status.state == "running" and since(status.heartbeat) < FRESH:
        return "running", ""  # by somebody else, or its job has just ended
    if seen is None:
        return "lost", "Slurm has its job no more, and its folder does not say how it ended." + again
    if busy:
        return "lost", "Another process had its folder, and Slurm did not put it back." + again
    return _over(status, seen, last, again)


def _over(status: Status, seen: Seen, last: str, again: str) -> tuple[str, str]:
    last = "" if _OF_BASH.search(last) else last
    said = f" It said last: {last}" if last else ""
    state, sentence = OVER.get(seen.state, ("lost", f"Slurm says that it is {seen.state.lower()}."))
    if seen.state == "CANCELLED":
        return state, f"{sentence} {_cancelled(status)}"
    if seen.state == "FAILED" and status.state == "queued" and status.step and seen.code in _STOPPED:
        return "lost", "It stopped on request, and Slurm did not put it back." + again
    if seen.state == "FAILED" and (number := max(0, (seen.code or 0) - 128)):  # as shells have it
        return state, ended_how(-number, last)
    if seen.state == "FAILED":
        how = f" by signal {seen.signal}" if seen.signal else f" with code {seen.code}" if seen.code is not None else ""
        return state, f"Its process was ended{how}.{said}" if seen.signal else f"Its process ended{how}.{said}"
    return state, sentence + (again if status.step else "")


def _cancelled(status: Status) -> str:
    return f"Cancelled at step {status.step:,} of {status.steps:,}." if status.steps else "Cancelled before it began."
