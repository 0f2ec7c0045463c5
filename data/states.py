"""How trackers say that a run ended: words for finished, for still running and for broken off."""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np
import pandas as pd

STATE = "run state: "  # how the reason of a run begins that was set aside for its state
#: States under which a run's last loss is the loss at its end.
FINISHED = frozenset(("finished", "finish", "completed", "complete", "done", "success", "successful", "succeeded", "ok", "passed",
                      "stopped early", "closed", "published", "ended", "terminated normally", "inactive"))  # fmt: skip
#: States under which it is not.
BROKEN = frozenset(("failed", "fail", "failure", "crash", "crashed", "killed", "kill", "aborted", "abort", "cancelled", "canceled",
                    "interrupted", "preempted", "timeout", "timed out", "time out", "oom", "out of memory", "node fail", "error",
                    "errored",
                    "diverged", "nan", "dead", "terminated", "stopped", "revoked", "boot fail", "lost"))  # fmt: skip
UNFINISHED = frozenset(("running", "run", "in progress", "pending", "queued", "scheduled", "created", "unfinished", "suspended", "active",
                        "preempting", "requeued", "starting", "not finished", "not completed", "training", "live", "not started",
                        "paused", "resumable",
                        "incomplete"))  # fmt: skip


def plain(state: str) -> str:
    """The state's word without case, marks and what Slurm or a person adds: `CANCELLED by 1000` -> cancelled."""
    low = re.sub(r"[^a-z0-9]+", " ", state.lower()).strip()
    low = re.sub(r"^(error|failed|failure|crashed) .*$", r"\1", low)
    low = re.sub(r" (by|with|after|at|exit|code|signal)\b.*$", "", low)
    return low.removeprefix("state ").removeprefix("runstatus ").removeprefix("run ") if " " in low else low


def is_state(cells: pd.Series) -> bool:
    """Whether a column of text (n,) holds run states: most of what is written are words for one."""
    known = FINISHED | BROKEN | UNFINISHED
    written = [plain(c) for c in cells if c]
    return bool(written) and float(np.mean([w in known for w in written])) > 0.5


def unusable(cells: pd.Series) -> np.ndarray:
    """For each row (n,) the state as written where it says that the run did not come to its end, else ''."""
    bad = BROKEN | UNFINISHED
    return np.array([c if c and plain(c) in bad else "" for c in cells.astype(str)], dtype=object)


_FAILED = re.compile(r"(?:sys ?/? ?|run |is |has |did )?(?:failed|crashed|diverged|aborted|killed|oom)", re.IGNORECASE)


def failures(frame: pd.DataFrame) -> np.ndarray:
    """For each row (n,) whether a column of yes and no under a word for failing says yes."""
    out = np.zeros(len(frame), dtype=bool)
    for header in frame.columns:
        if _FAILED.fullmatch(re.sub(r"[^A-Za-z]+", " ", str(header)).strip()):
            said = frame[header].astype(str).str.strip().str.lower()
            if said.isin(("true", "false", "yes", "no", "0", "1", "0.0", "1.0", "")).all():
                out |= said.isin(("true", "yes", "1", "1.0")).to_numpy()
    return out


def unfinished(frame: pd.DataFrame, why: np.ndarray, keep: Collection[str], notes: list[str]) -> np.ndarray:
    """The reasons (n,) with those of runs whose state says that they did not come to their end; states in `keep` stay."""
    failed = failures(frame)
    if "state" not in frame:
        if not failed.any():
            return why
        frame = frame.assign(state="")
    said = unusable(frame["state"])
    said = np.where((said == "") & failed, "failed", said)
    usable = why == ""
    if usable.any() and (said[usable] != "").all():
        words = " or ".join(sorted({s.lower() for s in said[usable]}))
        notes.append(f"Every run is marked {words}: they are kept, since no other is there to go by.")
        return why
    for i in np.flatnonzero((said != "") & (why == "")):
        if plain(said[i]) not in keep and said[i].lower() not in keep:
            why[i] = f"{STATE}{said[i]}"
    return why
